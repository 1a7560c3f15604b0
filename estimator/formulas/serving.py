"""Bounds on serving a model: what no deployment on the same accelerators is faster than, and no model of one."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .flops import training_flops_per_token
from .parameters import Transformer
from .serving_memory import Elements, cache_size, weights_read


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
    moved = where(prompt > 0, weights_read(transformer, prompt, elements), 0.0)
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
