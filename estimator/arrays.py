"""The one numeric type of the house: float64 arrays, of shape () for a single value."""

from __future__ import annotations

from typing import Any

import numpy as np

# A float64 scalar is what numpy gives for shape (); type checkers know it as a float.
Array = np.ndarray[Any, np.dtype[np.float64]] | float


def array(value: Any) -> Array:
    """Return ``value`` as a float64 array; nothing else may enter a formula.

    Python numbers and integer arrays are not let in: ``6 * 65e9 * 1.4e12`` in 64-bit integers overflows
    in silence.

    Examples
    --------
    >>> array(3).dtype, array(3).shape
    (dtype('float64'), ())
    """
    return np.asarray(value, dtype=np.float64)


def quotient(numerator: Array, denominator: Array) -> Array:
    """Divide, giving infinity where the denominator is zero, without a warning.

    Examples
    --------
    >>> float(quotient(np.float64(1), np.float64(0)))
    inf
    """
    safe = np.where(denominator == 0, 1.0, denominator)
    return np.where(denominator == 0, np.inf, numerator / safe)


def of_some(amount: Array, value: Array) -> Array:
    """Return a value where there is something of an amount, else 0; nothing at all where one amount holds for all.

    Examples
    --------
    >>> of_some(np.array([0.0, 2.0]), np.array([np.inf, 3.0])).tolist()
    [0.0, 3.0]
    """
    if np.size(amount) == 1:  # no work where there is nothing, and no copy where there is something
        return np.zeros(()) if amount == 0.0 else value
    return np.where(amount == 0.0, 0.0, value)


def either(flag: Array, value: Array, other: Array) -> Array:
    """Return a value where a flag is 1, else the other, which is not looked at where one flag holds for all.

    Examples
    --------
    >>> either(np.array([0.0, 1.0]), np.float64(2), np.float64(3)).tolist()
    [3.0, 2.0]
    >>> float(either(np.float64(0), np.float64(2), np.float64(3)))
    3.0
    """
    if np.size(flag) == 1:
        return value if flag > 0.0 else other
    return np.where(flag > 0.0, value, other)


def times(amount: Array, other: Array) -> Array:
    """Multiply; nothing of what has no limit is nothing.

    Examples
    --------
    >>> times(np.array([0.0, 2.0]), np.array([np.inf, 3.0])).tolist()
    [0.0, 6.0]
    """
    return amount * of_some(amount, other)
