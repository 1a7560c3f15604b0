"""The one numeric type of the house: float64 arrays, of shape () for a single value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# A float64 scalar is what numpy gives for shape (); type checkers know it as a float.
Array = np.ndarray[Any, np.dtype[np.float64]] | float
# What holds or does not.
Flag = Array | np.ndarray[Any, np.dtype[np.bool_]] | bool
# A value, or how it is worked out, for who may not need it.
Given = Array | Callable[[], Array]

# What numpy gives for shape (), which are known for single without asking it, the slowest of their operations.
_NUMBERS = (np.float64, np.bool_)


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


def where(condition: Any, value: Array, other: Array) -> Any:
    """Return a value where a condition holds, else the other, as ``numpy.where`` does; one condition takes one whole.

    Numpy takes ten times as long to choose between two numbers as to add them, copies what one condition takes whole,
    and gives an array without dimensions, which slows down all that is computed with it.

    Examples
    --------
    >>> where(np.array([True, False]), np.float64(2), 3.0).tolist()
    [2.0, 3.0]
    >>> float(where(np.float64(1) > 0, 2.0, np.float64(3)))
    2.0
    """
    if type(condition) is np.bool_:
        taken = value if condition else other
        # A Python number divides and overflows in another manner.
        return np.float64(taken) if type(taken) is float else taken
    return np.where(condition, value, other)


def quotient(numerator: Array, denominator: Array) -> Array:
    """Divide, giving infinity where the denominator is zero, without a warning.

    Examples
    --------
    >>> float(quotient(np.float64(1), np.float64(0)))
    inf
    """
    safe = where(denominator == 0, 1.0, denominator)
    return where(denominator == 0, np.inf, numerator / safe)


def single(value: Any) -> bool:
    """Tell whether one value holds for all.

    Examples
    --------
    >>> single(np.float64(3)), single(np.ones(1)), single(np.ones(2))
    (True, True, False)
    """
    return type(value) in _NUMBERS or np.size(value) == 1


def as_flag(holds: Any) -> Array:
    """Return 1 where something holds, else 0.

    Examples
    --------
    >>> as_flag(np.array([True, False])).tolist()
    [1.0, 0.0]
    """
    return np.float64(holds) if type(holds) is np.bool_ else np.asarray(holds, dtype=np.float64)


def nothing(amount: Array) -> bool:
    """Tell whether one amount holds for all and is 0: what is made of it is 0 too, and need not be worked out.

    Examples
    --------
    >>> nothing(np.float64(0.0)), nothing(np.zeros(2)), nothing(np.float64(1.0))
    (True, False, False)
    """
    return single(amount) and bool(amount == 0.0)


def of_some(amount: Array, value: Given) -> Array:
    """Return a value where there is something of an amount, else 0; nothing at all where one amount holds for all.

    A value that takes work may be given as a function, which is not called where there is nothing of the amount.

    Examples
    --------
    >>> of_some(np.array([0.0, 2.0]), np.array([np.inf, 3.0])).tolist()
    [0.0, 3.0]
    """
    if single(amount):  # no work where there is nothing, and no copy where there is something
        return np.float64(0.0) if amount == 0.0 else _known(value)
    return np.where(amount == 0.0, 0.0, _known(value))


def either(flag: Flag, value: Given, other: Given) -> Array:
    """Return a value where a flag is 1 (or true), else the other, which is not looked at where one flag holds for all.

    Values that take work may be given as functions: of one flag for all the other is not called.

    Examples
    --------
    >>> either(np.array([0.0, 1.0]), np.float64(2), np.float64(3)).tolist()
    [3.0, 2.0]
    >>> float(either(np.float64(0), np.float64(2), np.float64(3)))
    3.0
    """
    if single(flag):
        return _known(value if flag > 0.0 else other)
    mask = flag if isinstance(flag, np.ndarray) and flag.dtype == bool else flag > 0.0
    return np.where(mask, _known(value), _known(other))


def only(flag: Flag, value: Given) -> Array:
    """Return a value where a flag is 1 (or true), else 0; nothing is worked out where one flag holds for none.

    Examples
    --------
    >>> only(np.array([0.0, 1.0]), np.array([2.0, 3.0])).tolist()
    [0.0, 3.0]
    >>> float(only(np.float64(0), lambda: np.float64(2)))
    0.0
    """
    if single(flag):
        return _known(value) if flag > 0.0 else np.float64(0.0)
    found = _known(value)
    return found if nothing(found) else either(flag, found, np.float64(0.0))


def unless(flag: Flag, value: Given) -> Array:
    """Return 0 where a flag is 1 (or true), else a value; nothing is worked out where one flag holds for all.

    Examples
    --------
    >>> unless(np.array([0.0, 1.0]), np.array([2.0, 3.0])).tolist()
    [2.0, 0.0]
    """
    if single(flag):
        return np.float64(0.0) if flag > 0.0 else _known(value)
    found = _known(value)
    return found if nothing(found) else either(flag, np.float64(0.0), found)


def _known(value: Given) -> Array:
    return value() if callable(value) else value


def plus(value: Array, other: Array) -> Array:
    """Add; nothing at all is not added, which changes no bit and spares a pass over all cells.

    Examples
    --------
    >>> value = np.array([1.0, 2.0])
    >>> plus(value, np.float64(0.0)) is value, plus(value, np.float64(1.0)).tolist()
    (True, [2.0, 3.0])
    """
    if nothing(other):
        return value
    return other if nothing(value) else value + other


def times(amount: Array, other: Given) -> Array:
    """Multiply; nothing of what has no limit is nothing, and is not worked out where there is nothing at all.

    Examples
    --------
    >>> times(np.array([0.0, 2.0]), np.array([np.inf, 3.0])).tolist()
    [0.0, 6.0]
    """
    if nothing(amount):
        return np.float64(0.0)
    return amount * of_some(amount, other)
