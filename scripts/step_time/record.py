"""The fit as a record of presets/calibrations: every figure with the rows that it was learnt from."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from estimator.presets import Presets

from .effects import PRIORS
from .fitting import Fitted
from .left_out import chip_known
from .rows import Floats, Rows
from .spread import Spread

# A deviation closer to none than this says nothing.
_SILENT = 1e-3
_WHATS = {
    "model": "time over prediction, quarters of the configurations left out",
    "stack": "what whole sources left out stray beyond that",
    "planned": "time of measured steps over that in the layout found for them, their stack unknown",
    "practice": "the same, drawn to the time of published runs over that in the layout found for them",
    "accelerator": "what whole accelerators left out stray beyond that",
}


def _figure(key: str, value: str, where: str, ends: str = "") -> str:
    return f'"{key}" = {{ value = {value}{ends}, source = "rows", where = "{where}", kind = "measured" }}'


def _coefficients(fitted: Fitted) -> list[str]:
    lines: list[str] = []
    for name, log in fitted.globals.items():
        unit = PRIORS[name].unit
        value = f"{np.exp(log):.4g}"
        lines.append(
            _figure(name, value if unit == "1" else f'"{value} {unit}"', "fitted to all rows together")
        )
    return lines


def _deviations(fitted: Fitted, rows: Rows) -> list[str]:
    lines: list[str] = []
    for effect in fitted.effects:
        levels = effect.levels(rows)
        for (name, level), log in fitted.deviations.items():
            if (
                name != effect.coefficient
                or level not in levels
                or (abs(log) < _SILENT and "accelerator" not in level)
            ):
                continue
            size = len(np.unique(rows.words["config_group"][levels == level]))
            key = f"{name}@{level}"
            lines.append(_figure(key, f"{np.exp(log):.4f}", f"factor, {size} configurations, drawn to 1"))
    return lines


def _strays(kind: str, spreads: Mapping[str, Spread]) -> list[str]:
    return [
        _figure(
            f"stray_{kind}{levels}",
            f"{spread.middle:.4f}",
            f"{_WHATS[kind]}: 10th and 90th percentile over {spread.configurations} configurations",
            f", low = {min(spread.low, spread.middle):.4f}, high = {max(spread.high, spread.middle):.4f}",
        )
        for levels, spread in spreads.items()
    ]


def summary(errors: Floats) -> str:
    """Return median and mean absolute error in percent."""
    away = np.abs(np.exp(errors) - 1.0) * 100.0
    return f"{np.median(away):.1f} % median, {np.mean(away):.1f} % mean"


def render(
    rows: Rows, fitted: Fitted, errors: Mapping[str, Floats], strays: Mapping[str, Mapping[str, Spread]]
) -> str:
    """Return the record as text."""
    sources = sorted(set(rows.words["source"].tolist()))
    known = chip_known(rows)
    scores = {
        "quarters": summary(errors["quarter"]),
        "sources": summary(errors["source"]),
        "sources_of_known_chips": summary(errors["source"][known]),
        "accelerators": summary(errors["accelerator"]),
    }
    lines = [
        'name = "Step time: coefficients fitted to measured steps"',
        'note = "Written by scripts/fit_step_time.py; docs/formulas/step_time.md tells what each one means."',
        f"rows_of = {sources!r}".replace("'", '"'),
        f"fitted = {datetime.date.today()}",
        "",
        "[out_of_sample]",
        *(f'{name} = "{score}"' for name, score in scores.items()),
        "",
        "[sources.rows]",
        'title = "Measured training rows, presets/measurements/throughput.csv"',
        'publisher = "estimator"',
        f'version = "{rows.size} rows"',
        "",
        "[figures]",
        *_coefficients(fitted),
        *_deviations(fitted, rows),
        *(line for kind, spreads in strays.items() for line in _strays(kind, spreads)),
    ]
    return "\n".join(lines) + "\n"


def with_practice(text: str, spreads: Mapping[str, Spread]) -> str:
    """Return a record whose figures of practice are these alone."""
    kept = [line for line in text.splitlines() if not line.startswith('"stray_practice@')]
    return "\n".join([*kept, *_strays("practice", spreads)]) + "\n"


@contextmanager
def presets_of(text: str) -> Iterator[Presets]:
    """Give the house's presets with another calibration of the step time."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "calibrations").mkdir()
        (Path(folder) / "calibrations" / "step-time.toml").write_text(text, encoding="utf-8")
        yield Presets([Path(folder)])
