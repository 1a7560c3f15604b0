"""Time of one optimizer step, part by part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array
from ..breakdown import Breakdown
from .exchange_time import (
    context_parallel_time,
    gradient_exchange_time,
    optimizer_time,
    pipeline_transfer_time,
    sharded_weights_time,
    software_gain,
    tensor_parallel_time,
)
from .expert_time import dispatch_time, experts_time
from .job import Job
from .layer_time import (
    attention_products_time,
    chosen_attention_time,
    elementwise_time,
    feed_forward_time,
    head_time,
)
from .layout import Layout, micro_batches
from .parameters import Transformer, attention_blocks, dense_layers, feed_forward_matrices, layer_matrices


def passed_share(model: Transformer) -> Array:
    """Share of the layers that a token passes: of an encoder-decoder model, one of the two stacks. [1]

    References
    ----------
    C. Raffel et al., "T5", 2019, arXiv:1910.10683, Section 3.2.2.
    """
    return np.where(model.encoder_layers > 0, 0.5, 1.0)


def recomputed_share(job: Job) -> tuple[Array, Array, Array]:
    """Extra forward passes of the whole layer, of its attention and of its element-wise work. [1]

    Each is 1 with full recomputation.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5: selective recomputation repeats attention alone; NVIDIA,
    Megatron-Core, ``TransformerConfig.recompute_modules``: norms and activation functions, no product.
    """
    code = job.layout.recompute
    whole = np.where(code == 2, 1.0, 0.0)
    return whole, np.where(code == 1, 1.0, whole), np.where(code == 3, 1.0, whole)


def layers_time(job: Job) -> Mapping[str, Array]:
    """Time of all layers of the model for one micro-batch, by part, before they are cut into stages. [s]

    Parts whose sum is what one rank works if it held every layer.
    """
    model, passed = job.model, passed_share(job.model)
    blocks, dense, sparse = (
        passed * count for count in (attention_blocks(model), dense_layers(model), model.moe_layers)
    )
    whole, partial, light = recomputed_share(job)
    attention, forward = attention_products_time(job), feed_forward_time(job, model.ffn)
    experts = np.where(model.experts > 0, experts_time(job), 0.0)
    products = blocks * attention + dense * forward
    once, again = chosen_attention_time(job, 0.0 * partial), chosen_attention_time(job, partial)
    inner = model.experts_per_token * model.expert_ffn + model.shared_ffn
    norms = dense * elementwise_time(job, model.ffn) + sparse * elementwise_time(job, inner)
    sent, shaken = sparse * dispatch_time(job), blocks * tensor_parallel_time(job, 2.0 + 0.0 * whole)
    repeated = whole * (products + sparse * experts + sent + shaken / 2.0) + light * norms / 3.0
    return {
        "matrix_products": job.passes * products,
        "attention": blocks * once,
        "elementwise": norms,
        "experts": job.passes * sparse * experts,
        "routing": sparse * job.fitted.router_time,
        "recomputation": repeated + blocks * (again - once),
        "tensor_parallel": shaken,
        "context_parallel": blocks * context_parallel_time(job),
        "expert_exchange": 2.0 * sent,
        "launch": (dense + sparse) * job.fitted.layer_time * (1.0 + whole / 3.0),
    }


def held_parameters(job: Job) -> Array:
    r"""Parameters that one rank holds before sharding: a stage's share, experts split over their ranks. [1]

    Notes
    -----
    .. math:: \frac{w_{dense} + (2 - t) V h}{t p} + \frac{w_{experts}}{e t p}

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3; D. Lepikhin et al., 2020, arXiv:2006.16668, Section 3.
    """
    model, layout = job.model, job.layout
    inner = layer_matrices(model, 0.0 * model.experts) + model.vocab * model.hidden * (2.0 - model.tied)
    experts = model.moe_layers * model.experts * feed_forward_matrices(model, model.expert_ffn)
    return (inner + experts / layout.ep) / (layout.tp * layout.pp)


def head_share(job: Job) -> Array:
    r"""Part of the output head's time by which the slowest stage exceeds the layers' share. [1]

    Where the layers divide evenly over the stages the last one has the head on top; where they do not, the short
    stages hold embedding and head, and the load is even.

    References
    ----------
    A. Grattafiori et al., "The Llama 3 Herd of Models", 2024, arXiv:2407.21783, Section 3.3.2: one layer less on the
    first and on the last stage.
    """
    layout, stages = job.layout, job.layout.pp
    even = np.mod(job.model.layers, stages * layout.vpp) == 0
    uneven = np.where(even, job.fitted.head_imbalance, 1.0 / stages)
    return np.where(stages > 1, uneven, 1.0)


def bubble_share(job: Job) -> Array:
    r"""Idle time of a pipeline, in times of one micro-batch on one stage. [1]

    Notes
    -----
    .. math:: \frac{p - 1}{v}

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Sections 2.2.1 and 2.2.2.

    Examples
    --------
    See `docs/formulas/step_time.md` for a worked pipeline.
    """
    return job.fitted.bubble_use * (job.layout.pp - 1.0) / job.layout.vpp


def exposed(compute: Array, exchange: Array) -> Array:
    r"""Time by which an exchange beside a computation lengthens it. [s]

    Notes
    -----
    .. math:: \sqrt[3]{a^3 + b^3} - a

    between a full overlap (the maximum of both) and none (their sum).

    References
    ----------
    Y. Zhao et al., "PyTorch FSDP", 2023, arXiv:2304.11277, Section 3.3; the smooth maximum is this house's.

    Examples
    --------
    >>> float(exposed(np.float64(1), np.float64(0)))
    0.0
    """
    return np.cbrt(compute * compute * compute + exchange * exchange * exchange) - compute


def misfit_slowness(job: Job) -> Array:
    """Slowness of head dimensions that are no multiple of 8: kernels fall back to unaligned loads. [1]

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", Section 2.1 (alignment of dimensions).
    """
    width = job.model.head_dim + job.model.rope_dim
    return 1.0 + np.where(np.mod(width, 8.0) > 0, job.fitted.misfit, 0.0)


def parts_time(job: Job) -> Mapping[str, Array]:
    """Time of one step by part, before what slows all of it. [s]"""
    layout, count = job.layout, micro_batches(job.layout)
    stage = {name: part / layout.pp for name, part in layers_time(job).items()}
    head = head_time(job)
    body = Breakdown(stage).total
    slowest = body + head_share(job) * head
    held = held_parameters(job)
    wait = exposed(slowest, sharded_weights_time(job, held))
    transfer = pipeline_transfer_time(job)
    idle = bubble_share(job) * ((body + head / layout.pp) * (1.0 + wait / slowest) + transfer)
    return {
        **{name: count * part for name, part in stage.items()},
        "logits": count * head / layout.pp,
        "stage_imbalance": count * (head_share(job) - 1.0 / layout.pp) * head,
        "sharding": count * wait,
        "pipeline_transfer": count * transfer,
        "pipeline_bubble": idle,
        "gradient_exchange": gradient_exchange_time(job, held),
        "optimizer": optimizer_time(job, held),
        "overhead": job.fitted.step_overhead + 0.0 * held,
    }


def modelled_step_time(job: Job) -> Breakdown:
    r"""Time of one optimizer step. [s]

    Parameters
    ----------
    job
        Model, layout, machine and fitted coefficients.

    Returns
    -------
    Matrix products, attention, element-wise work, experts, exchanges, bubble, optimizer and overhead. [s]

    Notes
    -----
    .. math:: \left( (m + b) \, t_{stage} + t_{exchange} + t_{optimizer} + t_0 \right) \sigma

    with m micro-batches, the bubble b, and the slowness :math:`\sigma` of software, shape and scale, which lengthens
    every part alike.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3.
    """
    scale = 1.0 + job.fitted.straggling * np.log(np.maximum(job.layout.count, 1.0))
    slow = job.fitted.slowness * software_gain(job) * misfit_slowness(job) * scale
    return Breakdown({name: part * slow for name, part in parts_time(job).items()})


def smallest_layout(layout: Layout) -> Layout:
    """The same layout on the fewest accelerators that run it in whole nodes, with the same work for each of them. [1]

    References
    ----------
    J. Gustafson, "Reevaluating Amdahl's law", CACM 31(5), 1988: the work grows with the machine.
    """
    replica = layout.pp * np.maximum(layout.tp * layout.cp, layout.ep)
    smallest = replica * np.maximum(np.floor(layout.per_node / replica), 1.0)
    count = np.minimum(smallest, layout.count)
    share = count / np.maximum(layout.count, 1.0)
    return layout._replace(count=count, global_batch=layout.global_batch * share)


def small_scale_time(job: Job) -> Array:
    """Time of the step at the smallest scale: what it would take if more accelerators cost nothing. [s]

    Parameters
    ----------
    job
        Model, layout, machine and fitted coefficients.

    References
    ----------
    J. Gustafson, 1988, as above.
    """
    return modelled_step_time(job._replace(layout=smallest_layout(job.layout))).total
