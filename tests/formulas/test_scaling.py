"""The laws of scaling: values worked by hand, limits, and fits that find the law that made the points."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estimator.arrays import Array, array
from estimator.formulas import scaling
from estimator.formulas.fits import LAWS, Law, curves, distinct, fitted, nonnegative_least_squares, spread

COUNTS = array([1, 2, 16, 128, 1024, 8192])
NAMES = {law.name: law for law in LAWS}
CFFF = (array([1000, 10000]), array([0.92, 0.90]))


@pytest.mark.parametrize(
    ("law", "count", "parameters", "expected"),
    [
        (scaling.amdahl_efficiency, 101, (0.01,), 1 / 2),
        (scaling.gustafson_efficiency, 10, (0.1,), 0.91),
        (scaling.universal_efficiency, 101, (0.01, 1e-4), 1 / (1 + 1 + 1.01)),
        (scaling.universal_efficiency, 101, (0.01, 0), 1 / 2),
        (scaling.all_reduce_efficiency, 4, (0.4, 0.1), 1 / (1 + 0.3 + 0.2)),
        (scaling.scaling_efficiency, 4, (0.98, 0.5), 0.49),
        (scaling.scaling_efficiency, 2, (3, 0.5), 1),
    ],
)
def test_values_worked_by_hand(
    law: Callable[..., Array], count: float, parameters: tuple[float, ...], expected: float
) -> None:
    found = law(array(count), *map(array, parameters))
    assert float(found) == pytest.approx(expected, rel=1e-14)


# By hand on 1,024 processors, the number of Gustafson's paper: 1024 / (1 + 1023 f) and 1024 - 1023 f.
@pytest.mark.parametrize(
    ("share", "fixed", "scaled"),
    [(0.0, 1024, 1024), (0.01, 91.184, 1013.77), (0.02, 47.717, 1003.54), (0.04, 24.427, 983.08)],
)
def test_speed_ups_on_1024_processors(share: float, fixed: float, scaled: float) -> None:
    count = array(1024)
    assert float(count * scaling.amdahl_efficiency(count, array(share))) == pytest.approx(fixed, abs=5e-4)
    assert float(count * scaling.gustafson_efficiency(count, array(share))) == pytest.approx(scaled, abs=5e-3)


def test_the_universal_law_has_its_best_count_where_its_page_says() -> None:
    contention, coherency = array(0.02), array(1e-4)
    counts = np.arange(1.0, 1000.0)
    best = counts[np.argmax(counts * scaling.universal_efficiency(counts, contention, coherency))]
    assert abs(best - np.sqrt((1 - 0.02) / 1e-4)) <= 1


# By hand, over the smallest scale of 8 accelerators: 128 of them grow 16-fold, sqrt(ln 16) = 1.66511.
@pytest.mark.parametrize(
    ("given", "growth", "stray", "expected"),
    [
        (np.nan, 16.0, 1.0, 0.9),
        (np.nan, 16.0, 0.9, 0.9 * 0.9**1.6651092223153954),
        (np.nan, 1.0, 0.9, 0.9),
        (np.nan, np.exp(9.0), 1.1, 0.9 * 1.1**3),
        (0.92, 16.0, 0.5, 0.92),
    ],
)
def test_kept_efficiency_worked_by_hand(given: float, growth: float, stray: float, expected: float) -> None:
    found = scaling.kept_efficiency(array(given), array(9.0), array(10.0), array(growth), array(stray))
    assert float(found) == pytest.approx(expected, rel=1e-14)


def test_one_accelerator_is_no_smaller_than_the_smallest_scale() -> None:
    assert float(scaling.strayed_efficiency(array(0.5), array(0.9))) == 1.0


def test_losses() -> None:
    lost = scaling.lost_accelerators(array(10000), array(0.9))
    assert float(lost) == pytest.approx(1000)
    assert float(scaling.lost_money(lost, array(2 / 3600), array(86400))) == pytest.approx(48000)


shares = st.floats(0.0, 1.0)
PARAMETERS = {
    "amdahl": st.tuples(shares),
    "gustafson": st.tuples(shares),
    "universal": st.tuples(shares, st.floats(0.0, 1e-3)),
    "all_reduce": st.tuples(st.floats(0.0, 10.0), shares),
    "power": st.tuples(st.floats(0.1, 1.0), shares),
}
laws = st.sampled_from(LAWS).flatmap(lambda law: st.tuples(st.just(law), PARAMETERS[law.name]))


@given(laws)
def test_every_law_falls_from_one(made: tuple[Law, tuple[float, ...]]) -> None:
    law, parameters = made
    efficiency = law.curve(COUNTS, np.array(parameters))
    assert np.all((efficiency > 0) & (efficiency <= 1))
    assert np.all(np.diff(efficiency) <= 1e-15)
    if law.through_base:
        assert float(np.ravel(efficiency)[0]) == 1.0


@given(laws)
def test_a_law_is_found_again_from_its_own_points(made: tuple[Law, tuple[float, ...]]) -> None:
    law, parameters = made
    efficiency = law.curve(COUNTS, np.array(parameters))
    fits = fitted(COUNTS, efficiency)
    probes = array([1, 4, 100, 5000, 100000])
    expected = np.broadcast_to(law.curve(probes, np.array(parameters)), probes.shape)
    np.testing.assert_allclose(law.curve(probes, fits[law]), expected, rtol=1e-6)


points = st.lists(
    st.tuples(st.integers(1, 100_000), st.floats(0.01, 1.0)), min_size=1, max_size=8
).filter(lambda found: max(count for count, _ in found) > 1)  # fmt: skip


# Counts next to each other between which nearly all is lost.
CLIFF = [(109, 1.0), (110, 0.25)]


@example(CLIFF)
@given(points)
def test_fits_to_any_points_stay_efficiencies_and_enclose_their_median(
    found: list[tuple[int, float]],
) -> None:
    counts, efficiencies = array(found).T
    fits = fitted(counts, efficiencies)
    probes = array([1, 2, 77, 4000, 1e6])
    every = curves(fits, probes)
    assert np.all((every > 0) & (every <= 1))
    assert np.all(np.diff(every, axis=1) <= 1e-12)
    low, median, high = spread(fits, probes)
    assert np.all((low <= median) & (median <= high))
    np.testing.assert_array_equal(low, every.min(axis=0))
    np.testing.assert_array_equal(high, every.max(axis=0))


@example(CLIFF)
@given(points)
def test_no_parameter_is_negative(found: list[tuple[int, float]]) -> None:
    assert all(np.all(fit >= 0) for fit in fitted(*array(found).T).values())


def test_a_law_with_more_parameters_than_points_is_not_fitted() -> None:
    assert [law.name for law in fitted(array([1000]), array([0.92]))] == ["amdahl", "gustafson"]
    # A point at the base says nothing of a law that is 1 there anyway, nor does a count that is repeated.
    same = fitted(array([1, 1000, 1000]), array([1, 0.92, 0.9]))
    assert [law.name for law in same] == ["amdahl", "gustafson", "power"]


def test_one_point_is_met_by_the_laws_of_one_parameter() -> None:
    fits = fitted(array([1000]), array([0.92]))
    np.testing.assert_allclose(curves(fits, array([1000])), [[0.92], [0.92]])


def test_least_squares_without_negatives() -> None:
    # By hand: the free solution is (2, -1); on the first column alone it is (1 * 1 + 1 * 2) / 2.
    design, target = array([[1, 1], [1, 0]]), array([1, 2])
    np.testing.assert_allclose(nonnegative_least_squares(np.asarray(design), np.asarray(target)), [1.5, 0])
    np.testing.assert_allclose(nonnegative_least_squares(np.eye(2), np.array([-1.0, -2.0])), [0, 0])


def test_two_points_of_different_counts_are_met_by_the_power_law_and_the_all_reduce() -> None:
    fits = fitted(*CFFF)
    for name in ("power", "all_reduce"):
        np.testing.assert_allclose(NAMES[name].curve(CFFF[0], fits[NAMES[name]]), CFFF[1])
    exponent = np.log10(0.92 / 0.90)
    np.testing.assert_allclose(fits[NAMES["power"]], [0.92 * 1000**exponent, exponent])


def test_the_universal_law_without_coherency_is_amdahls_and_counts_once() -> None:
    fits = fitted(*CFFF)
    assert fits[NAMES["universal"]][1] == 0
    assert NAMES["universal"] not in distinct(fits)
    every = curves(distinct(fits), array([4000]))
    assert float(spread(fits, array([4000]))[1][0]) == pytest.approx(float(np.median(every)))


def test_rising_points_fit_a_flat_power_law() -> None:
    coefficient, exponent = fitted(array([1000, 10000]), array([0.8, 0.9]))[NAMES["power"]]
    assert exponent == 0
    assert coefficient == pytest.approx(np.sqrt(0.8 * 0.9))
