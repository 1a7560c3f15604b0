"""Fleets: what pools of unlike accelerators deliver together."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where


def over_pools(values: Array) -> Array:
    """Sum over pools on the first axis, one after the other, so that no axis behind it changes the last bit.

    Examples
    --------
    >>> over_pools(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [4.0, 6.0]
    """
    total: Array = np.zeros(np.shape(values)[1:])
    for each in np.asarray(values):
        total = total + each
    return total


def paced_throughput(throughput: Array, shares: Array) -> Array:
    r"""Throughput of a synchronous run whose pools, on the first axis, do given shares of each batch. [token/s]

    Parameters
    ----------
    throughput
        Of each pool at its share, alone. [token/s]
    shares
        Of the batch; they add up to 1. [1]

    Notes
    -----
    .. math:: T = \min_i \frac{T_i}{x_i}

    A step ends when the last pool has its gradients: the slowest for its share paces.

    References
    ----------
    J. Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, and J. Chen et al., "Revisiting Distributed
    Synchronous SGD", 2016, arXiv:1604.00981, Section 2, for the wait of synchronous training for its slowest worker.

    Examples
    --------
    Pools of 300 and 100 tokens a second: half of the batch each makes 200, shares like the speeds 400.

    >>> pools = np.array([300.0, 100.0])
    >>> [float(paced_throughput(pools, np.array(each))) for each in ((0.5, 0.5), (0.75, 0.25))]
    [200.0, 400.0]
    """
    return np.min(quotient(throughput, shares), axis=0)


def matched_batches(batches: Array, times: Array, batch: Array, grain: Array) -> Array:
    r"""Parts of a batch, all of it, with which the pools on the first axis end a step as nearly together as can be. [1]

    Parameters
    ----------
    batches
        Sizes at which the time of a step of each pool is known, on the last axis, rising. [1]
    times
        Time of a step at those sizes; it does not fall with them. [s]
    batch
        The whole batch, at most the largest size. [1]
    grain
        Sequences of which a pool does a whole number, as one micro-batch of each replica; 0 where parts count. [1]

    Notes
    -----
    .. math:: t_i(b_i) = t, \qquad \sum_i b_i = B

    For a time t, each pool can do the largest part that it ends by then; t is the least with which the parts make up
    the batch. Between the sizes the time is taken as straight. A pool that needs longer than that for the smallest part
    does none.

    References
    ----------
    X. Jia et al., "Whale: Efficient Giant Model Training over Heterogeneous GPUs", USENIX ATC 2022, Section 3.3 (load
    balance by hardware: batches in proportion to speed).

    Examples
    --------
    One pool takes 1 s a sequence, the other 2 s and 3 s a step besides: seven and two sequences take 7 s each.

    >>> sizes = np.array([1.0, 9.0])
    >>> times, nine = np.array([sizes, 3 + 2 * sizes]), np.float64(9)
    >>> matched_batches(np.array([sizes, sizes]), times, nine, np.zeros(2)).round(6).tolist()
    [7.0, 2.0]
    """
    low: Array = np.zeros(np.shape(times)[1:-1])
    high: Array = np.max(np.asarray(times), axis=(0, -1))
    for _ in range(_HALVINGS):
        middle: Array = (low + high) / 2.0
        enough = over_pools(_done_by(middle, batches, times, grain)) >= batch
        low, high = where(enough, low, middle), where(enough, middle, high)
    parts = np.asarray(_done_by(high, batches, times, grain))
    return parts * batch / over_pools(parts)


# Halvings of the time of a step: what is left is beyond the digits of a float.
_HALVINGS = 60
_NOISE = 1e-12


def _done_by(time: Array, batches: Array, times: Array, grain: Array) -> Array:
    """Return the largest part that each pool ends by a time, on straight lines; 0 where the smallest takes longer."""
    last = np.sum(np.asarray(times) <= np.asarray(time)[..., None], axis=-1, keepdims=True) - 1
    below, above = np.maximum(last, 0), np.minimum(last + 1, np.shape(times)[-1] - 1)
    sizes = np.broadcast_to(batches, np.shape(times))
    (size, then), (start, end) = (
        [np.take_along_axis(np.asarray(each), place, axis=-1)[..., 0] for place in (below, above)]
        for each in (sizes, times)
    )
    rise = where(end > start, (time - start) / where(end > start, end - start, 1.0), 0.0)
    parts = where(last[..., 0] < 0, 0.0, size + np.clip(rise, 0.0, 1.0) * (then - size))
    whole = where(grain > 0, grain, 1.0)
    # What halving leaves of a grain is none missing.
    return where(grain > 0, np.floor(parts / whole * (1.0 + _NOISE)) * whole, parts)


def time_of_part(part: Array, batches: Array, times: Array) -> Array:
    r"""Time of a step on a part of a batch, from the times at sizes that are known. [s]

    Parameters
    ----------
    part
        Sequences. [1]
    batches
        Sizes at which the time is known, on the last axis, rising. [1]
    times
        Time of a step at those sizes. [s]

    Notes
    -----
    Between two sizes the time is taken as straight, beyond the first and the last as theirs.

    Examples
    --------
    >>> float(time_of_part(np.float64(3), np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 6.0])))
    4.0
    """
    above = np.sum(np.asarray(batches) <= np.asarray(part)[..., None], axis=-1, keepdims=True)
    first, last = (np.clip(above + step, 0, np.shape(batches)[-1] - 1) for step in (-1, 0))
    (size, then), (start, end) = (
        [np.take_along_axis(np.asarray(each), place, axis=-1)[..., 0] for place in (first, last)]
        for each in (batches, times)
    )
    rise = where(then > size, (end - start) / where(then > size, then - size, 1.0), 0.0)
    return start + rise * np.maximum(part - size, 0.0)


def joint_goodput(goodput: Array) -> Array:
    r"""Goodput of one run over several pools, on the first axis, from what each alone would have. [1]

    Parameters
    ----------
    goodput
        Of a run on each pool. [1]

    Notes
    -----
    .. math:: G = \frac{1}{1 + \sum_i (1 / G_i - 1)}

    For pools of which the goodput is given: where it is modelled, `joint_mtbi` is what all of them stop by. A
    synchronous run stops when any pool does, so that the time lost for each productive second adds up, but for a
    checkpoint that serves all.

    References
    ----------
    A. Kokolis et al., 2024, arXiv:2410.21680, Section III, for rates that add.

    Examples
    --------
    >>> float(joint_goodput(np.array([0.8, 0.8])).round(4))
    0.6667
    """
    return 1.0 / (1.0 + over_pools(1.0 / goodput - 1.0))


def joint_mtbi(mtbi: Array) -> Array:
    r"""Mean time between interruptions of one run over several pools, on the first axis. [s]

    Parameters
    ----------
    mtbi
        Of a run on each pool. [s]

    Notes
    -----
    .. math:: M = \frac{1}{\sum_i 1 / M_i}

    References
    ----------
    A. Kokolis et al., 2024, arXiv:2410.21680, Section III: a synchronous job stops when any node does.

    Examples
    --------
    >>> float(joint_mtbi(np.array([3.0, 6.0])))
    2.0
    """
    return 1.0 / over_pools(1.0 / mtbi)


def site_exchange_time(size: Array, sites: Array, link: Array, steps: Array) -> Array:
    r"""Time a step that an all-reduce of the gradients between sites takes on their links. [s]

    Parameters
    ----------
    size
        Gradients of the whole model. [byte]
    sites
        S, places that exchange; none is exchanged at one. [1]
    link
        Bandwidth of each site to the others, one way. [byte/s]
    steps
        H, steps between exchanges. [1]

    Notes
    -----
    .. math:: t = \frac{2 (S - 1)}{S} \frac{V}{\beta H}

    What a ring moves, the least of any all-reduce; within a site gradients are summed first.

    References
    ----------
    P. Patarasuk and X. Yuan, "Bandwidth Optimal All-reduce Algorithms for Clusters of Workstations", JPDC 69(2), 2009,
    pp. 117-124; A. Douillard et al., "DiLoCo", 2023, arXiv:2311.08105, Section 3, for an exchange every H steps.

    Examples
    --------
    Gradients of 65 billion parameters in 16 bit, two sites, 10 Gbit/s: 104 s, every 500 steps 0.2 s a step.

    >>> two, ten = np.float64(2), np.float64(1.25e9)
    >>> site_exchange_time(np.float64(130e9), two, ten, np.array([1.0, 500.0])).tolist()
    [104.0, 0.208]
    """
    return 2.0 * (sites - 1.0) / sites * quotient(size, link * steps)


def exposed_exchange(compute: Array, exchange: Array, overlap: Array) -> Array:
    r"""Time of a step of which an exchange lasts beside computing, a share of what could be hidden being so. [s]

    Parameters
    ----------
    compute
        Time of the step without the exchange. [s]
    exchange
        Time of the exchange. [s]
    overlap
        Share of the shorter of the two by which they overlap. [1]

    Notes
    -----
    .. math:: t = a + b - h \min(a, b)

    References
    ----------
    J. Austin et al., "How to Scale Your Model", 2025, part 1: the longer is the least time, the sum the most.

    Examples
    --------
    >>> exposed_exchange(np.float64(8), np.float64(2), np.array([0.0, 1.0])).tolist()
    [10.0, 8.0]
    """
    return compute + exchange - overlap * np.minimum(compute, exchange)


def link_for_loss(size: Array, sites: Array, time: Array, steps: Array, lost: Array) -> Array:
    r"""Bandwidth between sites with which an exchange that nothing hides takes a given share of the step. [byte/s]

    Parameters
    ----------
    size
        Gradients of the whole model. [byte]
    sites
        S, places that exchange. [1]
    time
        Of a step without the exchange. [s]
    steps
        H, steps between exchanges. [1]
    lost
        Share of the step with the exchange; 1/2 is where it takes as long as computing. [1]

    Notes
    -----
    .. math:: \beta = \frac{2 (S - 1)}{S} \frac{V}{t H} \frac{1 - x}{x}

    Below the value for 1/2 even an exchange that is hidden behind computing slows the step.

    Examples
    --------
    130 GB between two sites and steps of 10 s: 13 GB/s could just be hidden, 247 GB/s lose one part in twenty.

    >>> numbers = map(np.float64, (130e9, 2, 10, 1))
    >>> [round(each / 1e9, 1) for each in link_for_loss(*numbers, np.array([0.5, 0.05])).tolist()]
    [13.0, 247.0]
    """
    return 2.0 * (sites - 1.0) / sites * quotient(size, time * steps) * (1.0 - lost) / lost
