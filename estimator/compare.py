"""Questions side by side: what differs between them, and each answer over the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from . import ranges
from .answer import ask
from .case import Case, Unknown
from .errors import EstimatorError, QuestionError
from .estimate import SHOWN_INPUTS, Estimate
from .inputs import Run
from .presets import Presets
from .ranges import Values
from .tuples import NamedTuple

Result = TypeVar("Result")
# Inputs that a quantity or a word tells better.
_TOLD = {
    "given_mfu",
    "given_goodput",
    "replicas",
    "efficiency_coefficient",
    "tp",
    "pp",
    "vpp",
    "cp",
    "ep",
    "zero",
    "shard",
    "sequence_parallel",
}
_HOW = "name two question files, or one question and --against, like --against on=a100"


class Ratio(NamedTuple):
    """One quantity of an answer over that of the first, with its range.

    ``overlap`` tells whether the two ranges overlap. That alone does not make the order uncertain: an unknown
    that both answers share moves both the same way, so it widens their ranges but not that of the ratio.
    """

    value: float
    low: float
    high: float
    overlap: bool

    @property
    def sure(self) -> bool:
        """Whether the whole range lies on one side of one."""
        return self.low > 1.0 or self.high < 1.0


def each(readers: Iterable[Callable[[], Result]]) -> list[Result]:
    """Call each reader; every fault of every question is told at once, with the number of the question.

    Raises
    ------
    QuestionError
        At least one failed.

    Examples
    --------
    >>> each([lambda: 1, lambda: 2])
    [1, 2]
    """
    results: list[Result] = []
    faults: list[str] = []
    for number, read in enumerate(readers, start=1):
        try:
            results.append(read())
        except EstimatorError as error:
            faults += [f"question {number}: {line}" for line in str(error).splitlines()]
    if faults:
        raise QuestionError(faults)
    return results


def compare(questions: Sequence[Mapping[str, Any]], presets: Presets | None = None) -> Comparison:
    """Answer several questions and put them side by side.

    Raises
    ------
    QuestionError
        Fewer than two questions, or what is wrong with any of them.

    Examples
    --------
    >>> two = compare([{"params": "7B", "tokens": "1T"}, {"params": "7B", "tokens": "2T"}])
    >>> two.ratio(1, "flops").value
    2.0
    """
    records = presets or Presets()
    if len(questions) < 2:
        given = "only one question is given" if questions else "no question is given"
        raise QuestionError([f"nothing to compare: {given}; {_HOW}"])
    runs = each([lambda given=given: Run.read(given, records) for given in questions])
    return Comparison(runs, each([lambda run=run: ask(run, records) for run in runs]))


class Comparison:
    """Questions with their answers, in the order asked; the first is what the others are held against."""

    def __init__(self, runs: Sequence[Run], estimates: Sequence[Estimate]) -> None:
        """Keep questions and answers; each estimate of shape ()."""
        self.runs = tuple(runs)
        self.estimates = tuple(estimates)

    @cached_property
    def given(self) -> dict[str, list[str | float | None]]:
        """Inputs that were given differently, by name, one value a question; None where it was left out."""
        written = [run.write() for run in self.runs]
        names = dict.fromkeys(name for values in written for name in values)
        rows = {name: [values.get(name) for values in written] for name in names}
        return {name: values for name, values in rows.items() if _differ(values)}

    @cached_property
    def followed(self) -> dict[str, list[str | float | None]]:
        """What else differs among the inputs of the answers: what was assumed, and what the records say."""
        words = dict.fromkeys(name for estimate in self.estimates for name in estimate.case.words)
        names = (*words, *(name for name in SHOWN_INPUTS if name not in _TOLD))
        rows = {name: [_input(estimate, name) for estimate in self.estimates] for name in names}
        return {name: values for name, values in rows.items() if name not in self.given and _differ(values)}

    @cached_property
    def _swings(self) -> list[dict[str, Values]]:
        return [ranges.swings(estimate.case) for estimate in self.estimates]

    def same_currency(self, index: int) -> bool:
        """Tell whether a question's money is that of the first."""
        first, other = (self.estimates[place].case.words.get("currency") for place in (0, index))
        return first == other

    def ratio(self, index: int, name: str) -> Ratio | None:
        """Return a quantity of one answer over that of the first; None where there is no such ratio.

        There is none where either is unknown or not more than zero, or where the money differs.
        """
        estimates = self.estimates[0], self.estimates[index]
        first, other = (estimate.amount(name) for estimate in estimates)
        values = [float(amount.value) for amount in (first, other)]
        if not all(math.isfinite(value) and value > 0 for value in values):
            return None
        if name == "cost" and not self.same_currency(index):
            return None
        moved = joint(estimates[0].case, estimates[1].case, self._swings[0][name], self._swings[index][name])
        moved = np.vstack([moved, grown(estimates[0].case, estimates[1].case, self._swings[index][name])])
        low, high = ranges.ends(moved)
        value = values[1] / values[0]
        overlap = bool(other.low <= first.high and first.low <= other.high)
        return Ratio(value, value * float(low), value * float(high), overlap)


