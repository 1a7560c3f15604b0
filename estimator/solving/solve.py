"""Solves a question for one of its inputs: the value at which a quantity meets its target, with its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EstimatorError, QuestionError
from ..estimate import Estimate
from ..inputs import Run, fields
from ..inputs.amounts import read_as
from ..inputs.run import option
from ..kinds import written
from ..presets import Presets
from .candidates import Candidates
from .laws import LAWS, Chosen, laws, open_tokens
from .search import Found, Goal, Looks, search
from .targets import Target, read_targets, target_of
from .unknowns import Unknown, unknown_of

if TYPE_CHECKING:
    from ..fleets import Fleet
    from ..inputs.fleet import FleetQuestion

# How near brackets are drawn, as shares of the value: of the value itself, and of the ends of its range.
_NEAR, _NEAR_ENDS, _NEAR_COUNTS = 1e-6, 1e-4, 1e-2
# Deadlines that are tried about the one given, where the count that the ends of its range need is found.
_FACTORS = np.geomspace(0.05, 20.0, 25)


@dataclass(frozen=True)
class Solution:
    """The value of an input at which a quantity meets its target, and the answer to the question with that value.

    ``unknown`` is the input; ``found`` where the target is met, ``at_low`` and ``at_high`` where the low and the high
    end of the quantity meet it. Where no value meets it, or any does, the estimate is that of the nearest value tried.
    ``laws`` are the laws of the loss by which tokens follow from parameters, the one that was taken first. Of a fleet
    the estimate is that of its way, and ``fleet`` the whole answer.
    """

    unknown: Unknown
    target: Target
    found: Found
    at_low: Found
    at_high: Found
    run: Run | FleetQuestion
    estimate: Estimate
    laws: tuple[Chosen, ...] = ()
    fleet: Fleet | None = None

    @property
    def name(self) -> str:
        """The input that was asked for."""
        return self.unknown.name

    @property
    def status(self) -> str:
        """``found``; or ``none`` or ``any`` where no value meets the target or every value does."""
        return self.found.status

    @property
    def value(self) -> float:
        """The value, in house units; NaN where none or any meets the target."""
        return _shown(self.found)

    @property
    def range(self) -> tuple[float, float]:
        """The values at which the ends of the quantity meet the target, the smaller first; NaN where none or any do."""
        low, high = np.sort([_shown(self.at_low), _shown(self.at_high)])
        return float(low), float(high)

    @property
    def quantity(self) -> Any:
        """The value as a pint Quantity."""
        from .. import units

        return units.quantity(self.value, self.unit)

    @property
    def unit(self) -> str:
        """The unit in which the value is shown."""
        return self.unknown.unit.replace("currency", self.estimate.case.words.get("currency", "USD"))

    def __repr__(self) -> str:
        """Show the value and what is reached with it."""
        reached = f"{self.target.quantity}={self.found.reached:.6g}"
        return f"Solution({self.name}={self.value:.6g}, {reached}, {self.status!r})"


def _shown(found: Found) -> float:
    return found.shown if found.status == "found" else np.nan


def solve(
    question: Run | FleetQuestion | Mapping[str, Any],
    name: str,
    *,
    presets: Presets | None = None,
    **target: Any,
) -> Solution:
    """Find the value of an input at which a quantity of the answer meets a target.

    Parameters
    ----------
    question
        The other inputs, of a run or of a fleet; those that need the one asked for, like a question without a model,
        as a mapping.
    name
        The input that is asked for: ``tokens``, ``params``, ``count``, ``mfu``, ``price`` ...; of a fleet ``link`` or
        ``A.count`` too.
    presets
        The records.
    target
        One quantity of the answer and its value: ``cost="2e6 USD"``, ``within="30 days"``. For ``params`` also
        ``law``, the law by which tokens follow from a size, and ``served``, the tokens that the model is to serve.

    Raises
    ------
    QuestionError
        All that is wrong with the question or its target.

    Examples
    --------
    >>> found = solve({"params": "7B", "on": "h100", "count": 256, "price": "2 USD/gpu/hour"}, "tokens", cost="1e5 USD")
    >>> round(float(found.estimate.cost.value))
    100000
    """
    return solutions(question, name, presets=presets, **target)[0]


def solutions(
    question: Run | FleetQuestion | Mapping[str, Any],
    name: str,
    *,
    presets: Presets | None = None,
    **target: Any,
) -> list[Solution]:
    """Do as `solve` for a list of values of one target; all are looked for together.

    Examples
    --------
    >>> several = solutions({"params": "7B", "count": 256}, "mfu", within=["30 days", "20 days"])
    >>> several[0].value < several[1].value
    True
    """
    records = presets or Presets()
    given = written(question)
    of_law = {word: target.pop(word, None) for word in ("law", "served")}
    unknown = unknown_of(name, {**given, "within": None} if name in ("count", "nodes") else given)
    aim, said, given = target_of(name, given, target)
    targets = read_targets(aim, said, given.get("currency"))
    if targets[0].currency not in ("", "USD"):
        given["currency"] = targets[0].currency
    chosen = _laws(name, given, of_law, records)
    asking = Candidates(given, unknown, targets[0].quantity, chosen[0] if chosen else None, records)
    if unknown.name in ("count", "nodes") and asking.quantity == "wall_clock":
        return [_in_time(asking.in_time(), each) for each in targets]
    goals = [goal for each in targets for goal in _goals(each)]
    found = search(asking.at, unknown.grid, goals, _looks(unknown, targets[0]))
    if all(each.status == "none" and np.isnan(each.at) for each in found):
        raise QuestionError([asking.unanswered()])
    return [
        _solution(asking, each, found[3 * place : 3 * place + 3], chosen)
        for place, each in enumerate(targets)
    ]


def _laws(
    name: str, given: Mapping[str, Any], said: Mapping[str, Any], presets: Presets
) -> tuple[Chosen, ...]:
    """Return the laws by which tokens follow from a size, where the question leaves them open; else none.

    Raises
    ------
    QuestionError
        A law or tokens to serve that are none, or that nothing asks for.
    """
    told = {word: value for word, value in said.items() if value is not None}
    if name != "params" or not open_tokens(given):
        if told:
            words = " and ".join(option(word) for word in told)
            raise QuestionError(
                [f"{words}: tokens follow from a law only in `solve params` without tokens given"]
            )
        return ()
    readers = {"law": fields.one_of(*LAWS), "served": fields.count(1.0, 1e17)}
    try:
        read = {word: read_as(option(word), value, readers[word]) for word, value in told.items()}
    except EstimatorError as error:
        raise QuestionError([str(error)]) from None
    return laws(presets, read.get("law"), read.get("served", 0.0))


def _solution(
    asking: Candidates, target: Target, found: Sequence[Found], chosen: tuple[Chosen, ...]
) -> Solution:
    value, low, high = found
    estimate = asking.estimate(value.at)
    reached = _reached(value, estimate, target)
    return Solution(
        asking.unknown,
        target,
        reached,
        low,
        high,
        asking.question(value.at),
        estimate,
        chosen,
        asking.fleet(value.at),
    )


def _reached(found: Found, estimate: Estimate, target: Target) -> Found:
    """Return what was found with the quantity of the answer itself."""
    return found._replace(reached=float(estimate.values[target.quantity]))


def _in_time(asking: Candidates, target: Target) -> Solution:
    """Return the count that finishes in time: for the answer itself that of the deadline, as it is found for any run.

    The ends of the time meet the target at the counts that other deadlines find: those are what is looked for.
    """
    looks = Looks(whole=False, most=True, exact=True)
    ends = [Goal(target, end, _NEAR_COUNTS) for end in ("low", "high")]
    low, high = search(asking.at, target.value * _FACTORS, ends, looks)
    run, estimate = asking.question(target.value), asking.estimate(target.value)
    status = "found" if float(estimate.case.columns["in_time"]) else "none"
    count = float(estimate.case.columns["count"])
    told = count / float(estimate.case.columns["per_node"]) if asking.unknown.name == "nodes" else count
    found = Found(status, target.value, told, float(estimate.values["wall_clock"]), rising=False)
    return Solution(asking.unknown, target, found, low, high, run, estimate)


def _looks(unknown: Unknown, target: Target) -> Looks:
    """Say which value is meant of several: of counts the fewest that are fast enough, the most that cost no more."""
    fast = unknown.base in ("count", "nodes") and (
        not target.most or target.quantity in ("step_time", "wall_clock")
    )
    return Looks(unknown.whole, unknown.most and not fast)


def _goals(target: Target) -> list[Goal]:
    return [Goal(target, "value", _NEAR), Goal(target, "low", _NEAR_ENDS), Goal(target, "high", _NEAR_ENDS)]
