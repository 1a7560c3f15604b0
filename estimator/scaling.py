"""Scaling efficiency: laws fitted to points, extrapolated, with the spread between them and what is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Array, array
from .errors import EstimatorError, QuestionError, near_misses
from .formulas.fits import LAWS, Floats, Law, curves, fitted, sound, spread
from .formulas.scaling import lost_accelerators, lost_money
from .inputs.scaling import LEAST_EFFICIENCY, ScalingQuestion, below_base
from .presets import Presets, read_rows
from .provenance import Source
from .records import Row
from .units import parse_count

_HOUR = array(3600.0)
# The law that does not apply: Amdahl's holds for a fixed batch, Gustafson's for one that grows.
_UNFIT = {
    "strong": ("gustafson", "is for work that grows with the accelerators"),
    "weak": ("amdahl", "is for fixed work"),
}
# Below this two efficiencies are the same number.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Points:
    """Efficiencies at counts, over a base at which the efficiency is 1. [accelerator, 1, accelerator]"""

    count: Floats
    efficiency: Floats
    base: float
    source: Source | None = None
    about: str = ""

    @property
    def relative(self) -> Floats:
        """Accelerators over the base. [1]"""
        return self.count / self.base


@dataclass(frozen=True, slots=True)
class Range:
    """A value and its ends, one of each a count."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class FittedLaw:
    """A law with its parameters, the rms of its residuals, and its efficiency at each count asked. [1]"""

    law: Law
    parameters: Mapping[str, float]
    residual: float
    residuals: Floats
    efficiency: Floats


@dataclass(frozen=True, slots=True)
class Loss:
    """What scale takes, at each count asked, in accelerators and in ``currency``.

    ``per_hour`` is None where no price was given, ``in_all`` where no time was.
    """

    accelerators: Range
    per_hour: Range | None = None
    in_all: Range | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ScalingAnswer:
    """Laws, the efficiency at each count asked with the spread between laws, and the loss."""

    question: ScalingQuestion
    points: Points
    laws: Sequence[FittedLaw]
    left_out: Mapping[str, str]
    at: Floats
    efficiency: Range
    extrapolated: npt.NDArray[np.bool_]
    loss: Loss
    notes: Sequence[str]


def ask_scaling(question: ScalingQuestion, presets: Presets | None = None) -> ScalingAnswer:
    """Fit the laws to the points of a question and extrapolate them.

    Without counts to extrapolate to, the answer is at the counts of the points.

    Raises
    ------
    EstimatorError
        The series is not on record or says nothing beyond its base; a count lies below the base.

    Examples
    --------
    >>> asked = ScalingQuestion.read({"point": ["1000:0.92", "10000:0.90"], "at": ["4000"]})
    >>> round(float(ask_scaling(asked).efficiency.value[0]), 3)
    0.908
    """
    points = points_of(question, presets or Presets())
    at = np.asarray(question.at or np.unique(points.count), dtype=np.float64)
    fits = fitted(points.relative, points.efficiency, laws_for(question.mode))
    low, middle, high = _spread(fits, points, at / points.base)
    efficiency, laws = Range(middle, low, high), _fitted_laws(points, fits, at)
    outside = (at < points.count.min()) | (at > points.count.max())
    found = notes(points, laws, efficiency, outside)
    if question.base is None and question.series is None:
        found.insert(0, "the base, where the efficiency is 1, is 1 accelerator here; change it with --base")
    left_out, loss = _left_out(points, question.mode), _loss(question, at, efficiency)
    return ScalingAnswer(question, points, laws, left_out, at, efficiency, outside, loss, found)