def _differ(values: Sequence[object]) -> bool:
    return any(repr(value) != repr(values[0]) for value in values)


def _input(estimate: Estimate, name: str) -> str | float | None:
    case = estimate.case
    if name in case.words:
        return case.words[name]
    return float(case.columns[name]) if name in case.columns else None


def joint(first: Case, other: Case, own: Values, others: Values) -> Values:
    """Return how far each unknown of two cases moves the ratio of a quantity that it moves so far in each.

    An unknown that both answers share (of one name, with the same ends) moves both at once, so only the
    difference of its two moves counts.
    """
    alone = {unknown.name: (unknown, moved) for unknown, moved in zip(first.unknowns, own, strict=True)}
    found: list[Values] = []
    for unknown, moved in zip(other.unknowns, others, strict=True):
        twin = alone.get(unknown.name)
        shared = twin is not None and _same(twin[0], unknown)
        found.append(ranges.apart(moved, alone.pop(unknown.name)[1]) if shared else moved)
    return np.array([*found, *(-moved for _, moved in alone.values())]).reshape(-1, 2)


def grown(first: Case, other: Case, moved: Values) -> Values:
    """Return how far the step of more accelerators strays from that of fewer, in a quantity it moves; (1, 2).

    The errors of one model cancel in a ratio of two of its answers, but not those of networks that grow: the stray
    of `scaling_efficiency` by the growth from one count to the other. A quantity follows as it does the slowness of
    the step; none where the step is given.

    Parameters
    ----------
    first, other
        Cases of shape (), with their unknowns.
    moved
        How far each unknown of the other moves the quantity; (unknowns, 2).
    """
    strays, slow = (_place(other, column) for column in ("scaling_stray", "fit_slowness"))
    if strays is None or slow is None:
        return np.zeros((1, 2))
    usual, growth = other.columns["fit_slowness"], np.log(other.columns["count"] / first.columns["count"])
    slower = float(moved[slow][1] / np.log(other.unknowns[slow].high["fit_slowness"] / usual))
    unknown = other.unknowns[strays]
    kept = np.log([float(end["scaling_stray"]) for end in (unknown.high, unknown.low)])
    return -slower * np.sign(growth) * np.sqrt(np.abs(growth)) * kept[None, :]


def _place(case: Case, column: str) -> int | None:
    return next((place for place, unknown in enumerate(case.unknowns) if column in unknown.high), None)


def _same(one: Unknown, other: Unknown) -> bool:
    return all(
        mine.keys() == yours.keys() and all(np.array_equal(mine[key], yours[key]) for key in mine)
        for mine, yours in ((one.low, other.low), (one.high, other.high))
    )
