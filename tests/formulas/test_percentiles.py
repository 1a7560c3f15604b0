"""Percentiles of the normal distribution against the standard library, and joined halves by hand."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.formulas.percentiles import NINETIETH, moved, normal_percentile

sizes = st.floats(0.01, 100.0)
away = st.floats(-5.0, 5.0)


def test_percentiles_are_those_of_the_standard_library() -> None:
    """Middle, tail and far tail (beyond e^-25, 1e-11) alike."""
    shares = np.concatenate(
        [
            10.0 ** np.linspace(-300, -1, 300),
            np.linspace(0.01, 0.99, 99),
            1 - 10.0 ** np.linspace(-15, -1, 99),
        ]
    )
    exact = np.array([NormalDist().inv_cdf(share) for share in shares])
    np.testing.assert_allclose(normal_percentile(shares), exact, rtol=1e-14, atol=1e-15)


def test_nothing_lies_below_the_share_of_none() -> None:
    assert normal_percentile(np.array([0.0, 1.0])).tolist() == [-math.inf, math.inf]
    assert math.isnan(float(normal_percentile(np.array(math.nan))))


def test_the_ends_of_a_range_are_the_tenth_and_the_ninetieth_percentile() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.9), rel=1e-15) == NINETIETH


@given(away, sizes, sizes, sizes, sizes)
def test_an_input_is_at_its_ends_where_its_unknown_is(
    normal: float, column: float, low: float, centre: float, high: float
) -> None:
    """What unknowns before it have made of the input is multiplied by the same factors."""
    ends = np.array([-NINETIETH, 0.0, NINETIETH])
    np.testing.assert_allclose(moved(centre, ends, low, centre, high), [low, centre, high], rtol=1e-12)
    alone, after = (moved(each, normal, low, centre, high) for each in (centre, column))
    assert after / column == pytest.approx(alone / centre, rel=1e-12)


def test_twice_as_far_out_is_the_factor_squared() -> None:
    """10 to 40 upwards is a factor of 4, and 16 at twice the distance: 160; 10 to 5 downwards 1/2, and 1/4."""
    found = moved(10.0, np.array([-2.0, 2.0]) * NINETIETH, 5.0, 10.0, 40.0)
    np.testing.assert_allclose(found, [2.5, 160.0], rtol=1e-14)


def test_an_end_of_zero_adds_and_stops_at_zero() -> None:
    """From 8 to 0 downwards, one distance reaches 0 and two would reach -8; upwards 8 to 12, two reach 16."""
    found = moved(8.0, np.array([-2.0, -1.0, 0.5, 2.0]) * NINETIETH, 0.0, 8.0, 12.0)
    np.testing.assert_allclose(found, [0.0, 0.0, 10.0, 16.0], atol=1e-14)


def test_an_input_that_may_be_negative_adds_on_both_sides() -> None:
    found = moved(1.0, np.array([-2.0, 2.0]) * NINETIETH, -1.0, 1.0, 4.0)
    np.testing.assert_allclose(found, [-3.0, 7.0], rtol=1e-14)


def test_an_unknown_without_width_moves_nothing() -> None:
    assert moved(3.0, np.linspace(-3, 3, 7), 2.0, 2.0, 2.0).tolist() == [3.0] * 7


def test_ends_that_are_not_known_leave_nothing_known() -> None:
    assert math.isnan(float(moved(np.array(math.nan), 1.0, math.nan, math.nan, math.nan)))
