"""Time that one layer takes for one micro-batch: matrix products, attention, and work bound by memory."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .flops import attention_span
from .job import HALF, Job
from .parameters import Transformer, attention_matrices, feed_forward_matrices


def product_time(job: Job, weights: Array, edge: Array) -> Array:
    r"""Time of one pass of matrix products with ``weights`` weights over the tokens of a micro-batch. [s]

    Parameters
    ----------
    job
        The step.
    weights
        Weights of the products on one rank. [1]
    edge
        Elements that the products read and write for a token on one rank. [1]

    Returns
    -------
    Seconds of one forward pass. [s]

    Notes
    -----
    .. math:: \frac{2 T w}{\eta P} + \kappa \frac{2 (w + T e)}{\beta}

    The roofline of S. Williams et al. as a sum instead of a maximum: what is not hidden of the traffic is fitted
    (:math:`\kappa`), which makes the efficiency grow with the size of the products.

    References
    ----------
    S. Williams et al., "Roofline", CACM 52(4), 2009, Section 3; NVIDIA, "Matrix Multiplication Background User's
    Guide", Section 2, for operations and bytes of a product.
    """
    work = 2.0 * job.tokens * weights / (job.fitted.product_efficiency * job.machine.peak)
    moved = HALF * (weights + job.tokens * edge)
    return work + job.fitted.product_traffic * moved / job.machine.memory_bandwidth


def attention_products_time(job: Job) -> Array:
    """Time of one pass of a layer's query, key, value and output projections, split over tensor ranks. [s]

    References
    ----------
    M. Shoeybi et al., "Megatron-LM", 2019, arXiv:1909.08053, Section 3, Figure 3b, for the split.
    """
    model, ranks = job.model, job.layout.tp
    width = 2.0 * model.heads * (model.head_dim + model.rope_dim)
    width = width + model.kv_heads * (model.head_dim + model.value_dim)
    return product_time(job, attention_matrices(model) / ranks, 2.0 * model.hidden + width / ranks)


def feed_forward_time(job: Job, width: Array) -> Array:
    """Time of one pass of a dense feed-forward block of a given width, split over tensor ranks. [s]

    References
    ----------
    M. Shoeybi et al., 2019, arXiv:1909.08053, Section 3, Figure 3a; N. Shazeer, 2020, arXiv:2002.05202, for gates.
    """
    model, ranks = job.model, job.layout.tp
    edge = 2.0 * model.hidden + (2.0 + model.gated) * width / ranks
    return product_time(job, feed_forward_matrices(model, width) / ranks, edge)


def score_flops(model: Transformer, tokens: Array, span: Array) -> Array:
    r"""FLOPs of one layer's attention scores and weighted sums, forward, every key counted. [FLOP]

    Notes
    -----
    .. math:: 2 T s a (d + v)

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Appendix (attention matrix and attention over values).
    """
    widths = model.head_dim + model.rope_dim + model.value_dim
    return 2.0 * tokens * span * model.heads * widths


def attention_time(job: Job, passes: Array) -> Array:
    r"""Time of a layer's attention by a fused kernel, over all its passes. [s]

    Parameters
    ----------
    job
        The step.
    passes
        Forward passes that the work amounts to: the backward one is 2.5. [1]

    Notes
    -----
    .. math:: \frac{n}{2} \frac{2 T s a (d + v)}{\eta_a P_{16}}

    A causal kernel computes half of the scores; it runs in 16 bit whatever the products use.

    References
    ----------
    T. Dao, "FlashAttention-2", 2023, arXiv:2307.08691, Section 3.1.1 (causal mask) and Section 4.1 (backward FLOPs 2.5
    times the forward ones).
    """
    flops = score_flops(job.model, job.tokens, attention_span(job.model, job.seq)) / job.layout.tp
    return 0.5 * passes * flops / (job.fitted.attention_efficiency * job.machine.peak_16bit)


def unfused_attention_time(job: Job, passes: Array) -> Array:
    r"""Time of a layer's attention where scores are written to memory, over all its passes. [s]

    Parameters
    ----------
    job
        The step.
    passes
        Forward passes that the work amounts to: the backward one is 2. [1]

    Notes
    -----
    .. math:: n \left(\frac{2 T s a (d + v)}{\eta P_{16}} + \kappa \frac{2 a T s}{\beta}\right)

    Every score is computed, masked or not, and softmax, mask and dropout pass over it in memory.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1, for what softmax and dropout keep; T. Dao et al.,
    "FlashAttention", 2022, arXiv:2205.14135, Section 3.2, Theorem 2, for the memory accesses.
    """
    span = attention_span(job.model, job.seq)
    flops = score_flops(job.model, job.tokens, span) / job.layout.tp
    work = flops / (job.fitted.product_efficiency * job.machine.peak_16bit)
    scores = HALF * job.model.heads * job.tokens * span / job.layout.tp
    return passes * (work + job.fitted.score_traffic * scores / job.machine.memory_bandwidth)


def chosen_attention_time(job: Job, recomputed: Array) -> Array:
    """Time of a layer's attention, forward and backward, and once more forward where ``recomputed`` is 1. [s]"""
    fused = attention_time(job, 3.5 + recomputed)
    return np.where(job.layout.unfused > 0, unfused_attention_time(job, 3.0 + recomputed), fused)


def elementwise_time(job: Job, width: Array) -> Array:
    r"""Time of a layer's norms, residuals and activation function, forward and backward, bound by memory. [s]

    Parameters
    ----------
    job
        The step.
    width
        Inner width that a token passes in the feed-forward block. [1]

    Notes
    -----
    .. math:: T \frac{\kappa_n h / t' + \kappa_f (1 + g) f / t}{\beta}

    Norms are split over tensor ranks (t') only with sequence parallelism.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.2.2; A. Ivanov et al., "Data Movement Is All You Need",
    2021, arXiv:2007.00072, Table A.1, for the share of element-wise operators.
    """
    norms = job.fitted.norm_traffic * job.model.hidden / job.norm_split
    inner = job.fitted.activation_traffic * (1.0 + job.model.gated) * width / job.layout.tp
    return job.tokens * (norms + inner) / job.machine.memory_bandwidth


def head_time(job: Job) -> Array:
    r"""Time of the output head and the cross-entropy over the vocabulary, forward and backward. [s]

    Notes
    -----
    .. math:: 3 \left(\frac{2 T h V}{t \eta P_{16}} + \dots\right) + \kappa_v \frac{T V}{t \beta}

    The head runs in 16 bit; softmax and loss pass over the logits in 32 bit.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Appendix (logit layer); M. Shoeybi et al., 2019, arXiv:1909.08053,
    Section 3, for the parallel cross-entropy.
    """
    model, ranks = job.model, job.layout.tp
    sixteen = job._replace(machine=job.machine._replace(peak=job.machine.peak_16bit))
    product = product_time(sixteen, model.vocab * model.hidden / ranks, model.hidden + model.vocab / ranks)
    loss = job.fitted.logit_traffic * job.tokens * model.vocab / ranks / job.machine.memory_bandwidth
    return job.passes * product + loss
