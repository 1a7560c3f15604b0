"""Time of one pipeline stage for one micro-batch: its layers, what is repeated of them, and its share of the head."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array, as_flag, either, plus, times, where
from .attention_time import chosen_attention_time
from .exchange_time import context_parallel_time, tensor_parallel_time
from .expert_time import dispatch_time, experts_time
from .job import Job
from .layer_time import attention_products_time, elementwise_time, feed_forward_time
from .parameters import Transformer, attention_blocks, dense_layers
from .tuning_time import adapters_time, dequantisation_time


def passed_share(model: Transformer) -> Array:
    """Share of the layers that a token passes: of an encoder-decoder model, one of the two stacks. [1]

    Parameters
    ----------
    model
        Dimensions. [1]

    References
    ----------
    C. Raffel et al., "T5", 2019, arXiv:1910.10683, Section 3.2.2.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(passed_share(example_job().model)), float(passed_share(example_job(encoder_layers=4).model))
    (1.0, 0.5)
    """
    return where(model.encoder_layers > 0, 0.5, 1.0)


def recomputed_share(job: Job) -> tuple[Array, Array, Array]:
    """Extra forward passes of the whole layer, of its attention and of its element-wise work. [1]

    Each is 1 with full recomputation.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5: selective recomputation repeats attention alone; NVIDIA,
    Megatron-Core, ``TransformerConfig.recompute_modules``: norms and activation functions, no product.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [tuple(map(float, recomputed_share(example_job(recompute=mode)))) for mode in (0, 1, 2, 3)]
    [(0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)]
    """
    code = job.layout.recompute
    whole = as_flag(code == 2)
    return whole, np.maximum(as_flag(code == 1), whole), np.maximum(as_flag(code == 3), whole)


def layers_time(job: Job) -> Mapping[str, Array]:
    r"""Time of all layers of the model for one micro-batch, by part, before they are cut into stages. [s]

    Returns
    -------
    Parts whose sum is what one rank works if it held every layer. [s]

    Notes
    -----
    .. math:: n_b t_{attention} + n (n_d t_{dense} + n_x t_{experts}) + \dots

    over :math:`n_b` attention blocks, :math:`n_d` dense layers and :math:`n_x` layers of experts, in n passes: forward,
    backward for inputs, and backward for weights that are trained. Full recomputation repeats the forward pass.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Appendix; V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5.

    Examples
    --------
    Four layers of 24 GFLOP a pass and 7 GFLOP of attention, at 100 TFLOP/s:

    >>> from estimator.formulas.example import example_job
    >>> {name: float(part.round(9)) for name, part in layers_time(example_job()).items() if part > 0}
    {'matrix_products': 0.00288, 'attention': 0.00028}
    """
    model, passed = job.model, passed_share(job.model)
    blocks, dense, sparse = (
        passed * count for count in (attention_blocks(model), dense_layers(model), model.moe_layers)
    )
    whole, partial, light = recomputed_share(job)
    attention, forward = attention_products_time(job), feed_forward_time(job, model.ffn)
    experts = either(model.experts, lambda: experts_time(job), np.float64(0.0))
    products = blocks * attention + dense * forward
    once, again = chosen_attention_time(job, 0.0), chosen_attention_time(job, partial)
    inner = model.experts_per_token * model.expert_ffn + model.shared_ffn
    norms = plus(
        dense * elementwise_time(job, model.ffn), times(sparse, lambda: elementwise_time(job, inner))
    )
    adapters = adapters_time(job, passed)
    sent, shaken = times(sparse, lambda: dispatch_time(job)), blocks * tensor_parallel_time(job, 2.0)
    routed = times(sparse, experts)
    repeated = whole * (plus(plus(plus(products, routed), adapters / 3.0), sent) + shaken / 2.0)
    repeated = repeated + light * norms / 3.0
    return {
        "matrix_products": job.passes * products,
        "attention": blocks * once,
        "elementwise": norms,
        "experts": job.passes * sparse * experts,
        "routing": sparse * job.fitted.router_time,
        "recomputation": repeated + blocks * (again - once),
        "adapters": adapters,
        "dequantisation": dequantisation_time(job, whole),
        "tensor_parallel": shaken,
        "context_parallel": blocks * context_parallel_time(job, partial),
        "expert_exchange": 2.0 * sent,
        "launch": (dense + sparse) * job.fitted.layer_time * (1.0 + whole / 3.0),
    }


def deepest_stage(job: Job) -> Array:
    r"""Layers of the deepest stage of a pipeline over their mean. [1]

    Notes
    -----
    .. math:: \left\lceil \frac{L}{p} \right\rceil \frac{p}{L}

    The deepest stage sets the pace of all. Layers of an encoder are cut into stages as well.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 2.2.1, for stages alike.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(deepest_stage(example_job(pp=pp, layers=80))) for pp in (1, 16, 32)]
    [1.0, 1.0, 1.2]
    """
    layers, stages = _cut(job.model), job.layout.pp
    # A shape that was only guessed may have a fraction of a layer, and is cut evenly.
    return where(layers == np.floor(layers), np.ceil(layers / stages) * stages / layers, 1.0)


def head_share(job: Job) -> Array:
    r"""Part of the output head's time by which the slowest stage exceeds the layers' share. [1]

    Notes
    -----
    .. math:: \iota \text{ where } p v \text{ divides } L, \text{ else } \frac{1}{p}

    Where the layers divide evenly over the stages the last one has the head on top; where they do not, the short
    stages hold embedding and head, and the load is even. One stage has all of it.

    References
    ----------
    A. Grattafiori et al., "The Llama 3 Herd of Models", 2024, arXiv:2407.21783, Section 3.3.2: one layer less on the
    first and on the last stage.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(head_share(example_job(pp=pp, layers=126))) for pp in (1, 2, 16)]
    [1.0, 1.0, 0.0625]
    """
    layout, stages = job.layout, job.layout.pp
    each = _cut(job.model) / (stages * layout.vpp)
    uneven = where(each == np.floor(each), job.fitted.head_imbalance, 1.0 / stages)
    return where(stages > 1, uneven, 1.0)


def _cut(model: Transformer) -> Array:
    """Layers that are cut into stages: those of both stacks. [1]"""
    return model.layers + model.encoder_layers


def bubble_share(job: Job) -> Array:
    r"""Idle time of a pipeline, in times of one micro-batch on one stage. [1]

    Notes
    -----
    .. math:: \kappa_b \frac{p - 1}{v}

    so that over m micro-batches it is :math:`(p - 1) / (v m)` of the time that is worked.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Sections 2.2.1 and 2.2.2.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(bubble_share(example_job(pp=4))), float(bubble_share(example_job(pp=4, vpp=3)))
    (3.0, 1.0)
    """
    return job.fitted.bubble_use * (job.layout.pp - 1.0) / job.layout.vpp


def exposed(compute: Array, exchange: Array) -> Array:
    r"""Time by which an exchange beside a computation lengthens it. [s]

    Parameters
    ----------
    compute
        Time of the computation alone. [s]
    exchange
        Time of the exchange alone. [s]

    Notes
    -----
    .. math:: \sqrt[3]{a^3 + b^3} - a

    between a full overlap (the maximum of both) and none (their sum).

    References
    ----------
    Y. Zhao et al., "PyTorch FSDP", 2023, arXiv:2304.11277, Section 3.3; the smooth maximum is this house's.

    Examples
    --------
    An exchange that takes as long as the computation lengthens it by a quarter:

    >>> float(exposed(np.float64(1), np.float64(0))), round(float(exposed(np.float64(1), np.float64(1))), 2)
    (0.0, 0.26)
    """
    return np.cbrt(compute * compute * compute + exchange * exchange * exchange) - compute
