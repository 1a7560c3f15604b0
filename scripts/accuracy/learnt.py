"""The house's presets with the step time learnt anew, and what they foretell of rows they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from step_time.fitting import Fitted
from step_time.record import render
from step_time.rows import Floats, Rows
from step_time.spread import Spread, strays_of

from estimator import Presets, ranges
from estimator.arrays import Array
from estimator.estimate import evaluate
from estimator.measured import Cells, Lowered, Table, lower_rows
from estimator.plan import planned

Errors = Mapping[str, Floats]
Ends = tuple[Array, Array, Array]


def record_text(rows: Rows, fitted: Fitted, errors: Errors) -> str:
    """Return a calibration: coefficients, and strays learnt from errors on these rows by kind of what was left out.

    Strays of other kinds (how layouts in use compare with planned ones) are the house's: no row's range rests on them.
    """
    strays = strays_of(rows, errors)
    text = render(rows, fitted, errors, strays)
    return text + "".join(f"{line}\n" for line in _other_strays(list(strays)))


def _other_strays(kinds: Sequence[str]) -> list[str]:
    house = Presets().files("calibrations")["step-time"].read_text(encoding="utf-8")
    ours = tuple(f'"stray_{kind}@' for kind in kinds)
    return [line for line in house.splitlines() if line.startswith('"stray_') and not line.startswith(ours)]


def ends_of(lowered: Lowered, quantity: str) -> Ends:
    """Return value, low and high end of a quantity of every row, as `estimate validate` has them; house units."""
    case = planned(lowered.case)
    points = ranges.points({quantity: evaluate(ranges.spread(case)).values[quantity]}, case)[quantity]
    low, high = ranges.around(points)
    return np.asarray(points)[..., 0], low, high


def foretell(cells: Sequence[Cells], presets: Presets) -> dict[str, tuple[float, float, float]]:
    """Return value, low and high end of each row's throughput by its id, through the estimator itself. [token/s]"""
    lowered = lower_rows(Table.of(cells), presets)
    found = zip(lowered.kept.tolist(), *ends_of(lowered, "throughput_per_accelerator"), strict=True)
    return {cells[place]["id"]: (float(value), float(low), float(high)) for place, value, low, high in found}


def spread_of(spreads: Mapping[str, Spread], rows: Rows) -> tuple[Floats, Floats]:
    """Return low and high end of the time over its prediction for every row, by the closest level that has one."""
    found: list[tuple[float, float]] = []
    for experts, architecture in zip(rows.words["experts"], rows.words["architecture"], strict=True):
        level = f"@experts={experts}"
        spread = spreads.get(f"{level}@architecture={architecture}") or spreads[level]
        found.append((min(spread.low, 1.0), max(spread.high, 1.0)))
    low, high = np.array(found).reshape(-1, 2).T
    return low, high
