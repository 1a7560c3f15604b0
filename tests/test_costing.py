"""Renting and owning side by side: the same answers as alone, machines held for a time, and the break-even."""

from __future__ import annotations

from typing import Any

import pytest

from estimator import Presets, QuestionError, Run, ask
from estimator.costing import Costing, ask_costs

PRESETS = Presets()
HOUR, YEAR = 3600.0, 365.25 * 86400.0
RUN: dict[str, Any] = {"params": "7B", "tokens": "1T", "on": "h100", "count": 64, "mfu": 0.4}
FLEET: dict[str, Any] = {"on": "h100", "count": 1024}


@pytest.fixture(scope="module")
def run() -> Costing:
    return ask_costs(RUN, PRESETS)


@pytest.fixture(scope="module")
def fleet() -> Costing:
    return ask_costs(FLEET, PRESETS, 3 * YEAR, ("usa", "china"))


def by_name(costing: Costing) -> dict[str, Any]:
    return {way.name: way.estimate for way in costing.ways}


def test_every_way_is_the_answer_to_its_own_question(run: Costing) -> None:
    assert [way.name for way in run.ways] == ["on-demand", "reserved-1y", "reserved-3y", "spot", "own"]
    for way in run.ways:
        alone = ask(way.run, PRESETS)
        for name in ("cost", "cost_per_hour", "wall_clock"):
            found, single = way.estimate.amount(name), alone.amount(name)
            assert (found.value, found.low, found.high) == (single.value, single.low, single.high), way.name


def test_parts_sum_for_the_run_and_for_an_hour(run: Costing) -> None:
    for way in run.ways:
        for name in ("cost", "cost_per_hour"):
            amount = way.estimate.amount(name)
            assert float(sum(amount.parts.values())) == pytest.approx(float(amount.value), rel=1e-12)
        hours = float(way.estimate.occupied_hours.value)
        assert float(way.estimate.cost_per_hour.value) * hours == pytest.approx(
            float(way.estimate.cost.value)
        )


def test_the_break_even_is_that_of_the_owner_at_that_rent(run: Costing) -> None:
    for way, even in zip(run.rented, run.even["own"], strict=True):
        rent = float(way.estimate.rent_price.value) * HOUR
        assert float(even.rent_price.value) * HOUR == pytest.approx(rent, rel=1e-12)
        if not way.name.startswith("reserved") and way.name != "spot":
            question = {**RUN, "plan": "own", "price": f"{rent!r} USD/gpu/hour"}
            alone = ask(Run.read(question, PRESETS), PRESETS)
            assert float(even.break_even_utilisation.value) == pytest.approx(
                float(alone.break_even_utilisation.value), rel=1e-9
            )


def test_machines_are_held_whatever_is_trained(fleet: Costing) -> None:
    other = by_name(ask_costs({**FLEET, "params": "1B", "grid": "usa"}, PRESETS, 3 * YEAR))
    found = by_name(fleet)
    for name in ("on-demand", "reserved-3y", "spot"):
        assert float(found[name].cost.value) == pytest.approx(float(other[name].cost.value), rel=1e-9), name
    # A smaller model uses the cards less, and they draw less: nothing else of an owner's cost differs.
    parts, smaller = found["own, usa"].cost.parts, other["own"].cost.parts
    for part in parts.keys() - {"power", "cooling", "building"}:
        assert float(parts[part]) == pytest.approx(float(smaller[part]), rel=1e-9), part


def test_a_fleet_by_hand(fleet: Costing) -> None:
    """1,024 cards over three years, in use four fifths of them."""
    found, hours = by_name(fleet), 1024 * 3 * YEAR * 0.8
    rent = float(found["on-demand"].case.columns["price"])
    assert float(found["on-demand"].cost.value) == pytest.approx(hours * rent, rel=1e-9)
    three = float(found["reserved-3y"].case.columns["price"])
    assert float(found["reserved-3y"].cost.value) == pytest.approx(1024 * 3 * YEAR * three, rel=1e-9)
    # 31,250 USD a card by five years at 10 %, a factor of 0.2637975, for three years.
    cards = float(found["own, usa"].cost.parts["accelerators"])
    assert cards == pytest.approx(1024 * 31_250 * 0.2637975 * 3, rel=1e-6)
    # The energy of the time in use and, at a fifth of the power, of the rest; 15 % on top of the computers'.
    energy = float(found["own, china"].energy.value) / 3.6e6 / 1.15 * (1.0 + 0.2 * 0.2 / 0.8)
    tariff = float(found["own, china"].case.columns["tariff"]) * 3.6e6
    parts = found["own, china"].cost.parts
    assert float(parts["power"]) == pytest.approx(energy * tariff, rel=1e-9)
    assert float(parts["cooling"]) == pytest.approx(energy * tariff * 0.15, rel=1e-9)


def test_only_power_and_people_differ_between_two_countries(fleet: Costing) -> None:
    usa, china = (by_name(fleet)[f"own, {place}"].cost.parts for place in ("usa", "china"))
    differ = {name for name in usa if float(usa[name]) != float(china[name])}
    assert differ == {"power", "cooling", "operations"}


def test_people_are_paid_for_all_of_the_period() -> None:
    found = ask_costs(
        {**FLEET, "staff": 10, "pay": "200000 USD/year", "price": "2 USD/gpu/hour"}, PRESETS, 2 * YEAR
    )
    for way in found.ways:
        assert float(way.estimate.cost.parts["training_staff"]) == pytest.approx(10 * 200_000 * 2)


def test_a_price_or_a_plan_is_the_one_way_of_renting() -> None:
    priced = ask_costs({**RUN, "price": "2 USD/gpu/hour"}, PRESETS)
    assert [way.name for way in priced.ways] == ["rented", "own"]
    assert [way.name for way in ask_costs({**RUN, "plan": "spot"}, PRESETS).ways] == ["spot", "own"]


def test_a_way_without_a_price_is_told() -> None:
    found = ask_costs({"on": "google-tpu-v4", "count": 8}, PRESETS, YEAR)
    assert found.missing == [
        "spot: no spot price of google-tpu-v4 is on record",
        "own: no purchase price of google-tpu-v4 is on record",
    ]
    assert not found.owners
    assert not found.even


@pytest.mark.parametrize(
    ("given", "period", "places", "words"),
    [
        (
            {"count": 8}, None, (),
            "nothing says what is paid for: give a model, like --params 65e9, or --period '3 years' for machines alone",
        ),
        ({}, YEAR, (), "--period: nothing says how many accelerators are held; give --count or --nodes"),
        (
            {"count": 8, "tokens": "1T"}, YEAR, (),
            "--tokens and --period contradict each other: a run ends with its tokens; give one",
        ),
        (
            {"count": 8, "grid": "usa"}, YEAR, ("china",),
            "--grid and --place contradict each other; give one of them",
        ),
        ({"count": 8}, YEAR, ("atlantis",), "--place: no grid is called 'atlantis'; did you mean 'albania'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(given: dict[str, Any], period: float | None, places: Any, words: str) -> None:
    with pytest.raises(QuestionError) as caught:
        ask_costs(given, PRESETS, period, places)
    assert str(caught.value) == words
