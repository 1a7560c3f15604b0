"""Time of a layer of experts for one micro-batch: grouped products, routing and the exchange of tokens."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, plus
from .all_to_all import all_to_all_time
from .job import HALF, Job
from .layer_time import feed_forward_time
from .layout import expert_split, fullest_load
from .parameters import feed_forward_matrices


def tokens_an_expert(job: Job) -> Array:
    r"""Tokens that one expert sees of one micro-batch, from all ranks that share it. [token]

    Notes
    -----
    .. math:: \frac{T k e}{X}

    References
    ----------
    D. Lepikhin et al., "GShard", 2020, arXiv:2006.16668, Section 2.2, with an even load.

    Examples
    --------
    A thousand tokens on each of four ranks, each going to two of eight experts:

    >>> from estimator.formulas.example import example_job
    >>> float(tokens_an_expert(example_job(experts=8, experts_per_token=2, ep=4)))
    1000.0
    """
    model = job.model
    return job.tokens * model.experts_per_token * job.layout.ep / np.maximum(model.experts, 1.0)


def grouped_products_time(job: Job) -> Array:
    r"""Time of one pass of the chosen experts' products. [s]

    Notes
    -----
    .. math:: \iota_x \frac{2 T k w}{t \eta_x \eta P} \left(1 + \frac{n_{1/2}}{n}\right)
        + \kappa \frac{2 X w}{c_x \beta}

    with n tokens an expert, and :math:`c_x` cards over which a copy of the experts is spread: half the rate is
    reached at :math:`n_{1/2}`. All wait for the fullest rank, whose load is :math:`\iota_x` times the mean: at most
    all tokens go to its experts (``layout.fullest_load``).

    References
    ----------
    T. Gale et al., "MegaBlocks", 2022, arXiv:2211.15841, Section 5.1; R. Hockney and C. Jesshope, "Parallel
    Computers", 1981, Section 1.3.2, for the half-performance length.

    Examples
    --------
    Two experts of 8 million weights for each of a thousand tokens, then with half the rate at 125 tokens an expert
    where there are 250:

    >>> from estimator.formulas.example import example_job
    >>> sparse = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000}
    >>> float(grouped_products_time(example_job(**sparse)))
    0.00032
    >>> round(float(grouped_products_time(example_job(**sparse, expert_half=125))), 9)
    0.00048
    """
    model, fitted = job.model, job.fitted
    weights = feed_forward_matrices(model, model.expert_ffn) / job.layout.tp
    rate = fitted.product_efficiency * fitted.expert_efficiency * job.machine.peak
    small = 1.0 + fitted.expert_half / np.maximum(tokens_an_expert(job), 1e-9)
    copies = model.experts * job.layout.tp / expert_split(job.layout)
    read = HALF * weights * copies / job.machine.memory_bandwidth
    work = 2.0 * job.tokens * model.experts_per_token * weights / rate
    return fullest_load(job.layout, job.model) * work * small + fitted.product_traffic * read


def experts_time(job: Job) -> Array:
    """Time of one pass of a layer's routed and shared experts. [s]

    References
    ----------
    D. Dai et al., "DeepSeekMoE", 2024, arXiv:2401.06066, Section 3.2, for shared experts.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> sparse = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000}
    >>> round(float(experts_time(example_job(**sparse, shared_ffn=4000))), 9)
    0.00048
    """
    width = job.model.shared_ffn
    return plus(
        grouped_products_time(job), either(width, lambda: feed_forward_time(job, width), np.float64(0.0))
    )


def dispatch_time(job: Job) -> Array:
    r"""Time to send tokens to their experts and back, in one forward pass. [s]

    Notes
    -----
    Two all-to-alls of :math:`2 T h / t` bytes a copy, which end when the fullest rank has its tokens.

    References
    ----------
    D. Lepikhin et al., 2020, arXiv:2006.16668, Section 3.2; DeepSeek-AI, 2024, arXiv:2412.19437, Section 3.2.2.

    Examples
    --------
    Two copies of 2 MB there and back, of which three quarters leave the rank, at 100 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(dispatch_time(example_job(experts=8, experts_per_token=2, ep=4)))
    6e-05
    """

    def _time() -> Array:
        size = HALF * job.tokens * job.model.hidden / job.layout.tp
        once = all_to_all_time(job.machine, size, job.group(job.layout.ep), job.model.experts_per_token)
        return 2.0 * job.fitted.expert_use * fullest_load(job.layout, job.model) * once

    return either(job.layout.ep > 1, _time, np.float64(0.0))
