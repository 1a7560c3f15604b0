"""Judges a claim: measures it as stated and under each condition, and says what would have to be true."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from .. import units
from ..claims import Claim
from ..errors import PresetError, UnitError
from ..presets import Presets
from ..provenance import Figure
from ..tuples import NamedTuple
from .bench import Asked, Bench
from .checks import Asks, Check, Words, checks_of
from .conditions import Solved, solved
from .measured import Measured, comparable
from .measures import measure
from .outcomes import HOLDS, IF, MAYBE, NO, NOT, OPEN, UNKNOWN, YES
from .relations import Bounds, bounds

# Of several statements of one claim the verdict is that of the first here that any has.
_ORDER = (NOT, UNKNOWN, IF, HOLDS)


class Result(NamedTuple):
    """What was measured for one reading, and whether it agrees with the claim."""

    words: Words
    measured: Measured
    agrees: str


class Judgement(NamedTuple):
    """One statement of a claim, judged."""

    check: Check
    stated: tuple[Figure, ...]
    verdict: str
    base: Result | None
    conditions: tuple[Result, ...]
    told: tuple[Result, ...]
    solved: tuple[Solved, ...]

    @property
    def main(self) -> Result | None:
        """What is told in one line: the claim as stated, else the first condition that agrees, else the first."""
        agreeing = [each for each in self.conditions if each.agrees == YES]
        return self.base or next(iter((*agreeing, *self.conditions, *self.told)), None)


class Judged(NamedTuple):
    """A claim with a verdict; one judgement for each statement that it makes."""

    claim: Claim
    verdict: str
    judgements: tuple[Judgement, ...]


def judge(
    claims: Iterable[Claim],
    presets: Presets | None = None,
    told: Callable[[str, int, int], None] | None = None,
) -> list[Judged]:
    """Judge claims, each through the answers to the questions of its record.

    ``told`` is called after each with what is counted, how many are done and of how many.

    Raises
    ------
    PresetError
        A record that says how to check its claim in a way that cannot be read or asked.

    Examples
    --------
    >>> from estimator.claims import load
    >>> [(one.claim.id, one.verdict) for one in judge(claim for claim in load(Presets()) if claim.id == "C2")]
    [('C2', 'holds if')]
    """
    records, asked = presets or Presets(), Asked({}, {}, {})
    several, found = list(claims), list[Judged]()
    for claim in several:
        found.append(_judged(claim, Bench(claim, records, asked)))
        if told:
            told("claims", len(found), len(several))
    return found


def _judged(claim: Claim, bench: Bench) -> Judged:
    judgements = tuple(_judgement(check, claim, bench) for check in checks_of(claim))
    found = {each.verdict for each in judgements} or {UNKNOWN}
    return Judged(claim, next(verdict for verdict in _ORDER if verdict in found), judgements)


def _judgement(check: Check, claim: Claim, bench: Bench) -> Judgement:
    stated = tuple(check.figures.values())
    currency = next((name for each in stated for name in (_currency(each),) if name), "")
    allowed = bounds(check.relation, [each.value for each in stated], check.within) if stated else None

    def _result(words: Words, asks: Asks, *, judged: bool = True) -> Result:
        found = measure(check.place, asks, bench, currency)
        if judged and stated and not comparable(found.unit, _unit(stated[0])):
            raise PresetError(
                f"{check.place}: the claim's '{next(iter(check.figures))}' is in {_unit(stated[0])}, "
                f"and what is measured in {found.unit}"
            )
        return Result(words, found, _agrees(found, allowed) if judged else OPEN)

    base = _result(check.reading, check.base, judged=not check.because) if check.base else None
    conditions = tuple(_result(each.words, each.asks) for each in check.conditions)
    told = tuple(_result(each.words, each.asks, judged=False) for each in check.told)
    values = tuple(
        solved(check.place, each, bench, _aim(each.figure, claim, stated), currency) for each in check.wanted
    )
    verdict = _verdict(check, base, conditions, values)
    return Judgement(check, stated, verdict, base, conditions, told, values)


def _aim(figure: str, claim: Claim, stated: Sequence[Figure]) -> float:
    if figure:
        return claim.figures[figure].value
    return math.sqrt(stated[0].value * stated[-1].value) if stated else math.nan


def _agrees(found: Measured, allowed: Bounds | None) -> str:
    if allowed is None:
        return OPEN
    if math.isnan(found.value):
        return UNKNOWN
    if allowed.hold(found.value):
        return YES
    return MAYBE if allowed.reach(found.low, found.high) else NO


def _verdict(
    check: Check, base: Result | None, conditions: Sequence[Result], values: Sequence[Solved]
) -> str:
    """Return the verdict of one statement.

    It holds where it agrees as stated, or under every condition where it is read under conditions alone; it holds
    if a condition under which it agrees is met, or what was solved for, where our range reaches that far.
    """
    agree = [each.agrees for each in conditions]
    if check.because or not (base or conditions) or OPEN in (agree + ([base.agrees] if base else [])):
        return UNKNOWN
    if base.agrees == YES if base else set(agree) == {YES}:
        return HOLDS
    if YES in agree:
        return IF
    every = ([base.agrees] if base else []) + agree
    if MAYBE in every:
        return IF
    return UNKNOWN if set(every) == {UNKNOWN} else NOT


def _unit(figure: Figure) -> str:
    """Return the unit in which a figure's value stands."""
    try:
        return units.parse_any(figure.text)[1]
    except UnitError:
        return "1"


def _currency(figure: Figure) -> str:
    return next((name for name in units.CURRENCIES if name in units.unit_bases(_unit(figure))[1]), "")


def same_subject(judged: Sequence[Judged]) -> list[list[Judged]]:
    """Return the claims that name the same subject, where more than one does, in the order of the first."""
    groups: dict[str, list[Judged]] = {}
    for each in judged:
        subject = each.claim.word("subject")
        if subject:
            groups.setdefault(subject, []).append(each)
    return [group for group in groups.values() if len(group) > 1]
