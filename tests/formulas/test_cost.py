"""Money for rented accelerators: a published table, proportion, and arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas.cost import rental_cost

HOUR = 3600.0
few = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize(("kilohours", "millions"), [(2664, 5.328), (119, 0.238), (5, 0.01), (2788, 5.576)])
def test_table_1_of_deepseek_v3(kilohours: float, millions: float) -> None:
    # 2 USD an H800-hour: pre-training, context extension, post-training and their sum.
    found = rental_cost(array(kilohours * 1e3 * HOUR), array(2 / HOUR))
    assert float(found.total) / 1e6 == pytest.approx(millions, rel=1e-12)


def test_rent_is_the_one_part() -> None:
    found = rental_cost(array(10), array(3))
    assert {name: float(part) for name, part in found.parts.items()} == {"rent": 30.0}


@few
@given(st.floats(1e-3, 1e15), st.floats(1e-9, 1e3), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_money_is_in_proportion_to_time_and_to_price(time: float, price: float, times: float) -> None:
    once = float(rental_cost(array(time), array(price)).total)
    assert float(rental_cost(array(time * times), array(price)).total) == once * times
    assert float(rental_cost(array(time), array(price * times)).total) == once * times


def test_nothing_held_costs_nothing_and_an_unknown_price_is_an_unknown_cost() -> None:
    assert float(rental_cost(array(0), array(2)).total) == 0.0
    assert np.isnan(rental_cost(array(10), array(np.nan)).total)


def test_a_grid_of_times_and_prices_equals_its_points_to_the_last_bit() -> None:
    times, prices = np.geomspace(1, 1e12, 4)[:, None], np.array([0.1, 2 / HOUR, 3e-4])
    found = rental_cost(times, prices).total
    assert (found.shape, found.dtype) == ((4, 3), np.float64)
    for row, column in np.ndindex(4, 3):
        alone = rental_cost(array(times[row, 0]), array(prices[column])).total
        assert np.shape(alone) == ()
        assert found[row, column] == alone


# What every breakdown does.


def test_a_total_broadcasts_over_its_parts() -> None:
    made = Breakdown({"one": np.array([[1.0], [2.0]]), "other": np.array([10.0, 20.0, 30.0])})
    assert made.total.tolist() == [[11, 21, 31], [12, 22, 32]]


def test_a_breakdown_of_nothing_is_zero() -> None:
    assert float(Breakdown({}).total) == 0.0


@few
@given(st.lists(st.integers(-(2**40), 2**40), max_size=6))
def test_the_total_is_the_sum_of_the_parts(values: list[int]) -> None:
    parts = {str(place): array(value) for place, value in enumerate(values)}
    assert float(Breakdown(parts).total) == sum(values)
