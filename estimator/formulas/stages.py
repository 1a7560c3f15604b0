"""Pipeline stages: what a card of the first, of a middle and of the last stage holds and keeps in flight."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, as_flag, either, of_some, plus, times, where
from ..once import once
from ..tuples import NamedTuple
from .layout import Layout, data_parallel, expert_split, micro_batches
from .parameters import (
    Transformer,
    attention_blocks,
    dense_layers,
    feed_forward_matrices,
    layer_matrices,
    layer_vectors,
)
from .sharding import sharers

# The kinds of stage that can be the fullest; the place of a kind in this list is its code.
KINDS = ("first", "middle", "last")


class _Stage(NamedTuple):
    layers: Array
    moe_layers: Array
    embedding: Array
    head: Array
    in_flight: Array


class Stage(_Stage):
    """One pipeline stage: its layers, those with experts, and flags for embedding and head. [1]

    ``in_flight`` counts the micro-batches whose activations it holds at once, in units of all its layers.
    """


class _Held(NamedTuple):
    matrices: Array
    experts: Array
    outer: Array


class Held(_Held):
    """Parameters on one card of a stage before ZeRO shards them. [1]

    ``matrices`` of attention, dense blocks and shared experts; ``experts`` routed ones; ``outer`` all else:
    embedding, head, norms and biases.
    """

    @property
    @once
    def total(self) -> Array:
        """All parameters."""
        return plus(self.matrices, self.experts) + self.outer


@once
def all_layers(model: Transformer) -> Array:
    """Layers of encoder and decoder. [1]"""
    return model.layers + model.encoder_layers


def stage_layers(layers: Array, pp: Array) -> tuple[Array, Array]:
    r"""Layers of the first (and last) and of a middle stage. [1]

    Where the stages do not divide the layers, the ends hold fewer, for they hold embedding and head as well.

    Parameters
    ----------
    layers
        L, layers in all. [1]
    pp
        p, stages. [1]

    Notes
    -----
    .. math:: L_m = \left\lceil \frac{L}{p} \right\rceil, \quad L_e = \frac{L - (p - 2) L_m}{2}

    References
    ----------
    Llama Team, "The Llama 3 Herd of Models", 2024, arXiv:2407.21783, Section 3.3.2: 126 layers over 16
    stages, one layer fewer on the first and on the last.

    Examples
    --------
    >>> [float(each) for each in stage_layers(np.float64(126), np.float64(16))]
    [7.0, 8.0]
    """
    middle = np.ceil(layers / pp)
    uneven = np.maximum((layers - (pp - 2.0) * middle) / 2.0, 0.0)
    even = layers / pp
    # A quotient of whole numbers rounds to a whole one only where one divides the other; a remainder takes ten times
    # as long.
    ends = where(even == np.floor(even), even, uneven)
    return where(pp > 1, ends, layers), where(pp > 2, middle, where(pp > 1, ends, layers))


@once
def depths(layout: Layout, layers: Array) -> tuple[Array, Array]:
    """Layers of the first (and last) and of a middle stage of a layout, as `stage_layers` has them. [1]"""
    return stage_layers(layers, layout.pp)


def in_flight(layout: Layout, place: Array) -> Array:
    r"""Micro-batches whose activations the stage at ``place`` (0 is the first) holds at once. [1]

    Parameters
    ----------
    layout
        Parallel degrees and batches. [1]
    place
        i, stages before this one. [1]

    Notes
    -----
    .. math:: p - i \quad (v = 1), \qquad p + \frac{p - 1 - 2 i}{v} \quad (v > 1)

    and never more than the micro-batches of a step. For the first stage the second is
    :math:`p (1 + (p - 1) / (p v))`.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 2.2, for one forward, one backward and its interleaved
    form; V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.2.3, for the factor of the first stage.
    """
    plain = layout.pp - place
    interleaved = layout.pp + (layout.pp - 1.0 - 2.0 * place) / layout.vpp
    held = where(_interleaves(layout), interleaved, plain)
    return np.fmin(held, micro_batches(layout))


@once
def _interleaves(layout: Layout) -> Any:
    return (layout.vpp > 1) & (layout.pp > 1)


def stage(model: Transformer, layout: Layout, kind: str) -> Stage:
    """Return the stage of a kind; with few stages kinds fall together: one alone is first and last."""
    ends, middle = depths(layout, all_layers(model))
    alone, one = _alone(layout), np.float64(1.0)
    own = of_some(model.moe_layers, lambda: _expert_layers(model, layout, kind))
    if kind == "middle":
        # The second stage is the fullest of them; with two stages or one it is the first.
        few = 1.0 - as_flag(layout.pp > 2)
        return Stage(middle, own, few, alone, in_flight(layout, 1.0 - few))
    if kind == "first":
        return Stage(ends, own, one, alone, in_flight(layout, np.float64(0.0)))
    return Stage(ends, own, alone, one, in_flight(layout, layout.pp - 1.0))


@once
def _alone(layout: Layout) -> Array:
    """1 where one stage is the whole pipeline. [1]"""
    return 1.0 - as_flag(layout.pp > 1)


def _expert_layers(model: Transformer, layout: Layout, kind: str) -> Array:
    """Layers with experts of a stage of a kind; the dense ones before them are the first stage's, where few. [1]"""
    layers = all_layers(model)
    ends, middle = depths(layout, layers)
    dense = layers - model.moe_layers
    front, even = dense <= ends, model.moe_layers / layers
    rest = where(front & (model.moe_layers > 0), 1.0, even)
    leading = where(front, ends - dense, ends * even)
    if kind == "first":
        return leading
    if kind == "middle":
        return where(layout.pp > 2, middle * rest, leading)
    return where(layout.pp > 1, ends * rest, leading)


