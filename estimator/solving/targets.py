"""What is to be reached: one quantity of an answer, read with its unit, and on which side of it is enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import EstimatorError, QuestionError, near_misses
from ..estimate import STEPS
from ..inputs.amounts import read_amount
from ..inputs.run import option
from ..kinds import kind_of
from ..tuples import NamedTuple

# Quantities of which more is better; of all others no more than so much may be taken.
AT_LEAST = frozenset({
    "throughput", "throughput_per_accelerator", "mfu", "hfu", "scaling_efficiency", "given_efficiency", "goodput",
    "mtbi",
})  # fmt: skip
# Other names of a quantity.
_ALIASES = {"within": "wall_clock"}
# A number that stands for a word is nothing to reach.
QUANTITIES = {step.name: step.unit for step in STEPS if step.name != "worst_stage"}


_NONE = ("there is no quantity", "a fleet has no quantity")


class Target(NamedTuple):
    """A quantity and the value it is to have at most, or at least; in house units."""

    quantity: str
    value: float
    currency: str = ""

    @property
    def most(self) -> bool:
        """Whether the value is the most that there may be."""
        return self.quantity not in AT_LEAST

    @property
    def sign(self) -> float:
        """1 where less is better, else -1."""
        return 1.0 if self.most else -1.0

    def met(self, values: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Tell which values are enough; what is not known is not."""
        return np.asarray(self.sign * np.asarray(values) <= self.sign * self.value)


def target_of(
    name: str, given: Mapping[str, Any], aims: Mapping[str, Any]
) -> tuple[str, Any, dict[str, Any]]:
    """Return the quantity that is to be reached, what is said of it, and the question without it.

    A deadline is a target where the count is given or asked for; else it is part of the question, and finds the count.

    Raises
    ------
    QuestionError
        No target, several, or one that there is not.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    named = [(aim, _ALIASES.get(aim, aim), value) for aim, value in aims.items() if value is not None]
    known = kind_of(given).quantities
    if "within" in asked and {name, *asked} & {"count", "nodes", "pools"}:
        named.append(("within", "wall_clock", asked.pop("within")))
    faults = [
        f"{_NONE['pools' in asked]} '{aim}' to reach{near_misses(quantity, _reachable(known))}"
        for aim, quantity, _ in named
        if quantity not in _reachable(known)
    ]
    if not named:
        faults.append(
            "nothing says what is to be reached: give a target, like --cost '2e6 USD'" + _lonely(asked)
        )
    if len(named) > 1:
        faults.append(
            f"{_listed([option(aim) for aim, _, _ in named])} are {len(named)} targets; give one{_beside(named, asked)}"
        )
    if faults:
        raise QuestionError(faults)
    return named[0][1], named[0][2], asked


def _reachable(known: Iterable[str]) -> list[str]:
    """Return the quantities of a question that may be reached."""
    return [name for name in known if name in QUANTITIES]


def _lonely(asked: Mapping[str, Any]) -> str:
    """Say why a deadline alone is no target."""
    return ", or --count, as --within alone leaves the accelerators open" * ("within" in asked)


def _beside(named: list[tuple[str, str, Any]], asked: Mapping[str, Any]) -> str:
    """Say how a deadline goes with another target; the pools of a fleet have their counts."""
    goes = "within" in [aim for aim, _, _ in named] and "pools" not in asked
    return "; without --count or --nodes, --within finds the count for the other" * goes


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def read_targets(quantity: str, given: Any, currency: str | None) -> list[Target]:
    """Read one value to reach, or several.

    Raises
    ------
    QuestionError
        All that is wrong with them.
    """
    several: list[Any] = [*given] if isinstance(given, (list, tuple, np.ndarray)) else [given]  # pyright: ignore[reportUnknownArgumentType]
    found: list[Target] = []
    faults: list[str] = [] if len(several) else [f"{option(quantity)}: there is no value to reach"]
    for each in several:
        try:
            found.append(Target(quantity, *read_amount(option(quantity), each, QUANTITIES[quantity])))
        except EstimatorError as error:
            faults.append(str(error))
    money = {each.currency for each in found} - {currency} if currency else set[str]()
    if money - {""} or len({each.currency for each in found}) > 1:
        counted = " and ".join(sorted({each.currency for each in found}))
        faults.append(
            f"{option(quantity)} is in {counted}, and --currency is {currency}; write both alike" if currency
            else f"{option(quantity)}: one question counts in one currency, not in {counted}"
        )  # fmt: skip
    if faults:
        raise QuestionError(faults)
    return found
