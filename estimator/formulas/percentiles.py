"""Percentiles of the normal distribution, and what lies there between the two ends of an unknown."""

from __future__ import annotations

import numpy as np

from ..arrays import Array

# The ends of an unknown are its 10th and 90th percentile: so many standard deviations from the middle.
NINETIETH = 1.2815515655446004
# Wichura's AS 241, PPND16: polynomials above and below the line, the highest power first.
_MIDDLE, _SPLIT = 0.425, 5.0
_CENTRE_ABOVE = (
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987,
    13731.69376550946, 1971.5909503065513, 133.14166789178438, 3.3871328727963665,
)  # fmt: skip
_CENTRE_BELOW = (
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597,
    5394.196021424751, 687.1870074920579, 42.31333070160091, 1.0,
)  # fmt: skip
_TAIL_ABOVE = (
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
)  # fmt: skip
_TAIL_BELOW = (
    1.0507500716444169e-09, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1.0,
)  # fmt: skip
_FAR_ABOVE = (
    2.0103343992922881e-07, 2.7115555687434876e-05, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
)  # fmt: skip
_FAR_BELOW = (
    2.0442631033899397e-15, 1.421511758316446e-07, 1.8463183175100548e-05, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1.0,
)  # fmt: skip


def normal_percentile(share: Array) -> Array:
    r"""Value that a standard normal variable stays below with a given probability. [1]

    Parameters
    ----------
    share
        Probability, from 0 to 1. [1]

    Returns
    -------
    The percentile, to about sixteen digits; without limit at 0 and 1. [1]

    Notes
    -----
    .. math:: x = \Phi^{-1}(u)

    by quotients of polynomials: in :math:`(u - 1/2)^2` near the middle, in :math:`\sqrt{-\ln u}` beyond.

    References
    ----------
    M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37,
    1988, 477-484, PPND16.

    Examples
    --------
    >>> normal_percentile(np.array([0.1, 0.5, 0.975])).round(6).tolist()
    [-1.281552, 0.0, 1.959964]
    """
    away = np.asarray(share - 0.5)
    middle = away * _ratio(_CENTRE_ABOVE, _CENTRE_BELOW, 0.180625 - away * away)
    least = np.where(away < 0.0, share, 1.0 - share)
    none = least <= 0.0
    depth = np.sqrt(-np.log(np.where(none, 0.5, least)))
    near = _ratio(_TAIL_ABOVE, _TAIL_BELOW, depth - 1.6)
    far = _ratio(_FAR_ABOVE, _FAR_BELOW, depth - _SPLIT)
    tail = np.where(none, np.inf, np.where(depth <= _SPLIT, near, far))
    return np.where(np.abs(away) <= _MIDDLE, middle, np.copysign(tail, away))


def _ratio(above: tuple[float, ...], below: tuple[float, ...], value: Array) -> Array:
    return _polynomial(above, value) / _polynomial(below, value)


def _polynomial(coefficients: tuple[float, ...], value: Array) -> Array:
    """Sum powers by Horner's rule."""
    total: Array = np.float64(0.0)
    for coefficient in coefficients:
        total = total * value + coefficient
    return total


def moved(column: Array, normal: Array, low: Array, centre: Array, high: Array) -> Array:
    r"""Return an input as a draw of one of its unknowns makes it: two halves of a normal distribution. [column]

    Parameters
    ----------
    column
        The input as it stands: its estimate, or what unknowns that were drawn before have made of it.
    normal
        Standard normal draws. [1]
    low, centre, high
        The 10th percentile, the median (the estimate) and the 90th percentile, in the unit of ``column``.

    Returns
    -------
    The input in its unit, broadcast over all of them.

    Notes
    -----
    The halves are joined in log space, as the ends of a range are:

    .. math:: x' = x \left( \frac{h}{m} \right)^{z / z_{0.9}} \text{ for } z \ge 0, \qquad
        x' = x \left( \frac{l}{m} \right)^{-z / z_{0.9}} \text{ for } z < 0

    An input of which an end is 0 or negative has no logarithm: there the differences are added, and an input whose
    ends are none of them negative does not become so.

    References
    ----------
    R. Barlow, "Asymmetric Systematic Errors", 2003, arXiv:physics/0306138 (the joined halves).

    Examples
    --------
    >>> ends = np.array([-1.2815515655446004, 0.0, 1.2815515655446004])
    >>> moved(2.0, ends, 1.0, 2.0, 8.0).round(9).tolist(), moved(0.0, ends, -1.0, 0.0, 3.0).tolist()
    ([1.0, 2.0, 8.0], [-1.0, 0.0, 3.0])
    """
    least = np.minimum(np.minimum(low, centre), high)
    logarithmic = least > 0.0
    safe = np.where(logarithmic, centre, 1.0)
    down, up = (np.log(np.where(logarithmic, end, 1.0) / safe) for end in (low, high))
    size = np.abs(normal) / NINETIETH
    lower = np.asarray(normal) < 0.0
    factor = np.exp(size * np.where(lower, down, up))
    added = column + size * np.where(lower, low - centre, high - centre)
    return np.where(logarithmic, column * factor, np.where(least < 0.0, added, np.maximum(added, 0.0)))
