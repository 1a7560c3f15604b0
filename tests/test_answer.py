"""From a question to its answer: the range against its ends one by one, and the count that a deadline needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Case, Estimate, EstimatorError, Presets, Run, ask
from estimator.answer import MOST, sized, with_ranges
from estimator.arrays import Array, array
from estimator.case import Unknown
from estimator.estimate import STEPS, evaluate
from estimator.formulas.ranges import combined_ends
from estimator.lower import lower

PRESETS = Presets()
DAY = 86400.0
few = settings(deadline=None, max_examples=20)
QUESTIONS: dict[str, dict[str, Any]] = {
    "bare count": {"params": 65e9, "count": 480},
    "record": {"model": "llama-65b", "tokens": "1.4T", "on": "a100-sxm-80gb", "count": 2048},
    "borrowed": {"model": "gpt3-175b", "on": "huawei-ascend-910b2", "count": 1024, "global_batch": 1536},
    "mixture": {"model": "mixtral-8x7b", "on": "h100", "nodes": 16, "grid": "china", "currency": "CNY"},
    "layout given": {
        "model": "llama-65b", "on": "nvidia-a100-sxm-80gb", "count": 512, "tp": 8, "pp": 4, "zero": 1,
        "global_batch": 1024, "recompute": "selective",
    },
    "no measured steps": {"model": "llama-65b", "on": "amd-mi300x", "count": 512, "tp": 8, "pp": 1},
    "platform": {"params": 4.5e9, "count": 1000, "on": "a100", "platform": "cfff"},
    "much given": {
        "model": "llama-7b", "on": "nvidia-rtx-3090", "count": 8, "mfu": 0.3, "price": "1 USD/gpu/hour",
        "power": "300 W", "pue": 1.2,
    },
}  # fmt: skip


def case_of(**question: Any) -> Case:
    return lower(Run.read(question, PRESETS), PRESETS)


# The range, end by end.


def cell(values: Mapping[str, Array], shape: tuple[int, ...], place: tuple[int, ...]) -> dict[str, Array]:
    return {name: array(np.broadcast_to(value, shape)[place]) for name, value in values.items()}


def brute(case: Case) -> dict[str, tuple[float, float, float]]:
    """Low end, value and high end of every quantity of one case, by the definition: two evaluations an unknown."""
    centre = evaluate(case).values
    ends = [[evaluate(case.with_columns(end)).values for end in (one.low, one.high)] for one in case.unknowns]
    found = {name: combined(float(value), [[float(end[name]) for end in pair] for pair in ends])
             for name, value in centre.items()}  # fmt: skip
    # Nothing passes a share of the whole.
    most = {name: max(MOST.get(name, math.inf), value) for name, (_, value, _) in found.items()}
    return {name: (low, value, min(high, most[name])) for name, (low, value, high) in found.items()}


def combined(centre: float, ends: list[list[float]]) -> tuple[float, float, float]:
    """Deviations of one quantity from its centre, each unknown's low and high end, in log space."""
    down: list[float] = []
    up: list[float] = []
    for pair in ends:
        logs = [math.log(end / centre) for end in pair if 0 < end < math.inf and 0 < centre < math.inf]
        down.append(-min([0.0, *logs]))
        up.append(max([0.0, *logs]))
    low, high = combined_ends(np.array(down), np.array(up))
    limit = math.inf if math.inf in [end for pair in ends for end in pair] else centre * math.exp(high)
    return centre * math.exp(-low), centre, limit


def check(found: Estimate, case: Case) -> None:
    """Compare an answer of shape () with the brute-force calculation."""
    whole = {step.name for step in STEPS if step.whole}
    for name, expected in brute(case).items():
        low, value, high = (float(end[name]) for end in (found.low, found.values, found.high))
        if math.isnan(expected[1]):
            assert math.isnan(low), name
            assert math.isnan(value), name
            assert math.isnan(high), name
        elif name in whole and math.isfinite(expected[1]):
            # Things are counted whole: the ends lie on the next whole number outwards, where there is a limit.
            assert low == math.floor(low)
            assert value == expected[1]
            assert math.isinf(high) is math.isinf(expected[2])
            assert expected[0] - 1 - 1e-9 < low <= expected[0] * (1 + 1e-9), name
            if math.isinf(high):
                continue
            assert high == math.ceil(high)
            assert expected[2] * (1 - 1e-9) <= high < expected[2] + 1 + 1e-9, name
        else:
            assert (low, value, high) == pytest.approx(expected, rel=1e-12), name


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_range_is_what_the_ends_of_its_unknowns_give_one_by_one(name: str) -> None:
    case = case_of(**QUESTIONS[name])
    found = with_ranges(case)
    assert {np.shape(value) for value in found.values.values()} == {()}
    check(found, case)
    check(with_ranges(replace(case, unknowns=())), replace(case, unknowns=()))


