"""What must hold for the answer of any question: scaling, monotonicity, invariance, ranges, grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Presets, Run, ask, evaluate
from estimator.answer import sized, with_ranges
from estimator.estimate import STEPS, Estimate
from estimator.estimate import evaluate as estimate_of
from estimator.lower import lower
from estimator.ranges import points, spread
from estimator.sweeps import Wanted, sweep

from .strategies import counts, parameters, questions, shares, tokens

PRESETS = Presets()
PRICED = "2 USD/gpu/hour"
EXTENSIVE = (
    "flops",
    "flops_6nd",
    "accelerator_hours",
    "occupied_hours",
    "wall_clock",
    "energy",
    "carbon",
    "cost",
)
settings.register_profile("house", deadline=None, max_examples=25)
settings.load_profile("house")


def answer(**question: object):  # type: ignore[no-untyped-def]
    return ask(Run.read(question, PRESETS), PRESETS)


def value(**question: object) -> Estimate:
    """The answer without its ranges, for laws of the values alone."""
    return evaluate(sized(lower(Run.read(question, PRESETS), PRESETS)))


@given(questions, st.floats(0.01, 100.0))
def test_tokens_times_k_gives_everything_extensive_times_k(question: dict[str, object], k: float) -> None:
    batched = {**question, "global_batch": 1024}  # an assumed one would grow with the tokens
    once = value(**batched, price=PRICED)
    more = value(**{**batched, "tokens": float(question["tokens"]) * k}, price=PRICED)  # type: ignore[arg-type]
    for name in EXTENSIVE:
        assert more.amount(name).value == pytest.approx(once.amount(name).value * k, rel=1e-12), name
    assert more.mfu.value == once.mfu.value


@given(questions, st.sampled_from([0.25, 0.5, 2.0, 1024.0]))
def test_a_power_of_two_scales_to_the_last_bit(question: dict[str, object], k: float) -> None:
    batched = {**question, "global_batch": 1024}  # an assumed one would grow with the tokens
    once = value(**batched, price=PRICED)
    more = value(**{**batched, "tokens": float(question["tokens"]) * k}, price=PRICED)  # type: ignore[arg-type]
    assert all(more.amount(name).value == once.amount(name).value * k for name in EXTENSIVE)


# One layout for all sizes and counts: what is found for each question may differ, and leap.
GIVEN = {"tp": 1, "pp": 1, "cp": 1, "zero": 3, "micro_batch": 1, "recompute": "full", "seq": 4096}


def laid(**question: object) -> Estimate:
    return value(**{**GIVEN, "price": PRICED, **question})


@given(parameters, parameters, tokens, counts)
def test_a_larger_model_never_takes_less(one: float, other: float, tokens: float, count: int) -> None:
    small, large = sorted((one, other))
    shared = {"tokens": tokens, "count": count, "global_batch": count}
    less, more = laid(params=small, **shared), laid(params=large, **shared)
    for name in (*EXTENSIVE, "state_memory"):
        assert more.amount(name).value >= less.amount(name).value * (1 - 1e-12), name


@given(shares, shares)
def test_better_efficiency_never_costs_more(one: float, other: float) -> None:
    for name in ("mfu", "scaling_efficiency", "goodput"):
        vary, wanted = {name: sorted((one, other))}, Wanted(("cost", "wall_clock"), ())
        base = {"params": 7e9, "count": 64, "price": PRICED}
        found = sweep(base, vary, wanted=wanted, presets=PRESETS).table()
        assert found["cost"][1] <= found["cost"][0]
        assert found["wall_clock"][1] <= found["wall_clock"][0]


@given(counts, counts)
def test_more_cards_are_faster_at_no_less_cost(one: int, other: int) -> None:
    """Each card keeps its sequence and its states, so that the run is shorter; what ranks exchange makes it dearer."""
    few, many = (laid(params=7e9, count=n, global_batch=n, zero=0) for n in sorted((one, other)))
    assert many.wall_clock.value <= few.wall_clock.value
    assert many.cost.value >= few.cost.value * (1 - 1e-12)
    assert many.scaling_efficiency.value <= few.scaling_efficiency.value
    less, more = (laid(params=7e9, count=n, global_batch=n).memory.value for n in sorted((one, other)))
    assert more <= less or one == 1 or other == 1


@given(counts, counts, shares)
def test_at_an_mfu_that_is_given_more_cards_are_faster_and_cost_only_more_interruptions(
    one: int, other: int, mfu: float
) -> None:
    given = {"params": 7e9, "mfu": mfu, "price": PRICED}
    few, many = (value(count=n, **given, goodput=0.9) for n in sorted((one, other)))
    assert many.wall_clock.value <= few.wall_clock.value
    assert many.cost.value == pytest.approx(few.cost.value, rel=1e-12)
    often, oftener = (value(count=n, **given) for n in sorted((one, other)))
    assert oftener.goodput.value <= often.goodput.value
    assert oftener.cost.value * oftener.goodput.value == pytest.approx(
        often.cost.value * often.goodput.value, rel=1e-12
    )


@given(questions)
def test_every_range_holds_its_value(question: dict[str, object]) -> None:
    estimate = answer(**question)
    for name in estimate.values:
        amount = estimate.amount(name)
        if np.isfinite(amount.value):
            assert amount.low <= amount.value <= amount.high, name


@given(questions)
def test_no_unknown_alone_is_wider_than_the_range(question: dict[str, object]) -> None:
    estimate = answer(**question, price=PRICED)
    # The case, then each unknown alone at both of its ends, as test_ranges.py keeps.
    every = points(estimate_of(spread(estimate.case), EXTENSIVE).values, estimate.case)
    for name in EXTENSIVE:
        amount, ends = estimate.amount(name), every[name][1:].reshape(-1, 2)
        if np.isnan(amount.value):
            continue
        width = float(amount.high / amount.low)
        for unknown, both in zip(estimate.case.unknowns, ends, strict=True):
            alone = sorted([float(amount.value), *both.tolist()])
            assert alone[-1] / alone[0] <= width * (1 + 1e-9), (name, unknown.name)


@given(questions)
def test_parts_sum_to_the_total(question: dict[str, object]) -> None:
    estimate = value(**question)
    for name, parts in estimate.parts.items():
        if np.isnan(estimate.amount(name).value):  # a chip without a price on record
            continue
        assert sum(parts.values()) == pytest.approx(estimate.amount(name).value, rel=1e-12), name
        assert all(np.all(np.asarray(part) >= 0) for part in parts.values() if name != "parameters")


@given(st.lists(questions, min_size=1, max_size=5))
def test_a_grid_equals_its_points_to_the_last_bit(several: list[dict[str, object]]) -> None:
    cases = [lower(Run.read(question, PRESETS), PRESETS) for question in several]
    stacked = cases[0].with_columns(
        {name: np.stack([case.columns[name] for case in cases]) for name in cases[0].columns}
    )
    grid = evaluate(stacked)
    for index, case in enumerate(cases):
        single = evaluate(case)
        for step in STEPS:
            both = np.broadcast_to(grid.values[step.name], len(cases))[index], single.values[step.name]
            assert both[0] == both[1] or (np.isnan(both[0]) and np.isnan(both[1])), step.name


@given(st.floats(1e-3, 1e3))
def test_currency_changes_the_number_and_not_the_money(amount: float) -> None:
    in_dollars = value(params=7e9, count=8, price=f"{amount!r} USD/gpu/hour", year=2023)
    in_yuan = value(params=7e9, count=8, price=f"{amount!r} USD/gpu/hour", year=2023, currency="CNY")
    assert in_yuan.cost.value == pytest.approx(in_dollars.cost.value * 7.0839, rel=2e-3)  # ECB mean of 2023
    assert in_yuan.cost.unit == "CNY"


@given(st.integers(1, 10_000))
def test_units_of_the_same_amount_give_the_same_answer(hours: int) -> None:
    by_day = value(params=7e9, within=f"{hours / 24!r} day")
    by_hour = value(params=7e9, within=f"{hours} hour")
    by_node = value(params=7e9, within=f"{hours} hours", price="16 USD/node/hour")
    assert by_day.count.value == by_hour.count.value == by_node.count.value
    assert by_node.cost.value == pytest.approx(
        value(params=7e9, within=f"{hours} hours", price="2 USD/gpu/hour").cost.value, rel=1e-12
    )


@given(parameters, st.floats(1e5, 1e9), st.sampled_from([{}, {"mfu": 0.4}, {"mfu": 0.4, "goodput": 0.9}]))
def test_the_count_found_finishes_in_time_and_no_node_less_would(
    params: float, within: float, given: dict[str, object]
) -> None:
    found = answer(params=params, within=f"{within!r} s", **given)
    per_node, count = float(found.per_node.value), float(found.count.value)
    assert count % per_node == 0
    late = any(note.startswith("no count finishes") for note in found.case.notes)
    assert late is bool(found.wall_clock.value > within) or found.wall_clock.value == pytest.approx(
        within, rel=1e-9
    )
    if (
        late
    ):  # a step of the assumed batch takes its time however many share it, and more are interrupted oftener
        assert given != {"mfu": 0.4, "goodput": 0.9}
        return
    assert count >= found.fewest_accelerators.value or np.isinf(found.fewest_accelerators.value)
    if count > per_node and found.wall_clock.value > 0 and count < 1e8:
        fewer = answer(params=params, count=count - per_node, **given)
        if count - per_node < fewer.fewest_accelerators.value < np.inf:
            return  # memory, not time, asks for this many
        usual = lower(Run.read({"params": params, **given}, PRESETS), PRESETS).columns["global_batch"]
        if fewer.global_batch.value > 8 * usual:
            return  # so does the batch, which may not grow beyond those on record
        assert fewer.wall_clock.value > within * (1 - 1e-9)


def test_a_range_without_unknowns_is_the_value() -> None:
    case = replace(lower(Run.read({"params": 7e9, "count": 8}, PRESETS), PRESETS), unknowns=())
    estimate = with_ranges(case)
    assert estimate.low["cost"] == estimate.high["cost"] == estimate.values["cost"]