def _spread(fits: Mapping[Law, Floats], points: Points, relative: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the ends and the median of the laws that follow the points; beyond them every law widens the range.

    A law that a constant beats says nothing between the points, but nobody knows which law holds outside
    them. Beyond the largest point the efficiency is at most what was seen there.
    """
    low, middle, high = spread(sound(fits, points.relative, points.efficiency), relative)
    lowest, _, highest = spread(fits, relative)
    beyond = relative > points.relative.max()
    last = points.efficiency[points.relative == points.relative.max()].max()
    high = np.where(beyond, np.maximum(middle, np.minimum(high, last)), high)
    low = np.where(beyond, lowest, low)
    below = relative < points.relative.min()
    return np.where(below, lowest, low), middle, np.where(below, highest, high)


def laws_for(mode: str | None) -> list[Law]:
    """Return the laws that apply to strong or to weak scaling; all of them where neither is said.

    Examples
    --------
    >>> [law.name for law in laws_for("strong")]
    ['amdahl', 'universal', 'all_reduce', 'power']
    """
    unfit = _UNFIT[mode][0] if mode else ""
    return [law for law in LAWS if law.name != unfit]


def _fitted_laws(points: Points, fits: Mapping[Law, Floats], at: Array) -> list[FittedLaw]:
    seen, asked = curves(fits, points.relative), curves(fits, at / points.base)
    residuals = seen - points.efficiency
    # Rounded, so that a law through every point has no misfit rather than 1e-16.
    rms = np.sqrt(np.square(residuals).mean(axis=1)).round(12)
    named = (dict(zip(law.parameters, map(float, fit), strict=True)) for law, fit in fits.items())
    rows = zip(fits, named, map(float, rms), residuals, asked, strict=True)
    return [FittedLaw(*row) for row in rows]


def _left_out(points: Points, mode: str | None) -> dict[str, str]:
    """Say of each law that was not fitted why not."""
    reasons: dict[str, str] = {}
    if mode:
        name, why = _UNFIT[mode]
        reasons[name] = f"{why}, and --mode {mode} was given"
    for law in laws_for(mode):
        usable, needed = law.points_that_count(points.relative), len(law.parameters)
        if usable < needed:
            where = " beyond the base" if law.through_base else ""
            reasons[law.name] = f"needs points at {needed} counts{where}, and there is {usable}"
    return reasons


def _loss(question: ScalingQuestion, at: Array, efficiency: Range) -> Loss:
    """Return what is lost, in accelerators and in money: the most where the least is kept."""
    kept = (efficiency.value, efficiency.high, efficiency.low)
    lost = Range(*(np.asarray(lost_accelerators(at, end)) for end in kept))
    price, time = question.price, question.wall_clock
    if price is None:
        return Loss(lost)

    rate, ends = array(price.rate), (lost.value, lost.low, lost.high)

    def _over(seconds: Array) -> Range:
        return Range(*(np.asarray(lost_money(end, rate, seconds)) for end in ends))

    return Loss(lost, _over(_HOUR), None if time is None else _over(array(time)), price.currency)


def points_of(question: ScalingQuestion, presets: Presets) -> Points:
    """Return the points of a question: its own, or those of the recorded series it names."""
    if question.series is None:
        count, efficiency = np.array(question.points).T
        return Points(count, efficiency, question.base or 1.0)
    known = recorded_series(presets)
    if question.series not in known:
        listed = near_misses(question.series, list(known)) or "; see: estimate scale --list"
        raise EstimatorError(f"--series: no recorded series is called '{question.series}'{listed}")
    points = series_points(known[question.series])
    if points is None:
        raise EstimatorError(
            f"--series: '{question.series}' records no efficiency beyond a base; see: estimate scale --list"
        )
    if faults := below_base(question.at, points.base):
        raise QuestionError(faults)
    return points


def recorded_series(presets: Presets) -> dict[str, list[Row]]:
    """Return the rows of every recorded series by its name, in the order of the table."""
    found: dict[str, list[Row]] = {}
    for row in read_rows(presets, "measurements/scaling"):
        found.setdefault(row.cells.get("series_id") or "", []).append(row)
    return found


def series_points(rows: Sequence[Row]) -> Points | None:
    """Return the points of one series; None where no row has an efficiency at more than the base."""
    kept = np.array([point for point in map(_point, rows) if _usable(*point)])
    if kept.size == 0 or not np.any(kept[:, 0] > kept[:, 2]):
        return None
    cells = rows[0].cells
    about = (cells.get(name) or "" for name in ("workload", "accelerator_as_stated", "batch_mode"))
    return Points(kept[:, 0], kept[:, 1], float(kept[0, 2]), rows[0].source, ", ".join(filter(None, about)))


def _point(row: Row) -> tuple[float, float, float]:
    """Return accelerators, efficiency and base of a row; NaN where a cell is blank."""
    cells = (row.cells.get(name) or "nan" for name in ("n", "efficiency_vs_base", "base_n"))
    count, efficiency, base = (parse_count(cell) for cell in cells)
    return count, efficiency, base


def _usable(count: float, efficiency: float, base: float) -> bool:
    """Tell whether a row holds a point; a blank cell, which is NaN, compares as false."""
    return 1.0 <= base <= count < np.inf and LEAST_EFFICIENCY <= efficiency < np.inf


def notes(
    points: Points, laws: Sequence[FittedLaw], efficiency: Range, extrapolated: npt.NDArray[np.bool_]
) -> list[str]:
    """Say what a reader must know before trusting the numbers."""
    found = _notes_on_points(points)
    poor = [fit.law.label for fit in laws if fit.residual > np.std(points.efficiency) + _SAME]
    counted = (
        "counted only in the range beyond the points" if len(poor) < len(laws) else "counted all the same"
    )
    if np.all(efficiency.value > 1.0 - _SAME):
        found.append("the fits show no loss at all")
    elif poor and np.unique(points.count).size > 1:
        found.append(f"worse than a constant at the points themselves: {', '.join(poor)}; {counted}")
    if np.any(extrapolated):
        ends = [f"{end:,.0f}" for end in np.unique([points.count.min(), points.count.max()])]
        found.append(
            f"outside the points ({' to '.join(ends)} accelerators) the range is the spread between laws "
            "and no measured error"
        )
    return found


def _notes_on_points(points: Points) -> list[str]:
    """Say where the points do what no law can follow."""
    found: list[str] = []
    size = np.log(points.count)
    if np.mean((size - np.mean(size)) * (points.efficiency - np.mean(points.efficiency))) > _SAME:
        found.append(
            "the efficiency rises with the accelerators in these points; every law here falls or stays, "
            "so a fit takes the rise for scatter"
        )
    above = int(np.sum(points.efficiency > 1.0))
    if above:
        found.append(
            f"{above} of {np.size(points.count)} points lie above 1, where each accelerator does more than "
            "at the base; no law here can show that"
        )
    return found
