"""The range of an answer: the ends of its unknowns on one axis, and what they do together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .arrays import Array
from .case import Case
from .estimate import Estimate, evaluate
from .formulas.ranges import combined_ends

Values = np.ndarray[Any, np.dtype[np.float64]]
Flag = np.ndarray[Any, np.dtype[np.bool_]] | bool
# Ends this near to a whole number are that number: what logarithms and roots leave is no accelerator more.
_NOISE = 1e-9


def points(values: Mapping[str, Array], case: Case) -> dict[str, Values]:
    """Give values of a spread case their last axis of 2 k + 1 points, whether an unknown touches them or not."""
    size = 2 * len(case.unknowns) + 1
    return {name: np.broadcast_to(value, (*np.shape(value)[:-1], size)) for name, value in values.items()}


def spread(case: Case) -> Case:
    """Put every column on a last axis: the case itself, then each unknown at its low and at its high end.

    A single number that no unknown touches stays one.
    """
    size = 2 * len(case.unknowns) + 1
    columns = {
        name: np.asarray(value)[..., None] if np.ndim(value) else value
        for name, value in case.columns.items()
    }
    for index, unknown in enumerate(case.unknowns):
        for offset, end in ((1, unknown.low), (2, unknown.high)):
            for name, value in end.items():
                shape = np.broadcast_shapes(np.shape(columns[name])[:-1], np.shape(value))
                axis = np.broadcast_to(columns[name], (*shape, size)).copy()
                axis[..., 2 * index + offset] = value
                columns[name] = axis
    return replace(case, columns=columns)


def swings(case: Case, by: Callable[[Case, Iterable[str]], Estimate] = evaluate) -> dict[str, Values]:
    """Return how far each unknown of a case moves every quantity that it is evaluated to, as `moves` does."""
    return {name: moves(value) for name, value in points(by(spread(case), ()).values, case).items()}


def moves(values: Values) -> Values:
    """Return the logarithm of each unknown's two ends over the value itself: the last axes are unknown and end.

    An end that is not known moves nothing, nor does any where the value is 0, infinite or not known; an end of 0
    or of infinity moves without limit.

    Examples
    --------
    >>> moves(np.array([2.0, 1.0, 4.0, np.nan, np.inf])).round(3).tolist()
    [[-0.693, 0.693], [0.0, inf]]
    """
    centre = values[..., :1]
    usable = np.isfinite(centre) & (centre > 0)
    ratio = np.ones(values[..., 1:].shape)
    np.divide(values[..., 1:], np.where(usable, centre, 1.0), out=ratio, where=usable)
    ratio[np.isnan(ratio)] = 1.0
    logs = np.log(np.maximum(ratio, 0.0), out=np.full(ratio.shape, -np.inf), where=ratio > 0)
    return logs.reshape(*logs.shape[:-1], -1, 2)


def ends(moved: Values) -> tuple[Array, Array]:
    """Return the factors of the low and of the high end, from the moves of independent unknowns.

    An unknown that moves a quantity the same way at both ends counts once, by the farther.

    Examples
    --------
    >>> low, high = ends(np.log([[0.5, 8.0]]))
    >>> float(low.round(6)), float(high.round(6))
    (0.5, 8.0)
    """
    # Not min and max along the axis: on an axis of two they take ten times as long.
    lower, upper = moved[..., 0], moved[..., 1]
    down, up = combined_ends(
        -np.minimum(np.minimum(lower, upper), 0.0), np.maximum(np.maximum(lower, upper), 0.0)
    )
    return np.exp(-np.asarray(down)), np.exp(up)


def apart(moved: Values, other: Values) -> Values:
    """Return how far an unknown moves one quantity over another that it moves too."""
    alike = moved == other
    return np.where(alike, 0.0, moved - np.where(alike, 0.0, other))


def around(values: Values, *, whole: Flag = False, most: Array = np.inf) -> tuple[Array, Array]:
    """Return the low and the high end of a quantity on a last axis of points; on whole numbers where it counts.

    ``most`` is what the quantity can be at most: several unknowns at their best do not get beyond it. Both may be
    arrays, where several quantities lie on an axis before the last.

    A quantity that is infinite may be as little as at the best of the ends.
    """
    low, high = (values[..., 0] * end for end in ends(moves(values)))
    low = np.where(
        np.isposinf(values[..., 0]), values.min(axis=-1, initial=np.inf, where=~np.isnan(values)), low
    )
    high = np.minimum(high, np.maximum(most, values[..., 0]))
    if np.any(whole):
        low = np.where(whole, np.floor(low * (1.0 + _NOISE)), low)
        high = np.where(whole, np.ceil(high * (1.0 - _NOISE)), high)
    return low, high
