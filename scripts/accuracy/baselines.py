"""Efficiencies that each method takes, learnt from chosen configurations.

They are arrays of shape (n, 3), each row low, middle and high.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import fit_efficiency as fit
import numpy as np

from estimator import Presets
from estimator.arrays import Array, array
from estimator.lower.efficiency import measured_efficiency
from estimator.records import Record, read_record

from .scores import BY_CHIP, CONSTANT, OURS

Kind = tuple[str, str, bool]  # chip, precision, sparse
Configs = list[fit.Configuration]


class Learnt(Presets):
    """The house's presets with the efficiency learnt anew, from some of the measured configurations."""

    def __init__(self, configs: Configs) -> None:
        super().__init__()
        self.texts = fit.files(configs)
        self.learnt: dict[str, Record] = {}

    def files(self, kind: str, ending: str = ".toml") -> dict[str, Path]:
        """Every record but the house's own efficiencies, which have seen all rows."""
        found = super().files(kind, ending)
        if kind != "calibrations":
            return found
        others = {name: path for name, path in found.items() if not name.startswith("efficiency-")}
        return others | {name: Path(f"{name}.toml") for name in self.texts}

    def load(self, kind: str, name: str) -> Record:
        """The efficiency learnt here, else the house's record."""
        if kind != "calibrations" or name not in self.texts:
            return super().load(kind, name)
        if name not in self.learnt:
            with TemporaryDirectory() as folder:
                path = Path(folder) / f"{name}.toml"
                path.write_text(self.texts[name], encoding="utf-8")
                self.learnt[name] = read_record("calibrations", path)
        return self.learnt[name]


def short(configs: Configs) -> Configs:
    """The same configurations, their FLOPs counted as six a parameter and token."""
    return [replace(config, flops=config.short_flops) for config in configs]


def ladder(presets: Presets, kinds: Iterable[Kind]) -> Array:
    """The efficiency that the estimator takes for each kind of question."""
    found: dict[Kind, tuple[float, float, float]] = {}
    for kind in (kinds := list(kinds)):
        if kind not in found:
            chip, precision, sparse = kind
            record = presets.load("accelerators", chip)
            figure, _ = measured_efficiency(presets, record, precision, sparse=sparse)
            found[kind] = (figure.low or figure.value, figure.value, figure.high or figure.value)
    return array([found[kind] for kind in kinds])


def constant(configs: Configs, length: int) -> Array:
    """One efficiency for whatever is asked: the median of all dense 16-bit configurations, by 6ND."""
    chosen = [
        config.mfu for config in short(configs) if not config.sparse and config.precision in ("bf16", "fp16")
    ]
    return np.tile(array(fit.quantiles(chosen)), (length, 1))


def learnt(configs: Configs, kinds: Sequence[Kind]) -> dict[str, Array]:
    """What each method takes for the kinds asked, having seen these configurations."""
    return {
        OURS: ladder(Learnt(configs), kinds),
        BY_CHIP: ladder(Learnt(short(configs)), kinds),
        CONSTANT: constant(configs, len(kinds)),
    }
