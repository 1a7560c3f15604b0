"""Fits of the laws of scaling at their edges: empty columns, shares of one, near counts, laws that say nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from estimator.arrays import Array, array
from estimator.formulas.fits import (
    LAWS,
    Floats,
    Law,
    distinct,
    fit_amdahl,
    fit_gustafson,
    fit_power,
    fitted,
    nonnegative_least_squares,
    sound,
)

NOTHING = np.zeros(0)


def made(name: str, low: float, high: float, value: float = 0.5) -> Law:
    """A law with a value of its own between two counts and 0 everywhere else."""

    def efficiency(relative_count: Array) -> Array:
        return np.where((relative_count > low) & (relative_count < high), value, 0.0)

    return Law(name, name, efficiency, (), lambda count, kept: NOTHING)


# Least squares.


def test_an_unknown_that_no_point_depends_on_is_nothing() -> None:
    found = nonnegative_least_squares(np.array([[0.0, 1.0], [0.0, 2.0]]), np.array([3.0, 6.0]))
    np.testing.assert_allclose(found, [0.0, 3.0], rtol=1e-14)


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_unknowns_of_very_different_size_are_all_found(size: float) -> None:
    found = nonnegative_least_squares(np.array([[size, 0.0], [0.0, 1.0]]), np.array([2.0 * size, 3.0]))
    np.testing.assert_allclose(found, [2.0, 3.0], rtol=1e-14)


# Single laws.


@pytest.mark.parametrize("fit", [fit_amdahl, fit_gustafson])
def test_a_serial_share_is_at_most_all(fit: Callable[[Array, Array], Floats]) -> None:
    """Ten accelerators that do less than one: no share of the work explains it."""
    assert fit(array([10.0]), array([0.01])).tolist() == [1.0]
    assert fit(array([10.0]), array([0.2]))[0] < 1.0


def test_the_power_law_is_found_from_counts_that_lie_close() -> None:
    counts = np.array([1000.0, 1100.0])
    np.testing.assert_allclose(fit_power(counts, 0.9 * counts**-0.1), [0.9, 0.1], rtol=1e-9)


def test_the_power_law_of_one_count_is_a_constant() -> None:
    coefficient, exponent = fit_power(array([1000.0]), array([0.92]))
    assert exponent == 0.0
    assert coefficient == pytest.approx(0.92)


# Laws together.


def test_where_scale_takes_nothing_more_only_the_constant_is_sound() -> None:
    """The power law with exponent 0 fits to the last bits; the others are beaten by a constant."""
    points = array([1000.0, 10000.0]), array([0.9, 0.9])
    assert [law.name for law in sound(fitted(*points), *points)] == ["power"]


def test_where_a_constant_beats_every_law_all_are_kept() -> None:
    points = array([10.0, 1000.0]), array([0.5, 0.9])
    amdahl, universal = (next(law for law in LAWS if law.name == name) for name in ("amdahl", "universal"))
    fits = fitted(*points, laws=(amdahl, universal))
    assert sound(fits, *points) == fits


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        (1.9, 2.1, 2),  # twice the base is looked at
        (0.9e6, 1.1e6, 2),  # and a million times
        (1400.0, 1430.0, 2),  # and the middle between them, of thirteen
        (1.1e6, 1e9, 1),  # nothing beyond
        (1.0, 1.9, 1),
    ],
)
def test_curves_count_as_one_unless_they_differ_from_twice_to_a_million_times_the_base(
    low: float, high: float, kept: int
) -> None:
    laws = (made("flat", 0.0, 0.0), made("dented", low, high))
    assert len(distinct(dict.fromkeys(laws, NOTHING))) == kept


@pytest.mark.parametrize(("apart", "kept"), [(2e-7, 1), (2e-6, 2)])
def test_curves_that_are_a_millionth_apart_are_two(apart: float, kept: int) -> None:
    laws = (made("flat", 0.0, 0.0), made("raised", 0.0, 1e9, apart))
    assert len(distinct(dict.fromkeys(laws, NOTHING))) == kept
