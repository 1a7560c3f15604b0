"""Time of what ranks exchange within a replica: tensor parallelism, context parallelism and the pipeline."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from .all_to_all import even_exchange_time
from .collectives import network_rate, ring_rate, ring_time, scaleup_rate
from .job import HALF, Job
from .layout import most_working

# Members of a group in one fast domain, where each lies in its own.
_APART = np.float64(1.0)


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
    .. math:: 2 n \left(\kappa_t e^{-g_t (y - 2024)} \, 2 \frac{t - 1}{t} \frac{2 T h}{\beta} + \tau\right)

    With sequence parallelism each all-reduce is a reduce-scatter and an all-gather of the same volume. Newer
    software hides more of it.

    References
    ----------
    M. Shoeybi et al., 2019, arXiv:1909.08053, Section 3, Figure 4; V. Korthikanti et al., 2022, arXiv:2205.05198,
    Section 4.2.2, Eqs. 5-6.

    Examples
    --------
    Two passes of two all-reduces of 2 MB over two ranks at 100 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(tensor_parallel_time(example_job(tp=2), np.float64(2)))
    8e-05
    """
    ranks, fitted = job.layout.tp, job.fitted

    def _time() -> Array:
        rate = ring_rate(job.machine, job.group(ranks))
        once = 2.0 * ring_time(HALF * job.tokens * job.model.hidden, ranks, rate)
        use = fitted.tensor_use * np.exp(-fitted.tensor_gain * job.newer)
        return 2.0 * passes * (use * once + fitted.tensor_latency)

    return either(ranks > 1, _time, np.float64(0.0))


def context_ring_time(job: Job, passes: Array) -> Array:
    r"""Time of a layer's exchange of keys and values in a ring of context ranks. [s]

    Parameters
    ----------
    job
        The step.
    passes
        Times that keys and values pass round: 3 forward and backward, 4 with attention recomputed. [1]

    Notes
    -----
    .. math:: n \kappa_c (c - 1) \frac{2 T k (d + r + v)}{t \beta}

    Keys and values pass round once forward; backward they and their gradients do. Of fewer key-value heads than
    tensor ranks each rank has one (k = t). Context ranks follow each other
    after the tensor ranks: where they do not all lie in one domain the network's links set the pace, or its spine.

    References
    ----------
    H. Liu et al., "Ring Attention with Blockwise Transformers", 2023, arXiv:2310.01889, Section 3.

    Examples
    --------
    Four ranks with 250 tokens each pass on 1 MB of keys and values three times, at 100 GB/s, thrice:

    >>> from estimator.formulas.example import example_job
    >>> float(context_ring_time(example_job(cp=4), np.float64(3)))
    9e-05
    """
    return either(job.layout.cp > 1, lambda: _context_ring_time(job, passes), np.float64(0.0))


def _context_ring_time(job: Job, passes: Array) -> Array:
    model, layout = job.model, job.layout
    heads = where(model.kv_rank > 0, model.heads, model.kv_heads)
    own = np.maximum(heads / layout.tp, 1.0)
    size = HALF * job.tokens * own * (model.head_dim + model.rope_dim + model.value_dim)
    inside = layout.tp * layout.cp <= job.domain
    alone = network_rate(job.machine, job.group(layout.cp, layout.tp)._replace(inside=_APART))
    rate = where(inside, scaleup_rate(job.machine, layout.cp), alone)
    return passes * job.fitted.context_use * (layout.cp - 1.0) * size / rate


