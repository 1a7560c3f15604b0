"""Money for rented accelerators: a published table, proportion, and arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas.cost import (
    Project,
    cost_per_application,
    cost_per_hour,
    rent_cost,
    rent_price,
    rental_cost,
    run_cost,
)
from estimator.formulas.spot import Spot, overhead_with_spot, spot_loss

HOUR = 3600.0
MODELLED = array(np.nan)
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


# Spot, and what is reserved and not used.


def spot(share: float = 0.0, price: float = 1.0, interruptions: float = 0.0, lost_time: float = 0.0) -> Spot:
    return Spot(array(share), array(price), array(interruptions), array(lost_time))


def rent(
    price: float = 2.0, used: float = 1.0, loss: float = 0.0, at: Spot | None = None
) -> dict[str, float]:
    found = rent_cost(array(100) * (1 + loss), array(price), array(used), at or spot(), array(loss))
    assert float(found.total) == pytest.approx(sum(map(float, found.parts.values())), nan_ok=True)
    return {name: float(part) for name, part in found.parts.items()}


def test_spot_and_its_loss_by_hand() -> None:
    # 128 cards in servers of eight, half of them at spot: 8 nodes, each taken once in 80 days, 6 hours lost each time.
    loss = spot_loss(spot(0.5, 1.0, 1 / (80 * 24 * HOUR), 6 * HOUR), array(128), array(8), MODELLED)
    assert float(loss) == pytest.approx(np.expm1(8 * 6 / (80 * 24)), rel=1e-12)
    lost = overhead_with_spot(Breakdown({"restarts": array(0.5)}), array(0.1))
    assert float(lost.total) == pytest.approx(1.5 * 1.1 - 1)
    assert rent(at=spot(0.25), loss=0.1) == pytest.approx(
        {"rent": 150.0, "unused": 0.0, "spot": 25.0, "interruptions": 17.5}
    )


def test_what_is_never_finished_stays_finite() -> None:
    # A deadline is looked for among counts of which failures leave nothing: no product of the two may overflow.
    lost = overhead_with_spot(Breakdown({"restarts": array(1e290)}), array(np.expm1(100.0)))
    assert float(lost.total) == pytest.approx(1e290)


def test_what_is_reserved_is_paid_for_used_or_not() -> None:
    assert rent(used=0.8) == pytest.approx({"rent": 200.0, "unused": 50.0, "spot": 0.0, "interruptions": 0.0})


def test_without_spot_its_price_is_no_matter_and_all_at_spot_no_other_is() -> None:
    assert rent(at=spot(0.0, np.nan))["rent"] == 200.0
    assert rent(price=np.nan, at=spot(1.0, 3.0)) == {"rent": 0, "unused": 0, "spot": 300, "interruptions": 0}
    assert np.isnan(rent(at=spot(0.5, np.nan))["spot"])


def test_a_run_without_end_has_no_limit_of_cost_and_warns_of_nothing() -> None:
    found = rent_cost(array(np.inf), array(2), array(1), spot(), array(0))
    assert {name: float(part) for name, part in found.parts.items()} == {
        "rent": np.inf, "unused": 0, "spot": 0, "interruptions": 0,
    }  # fmt: skip
    assert float(spot_loss(spot(1.0, 1.0, 1e9, 1e9), array(8), array(8), MODELLED)) == pytest.approx(
        np.expm1(100)
    )


@few
@given(st.floats(0, 1), st.floats(0, 1e-4), st.floats(0, 1e5), st.integers(1, 10_000))
def test_more_spot_and_more_cards_never_lose_less(share: float, rate: float, lost: float, nodes: int) -> None:
    loss = [
        float(spot_loss(spot(of, 1.0, rate, lost), array(8 * many), array(8), MODELLED))
        for of, many in ((share / 2, nodes), (share, nodes), (share, 2 * nodes))
    ]
    assert loss == sorted(loss)


# The whole run.


def project(**fields: float) -> Project:
    usual = dict.fromkeys(Project._fields, 0.0) | {"development": 1.0}
    return Project(**{name: array(value) for name, value in (usual | fields).items()})


def run(owned: float = 0.0, **fields: float) -> dict[str, float]:
    rented = Breakdown({"rent": array(100.0), "spot": array(50.0)})
    bought = Breakdown({"accelerators": array(70.0), "power": array(30.0)})
    found = run_cost(rented, bought, array(owned), array(10.0), project(**fields))
    assert float(found.total) == pytest.approx(sum(float(part) for part in found.parts.values()))
    return {name: float(part) for name, part in found.parts.items() if float(part)}


def test_machines_are_rented_or_owned_and_never_both() -> None:
    assert run() == {"rent": 100.0, "spot": 50.0}
    assert run(owned=1.0) == {"accelerators": 70.0, "power": 30.0}


def test_what_a_project_adds_by_hand() -> None:
    assert run(development=3.4) == pytest.approx({"rent": 100, "spot": 50, "development": 360})
    assert run(stored=5.0, storage_price=0.1)["data_storage"] == pytest.approx(5.0)  # 5 bytes for 10 s at 0.1
    assert run(egress=5.0, egress_price=0.1)["egress"] == pytest.approx(0.5)
    # 11 people while it trains for 10 s, 29 for 20 s before, at 2 a second.
    people = run(staff=11, preparation_staff=29, preparation_time=20, pay=2)
    assert (people["training_staff"], people["preparation_staff"]) == (220, 1160)


def test_what_is_rented_needs_no_price_of_owning() -> None:
    unknown = Breakdown({"accelerators": array(np.nan)})
    found = run_cost(Breakdown({"rent": array(100.0)}), unknown, array(0.0), array(1.0), project())
    assert float(found.total) == 100.0


def test_prices_of_an_hour_are_the_cost_over_the_hours() -> None:
    parts = cost_per_hour(Breakdown({"rent": array(200.0), "spot": array(100.0)}), array(100.0)).parts
    assert {name: float(part) for name, part in parts.items()} == {"rent": 2.0, "spot": 1.0}
    assert float(rent_price(array(330.0), array(110.0), array(0.1))) == pytest.approx(3.3)


def test_a_goodput_that_is_given_holds_what_spot_loses() -> None:
    taken = spot(1.0, 1.0, 1e-5, 1e4)
    assert float(spot_loss(taken, array(8), array(8), array(0.9))) == 0.0
    assert float(spot_loss(taken, array(8), array(8), MODELLED)) > 0.0


@few
@given(st.floats(1, 1e9), st.floats(1, 1e6), st.floats(0, 1e6))
def test_one_application_more_costs_its_adaptation(
    cost: float, applications: float, adaptation: float
) -> None:
    counts = np.array([applications, applications + 1.0])
    each = cost_per_application(array(cost), counts, array(adaptation)).total
    assert each[1] <= each[0]
    assert np.diff(each * counts)[0] == pytest.approx(
        adaptation, abs=1e-9 * (cost + applications * adaptation)
    )


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
