"""Draws of all unknowns: by hand, against the default range, and whatever may not change them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from estimator import EstimatorError, Presets, Run, Sample, ask, sample
from estimator.answer import with_ranges
from estimator.arrays import array
from estimator.case import Case, Unknown
from estimator.estimate import STEPS, Estimate
from estimator.kinds import RUN
from estimator.samples import draws
from estimator.samples.draws import drawn, normal_draws
from tests.samples.questions import QUESTIONS, case_of, one

PRESETS = Presets()
ROW = np.array([[-1.2815515655446004, 0.0, 1.2815515655446004]])


@cache
def answered(name: str) -> tuple[Estimate, Sample]:
    estimate = ask(Run(**QUESTIONS[name]), PRESETS)
    return estimate, sample(estimate.case)


# By hand.


def test_one_unknown_gives_its_own_percentiles() -> None:
    """Rent is in proportion to a price of 1 to 4 around 2: percentiles of the price are those of the cost.

    Of 4,096 even points the tenth in a hundred has 410 points at most below it: at most one place from the exact one.
    """
    case = case_of("layout", one("price", 1.0, 2.0, 4.0))
    found = sample(case, 4096)
    cost = found.percentiles("cost", (10, 50, 90)) / found.percentiles("occupied_hours", (50,))
    np.testing.assert_allclose(cost, [1.0, 2.0, 4.0], rtol=2e-3)
    twentieth = 2.0 * 2.0 ** (-1.6448536269514722 / 1.2815515655446004)
    assert float(found.percentiles("cost", (5,))[0] / found.values["occupied_hours"][0]) == pytest.approx(
        twentieth, rel=3e-3
    )


def test_a_case_is_drawn_at_the_ends_of_its_unknowns() -> None:
    case = drawn(case_of("layout", one("price", 1.0, 2.0, 4.0)), ROW)
    np.testing.assert_allclose(case.columns["price"], [1.0, 2.0, 4.0], rtol=1e-14)
    assert case.unknowns == ()


def test_only_what_an_unknown_touches_gets_an_axis() -> None:
    case = case_of("size only")
    touched = {name for unknown in case.unknowns for name in unknown.low}
    for name, value in drawn(case, np.zeros((len(case.unknowns), 3))).columns.items():
        assert np.ndim(value) == 0 or name in touched, name
    assert (
        np.ndim(drawn(case, np.zeros((len(case.unknowns), 3))).columns["vocab"]) == 0
    )  # at both ends the same


def test_unknowns_of_one_column_multiply() -> None:
    """Both double the price at their high ends: 2 becomes 8; one halves it at its low end."""
    case = case_of(
        "layout", one("price", 1.0, 2.0, 4.0), Unknown("spread", *({"price": array(p)} for p in (1.0, 4.0)))
    )
    assert case.columns["price"] == 2.0
    both = drawn(case, np.concatenate([ROW, ROW])).columns["price"]
    np.testing.assert_allclose(both, [0.5, 2.0, 8.0], rtol=1e-14)


@pytest.mark.parametrize("name", ["size only", "ascend"])
def test_a_model_of_a_given_size_keeps_it_in_every_shape(name: str) -> None:
    estimate, found = answered(name)
    np.testing.assert_allclose(found.values["parameters"], estimate.values["parameters"], rtol=1e-14)
    draws = normal_draws(np.arange(64.0), range(len(estimate.case.unknowns)), 0)
    assert np.ptp(drawn(estimate.case, draws).columns["hidden"]) > 1000


def test_the_amount_is_the_median_between_the_ends() -> None:
    _, found = answered("record")
    amount = found.amount("wall_clock")
    low, middle, high = found.percentiles("wall_clock", (10, 50, 90))
    assert (amount.low, amount.value, amount.high, amount.unit) == (low, middle, high, "s")
    assert found.amount("cost").unit == "USD"
    assert low < middle < high
    np.testing.assert_array_equal(found.quantiles["wall_clock"][[1, 3, 5]], [low, middle, high])


def test_a_run_is_in_time_in_as_many_draws_as_its_percentile_says() -> None:
    _, found = answered("layout")
    late = array(found.percentiles("wall_clock", (90,))[0])
    assert float(sample(case_of("layout").with_columns({"within": late})).in_time) == pytest.approx(
        0.9, abs=1e-3
    )
    assert math.isnan(float(found.in_time))


def fits_on(room: float) -> float:
    case = case_of("layout")
    unknowns = tuple(each for each in case.unknowns if each.name == "activation_spread")
    return float(sample(replace(case, unknowns=unknowns).with_columns({"memory_usable": array(room)})).fits)


def test_a_card_holds_half_of_the_draws_where_it_holds_the_median_pressed() -> None:
    """What is allocated, its pieces of the wrong size pressed to the least, and what software takes beside it."""
    estimate, found = answered("layout")
    beside = sum(float(estimate.memory.parts[name]) for name in ("communication", "context"))
    least = 1.0 + float(estimate.case.columns["least_fragmentation"])
    assert fits_on(float(np.median(found.values["memory_allocated"])) * least + beside) == pytest.approx(
        0.5, abs=0.01
    )
    assert (fits_on(1e9), fits_on(1e13)) == (0.0, 1.0)
    assert math.isnan(fits_on(math.nan))


# Against the default range.

COMPARED = (
    "flops", "step_time", "mfu", "hfu", "throughput", "throughput_per_accelerator", "accelerator_hours",
    "occupied_hours", "wall_clock", "power", "energy", "carbon", "cost", "memory_total",
)  # fmt: skip


def test_there_are_more_than_a_dozen_questions() -> None:
    assert len(QUESTIONS) > 12


@pytest.mark.parametrize("name", QUESTIONS)
def test_ten_to_ninety_is_the_default_range_within_a_tenth_of_its_width(name: str) -> None:
    """What rounding leaves of a quantity that hardly varies is no difference: a millionth of its value."""
    estimate, found = answered(name)
    for quantity in COMPARED:
        ends, middle = estimate.amount(quantity), found.amount(quantity)
        if not math.isfinite(float(ends.value)):
            continue
        within = 0.1 * float(ends.high - ends.low) + 1e-6 * float(ends.value)
        assert float(middle.low) == pytest.approx(float(ends.low), abs=within), quantity
        assert float(middle.high) == pytest.approx(float(ends.high), abs=within), quantity


@pytest.mark.parametrize("name", QUESTIONS)
def test_memory_agrees_unless_a_full_card_presses_fragmentation(name: str) -> None:
    """Fragmentation gives way where a card is full: what one unknown at a time does not show."""
    estimate, found = answered(name)
    ends, drawn_ends = estimate.amount("memory"), found.amount("memory")
    within = 0.1 * float(ends.high - ends.low)
    full = float(ends.high) > float(estimate.memory_usable.low)
    assert float(drawn_ends.low) == pytest.approx(float(ends.low), abs=within)
    assert float(drawn_ends.high) < float(ends.high) + within
    assert full or float(drawn_ends.high) == pytest.approx(float(ends.high), abs=within)


def test_a_share_of_the_peak_is_never_more_than_all_of_it() -> None:
    case = case_of("layout")
    fast = Unknown(
        "fast", *({"fit_slowness": case.columns["fit_slowness"] * factor} for factor in (0.1, 1.1))
    )
    found = sample(replace(case, unknowns=(fast,)), 1024)
    assert float(found.values["mfu"].max()) == 1.0
    assert float(with_ranges(replace(case, unknowns=(fast,))).mfu.high) <= 1.0


# What may not change a draw.


@pytest.mark.parametrize("chunk", [1, 7, 32])
def test_no_draw_depends_on_the_size_of_the_chunks(chunk: int) -> None:
    case = case_of("size only")
    whole, parts = sample(case, 40), sample(case, 40, chunk=chunk)
    assert whole.values.keys() == parts.values.keys()
    for name, value in whole.values.items():
        np.testing.assert_array_equal(value, parts.values[name], err_msg=name)


def test_the_same_seed_gives_the_same_draws_and_another_others() -> None:
    case = case_of("record")
    one_, same, other = (sample(case, 64, seed).values["cost"] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one_, same)
    assert not np.any(one_ == other)


def test_more_draws_go_on_where_fewer_end() -> None:
    case = case_of("record")
    np.testing.assert_array_equal(sample(case, 100).values["cost"], sample(case, 256).values["cost"][:100])


@pytest.mark.parametrize("name", ["size only", "record", "consumer"])
def test_another_seed_gives_about_the_same_percentiles(name: str) -> None:
    """In logarithms, each end by less than 4 % of the range's width; of independent draws by 2 % in three of ten."""
    estimate, found = answered(name)
    other = sample(estimate.case, seed=1)
    for quantity in ("wall_clock", "cost", "energy"):
        one_, two = (np.log(each.percentiles(quantity, (10, 90))) for each in (found, other))
        np.testing.assert_allclose(one_, two, rtol=0, atol=0.04 * float(np.ptp(one_)))


