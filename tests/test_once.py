"""What is worked out once: the record keeps it, for the same arguments and for no others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estimator.arrays import Array
from estimator.breakdown import Breakdown
from estimator.formulas.example import example_job
from estimator.formulas.layout import data_parallel
from estimator.formulas.stages import dense_share
from estimator.once import once


class _Two(NamedTuple):
    one: Array
    other: Array


class Two(_Two):
    """A record with room for what is worked out of it."""


def test_a_formula_runs_once_for_the_same_arguments() -> None:
    runs: list[float] = []

    @once
    def total(two: Two, factor: Array) -> Array:
        runs.append(float(factor))
        return (two.one + two.other) * factor

    two, three, four = Two(np.float64(1), np.float64(2)), np.array(3.0), np.array(4.0)
    assert [float(total(two, factor)) for factor in (three, four, three, three)] == [9.0, 12.0, 9.0, 9.0]
    assert runs == [3.0, 4.0]
    # An equal array is another argument, and another record keeps its own.
    assert float(total(two, np.array(3.0))) == 9.0
    assert float(total(two._replace(one=np.float64(2)), three)) == 12.0
    assert runs == [3.0, 4.0, 3.0, 3.0]


def test_arguments_that_are_gone_are_not_taken_for_new_ones() -> None:
    @once
    def first(two: Two, other: Array) -> Array:
        return two.one + other

    two = Two(np.float64(1), np.float64(2))
    # Each array could stand where the one before stood, had that not been kept.
    assert [float(first(two, np.array(float(number)))) for number in range(50)] == list(range(1, 51))


def test_a_changed_record_works_out_its_own() -> None:
    layout = example_job(count=8).layout
    assert float(data_parallel(layout)) == 8.0
    assert float(data_parallel(layout._replace(tp=np.float64(2)))) == 4.0


def test_plain_numbers_are_known_by_their_value() -> None:
    layout = example_job(count=8, zero=2).layout
    assert [float(dense_share(layout, least)) for least in (1.0, 2.0, 3.0, 1.0)] == [0.125, 0.125, 1.0, 0.125]
    assert dense_share(layout, 2.0) is dense_share(layout, float("2"))


def test_the_total_of_a_breakdown_is_summed_once() -> None:
    parts = Breakdown({"one": np.array([1.0, 2.0]), "other": np.array([3.0, 4.0])})
    assert parts.total is parts.total
    assert np.asarray(parts.total).tolist() == [4.0, 6.0]


def test_what_is_picked_of_breakdowns_adds_up_to_what_is_picked_of_their_totals() -> None:
    small, large = (Breakdown({"one": np.array(size), "other": np.array([0.1, 0.2])}) for size in (0.3, 0.7))
    picked = Breakdown.picked(np.array([1.0, 0.0]), (small, large)).beside({"more": np.array(0.05)})
    assert {name: np.asarray(part).tolist() for name, part in picked.parts.items()} == {
        "one": [0.7, 0.3],
        "other": [0.1, 0.2],
        "more": 0.05,
    }
    # To the last bit: 0.7 + 0.1 + 0.05 and 0.3 + 0.2 + 0.05, in that order.
    assert np.asarray(picked.total).tolist() == [0.7 + 0.1 + 0.05, 0.3 + 0.2 + 0.05]
    assert np.array_equal(picked.total, Breakdown(dict(picked.parts)).total)
