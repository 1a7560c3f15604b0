"""Recorded measured rows that are like a run, and how far each lies from its own prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .estimate import Estimate, evaluate
from .learn import Floats
from .measured import Cells, Table, lower_rows, scorable
from .measured.names import accelerators_of
from .measured.rows import throughput_of_table
from .presets import Presets
from .tuples import NamedTuple

# How rows may be like a run, the most alike first.
_LADDER = (("architecture", "precision", "experts"), ("architecture", "experts"), ("experts",))


class Alike(NamedTuple):
    """Measured configurations like a run: measured over predicted of each, and in what they are like it."""

    levels: Mapping[str, str]
    ratios: Floats
    below: float

    def quantile(self, share: float) -> float:
        """Return a quantile of the ratios."""
        return float(np.quantile(self.ratios, share))


def alike(estimate: Estimate, ratio: float, presets: Presets) -> Alike:
    """Return the recorded rows that are like a run, and the share of them that fall further below their prediction.

    Each configuration counts once, by the median of its rows.
    """
    words = estimate.case.words
    architecture = str(presets.load("accelerators", words["accelerator"]).words.get("architecture", ""))
    sparse = float(estimate.case.columns["experts"]) > 0.0
    own = {
        "architecture": architecture,
        "precision": words["precision"],
        "experts": "yes" if sparse else "no",
    }
    fewest = presets.load("assumptions", "own-steps").value("fewest_alike")
    rows = _scorable(presets)
    near = [cells for cells in rows if _architecture(presets, cells["accelerator"]) == architecture]
    for kinds, kept in zip(_LADDER, (near, near, rows), strict=True):
        levels = {kind: own[kind] for kind in kinds}
        ratios = _ratios(kept, levels, presets)
        if len(ratios) >= fewest or kinds is _LADDER[-1]:
            return Alike(levels, ratios, float(np.mean(ratios < ratio)) if len(ratios) else math.nan)
    raise AssertionError  # the last rung always returns


def _scorable(presets: Presets) -> list[Cells]:
    return [row.cells for row in presets.rows("measurements/throughput") if scorable(row.cells)]


def _architecture(presets: Presets, name: str) -> str:
    bins = accelerators_of(presets, name)
    return str(bins[0].words.get("architecture", "")) if bins else ""


def _ratios(rows: Sequence[Cells], levels: Mapping[str, str], presets: Presets) -> Floats:
    """Return measured over predicted of every configuration at these levels."""
    table = Table.of(rows)
    if not table.size:
        return np.zeros(0)
    lowered = lower_rows(table, Presets(presets.own))
    predicted: Any = np.asarray(evaluate(lowered.case).values["throughput_per_accelerator"])
    ratios = throughput_of_table(table)[lowered.kept] / predicted
    found: dict[str, list[float]] = {}
    for place, ratio in zip(map(int, lowered.kept), ratios.tolist(), strict=True):
        if all(lowered.levels[place][kind] == level for kind, level in levels.items()) and ratio > 0.0:
            found.setdefault(rows[place]["config_group"], []).append(ratio)
    return np.array([float(np.median(each)) for each in found.values()])