def test_a_case_of_a_grid_has_the_draws_of_its_cells() -> None:
    case = case_of("record")
    tokens, counts = np.array([[1e12], [2e12]]), np.array([1024.0, 2048.0, 4096.0])
    grid = sample(case.with_columns({"tokens": tokens, "count": counts}), 128, 3)
    assert grid.percentiles("cost").shape == (2, 3, 7)
    for row, column in np.ndindex(2, 3):
        cell = {"tokens": tokens[row, 0], "count": counts[column]}
        alone = sample(case.with_columns({name: array(value) for name, value in cell.items()}), 128, 3)
        for name in ("cost", "flops", "memory"):
            np.testing.assert_array_equal(grid.values[name][row, column], alone.values[name])


def test_a_run_is_answered_first() -> None:
    run = Run(**QUESTIONS["record"])
    np.testing.assert_array_equal(
        sample(run, 16).values["cost"], sample(case_of("record"), 16).values["cost"]
    )


def test_all_draws_are_one_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []

    def seen(case: Case, wanted: Any) -> Estimate:
        shapes.append(np.broadcast_shapes(*(np.shape(value) for value in case.columns.values())))
        return RUN.evaluate(case, wanted)

    monkeypatch.setattr(draws, "kind_of_case", lambda _case: RUN._replace(evaluate=seen))
    sample(case_of("record"), wanted=("cost",))
    assert shapes == [(4096,)]


