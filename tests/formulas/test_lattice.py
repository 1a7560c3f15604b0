"""The lattice by hand, its evenness, and its error on known integrals beside that of scipy's Sobol sequence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.formulas.lattice import DIMENSIONS, POINTS, VECTOR, lattice_points
from estimator.formulas.percentiles import NINETIETH, normal_percentile

Values = np.ndarray[Any, np.dtype[np.float64]]
qmc = pytest.importorskip("scipy.stats.qmc")


def lattice(size: int, dimensions: int, seed: int) -> Values:
    shift = np.random.default_rng(seed).random(dimensions)
    return np.asarray(lattice_points(np.arange(float(size)), np.array(VECTOR[:dimensions]), shift))


def test_points_by_hand() -> None:
    """Numbers 0, 1, 2, 3 reversed are 0, 1/2, 1/4, 3/4; times 5 and with 1/16 added 1/16, 9/16, 5/16, 13/16.

    Folded, x is 2 x below the middle and 2 - 2 x above it.
    """
    found = lattice_points(np.arange(4.0), np.array([5.0]), np.array([1 / 16]))
    assert found.tolist() == [[2 / 16, 14 / 16, 10 / 16, 6 / 16]]


def test_the_vector_is_odd_and_no_number_stands_twice() -> None:
    assert (len(set(VECTOR)), DIMENSIONS, VECTOR[0]) == (64, 64, 1)
    assert all(number % 2 == 1 and number < POINTS for number in VECTOR)


@given(st.integers(0, 14), st.integers(0, DIMENSIONS - 1))
def test_each_dimension_of_a_whole_lattice_is_even(power: int, dimension: int) -> None:
    """Before it is folded: of 2^m points one lies in each interval of length 2^-m, whatever the dimension."""
    size = 2**power
    shift = np.array([0.25 / size])
    points = lattice_points(np.arange(float(size)), np.array(VECTOR[dimension : dimension + 1]), shift)[0]
    # The fold of k / n + 1 / 4 n is 2 k / n + 1 / 2 n, or as far from 1.
    places = np.arange(size) / size + shift
    np.testing.assert_allclose(np.sort(points), np.sort(1 - np.abs(2 * places - 1)), atol=1e-15)


def test_the_last_point_and_the_faces() -> None:
    """Twenty bits, all of them 1; a point on a face is drawn away from it by less than anything counts."""
    last = 1 - 2.0**-20
    assert lattice_points(np.array([POINTS - 1.0]), np.array([1.0]), np.zeros(1))[0, 0] == 2 - 2 * last
    faces = lattice_points(np.array([0.0, 1.0]), np.array([1.0]), np.zeros(1))[0]
    assert faces.tolist() == [2.0**-53, 1 - 2.0**-53]
    assert np.isfinite(normal_percentile(faces)).all()


def product(points: Values) -> Values:
    """Integral 1: each factor is 1 on average; the later the flatter."""
    weight = 1.0 / (1.0 + np.arange(len(points)))[:, None]
    return np.prod(1.0 + weight * (points - 0.5), axis=0)


def sobol_g(points: Values) -> Values:
    """Integral 1: Sobol's g-function, whose slope breaks in the middle of every dimension."""
    weight = np.arange(len(points))[:, None]
    return np.prod((np.abs(4.0 * points - 2.0) + weight) / (1.0 + weight), axis=0)


def lognormal(points: Values) -> Values:
    """Integral 1: e^(s x - s^2 / 2) of a normal sum x of variance 1."""
    total = np.asarray(normal_percentile(points)).sum(axis=0) / math.sqrt(len(points))
    return np.exp(0.3 * total - 0.045)


def below_the_ninetieth(points: Values) -> Values:
    """Integral 1: whether a normal sum of variance 1 stays below its 90th percentile, over 0.9."""
    total = np.asarray(normal_percentile(points)).sum(axis=0) / math.sqrt(len(points))
    return (total < NINETIETH) / 0.9


@pytest.mark.parametrize("dimensions", [2, 9, 24])
@pytest.mark.parametrize("integrand", [product, sobol_g, lognormal, below_the_ninetieth])
def test_the_error_is_like_that_of_a_sobol_sequence(
    integrand: Callable[[Values], Values], dimensions: int
) -> None:
    """At most 2.5 times its root mean square over 16 seeds, and clearly below that of independent draws.

    The bound is on what 16 seeds show: 0.1 to 2.0, the largest where slopes break in every dimension.
    """
    size, seeds = 4096, range(16)
    ours = [float(integrand(lattice(size, dimensions, seed)).mean()) - 1 for seed in seeds]
    theirs = [
        float(integrand(np.clip(qmc.Sobol(dimensions, seed=seed).random(size).T, 1e-16, 1 - 1e-16)).mean())
        - 1
        for seed in seeds
    ]
    random = [
        float(integrand(np.random.default_rng(seed).random((dimensions, size))).mean()) - 1 for seed in seeds
    ]
    error, sobol, chance = (float(np.sqrt(np.mean(np.square(each)))) for each in (ours, theirs, random))
    assert error < 2.5 * sobol
    assert error < 0.8 * chance
