"""Solves a question of a check, as `solve` does: at once where a power of the input settles it, else by its search."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..presets import Presets
from ..solving.candidates import Candidates
from ..solving.search import Ask, Points
from ..solving.solve import solve
from ..solving.targets import read_targets, target_of
from ..solving.unknowns import Unknown, Values, unknown_of
from ..tuples import NamedTuple

# How near to the target the power law must come to be taken.
_NEAR = 1e-6
# A power below this is none: the quantity hardly depends on the input.
_FLAT = 0.05
_ENDS = ("value", "low", "high")
# So often the power is taken anew where it is not the same everywhere; then `solve` looks for the value.
_ROUNDS = 4
# Values of the input, one for the quantity and one for each of its ends, and what was found there.
Tried = tuple[Values, Values]


class Met(NamedTuple):
    """The value of an input at which a quantity meets its target, and those at which its ends do; in house units."""

    value: float
    low: float
    high: float
    unit: str
    found: bool


def meet(question: Mapping[str, Any], name: str, presets: Presets, aim: Mapping[str, Any]) -> Met:
    """Return the value of an input at which a quantity is what is aimed at, as `solve` finds it.

    Most quantities go with a power of most inputs: two answers tell which, a third that it is so. Where the power
    changes a little it is taken anew from the last two; where that does not lead there, `solve` looks for it.

    Raises
    ------
    QuestionError
        All that is wrong with the question or its target.

    Examples
    --------
    >>> asked = {"params": "7B", "tokens": "1T", "on": "h100", "count": 256}
    >>> round(meet(asked, "goodput", Presets(), {"wall_clock": "30 days"}).value, 3)
    0.182
    """
    quick = _by_power(question, name, presets, aim)
    if quick is not None:
        return quick
    found = solve(question, name, presets=presets, **aim)
    return Met(found.value, *found.range, found.unit, found.status == "found")


def _by_power(question: Mapping[str, Any], name: str, presets: Presets, aim: Mapping[str, Any]) -> Met | None:
    """Return the value where the quantity is a power of the input; None where it is not, or lies out of bounds."""
    unknown = unknown_of(name, question)
    quantity, said, given = target_of(name, question, aim)
    target = read_targets(quantity, said, given.get("currency"))[0]
    currency = target.currency or given.get("currency") or "USD"
    if unknown.whole or name in ("params", "within"):
        return None
    asking = Candidates({**given, "currency": currency}, unknown, target.quantity, None, presets)
    found = by_power(
        asking.at, math.sqrt(unknown.low * unknown.high), target.value, (unknown.low, unknown.high)
    )
    return Met(*found, _unit(unknown, currency), found=True) if found else None


def by_power(
    ask: Ask, about: float, aim: float, within: tuple[float, float]
) -> tuple[float, float, float] | None:
    """Return where a quantity and its ends meet a target, if it goes about with a power of the input; else None.

    Parameters
    ----------
    ask
        Gives the quantity and its range at any values of the input.
    about
        A value of the input at which it is asked, and at half of it.
    aim
        The target.
    within
        Between which values of the input it is looked for.
    """
    tried: Values = about * np.array([0.5, 1.0])
    found = ask(tried)
    before, now = ((np.full(3, tried[place]), _ends(found, place)) for place in (0, 1))
    for _ in range(_ROUNDS):
        guessed = _guess(before, now, aim)
        if guessed is None or not all(within[0] <= each <= within[1] for each in guessed):
            return None
        checked = ask(guessed)
        reached = np.array([float(getattr(checked, end)[place]) for place, end in enumerate(_ENDS)])
        if np.any(checked.barred > 0.0):
            return None
        if np.allclose(reached, aim, rtol=_NEAR, atol=0.0):
            value, *ends = map(float, guessed)
            return value, min(ends), max(ends)
        before, now = now, (guessed, reached)
    return None


def _ends(points: Points, place: int) -> Values:
    return np.array([getattr(points, end)[place] for end in _ENDS])


def _guess(before: Tried, now: Tried, aim: float) -> Values | None:
    """Return where the quantity and its ends meet the target by the power that two answers to each show."""
    (first, was), (tried, found) = before, now
    if not np.all(np.isfinite(was * found) & (was > 0.0) & (found > 0.0)):
        return None
    moved = tried != first
    power = np.log(found / was) / np.where(moved, np.log(tried / first), 1.0)
    if np.any(moved & (np.abs(power) < _FLAT)):
        return None
    return np.where(moved, tried * (aim / found) ** (1.0 / np.where(moved, power, 1.0)), tried)


def _unit(unknown: Unknown, currency: str) -> str:
    return unknown.unit.replace("currency", currency)
