"""Accelerators that their provider may take back, and what a run loses by it."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, times, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple

# Beyond so many losses in a run, or so much lost to failures, nothing is ever finished: keeps what follows finite.
_NEVER, _HOPELESS = 100.0, 1e150


class Spot(NamedTuple):
    """Accelerators that their provider may take back; arrays that broadcast. [in brackets the unit]

    Of all accelerators the ``share`` that is rented so [1], its ``price`` [currency/accelerator/s], how often a node
    is taken away, ``interruptions`` [1/s/node], and the ``lost_time`` of the whole run each time [s].
    """

    share: Array
    price: Array
    interruptions: Array
    lost_time: Array


def spot_loss(spot: Spot, count: Array, per_node: Array, given_goodput: Array) -> Array:
    r"""Time lost to spot nodes that are taken away, over the time of the run without. [1]

    Parameters
    ----------
    spot
        What is rented so. [1]
    count
        Accelerators. [accelerator]
    per_node
        Accelerators in a node. [accelerator/node]
    given_goodput
        Share of the time that is productive where it is known, which holds this loss too, else NaN. [1]

    Notes
    -----
    .. math:: l = e^{q \lambda \frac{n}{g} t} - 1

    A synchronous job stops when any of its nodes is taken, so that rates add; each interruption, which may come in
    the time lost by another as well, costs the time from the last checkpoint until the job goes on.

    References
    ----------
    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", 2006, Section 3: the
    factor of restarts.

    Examples
    --------
    Sixteen spot nodes, each taken away every 80 days, stop a run once in five days; two hours each are 1.7 %.

    >>> day = 86400.0
    >>> spot = Spot(np.float64(1), np.float64(0), np.float64(1 / (80 * day)), np.float64(2 * 3600))
    >>> round(float(spot_loss(spot, np.float64(128), np.float64(8), np.float64(np.nan))), 4)
    0.0168
    """
    losses = spot.share * spot.interruptions * spot.lost_time * count / per_node
    return where(np.isnan(given_goodput), np.expm1(np.minimum(losses, _NEVER)), 0.0)


def overhead_with_spot(failure_overhead: Breakdown, spot_loss: Array) -> Breakdown:
    r"""Time lost for each unit of productive time, to what fails and to what is taken away. [1]

    Parameters
    ----------
    failure_overhead
        Time lost to failures for each unit of productive time. [1]
    spot_loss
        Time lost to spot nodes that are taken away, over the time without. [1]

    Returns
    -------
    The parts of the first, and spot. [1]

    Notes
    -----
    .. math:: o = (1 + o_f)(1 + l) - 1

    References
    ----------
    J. T. Daly, 2006, Section 3, as `spot_loss`.

    Examples
    --------
    >>> found = overhead_with_spot(Breakdown({"restarts": np.float64(0.25)}), np.float64(0.1))
    >>> {name: float(part) for name, part in found.parts.items()}
    {'restarts': 0.25, 'spot': 0.125}
    """
    held = np.minimum(1.0 + failure_overhead.total, _HOPELESS)
    return failure_overhead.beside({"spot": times(spot_loss, held)})
