"""Memory of a model that is served: weights, the cache of keys and values, and what fits."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where
from ..tuples import NamedTuple
from .flops import attention_span
from .parameters import Transformer, attention_blocks, layer_matrices, total_parameters


class Elements(NamedTuple):
    """Bytes of a weight as it is served, and of an element of the cache of keys and values."""

    weight: Array
    cache: Array


def cache_size(transformer: Transformer, context: Array, elements: Elements) -> Array:
    r"""Memory of the keys and values of one sequence. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    context
        Tokens of the sequence, prompt and answer. [token]
    elements
        Bytes of an element. [byte]

    Notes
    -----
    .. math:: 2 L k d s w_c \quad \text{or} \quad L (r + d_{rope}) s w_c

    with k key-value heads; the second with latent attention of rank r. A layer with a window keeps no more than it.

    References
    ----------
    R. Pope et al., 2022, arXiv:2211.05102, Section 2.1; DeepSeek-AI, "DeepSeek-V2", 2024, arXiv:2405.04434, Section
    2.1.4 and Table 1, for the latent.

    Examples
    --------
    LLaMA-65B at 2,048 tokens in 16 bit: 2 x 80 layers x 8,192 x 2 bytes are 2.5 MiB a token.

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=80, hidden=8192, heads=64, ffn=22016, gated=1, vocab=32000)
    >>> float(cache_size(llama, np.float64(2048), Elements(np.float64(2), np.float64(2)))) / 2**30
    5.0
    """
    model = transformer
    joint = model.kv_heads * (model.head_dim + model.value_dim)
    width = where(model.kv_rank > 0, model.kv_rank + model.rope_dim, joint)
    blocks = attention_blocks(model) - model.encoder_layers
    return blocks * width * attention_span(model, context) * elements.cache


def weights_size(transformer: Transformer, elements: Elements) -> Array:
    r"""Memory of the weights as they are served. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    elements
        Bytes of a weight. [byte]

    Notes
    -----
    .. math:: w N

    Examples
    --------
    65 billion parameters in 16 bit:

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=80, hidden=8192, heads=64, ffn=22016, gated=1, vocab=32000)
    >>> round(float(weights_size(llama, Elements(np.float64(2), np.float64(2)))) / 1e9, 1)
    130.6
    """
    return total_parameters(transformer).total * elements.weight


def weights_read(transformer: Transformer, sequences: Array, elements: Elements) -> Array:
    r"""Weights that one pass over a token of each of several sequences reads from memory. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    sequences
        B, tokens that pass together. [1]
    elements
        Bytes of a weight. [byte]

    Notes
    -----
    .. math:: w \left( N_{dense} + M E \left(1 - \left(1 - k / E\right)^B\right) N_{expert} + V h \right)

    Experts that no token chose are not read: with each of k of E chosen alike, so many are expected. Of the embedding
    only the head is read.

    References
    ----------
    R. Pope et al., 2022, arXiv:2211.05102, Section 2.1 (all weights are read once a step).

    Examples
    --------
    Mixtral 8x7B: one token reads 2 experts of 8 in each layer, 32 tokens nearly all.

    >>> from estimator.formulas.shapes import transformer
    >>> mixtral = transformer(layers=32, hidden=4096, heads=32, kv_heads=8, gated=1, vocab=32000,
    ...                       experts=8, experts_per_token=2, expert_ffn=14336, moe_layers=32, ffn=0)
    >>> two = Elements(np.float64(2), np.float64(2))
    >>> [round(float(weights_read(mixtral, np.float64(each), two)) / 1e9, 1) for each in (1, 32)]
    [25.5, 93.1]
    """
    model = transformer
    chosen = where(model.experts > 0, quotient(model.experts_per_token, model.experts), 0.0)
    touched = model.experts * (1.0 - np.power(1.0 - chosen, sequences))
    return (layer_matrices(model, touched) + model.vocab * model.hidden) * elements.weight


def sequences_held(memory_usable: Array, weights: Array, cache: Array) -> Array:
    r"""Whole sequences whose keys and values fit beside the weights; 0 where the weights alone do not. [1]

    Parameters
    ----------
    memory_usable
        Of all accelerators of a replica. [byte]
    weights
        Of the model. [byte]
    cache
        Of one sequence. [byte]

    Notes
    -----
    .. math:: \left\lfloor \frac{m - w N}{S_{cache}} \right\rfloor

    Examples
    --------
    >>> [float(sequences_held(np.float64(room), np.float64(130), np.float64(5))) for room in (100, 134, 160)]
    [0.0, 0.0, 6.0]
    """
    return np.floor(np.maximum(quotient(memory_usable - weights, cache), 0.0))


def fewest_that_hold(memory_usable: Array, weights: Array, cache: Array) -> Array:
    r"""Least accelerators whose memories hold the weights and the cache of one sequence. [accelerator]

    Parameters
    ----------
    memory_usable
        Of one accelerator. [byte/accelerator]
    weights
        Of the model. [byte]
    cache
        Of one sequence. [byte]

    Notes
    -----
    .. math:: n = \left\lceil \frac{w N + S_{cache}}{m} \right\rceil

    A condition of memory alone: it says nothing of speed.

    Examples
    --------
    >>> float(fewest_that_hold(np.float64(80), np.float64(130), np.float64(5)))
    2.0
    """
    return np.maximum(np.ceil(quotient(weights + cache, memory_usable)), 1.0)
