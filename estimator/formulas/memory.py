"""Memory of training: what the optimizer keeps, what activations take, and how many cards hold it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, quotient
from ..breakdown import Breakdown
from .parameters import (
    Transformer,
    attention_blocks,
    dense_layers,
    layer_matrices,
    total_parameters,
)

# Codes of the recomputation modes, in the order of the table that `recompute_codes` gives out.
RECOMPUTE = ("none", "selective", "full")


class Optimizer(NamedTuple):
    """What an optimizer keeps, in bytes a parameter unless said otherwise.

    ``master`` is a copy of the weights in 32 bit; ``states`` are moments of the layers' matrices and
    ``states_outer`` those of all other parameters; ``factored`` counts bytes a row and a column of each
    matrix; ``low_rank`` bytes an element of moments and projector of rank ``rank``; ``fused`` is 1 where
    each gradient is used and freed before the next is made.
    """

    weights: Array
    gradients: Array
    master: Array
    states: Array
    states_outer: Array
    factored: Array
    low_rank: Array
    rank: Array
    fused: Array


def largest_tensor(model: Transformer) -> Array:
    """Parameters of the largest single tensor: the embedding, or one matrix of a feed-forward block. [1]"""
    feed_forward = model.hidden * np.maximum(model.ffn, model.expert_ffn)
    return np.maximum(model.vocab * model.hidden, feed_forward)


def matrix_edges(model: Transformer) -> Array:
    """Rows plus columns of every matrix, what a factored second moment keeps. [1]

    References
    ----------
    N. Shazeer and M. Stern, "Adafactor", 2018, arXiv:1804.04235, Algorithm 2.
    """
    attention = attention_blocks(model) * (
        4.0 * model.hidden + 2.0 * model.heads * model.head_dim + 2.0 * model.kv_heads * model.head_dim
    )
    gates = 2.0 + model.gated
    feed_forward = dense_layers(model) * gates * (model.hidden + model.ffn)
    experts = model.moe_layers * model.experts * gates * (model.hidden + model.expert_ffn)
    return attention + feed_forward + experts + (2.0 - model.tied) * (model.vocab + model.hidden)


def low_rank_elements(model: Transformer, rank: Array) -> Array:
    """Elements of two low-rank moments and a projector, over the layers' matrices. [1]

    For a matrix of m by n, m <= n: moments 2 n r and projector m r.

    References
    ----------
    J. Zhao et al., "GaLore", 2024, arXiv:2403.03507, Table 1.
    """
    square = 4.0 * 3.0 * model.hidden
    gates = 2.0 + model.gated
    dense = gates * (2.0 * np.maximum(model.ffn, model.hidden) + np.minimum(model.ffn, model.hidden))
    expert = gates * (
        2.0 * np.maximum(model.expert_ffn, model.hidden) + np.minimum(model.expert_ffn, model.hidden)
    )
    layers = attention_blocks(model) * square + dense_layers(model) * dense
    return rank * (layers + model.moe_layers * model.experts * expert)


def gradient_memory(transformer: Transformer, optimizer: Optimizer) -> Array:
    """Gradients at their peak: all of them, or the largest one where the update is fused. [byte]

    References
    ----------
    K. Lv et al., "Full Parameter Fine-tuning for Large Language Models with Limited Resources", 2023,
    arXiv:2306.09782, Section 3.2.
    """
    held = np.where(optimizer.fused > 0, largest_tensor(transformer), total_parameters(transformer).total)
    return optimizer.gradients * held


def optimizer_memory(transformer: Transformer, optimizer: Optimizer) -> Array:
    """Master weights, moments and projectors. [byte]"""
    total = total_parameters(transformer).total
    inner = layer_matrices(transformer, transformer.experts)
    moments = optimizer.states * inner + optimizer.states_outer * (total - inner)
    edges = optimizer.factored * matrix_edges(transformer)
    return (
        optimizer.master * total
        + moments
        + edges
        + optimizer.low_rank * low_rank_elements(transformer, optimizer.rank)
    )


def state_memory(transformer: Transformer, optimizer: Optimizer) -> Breakdown:
    r"""Model states of one whole copy, over however many cards it is spread. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]

    Returns
    -------
    Weights, gradients and optimizer states. [byte]

    Notes
    -----
    .. math:: M = (w + g + k) N

    with w, g and k bytes a parameter: 2 + 2 + 12 for Adam in mixed precision.

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 3.1.

    Examples
    --------
    LLaMA-7B with AdamW, mixed precision (Lv et al. 2023, Table 1: 12.55 + 12.55 + 75.31 GiB):

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> two, four, eight, none = map(np.float64, (2, 4, 8, 0))
    >>> adamw = Optimizer(two, two, four, eight, eight, none, none, none, none)
    >>> [round(float(part) / 2**30, 2) for part in state_memory(llama, adamw).parts.values()]
    [12.55, 12.55, 75.31]
    """
    return Breakdown(
        {
            "weights": optimizer.weights * total_parameters(transformer).total,
            "gradients": gradient_memory(transformer, optimizer),
            "optimizer_states": optimizer_memory(transformer, optimizer),
        }
    )


def layer_activation(model: Transformer, seq: Array, micro_batch: Array) -> Array:
    r"""Activations that one layer keeps for its backward pass, attention scores left out. [byte]

    Notes
    -----
    .. math:: s b (8 h + 4 a d + 4 k d + 4 f)

    which is :math:`34 s b h` for as many key-value heads as heads and f = 4 h: inputs of the norms and
    projections, queries, keys, values, the feed-forward block's inner width, and dropout masks. A gated
    block keeps twice the inner width. Two bytes an element.

    References
    ----------
    V. Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models", 2022,
    arXiv:2205.05198, Section 4.1.
    """
    queries = 4.0 * model.heads * model.head_dim
    keys = 4.0 * model.kv_heads * model.head_dim
    inner = np.maximum(model.ffn, model.expert_ffn * model.experts_per_token + model.shared_ffn)
    widths = 10.0 * model.hidden + queries + keys + 4.0 * (1.0 + model.gated) * inner
    return seq * micro_batch * widths


def score_activation(model: Transformer, seq: Array, micro_batch: Array) -> Array:
    r"""Attention scores that one layer keeps where no fused kernel avoids them. [byte]

    Notes
    -----
    .. math:: 5 a s^2 b

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1.
    """
    return 5.0 * model.heads * seq * seq * micro_batch


def activation_memory(
    transformer: Transformer, seq: Array, micro_batch: Array, recompute: Array
) -> Breakdown:
    r"""Activations of one card that runs the whole depth. [byte/accelerator]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    seq
        Sequence length. [token]
    micro_batch
        Sequences at a time. [1]
    recompute
        Code of the mode: 0 none, 1 selective (scores only), 2 full. [1]

    Returns
    -------
    Kept activations, the layer at work, and logits in 32 bit. [byte/accelerator]

    Notes
    -----
    .. math:: 2 s b h L + s b (34 h + 5 a s) + 4 s b V

    with full recomputation; without it each layer keeps :math:`s b (34 h + 5 a s)`.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Eq. 1, Section 5 and Section 4.3.

    Examples
    --------
    GPT-3 175B, one layer, no recomputation (Korthikanti 2022: 34 s b h + 5 a s^2 b):

    >>> from estimator.formulas.shapes import transformer
    >>> gpt3 = transformer(layers=1, hidden=12288, heads=96, ffn=49152, vocab=51200)
    >>> parts = activation_memory(gpt3, np.float64(2048), np.float64(1), np.float64(0)).parts
    >>> float(parts["activations"]) == 34 * 2048 * 12288 + 5 * 96 * 2048**2
    True
    """
    layers = transformer.layers + transformer.encoder_layers
    plain = layer_activation(transformer, seq, micro_batch)
    scores = score_activation(transformer, seq, micro_batch)
    kept = np.where(recompute == 0, plain + scores, plain)
    checkpoints = 2.0 * seq * micro_batch * transformer.hidden
    return Breakdown(
        {
            "activations": layers * np.where(recompute == 2, checkpoints, kept),
            "recomputed_layer": np.where(
                recompute == 2, plain + scores, np.where(recompute == 1, scores, 0.0)
            ),
            "logits": 4.0 * seq * micro_batch * transformer.vocab,
        }
    )


def gather_buffers(transformer: Transformer, optimizer: Optimizer, live: Array, bucket: Array) -> Breakdown:
    """Buffers in which a fully sharded run holds gathered weights and the gradients on their way. [byte/accelerator]

    A fused update reduces one tensor's gradient at a time.

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    live
        Parameters gathered at a time, at most. [1]
    bucket
        Gradient elements reduced at a time, at most. [1]

    Returns
    -------
    Gathered weights and gradients under reduction. [byte/accelerator]

    References
    ----------
    DeepSpeed documentation, configuration, ``stage3_max_live_parameters`` and ``reduce_bucket_size``.
    """
    total = total_parameters(transformer).total
    reduced = np.where(optimizer.fused > 0, largest_tensor(transformer), np.minimum(bucket, total))
    return Breakdown(
        {
            "gathered_weights": optimizer.weights * np.minimum(live, total),
            "reduced_gradients": optimizer.gradients * reduced,
        }
    )


def fewest_accelerators(
    state_memory: Array, activation_memory: Array, gather_buffers: Array, memory_usable: Array
) -> Array:
    r"""Cards that hold a fully sharded run; infinite where no number does. [accelerator]

    Parameters
    ----------
    state_memory
        Model states in all. [byte]
    activation_memory
        Activations of a card. [byte/accelerator]
    gather_buffers
        Buffers of a card, where there are two and more. [byte/accelerator]
    memory_usable
        Memory of a card. [byte/accelerator]

    Returns
    -------
    Accelerators. [accelerator]

    Notes
    -----
    .. math:: n = \left\lceil \frac{M}{m - A - B} \right\rceil

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.3 (stage 3).

    Examples
    --------
    >>> gib = np.float64(2**30)
    >>> float(fewest_accelerators(1040e9 + 0 * gib, 2 * gib, 3 * gib, 80 * gib))
    13.0
    """
    alone = state_memory + activation_memory <= memory_usable
    room = memory_usable - activation_memory - gather_buffers
    several = np.maximum(2.0, np.ceil(quotient(state_memory, np.maximum(room, 0.0))))
    return np.where(alone, 1.0, several)


def memory_per_accelerator(
    state_memory: Breakdown, activation_memory: Breakdown, gather_buffers: Breakdown, count: Array
) -> Breakdown:
    r"""Memory of one card of a fully sharded run, by part. [byte/accelerator]

    Parameters
    ----------
    state_memory
        Model states in all. [byte]
    activation_memory
        Of a card. [byte/accelerator]
    gather_buffers
        Of a card, where there are two and more. [byte/accelerator]
    count
        Accelerators over which the states are spread. [accelerator]

    Returns
    -------
    Weights, gradients, optimizer states, activations, logits and buffers. [byte/accelerator]

    Notes
    -----
    .. math:: \frac{M}{n} + A + B

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.3 (stage 3).
    """
    shared = {name: part / count for name, part in state_memory.parts.items()}
    gathered = {name: np.where(count > 1, part, 0.0) for name, part in gather_buffers.parts.items()}
    return Breakdown({**shared, **activation_memory.parts, **gathered})
