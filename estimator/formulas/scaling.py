"""Laws of how the share of useful work falls as accelerators are added."""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def scaling_efficiency(count: Array, efficiency_coefficient: Array, efficiency_exponent: Array) -> Array:
    r"""Share of the small-scale throughput per accelerator kept at ``count`` accelerators. [1]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    efficiency_coefficient
        c of the power law; with exponent 0 the efficiency itself. [1]
    efficiency_exponent
        p of the power law, 0 or more. [1]

    Returns
    -------
    Scaling efficiency, at most 1. [1]

    Notes
    -----
    .. math:: E = \min(1, c \, n^{-p})

    References
    ----------
    The power law is this house's interpolation between published points of one platform; see
    ``docs/formulas/scaling.md`` for the laws of the literature beside it.

    Examples
    --------
    >>> float(scaling_efficiency(np.float64(4096), np.float64(0.92), np.float64(0)))
    0.92
    """
    return np.minimum(1.0, efficiency_coefficient * count**-efficiency_exponent)
