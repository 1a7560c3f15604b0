"""Laws of how the share of useful work falls as accelerators are added, and what that share loses."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, where


def scaling_efficiency(count: Array, efficiency_coefficient: Array, efficiency_exponent: Array) -> Array:
    r"""Share of the small-scale throughput per accelerator kept at ``count`` accelerators. [1]

    Parameters
    ----------
    count
        Accelerators, or their ratio to a base. [accelerator]
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
    An interpolation of this house between published points, with no mechanism behind it; the laws of the
    literature stand beside it in docs/formulas/scaling.md.

    Examples
    --------
    >>> float(scaling_efficiency(np.float64(4096), np.float64(0.92), np.float64(0)))
    0.92
    """
    # The operator would have another last bit for single numbers than for arrays.
    return np.minimum(1.0, efficiency_coefficient * np.power(count, -efficiency_exponent))


def kept_efficiency(
    given_efficiency: Array,
    small_scale_time: Array,
    modelled_time: Array,
    scale_growth: Array,
    scaling_stray: Array,
) -> Array:
    r"""Share of the small-scale throughput per accelerator that is kept: as given, else as modelled. [1]

    Parameters
    ----------
    given_efficiency
        NaN where none is given. [1]
    small_scale_time
        Time of a step at the smallest scale. [s]
    modelled_time
        Time of a step at this scale, with the same work for each accelerator. [s]
    scale_growth
        Accelerators over those of the smallest scale. [1]
    scaling_stray
        Measured over modelled efficiency where the accelerators grow e-fold. [1]

    Returns
    -------
    Scaling efficiency. [1]

    Notes
    -----
    .. math:: E = \frac{t_{small}}{t} \, \gamma^{\sqrt{\ln g}}

    References
    ----------
    J. Gustafson, "Reevaluating Amdahl's law", CACM 31(5), 1988 (weak scaling).

    Examples
    --------
    >>> float(kept_efficiency(*map(np.float64, (np.nan, 9, 10, 128, 1))))
    0.9
    """
    kept = small_scale_time / modelled_time * strayed_efficiency(scale_growth, scaling_stray)
    return where(np.isnan(given_efficiency), kept, given_efficiency)


def strayed_efficiency(growth: Array, scaling_stray: Array) -> Array:
    r"""Efficiency over the modelled one where the accelerators grow so many times. [1]

    Parameters
    ----------
    growth
        Accelerators over those that the efficiency is relative to; 1 or more, less counts as 1. [1]
    scaling_stray
        Measured over modelled efficiency where the accelerators grow e-fold. [1]

    Notes
    -----
    .. math:: \gamma^{\sqrt{\ln g}}

    What the model leaves out, like other jobs on the network, adds up like steps in either direction. Its spread is
    that of the scaling series on the accuracy page.

    Examples
    --------
    >>> round(float(strayed_efficiency(np.exp(4.0), np.float64(0.9))), 9)
    0.81
    """
    return np.power(scaling_stray, np.sqrt(np.log(np.maximum(growth, 1.0))))


def amdahl_efficiency(relative_count: Array, serial_share: Array) -> Array:
    r"""Efficiency where a fixed piece of work has a share that does not run in parallel. [1]

    Parameters
    ----------
    relative_count
        Accelerators over the base at which the efficiency is 1; 1 or more. [1]
    serial_share
        f, the share of the time at the base that more accelerators do not shorten; 0 to 1. [1]

    Returns
    -------
    Speed-up over accelerators. [1]

    Notes
    -----
    .. math:: E = \frac{1}{1 + f (n - 1)}

    References
    ----------
    G. Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities",
    AFIPS Spring Joint Computer Conference, 1967, pp. 483-485.

    Examples
    --------
    >>> float(amdahl_efficiency(np.float64(101), np.float64(0.01)))
    0.5
    """
    return np.reciprocal(1.0 + serial_share * (relative_count - 1.0))


def gustafson_efficiency(relative_count: Array, serial_share: Array) -> Array:
    r"""Efficiency where the work grows with the accelerators and the serial part does not. [1]

    Parameters
    ----------
    relative_count
        Accelerators over the base at which the efficiency is 1; 1 or more. [1]
    serial_share
        f, the share of the time on all accelerators that is serial; 0 to 1. [1]

    Returns
    -------
    Scaled speed-up over accelerators; 1 - f at the least. [1]

    Notes
    -----
    .. math:: E = 1 - f \, \frac{n - 1}{n}

    References
    ----------
    J. Gustafson, "Reevaluating Amdahl's law", Communications of the ACM 31(5), 1988, pp. 532-533.

    Examples
    --------
    >>> float(gustafson_efficiency(np.float64(10), np.float64(0.1)))
    0.91
    """
    return np.subtract(1.0, serial_share * (relative_count - 1.0) / relative_count)


def universal_efficiency(relative_count: Array, contention: Array, coherency: Array) -> Array:
    r"""Efficiency by the universal scalability law: queueing for shared parts, and keeping them alike. [1]

    Parameters
    ----------
    relative_count
        Accelerators over the base at which the efficiency is 1; 1 or more. [1]
    contention
        s, what each waits for the shared part; 0 or more. With ``coherency`` 0 it is Amdahl's share. [1]
    coherency
        k, what each pair exchanges to stay alike; 0 or more. [1]

    Returns
    -------
    Capacity over accelerators. [1]

    Notes
    -----
    .. math:: E = \frac{1}{1 + s (n - 1) + k n (n - 1)}

    The throughput n E is largest at :math:`n = \sqrt{(1 - s) / k}`.

    References
    ----------
    N. Gunther, "A simple capacity model of massively parallel transaction systems", CMG Conference, 1993;
    N. Gunther, "Guerrilla Capacity Planning", Springer, 2007, Chapter 4.

    Examples
    --------
    >>> round(float(universal_efficiency(np.float64(101), np.float64(0.01), np.float64(1e-4))), 4)
    0.3322
    """
    others = relative_count - 1.0
    return np.reciprocal(1.0 + contention * others + coherency * relative_count * others)


def all_reduce_efficiency(relative_count: Array, bandwidth_share: Array, latency_share: Array) -> Array:
    r"""Efficiency where each step ends in an all-reduce: the bytes of a ring, the hops of a tree. [1]

    Parameters
    ----------
    relative_count
        Accelerators over the base at which the efficiency is 1; 1 or more. [1]
    bandwidth_share
        b, the time in which the bytes of an all-reduce over very many pass a link, over the time to compute a
        step; 0 or more. [1]
    latency_share
        l, the latency of one level of the tree, up and down, over the time to compute a step; 0 or more. [1]

    Returns
    -------
    Computing time over step time. [1]

    Notes
    -----
    .. math:: E = \frac{1}{1 + b \frac{n - 1}{n} + l \log_2 n}

    The bandwidth term is the least any all-reduce can move (Patarasuk and Yuan); the latency term is that of
    recursive halving and doubling (Thakur et al.). The all-reduce is hierarchical where the base is a node:
    what happens inside a node is then part of the base, and n counts nodes. What of it is hidden behind
    computing is not in b.

    References
    ----------
    R. Thakur, R. Rabenseifner and W. Gropp, "Optimization of Collective Communication Operations in MPICH",
    International Journal of High Performance Computing Applications 19(1), 2005, pp. 49-66; P. Patarasuk and
    X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", Journal of Parallel and
    Distributed Computing 69(2), 2009, pp. 117-124.

    Examples
    --------
    >>> float(all_reduce_efficiency(np.float64(1024), np.float64(0), np.float64(0.1)))
    0.5
    """
    moved = bandwidth_share * (relative_count - 1.0) / relative_count
    return np.reciprocal(1.0 + moved + latency_share * np.log2(relative_count))


def lost_accelerators(count: Array, scaling_efficiency: Array) -> Array:
    r"""Accelerators' worth of work that is lost by scale. [accelerator]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    scaling_efficiency
        Share of the work that is kept. [1]

    Returns
    -------
    Accelerators that do as good as nothing. [accelerator]

    Notes
    -----
    .. math:: n (1 - E)

    Examples
    --------
    >>> round(float(lost_accelerators(np.float64(1000), np.float64(0.92))), 9)
    80.0
    """
    return count * np.subtract(1.0, scaling_efficiency)


def lost_money(lost_accelerators: Array, price: Array, time: Array) -> Array:
    r"""Rent of the accelerators' worth of work that is lost by scale. [currency]

    Parameters
    ----------
    lost_accelerators
        Accelerators that do as good as nothing. [accelerator]
    price
        Rent. [currency/accelerator/s]
    time
        How long they are held. [s]

    Notes
    -----
    .. math:: K = n (1 - E) \, p \, t

    Examples
    --------
    >>> round(float(lost_money(np.float64(80), np.float64(2 / 3600), np.float64(3600))), 9)
    160.0
    """
    return lost_accelerators * price * time
