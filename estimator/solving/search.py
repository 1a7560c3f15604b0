"""Finds where a quantity meets its target: by brackets on a tree of values that does not depend on the target.

As the tree is the same for all targets, a larger one never leads to a smaller value where more is asked for: at the
first place where two searches part, the one with more room goes on. Nor does the quantity have to be smooth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..tuples import NamedTuple
from .targets import Target
from .unknowns import Values

Status = Literal["found", "none", "any"]
End = Literal["value", "low", "high"]

# So many values are tried at once between the ends of a bracket: more would be fewer rounds, but more questions in all.
_AT_ONCE = 3
# Where a quantity changes by more than this power of the change of the input, it jumps, and nothing lies between.
_STEEP = 16.0
# A quantity that changes by no more than this share of itself over all values does not depend on the input.
_FLAT = 1e-9


class Points(NamedTuple):
    """A quantity at some values of the input, with its range; ``shown`` is the input as it is told.

    ``barred`` is 1 where no count finishes in time, 2 where the run does not fit, 3 where accelerators are idle; the
    quantity is without limit there, and NaN where the question has no answer.
    """

    value: Values
    low: Values
    high: Values
    shown: Values
    barred: Values


Ask = Callable[[Values], Points]


class Goal(NamedTuple):
    """One search: the target, which end of the quantity is to meet it, and how near its bracket is drawn."""

    target: Target
    end: End
    near: float


class Found(NamedTuple):
    """Where a target is met.

    ``at`` is the value, or of all that were tried the one nearest to the target where none or any meets it, and
    ``reached`` the quantity there; ``shown`` is the value as it is told. ``beyond`` is the nearest value that does not
    meet it, ``barred`` why; ``jumps`` tells that no value meets it exactly, ``apart`` that others meet it too, ``flat``
    that the quantity is the same at all that were tried.
    """

    status: Status
    at: float
    shown: float
    reached: float
    rising: bool = True
    beyond: float = np.nan
    barred: int = 0
    jumps: bool = False
    apart: bool = False
    flat: bool = False


class Looks(NamedTuple):
    """How an input is looked for: in whole numbers, the largest of several, on its exact side of a bracket."""

    whole: bool
    most: bool
    exact: bool = False


@dataclass
class _Bracket:
    """The nearest value known to meet a target and the nearest known not to, with what was found there."""

    goal: Goal
    looks: Looks
    good: float
    bad: float
    at_good: float
    at_bad: float
    shown: float
    barred: int
    apart: bool

    @property
    def open(self) -> bool:
        """Tell whether the two are further apart than is asked for."""
        if self.looks.whole:
            return abs(self.bad - self.good) > 1.0
        return abs(np.log(self.bad / self.good)) > self.goal.near

    def tries(self) -> Values:
        """Return values from the good end to the bad one."""
        shares = np.arange(1.0, _AT_ONCE + 1.0) / (_AT_ONCE + 1.0)
        found = self.good * np.power(self.bad / self.good, shares)
        if not self.looks.whole:
            return found
        found = np.round(found)
        inside = (found != self.good) & (found != self.bad)
        return found[inside & (np.diff(found, prepend=np.nan) != 0.0)]

    def learn(self, tried: Values, points: Points) -> None:
        """Draw the two together by what was found at values between them."""
        values = getattr(points, self.goal.end)
        met = np.flatnonzero(self.goal.target.met(values))
        last = int(met[-1]) if len(met) else -1
        if last >= 0:
            self.good, self.at_good = float(tried[last]), float(values[last])
            self.shown = float(points.shown[last])
        if last + 1 < len(tried):
            self.bad, self.at_bad = float(tried[last + 1]), float(values[last + 1])
            self.barred = int(points.barred[last + 1])

    def found(self) -> Found:
        """Return where the target is met: between the two, or at the side that meets it."""
        sided = self.looks.whole or self.looks.exact
        at, jumps = (self.good, False) if sided else self._between()
        return Found(
            "found", at, self.shown if sided else at, self.at_good, self.good < self.bad, self.bad, self.barred, jumps,
            self.apart,
        )  # fmt: skip

    def _between(self) -> tuple[float, bool]:
        """Return where a straight line in logarithms meets the target, and whether there is a jump instead."""
        if not (0.0 < self.at_good < np.inf and 0.0 < self.at_bad < np.inf):
            return self.good, True
        wanted, across = np.log([self.goal.target.value, self.at_bad]) - np.log(self.at_good)
        width = float(np.log(self.bad / self.good))
        if abs(across) > _STEEP * abs(width):
            return self.good, True
        share = float(np.clip(wanted / across, 0.0, 1.0))
        return self.good * float(np.exp(share * width)), False


def search(ask: Ask, grid: Values, goals: Sequence[Goal], looks: Looks) -> list[Found]:
    """Return where each goal is met; all goals are looked at together, on one axis.

    Parameters
    ----------
    ask
        Gives the quantity and its range at any values of the input.
    grid
        The values that are looked at first, rising.
    goals
        What is to be met.
    looks
        Whether the input is whole, and which value is meant where several meet a target.
    """
    scan = ask(grid)
    begun = [_begin(goal, grid, scan, looks) for goal in goals]
    while open_ := [bracket for bracket in begun if isinstance(bracket, _Bracket) and bracket.open]:
        tried = [bracket.tries() for bracket in open_]
        points = ask(np.concatenate(tried))
        start = 0
        for bracket, own in zip(open_, tried, strict=True):
            part = slice(start, start + len(own))
            bracket.learn(own, Points(*(column[part] for column in points)))
            start += len(own)
    return [bracket.found() if isinstance(bracket, _Bracket) else bracket for bracket in begun]


def _begin(goal: Goal, grid: Values, scan: Points, looks: Looks) -> Found | _Bracket:
    """Return the bracket of a goal from the first look; or what is found where none or any value meets it."""
    values: Values = getattr(scan, goal.end)
    known = np.flatnonzero(~np.isnan(values))
    met = goal.target.met(values[known])
    apart = int(np.sum(met[1:] != met[:-1])) > 1
    if not np.any(met) or (met[0] and met[-1]):
        return _nearest(goal, known[np.isfinite(values[known])], (grid, values, scan.shown), apart)
    rising = bool(met[0]) or (looks.most and not met[-1])
    place = int(np.flatnonzero(met)[-1 if rising else 0])
    good, bad = known[place], known[place + (1 if rising else -1)]
    return _Bracket(
        goal, looks, float(grid[good]), float(grid[bad]), float(values[good]), float(values[bad]),
        float(scan.shown[good]), int(scan.barred[bad]), apart,
    )  # fmt: skip


def _nearest(goal: Goal, known: Any, columns: tuple[Values, Values, Values], apart: bool) -> Found:
    """Return the value that is nearest to a target which none or any meets."""
    grid, values, shown = columns
    if not len(known):
        return Found("none", np.nan, np.nan, np.nan, apart=apart)
    met = bool(np.any(goal.target.met(values[known])))
    signed = goal.target.sign * values[known]
    place = known[int(np.argmax(signed) if met else np.argmin(signed))]
    flat = bool(np.ptp(values[known]) <= _FLAT * np.max(np.abs(values[known])))
    return Found(
        "any" if met else "none", float(grid[place]), float(shown[place]), float(values[place]), apart=apart, flat=flat
    )  # fmt: skip
