"""How several unknowns together move a quantity: the ends of a sum of asymmetric deviations."""

from __future__ import annotations

import numpy as np

from ..arrays import Array

# Of a standard normal: its ninetieth percentile, and the mean of its absolute value.
_NINETIETH = 1.2815515655446004
_MEAN = float(np.sqrt(2.0 / np.pi))
# A variance below this is none: its cube would be too small for a float.
_LEAST = 1e-90


def combined_ends(down: Array, up: Array) -> tuple[Array, Array]:
    r"""Return how far independent unknowns together move the logarithm of a quantity, down and up. [1]

    One unknown alone moves it to its own ends, and several whose ends lie alike on both sides to the root of
    the sum of their squares.

    Parameters
    ----------
    down, up
        How far each moves the logarithm down at one end and up at the other, 0 or more; the unknowns lie
        on the last axis. [1]

    Returns
    -------
    Distance of the low and of the high end, 0 or more, without the last axis; infinite where one of them is. [1]

    Notes
    -----
    Each unknown is two halves of a normal distribution, joined at the median, whose 10th and 90th percentile
    are its ends. Mean, variance and third cumulant of independent deviations add:

    .. math::

        \mu = \frac{a}{2} t, \quad V = \frac{d^2 + u^2}{2} - \mu^2, \quad
        \kappa = a (u^3 - d^3) - \frac{3}{2} \mu (d^2 + u^2) + 2 \mu^3,
        \qquad t = u - d, \quad a = \sqrt{2 / \pi}

    Of the distributions of the same form the one with the same variance and third cumulant is taken:

    .. math::

        (4 - 5 a^2) T^3 - 12 V T + \frac{8 \kappa}{a} = 0, \qquad (D + U)^2 = 4 V - (1 - a^2) T^2

    with T = U - D the root near 0, and it is moved until the means are equal too, by
    :math:`(\sum \mu - a T / 2) / z_{0.9}`. An end that would leave out the estimate is drawn to it.

    References
    ----------
    R. Barlow, "Asymmetric Systematic Errors", 2003, arXiv:physics/0306138 (bias, variance and skew of the joined
    halves, and their addition); G. Cardano, "Ars Magna", 1545 (the cubic), here in its form with sines.

    Examples
    --------
    >>> [float(end.round(6)) for end in combined_ends(np.array([3.0, 4.0]), np.array([3.0, 4.0]))]
    [5.0, 5.0]
    >>> [float(end.round(6)) for end in combined_ends(np.array([0.2]), np.array([0.7]))]
    [0.2, 0.7]
    """
    endless = [np.isinf(_added(side)) for side in (down, up)]
    down, up = (np.where(np.isinf(side), 0.0, side) for side in (down, up))
    means, square = _MEAN / 2.0 * (up - down), (down * down + up * up) / 2.0
    third = _MEAN * (up * up * up - down * down * down) - 3.0 * means * square + 2.0 * means * means * means
    variance = _added(square - means * means)
    tilt = _tilt(variance, _added(third))
    width = np.sqrt(np.maximum(4.0 * variance - (1.0 - _MEAN**2) * tilt * tilt, 0.0))
    shift = (_added(means) - _MEAN / 2.0 * tilt) / _NINETIETH
    ends = (width - tilt) / 2.0 - shift, (width + tilt) / 2.0 + shift
    low, high = (np.where(far, np.inf, np.maximum(end, 0.0)) for far, end in zip(endless, ends, strict=True))
    return low, high


def _added(terms: Array) -> Array:
    """Add along the last axis one after the other, so that an unknown that moves nothing changes no bit."""
    total: Array = np.zeros(np.shape(terms)[:-1])
    for term in np.moveaxis(np.asarray(terms), -1, 0):
        total = total + term
    return total


def _tilt(variance: Array, third: Array) -> Array:
    """Return how much farther up than down the joined halves reach that have this variance and third cumulant."""
    size = 4.0 - 5.0 * _MEAN**2
    slope = 12.0 / size * np.where(variance > _LEAST, variance, 1.0)
    sine = 1.5 * (8.0 / size / _MEAN * third) / slope * np.sqrt(3.0 / slope)
    return 2.0 * np.sqrt(slope / 3.0) * np.sin(np.arcsin(np.clip(sine, -1.0, 1.0)) / 3.0)
