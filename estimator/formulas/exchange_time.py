"""Time of what ranks exchange: tensor and context parallelism, pipeline, sharded weights, gradients."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .collectives import ring_rate, ring_time, scaleup_rate
from .job import HALF, Job
from .layout import sharding_ranks

# Bytes of a gradient in 32 bit and of the weight that comes back in 16.
_REDUCED = 6.0


def tensor_parallel_time(job: Job, passes: Array) -> Array:
    r"""Time of a layer's exchange between tensor ranks. [s]

    Parameters
    ----------
    job
        The step.
    passes
        Passes with two all-reduces each: 2 forward and backward, 3 with full recomputation. [1]

    Notes
    -----
    .. math:: 2 n \left(\kappa_t \, 2 \frac{t - 1}{t} \frac{2 T h}{\beta} + \tau\right)

    With sequence parallelism each all-reduce is a reduce-scatter and an all-gather of the same volume. Newer
    software hides more of it.

    References
    ----------
    M. Shoeybi et al., 2019, arXiv:1909.08053, Section 3, Figure 4; V. Korthikanti et al., 2022, arXiv:2205.05198,
    Section 4.2.2, Eqs. 5-6.
    """
    ranks, fitted = job.layout.tp, job.fitted
    rate = ring_rate(job.machine, job.layout.per_node, ranks, job.domain)
    once = 2.0 * ring_time(HALF * job.tokens * job.model.hidden, ranks, rate)
    use = fitted.tensor_use * np.exp(-fitted.tensor_gain * (job.year - _ORIGIN))
    return np.where(ranks > 1, 2.0 * passes * (use * once + fitted.tensor_latency), 0.0)


# The year at which the gains of software are counted from.
_ORIGIN = 2024.0


def software_gain(job: Job) -> Array:
    r"""What software of a year takes of the time of software of 2024. [1]

    Notes
    -----
    .. math:: e^{-g (y - 2024)}

    References
    ----------
    Fitted; A. Karpathy, "llm.c" and MLCommons' rounds show the same recipe faster with each release.
    """
    return np.exp(-job.fitted.software_gain * (job.year - _ORIGIN))


def context_parallel_time(job: Job) -> Array:
    r"""Time of a layer's exchange of keys and values in a ring of context ranks, forward and backward. [s]

    Notes
    -----
    .. math:: 3 \kappa_c (c - 1) \frac{2 T k (d + v)}{t \beta}

    Keys and values pass round once forward; backward they and their gradients do.

    References
    ----------
    H. Liu et al., "Ring Attention with Blockwise Transformers", 2023, arXiv:2310.01889, Section 3.
    """
    model, layout = job.model, job.layout
    heads = np.where(model.kv_rank > 0, model.heads, model.kv_heads)
    size = HALF * job.tokens * heads * (model.head_dim + model.value_dim) / layout.tp
    inside = layout.tp * layout.cp <= job.domain
    rate = np.where(inside, scaleup_rate(job.machine, layout.cp), job.machine.scaleout_bandwidth)
    return np.where(layout.cp > 1, 3.0 * job.fitted.context_use * (layout.cp - 1.0) * size / rate, 0.0)


def pipeline_transfer_time(job: Job) -> Array:
    r"""Time to pass a micro-batch's activations and their gradients to the next stage, each chunk once. [s]

    Notes
    -----
    .. math:: 2 \kappa_p v \frac{2 T h}{t' \nu}

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Sections 3.2 and 4.1 (scatter and gather).
    """
    size = HALF * job.tokens * job.model.hidden / job.norm_split
    once = size / job.machine.scaleout_bandwidth
    return np.where(job.layout.pp > 1, 2.0 * job.fitted.pipeline_use * job.layout.vpp * once, 0.0)


def _sharding_rate(job: Job, ranks: Array) -> Array:
    """Bandwidth of the ring over ranks that follow each other after the tensor ranks. [byte/s]"""
    return ring_rate(job.machine, job.layout.per_node, ranks, job.domain / job.layout.tp)


def sharded_weights_time(job: Job, held: Array) -> Array:
    r"""Time to gather weights twice and to spread gradients once, in one micro-batch of ZeRO-3 or FSDP. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model before sharding. [1]

    Notes
    -----
    .. math:: 3 \kappa_z \frac{d - 1}{d} \frac{2 w}{\beta}

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 7.2.2; Y. Zhao et al., 2023, arXiv:2304.11277, Section 3.2.
    """
    ranks = sharding_ranks(job.layout)
    once = ring_time(HALF * held, ranks, _sharding_rate(job, ranks))
    sharded = (job.layout.zero >= 3) & (ranks > 1)
    return np.where(sharded, 3.0 * job.fitted.sharding_use * once, 0.0)


def gradient_exchange_time(job: Job, held: Array) -> Array:
    r"""Time of the step's exchange of gradients (and of weights, where states are sharded) that stays exposed. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model. [1]

    Notes
    -----
    .. math:: \kappa_g \frac{d - 1}{d} \frac{6 w}{\beta}

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 7.2.1; S. Li et al., "PyTorch Distributed", 2020,
    arXiv:2006.15704, Section 3.2.3, for the overlap with the backward pass.
    """
    layout = job.layout
    ranks = np.maximum(layout.count / (layout.tp * layout.pp), 1.0)
    once = ring_time(_REDUCED * held, ranks, _sharding_rate(job, ranks))
    apart = (layout.zero < 3) & (ranks > 1)
    return np.where(apart, job.fitted.gradient_use * once, 0.0)


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
    .. math:: \kappa_o \frac{w}{d \, \beta}

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 5.1; I. Loshchilov and F. Hutter, 2017, arXiv:1711.05101,
    Algorithm 2.
    """
    own = held / np.where(job.layout.zero >= 1, sharding_ranks(job.layout), 1.0)
    return job.fitted.optimizer_traffic * own / job.machine.memory_bandwidth
