"""Weights, gradients and optimizer states on one card of a pipeline stage, with adapters and offloading."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, nothing, plus, times, unless, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .layout import Layout
from .memory import Optimizer, largest_tensor, layer_edges, low_rank_elements, matrix_edges, state_memory
from .parameters import Transformer, layer_matrices, total_parameters
from .stages import Held, Stage, dense_share, held_parameters, held_share

# What is kept in the memory of the host instead of the card's; the place of a word in this list is its code.
OFFLOADS = ("none", "optimizer", "all")


class Method(NamedTuple):
    """How a model is trained: ``frozen`` 1 where its own weights stay as they are and adapters learn.

    ``rank`` of the adapters; ``outer`` 1 where embedding and head learn beside them; bytes of a frozen
    parameter of a matrix (``base``) and of any other (``base_outer``); ``offload`` the code of what stands on
    the host.
    """

    frozen: Array
    rank: Array
    outer: Array
    base: Array
    base_outer: Array
    offload: Array


def adapter_parameters(model: Transformer, rank: Array) -> Array:
    r"""Parameters of low-rank adapters on every linear layer. [1]

    Parameters
    ----------
    model
        Dimensions. [1]
    rank
        r, rank of an adapter. [1]

    Notes
    -----
    .. math:: r \sum (m + n)

    over the matrices of m by n.

    References
    ----------
    E. Hu et al., "LoRA", 2021, arXiv:2106.09685, Section 4.2; T. Dettmers et al., "QLoRA", 2023,
    arXiv:2305.14314, Section 4, for adapters on all linear layers.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> float(adapter_parameters(llama, np.float64(8)))
    19988480.0
    """
    return rank * layer_edges(model)


def trained(model: Transformer, held: Held, method: Method, layout: Layout) -> Held:
    """Return the parameters of a card that learn: all that it holds, or its share of the adapters. [1]"""
    if nothing(method.frozen):
        return held
    whole = np.maximum(total_parameters(model).total, 1.0)
    adapters = adapter_parameters(model, method.rank) * np.minimum(held.total * layout.tp / whole, 1.0)
    return Held(
        either(method.frozen, lambda: adapters / layout.tp, held.matrices),
        either(method.frozen, np.float64(0.0), held.experts),
        either(method.frozen, lambda: method.outer * held.outer, held.outer),
    )


class Own(NamedTuple):
    """What belongs to one card of a stage before ZeRO shards it, worked out once.

    ``held`` and ``learning`` parameters; ``largest`` tensor that learns; ``few`` bytes of factored and
    low-rank states for each learning parameter.
    """

    stage: Stage
    held: Held
    learning: Held
    largest: Array
    few: Array


def own_of(model: Transformer, stage: Stage, optimizer: Optimizer, method: Method, layout: Layout) -> Own:
    """Return what belongs to one card of a stage."""
    held = held_parameters(model, stage, layout)
    learning = trained(model, held, method, layout)
    elements = plus(
        times(optimizer.factored, lambda: matrix_edges(model)),
        times(optimizer.low_rank, lambda: low_rank_elements(model, optimizer.rank)),
    )
    few = elements / np.maximum(total_parameters(model).total, 1.0)
    return Own(stage, held, learning, np.minimum(largest_tensor(model) / layout.tp, learning.total), few)


def weight_memory(own: Own, optimizer: Optimizer, method: Method, layout: Layout) -> Array:
    r"""Weights on a card, frozen and learning ones; none where they stand on the host. [byte]

    Notes
    -----
    .. math:: \frac{w N}{n_3} \quad \text{or} \quad \frac{w_b N_{matrices} + w_o N_{outer}}{n_3} + w N_a

    with :math:`n_3` the ranks that share one copy at stage 3, else 1.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.3; T. Dettmers et al., 2023,
    arXiv:2305.14314, Section 3, for frozen weights of 4 bits.
    """
    learning = optimizer.weights * held_share(own.learning, layout, 3.0).total

    def _beside_frozen() -> Array:
        left = held_share(own.held, layout, 3.0)
        inner = plus(left.matrices, left.experts)
        return method.base * inner + method.base_outer * left.outer + learning

    return unless(method.offload >= 2, lambda: either(method.frozen, _beside_frozen, learning))


def gradient_share(own: Own, optimizer: Optimizer, method: Method, layout: Layout) -> Array:
    r"""Gradients on a card; with a fused update those of one tensor, offloaded none. [byte]

    Notes
    -----
    .. math:: \frac{g N}{n_2}

    with :math:`n_2` the ranks that share one copy at stages 2 and 3, else 1.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.2; K. Lv et al., 2023,
    arXiv:2306.09782, Section 3.2, for the fused update; J. Ren et al., "ZeRO-Offload", 2021,
    arXiv:2101.06840, Section 4.1, for gradients that go to the host as they are made.
    """
    left = either(
        optimizer.fused,
        lambda: own.largest * dense_share(layout, 2.0),
        lambda: held_share(own.learning, layout, 2.0).total,
    )
    return unless(method.offload >= 1, optimizer.gradients * left)


def optimizer_share(own: Own, optimizer: Optimizer, layout: Layout) -> Array:
    r"""Master weights and moments that belong to a card, wherever they stand. [byte]

    Notes
    -----
    .. math:: \frac{k N}{n_1}

    with :math:`n_1` the ranks that share one copy from stage 1 on, else 1.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.1.
    """
    left = held_share(own.learning, layout, 1.0)
    inner = plus(left.matrices, left.experts)
    moments = optimizer.states * inner + optimizer.states_outer * left.outer
    return plus((optimizer.master + own.few) * left.total, moments)


def states_of(own: Own, optimizer: Optimizer, method: Method, layout: Layout) -> Breakdown:
    """Return weights, gradients and optimizer states of what belongs to a card. [byte]"""
    return Breakdown(
        {
            "weights": weight_memory(own, optimizer, method, layout),
            "gradients": gradient_share(own, optimizer, method, layout),
            "optimizer_states": unless(method.offload >= 1, lambda: optimizer_share(own, optimizer, layout)),
        }
    )


def card_states(
    transformer: Transformer, stage: Stage, optimizer: Optimizer, method: Method, layout: Layout
) -> Breakdown:
    r"""Model states on one card of a stage. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    stage
        Its layers. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees and sharding. [1]

    Returns
    -------
    Weights, gradients and optimizer states. [byte]

    Notes
    -----
    .. math:: \left( \frac{w}{n_3} + \frac{g}{n_2} + \frac{k}{n_1} \right) \frac{N}{t p}

    which is 18 bytes a parameter for Megatron-LM, and 6 + 12 / d with its distributed optimizer.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5 and Figure 1; Megatron-LM,
    ``theoretical_memory_usage.py``, for the most loaded shard.
    """
    return states_of(own_of(transformer, stage, optimizer, method, layout), optimizer, method, layout)


def whole_states(transformer: Transformer, optimizer: Optimizer, method: Method) -> Breakdown:
    r"""Model states of one whole copy, over however many cards and hosts it is spread. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns. [1]

    Returns
    -------
    Weights, gradients and optimizer states. [byte]

    Notes
    -----
    .. math:: M = (w + g + k) N \quad \text{or} \quad w_b N + (w + g + k) N_a

    with w, g and k bytes a parameter, 2 + 2 + 12 for Adam in mixed precision, and :math:`N_a` parameters of
    adapters.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 3.1; T. Dettmers et al., "QLoRA", 2023,
    arXiv:2305.14314, Section 3.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> none, two, four, eight = map(np.float64, (0, 2, 4, 8))
    >>> adamw = Optimizer(two, two, four, eight, eight, none, none, none, none)
    >>> full = Method(none, none, none, none, none, none)
    >>> [round(float(part) / 2**30, 2) for part in whole_states(llama, adamw, full).parts.values()]
    [12.55, 12.55, 75.31]
    """
    whole = state_memory(transformer, optimizer)
    total = total_parameters(transformer).total
    inner = layer_matrices(transformer, transformer.experts)
    adapters = adapter_parameters(transformer, method.rank) + method.outer * (total - inner)
    frozen = method.base * inner + method.base_outer * (total - inner)
    own = {
        "weights": frozen + optimizer.weights * adapters,
        "gradients": optimizer.gradients * adapters,
        "optimizer_states": (optimizer.master + optimizer.states) * adapters,
    }
    return Breakdown({name: where(method.frozen > 0, own[name], part) for name, part in whole.parts.items()})
