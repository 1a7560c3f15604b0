"""Time that a rank takes for the gradients and the states of its own: adding up, and the optimizer's update."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .job import Job
from .layout import sharding_ranks


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
    shards = np.where(job.layout.zero >= 2, sharding_ranks(job.layout), 1.0)
    return job.fitted.accumulation_traffic * held / shards / job.machine.memory_bandwidth


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
    return learning / np.where(job.layout.zero >= 1, sharding_ranks(job.layout), 1.0)


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
