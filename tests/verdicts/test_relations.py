"""How what is measured compares with what is stated: every relation at its very ends."""

from __future__ import annotations

import math

import pytest

from estimator.verdicts.relations import Bounds, bounds


@pytest.mark.parametrize(
    ("relation", "stated", "within", "least", "most", "is_open"),
    [
        ("equal", [100.0], 0.02, 98.0, 102.0, False),
        ("about", [3.0], 0.1, 2.7, 3.3, False),
        ("at least", [10.0], 0.5, 10.0, math.inf, False),
        ("at most", [3.0], 0.5, -math.inf, 3.0, False),
        ("over", [30000.0], 0.0, 30000.0, math.inf, True),
        ("under", [10.0], 0.0, -math.inf, 10.0, True),
        ("between", [2e6, 12e6], 0.1, 1.8e6, 13.2e6, False),
        ("order", [1000.0], 0.0, 1000.0 / math.sqrt(10.0), 1000.0 * math.sqrt(10.0), False),
    ],
)
def test_between_which_ends_a_value_agrees(
    relation: str, stated: list[float], within: float, least: float, most: float, is_open: bool
) -> None:
    found = bounds(relation, stated, within)
    assert (found.least, found.most) == pytest.approx((least, most))
    assert found.open is is_open
    for end in (least, most):
        if math.isfinite(end):
            assert found.hold(end) is not is_open
    inside = least + 1.0 if math.isinf(most) else most - 1.0 if math.isinf(least) else (least + most) / 2.0
    assert found.hold(inside)


@pytest.mark.parametrize(
    ("low", "high", "reaches"),
    [
        (0.0, 1.0, False),
        (0.0, 2.0, True),
        (3.0, 3.5, True),
        (4.0, 9.0, True),
        (4.1, 9.0, False),
        (0.0, 9.0, True),
    ],
)
def test_a_range_reaches_what_it_touches(low: float, high: float, reaches: bool) -> None:
    assert Bounds(2.0, 4.0).reach(low, high) is reaches


def test_a_range_that_only_touches_an_open_end_does_not_reach_it() -> None:
    assert not Bounds(2.0, math.inf, open=True).reach(1.0, 2.0)
    assert Bounds(2.0, math.inf, open=True).reach(1.0, 2.0 + 1e-6)


def test_numbers_that_differ_by_noise_are_the_same() -> None:
    assert bounds("at least", [0.1 + 0.2], 0.0).hold(0.3)
    assert not bounds("at least", [0.3], 0.0).hold(0.3 - 1e-6)


def test_nothing_agrees_with_what_is_no_number() -> None:
    for relation in ("equal", "at least", "at most", "over", "under", "order"):
        assert not bounds(relation, [1.0], 0.1).hold(math.nan)
