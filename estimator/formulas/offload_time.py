"""Time that states on the host cost: gradients go down, the host updates, weights come up."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either
from .job import HALF, Job
from .sharding import sharers
from .tuning_time import frozen_bytes

# Bytes a parameter that Adam moves in the host's memory: master weight and both moments read and written in 32 bit,
# the gradient read and the weight written in 16.
_UPDATED = 28.0


def fetched_weights_time(job: Job, held: Array) -> Array:
    r"""Time to fetch weights from the host for one micro-batch, forward and backward, before any is hidden. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model before sharding. [1]

    Notes
    -----
    .. math:: 2 \frac{w_b N}{n_3 \beta_h}

    Each of the :math:`n_3` ranks that share one copy fetches its part. A layer that is worked out again in the backward
    pass is fetched once for both.

    References
    ----------
    S. Rajbhandari et al., "ZeRO-Infinity", 2021, arXiv:2104.07857, Section 4.1 for how often, Section 6.1 for the
    parts.

    Examples
    --------
    A billion weights over two ranks, 10 GB/s to each card:

    >>> from estimator.formulas.example import example_job
    >>> job = example_job(count=2, zero=3, offload=2, host_bandwidth=10e9)
    >>> float(fetched_weights_time(job, np.float64(1e9)))
    0.2
    """

    def _time() -> Array:
        return 2.0 * frozen_bytes(job) * held / sharers(job.layout, 3.0) / job.host.host_bandwidth

    return either(job.method.offload >= 2, _time, np.float64(0.0))


def host_update_time(job: Job, own: Array) -> Array:
    r"""Time of the optimizer's update on the host, whose memory all cards of the node share. [s]

    Parameters
    ----------
    job
        The step.
    own
        Parameters whose states belong to one rank. [1]

    Notes
    -----
    .. math:: \frac{28 N g}{\beta_m}

    over the g cards of a node: Adam is bound by memory.

    References
    ----------
    J. Ren et al., "ZeRO-Offload", 2021, arXiv:2101.06840, Section 5.1 and Table 4.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> job = example_job(count=8, offload=1, host_memory_bandwidth=112e9)
    >>> float(host_update_time(job, np.float64(1e9)))
    2.0
    """
    cards = np.minimum(job.layout.count, job.layout.per_node)
    return _UPDATED * own * cards / job.host.host_memory_bandwidth


def offload_time(job: Job, own: Array, compute: Array) -> Array:
    r"""Time by which states on the host lengthen a step: what is left of the way down, update and way up. [s]

    Parameters
    ----------
    job
        The step.
    own
        Parameters whose states belong to one rank. [1]
    compute
        Time of the step's micro-batches, behind which gradients go down. [s]

    Notes
    -----
    .. math:: \left(\sqrt[3]{t_c^3 + t_d^3} - t_c\right) + \sqrt[3]{t_u^3 + t_d^3}, \quad t_d = \frac{2 N}{\beta_h}

    Two bytes a parameter go down during the backward pass and two come up as the update :math:`t_u` makes them.

    References
    ----------
    J. Ren et al., "ZeRO-Offload", 2021, arXiv:2101.06840, Section 4.1 (4 bytes a parameter), Section 4.2.1 and 5.1
    (what is hidden).

    Examples
    --------
    A billion parameters, 0.2 s each way behind 10 s of work, and 0.28 s of update at 100 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> job = example_job(offload=1, host_bandwidth=10e9, host_memory_bandwidth=100e9)
    >>> round(float(offload_time(job, np.float64(1e9), np.float64(10))), 2)
    0.31
    """

    def _time() -> Array:
        way, update = HALF * own / job.host.host_bandwidth, host_update_time(job, own)
        down = np.cbrt(compute * compute * compute + way * way * way) - compute
        return down + np.cbrt(update * update * update + way * way * way)

    return either(job.method.offload >= 1, _time, np.float64(0.0))
