"""Model states of training: weights, gradients and what the optimizer keeps, of one whole copy."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .parameters import (
    Transformer,
    attention_blocks,
    dense_layers,
    layer_matrices,
    total_parameters,
)


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


def attention_edges(model: Transformer) -> Array:
    r"""Rows plus columns of every matrix of one attention block. [1]

    Notes
    -----
    .. math:: 4 h + a (d + v) + k (d + v)

    Through a latent, queries are made by two matrices, and so are keys and values together.

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, arXiv:2405.04434, Eqs. 9-15.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> float(attention_edges(transformer(layers=1, hidden=64, heads=4, ffn=256, vocab=1)))
    512.0
    """
    width, both = model.heads * (model.head_dim + model.rope_dim), model.head_dim + model.value_dim
    queries = model.hidden + width + where(model.q_rank > 0, 2.0 * model.q_rank, 0.0)
    latent = model.hidden + 2.0 * model.kv_rank + model.rope_dim + model.heads * both
    keys = where(model.kv_rank > 0, latent, 2.0 * model.hidden + model.kv_heads * both)
    return queries + keys + model.heads * model.value_dim + model.hidden


def layer_edges(model: Transformer) -> Array:
    """Rows plus columns of every matrix of the layers, what an adapter of rank 1 has; a router has none. [1]

    References
    ----------
    E. Hu et al., "LoRA", 2021, arXiv:2106.09685, Section 4.2.
    """
    gates = 2.0 + model.gated
    feed_forward = dense_layers(model) * gates * (model.hidden + model.ffn)
    shared = where(model.shared_ffn > 0, model.hidden + model.shared_ffn, 0.0)
    routed = model.experts * (model.hidden + model.expert_ffn)
    experts = model.moe_layers * gates * (routed + shared)
    return attention_blocks(model) * attention_edges(model) + feed_forward + experts


def matrix_edges(model: Transformer) -> Array:
    """Rows plus columns of every matrix, what a factored second moment keeps. [1]

    References
    ----------
    N. Shazeer and M. Stern, "Adafactor", 2018, arXiv:1804.04235, Algorithm 2.
    """
    return layer_edges(model) + (2.0 - model.tied) * (model.vocab + model.hidden)


def low_rank_elements(model: Transformer, rank: Array) -> Array:
    """Elements of two low-rank moments and a projector, over the layers' matrices. [1]

    For a matrix of m by n, m <= n, and a rank of at most m: moments 2 n r and projector m r.

    References
    ----------
    J. Zhao et al., "GaLore", 2024, arXiv:2403.03507, Table 1.
    """

    def _matrix(rows: Array, columns: Array) -> Array:
        small, large = np.minimum(rows, columns), np.maximum(rows, columns)
        return np.minimum(rank, small) * (2.0 * large + small)

    queries, gates = model.heads * model.head_dim, 2.0 + model.gated
    keys = _matrix(model.hidden, model.kv_heads * model.head_dim)
    values = _matrix(model.hidden, model.kv_heads * model.value_dim)
    output = _matrix(model.heads * model.value_dim, model.hidden)
    attention = _matrix(model.hidden, queries) + keys + values + output
    dense = gates * _matrix(model.hidden, model.ffn)
    sparse = gates * (
        model.experts * _matrix(model.hidden, model.expert_ffn) + _matrix(model.hidden, model.shared_ffn)
    )
    return attention_blocks(model) * attention + dense_layers(model) * dense + model.moe_layers * sparse


def gradient_memory(transformer: Transformer, optimizer: Optimizer) -> Array:
    """Gradients at their peak: all of them, or the largest one where the update is fused. [byte]

    References
    ----------
    K. Lv et al., "Full Parameter Fine-tuning for Large Language Models with Limited Resources", 2023,
    arXiv:2306.09782, Section 3.2.
    """
    held = where(optimizer.fused > 0, largest_tensor(transformer), total_parameters(transformer).total)
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


def memory_over_all(memory_allocated: Array, count: Array) -> Array:
    """Memory that training allocates on all cards together. [byte]

    What driver and allocator take beside it is not the training's, and papers that compare methods leave it
    out.

    Parameters
    ----------
    memory_allocated
        On one card of the fullest stage. [byte/accelerator]
    count
        Accelerators. [accelerator]

    Returns
    -------
    Memory. [byte]

    References
    ----------
    K. Lv et al., 2023, arXiv:2306.09782, Table 2 ("peak memory allocated"): LOMO's 1 x 13.61 GB are 10.8 % of
    AdamW's 8 x 15.76 GB.
    """
    return memory_allocated * count
