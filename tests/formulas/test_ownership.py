"""Owning and its break-even: hand-worked values, what must hold of any owner, and grids against their points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas.break_even import break_even_time, break_even_utilisation
from estimator.formulas.capital import Ownership, capital_recovery
from estimator.formulas.energy import Draw
from estimator.formulas.ownership import electricity, investment, own_cost, own_price

YEAR = 365.25 * 86400.0
few = settings(deadline=None, max_examples=60)
USUAL: dict[str, float] = {
    "accelerator_price": 30_000, "server_price": 5_000, "network_share": 0.15, "storage_share": 0.05,
    "building_price": 11, "cost_of_capital": 0.1, "interest_period": YEAR, "life": 5 * YEAR,
    "building_life": 20 * YEAR, "maintenance": 0.05, "accelerators_per_operator": 500,
    "operator_pay": 250_000 / YEAR, "utilisation": 0.8, "idle_power": 0.2, "tariff": 0.08 / 3.6e6,
}  # fmt: skip
# 800 W of the computers of an accelerator, 1 kW from the grid, for an hour of each.
COUNT, HOURS, ENERGY, PUE = array(1024.0), array(1024 * 3600.0), array(1024 * 3600 * 1000.0), array(1.25)
DRAW = Draw(*map(array, (500.0, 0.3, 0.5, 0.4, 0.2, 0.1)))


def owner(**changed: Any) -> Ownership:
    return Ownership(**{name: array(value) for name, value in {**USUAL, **changed}.items()})


def price_of(owned: Ownership) -> Breakdown:
    return own_price(owned, investment(owned, COUNT, DRAW), COUNT, ENERGY, HOURS, PUE)


owners = st.fixed_dictionaries(
    {
        "accelerator_price": st.floats(1e3, 1e5), "server_price": st.floats(0, 1e5),
        "network_share": st.floats(0, 0.5), "cost_of_capital": st.just(0.0) | st.floats(1e-4, 0.3),
        "life": st.floats(1, 10).map(lambda years: years * YEAR), "maintenance": st.floats(0, 0.2),
        "utilisation": st.floats(0.05, 1.0), "idle_power": st.floats(0, 0.9), "tariff": st.floats(0, 1e-7),
    }
).map(lambda fields: owner(**fields))  # fmt: skip


# Capital.


@pytest.mark.parametrize(
    ("rate", "years", "factor"),
    # i / (1 - (1 + i)^-L): 0.1 / (1 - 1 / 1.61051); 0.08 / (1 - 1 / 1.259712); 0.05 / (1 - 1 / 1.05).
    [(0.1, 5, 0.2637975), (0.08, 3, 0.3880335), (0.05, 1, 1.05), (0.0, 4, 0.25)],
)
def test_capital_recovery_by_hand(rate: float, years: float, factor: float) -> None:
    found = capital_recovery(array(rate), array(YEAR), array(years * YEAR))
    assert float(found) * YEAR == pytest.approx(factor, abs=1e-7)


@few
@given(st.floats(1e-4, 0.5), st.integers(1, 30))
def test_the_payments_are_worth_the_price(rate: float, years: int) -> None:
    paid = float(capital_recovery(array(rate), array(YEAR), array(years * YEAR))) * YEAR
    assert sum(paid / (1 + rate) ** end for end in range(1, years + 1)) == pytest.approx(1.0, rel=1e-9)


@few
@given(st.floats(0.5, 40))
def test_without_interest_it_is_the_straight_line(years: float) -> None:
    life = array(years * YEAR)
    assert float(capital_recovery(array(0.0), array(YEAR), life)) == 1.0 / float(life)
    almost = capital_recovery(array(1e-12), array(YEAR), life)
    assert float(almost) == pytest.approx(1.0 / float(life), rel=1e-6)


# The price of an hour.


def test_every_part_of_the_price_by_hand() -> None:
    # Per accelerator: 30,000 + 5,000, network 5,250, storage 1,750; at most 500 W and 60 % more at 11 a watt are 8,800.
    parts = {name: float(part) * YEAR for name, part in price_of(owner()).parts.items()}
    five, twenty = 0.1 / (1 - 1.1**-5), 0.1 / (1 - 1.1**-20)
    busy = 1 + 0.2 * 0.2 / 0.8  # what is drawn idle, a fifth of the time at a fifth, for each hour of use
    energy = 0.8 * 24 * 365.25 * 0.08  # 0.8 kW for a year
    expected = {
        "accelerators": 30_000 * five / 0.8, "servers": 5_000 * five / 0.8, "network": 5_250 * five / 0.8,
        "storage": 1_750 * five / 0.8, "building": 8_800 * twenty / 0.8, "power": energy * busy,
        "cooling": energy * busy * 0.25, "maintenance": 42_000 * 0.05 / 0.8, "operations": 500 / 0.8,
    }  # fmt: skip
    assert parts == pytest.approx(expected, rel=1e-12)


def test_what_is_bought_by_hand() -> None:
    parts = {name: float(part) for name, part in investment(owner(), COUNT, DRAW).parts.items()}
    assert parts == pytest.approx(
        {
            "accelerators": 1024 * 30_000, "servers": 1024 * 5_000, "network": 1024 * 5_250,
            "storage": 1024 * 1_750, "building": 1024 * 800 * 11,
        }
    )  # fmt: skip


def test_the_bill_of_four_thousand_servers() -> None:
    # 4,000 x 6.5 kW x 24 h x 0.08 USD/kWh = 49,920 USD a day; 4,000 x 199,000 USD = 796 million USD.
    assert float(electricity(array(4000 * 6500), array(0.08 / 3.6e6))) * 86400 == pytest.approx(49_920)
    bought = owner(
        accelerator_price=199_000 / 8, server_price=0, network_share=0, storage_share=0, building_price=0
    )
    assert float(investment(bought, array(32_000), DRAW).total) == pytest.approx(796e6)


def test_cooling_is_counted_once() -> None:
    with_, without = (
        own_price(owner(), Breakdown({}), COUNT, array(1e6 * pue), array(1e6), array(pue))
        for pue in (1.4, 1.0)
    )
    assert float(with_.parts["power"]) == pytest.approx(float(without.parts["power"]), rel=1e-12)
    energy = float(with_.parts["power"] + with_.parts["cooling"])
    assert energy == pytest.approx(1.4 * float(without.parts["power"]), rel=1e-12)
    assert float(without.parts["cooling"]) == 0.0


@few
@given(
    owners, st.sampled_from(["accelerator_price", "cost_of_capital", "tariff", "maintenance", "idle_power"])
)
def test_more_of_any_price_never_costs_less(owned: Ownership, field: str) -> None:
    more = owned._replace(**{field: getattr(owned, field) * 1.5 + 1e-12})
    assert price_of(more).total >= price_of(owned).total * (1 - 1e-12)


@few
@given(owners, st.floats(0.1, 1.0))
def test_more_use_and_a_longer_life_never_cost_more(owned: Ownership, share: float) -> None:
    less = owned._replace(utilisation=owned.utilisation * share)
    assert price_of(less).total >= price_of(owned).total * (1 - 1e-12)
    shorter = owned._replace(life=owned.life * share)
    assert price_of(shorter).total >= price_of(owned).total * (1 - 1e-12)


def test_the_cost_is_the_price_times_the_hours() -> None:
    found = own_cost(array(100.0), Breakdown({"accelerators": array(2.0), "power": array(0.5)}))
    assert {name: float(part) for name, part in found.parts.items()} == {"accelerators": 200.0, "power": 50.0}


# Break-even.


@few
@given(owners, st.floats(1.05, 20.0))
def test_at_the_break_even_owning_costs_what_renting_does(owned: Ownership, over: float) -> None:
    rent = array(float(price_of(owned).total) * over)  # dearer than owning: the break-even is below this use
    share = break_even_utilisation(owned, price_of(owned), rent)
    assert float(share) < float(owned.utilisation)
    there = owned._replace(utilisation=share)
    assert float(price_of(there).total) == pytest.approx(float(rent), rel=1e-9)


@few
@given(owners, st.floats(1.05, 20.0))
def test_at_the_break_even_the_machines_are_paid_back_in_their_life(owned: Ownership, over: float) -> None:
    rent = array(float(price_of(owned).total) * over)
    there = owned._replace(utilisation=break_even_utilisation(owned, price_of(owned), rent))
    bought = investment(there, COUNT, DRAW)
    time = break_even_time(there, bought, price_of(there), rent, COUNT)
    assert float(time) == pytest.approx(float(owned.life), rel=1e-6)


@few
@given(owners, st.floats(1.05, 20.0))
def test_a_dearer_rent_pays_the_machines_back_sooner(owned: Ownership, over: float) -> None:
    price, bought = price_of(owned), investment(owned, COUNT, DRAW)
    rents = float(price.total) * np.array([1.0, over])
    soon = break_even_time(owned, bought, price, rents, COUNT)
    assert float(soon[0]) == pytest.approx(float(owned.life), rel=1e-6)
    assert soon[1] < soon[0]
    shares = break_even_utilisation(owned, price, rents)
    assert shares[0] == pytest.approx(float(owned.utilisation), rel=1e-9)
    assert shares[1] < shares[0]


def test_a_rent_below_the_price_of_power_is_never_beaten() -> None:
    owned = owner(tariff=1.0)
    price, bought = price_of(owned), investment(owned, COUNT, DRAW)
    rent = array(1e-6)
    assert float(break_even_utilisation(owned, price, rent)) == math.inf
    assert float(break_even_time(owned, bought, price, rent, COUNT)) == math.inf


def test_without_interest_a_rent_that_saves_nothing_never_pays_back() -> None:
    owned = owner(cost_of_capital=0.0)
    price, bought = price_of(owned), investment(owned, COUNT, DRAW)
    assert float(break_even_time(owned, bought, price, array(1e-9), COUNT)) == math.inf


def test_an_unknown_rent_has_no_break_even() -> None:
    price, bought = price_of(owner()), investment(owner(), COUNT, DRAW)
    unknown = array(math.nan)
    assert math.isnan(float(break_even_utilisation(owner(), price, unknown)))
    assert math.isnan(float(break_even_time(owner(), bought, price, unknown, COUNT)))


def test_a_grid_of_rents_and_uses_equals_its_points() -> None:
    rents, shares = np.array([1e-4, 5e-4, 2e-3]), np.array([[0.2], [0.9]])
    owned = owner(utilisation=shares)
    price, bought = price_of(owned), investment(owned, COUNT, DRAW)
    grid = break_even_time(owned, bought, price, rents, COUNT)
    assert (grid.shape, grid.dtype) == ((2, 3), np.float64)
    for row, column in np.ndindex(2, 3):
        alone = owner(utilisation=shares[row, 0])
        single = break_even_time(alone, bought, price_of(alone), array(rents[column]), COUNT)
        assert float(single) == float(grid[row, column])
