"""Owned machines, spot and a project's other costs as columns: where each number is from, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from estimator import Case, EstimatorError, Presets, Run, ask
from estimator.formulas.capital import Ownership
from estimator.lower import lower

PRESETS = Presets()
HOUR, YEAR = 3600.0, 365.25 * 86400.0
QUESTION: dict[str, Any] = {"params": "7B", "tokens": "1T", "on": "h100", "count": 64, "mfu": 0.4}
OWN: dict[str, Any] = {**QUESTION, "plan": "own"}


def case(**given: Any) -> Case:
    return lower(Run.read(given, PRESETS), PRESETS)


def column(found: Case, name: str) -> float:
    return float(found.columns[name])


def fault(**given: Any) -> str:
    with pytest.raises(EstimatorError) as caught:
        case(**given)
    return str(caught.value)


def test_columns_of_a_rented_run_come_in_one_order() -> None:
    # A set of names would have another order in each process.
    left = [name for name in case(**QUESTION).columns if name in Ownership._fields]
    rest = [name for name in Ownership._fields if name in left and name not in ("utilisation", "tariff")]
    assert [name for name in left if name in rest] == rest


# Prices of machines.


def test_a_server_on_record_is_divided_into_cards_and_the_rest() -> None:
    # A DGX H100 of 270,000 USD with eight cards of 31,250: 2,500 a card are the server's.
    found = case(**OWN)
    assert column(found, "accelerator_price") == 31_250
    assert column(found, "server_price") == 270_000 / 8 - 31_250
    (range_,) = [unknown for unknown in found.unknowns if unknown.name == "purchase_price"]
    assert float(range_.high["accelerator_price"] + range_.high["server_price"]) == 356_000 / 8


def test_a_given_price_of_a_server_holds_its_cards() -> None:
    found = case(**OWN, purchase_price="400000 USD/node")
    assert column(found, "accelerator_price") + column(found, "server_price") == 50_000
    assert found.origins["server_price"].kind == "given"


def test_a_given_price_of_a_card_has_its_server_on_top() -> None:
    found = case(**OWN, purchase_price="40000 USD/gpu")
    assert (column(found, "accelerator_price"), column(found, "server_price")) == (40_000, 2_500)


def test_a_chip_without_a_price_says_what_to_give() -> None:
    found = case(**{**OWN, "on": "google-tpu-v4"})
    assert math.isnan(column(found, "accelerator_price"))
    assert "no purchase price of google-tpu-v4 is on record: no cost; give --purchase-price" in found.notes
    given = case(**{**OWN, "on": "google-tpu-v4"}, purchase_price="10000 USD/gpu")
    assert column(given, "server_price") == pytest.approx(3_000)


# Electricity and currencies.


def test_the_tariff_of_a_place_is_converted_at_a_dated_rate() -> None:
    # China: 0.623 CNY/kWh on record, which is 0.08 EUR; 2024 had 1.0824 USD a EUR, mean rate of the ECB.
    found = case(**OWN, grid="china", year=2024)
    assert column(found, "tariff") * 3.6e6 == pytest.approx(0.08 * 1.0824, rel=1e-3)
    assert "at 0.139 USD/CNY" in found.origins["tariff"].reason


def test_all_money_of_an_answer_is_of_one_currency() -> None:
    dollars, yuan = case(**OWN, year=2024), case(**OWN, year=2024, currency="CNY")
    rate = column(yuan, "exchange_rate")
    assert rate == pytest.approx(7.19, abs=0.05)
    for name in ("accelerator_price", "server_price", "building_price", "operator_pay", "tariff", "price"):
        assert column(yuan, name) == pytest.approx(column(dollars, name) * rate, rel=1e-9), name


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"currency": "CNY", "year": 2010},
            "--year: no exchange rate of CNY in 2010 is on record; choose 2016 to 2026",
        ),
        (
            {"tariff": "0.5 CNY/kWh", "year": 2010},
            "--year: no exchange rate of CNY in 2010 is on record; choose 2016 to 2026",
        ),
        (
            {"tariff": "0.08 USD"},
            "--tariff: '0.08 USD' is an amount of money, but a tariff is money per energy, like '0.08 USD/kWh'",
        ),
        (
            {"purchase_price": "30000 USD"},
            "--purchase-price: '30000 USD' is an amount of money, but a purchase price is money per accelerator or "
            "node, like '30000 USD/gpu' or '240000 USD/node'",
        ),
        (
            {"purchase_price": "2 USD/gpu/hour"},
            "--purchase-price: '2 USD/gpu/hour' measures USD/accelerator/s, but a purchase price is money per "
            "accelerator or node, like '30000 USD/gpu' or '240000 USD/node'",
        ),
        (
            {"pay": "300000 USD"},
            "--pay: '300000 USD' is an amount of money, but a pay is money per time, like '250000 USD/year'",
        ),
        (
            {"adaptation": "3 USD/year"},
            "--adaptation: '3 USD/year' measures USD/s, but a sum is money, like '20000 USD'",
        ),
        ({"tariff": 0.08}, "--tariff: '0.08' has no unit; write it like '0.08 USD/kWh'"),
        ({"tariff": "-1 USD/kWh"}, "--tariff: '-1 USD/kWh' must be zero or more"),
        ({"utilisation": 0}, "--utilisation: '0' must be more than zero"),
        ({"life": "-3 years"}, "--life: '-3 years' must be more than zero"),
        ({"cost_of_capital": "-1%"}, "--cost-of-capital: '-1%' must be zero or more"),
        (
            {"spot_share": 1.5},
            "--spot-share: '1.5' is more than 1, the most that makes sense here; write 1.5 percent as 0.015 or '1.5%'",
        ),
        ({"spot_share": 0.5}, "--spot-share: --plan own rents nothing; leave one of them out"),
        (
            {"plan": "spot", "spot_share": 0.5},
            "--spot-share: --plan spot rents all of it at spot; leave one of them out",
        ),
        (
            {"preparation_staff": 29},
            "--preparation-staff and --preparation-time belong together; give both",
        ),
        (
            {"spot_interruptions": 0.2},
            "--spot-interruptions: '0.2' has no unit; write it like '0.2/node/month'",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(given: dict[str, Any], words: str) -> None:
    assert words in fault(**{**OWN, **given}).splitlines()


# What is not asked for.


def test_what_changes_nothing_is_noted() -> None:
    notes = case(
        **QUESTION, life="5 years", maintenance=0.1, pay="1 USD/hour", spot_price="1 USD/gpu/hour"
    ).notes
    assert "--life, --maintenance change nothing without --plan own" in notes
    assert "--pay changes nothing without --staff or --preparation-staff" in notes
    assert "--spot-price changes nothing without --spot-share or --plan spot" in notes


def test_a_rented_run_costs_its_rent_alone() -> None:
    found = ask(Run.read({**QUESTION, "price": "2 USD/gpu/hour"}, PRESETS), PRESETS)
    parts = {name: float(part) for name, part in found.cost.parts.items() if float(part)}
    assert parts == {"rent": pytest.approx(float(found.occupied_hours.value) / HOUR * 2)}
    assert float(found.cost_per_application.value) == float(found.cost.value)


def test_an_owner_may_name_the_rent_to_compare_with() -> None:
    found = ask(Run.read({**OWN, "price": "3 USD/gpu/hour"}, PRESETS), PRESETS)
    assert float(found.rent_price.value) * HOUR == pytest.approx(3.0)
    assert float(found.cost.value) == pytest.approx(float(found.own_cost.value))
    assert 0.0 < float(found.break_even_utilisation.value) < 0.8


def test_spot_is_the_plan_or_a_share_of_it() -> None:
    plan = case(**QUESTION, plan="spot")
    assert column(plan, "spot_share") == 1.0
    assert column(plan, "spot_price") == column(plan, "price")
    part = ask(Run.read({**QUESTION, "spot_share": 0.5, "spot_price": "8 USD/node/hour"}, PRESETS), PRESETS)
    assert float(part.spot_price.value) * HOUR == pytest.approx(1.0)
    assert {name for name, value in part.cost.parts.items() if float(value)} == {
        "rent",
        "spot",
        "interruptions",
    }


def test_a_reservation_that_is_used_in_part_costs_more_an_hour() -> None:
    whole = ask(Run.read({**QUESTION, "plan": "reserved-3y"}, PRESETS), PRESETS)
    half = ask(Run.read({**QUESTION, "plan": "reserved-3y", "utilisation": 0.5}, PRESETS), PRESETS)
    assert float(half.cost.value) == pytest.approx(2 * float(whole.cost.value))
    on_demand = case(**QUESTION, utilisation=0.5)
    assert column(on_demand, "paid_utilisation") == 1.0


def test_people_by_phase() -> None:
    given = {
        **QUESTION,
        "staff": 11,
        "preparation_staff": 29,
        "preparation_time": "1 year",
        "pay": "925000 USD/year",
    }
    found = ask(Run.read(given, PRESETS), PRESETS)
    years = float(found.wall_clock.value) / YEAR
    assert float(found.cost.parts["preparation_staff"]) == pytest.approx(29 * 925_000)
    assert float(found.cost.parts["training_staff"]) == pytest.approx(11 * years * 925_000)