def test_every_quantity_is_there_unless_some_are_wanted() -> None:
    assert set(answered("record")[1].values) == {*(step.name for step in STEPS), "memory_usable"}
    assert set(sample(case_of("record"), 2, wanted=("cost",)).values) == {
        "cost", "memory", "memory_usable", "wall_clock"
    }  # fmt: skip


def test_without_unknowns_every_draw_is_the_estimate() -> None:
    case = replace(case_of("record"), unknowns=())
    found = sample(case, 8)
    assert found.values["cost"].tolist() == [float(found.values["cost"][0])] * 8


def test_a_quantity_without_limit_has_none() -> None:
    case = case_of("layout", one("price", 1.0, 2.0, math.inf))
    assert sample(case, 256).percentiles("cost", (25, 90)).tolist()[1] == math.inf


# Faults.


@pytest.mark.parametrize(
    ("samples", "written"),
    [
        (0, "0"),
        (-5, "-5"),
        (1e12, "1e+12"),
        (2.5, "2.5"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (2**20 + 1, "1.04858e+06"),
    ],
)
def test_a_number_of_draws_that_is_none(samples: float, written: str) -> None:
    with pytest.raises(EstimatorError) as fault:
        sample(case_of("record"), samples)
    assert str(fault.value) == (
        f"--draws: {written} is not a whole number of draws from 1 to 1,048,576; write it like 4096"
    )


@pytest.mark.parametrize(
    ("seed", "written"), [(math.nan, "nan"), (-1, "-1"), (0.5, "0.5"), (math.inf, "inf")]
)
def test_a_seed_that_is_none(seed: float, written: str) -> None:
    with pytest.raises(EstimatorError) as fault:
        sample(case_of("record"), 16, seed)
    assert str(fault.value) == f"--seed: {written} is not a whole number of 0 or more; write it like 7"


def test_a_quantity_that_there_is_not() -> None:
    with pytest.raises(
        EstimatorError, match=r"^there is no quantity 'costs'; did you mean 'cost' or 'own_cost'\?$"
    ):
        sample(case_of("record"), 16, wanted=("costs",))


def test_more_unknowns_than_the_lattice_has_dimensions() -> None:
    with pytest.raises(EstimatorError) as fault:
        sample(case_of("layout", *[one("price", 1.0, 2.0, 4.0)] * 65), 16)
    assert str(fault.value) == (
        "65 dimensions are more than the 64 that can be drawn together; a case may have that many unknowns, half as "
        "many for their sensitivity"
    )