SHAPES: dict[str, dict[str, Any]] = {
    "(3,)": {"count": np.array([8.0, 512.0, 4096.0])},
    "(2, 3)": {"count": np.array([[64.0], [1024.0]]), "seq": np.array([512.0, 4096.0, 32768.0])},
    "(3, 2), layouts": {
        "tp": np.array([[1.0], [2.0], [4.0]]),
        "zero": np.array([1.0, 3.0]),
        "count": array(64.0),
        "stack_year": np.array([2023.0, 2026.0]),
    },
    "(2, 3) and (3,)": {"tokens": np.array([[1e9, 1e12, 1e13]] * 2), "given_mfu": np.array([0.3, 0.4, 0.44])},
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_grid_has_the_range_of_each_of_its_cells(name: str) -> None:
    axes, base = SHAPES[name], case_of(params=65e9, count=8, price="2 USD/gpu/hour")
    shape = np.broadcast_shapes(*(np.shape(axis) for axis in axes.values()))
    found = with_ranges(base.with_columns(axes))
    assert np.shape(found.cost.low) == np.shape(found.cost.value) == np.shape(found.cost.high) == shape
    assert {np.asarray(end).dtype for end in found.low.values()} == {np.dtype(np.float64)}
    for place in np.ndindex(shape):
        check_cell(found, base.with_columns(cell(axes, shape, place)), shape, place)


def check_cell(found: Estimate, alone: Case, shape: tuple[int, ...], place: tuple[int, ...]) -> None:
    single = with_ranges(alone)
    check(single, alone)
    for quantity in single.values:
        for own, grid in (
            (single.low, found.low),
            (single.values, found.values),
            (single.high, found.high),
        ):
            one, of_grid = float(own[quantity]), float(np.broadcast_to(grid[quantity], shape)[place])
            assert one == pytest.approx(of_grid, rel=1e-14, nan_ok=True), quantity
    for quantity, parts in single.parts.items():
        for part, value in parts.items():
            of_grid = float(np.broadcast_to(found.parts[quantity][part], shape)[place])
            assert float(value) == pytest.approx(of_grid, rel=1e-14, nan_ok=True), (quantity, part)


def test_the_ends_of_an_unknown_may_vary_over_the_grid() -> None:
    base = case_of(params=7e9, count=8, mfu=0.4, price="2 USD/gpu/hour")
    low, high = np.array([0.2, 0.3, 0.4]), np.array([0.4, 0.5, 0.8])
    unknown = Unknown("given_mfu", {"given_mfu": low}, {"given_mfu": high})
    found = with_ranges(replace(base, unknowns=(unknown,)).with_columns({"given_mfu": np.full(3, 0.4)}))
    np.testing.assert_allclose(found.cost.low, found.cost.value * 0.4 / high)
    np.testing.assert_allclose(found.cost.high, found.cost.value * 0.4 / low)


# Combination by hand.


def moved(*unknowns: Unknown) -> Estimate:
    """Answer a question at an efficiency of 0.4 and a price of 1, with these unknowns alone."""
    base = case_of(params=7e9, count=8, mfu=0.4, price="3600 USD/gpu/hour", goodput=0.5, pue=2.0)
    return with_ranges(replace(base, unknowns=unknowns))


def one(name: str, low: float, high: float) -> Unknown:
    return Unknown(name, {name: array(low)}, {name: array(high)})


def ratios(found: Estimate, name: str) -> tuple[float, float]:
    amount = found.amount(name)
    return float(amount.low / amount.value), float(amount.high / amount.value)


def test_two_unknowns_add_as_the_sides_of_a_right_angle() -> None:
    # Efficiency and price each half to twice: the cost alone twice to half and half to twice, so that both logs are
    # ln 2 and the range is exp(sqrt(2) ln 2) = 2 ** 1.4142 = 2.6651 either way.
    found = moved(one("given_mfu", 0.2, 0.8), one("price", 0.5, 2.0))
    assert ratios(found, "cost") == pytest.approx((2 ** -(2**0.5), 2 ** (2**0.5)), rel=1e-12)
    assert ratios(found, "cost")[1] == pytest.approx(2.6651, abs=5e-5)
    # Hours know nothing of the price, and FLOPs of neither.
    assert ratios(found, "accelerator_hours") == pytest.approx((0.5, 2.0), rel=1e-12)
    assert ratios(found, "flops") == (1.0, 1.0)


def test_what_leans_one_way_moves_both_ends_that_way() -> None:
    # Cost x 4 by the low efficiency and x 8 by the high price; down only the price halves it. In doublings the sum
    # of both has its tenth percentile at -0.75 and its ninetieth at 3.86; three moments give -0.72 and 3.93.
    found = moved(one("given_mfu", 0.1, 0.4), one("price", 0.5, 8.0))
    assert ratios(found, "cost") == pytest.approx((2**-0.72, 2**3.93), rel=0.01)


def test_three_and_four_make_five() -> None:
    found = moved(one("given_mfu", 0.4 / 8, 0.4 * 8), one("price", 1 / 16, 16.0))
    assert ratios(found, "cost") == pytest.approx((1 / 32, 32.0), rel=1e-12)


def test_an_unknown_that_moves_a_quantity_one_way_at_both_ends_counts_once() -> None:
    # Low: half the efficiency. High: half the goodput. Both double the cost; the larger one counts, and once.
    both = Unknown("odd", {"given_mfu": array(0.2)}, {"given_goodput": array(0.25)})
    assert ratios(moved(both), "cost") == pytest.approx((1.0, 2.0), rel=1e-12)
    worse = Unknown("odd", {"given_mfu": array(0.2)}, {"given_goodput": array(0.125)})
    assert ratios(moved(worse), "cost") == pytest.approx((1.0, 4.0), rel=1e-12)
    less = Unknown("odd", {"given_mfu": array(0.8)}, {"given_goodput": array(1.0)})
    assert ratios(moved(less), "cost") == pytest.approx((0.5, 1.0), rel=1e-12)


def test_columns_of_one_unknown_move_together() -> None:
    # Efficiency and price fall together: the cost twice and half is the same.
    paired = Unknown(
        "pair", {"given_mfu": array(0.2), "price": array(0.5)}, {"given_mfu": array(0.8), "price": array(2.0)}
    )
    assert ratios(moved(paired), "cost") == pytest.approx((1.0, 1.0), rel=1e-12)
    assert ratios(moved(paired), "wall_clock") == pytest.approx((0.5, 2.0), rel=1e-12)


def test_the_order_of_unknowns_does_not_matter() -> None:
    unknowns = one("given_mfu", 0.2, 0.5), one("price", 0.7, 2.0), one("pue", 1.5, 2.5)
    forth, back = moved(*unknowns), moved(*reversed(unknowns))
    for name in forth.values:
        ends = [(float(found.amount(name).low), float(found.amount(name).high)) for found in (forth, back)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-12, nan_ok=True), name


def test_an_unknown_that_moves_nothing_changes_nothing() -> None:
    still = one("given_mfu", 0.4, 0.4)
    assert moved(still).high["cost"] == moved().high["cost"] == moved().values["cost"]


@pytest.mark.parametrize(
    ("end", "reached"), [(math.nan, (0.8, 1.0)), (math.inf, (0.8, math.inf)), (0.0, (0.0, 1.0))]
)
def test_an_end_that_is_not_known_does_not_count_and_one_without_limit_does(
    end: float, reached: tuple[float, float]
) -> None:
    found = moved(one("price", 0.8, end))
    assert ratios(found, "cost") == pytest.approx(reached, rel=1e-12)
    assert ratios(found, "wall_clock") == (1.0, 1.0)
    # Another unknown beside it makes nothing of this: no limit stays no limit.
    both = ratios(moved(one("given_mfu", 0.2, 0.8), one("price", 0.8, end)), "cost")
    assert [side in (0.0, math.inf) for side in both] == [side in (0.0, math.inf) for side in reached]


def test_where_one_end_of_the_memory_holds_the_run_on_no_number_of_cards_the_range_has_no_limit() -> None:
    base = case_of(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048, seq=2048)
    found = with_ranges(replace(base, unknowns=(one("memory_usable", 1e9, 160e9),))).fewest_accelerators
    best = evaluate(base.with_columns({"memory_usable": array(160e9)})).values["fewest_accelerators"]
    assert (float(found.low), float(found.high)) == (float(best), math.inf)
    assert math.isfinite(float(found.value))


def test_where_only_the_best_end_of_the_memory_holds_the_run_the_range_begins_there() -> None:
    base = case_of(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048, seq=2048)
    small = base.with_columns({"memory_usable": array(1e9)})
    found = with_ranges(replace(small, unknowns=(one("memory_usable", math.nan, 160e9),))).fewest_accelerators
    best = evaluate(base.with_columns({"memory_usable": array(160e9)})).values["fewest_accelerators"]
    assert (float(found.low), float(found.value), float(found.high)) == (float(best), math.inf, math.inf)


def test_a_quantity_that_is_nothing_stays_nothing() -> None:
    """No share of the hosts is no number to take a ratio to; what rests on it is."""
    base = case_of(params=7e9, count=8, mfu=0.4).with_columns(
        {"host_share": array(0.0), "floor_share": array(1.0)}
    )
    found = with_ranges(replace(base, unknowns=(one("host_share", 0.0, 0.25),)))
    assert (float(found.host_share.low), float(found.host_share.high)) == (0, 0)
    assert ratios(found, "power") == pytest.approx((1.0, 1.25), rel=1e-12)


def test_a_quantity_that_is_not_known_has_no_ends() -> None:
    base = case_of(params=7e9, count=8, mfu=0.4).with_columns({"price": array(math.nan)})
    found = with_ranges(base)
    assert all(math.isnan(float(end)) for end in (found.cost.low, found.cost.value, found.cost.high))


def test_cards_are_counted_whole_at_both_ends() -> None:
    base = case_of(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048)
    usable = float(base.columns["memory_usable"])
    found = with_ranges(replace(base, unknowns=(one("memory_usable", usable * 0.63, usable * 1.41),)))
    shares = np.array([1.41, 1.0, 0.63])
    few_cards = evaluate(base.with_columns({"memory_usable": usable * shares})).values["fewest_accelerators"]
    amount = found.fewest_accelerators
    assert [float(amount.low), float(amount.value), float(amount.high)] == pytest.approx(
        list(few_cards), abs=1
    )
    assert all(float(end) == round(float(end)) for end in (amount.low, amount.value, amount.high))
    assert float(amount.low) < float(amount.value) < float(amount.high)


@pytest.mark.parametrize("seq", [33554, 2048, 16384])
def test_a_range_that_ends_on_whole_cards_has_none_added_by_rounding(seq: int) -> None:
    """With one unknown both ends are what its ends give, cards and all: logarithms and roots add no card."""
    base = case_of(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048, seq=seq)
    (memory,) = (unknown for unknown in base.unknowns if unknown.name == "memory_usable")
    found = with_ranges(replace(base, unknowns=(memory,))).fewest_accelerators
    ends = [
        evaluate(base.with_columns(end)).values["fewest_accelerators"] for end in (memory.high, memory.low)
    ]
    assert (float(found.low), float(found.high)) == (float(ends[0]), float(ends[1]))


def test_a_range_between_whole_numbers_ends_on_the_next_ones_outwards() -> None:
    """Two unknowns together lead to ends that are no whole numbers of cards."""
    base = case_of(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048, seq=2048, recompute="full")
    unknowns = one("memory_usable", 56e9, 104e9), one("optimizer_master", 0.0, 8.0)
    case = replace(base.with_columns({"memory_usable": array(80e9)}), unknowns=unknowns)
    low, value, high = brute(case)["fewest_accelerators"]
    assert 0.001 < low % 1 < 0.999
    assert 0.001 < high % 1 < 0.999
    found = with_ranges(case).fewest_accelerators
    assert (float(found.low), float(found.value), float(found.high)) == (
        math.floor(low),
        value,
        math.ceil(high),
    )


@few
@given(st.floats(0.05, 0.4), st.floats(0.4, 1.0), st.floats(0.01, 1.0), st.floats(1.0, 100.0))
def test_a_wider_unknown_never_gives_a_narrower_range(
    low: float, high: float, cheap: float, dear: float
) -> None:
    narrow = moved(one("given_mfu", 0.4, 0.4), one("price", cheap, dear))
    wide = moved(one("given_mfu", low, high), one("price", cheap, dear))
    for name in ("cost", "wall_clock", "energy"):
        widths = [float(found.high[name] / found.low[name]) for found in (narrow, wide)]
        assert widths[1] >= widths[0] * (1 - 1e-9)


def drawn(case: Case, draws: int) -> Estimate:
    """Evaluate a case with its unknowns drawn at random, their ends the tenth and ninetieth percentile."""
    generator, ninetieth = np.random.default_rng(0), 1.2815515655446004
    columns: dict[str, Array] = {}
    for unknown in case.unknowns:
        away = generator.standard_normal(draws) / ninetieth  # one at an end
        for name, centre in ((name, float(case.columns[name])) for name in unknown.low):
            low, high = float(unknown.low[name]), float(unknown.high[name])
            if min(low, centre, high) > 0:
                side = np.where(away < 0, math.log(centre / low), math.log(high / centre))
                columns[name] = columns.get(name, centre) * np.exp(away * side)  # several may move one column
            else:
                assert name not in columns
                columns[name] = centre + away * np.where(away < 0, centre - low, high - centre)
    return evaluate(case.with_columns(columns))


SEVERAL = {"layout given": {"model", "stack"}, "no measured steps": {"model", "stack", "accelerator"}}


@pytest.mark.parametrize("name", SEVERAL)
def test_what_strays_of_a_step_is_one_unknown_each_on_one_column(name: str) -> None:
    unknowns = {each.name: each for each in case_of(**QUESTIONS[name]).unknowns}
    assert {each for each, unknown in unknowns.items() if "fit_slowness" in unknown.low} == SEVERAL[name]


@pytest.mark.parametrize("name", ["record", "borrowed", "mixture", "platform", *SEVERAL])
def test_the_range_is_close_to_that_of_unknowns_drawn_at_random(name: str) -> None:
    """Each end lies within 5 % of the range's width of the percentile of 20,000 draws."""
    case = case_of(**{**QUESTIONS[name], "model": "llama-65b", "params": None})
    found, samples = with_ranges(case), drawn(case, 20_000)
    for quantity in ("accelerator_hours", "wall_clock", "power", "energy", "carbon", "cost"):
        amount = found.amount(quantity)
        if math.isnan(float(amount.value)):
            continue
        low, high = np.quantile(np.broadcast_to(samples.values[quantity], 20_000), [0.1, 0.9])
        within = 0.05 * float(amount.high - amount.low)
        assert float(amount.low) == pytest.approx(low, abs=within), quantity
        assert float(amount.high) == pytest.approx(high, abs=within), quantity


def test_the_value_is_what_evaluation_alone_gives_to_the_last_bit() -> None:
    case = case_of(**QUESTIONS["borrowed"])
    found, alone = with_ranges(case), evaluate(case)
    for name, value in alone.values.items():
        assert found.values[name] == value or math.isnan(float(value)), name
    assert found.case is case
    assert {name: list(parts) for name, parts in found.parts.items()} == {
        name: list(parts) for name, parts in alone.parts.items()
    }


# The count that a deadline needs.


def slower(**question: Any) -> Case:
    """A question without a count whose efficiency falls with it, by the exponent given; eight cards a node."""
    exponent = question.pop("exponent")
    asked = {
        "params": 7e9,
        "tokens": "1T",
        "on": "nvidia-h100-sxm-80gb",
        "mfu": 0.4,
        "goodput": 1,
        **question,
    }
    law = {"efficiency_coefficient": array(1.0), "efficiency_exponent": array(exponent)}
    return case_of(**asked).with_columns(law)


LATE = "no count finishes in that time: more accelerators hardly shorten the run"


def time_on(case: Case, nodes: float) -> float:
    count = case.columns["per_node"] * nodes
    return float(evaluate(case.with_columns({"count": count})).values["wall_clock"])


def fewest_nodes(case: Case) -> int:
    """Try one node after the other, all of them at once."""
    counts = 8.0 * np.arange(1, 50_000)
    found = evaluate(case.with_columns({"count": counts}))
    enough = (found.values["wall_clock"] <= case.columns["within"]) & (
        counts >= found.values["fewest_accelerators"]
    )
    return int(np.argmax(enough)) + 1 if np.any(enough) else 0


@pytest.mark.parametrize("exponent", [0.0, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("within", ["3 days", "30 days", "900 days"])
def test_the_count_is_the_first_that_finishes(exponent: float, within: str) -> None:
    case = slower(exponent=exponent, within=within)
    found = sized(case)
    assert float(found.columns["count"]) == 8 * fewest_nodes(case) > 0
    assert LATE not in found.notes


def test_a_falling_efficiency_takes_more_than_one_round() -> None:
    """What one round asks for, at the efficiency of one node, is not enough."""
    case = slower(exponent=0.2, within="3 days")
    once = math.ceil(time_on(case, 1) / (3 * DAY))
    assert once > 1
    assert time_on(case, once) > 3 * DAY
    nodes = float(sized(case).columns["count"]) / 8
    assert nodes > once
    assert time_on(case, nodes) <= 3 * DAY < time_on(case, nodes - 1)


@pytest.mark.parametrize("exponent", [1.0, 1.01])
def test_where_no_count_is_enough_the_answer_says_so(exponent: float) -> None:
    """At an exponent of one the time is the same on any count."""
    case = slower(exponent=exponent, within="200 days")
    assert time_on(case, 1) > 200 * DAY
    found = sized(case)
    assert found.notes[-1] == LATE
    assert found.notes[:-1] == case.notes
    assert float(evaluate(found).values["wall_clock"]) > 200 * DAY
    assert float(found.columns["count"]) % 8 == 0


def test_a_platform_that_loses_too_much_says_so_in_its_answer(tmp_path: Any) -> None:
    """Two stated efficiencies whose power law has an exponent of one: 0.8 on 100 cards, 0.08 on 1,000."""
    folder = tmp_path / "platforms"
    folder.mkdir()
    figure = 'efficiency_{} = {{ value = "{}", source = "page", where = "p. 1", kind = "stated" }}\n'
    (folder / "toy.toml").write_text(
        'name = "Toy"\naliases = []\n\n[sources.page]\ntitle = "Page"\npublisher = "Toys"\n\n[figures]\n'
        + figure.format(100, "80 %") + figure.format(1000, "8 %"),
        encoding="utf-8",
    )  # fmt: skip
    presets = Presets([tmp_path])
    question = {"params": 65e9, "on": "a100", "platform": "toy", "within": "30 days"}
    found = ask(Run.read(question, presets), presets)
    assert LATE in found.case.notes
    assert float(found.wall_clock.value) > 30 * DAY


def test_a_count_that_is_given_stays() -> None:
    case = case_of(params=7e9, count=12)
    assert float(sized(case).columns["count"]) == 12
    given = replace(case, free=frozenset[str]())
    assert sized(given) is given


def test_a_count_that_was_found_says_how() -> None:
    found = sized(slower(exponent=0.0, within="30 days"))
    origin = found.origins["count"]
    assert (origin.kind, origin.option) == ("derived", "--count")
    assert origin.reason == "whole nodes that finish in time and hold the model"


def test_memory_may_ask_for_more_than_time() -> None:
    # 16 x 65e9 = 1.04e12 bytes over cards of some 80 GiB: more than one node, however long it may take.
    case = case_of(params=65e9, tokens="1M", within="300 days", on="nvidia-h100-sxm-80gb")
    found = evaluate(sized(case))
    count = float(found.case.columns["count"])
    assert 8 < float(found.values["fewest_accelerators"]) <= count
    assert found.values["wall_clock"] < 3 * DAY
    assert bool(found.fits)
    fewer = evaluate(sized(case.with_columns({"count": array(count - 8)})))
    assert float(fewer.values["fewest_accelerators"]) > count - 8
    assert not bool(fewer.fits)


def test_where_no_number_holds_it_time_alone_counts() -> None:
    found = sized(case_of(model="llama-7b", tokens="1B", within="30 days", on="nvidia-rtx-3090", seq=2**20))
    assert math.isinf(float(evaluate(found).values["fewest_accelerators"]))
    assert math.isfinite(float(found.columns["count"]))
    assert float(evaluate(found).values["wall_clock"]) <= 30 * DAY


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_each_cell_of_a_grid_of_deadlines_finds_its_own_count(shape: tuple[int, ...]) -> None:
    base = slower(exponent=0.2, within="30 days")
    if len(shape) > 1:  # layouts are found for questions in a row
        base = replace(base, free=frozenset[str]())
    deadlines = np.array([3 * DAY, 30 * DAY, 900 * DAY]).reshape(shape)
    found = sized(base.with_columns({"within": deadlines}))
    for place in np.ndindex(shape):
        alone = sized(base.with_columns({"within": array(deadlines[place])}))
        assert np.asarray(found.columns["count"])[place] == alone.columns["count"]


def test_a_deadline_is_met_by_the_value_and_not_by_the_slow_end() -> None:
    found = ask(Run.read({"params": 7e9, "within": "3 days"}, PRESETS), PRESETS)
    assert float(found.wall_clock.value) <= 3 * DAY < float(found.wall_clock.high)


# The rent behind a cost.

HEADER = "provider,price,unit,plan,statistic,as_of,source,where\n"
CHIP = """name = "Toy chip"
aliases = []
vendor = "Toys"
family = "toys"
architecture = "toy"

[sources.sheet]
title = "Sheet"
publisher = "Toys"

[figures]
memory = { value = "80 GiB", source = "sheet", where = "p. 1", kind = "stated" }
peak_bf16 = { value = "100 TFLOP/s", source = "sheet", where = "p. 1", kind = "stated" }
power = { value = "500 W", source = "sheet", where = "p. 1", kind = "stated" }
"""
NODE = """name = "Toy node"
aliases = []
accelerator = "toys-toy"
provider = "Sky"

[sources.sheet]
title = "Sheet"
publisher = "Toys"

[figures]
accelerators = { value = 4, source = "sheet", where = "p. 2", kind = "stated" }
"""
LISTS = """[sources.one]
title = "One list"
publisher = "Sky"

[sources.two]
title = "Another list"
publisher = "Ground"
"""


def offer(price: str, as_of: str = "2025", provider: str = "Sky", source: str = "one") -> str:
    return f"{provider},{price},USD/accelerator/hour,on-demand,list,{as_of},{source},p. 1\n"


def rented(folder: Path, *rows: str, **question: Any) -> Estimate:
    """Ask about a toy chip with these offers on record."""
    for name, text in (
        ("accelerators/toys-toy.toml", CHIP), ("nodes/toy-node.toml", NODE), ("prices/sources.toml", LISTS),
        ("prices/rent/toys-toy.csv", HEADER + "".join(rows)),
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    presets = Presets([folder])
    asked = {"params": 1e9, "tokens": 1e9, "mfu": 0.4, "on": "toys-toy", "count": 8, **question}
    return ask(Run.read(asked, presets), presets)


def hourly(found: Estimate) -> list[float]:
    return [float(end) * 3600 for end in (found.price.low, found.price.value, found.price.high)]


def test_three_offers_have_their_own_spread(tmp_path: Path) -> None:
    # Tenth and ninetieth percentile of 1, 2, 4 by linear interpolation: 1 + 0.2 x 1 and 2 + 0.8 x 2.
    found = rented(tmp_path, offer("4"), offer("1"), offer("2"))
    assert hourly(found) == pytest.approx([1.2, 2, 3.6])
    figure = found.case.origins["price"].figure
    assert figure is not None
    assert figure.text == "2 USD/gpu/hour"
    assert figure.where == "3 offers of 2025 by Sky"
    assert found.case.origins["price"].reason == "median of 3 on-demand offers of 2025"


@pytest.mark.parametrize(("prices", "middle"), [(["2"], 2.0), (["1.9", "2.1"], 2.0)])
def test_one_or_two_offers_have_at_least_the_usual_spread(
    tmp_path: Path, prices: list[str], middle: float
) -> None:
    usual = PRESETS.load("assumptions", "defaults").figures["price_spread"]
    assert usual.low is not None
    assert usual.high is not None
    found = rented(tmp_path, *(offer(price) for price in prices))
    assert hourly(found) == pytest.approx([middle * usual.low, middle, middle * usual.high])


def test_three_offers_close_together_are_enough_to_say_so(tmp_path: Path) -> None:
    assert hourly(rented(tmp_path, offer("1.9"), offer("2"), offer("2.1"))) == pytest.approx([1.92, 2, 2.08])


@pytest.mark.parametrize(
    ("own", "kin", "year", "price"),
    [
        (["2021"], ["2024"], 2024, 9),  # the family has the year asked
        (["2021"], ["2024"], 2021, 1),
        (["2021"], ["2024"], 2022, 1),  # the chip's own is nearer
        (["2021"], ["2024"], 2023, 9),
        (["2020", "2025"], ["2023"], 2025, 1),  # the nearest of its years counts
        (["2022"], ["2024"], 2023, 1),  # as near: its own
        (["2021"], ["2024"], None, 1),  # no year is asked: its own
        ([], ["2024"], None, 9),
    ],
)
def test_the_family_stands_in_where_it_is_nearer_to_the_year(
    tmp_path: Path, own: list[str], kin: list[str], year: int | None, price: float
) -> None:
    family = tmp_path / "prices" / "rent" / "toys.csv"
    family.parent.mkdir(parents=True)
    family.write_text(HEADER + "".join(offer("9", each) for each in kin), encoding="utf-8")
    found = rented(tmp_path, *(offer("1", each) for each in own), year=year)
    assert hourly(found)[1] == pytest.approx(price)
    told = "those of its family toys" in found.case.origins["price"].reason
    assert told is (price == 9)


def test_two_offers_far_apart_keep_their_own_spread(tmp_path: Path) -> None:
    assert hourly(rented(tmp_path, offer("1"), offer("9"))) == pytest.approx([1.8, 5, 8.2])


def test_a_provider_that_lists_a_machine_often_counts_once(tmp_path: Path) -> None:
    """Of the offers the median is 2, of the providers' medians (2, 5, 8) it is 5, from 2.6 to 7.4."""
    listed = [offer(price) for price in ("1", "2", "2", "2", "3")]
    found = rented(tmp_path, *listed, offer("5", provider="Ground"), offer("8", provider="Sea"))
    assert hourly(found) == pytest.approx([2.6, 5, 7.4])
    origin = found.case.origins["price"]
    assert origin.reason == "median of the medians of 3 providers, 7 on-demand offers of 2025"
    assert origin.figure is not None
    assert origin.figure.where == "7 offers of 2025 by Ground, Sea, Sky"


def test_two_providers_have_at_least_the_usual_spread(tmp_path: Path) -> None:
    usual = PRESETS.load("assumptions", "defaults").figures["price_spread"]
    found = rented(tmp_path, offer("1"), offer("2"), offer("3"), offer("2", provider="Ground"))
    assert hourly(found) == pytest.approx([2 * (usual.low or 0), 2, 2 * (usual.high or 0)])


def test_offers_that_name_no_provider_count_each(tmp_path: Path) -> None:
    found = rented(tmp_path, *(offer(price, provider="") for price in ("1", "2", "9")), offer("8"))
    assert hourly(found)[1] == pytest.approx(5)
    assert found.case.origins["price"].reason == "median of 4 on-demand offers of 2025"


def test_two_are_offers_and_one_is_the_one(tmp_path: Path) -> None:
    two = rented(tmp_path, offer("1"), offer("3")).case.origins["price"].reason
    assert two == "median of 2 on-demand offers of 2025"
    assert rented(tmp_path, offer("1")).case.origins["price"].reason == "the one on-demand offer of 2025"


def test_offers_of_several_lists_name_them_all(tmp_path: Path) -> None:
    found = rented(tmp_path, offer("1"), offer("2", provider="Ground", source="two"), offer("3", provider=""))
    figure = found.case.origins["price"].figure
    assert figure is not None
    assert figure.where == "3 offers of 2025 by Ground, Sky, unnamed"
    assert figure.source.cite() == 'Recorded offers, "Ground, Another list; Sky, One list"'


def test_offers_of_one_list_cite_that_list(tmp_path: Path) -> None:
    figure = rented(tmp_path, offer("1"), offer("2")).case.origins["price"].figure
    assert figure is not None
    assert figure.source.cite() == 'Sky, "One list"'


@pytest.mark.parametrize(
    ("year", "price"),
    [(None, 3), (2025, 3), (2024, 3), (2023, 2), (2022, 2), (2021, 1), (2010, 1), (2040, 3)],
)
def test_the_nearest_year_counts_and_of_two_the_newer(tmp_path: Path, year: int | None, price: float) -> None:
    offers = offer("1", "2021"), offer("2", "2023-06"), offer("3", "2025-11-02")
    assert hourly(rented(tmp_path, *offers, year=year))[1] == pytest.approx(price)


def test_the_cloud_of_the_node_is_the_one_that_bills(tmp_path: Path) -> None:
    offers = offer("5"), offer("1", provider="Ground", source="two")
    found = rented(tmp_path, *offers, on=None, count=None, nodes=2, node="toy-node")
    assert hourly(found)[1] == pytest.approx(5)
    assert found.case.origins["price"].reason == "the one on-demand offer of Sky of 2025"
    # Of a cloud that offers none the others' are taken.
    others = rented(tmp_path, offers[1], on=None, count=None, nodes=2, node="toy-node")
    assert hourly(others)[1] == pytest.approx(1)


@pytest.mark.parametrize("price", ["0", "-1"])
def test_a_recorded_rent_is_more_than_zero(tmp_path: Path, price: str) -> None:
    with pytest.raises(EstimatorError, match="a recorded rent is more than zero and per accelerator"):
        rented(tmp_path, offer(price))


# What only the count can show.


def notes(**question: Any) -> list[str]:
    """What an answer notes beside what its case did."""
    run = Run.read({"params": 7e9, "tokens": "1T", "on": "a100", "mfu": 0.4, **question}, PRESETS)
    return [note for note in ask(run, PRESETS).case.notes if note not in lower(run, PRESETS).notes]


@pytest.mark.parametrize(
    ("batch", "micro_batch", "idle"),
    [(512, 1, False), (511, 1, True), (1024, 2, False), (1023, 2, True), (None, 1, False)],
)
def test_a_batch_too_small_for_the_count_is_noted(batch: int | None, micro_batch: int, idle: bool) -> None:
    found = notes(count=512, global_batch=batch, micro_batch=micro_batch)
    assert bool(found) is idle
    if idle:
        (note,) = found
        assert f"no layout tried shares out {batch:,} sequences evenly among all" in note


def test_a_count_that_nobody_has_is_noted() -> None:
    largest = float(case_of(params=7e9, count=8).columns["largest_run"])
    assert notes(count=largest, global_batch=largest) == []
    (note,) = notes(count=largest + 1, global_batch=largest + 1)
    assert f"{largest + 1:,.0f} accelerators are more than any run on record has used" in note
    assert f"about {largest:,.0f}" in note


def test_a_count_that_was_found_may_be_one_that_nobody_has() -> None:
    idle, nobody = notes(params=1e13, tokens="200T", within="30 days", goodput=1)
    assert "accelerators are idle" in idle
    assert "more than any run on record" in nobody


def test_accelerators_beside_whole_replicas_are_told() -> None:
    # 1,021 is a prime: 127 replicas of eight are 1,016.
    assert notes(params=70e9, tokens="1.4T", on="h100", count=1021) == [
        "5 of 1,021 accelerators are idle: the rest make up 127 replicas of 8"
    ]
    assert ask(Run(params=70e9, on="h100", count=1021)).case.words["sharding"].endswith("data 127, ZeRO-1")


# Asking.


def test_asking_is_lowering_sizing_and_ranging() -> None:
    run = Run.read({"params": 7e9, "within": "30 days"}, PRESETS)
    asked, built = ask(run, PRESETS), with_ranges(sized(lower(run, PRESETS)))
    for name in built.values:
        for one, other in ((asked.low, built.low), (asked.values, built.values), (asked.high, built.high)):
            assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-15, nan_ok=True), name
    assert list(asked.case.columns) == list(built.case.columns)


def test_asking_without_presets_takes_those_of_the_house() -> None:
    run = Run(params=7e9, count=8, price="2 USD/gpu/hour")
    assert ask(run).values["cost"] == ask(run, PRESETS).values["cost"]
