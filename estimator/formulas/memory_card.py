"""Memory of one card of each kind of pipeline stage, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Array, either, nothing, only, plus, times, unless, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .activations import logits, passes_activation
from .layout import Layout
from .memory import Optimizer
from .memory_states import Method, Own, own_of, states_of
from .parameters import Transformer
from .sharding import buffered
from .stages import Stage, dense_share, held_share, layer_parameters, stage


class Card(NamedTuple):
    """What a card has, and what training software takes of it beside states and activations.

    ``memory_usable`` of a card; ``live`` parameters gathered at a time and ``bucket`` gradient elements
    reduced at a time, at most, and never more than ``live_layers`` layers and half of them;
    ``update_copies`` bytes a parameter while the optimizer updates; ``eager`` 1 where operations are not
    fused; ``logit`` bytes that each logit keeps and ``loss_workspace`` bytes more while the loss is worked
    out; ``activation_spread`` what activations, logits and work are over what theory has; ``device_context``
    that the driver takes; ``communicator`` of each kind of group; ``fragmentation`` share of allocated memory
    that the allocator holds and cannot use, and the ``least_fragmentation`` it can be pressed to.
    """

    memory_usable: Array
    live: Array
    live_layers: Array
    bucket: Array
    update_copies: Array
    eager: Array
    logit: Array
    loss_workspace: Array
    activation_spread: Array
    device_context: Array
    communicator: Array
    fragmentation: Array
    least_fragmentation: Array


class Task(NamedTuple):
    """All that the memory of a card follows from, as one argument."""

    transformer: Transformer
    optimizer: Optimizer
    method: Method
    layout: Layout
    card: Card
    seq: Array


def gather_buffers(task: Task, own: Own) -> Breakdown:
    """Buffers of gathered weights (stage 3) and of gradients under reduction (stages 2 and 3). [byte]

    A fused update reduces one tensor's gradient at a time. With weights on the host the buffer holds those at
    work.

    References
    ----------
    DeepSpeed documentation, configuration, ``stage3_max_live_parameters`` and ``reduce_bucket_size``; Y. Zhao
    et al., "PyTorch FSDP", 2023, arXiv:2304.11277, Section 3.3, for layers gathered ahead.
    """
    _, optimizer, method, layout, card, _ = task
    each = either(method.frozen, method.base, optimizer.weights)
    gathers, reduces = buffered(layout, method.offload)

    def _live() -> Array:
        return np.minimum(_some_layers(task, own, card.live, card.live_layers), own.held.total)

    def _bucket() -> Array:
        return np.minimum(_some_layers(task, own, card.bucket, card.live_layers / 2.0), own.learning.total)

    def _reduced() -> Array:
        return optimizer.gradients * either(optimizer.fused, own.largest, _bucket)

    return Breakdown(
        {
            "gathered_weights": only(gathers, lambda: each * _live()),
            "reduced_gradients": only(reduces, _reduced),
        }
    )


def _some_layers(task: Task, own: Own, most: Array, layers: Array) -> Array:
    """Parameters of some layers, at most so many; where layers set no limit that is all there is to it. [1]"""

    def _layers() -> Array:
        return layers * layer_parameters(task.transformer, own.stage, own.held, task.layout)

    return either(np.isfinite(layers), lambda: np.minimum(most, _layers()), most)


def update_memory(task: Task, own: Own) -> Array:
    r"""Copies that the optimizer makes of a card's share while it updates. [byte]

    Notes
    -----
    .. math:: \frac{u N}{n_1} \quad \text{or, fused,} \quad 4 N_t \left( 1 + \frac{1}{n_3} \right)

    with u bytes a parameter: 4 where gradients are turned to 32 bit first, as in DeepSpeed; nothing where
    the states stand on the host, which updates them. A fused update turns gradient and weights of one tensor
    of :math:`N_t` parameters to 32 bit.

    References
    ----------
    DeepSpeed, ``runtime/zero/stage_1_and_2.py`` and ``stage3.py``: the 32-bit gradients of a partition, at most
    ``sub_group_size`` (1e9) elements of it at stage 3, live through the step; lomo-optim 0.1.1, ``lomo.py``,
    ``fuse_update`` and ``fuse_update_zero3``.
    """
    _, optimizer, method, layout, card, _ = task

    def _at_once() -> Array:
        share = held_share(own.learning, layout, 1.0).total
        return where(layout.zero >= 3, np.minimum(share, card.live), share)

    copies = either(
        optimizer.fused,
        lambda: 4.0 * own.largest * (1.0 + dense_share(layout, 3.0)),
        lambda: times(card.update_copies, _at_once),
    )
    return unless(method.offload >= 1, copies)


def copies_partition(task: Task) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell where an update copies a whole partition at once, which DeepSpeed does at stages 1 and 2.

    It is one block, for which no block that the passes leave is large enough: it stands beside them.
    """
    zero = task.layout.zero
    return (zero >= 1) & (zero < 3) & np.logical_not(task.optimizer.fused > 0)


