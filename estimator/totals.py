"""Totals of compute (P, E, EOPS) in accelerators and back, each at a precision and by dense peaks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from . import ranges
from .arrays import Array, array
from .errors import EstimatorError
from .formulas.compute_totals import accelerators_for_compute, compute_of_accelerators
from .inputs.compute import read_compute, read_precision, without_precision
from .presets import Presets
from .provenance import Figure
from .records import Record
from .schema import PRECISIONS, peak_name
from .tuples import NamedTuple

SPARSE = (
    "peaks here are dense: many headline figures count structured sparsity, which doubles them; a total that does so "
    "is half as many accelerators"
)


class Ends(NamedTuple):
    """A value with the ends of its range."""

    value: float
    low: float
    high: float


class Total(NamedTuple):
    """So many accelerators of one kind are so much compute at a precision. [accelerator, FLOP/s]

    The side that was given has no range; that of the other is the peak's.
    """

    accelerator: Record
    precision: str
    peak: Figure
    accelerators: Ends
    compute: Ends


def accelerators_of(
    compute: str, precision: str | None, on: str | None, presets: Presets | None = None
) -> Total:
    """Return how many accelerators a total of compute is, like 20 EOPS.

    Raises
    ------
    EstimatorError
        No total, no precision, or an accelerator that is not on record or lacks a peak at that precision.

    Examples
    --------
    >>> accelerators_of("20 EOPS", "int8", "ascend-910-256t").accelerators.value
    39062.5
    """
    given = read_compute("--compute", compute)
    if precision is None:
        raise without_precision(compute)
    at = read_precision(precision)
    if on is None:
        raise EstimatorError(
            f"--compute: of which accelerator is '{compute}'? Add --on, like --on ascend-910"
        )
    record = found("--on", on, presets or Presets())
    peak = peak_at("--precision", record, at)
    needed = ranged(lambda each: accelerators_for_compute(array(given), each), peak)
    return Total(record, at, peak, needed, Ends(given, given, given))


def totals_of(count: float, record: Record) -> list[Total]:
    """Return how much compute so many accelerators are, at each precision on record, the slowest first.

    Examples
    --------
    >>> a100 = Presets().find("accelerators", "a100-sxm-80gb").record
    >>> [(total.precision, total.compute.value) for total in totals_of(10000.0, a100)][-2:]
    [('bf16', 3.12e+18), ('int8', 6.24e+18)]
    """
    peaks = [
        (name, record.figures[peak_name(name)]) for name in PRECISIONS if peak_name(name) in record.figures
    ]
    held = Ends(count, count, count)
    return [
        Total(
            record, name, peak, held, ranged(lambda each: compute_of_accelerators(array(count), each), peak)
        )
        for name, peak in peaks
    ]


def found(option: str, name: str, presets: Presets) -> Record:
    """Return the record of an accelerator, its faults told under an option."""
    try:
        return presets.find("accelerators", name).record
    except EstimatorError as error:
        raise EstimatorError(f"{option}: {error}") from None


def peak_at(option: str, record: Record, precision: str) -> Figure:
    """Return the dense peak of an accelerator at a precision.

    Raises
    ------
    EstimatorError
        None is on record; those that are, are named.
    """
    figure = record.figures.get(peak_name(precision))
    if figure is None:
        known = ", ".join(name for name in PRECISIONS if peak_name(name) in record.figures)
        raise EstimatorError(f"{option}: {record.id} has no recorded peak in {precision}; it has {known}")
    return figure


def ranged(formula: Callable[[Array], Array], figure: Figure) -> Ends:
    """Return a formula of a figure, and of the ends of its range, in order."""
    ends = (figure.value if end is None else end for end in (figure.low, figure.high))
    value, *others = (float(formula(array(each))) for each in (figure.value, *ends))
    return Ends(value, min(value, *others), max(value, *others))


def ratio_of(one: Figure, other: Figure) -> Ends:
    """Return one figure over another, with the range that both together leave.

    Examples
    --------
    >>> fp32 = [Presets().load("accelerators", name).figures["peak_fp32"] for name in ("nvidia-a100-sxm-80gb",
    ...         "amd-epyc-9654")]
    >>> [round(end, 2) for end in ratio_of(*fp32)]
    [1.81, 1.64, 2.01]
    """
    moved = np.array([_moves(one), [-end for end in _moves(other)]])
    low, high = ranges.ends(moved)
    value = one.value / other.value
    return Ends(value, value * float(low), value * float(high))


def _moves(figure: Figure) -> list[float]:
    """Return how far the ends of a figure lie from it, in logarithms."""
    return [0.0 if end is None else math.log(end / figure.value) for end in (figure.low, figure.high)]


class Across(NamedTuple):
    """Peaks of two accelerators at any precisions: the ratio, and the precision of each."""

    ratio: Ends
    precision: str
    other: str


def across(one: Record, other: Record) -> tuple[Across, Across]:
    """Return the least and the largest ratio of one accelerator's peak to another's, whatever the precisions.

    Examples
    --------
    >>> a100, cpu = (Presets().load("accelerators", name) for name in ("nvidia-a100-sxm-80gb", "amd-epyc-9654"))
    >>> [(round(found.ratio.value, 2), found.precision, found.other) for found in across(a100, cpu)]
    [(0.23, 'fp64', 'int8'), (115.56, 'int8', 'fp64')]
    """
    mine, others = ({name: each.figures[peak_name(name)] for name in PRECISIONS if peak_name(name) in each.figures}
                    for each in (one, other))  # fmt: skip
    found = [
        Across(ratio_of(peak, against), name, word)
        for name, peak in mine.items()
        for word, against in others.items()
    ]
    ordered = sorted(found, key=lambda each: each.ratio.value)
    return ordered[0], ordered[-1]
