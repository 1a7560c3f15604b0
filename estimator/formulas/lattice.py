"""Points that fill a cube evenly: a shifted rank-1 lattice, of which any number may be taken."""

from __future__ import annotations

import numpy as np

from ..arrays import Array

# The first components of F. Y. Kuo's vector lattice-33002-1024-1048576: good at every power of two between.
VECTOR = (
    1, 182667, 213731, 255351, 96013, 116671, 479315, 424089, 271103, 464421, 124483, 230887,
    392877, 162965, 109125, 168491, 216103, 5613, 207895, 506745, 189519, 114879, 133967, 374257,
    254597, 502087, 298245, 191333, 242099, 285991, 397887, 507051, 511437, 129779, 406987, 345291,
    225123, 511175, 432153, 306191, 116577, 809, 370175, 402615, 485791, 201053, 366959, 54087,
    395609, 211615, 68543, 443345, 327293, 290819, 278623, 362043, 236117, 11091, 216837, 31545,
    325799, 503877, 410523, 88371,
)  # fmt: skip
_BITS = 20
# So many different points there are, in so many dimensions.
POINTS, DIMENSIONS = 2**_BITS, len(VECTOR)
# No point lies on a face of the cube, where a normal variable has no limit.
_LEAST = 2.0**-53


def lattice_points(index: Array, vector: Array, shift: Array) -> Array:
    r"""Return points of a shifted rank-1 lattice that is folded at its middle. [1]

    Parameters
    ----------
    index
        Numbers of the points: whole, from 0 to 2^20 - 1. The first 2^m of them are a whole lattice. [1]
    vector
        Components of the generating vector, one a dimension, such as those of `VECTOR`. [1]
    shift
        Shares of 1, one a dimension, drawn at random. [1]

    Returns
    -------
    Coordinates above 0 and below 1; one row a dimension, one column a point. [1]

    Notes
    -----
    .. math:: x_{ij} = \left\{ \varphi(i) z_j + \Delta_j \right\}, \qquad u_{ij} = 1 - | 2 x_{ij} - 1 |

    :math:`\varphi` writes the bits of a number in reverse behind the binary point, so that points may be added one by
    one; the braces take the fraction, :math:`\Delta` is the shift. The fold makes a lattice as good for smooth
    functions as it is for periodic ones.

    References
    ----------
    R. Cools, F. Y. Kuo, D. Nuyens, "Constructing embedded lattice rules for multivariate integration", SIAM Journal on
    Scientific Computing 28, 2006, 2162-2188 (how z is found: component by component, good at each power of two);
    z: F. Y. Kuo, "Lattice rule generating vectors", file lattice-33002-1024-1048576.9125, as QMCPy 2.4 carries it.
    F. J. Hickernell, "Obtaining O(N^{-2+e}) convergence for lattice quadrature rules", 2002 (the fold).

    Examples
    --------
    >>> lattice_points(np.arange(4.0), np.array([1.0, 3.0]), np.array([0.125, 0.0625])).tolist()
    [[0.25, 0.75, 0.75, 0.25], [0.125, 0.875, 0.375, 0.625]]
    """
    # Products of whole numbers below 2^40: exact.
    steps = np.mod(_reversed_bits(index) * np.asarray(vector)[:, None], POINTS) / POINTS
    turned = np.mod(steps + np.asarray(shift)[:, None], 1.0)
    return np.clip(1.0 - np.abs(2.0 * turned - 1.0), _LEAST, 1.0 - _LEAST)


def _reversed_bits(index: Array) -> Array:
    """Return whole numbers with their twenty bits in reverse order."""
    rest, turned = np.asarray(index), np.zeros(np.shape(index))
    for _ in range(_BITS):
        half = np.floor(rest / 2.0)
        turned, rest = 2.0 * turned + (rest - 2.0 * half), half
    return turned
