"""Time of one layer's matrix products and of its work bound by memory, for one micro-batch."""

from __future__ import annotations

from ..arrays import Array, where
from .job import HALF, Job
from .parameters import attention_matrices, feed_forward_matrices


def product_time(job: Job, weights: Array, edge: Array, inner: Array) -> Array:
    r"""Time of one pass of matrix products with ``weights`` weights over the tokens of a micro-batch. [s]

    Parameters
    ----------
    job
        The step.
    weights
        Weights of the products on one rank. [1]
    edge
        Elements that the products read and write for a token on one rank. [1]
    inner
        Inner dimensions of the products, summed: the terms of one output of each. [1]

    Returns
    -------
    Seconds of one forward pass. [s]

    Notes
    -----
    .. math:: \frac{2 (T w + \omega k)}{\eta P} + \kappa \frac{2 (w + T e)}{\beta}

    The roofline of S. Williams et al. as a sum instead of a maximum: what is not hidden of the traffic is fitted
    (:math:`\kappa`), which makes the efficiency grow with the size of the products. Outputs are computed in waves of
    tiles, one tile a processor, and the last wave is only partly filled: :math:`\omega` outputs, of k terms each, are
    lost on the average.

    References
    ----------
    S. Williams et al., "Roofline", CACM 52(4), 2009, Section 3; NVIDIA, "Matrix Multiplication Background User's
    Guide", Section 2, for operations and bytes of a product, and "Wave Quantization".

    Examples
    --------
    A thousand tokens times a matrix of 1,000 by 1,000 at 100 TFLOP/s, then with all of its traffic at 1 TB/s, then
    with a wave of 500,000 outputs lost:

    >>> import numpy as np
    >>> from estimator.formulas.example import example_job
    >>> sizes = [np.float64(each) for each in (1e6, 2000, 1000)]
    >>> float(product_time(example_job(), *sizes))
    2e-05
    >>> round(float(product_time(example_job(product_traffic=1), *sizes)), 9)
    2.6e-05
    >>> round(float(product_time(example_job(product_wave=5e5), *sizes)), 9)
    3e-05
    """
    lost = job.fitted.product_wave * inner
    work = 2.0 * (job.tokens * weights + lost) / (job.fitted.product_efficiency * job.machine.peak)
    moved = HALF * (weights + job.tokens * edge)
    return work + job.fitted.product_traffic * moved / job.machine.memory_bandwidth


def attention_products_time(job: Job) -> Array:
    r"""Time of one pass of a layer's query, key, value and output projections, split over tensor ranks. [s]

    Notes
    -----
    .. math:: w = \frac{w_a}{t}, \quad e = 2 (h + r_q + r_{kv}) + \frac{a (d + r + v) + k (d + v)}{t},
        \quad k = h + \frac{a v}{t}

    with the latents of queries and keys written and read where there are any; the keys and values of every head are
    then computed from them.

    References
    ----------
    M. Shoeybi et al., "Megatron-LM", 2019, arXiv:1909.08053, Section 3, Figure 3b, for the split.

    Examples
    --------
    Four matrices of 1,000 by 1,000 over two ranks:

    >>> from estimator.formulas.example import example_job
    >>> float(attention_products_time(example_job(tp=2)))
    4e-05
    """
    model, ranks = job.model, job.layout.tp
    keys = where(model.kv_rank > 0, model.heads, model.kv_heads)
    width = model.heads * (model.head_dim + model.rope_dim + model.value_dim)
    width = width + keys * (model.head_dim + model.value_dim)
    edge = 2.0 * (model.hidden + model.q_rank + model.kv_rank) + width / ranks
    inner = model.hidden + model.heads * model.value_dim / ranks
    return product_time(job, attention_matrices(model) / ranks, edge, inner)


def feed_forward_time(job: Job, width: Array) -> Array:
    r"""Time of one pass of a dense feed-forward block of a given width, split over tensor ranks. [s]

    Parameters
    ----------
    job
        The step.
    width
        Inner width of the block. [1]

    Notes
    -----
    .. math:: w = \frac{(2 + g) h f}{t}, \quad e = 2 h + \frac{(2 + g) f}{t}, \quad k = h + \frac{f}{t}

    A gate is computed in one product with what it gates.

    References
    ----------
    M. Shoeybi et al., 2019, arXiv:1909.08053, Section 3, Figure 3a; N. Shazeer, 2020, arXiv:2002.05202, for gates.

    Examples
    --------
    >>> import numpy as np
    >>> from estimator.formulas.example import example_job
    >>> float(feed_forward_time(example_job(), np.float64(4000)))
    0.00016
    """
    model, ranks = job.model, job.layout.tp
    edge = 2.0 * model.hidden + (2.0 + model.gated) * width / ranks
    inner = where(width > 0, model.hidden + width / ranks, 0.0)
    return product_time(job, feed_forward_matrices(model, width) / ranks, edge, inner)


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

    Norms are split over tensor ranks (:math:`t' = t`) only with sequence parallelism.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.2.2; A. Ivanov et al., "Data Movement Is All You Need",
    2021, arXiv:2007.00072, Table A.1, for the share of element-wise operators.

    Examples
    --------
    A thousand tokens of width 1,000 pass the memory with 40 bytes an element, their inner width of 4,000 with 10:

    >>> import numpy as np
    >>> from estimator.formulas.example import example_job
    >>> job = example_job(norm_traffic=40, activation_traffic=10)
    >>> float(elementwise_time(job, np.float64(4000)))
    8e-05
    """
    norms = job.fitted.norm_traffic * job.model.hidden / job.norm_split
    inner = job.fitted.activation_traffic * (1.0 + job.model.gated) * width / job.layout.tp
    return job.tokens * (norms + inner) / job.machine.memory_bandwidth


def head_time(job: Job) -> Array:
    r"""Time of the output head and the cross-entropy over the vocabulary, forward and backward. [s]

    Notes
    -----
    .. math:: n \left(\frac{2 (T h V / t + \omega h)}{\eta P_{16}}
        + \kappa \frac{2 (V h / t + T (h + V / t))}{\beta}\right) + \kappa_v \frac{T V}{t \, \beta}

    The head runs in 16 bit, in two passes where it is frozen; softmax and loss pass over the logits in 32 bit. A model
    without a vocabulary has none.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Appendix (logit layer); M. Shoeybi et al., 2019, arXiv:1909.08053,
    Section 3, for the parallel cross-entropy.

    Examples
    --------
    Three passes of a thousand tokens of width 1,000 over 50,000 words, at 100 TFLOP/s:

    >>> from estimator.formulas.example import example_job
    >>> float(head_time(example_job(vocab=50000)))
    0.003
    """
    model, ranks = job.model, job.layout.tp
    sixteen = job._replace(machine=job.machine._replace(peak=job.machine.peak_16bit))
    edge = where(model.vocab > 0, model.hidden + model.vocab / ranks, 0.0)
    inner = where(model.vocab > 0, model.hidden, 0.0)
    product = product_time(sixteen, model.vocab * model.hidden / ranks, edge, inner)
    loss = job.fitted.logit_traffic * job.tokens * model.vocab / ranks / job.machine.memory_bandwidth
    passes = 3.0 - job.method.frozen * (1.0 - job.method.outer)
    return passes * product + loss
