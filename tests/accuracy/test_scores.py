"""Scores, aims and verdicts by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimator.arrays import array

from .by_hand import kept, made, scores

from accuracy import figures, ranges_tables, statistics  # isort: skip
from accuracy.scores import BASELINE, OURS, SPREADSHEET, Scores, middling, picked  # isort: skip


# Scores, aims and verdicts.


def test_scores_by_hand() -> None:
    # Errors +10 %, -20 %, 0, +50 %; ranges of 0.9 to 1.1 hold the first (110 * 0.9 = 99) and the third.
    found = scores([110, 80, 100, 150], [100, 100, 100, 100])
    np.testing.assert_allclose(found.error, [0.1, -0.2, 0.0, 0.5])
    np.testing.assert_array_equal(found.inside, [True, False, True, False])
    assert found.cells() == ["4", "15.0 %", "20.0 %", "+5.0 %", "2 of 4", "1.22"]
    assert middling(found) == "15.0 / 20.0 %"
    assert found.pick([True, False, False, True]).cells()[0] == "2"
    assert found.at(np.array([3, 3])).error.tolist() == [0.5, 0.5]
    assert statistics.worst(found, 2) == [(3, pytest.approx(0.5)), (1, pytest.approx(-0.2))]
    assert scores([1], [1], low=1.0, high=1.0).cells()[4:] == ["", ""]


def test_the_interval_score_is_the_width_and_ten_times_what_lies_outside() -> None:
    found = scores([100.0, 100.0], [100.0, 121.0])
    width = np.log(1.1 / 0.9)
    assert found.interval == pytest.approx(width + 0.5 * 10 * np.log(1.1))


def test_the_ends_of_a_range_are_inside_it() -> None:
    one = array([1.0, 2.0])
    assert Scores(one, one, one * 2, one).inside.all()
    assert Scores(one, one / 2, one, one).inside.all()


def test_a_group_without_rows_is_left_out() -> None:
    assert list(picked({OURS: scores([1], [1])}, {"some": [True], "none": [False]})) == ["some"]


@pytest.mark.parametrize(("size", "ends"), [(20, (12, 19)), (1, (0, 1)), (606, (465, 504))])
def test_chance_lets_a_range_of_four_in_five_hold_so_many(size: int, ends: tuple[int, int]) -> None:
    """20: 12 to 19, by the sums of the binomial distribution; 606: 484.8 -+ 1.96 x 9.85."""
    assert ranges_tables.interval(size) == ends


@pytest.mark.parametrize(
    ("aim", "text", "reached"),
    [
        (figures.Aim(0.2, 0.3), "20 / 30 %", "yes"),
        (figures.Aim(0.1, 0.3), "10 / 30 %", "mean only"),
        (figures.Aim(0.2, 0.1), "20 / 10 %", "median only"),
        (figures.Aim(0.035), "3.5 / - %", "no"),
        (figures.Aim(None, 0.25), "- / 25 %", "yes"),
        (figures.Aim(), "", ""),
    ],
)
def test_an_aim_is_reached_where_the_error_is_no_larger(aim: figures.Aim, text: str, reached: str) -> None:
    found = scores([115, 80, 100, 150], [100, 100, 100, 100])  # median 17.5 %, mean 21.25 %
    assert (aim.write(), aim.reached(found)) == (text, reached)


def test_a_line_counts_configurations_once_and_rows_all() -> None:
    rows = made([100, 100, 100], config_group=["x", "x", "y"])
    own = replace(kept(rows, [110, 150, 130], [200, 200, 200]), median=np.array([True, False, True]))
    assert figures.line("name", own, figures.Aim(0.3)) == [
        "name", "2 (3)", "20.0 / 20.0 %", "30.0 / 30.0 %", "100.0 / 100.0 %", "100.0 / 100.0 %", "30 / - %", "yes",
    ]  # fmt: skip


def test_points_of_scaling_are_counted_on_both_sides() -> None:
    found = figures.points_line(np.array([0.9, 0.97]), np.array([0.94, 0.85]))
    assert found[1:] == [
        "2 series", "1 within 5 points, median 8.0 points", "", "1 within 5 points, median 6.5 points", "",
        "within 5 points", "no",
    ]  # fmt: skip


def verdict(ours: list[float], theirs: list[float]) -> str:
    ones = [1.0] * len(ours)
    methods = {OURS: scores(ours, ones), BASELINE: scores(theirs, ones), SPREADSHEET: scores(theirs, ones)}
    return statistics.verdicts({"rows": methods})[2].split("|")[3].strip(" *")


def test_a_verdict_is_better_or_worse_only_where_the_interval_leaves_out_zero() -> None:
    near, far = [1.01 + 0.001 * n for n in range(20)], [1.5 + 0.001 * n for n in range(20)]
    assert verdict(near, far) == "better"
    assert verdict(far, near) == "worse"
    assert verdict(near, near) == "only equal"
    assert verdict([*near[:11], *far[:9]], [*far[:9], *near[:11]]) == "only equal"


def test_the_interval_of_a_sure_difference_is_a_point_and_of_any_the_same_each_time() -> None:
    assert statistics.difference(np.full(9, 0.1), np.full(9, 0.3)) == pytest.approx((-0.2, -0.2))
    rows = np.linspace(0, 1, 30), np.linspace(0.5, 0.9, 30)
    assert statistics.difference(*rows) == statistics.difference(*rows)
    low, high = statistics.difference(*rows)
    assert low < float(np.median(rows[0]) - np.median(rows[1])) < high