def dequantised(task: Task) -> Array:
    """One matrix of frozen weights brought back to the precision of the products. [byte]

    References
    ----------
    T. Dettmers et al., "QLoRA", 2023, arXiv:2305.14314, Eq. 5.
    """
    model, optimizer, method, layout, *_ = task
    largest = model.hidden * np.maximum(model.ffn, model.expert_ffn)
    packed = (method.frozen > 0) & (method.base < optimizer.weights)
    return only(packed, lambda: optimizer.weights * largest / layout.tp)


def backward_memory(task: Task, stage: Stage) -> Breakdown:
    r"""Activations and logits of a stage, and what the fullest moment of its passes needs more. [byte]

    Notes
    -----
    The backward pass starts from the loss, beside the logits; once they are gone it works through the layers:

    .. math:: A + \max(l + u V', W)

    with l the logits, V' their number, u bytes each for the loss, and W the layer that is worked out again.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Sections 4.1, 4.3 and 5.
    """
    model, layout, card, seq = task.transformer, task.layout, task.card, task.seq
    number = logits(model, stage, layout, seq)
    held = card.logit * number
    kept, made = passes_activation(model, stage, layout, seq, card.eager)
    again = plus(made, dequantised(task))
    return Breakdown(
        {
            "activations": card.activation_spread * kept,
            "logits": card.activation_spread * held,
            "working": card.activation_spread
            * np.maximum(card.loss_workspace * number, np.maximum(again - held, 0.0)),
        }
    )


def own_part(task: Task, kind: str) -> Own:
    """Return what belongs to a card of a kind of stage."""
    model, optimizer, method, layout, *_ = task
    return own_of(model, stage(model, layout, kind), optimizer, method, layout)


def stage_memory(task: Task, kind: str) -> Breakdown:
    """Memory that a card of a kind of stage allocates at its fullest, in the passes or in the update. [byte]"""
    own = own_part(task, kind)
    states = states_of(own, task.optimizer, task.method, task.layout)
    passes = {**gather_buffers(task, own).parts, **backward_memory(task, own.stage).parts}
    update = _beside_passes(task, update_memory(task, own), passes)
    return Breakdown({**states.parts, **passes, "working": plus(passes["working"], update)})


def _beside_passes(task: Task, copies: Array, passes: Mapping[str, Array]) -> Array:
    """Return what copies of the update take beyond what the passes leave them. [byte]"""
    if nothing(copies):
        return copies
    beside = np.maximum(copies - Breakdown(passes).total, 0.0)
    return where(copies_partition(task), copies, beside)


def first_stage_memory(
    transformer: Transformer, optimizer: Optimizer, method: Method, layout: Layout, card: Card, seq: Array
) -> Breakdown:
    r"""Memory that a card of the first pipeline stage allocates; of the only one, where there is one. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees, sharding, batches and recomputation. [1]
    card
        What software adds. [byte]
    seq
        Sequence length. [token]

    Returns
    -------
    Weights, gradients, optimizer states, buffers, activations, logits and what works. [byte]

    Notes
    -----
    .. math:: M_{states} + B + A + \max(\text{loss}, \text{layer at work}, \text{update} - A - B)

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5; V. Korthikanti et al., 2022,
    arXiv:2205.05198, Section 4; D. Narayanan et al., SC21, arXiv:2104.04473, Section 2.2: the first stage
    keeps the most micro-batches.
    """
    return stage_memory(Task(transformer, optimizer, method, layout, card, seq), "first")


def middle_stage_memory(
    transformer: Transformer, optimizer: Optimizer, method: Method, layout: Layout, card: Card, seq: Array
) -> Breakdown:
    """Memory that a card of the second pipeline stage allocates, the fullest between the ends. [byte]

    The parameters are those of `first_stage_memory`. With two stages and with one it is the first.

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees, sharding, batches and recomputation. [1]
    card
        What software adds. [byte]
    seq
        Sequence length. [token]

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 2.2.
    """
    return stage_memory(Task(transformer, optimizer, method, layout, card, seq), "middle")


def last_stage_memory(
    transformer: Transformer, optimizer: Optimizer, method: Method, layout: Layout, card: Card, seq: Array
) -> Breakdown:
    """Memory that a card of the last pipeline stage allocates: few activations, but logits and head. [byte]

    The parameters are those of `first_stage_memory`.

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees, sharding, batches and recomputation. [1]
    card
        What software adds. [byte]
    seq
        Sequence length. [token]

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.3.
    """
    return stage_memory(Task(transformer, optimizer, method, layout, card, seq), "last")