def stage_model(model: Transformer, stage: Stage) -> Transformer:
    """Return the dimensions of the layers of one stage, nothing outside them; first and last often have the same."""
    return _cut_model(model, stage.layers, stage.moe_layers)


@once
def _cut_model(model: Transformer, layers: Array, moe_layers: Array) -> Transformer:
    share = layers / all_layers(model)
    none = np.float64(0.0)
    return model._replace(
        layers=model.layers * share,
        encoder_layers=times(model.encoder_layers, share),
        moe_layers=moe_layers,
        vocab=none,
        positions=none,
        extra=times(model.extra, share),
    )


@once
def outer_parameters(model: Transformer, stage: Stage) -> Array:
    """Embedding, positions and head of a stage; a tied head on another stage is a second copy. [1]

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, and the code of Megatron-LM: first and last stage each hold
    the tied embedding and sum its gradients.
    """
    both = stage.embedding * stage.head
    tables = stage.embedding + stage.head - both * model.tied
    return model.vocab * model.hidden * tables + model.positions * model.hidden * stage.embedding


def held_parameters(model: Transformer, stage: Stage, layout: Layout) -> Held:
    r"""Parameters on one card of a stage before ZeRO shards them. [1]

    Parameters
    ----------
    model
        Dimensions. [1]
    stage
        Its layers. [1]
    layout
        Parallel degrees. [1]

    Notes
    -----
    Tensor parallelism splits matrices and embeddings, expert parallelism the routed experts once more:

    .. math:: \frac{N_{matrices} + N_{outer}}{t} + \frac{N_{experts}}{\min(t e, t c d)}

    Norms stand whole on each card.

    References
    ----------
    M. Shoeybi et al., "Megatron-LM", 2019, arXiv:1909.08053, Section 3; D. Lepikhin et al., "GShard", 2020,
    arXiv:2006.16668, Section 3.2, for experts.
    """
    own = stage_model(model, stage)
    experts = stage.moe_layers * model.experts * feed_forward_matrices(model, model.expert_ffn)
    outer = plus(outer_parameters(model, stage), own.extra) / layout.tp
    return Held(
        _split_matrices(own, layout),
        of_some(experts, lambda: experts / expert_split(layout)),
        outer + layer_vectors(own),
    )


@once
def _split_matrices(own: Transformer, layout: Layout) -> Array:
    return layer_matrices(own, np.float64(0.0)) / layout.tp


@once
def expert_ranks(layout: Layout) -> Array:
    """Ranks over which ZeRO spreads routed experts, as it spreads dense parameters over `sharding_ranks`. [1]

    Copies of an expert are fewer than copies of the rest by the degree of expert parallelism.

    References
    ----------
    S. Rajbhandari et al., "DeepSpeed-MoE", 2022, arXiv:2201.05596, Section 5.2, for groups of experts.
    """
    dense = data_parallel(layout) * layout.cp
    return np.minimum(np.maximum(dense / layout.ep, 1.0), layout.shard)


@once
def dense_share(layout: Layout, least: float) -> Array:
    """Share that a card holds of dense states which ZeRO shards from stage ``least`` on. [1]"""
    return 1.0 / sharers(layout, least)


@once
def expert_share(layout: Layout, least: float) -> Array:
    """Share that a card holds of the states of routed experts, as `dense_share` has it of the rest. [1]"""
    return 1.0 / either(layout.zero >= least, lambda: expert_ranks(layout), np.float64(1.0))


@once
def held_share(held: Held, layout: Layout, least: float) -> Held:
    """Return the parameters of a card that are left once ZeRO of stage ``least`` and above has sharded them."""
    dense = dense_share(layout, least)
    experts = of_some(held.experts, lambda: held.experts * expert_share(layout, least))
    return Held(held.matrices * dense, experts, held.outer * dense)


def layer_parameters(model: Transformer, stage: Stage, held: Held, layout: Layout) -> Array:
    """Parameters of one layer on a card, the mean of a stage's. [1]"""
    inner = held.total - outer_parameters(model, stage) / layout.tp
    return inner / np.maximum(stage.layers, 1.0)


def blocks_of(model: Transformer) -> tuple[Array, Array, Array]:
    """Attention blocks, dense and expert feed-forward blocks of some layers. [1]"""
    return attention_blocks(model), dense_layers(model), model.moe_layers
