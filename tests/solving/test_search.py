"""The search alone, on quantities that can be worked by hand and on ones that leap about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estimator.solving.search import Ask, Found, Goal, Looks, Points, search
from estimator.solving.targets import Target
from estimator.solving.unknowns import Values

GRID = np.geomspace(1.0, 1e6, 7)
MOST, LEAST, WHOLE = (
    Looks(whole=False, most=True),
    Looks(whole=False, most=False),
    Looks(whole=True, most=True),
)


def at_most(value: float) -> Target:
    return Target("cost", value)


def at_least(value: float) -> Target:
    return Target("throughput", value)


def asking(formula: Callable[[Values], Values], barred: Callable[[Values], Values] | None = None) -> Ask:
    """A quantity whose low end is half of it and whose high end is twice it; without limit where it is barred."""

    def ask(values: Values) -> Points:
        bars = np.zeros(len(values)) if barred is None else barred(values)
        found = np.where(bars > 0.0, np.inf, formula(values))
        return Points(found, found / 2.0, found * 2.0, 10.0 * values, bars)

    return ask


def one(ask: Ask, target: Target, looks: Looks = MOST, grid: Values = GRID) -> Found:
    return search(ask, grid, [Goal(target, "value", 1e-6)], looks)[0]


def test_a_rising_quantity_gives_the_largest_value() -> None:
    # 3 x^2 = 300 at 10; beyond it is the next value of the tree, a millionth away at most.
    found = one(asking(lambda x: 3.0 * x * x), at_most(300.0))
    assert (found.status, found.rising, found.jumps, found.apart) == ("found", True, False, False)
    assert found.at == pytest.approx(10.0, rel=1e-12)
    assert found.shown == found.at


def test_a_falling_quantity_gives_the_smallest() -> None:
    found = one(asking(lambda x: 5e3 / x), at_most(40.0), MOST)
    assert found.at == pytest.approx(125.0, rel=1e-12)
    assert not found.rising


def test_what_is_to_be_at_least_is_met_from_the_other_side() -> None:
    found = one(asking(lambda x: 4.0 * x), at_least(4000.0))
    assert found.at == pytest.approx(1000.0, rel=1e-12)
    assert not found.rising


def test_the_ends_of_the_quantity_meet_the_target_at_values_of_their_own() -> None:
    goals = [Goal(at_most(1000.0), end, 1e-6) for end in ("value", "low", "high")]
    value, low, high = search(asking(lambda x: x), GRID, goals, MOST)
    assert (value.at, low.at, high.at) == pytest.approx((1000.0, 2000.0, 500.0), rel=1e-12)


def test_where_the_quantity_leaps_over_the_target_the_last_value_that_meets_it_is_taken() -> None:
    found = one(asking(lambda x: np.where(x <= 777.0, x, 2.0 * x)), at_most(1000.0))
    assert found.jumps
    assert 777.0 * (1.0 - 1e-6) <= found.at <= 777.0 < found.beyond
    assert found.reached == found.at


def test_whole_numbers_are_met_by_the_next_one() -> None:
    # 7 x is at most 100 up to 14, for 15 gives 105.
    found = one(asking(lambda x: 7.0 * x), at_most(100.0), WHOLE, np.array([1.0, 10.0, 100.0]))
    assert (found.at, found.beyond, found.reached, found.shown) == (14.0, 15.0, 98.0, 140.0)
    # 100 / x is at most 7 from 15 on.
    found = one(asking(lambda x: 100.0 / x), at_most(7.0), WHOLE, np.array([1.0, 10.0, 100.0]))
    assert (found.at, found.beyond) == (15.0, 14.0)


@pytest.mark.parametrize("most", range(7, 700, 13))
def test_whole_numbers_are_met_by_the_largest_of_all(most: int) -> None:
    found = one(asking(lambda x: 7.0 * x), at_most(float(most)), WHOLE, np.array([1.0, 10.0, 100.0]))
    assert (found.at, found.beyond) == (most // 7, most // 7 + 1)


def test_what_is_met_at_both_ends_is_met_by_any_but_not_by_all() -> None:
    hill = asking(lambda x: np.exp(-np.abs(np.log(x / 1e3))))
    found = one(hill, at_most(0.5))
    assert (found.status, found.apart) == ("any", True)


def test_where_no_value_meets_it_the_nearest_is_told() -> None:
    found = one(asking(lambda x: 100.0 + (np.log10(x) - 2.0) ** 2), at_most(50.0))
    assert (found.status, found.at, found.reached, found.shown) == ("none", 100.0, 100.0, 1000.0)


def test_where_any_value_meets_it_the_nearest_is_told() -> None:
    found = one(asking(lambda x: x), at_most(1e7))
    assert (found.status, found.at, found.flat) == ("any", 1e6, False)


def test_a_quantity_that_never_changes_is_told_to_be_flat() -> None:
    assert one(asking(lambda x: 0.0 * x + 5.0), at_most(6.0)).flat
    assert one(asking(lambda x: 0.0 * x + 5.0), at_most(4.0)).flat


def test_of_values_in_between_alone_the_largest_or_the_smallest_is_meant() -> None:
    valley = asking(lambda x: np.exp(np.abs(np.log(x / 1e3))))
    largest, smallest = one(valley, at_most(20.0), MOST), one(valley, at_most(20.0), LEAST)
    assert (largest.at, smallest.at) == pytest.approx((2e4, 50.0), rel=1e-9)
    assert largest.apart
    assert smallest.apart
    assert largest.rising > smallest.rising


def test_what_is_not_known_is_passed_over() -> None:
    found = one(asking(lambda x: np.where(x < 50.0, np.nan, x)), at_most(2000.0))
    assert found.at == pytest.approx(2000.0, rel=1e-12)
    nothing = one(asking(lambda x: x + np.nan), at_most(1.0))
    assert nothing.status == "none"
    assert np.isnan(nothing.at)


def test_what_is_barred_limits_the_value_and_says_why() -> None:
    found = one(asking(lambda x: x, lambda x: np.where(x > 300.0, 2.0, 0.0)), at_most(1e5))
    assert found.barred == 2
    assert found.at == pytest.approx(300.0, rel=2e-6)


def test_what_is_barred_between_the_values_that_are_looked_at_first_is_found_too() -> None:
    found = one(asking(lambda x: x, lambda x: np.where((x > 300.0) & (x < 800.0), 1.0, 0.0)), at_most(700.0))
    assert found.barred == 1
    assert found.at == pytest.approx(300.0, rel=2e-6)


def test_on_the_exact_side_of_a_bracket_the_input_is_told_as_it_was_found() -> None:
    # What is shown, a count, belongs to the value that was tried, not to one between two.
    found = one(asking(lambda x: x), at_most(700.0), Looks(whole=False, most=True, exact=True))
    assert 700.0 * (1.0 - 1e-6) <= found.at < 700.0
    assert found.shown == 10.0 * found.at


def test_many_goals_are_asked_for_together() -> None:
    sizes: list[int] = []

    def ask(values: Values) -> Points:
        sizes.append(len(values))
        return asking(lambda x: x)(values)

    found = search(ask, GRID, [Goal(at_most(t), "value", 1e-6) for t in (20.0, 300.0, 4000.0)], MOST)
    assert [each.at for each in found] == pytest.approx([20.0, 300.0, 4000.0], rel=1e-12)
    assert sizes[0] == len(GRID)
    assert sizes[1] == 3 * 3


bumps = st.lists(st.floats(0.1, 10.0), min_size=16, max_size=16)


@given(bumps=bumps, target=st.floats(1.0, 1e6), more=st.floats(1.0, 10.0), whole=st.booleans())
@example(bumps=[1.0] * 15 + [0.1], target=1e3, more=1.5, whole=False)
def test_more_never_buys_less_however_the_quantity_leaps(
    bumps: list[float], target: float, more: float, whole: bool
) -> None:
    factors = np.array(bumps)
    bumpy = asking(lambda x: x * factors[(np.log(x) * 1e4).astype(np.int64) % 16])
    looks = Looks(whole=whole, most=True)
    less, larger = (one(bumpy, at_most(budget), looks) for budget in (target, target * more))
    if less.status == larger.status == "found":
        assert larger.at >= less.at * (1.0 - 1e-12)
    assert not (less.status == "any" and larger.status != "any")
    assert not (larger.status == "none" and less.status != "none")


@given(power=st.floats(0.2, 4.0), target=st.floats(1e-3, 1e3), falls=st.booleans())
def test_what_is_found_gives_the_target_back(power: float, target: float, falls: bool) -> None:
    def formula(values: Values) -> Values:
        return (values / 1e3) ** (-power if falls else power) * (1.0 + 0.3 * np.sin(0.3 * np.log(values)))

    found = one(asking(formula), at_most(target))
    if found.status == "found":
        assert float(formula(np.array([found.at]))[0]) == pytest.approx(target, rel=1e-9)
