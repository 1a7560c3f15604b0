"""Time of one layer's attention for one micro-batch: by a fused kernel, or with scores written to memory."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from ..once import once
from .flops import attention_span
from .job import HALF, Job
from .parameters import Transformer, attention_blocks


def score_flops(model: Transformer, tokens: Array, span: Array) -> Array:
    r"""FLOPs of one layer's attention scores and weighted sums, forward, every key counted. [FLOP]

    Parameters
    ----------
    model
        Dimensions. [1]
    tokens
        Queries. [token]
    span
        Keys that a query meets. [token]

    Notes
    -----
    .. math:: 2 T s a (d + r + v)

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Appendix (attention matrix and attention over values).

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(score_flops(example_job().model, np.float64(1000), np.float64(1000)))
    4000000000.0
    """
    widths = model.head_dim + model.rope_dim + model.value_dim
    return 2.0 * tokens * span * model.heads * widths


def computed_span(job: Job) -> Array:
    r"""Keys that a fused kernel computes for a query, on average over queries and layers. [token]

    Notes
    -----
    .. math:: s \left(1 - \frac{c}{2}\right), \quad w \left(1 - \frac{c w}{2 s}\right)

    without and with a window of w tokens: a causal mask leaves half of the square, and of a band below its
    diagonal all but the corner. Of the layers of an encoder-decoder model only the decoder's own attention
    is causal.

    References
    ----------
    T. Dao, "FlashAttention-2", 2023, arXiv:2307.08691, Section 3.1.1 (causal mask); A. Jiang et al., "Mistral 7B",
    2023, arXiv:2310.06825, Section 2 (a token attends to the w before it); J. Devlin et al., "BERT", 2018,
    arXiv:1810.04805, Section 3, for attention in both directions.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(computed_span(example_job(causal=mask))) for mask in (1, 0)]
    [500.0, 1000.0]
    >>> float(computed_span(example_job(window=200)))
    180.0
    """
    model = job.model
    masked = job.causal * where(model.encoder_layers > 0, model.layers / attention_blocks(model), 1.0)
    share = where(model.window > 0, model.window_layers / model.layers, 0.0)
    window = np.minimum(model.window, job.seq)
    whole, banded = job.seq * (1.0 - 0.5 * masked), window * (1.0 - 0.5 * masked * window / job.seq)
    return whole + share * (banded - whole)


@once
def fused_flops(job: Job) -> Array:
    """FLOPs of one layer's attention on one rank that a fused kernel computes, forward. [FLOP]"""
    return score_flops(job.model, job.tokens, computed_span(job)) / job.layout.tp


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
    .. math:: n \frac{2 T s' a (d + r + v)}{t \, \eta_a P_{16}}

    over the keys :math:`s'` that are computed. It runs in 16 bit whatever the products use.

    References
    ----------
    T. Dao, "FlashAttention-2", 2023, arXiv:2307.08691, Section 4.1 (backward FLOPs 2.5 times the forward ones).

    Examples
    --------
    Half of 4 GFLOP forward and 2.5 times that backward, at 100 TFLOP/s:

    >>> from estimator.formulas.example import example_job
    >>> float(attention_time(example_job(), np.float64(3.5)))
    7e-05
    """
    return passes * fused_flops(job) / (job.fitted.attention_efficiency * job.machine.peak_16bit)


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
    .. math:: \frac{n}{t} \left(\frac{2 T s a (d + r + v)}{\eta P_{16}} + \kappa_s \frac{2 a T s}{\beta}\right)

    Every score is computed, masked or not, and softmax, mask and dropout pass over it in memory.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1, for what softmax and dropout keep; T. Dao et al.,
    "FlashAttention", 2022, arXiv:2205.14135, Section 3.2, Theorem 2, for the memory accesses.

    Examples
    --------
    Ten heads of a million scores of 2 bytes pass the memory ten times, forward and twice that backward:

    >>> from estimator.formulas.example import example_job
    >>> round(float(unfused_attention_time(example_job(score_traffic=10), np.float64(3))), 9)
    0.00072
    """
    span = attention_span(job.model, job.seq)
    flops = score_flops(job.model, job.tokens, span) / job.layout.tp
    work = flops / (job.fitted.product_efficiency * job.machine.peak_16bit)
    scores = HALF * job.model.heads * job.tokens * span / job.layout.tp
    return passes * (work + job.fitted.score_traffic * scores / job.machine.memory_bandwidth)


def chosen_attention_time(job: Job, recomputed: Array) -> Array:
    """Time of a layer's attention by the layout's kernel, forward and backward, and what is repeated of it. [s]

    Parameters
    ----------
    job
        The step.
    recomputed
        Forward passes that are repeated in the backward pass. [1]

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5, for repeating attention alone.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(chosen_attention_time(example_job(), np.float64(1)))
    9e-05
    >>> round(float(chosen_attention_time(example_job(unfused=1), np.float64(1))), 9)
    0.00016
    """
    return either(
        job.layout.unfused,
        lambda: unfused_attention_time(job, 3.0 + recomputed),
        lambda: attention_time(job, 3.5 + recomputed),
    )
