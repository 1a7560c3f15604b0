"""From what was measured to a verdict: every way through the rules, without asking anything."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from estimator.claims import Claim
from estimator.records import Record
from estimator.verdicts.checks import Check, Words
from estimator.verdicts.judge import Judged, Judgement, Result, _agrees, _verdict, same_subject
from estimator.verdicts.measured import Measured, comparable, told_of
from estimator.verdicts.outcomes import HOLDS, IF, MAYBE, NO, NOT, OPEN, UNKNOWN, YES
from estimator.verdicts.relations import Bounds

ANY = Measured(1.0, 1.0, 1.0, "1")


def result(agrees: str, words: str = "") -> Result:
    return Result(Words(words), ANY, agrees)


def check(because: str = "") -> Check:
    return Check("here", {}, "equal", 0.1, Words(), Words(because), Words(), None, (), (), ())


@pytest.mark.parametrize(
    ("base", "conditions", "verdict"),
    [
        (YES, [], HOLDS),
        (YES, [NO], HOLDS),  # as stated it agrees: no condition takes that away
        (None, [YES], HOLDS),
        (None, [YES, YES], HOLDS),
        (None, [YES, NO], IF),
        (NO, [YES], IF),
        (NO, [NO, YES], IF),
        (MAYBE, [], IF),
        (NO, [MAYBE], IF),
        (MAYBE, [NO], IF),
        (NO, [], NOT),
        (NO, [NO], NOT),
        (None, [NO, NO], NOT),
        (UNKNOWN, [], UNKNOWN),
        (UNKNOWN, [UNKNOWN], UNKNOWN),
        (UNKNOWN, [NO], NOT),
        (None, [], UNKNOWN),
        (OPEN, [], UNKNOWN),
        (YES, [OPEN], UNKNOWN),
    ],
)
def test_the_verdict_of_a_statement(base: str | None, conditions: list[str], verdict: str) -> None:
    found = [result(each) for each in conditions]
    assert _verdict(check(), result(base) if base else None, found, ()) == verdict


@pytest.mark.parametrize("base", [YES, NO, MAYBE])
def test_a_reason_why_it_cannot_be_judged_comes_first(base: str) -> None:
    assert _verdict(check("nobody knows"), result(base), [result(YES)], ()) == UNKNOWN


@pytest.mark.parametrize(
    ("value", "low", "high", "agrees"),
    [
        (3.0, 3.0, 3.0, YES),
        (5.0, 3.0, 9.0, MAYBE),
        (5.0, 4.5, 9.0, NO),
        (1.0, 0.0, 2.0, MAYBE),  # the end itself agrees
        (math.nan, math.nan, math.nan, UNKNOWN),
        (math.inf, 1.0, math.inf, MAYBE),
    ],
)
def test_whether_a_measure_agrees(value: float, low: float, high: float, agrees: str) -> None:
    assert _agrees(Measured(value, low, high, "1"), Bounds(2.0, 4.0)) == agrees


def test_without_anything_stated_nothing_is_judged() -> None:
    assert _agrees(ANY, None) == OPEN


def test_what_is_told_in_one_line() -> None:
    def main(base: Result | None, *conditions: Result, told: tuple[Result, ...] = ()) -> str:
        found = Judgement(check(), (), HOLDS, base, conditions, told, ()).main
        return found.words.en if found else "nothing"

    no, yes, beside = result(NO, "no"), result(YES, "yes"), result(OPEN, "beside")
    assert main(result(NO, "base"), yes) == "base"
    assert main(None, no, yes) == "yes"
    assert main(None, no) == "no"
    assert main(None, told=(beside,)) == "beside"
    assert main(None) == "nothing"


def judged(id: str, **words: str) -> Judged:
    return Judged(Claim(Record("claims", id, words, {}, {}, Path(f"{id}.toml")), ()), HOLDS, ())


def test_claims_about_one_thing_stand_together() -> None:
    several = [
        judged("A", subject="one"), judged("B"), judged("C", subject="two"), judged("D", subject="one"),
    ]  # fmt: skip
    assert [[each.claim.id for each in group] for group in same_subject(several)] == [["A", "D"]]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("USD", "USD", True), ("USD/accelerator", "USD", True), ("currency", "USD", True), ("hour", "day", True),
        ("token/s", "1/s", True), ("J", "USD", False), ("USD", "CNY", False), ("USD/hour", "USD", False),
    ],
)  # fmt: skip
def test_what_is_counted_does_not_keep_units_apart(one: str, other: str, alike: bool) -> None:
    assert comparable(one, other) is alike
    assert comparable(other, one) is alike


def test_a_measure_without_factors_is_itself() -> None:
    assert told_of((ANY, [(0.0, 0.0)]), {}, None, {}) == ANY  # type: ignore[arg-type]
