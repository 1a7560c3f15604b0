"""Scores: worked by hand, and in bounded memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.scores import NAMES, OTHERS, Scores, errors_of, interval_score

ONES = np.ones(4)


def found(value: list[float], low: list[float], high: list[float], constant: list[float]) -> np.ndarray:
    return np.array([value, low, high, constant])


def filled(
    scores: Scores, measured: list[float], *more: list[float], names: list[str] | None = None
) -> Scores:
    labels = names or ["one"] * len(measured)
    scores.add(np.array(measured), found(*more), {"source": labels})
    return scores


def test_scores_by_hand() -> None:
    scores = filled(
        Scores(), [10.0, 20.0, 40.0], [11.0, 18.0, 80.0], [9.0, 15.0, 60.0], [12.0, 19.0, 90.0], [10.0, 20.0, 20.0]
    )  # fmt: skip
    score = scores.score()
    assert score
    assert score.rows == 3
    assert score.errors == pytest.approx((0.1, (0.1 + 0.1 + 1.0) / 3, 0.1))
    assert score.baseline == pytest.approx((0.0, 0.5 / 3, 0.0))
    assert score.coverage == pytest.approx(1 / 3)
    assert score.width == pytest.approx(4 / 3)  # of 4/3, 19/15 and 3/2
    missed = 10 * (math.log(20 / 19) + math.log(60 / 40))
    assert score.interval == pytest.approx(
        (math.log(12 / 9) + math.log(19 / 15) + math.log(1.5) + missed) / 3
    )


def test_bias_has_its_sign() -> None:
    assert errors_of(np.array([0.5, 0.8, 2.0]), np.ones(3)) == pytest.approx((0.5, 1.7 / 3, -0.2))


def test_without_a_baseline_there_is_none() -> None:
    score = filled(Scores(), [1.0], [1.0], [1.0], [1.0], [1.0]).score(baseline=False)
    assert score
    assert score.baseline is None


def test_no_rows_have_no_score() -> None:
    assert Scores().score() is None
    assert Scores().by("source") == {}


def test_groups_are_scored_apart_the_largest_first() -> None:
    scores = filled(
        Scores(), [1.0] * 3, [1.1, 1.4, 1.2], [1.0] * 3, [2.0] * 3, [1.0] * 3, names=["a", "b", "b"]
    )
    found = scores.by("source")
    assert list(found) == ["b", "a"]
    assert found["a"].errors.median == pytest.approx(0.1)
    assert found["b"].errors.median == pytest.approx(0.3)


def test_names_without_end_are_put_together() -> None:
    scores = Scores()
    names = [f"s{number}" for number in range(NAMES + 500)]
    ones = [1.0] * len(names)
    filled(scores, ones, ones, ones, ones, ones, names=names)
    found = scores.by("source")
    assert len(found) == NAMES + 1
    assert found[OTHERS].rows == 500


@given(st.lists(st.integers(min_value=1, max_value=40), min_size=1, max_size=30), st.integers(4, 40))
def test_memory_is_bounded_and_the_kept_rows_are_evenly_spread(pieces: list[int], most: int) -> None:
    scores, total = Scores(most), 0
    for size in pieces:
        values = [float(number + 1) for number in range(total, total + size)]
        filled(scores, values, values, values, values, values)
        total += size
    kept = np.concatenate(scores._pieces, axis=1)[0]
    assert scores.rows == total
    assert kept.size <= most
    assert kept.tolist() == [float(number + 1) for number in range(0, total, scores.thinned)]
    assert scores.thinned == 1 or 2 * kept.size >= most // 2


@given(st.floats(0.1, 10.0), st.floats(1.0, 4.0), st.floats(0.1, 10.0))
def test_a_range_that_misses_costs_more_than_its_width(low: float, wide: float, measured: float) -> None:
    score = float(interval_score(np.array([measured]), np.array([low]), np.array([low * wide]))[0])
    inside = low <= measured <= low * wide
    assert score == pytest.approx(math.log(wide), abs=1e-9) if inside else score > math.log(wide)
