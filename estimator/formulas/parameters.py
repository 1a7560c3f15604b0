"""Parameter counts of a transformer from its dimensions."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, nothing, only, plus, times, where
from ..breakdown import Breakdown
from ..once import once
from ..tuples import NamedTuple


class _Transformer(NamedTuple):
    layers: Array
    hidden: Array
    heads: Array
    kv_heads: Array
    head_dim: Array
    value_dim: Array
    ffn: Array
    gated: Array
    vocab: Array
    tied: Array
    positions: Array
    experts: Array
    experts_per_token: Array
    expert_ffn: Array
    shared_ffn: Array
    moe_layers: Array
    query_bias: Array
    output_bias: Array
    ffn_bias: Array
    norms: Array
    norm_bias: Array
    qk_norm: Array
    q_rank: Array
    kv_rank: Array
    rope_dim: Array
    window: Array
    window_layers: Array
    encoder_layers: Array
    extra: Array


class Transformer(_Transformer):
    """Dimensions of a transformer, each an array that broadcasts with the others. [1]

    Flags are 0 or 1. ``layers`` counts decoder layers, of which (with those of the encoder)
    ``moe_layers`` hold experts. ``value_dim``, ``q_rank``, ``kv_rank`` and ``rope_dim`` describe
    multi-head latent attention; ``window_layers`` layers attend within ``window`` tokens; ``extra`` holds
    parameters outside the formula.
    """


def query_matrix(model: Transformer) -> Array:
    """Weights of a layer's query projection, through the latent of rank ``q_rank`` where there is one. [1]

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, arXiv:2405.04434, Eqs. 12-14.
    """
    width = model.heads * (model.head_dim + model.rope_dim)
    return where(model.q_rank > 0, model.q_rank * (model.hidden + width), model.hidden * width)


def key_value_matrices(model: Transformer) -> Array:
    """Weights of a layer's key and value projections, joint and through a latent where ``kv_rank`` > 0. [1]

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, arXiv:2405.04434, Eqs. 9-11 and 15; J. Ainslie et al., "GQA", 2023,
    arXiv:2305.13245, Section 2.2, for fewer key-value heads than heads.
    """
    width = model.head_dim + model.value_dim
    latent = model.hidden * (model.kv_rank + model.rope_dim) + model.kv_rank * model.heads * width
    return where(model.kv_rank > 0, latent, model.hidden * model.kv_heads * width)


@once
def attention_matrices(model: Transformer) -> Array:
    r"""Weights of one attention block: query, key, value and output projections. [1]

    Notes
    -----
    .. math:: h a d + h k d + h k v + a v h

    with ``heads`` a, ``kv_heads`` k, ``head_dim`` d, ``value_dim`` v; :math:`4 h^2` when all heads have keys.

    References
    ----------
    A. Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762, Section 3.2.2.
    """
    return query_matrix(model) + key_value_matrices(model) + model.heads * model.value_dim * model.hidden


def attention_vectors(model: Transformer) -> Array:
    """Biases and inner norms of one attention block. [1]"""
    joint = model.heads * model.head_dim + model.kv_heads * (model.head_dim + model.value_dim)
    return (
        model.query_bias * joint
        + model.output_bias * model.hidden
        + model.qk_norm
        + model.q_rank
        + model.kv_rank
    )


def feed_forward_matrices(model: Transformer, width: Array) -> Array:
    """Weights of one feed-forward block of a given width: two matrices, or three when gated. [1]

    References
    ----------
    N. Shazeer, "GLU Variants Improve Transformer", 2020, arXiv:2002.05202, Eqs. 5-6.
    """
    return (2.0 + model.gated) * model.hidden * width


@once
def dense_layers(model: Transformer) -> Array:
    """Layers of encoder and decoder whose feed-forward block is dense. [1]"""
    layers = plus(model.layers, model.encoder_layers)
    return layers if nothing(model.moe_layers) else np.maximum(layers - model.moe_layers, 0.0)


@once
def attention_blocks(model: Transformer) -> Array:
    """Attention blocks: one a layer, and one more across to the encoder in each decoder layer. [1]"""
    encoder = model.encoder_layers
    return either(encoder, lambda: model.layers * 2.0 + encoder, model.layers)


def layer_matrices(model: Transformer, experts: Array) -> Array:
    """Weights of all layers' matrices with ``experts`` counted in each layer that has experts. [1]"""
    dense = dense_layers(model) * feed_forward_matrices(model, model.ffn)

    def _sparse() -> Array:
        routed = model.hidden * model.experts + experts * feed_forward_matrices(model, model.expert_ffn)
        return routed + feed_forward_matrices(model, model.shared_ffn)

    return plus(attention_blocks(model) * attention_matrices(model) + dense, times(model.moe_layers, _sparse))


