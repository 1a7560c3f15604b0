"""Time of one layer's matrix products and of its work bound by memory, for one micro-batch."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .job import HALF, Job
from .parameters import attention_matrices, feed_forward_matrices


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

    Examples
    --------
    A thousand tokens times a matrix of 1,000 by 1,000 at 100 TFLOP/s, then with all of its traffic at 1 TB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(product_time(example_job(), np.float64(1e6), np.float64(2000)))
    2e-05
    >>> round(float(product_time(example_job(product_traffic=1), np.float64(1e6), np.float64(2000))), 9)
    2.6e-05
    """
    work = 2.0 * job.tokens * weights / (job.fitted.product_efficiency * job.machine.peak)
    moved = HALF * (weights + job.tokens * edge)
    return work + job.fitted.product_traffic * moved / job.machine.memory_bandwidth


def attention_products_time(job: Job) -> Array:
    r"""Time of one pass of a layer's query, key, value and output projections, split over tensor ranks. [s]

    Notes
    -----
    .. math:: w = \frac{w_a}{t}, \quad e = 2 h + \frac{2 a (d + r) + k (d + v)}{t}

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
    width = 2.0 * model.heads * (model.head_dim + model.rope_dim)
    width = width + model.kv_heads * (model.head_dim + model.value_dim)
    return product_time(job, attention_matrices(model) / ranks, 2.0 * model.hidden + width / ranks)


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
    .. math:: w = \frac{(2 + g) h f}{t}, \quad e = 2 h + \frac{(2 + g) f}{t}

    References
    ----------
    M. Shoeybi et al., 2019, arXiv:1909.08053, Section 3, Figure 3a; N. Shazeer, 2020, arXiv:2002.05202, for gates.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(feed_forward_time(example_job(), np.float64(4000)))
    0.00016
    """
    model, ranks = job.model, job.layout.tp
    edge = 2.0 * model.hidden + (2.0 + model.gated) * width / ranks
    return product_time(job, feed_forward_matrices(model, width) / ranks, edge)


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
    .. math:: n \left(\frac{2 T h V}{t \, \eta P_{16}} + \kappa \frac{2 (V h / t + T (h + V / t))}{\beta}\right)
        + \kappa_v \frac{T V}{t \, \beta}

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
    edge = np.where(model.vocab > 0, model.hidden + model.vocab / ranks, 0.0)
    product = product_time(sixteen, model.vocab * model.hidden / ranks, edge)
    loss = job.fitted.logit_traffic * job.tokens * model.vocab / ranks / job.machine.memory_bandwidth
    passes = 3.0 - job.method.frozen * (1.0 - job.method.outer)
    return passes * product + loss
