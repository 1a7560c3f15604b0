"""Ends of unknowns on one axis: what each moves, what they do together, and what moves two answers alike."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimator import Presets, Run, ask
from estimator.answer import with_ranges
from estimator.arrays import array
from estimator.case import Case, Unknown
from estimator.compare import Comparison, compare, grown
from estimator.estimate import evaluate
from estimator.lower import lower
from estimator.ranges import Values, apart, around, ends, moves, points, spread, swings

PRESETS = Presets()
LN2 = math.log(2.0)


def case() -> Case:
    return lower(Run(params=7e9, on="a100", count=64), PRESETS)


def test_the_axis_holds_the_case_and_then_both_ends_of_each_unknown() -> None:
    asked = case()
    found = points(evaluate(spread(asked)).values, asked)
    for index, unknown in enumerate(asked.unknowns):
        for offset, end in ((1, unknown.low), (2, unknown.high)):
            alone = evaluate(asked.with_columns(end)).values
            for name, value in alone.items():
                np.testing.assert_equal(found[name][2 * index + offset], value)
    for name, value in evaluate(asked).values.items():
        np.testing.assert_equal(found[name][0], value)
        assert found[name].shape == (2 * len(asked.unknowns) + 1,)


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ([2.0, 1.0, 4.0], [[-LN2, LN2]]),
        ([2.0, 1.0, 4.0, 2.0, 1.0], [[-LN2, LN2], [0.0, -LN2]]),
        ([0.5, 0.25, 1.0], [[-LN2, LN2]]),
        ([2.0, math.nan, math.inf], [[0.0, math.inf]]),
        ([2.0, 0.0, math.nan], [[-math.inf, 0.0]]),
        ([0.0, 1.0, 4.0], [[0.0, 0.0]]),
        ([math.inf, 1.0, math.inf], [[0.0, 0.0]]),
        ([math.nan, 1.0, 4.0], [[0.0, 0.0]]),
        ([2.0], np.zeros((0, 2)).tolist()),
    ],
)
def test_moves(values: list[float], moved: list[list[float]]) -> None:
    found = moves(np.array(values))
    assert found.shape == (len(values) // 2, 2)
    assert found.tolist() == moved


def test_moves_keep_the_axes_of_a_grid() -> None:
    values = np.random.default_rng(0).random((2, 3, 5)) + 0.1
    found = moves(values)
    assert found.shape == (2, 3, 2, 2)
    for place in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[place], moves(values[place]))


def test_a_grid_has_its_points_on_an_axis_of_their_own() -> None:
    asked = case()
    grid = asked.with_columns({"count": np.array([[8.0, 64.0, 512.0], [16.0, 64.0, 128.0]])})
    spreads = spread(grid)
    size = 2 * len(asked.unknowns) + 1
    found = points(evaluate(spreads).values, grid)
    assert found["wall_clock"].shape == (2, 3, size)
    middle = points(evaluate(spread(asked)).values, asked)
    np.testing.assert_array_equal(found["wall_clock"][:, 1], [middle["wall_clock"]] * 2)


@pytest.mark.parametrize(
    ("moved", "low", "high"),
    [([LN2, 2 * LN2], 1.0, 4.0), ([-LN2, -2 * LN2], 0.25, 1.0), ([0.0, 0.0], 1.0, 1.0)],
)
def test_an_unknown_that_moves_one_way_counts_by_its_farther_end(
    moved: list[float], low: float, high: float
) -> None:
    assert [float(end) for end in ends(np.array([moved]))] == pytest.approx([low, high], rel=1e-12)


def test_the_swings_of_a_case_are_the_moves_of_its_quantities() -> None:
    asked = case()
    found = swings(asked)
    values = points(evaluate(spread(asked)).values, asked)
    assert set(found) == set(values)
    for name, moved in found.items():
        np.testing.assert_array_equal(moved, moves(values[name]))


def test_no_unknowns_leave_a_value_as_it_is() -> None:
    assert [float(end) for end in ends(np.zeros((0, 2)))] == [1.0, 1.0]
    assert [float(end) for end in around(np.array([44.3]))] == [44.3, 44.3]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([44.0, 43.0, 47.0], 43, 47),
        ([44.0, 43.0 + 1e-9, 47.0 - 1e-9], 43, 47),  # what rounding leaves is no accelerator more
        ([44.0, 43.0 - 1e-9, 47.0 + 1e-9], 43, 47),
        ([44.0, 42.9, 47.1], 42, 48),
        ([44.0, 44.0, math.inf], 44, math.inf),
        ([math.inf, 40.0, math.nan], 40, math.inf),
        ([math.inf, math.inf, math.inf], math.inf, math.inf),
    ],
)
def test_ends_that_count_things_are_whole(values: list[float], low: float, high: float) -> None:
    assert [float(end) for end in around(np.array(values), whole=True)] == [low, high]


def test_logarithms_and_roots_add_no_accelerator() -> None:
    """46, with ends of 45 and 47, came out as 45 to 48."""
    whole = np.arange(1.0, 300.0)
    values = np.stack(np.meshgrid(whole, whole[:40]), axis=-1).reshape(-1, 2)
    middle, away = values[:, :1] + 40.0, values[:, 1:]
    low, high = around(np.concatenate([middle, middle - away, middle + away], axis=1), whole=True)
    np.testing.assert_array_equal(low, (middle - away)[:, 0])
    np.testing.assert_array_equal(high, (middle + away)[:, 0])


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        ([[LN2, -LN2]], [[0.5, 0.25]], [[LN2 - 0.5, -LN2 - 0.25]]),
        ([[0.3, math.inf]], [[0.3, math.inf]], [[0.0, 0.0]]),  # both without limit: alike
        ([[-math.inf, 0.0]], [[-math.inf, math.inf]], [[0.0, -math.inf]]),
        ([[math.inf, math.inf]], [[1.0, -math.inf]], [[math.inf, math.inf]]),
    ],
)
def test_apart(one: list[list[float]], other: list[list[float]], left: list[list[float]]) -> None:
    found: Values = apart(np.array(one), np.array(other))
    np.testing.assert_allclose(found, left, rtol=1e-15)


def test_two_answers_that_one_unknown_leads_out_of_bounds_alike_keep_their_ratio() -> None:
    questions = [
        Run(model="llama-65b", on="nvidia-a100-sxm-80gb", count=2048, tokens=tokens) for tokens in (1e9, 2e9)
    ]
    asked = [ask(run, PRESETS).case for run in questions]
    usable = Unknown("memory_usable", {"memory_usable": array(1e9)}, {"memory_usable": array(160e9)})
    wide = [with_ranges(replace(each, unknowns=(usable,))) for each in asked]
    assert [float(each.fewest_accelerators.high) for each in wide] == [math.inf, math.inf]
    ratio = Comparison(questions, wide).ratio(1, "fewest_accelerators")
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high) == (1.0, 1.0, 1.0)


# A ratio of two counts. By hand: the step strays by 0.907 to 1.092 to the power of the root of ln(1024/64) = 1.6651.
FEW, MANY = (
    {"params": 7e9, "tokens": 1e12, "on": "a100", "count": count, "tp": 1, "pp": 1, "price": "2 USD/gpu/hour"}
    for count in (64, 1024)
)
STRAY = PRESETS.load("calibrations", "scaling").figures["scaling_stray"]


def test_what_a_step_takes_of_more_accelerators_strays_by_their_growth() -> None:
    few, many = (ask(Run.read(question, PRESETS), PRESETS).case for question in (FEW, MANY))
    moved = swings(many)
    power = math.sqrt(math.log(16.0))
    assert STRAY.low is not None
    assert STRAY.high is not None
    ends = [-power * math.log(STRAY.high), -power * math.log(STRAY.low)]
    assert grown(few, many, moved["step_time"]) == pytest.approx(np.array([ends]))
    assert grown(few, many, moved["throughput"]) == pytest.approx(-np.array([ends]))
    assert grown(many, few, swings(few)["step_time"]) == pytest.approx(-np.array([ends]))
    for name in ("memory", "flops", "parameters", "scaling_efficiency"):
        assert grown(few, many, moved[name]) == pytest.approx(np.zeros((1, 2)), abs=1e-12)


def test_the_same_count_and_a_given_step_do_not_stray() -> None:
    case = ask(Run.read(MANY, PRESETS), PRESETS).case
    assert not grown(case, case, swings(case)["step_time"]).any()
    given = ask(Run.read({**MANY, "mfu": 0.4}, PRESETS), PRESETS).case
    assert not grown(case, given, swings(given)["step_time"]).any()


def test_the_ratio_of_two_counts_is_not_surer_than_measured_series_are() -> None:
    ratio = compare([FEW, MANY], PRESETS).ratio(1, "throughput_per_accelerator")
    assert ratio is not None
    assert STRAY.low is not None
    assert ratio.low / ratio.value <= STRAY.low ** math.sqrt(math.log(16.0))
