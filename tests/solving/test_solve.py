"""Solving real questions: worked by hand where a formula allows, and given back by the answer in every case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Presets, QuestionError, Run, ask, solutions, solve
from estimator.inputs.fleet import FLEET_FIELDS
from estimator.inputs.money import Money
from estimator.inputs.run import FIELDS
from estimator.inputs.writing import write_input
from estimator.solving.laws import laws
from estimator.solving.unknowns import UNKNOWNS
from estimator.units import Price

HOUR, DAY = 3600.0, 86400.0
# Every part of the layout is given, the MFU and the goodput: time follows from FLOPs alone.
GIVEN: dict[str, Any] = {
    "params": "7B", "on": "h100", "count": 256, "price": "2 USD/gpu/hour", "tokens": "1T", "global_batch": 1024,
    "tp": 1, "pp": 1, "vpp": 1, "cp": 1, "zero": 3, "micro_batch": 1, "recompute": "full", "mfu": 0.4,
    "goodput": 1,
}  # fmt: skip
FREE: dict[str, Any] = {"params": "7B", "on": "h100", "count": 256, "price": "2 USD/gpu/hour"}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GIVEN.items() if name not in names}


def fault(question: Any, name: str, **target: Any) -> list[str]:
    with pytest.raises(QuestionError) as raised:
        solve(question, name, **target)
    return list(raised.value.faults)


def test_tokens_for_money_by_hand() -> None:
    # Money buys card-seconds, 0.4 of whose peak does model FLOPs.
    answer = ask(Run(**GIVEN))
    seconds = 1e5 / (2.0 / HOUR)
    tokens = seconds * 0.4 * float(answer.peak.value) / float(answer.flops_per_token.value)
    found = solve(without("tokens"), "tokens", cost="1e5 USD")
    assert found.value == pytest.approx(tokens, rel=1e-9)
    assert found.estimate.cost.value == pytest.approx(1e5, rel=1e-9)
    assert found.run == Run(**{**GIVEN, "tokens": found.value})
    assert found.status == "found"
    assert not found.found.jumps


def test_the_price_of_a_cost_is_that_over_the_hours() -> None:
    hours = float(ask(Run(**GIVEN)).occupied_hours.value)
    found = solve(without("price"), "price", cost="1e5 USD")
    assert found.value == pytest.approx(1e5 / hours, rel=1e-9)
    assert found.unit == "USD/accelerator/hour"
    assert found.run.price == Price(found.value, "USD")


@pytest.mark.parametrize("name", ["mfu", "goodput"])
def test_shares_are_as_much_more_as_the_time_is_less(name: str) -> None:
    question = {**GIVEN, "goodput": 0.8}
    share, wall = {"mfu": 0.4, "goodput": 0.8}[name], float(ask(Run(**question)).wall_clock.value)
    found = solve(
        {key: value for key, value in question.items() if key != name}, name, within=f"{wall * 1.5} s"
    )
    assert found.value == pytest.approx(share / 1.5, rel=1e-9)
    assert not found.found.rising


def test_power_and_pue_of_an_energy_by_hand() -> None:
    question = {**GIVEN, "power": "900 W", "pue": 1.2}
    energy = float(ask(Run(**question)).energy.value)
    wanted = f"{energy * 1.1} J"
    power = solve({key: value for key, value in question.items() if key != "power"}, "power", energy=wanted)
    pue = solve({key: value for key, value in question.items() if key != "pue"}, "pue", energy=wanted)
    assert (power.value, pue.value) == pytest.approx((990.0, 1.32), rel=1e-9)


def test_the_range_is_where_the_ends_of_the_quantity_meet_the_target() -> None:
    found = solve({"params": "7B", "on": "h100", "count": 256}, "tokens", cost="1e5 USD")
    low, high = found.range
    assert low < found.value < high
    assert (found.at_high.shown, found.at_low.shown) == (low, high)
    for tokens, end in ((low, "high"), (high, "low")):
        cost = ask(Run(params="7B", on="h100", count=256, tokens=tokens)).cost
        assert float(getattr(cost, end)) == pytest.approx(1e5, rel=1e-2)
        assert float(getattr(cost, end)) <= 1e5 * (1.0 + 1e-9)


def test_a_deadline_finds_the_count_that_any_run_with_it_gets() -> None:
    question = {"params": "70B", "tokens": "1.4T", "on": "h100"}
    found = solve(question, "count", within="30 days")
    alone = ask(Run(**question, within="30 days"))
    assert found.value == float(alone.count.value)
    assert found.estimate.wall_clock.value == alone.wall_clock.value
    assert solve({**question, "within": "30 days"}, "nodes").value == found.value / 8.0
    fewer, more = found.range
    assert fewer < found.value < more
    assert float(ask(Run(**question, count=more)).wall_clock.high) <= 30 * DAY
    assert float(ask(Run(**question, count=fewer)).wall_clock.low) <= 30 * DAY


def test_no_count_is_enough_for_an_hour() -> None:
    question = {"params": "70B", "tokens": "1.4T", "on": "h100"}
    found = solve(question, "count", within="1 hour")
    assert found.status == "none"
    assert np.isnan(found.value)
    assert found.found.reached == float(ask(Run(**question, within="1 hour")).wall_clock.value) > HOUR


def test_counts_are_whole_nodes_and_one_more_node_costs_too_much() -> None:
    question = {**without("count"), "scaling_efficiency": 0.9, "global_batch": 65536}
    # At a given MFU and goodput every count costs alike: all of them meet it, or none.
    every = ask(Run(**question, count=8))
    assert solve(question, "count", cost=f"{float(every.cost.value) * 1.01} USD").status == "any"
    found = solve(
        {"params": "7B", "on": "h100", "tokens": "100B", "global_batch": 1024}, "count", step_time="2 s"
    )
    assert found.value % 8.0 == 0.0
    fewer = ask(Run(params="7B", on="h100", tokens="100B", global_batch=1024, count=found.value - 8.0))
    assert float(found.estimate.step_time.value) <= 2.0 < float(fewer.step_time.value)


def test_params_with_a_deadline_and_money() -> None:
    found = solve({"on": "h100", "within": "60 days"}, "params", cost="2e6 USD")
    answer, law = found.estimate, found.laws[0]
    assert float(answer.cost.value) == pytest.approx(2e6, rel=1e-6)
    assert float(answer.wall_clock.value) <= 60 * DAY
    assert float(answer.tokens.value) == pytest.approx(
        float(law.tokens(np.array([found.value]))[0]), rel=1e-12
    )
    assert answer.case.origins["tokens"].kind == "assumed"
    assert answer.case.origins["tokens"].reason == "the best for this size by Besiroglu et al. 2024"


def test_what_is_to_serve_is_smaller_and_trained_longer_for_the_same_money() -> None:
    question = {"on": "h100", "count": 256, "mfu": 0.4, "price": "2 USD/gpu/hour"}
    plain, serving = (solve(question, "params", cost="1e5 USD", served=served) for served in (None, "10T"))
    assert serving.value < plain.value
    assert float(serving.estimate.tokens.value) > float(plain.estimate.tokens.value)
    law = serving.laws[0]
    life = law.life(law.of(serving.value, float(serving.estimate.tokens.value)))
    assert life.training > 1.0 > life.whole
    assert life.optimum.loss == pytest.approx(
        law.of(serving.value, float(serving.estimate.tokens.value)).loss
    )


def test_tokens_that_are_given_need_no_law() -> None:
    found = solve({"tokens": "1T", "on": "h100", "count": 256}, "params", cost="1e5 USD")
    assert found.laws == ()
    assert float(found.estimate.tokens.value) == 1e12


def test_a_law_that_is_named_comes_first() -> None:
    assert [law.name for law in laws(Presets(), "hoffmann-2022")] == [
        "Hoffmann et al. 2022, Approach 3",
        "Besiroglu et al. 2024",
    ]


def test_a_currency_is_that_of_the_money() -> None:
    found = solve(FREE, "tokens", cost="7e5 CNY")
    assert found.estimate.cost.unit == "CNY"
    assert float(found.estimate.cost.value) == pytest.approx(7e5, rel=1e-2)


@settings(max_examples=4, deadline=None)
@given(
    case=st.sampled_from([
        ("tokens", "cost", "USD", 1e4, 1e6), ("tokens", "energy", "MWh", 10.0, 1e3),
        ("tokens", "carbon", "kg", 1e4, 1e6), ("tokens", "occupied_hours", "hour", 1e4, 1e6),
        ("mfu", "within", "day", 5.0, 50.0), ("price", "cost", "USD", 1e4, 1e6), ("seq", "memory", "GiB", 30.0, 60.0),
    ]),
    share=st.floats(0.0, 1.0),
)  # fmt: skip
def test_the_answer_gives_the_target_back(case: tuple[str, str, str, float, float], share: float) -> None:
    name, quantity, unit, low, high = case
    target = low * (high / low) ** share
    aim: dict[str, Any] = {quantity: f"{target!r} {unit}"}
    found = solve(without(name), name, **aim)
    reached = found.estimate.amount(found.target.quantity).value
    assert found.status == "found"
    if found.unknown.whole:
        beyond = ask(Run(**{**GIVEN, name: found.found.beyond})).amount(found.target.quantity).value
        assert reached <= found.target.value < beyond
        assert found.found.beyond == found.value + 1.0
    else:
        assert float(reached) == pytest.approx(found.target.value, rel=1e-6)


@settings(max_examples=2, deadline=None)
@given(budgets=st.lists(st.floats(1e4, 1e7), min_size=3, max_size=3, unique=True))
def test_more_money_never_buys_fewer_tokens(budgets: list[float]) -> None:
    ordered = sorted(budgets)
    found = solutions(FREE, "tokens", cost=[f"{each!r} USD" for each in ordered])
    tokens = [each.value for each in found]
    assert tokens == sorted(tokens)
    assert all(float(each.estimate.cost.value) <= each.target.value * (1.0 + 1e-6) for each in found)


def test_many_targets_give_what_each_gives_alone() -> None:
    both = solutions(FREE, "tokens", cost=["1e5 USD", "2e5 USD"])
    assert [each.value for each in both] == [
        solve(FREE, "tokens", cost=cost).value for cost in ("1e5 USD", "2e5 USD")
    ]


@pytest.mark.parametrize("name", UNKNOWNS)
def test_an_input_takes_every_value_that_is_looked_at(name: str) -> None:
    unknown = UNKNOWNS[name]
    for value in (unknown.low, unknown.high):
        given = Price(value, "USD") if unknown.unit.startswith("currency") else value
        given = given if unknown.per is None else Money(value, "USD", unknown.per)
        assert {**FIELDS, **FLEET_FIELDS}[name].read(write_input(name, given), Presets()) == given
    assert unknown.grid[0] == unknown.low
    assert unknown.grid[-1] == unknown.high
    assert np.all(np.diff(unknown.grid) > 0.0)


def test_money_about_a_run_by_hand() -> None:
    cost = float(ask(Run(**GIVEN)).cost.value)
    # Three times the machines of the last run; and ten people for as long as it takes, on top of it.
    assert solve(GIVEN, "development", cost=f"{3.0 * cost!r} USD").value == pytest.approx(3.0)
    years = float(ask(Run(**GIVEN)).wall_clock.value) / (365.25 * DAY)
    found = solve({**GIVEN, "staff": 10}, "pay", cost=f"{2.0 * cost!r} USD")
    assert found.value * 365.25 * DAY == pytest.approx(cost / 10.0 / years)
    assert found.unit == "USD/year"
    each = solve(GIVEN, "applications", cost_per_application=f"{cost / 50.0!r} USD")
    assert each.value == pytest.approx(50.0)


def test_what_is_wrong_is_told_at_once() -> None:
    assert fault(GIVEN, "tokens", cost="1 USD") == ["--tokens is what is asked for; leave it out"]
    assert fault({"model": "llama-65b"}, "params", cost="1 USD") == [
        "--model settles --params, which is asked for; leave it out"
    ]
    assert fault(FREE, "tokens") == [
        "nothing says what is to be reached: give a target, like --cost '2e6 USD'"
    ]
    assert fault({"params": "7B", "within": "30 days"}, "tokens") == [
        "nothing says what is to be reached: give a target, like --cost '2e6 USD', or --count, as --within alone "
        "leaves the accelerators open"
    ]
    assert fault(FREE, "tokens", cost="1 USD", energy="1 MWh") == [
        "--cost and --energy are 2 targets; give one"
    ]
    assert fault({**FREE, "within": "30 days"}, "tokens", cost="1 USD") == [
        "--cost and --within are 2 targets; give one; without --count or --nodes, --within finds the count for the "
        "other"
    ]
    assert fault(FREE, "tokns", cost="1 USD") == ["there is no input 'tokns'; did you mean 'tokens'?"]
    assert fault(FREE, "recompute", cost="1 USD")[0].startswith(
        "'recompute' cannot be solved for; these can be"
    )
    assert fault(FREE, "tokens", costs="1 USD") == [
        "there is no quantity 'costs' to reach; did you mean 'cost' or 'own_cost'?"
    ]
    assert fault(FREE, "tokens", worst_stage=1) == [
        "there is no quantity 'worst_stage' to reach; did you mean 'first_stage_memory'?"
    ]
    assert fault(FREE, "tokens", cost=[]) == ["--cost: there is no value to reach"]
    assert fault({**FREE, "currency": "USD"}, "tokens", cost="1 CNY") == [
        "--cost is in CNY, and --currency is USD; write both alike"
    ]
    assert fault(FREE, "tokens", cost=["1 CNY", "1 USD"]) == [
        "--cost: one question counts in one currency, not in CNY and USD"
    ]


def test_laws_are_asked_for_only_where_tokens_follow_from_them() -> None:
    assert fault(FREE, "tokens", cost="1 USD", law="hoffmann-2022", served="1T") == [
        "--law and --served: tokens follow from a law only in `solve params` without tokens given"
    ]
    assert fault({"tokens": "1T"}, "params", cost="1 USD", served="1T") == [
        "--served: tokens follow from a law only in `solve params` without tokens given"
    ]
    assert fault({}, "params", cost="1 USD", law="kaplan") == [
        "--law: 'kaplan' is not known; choose besiroglu-2024, hoffmann-2022"
    ]
    assert fault({}, "params", cost="1 USD", served=-1) == ["--served: '-1' must be more than zero"]


def test_a_cost_that_no_record_gives_is_told_with_its_reason() -> None:
    assert fault({"on": "huawei-ascend-910b2"}, "params", cost="1e6 USD") == [
        "--cost is not known at any --params: no on-demand price of huawei-ascend-910b2 is on record: no cost; give "
        "--price"
    ]


def test_a_fault_of_the_question_is_told_as_ever() -> None:
    assert fault({"params": "7B", "mfu": 2}, "tokens", cost="1 USD") == [
        "--mfu: '2' is more than 1, the most that makes sense here; write 2 percent as 0.02 or '2%'"
    ]
    assert fault({}, "tokens", cost="1 USD") == [
        "nothing says which model: give --params, --model or --config, like --params 65e9"
    ]
