"""Bounds on serving a model: what no deployment on the same accelerators is faster than, and no model of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, quotient
from ..breakdown import Breakdown
from .flops import attention_span, training_flops_per_token
from .parameters import Transformer, attention_blocks, layer_matrices, total_parameters


class Elements(NamedTuple):
    """Bytes of a weight as it is served, and of an element of the cache of keys and values."""

    weight: Array
    cache: Array


class Replica(NamedTuple):
    """The accelerators that hold one copy of the weights together: their peaks and bandwidths, summed.

    ``rate`` at the precision served [FLOP/s], ``bandwidth`` with their memories [byte/s].
    """

    rate: Array
    bandwidth: Array


def short_forward_flops(active_parameters: Array, tokens: Array) -> Array:
    r"""FLOPs to read or write ``tokens`` by the rule of thumb. [FLOP]

    Parameters
    ----------
    active_parameters
        Parameters that take part in a token's forward pass. [1]
    tokens
        Tokens read and written. [token]

    Notes
    -----
    .. math:: C = 2 N D

    One multiplication and one addition a parameter and token; attention scores are left out.

    References
    ----------
    J. Kaplan et al., 2020, arXiv:2001.08361, Section 2.1; R. Pope et al., "Efficiently Scaling Transformer
    Inference", 2022, arXiv:2211.05102, Section 2.

    Examples
    --------
    >>> float(short_forward_flops(np.float64(175e9), np.float64(1)))
    350000000000.0
    """
    return 2.0 * active_parameters * tokens


def served_at_parity(tokens: Array) -> Array:
    r"""Tokens served for which a model has taken as many FLOPs as for its training. [token]

    Parameters
    ----------
    tokens
        Training tokens. [token]

    Notes
    -----
    .. math:: 6 N D = 2 N D_s \quad \Rightarrow \quad D_s = 3 D

    References
    ----------
    J. Kaplan et al., 2020, arXiv:2001.08361, Section 2.1, for both sides; N. Sardana et al., "Beyond
    Chinchilla-Optimal", 2023, arXiv:2401.00448, Eq. 2, which adds them up.

    Examples
    --------
    GPT-3, trained on 300 billion tokens:

    >>> float(served_at_parity(np.float64(300e9)))
    900000000000.0
    """
    return 3.0 * tokens


def forward_flops(transformer: Transformer, keys: Array) -> Breakdown:
    r"""FLOPs of one token's forward pass, by part. [FLOP/token]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    keys
        Tokens whose keys a query meets, itself among them; half the sequence on average behind a causal mask. [token]

    Notes
    -----
    .. math:: 2 N_{matrix} + 4 L a d s

    A third of what training takes.

    References
    ----------
    R. Pope et al., 2022, arXiv:2211.05102, Section 2; A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311,
    Appendix B, for the same with the backward pass.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> gpt3 = transformer(layers=96, hidden=12288, heads=96, ffn=49152, vocab=51200)
    >>> f"{float(forward_flops(gpt3, np.float64(0)).total):.4g}"
    '3.492e+11'
    """
    parts = training_flops_per_token(transformer, keys).parts
    return Breakdown({name: part / 3.0 for name, part in parts.items()})


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
    width = np.where(model.kv_rank > 0, model.kv_rank + model.rope_dim, joint)
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
    chosen = np.where(model.experts > 0, quotient(model.experts_per_token, model.experts), 0.0)
    touched = model.experts * (1.0 - np.power(1.0 - chosen, sequences))
    return (layer_matrices(model, touched) + model.vocab * model.hidden) * elements.weight


def roofline_time(work: Array, moved: Array, replica: Replica) -> Array:
    r"""Least time for work that also moves data: computing and memory each at their best, one beside the other. [s]

    Parameters
    ----------
    work
        Operations. [FLOP]
    moved
        Read from and written to memory. [byte]
    replica
        Peak and bandwidth. [FLOP/s]

    Notes
    -----
    .. math:: t \ge \max\left(\frac{C}{P}, \frac{S}{\beta}\right)

    References
    ----------
    S. Williams, A. Waterman and D. Patterson, "Roofline", CACM 52(4), 2009, pp. 65-76.

    Examples
    --------
    >>> float(roofline_time(np.float64(6), np.float64(8), Replica(np.float64(3), np.float64(2))))
    4.0
    """
    return np.maximum(quotient(work, replica.rate), quotient(moved, replica.bandwidth))


def prefill_time(
    transformer: Transformer, prompt: Array, causal: Array, elements: Elements, replica: Replica
) -> Array:
    r"""Least time of one forward pass over all tokens of a prompt. [s]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    prompt
        s, tokens that pass together; 0 takes no time. [token]
    causal
        1 where a token attends only to those before it, else 0. [1]
    elements
        Bytes of a weight. [byte]
    replica
        Peak and bandwidth. [FLOP/s]

    Notes
    -----
    .. math:: t \ge \max\left(\frac{(2 N + 4 L a d s') s}{P}, \frac{w N}{\beta}\right), \qquad s' = s / 2
        \text{ with a mask, else } s

    References
    ----------
    R. Pope et al., 2022, arXiv:2211.05102, Section 2, for prefill as bound by computing.

    Examples
    --------
    A prompt of 2,048 tokens on LLaMA-65B and eight cards of 312 TFLOP/s, 2 TB/s: 2.7e14 FLOP and more in 0.11 s.

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=80, hidden=8192, heads=64, ffn=22016, gated=1, vocab=32000)
    >>> two, eight = Elements(np.float64(2), np.float64(2)), Replica(np.float64(8 * 312e12), np.float64(16e12))
    >>> round(float(prefill_time(llama, np.float64(2048), np.float64(1), two, eight)), 3)
    0.109
    """
    work = prompt * forward_flops(transformer, prompt * (1.0 - causal / 2.0)).total
    moved = np.where(prompt > 0, weights_read(transformer, prompt, elements), 0.0)
    return roofline_time(work, moved, replica)


def decoding_time(
    transformer: Transformer, context: Array, sequences: Array, elements: Elements, replica: Replica
) -> Array:
    r"""Least time to write one token of each of several sequences. [s]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    context
        s, tokens that each sequence holds. [token]
    sequences
        B, sequences that are decoded together. [1]
    elements
        Bytes of a weight and of the cache. [byte]
    replica
        Peak and bandwidth. [FLOP/s]

    Notes
    -----
    .. math:: t \ge \max\left(\frac{B (2 N + 4 L a d s)}{P}, \frac{w N + B S_{cache}}{\beta}\right)

    References
    ----------
    R. Pope et al., 2022, arXiv:2211.05102, Section 2.1 (weights and cache are loaded once a step); J. Austin et al.,
    "How to Scale Your Model", 2025, part 7, for the same as a roofline.

    Examples
    --------
    One sequence on LLaMA-65B and eight cards of 2 TB/s: 130 GB of weights take 8 ms, and 2.5 GiB of cache little.

    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=80, hidden=8192, heads=64, ffn=22016, gated=1, vocab=32000)
    >>> two, eight = Elements(np.float64(2), np.float64(2)), Replica(np.float64(8 * 312e12), np.float64(16e12))
    >>> round(float(decoding_time(llama, np.float64(1024), np.float64(1), two, eight)), 5)
    0.0083
    """
    work = sequences * forward_flops(transformer, context).total
    cached = sequences * cache_size(transformer, context, elements)
    return roofline_time(work, weights_read(transformer, sequences, elements) + cached, replica)


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


def accelerators_for_demand(
    requests: Array, prefill: Array, decoding: Array, count: Array, load: Array
) -> Array:
    r"""Least accelerators, in whole replicas, that keep up with a demand. [accelerator]

    Parameters
    ----------
    requests
        Requests in a time. [1/s]
    prefill
        Time in which a replica reads one prompt. [s]
    decoding
        Time of a replica for one answer: that of all its steps over the sequences decoded together. [s]
    count
        Accelerators of a replica. [accelerator]
    load
        Share of its bound that a replica reaches, hours without demand counted in. [1]

    Notes
    -----
    .. math:: n \left\lceil \frac{q (t_{prefill} + t_{decoding})}{l} \right\rceil

    Of every second, each request takes so much of a replica: Little's law for its occupation.

    References
    ----------
    J. Little, "A Proof for the Queuing Formula: L = lambda W", Operations Research 9(3), 1961, pp. 383-387.

    Examples
    --------
    Ten requests a second of 0.1 s and 0.15 s keep two and a half replicas of eight busy: 24 cards, 40 at a load of 0.5.

    >>> ten, read, write, eight = map(np.float64, (10, 0.1, 0.15, 8))
    >>> accelerators_for_demand(ten, read, write, eight, np.array([1.0, 0.5])).tolist()
    [24.0, 40.0]
    """
    return count * np.maximum(np.ceil(requests * (prefill + decoding) / load), 1.0)
