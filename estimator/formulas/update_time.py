"""Time that a rank takes for the gradients and the states of its own: adding up, clipping, the optimizer's update."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..once import once
from .job import Job
from .layout import most_working
from .sharding import sharers

# Bytes of a gradient that is summed in 32 bit.
_SUM = 4.0


def accumulation_time(job: Job, held: Array) -> Array:
    r"""Time to add the gradients of one micro-batch to those before it, in memory. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters that learn of one rank's share of the model before sharding. [1]

    Notes
    -----
    .. math:: \frac{\kappa_a w}{z \beta}

    over the z ranks that share the sums from the second stage of ZeRO on. Memory sets the pace whatever the size of the
    micro-batch, so that small ones pay most.

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 5.2, for gradients that are shared out; NVIDIA, Megatron-LM,
    ``--gradient-accumulation-fusion`` and ``main_grad`` in 32 bit.

    Examples
    --------
    A billion sums that are read and written with 8 bytes at 1 TB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(accumulation_time(example_job(accumulation_traffic=8), np.float64(1e9)))
    0.008
    """
    return job.fitted.accumulation_traffic * held / sharers(job.layout, 2.0) / job.machine.memory_bandwidth


@once
def own_states(job: Job, learning: Array) -> Array:
    """Parameters whose states belong to one rank. [1]

    Parameters
    ----------
    job
        The step.
    learning
        Parameters of one rank's share of the model that learn. [1]

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.1.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(own_states(example_job(count=4, zero=1), np.float64(1e9)))
    250000000.0
    """
    return learning / sharers(job.layout, 1.0)


def optimizer_time(job: Job, held: Array) -> Array:
    r"""Time of the optimizer's update of a rank's own states, bound by memory. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model. [1]

    Notes
    -----
    .. math:: \kappa_o \frac{w}{z \, \beta}

    over the z ranks that share the states: one where they are not sharded.

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 5.1; I. Loshchilov and F. Hutter, 2017, arXiv:1711.05101,
    Algorithm 2.

    Examples
    --------
    A billion parameters over eight ranks, 40 bytes of traffic each at 1 TB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(optimizer_time(example_job(count=8, zero=1, optimizer_traffic=40), np.float64(1e9)))
    0.005
    """
    return job.fitted.optimizer_traffic * own_states(job, held) / job.machine.memory_bandwidth


def clipping_time(job: Job, own: Array) -> Array:
    r"""Time to find the norm of all gradients, to which they are clipped. [s]

    Parameters
    ----------
    job
        The step.
    own
        Parameters whose states belong to one rank. [1]

    Notes
    -----
    .. math:: \frac{4 w}{\beta} + 2 \tau \log_2 n

    Every rank reads its own sums once, and all n add up one number, by a tree there and back. That gradients are scaled
    is part of the optimizer's pass over them.

    References
    ----------
    R. Pascanu et al., "On the difficulty of training recurrent neural networks", 2013, arXiv:1211.5063, Algorithm 1;
    R. Thakur et al., "Optimization of Collective Communication Operations in MPICH", 2005, Section 4.1 (tree).

    Examples
    --------
    A billion sums of 4 bytes at 1 TB/s; then 1,024 ranks with 2 microseconds from one to the next:

    >>> from estimator.formulas.example import example_job
    >>> float(clipping_time(example_job(), np.float64(1e9)))
    0.004
    >>> round(float(clipping_time(example_job(count=1024, ring_latency=2e-6), np.float64(1e9))), 9)
    0.00404
    """
    hops = 2.0 * np.log2(np.maximum(most_working(job.layout), 1.0))
    return _SUM * own / job.machine.memory_bandwidth + hops * job.fitted.ring_latency
