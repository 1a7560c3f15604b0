"""Which unknown a range comes from: shares of the variance by hand, and what cannot be told."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from estimator import EstimatorError, Sensitivity, sample
from estimator.arrays import array
from estimator.case import Case
from estimator.ranges import swings
from estimator.samples import sensitivity
from tests.samples.questions import case_of, one

pytest.importorskip("scipy.stats")
# Of 4,096 draws; the indices of independent factors strayed by at most 0.004 with the seeds 0 to 9.
WITHIN = 0.01


def found(case: Case, *names: str, samples: int = 4096, seed: int = 0) -> Sensitivity:
    return sample(case, samples, seed, wanted=names).sensitivity(names)


def factors(down: float, up: float) -> tuple[float, float, float]:
    """Ends around 1 that lie so far away in logarithms."""
    return math.exp(-down), 1.0, math.exp(up)


def test_three_and_four_share_as_nine_and_sixteen() -> None:
    """Cost is hours / goodput times price: logarithms add, and variances are 0.3^2 and 0.4^2 alike scaled."""
    case = case_of("layout", one("given_goodput", *factors(0.3, 0.3)), one("price", *factors(0.4, 0.4)))
    shares = found(case, "cost", "wall_clock")
    assert shares.unknowns == ("given_goodput", "price")
    for order in (shares.first_order, shares.total_order):
        np.testing.assert_allclose(order["cost"], [9 / 25, 16 / 25], atol=WITHIN)
        np.testing.assert_allclose(order["wall_clock"], [1, 0], atol=WITHIN)


def test_lopsided_unknowns_share_by_the_variance_of_joined_halves() -> None:
    """d = 0 and u = 1: V = 1/2 - 1 / 2 pi = 0.3408; d = u = 1: V = 1."""
    case = case_of("layout", one("given_goodput", 1 - 1e-15, 1.0, math.e), one("price", *factors(1.0, 1.0)))
    variance = 0.5 - 1 / (2 * math.pi)
    assert variance == pytest.approx(0.3408, abs=1e-4)
    shares = found(case, "cost")
    expected = np.array([variance, 1.0]) / (1.0 + variance)
    np.testing.assert_allclose(shares.first_order["cost"], expected, atol=WITHIN)
    np.testing.assert_allclose(shares.total_order["cost"], expected, atol=WITHIN)


def test_a_quantity_that_may_be_negative_has_no_shares() -> None:
    """A price below 0 has no logarithm."""
    shares = found(case_of("layout", one("price", -1.0, 1.0, 3.0)), "cost", "energy", samples=256)
    assert np.isnan(shares.first_order["cost"]).all()
    assert np.isnan(shares.total_order["cost"]).all()
    assert shares.total_order["energy"].tolist() == [0.0]


def test_totals_are_no_less_than_first_orders_and_fill_up_the_variance() -> None:
    """On a card that is nearly full, fragmentation and activations act together."""
    shares = found(case_of("record"), "memory")
    first, total = shares.first_order["memory"], shares.total_order["memory"]
    assert (total > first - WITHIN).all()
    assert first.sum() < 0.98 < 1.02 < total.sum()


def test_one_unknown_is_all_of_it() -> None:
    shares = found(case_of("layout", one("price", 1.0, 2.0, 4.0)), "cost", "flops")
    assert shares.first_order["cost"] == pytest.approx(1.0, abs=WITHIN)
    assert shares.total_order["cost"] == pytest.approx(1.0, abs=WITHIN)
    assert (shares.first_order["flops"][0], shares.total_order["flops"][0]) == (0.0, 0.0)


def test_rounding_is_no_variance() -> None:
    """The size of a model of which only the size is known is kept to the last digits, not to the last bit."""
    shares = found(case_of("size only"), "parameters", "flops_6nd", samples=256)
    assert not shares.first_order["parameters"].any()
    assert not shares.total_order["flops_6nd"].any()


def test_what_is_not_known_has_no_shares() -> None:
    """Without a price there is no cost; the rest is told."""
    shares = found(
        case_of("record").with_columns({"price": array(math.nan)}), "cost", "wall_clock", samples=64
    )
    assert np.isnan(shares.first_order["cost"]).all()
    assert np.isfinite(shares.total_order["wall_clock"]).all()


def test_swings_are_the_moves_of_the_default_range() -> None:
    case = case_of("record")
    shares, moves = found(case, "cost", "memory", samples=16), swings(case)
    for name in ("cost", "memory"):
        np.testing.assert_array_equal(shares.swings[name], moves[name])


def test_without_unknowns_there_is_nothing_to_share() -> None:
    shares = found(replace(case_of("record"), unknowns=()), "cost", samples=16)
    assert (shares.unknowns, shares.first_order["cost"].shape, shares.swings["cost"].shape) == (
        (),
        (0,),
        (0, 2),
    )


def test_a_grid_has_the_shares_of_its_cells() -> None:
    case = case_of("layout", one("given_goodput", *factors(0.3, 0.3)), one("price", *factors(0.4, 0.4)))
    counts = np.array([1024.0, 2048.0])
    grid = found(case.with_columns({"count": counts}), "cost", "energy", samples=64)
    assert grid.first_order["cost"].shape == (2, 2)
    for place, count in enumerate(counts):
        alone = found(case.with_columns({"count": array(count)}), "cost", "energy", samples=64)
        for name in ("cost", "energy"):
            np.testing.assert_allclose(
                grid.first_order[name][place], alone.first_order[name], rtol=1e-9, atol=1e-12
            )
            np.testing.assert_allclose(
                grid.total_order[name][place], alone.total_order[name], rtol=1e-9, atol=1e-12
            )
            np.testing.assert_array_equal(grid.swings[name][place], alone.swings[name])


def test_draws_beyond_a_power_of_two_are_left_out() -> None:
    case = case_of("record")
    some, more = (found(case, "cost", samples=samples) for samples in (64, 100))
    np.testing.assert_array_equal(some.total_order["cost"], more.total_order["cost"])


def test_no_more_draws_are_held_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("record")
    some = found(case, "cost", samples=64)
    monkeypatch.setattr(sensitivity, "_MOST", 64)
    np.testing.assert_array_equal(
        found(case, "cost", samples=512).total_order["cost"], some.total_order["cost"]
    )


def test_all_quantities_are_told_where_none_is_named() -> None:
    drawn = sample(case_of("layout", one("price", 1.0, 2.0, 4.0)), 16, wanted=("cost", "energy"))
    assert {"cost", "energy"} <= set(drawn.sensitivity().first_order)
    assert "memory_usable" not in drawn.sensitivity().first_order


# Faults.


def test_without_scipy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(EstimatorError) as fault:
        found(case_of("record"), "cost", samples=16)
    assert (
        str(fault.value)
        == "sensitivity needs scipy; install it with: pip install 'train-estimator[sensitivity]'"
    )


def test_more_unknowns_than_half_the_dimensions() -> None:
    case = case_of("layout", *[one("price", 1.0, 2.0, 4.0)] * 33)
    with pytest.raises(
        EstimatorError, match=r"^66 dimensions are more than the 64 that can be drawn together; "
    ):
        found(case, "cost", samples=16)


def test_a_quantity_that_there_is_not() -> None:
    with pytest.raises(
        EstimatorError, match=r"^there is no quantity 'costs'; did you mean 'cost' or 'own_cost'\?$"
    ):
        sample(case_of("record"), 16).sensitivity(["costs"])