@once
def layer_vectors(model: Transformer) -> Array:
    """Biases and norms of all layers. [1]"""
    blocks = attention_blocks(model)
    layers = plus(model.layers, model.encoder_layers)
    norm = model.hidden * (1.0 + model.norm_bias)
    # Attention across to an encoder has a norm of its own.
    crossed = only(model.encoder_layers, lambda: blocks - layers)
    bias = model.ffn_bias * ((1.0 + model.gated) * model.ffn + model.hidden)
    stacks = where(model.encoder_layers > 0, 2.0, 1.0)
    inner = plus(blocks * attention_vectors(model), times(bias, dense_layers(model)))
    return inner + (plus(layers * model.norms, crossed) + stacks) * norm


def embedding_parameters(model: Transformer) -> Array:
    """Token embedding, output head when it is not tied to it, and learned positions. [1]"""
    return model.vocab * model.hidden * (2.0 - model.tied) + model.positions * model.hidden


def total_parameters(transformer: Transformer) -> Breakdown:
    r"""All parameters of a model, by part. [1]

    Parameters
    ----------
    transformer
        Dimensions. [1]

    Returns
    -------
    Attention, feed-forward, experts, embedding, norms and biases. [1]

    Notes
    -----
    .. math:: N = (2 - t) V h + L (4 h^2 + 2 h f) + \dots

    References
    ----------
    D. Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters", SC21,
    arXiv:2104.04473, Eq. 2, generalised to grouped and latent attention, gates, experts and biases by the
    equations that each part cites.

    Examples
    --------
    LLaMA-65B (Touvron et al. 2023, Table 2: 65.2 B) with the dimensions of its configuration:

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=80, hidden=8192, heads=64, ffn=22016, gated=1, vocab=32000)
    >>> float(total_parameters(llama).total)
    65285660672.0
    """
    model = transformer
    experts = model.experts * feed_forward_matrices(model, model.expert_ffn) + model.hidden * model.experts
    shared = feed_forward_matrices(model, model.shared_ffn)
    return Breakdown(
        {
            "embedding": embedding_parameters(model),
            "attention": attention_blocks(model) * attention_matrices(model),
            "feed_forward": dense_layers(model) * feed_forward_matrices(model, model.ffn),
            "experts": model.moe_layers * (experts + shared),
            "norms_and_biases": layer_vectors(model),
            "other": model.extra,
        }
    )


def active_parameters(transformer: Transformer) -> Array:
    """Parameters that take part in one token's forward pass: all of them, but for experts not chosen. [1]

    Parameters
    ----------
    transformer
        Dimensions. [1]

    References
    ----------
    W. Fedus et al., "Switch Transformers", 2021, arXiv:2101.03961, Section 2.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> mixtral = transformer(layers=32, hidden=4096, heads=32, kv_heads=8, gated=1, vocab=32000,
    ...                       experts=8, experts_per_token=2, expert_ffn=14336, moe_layers=32, ffn=0)
    >>> float(active_parameters(mixtral))
    12879925248.0
    """
    model = transformer
    idle = model.moe_layers * (model.experts - model.experts_per_token)
    return total_parameters(model).total - idle * feed_forward_matrices(model, model.expert_ffn)


def matrix_parameters(model: Transformer) -> Array:
    """Weights that multiply each token: the active layers' matrices and the output head, not the look-up. [1]"""
    return layer_matrices(model, model.experts_per_token) + model.vocab * model.hidden