def ulysses_time(job: Job, passes: Array) -> Array:
    r"""Time of a layer's all-to-alls that turn shares of the sequence into shares of the heads and back. [s]

    Parameters
    ----------
    job
        The step.
    passes
        Passes with four all-to-alls each: 2 forward and backward, 3 with attention recomputed. [1]

    Returns
    -------
    Seconds of all passes. [s]

    Notes
    -----
    .. math:: n \kappa_x \frac{c - 1}{c} \frac{2 T (a (d + r + v) + k' (d + r + v))}{t \beta},
        \quad k' = \max(k, t c)

    Queries, keys and values go out, the attention's output comes back: 4 h elements a token where every head has
    keys of its own. Each rank needs the keys of its own heads, so that fewer key-value heads than ranks are sent
    more than once. Nothing can be computed meanwhile. No measured row tells of it: what an all-to-all takes over its
    bandwidth is taken from the one of experts.

    References
    ----------
    S. Jacobs et al., "DeepSpeed Ulysses", 2023, arXiv:2309.14509, Section 3.2: 4 N h / P a link, against N h of
    Megatron's sequence parallelism.

    Examples
    --------
    Four ranks with 250 tokens each; of the 2 MB of queries, keys, values and outputs three quarters leave:

    >>> from estimator.formulas.example import example_job
    >>> float(ulysses_time(example_job(cp=4, kv_heads=10), np.float64(2)))
    3e-05
    """
    return either(job.layout.cp > 1, lambda: _ulysses_time(job, passes), np.float64(0.0))


def _ulysses_time(job: Job, passes: Array) -> Array:
    model, layout = job.model, job.layout
    alone = where(model.kv_rank > 0, model.heads, model.kv_heads)
    sent = np.minimum(np.maximum(alone, layout.tp * layout.cp), np.maximum(model.heads, alone))
    width = (model.heads + sent) * (model.head_dim + model.rope_dim + model.value_dim)
    size = HALF * job.tokens * width / layout.tp
    once = even_exchange_time(job.machine, size, job.group(layout.cp, layout.tp))
    return passes * job.fitted.expert_use * once


def context_parallel_time(job: Job, recomputed: Array) -> Array:
    """Time of a layer's exchange between context ranks, by ring or by all-to-all. [s]

    Parameters
    ----------
    job
        The step.
    recomputed
        Forward passes of attention that are repeated in the backward pass. [1]

    References
    ----------
    H. Liu et al., 2023, arXiv:2310.01889; S. Jacobs et al., 2023, arXiv:2309.14509.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(context_parallel_time(example_job(cp=4), np.float64(0)))
    9e-05
    >>> float(context_parallel_time(example_job(cp=4, ulysses=1), np.float64(0)))
    3e-05
    """
    return either(
        job.ulysses,
        lambda: ulysses_time(job, 2.0 + recomputed),
        lambda: context_ring_time(job, 3.0 + recomputed),
    )


def pipeline_transfer_time(job: Job) -> Array:
    r"""Time to pass a micro-batch's activations and their gradients to the next stage, each chunk once. [s]

    Notes
    -----
    .. math:: 2 \kappa_p v \frac{2 T h}{t' \nu}

    Stages lie furthest apart: their links are those of the network and of its spine, unless one domain holds the whole
    run. In a full mesh the next stage is reached over one link.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Sections 3.2 and 4.1 (scatter and gather).

    Examples
    --------
    2 MB there and back for each of two chunks: over a network of 10 GB/s, then within a server at 100 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> [float(pipeline_transfer_time(example_job(count=count, pp=2, vpp=2))) for count in (16, 8)]
    [0.0008, 8e-05]
    """
    return either(job.layout.pp > 1, lambda: _transfer_time(job), np.float64(0.0))


def _transfer_time(job: Job) -> Array:
    layout = job.layout
    size = HALF * job.tokens * job.model.hidden / job.norm_split
    link = scaleup_rate(job.machine, np.minimum(layout.pp, 2.0))
    stage = np.maximum(most_working(layout) / layout.pp, 1.0)
    alone = network_rate(job.machine, job.group(layout.pp, stage)._replace(inside=_APART))
    once = size / where(layout.count <= job.domain, link, alone)
    return 2.0 * job.fitted.pipeline_use * layout.vpp * once
