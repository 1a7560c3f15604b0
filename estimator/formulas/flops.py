"""Floating-point operations of training, by part of the model."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, where
from ..breakdown import Breakdown
from .memory_states import Method, adapter_parameters
from .parameters import (
    Transformer,
    attention_blocks,
    attention_matrices,
    layer_matrices,
)


def short_form_flops(active_parameters: Array, tokens: Array) -> Array:
    r"""FLOPs to train once over ``tokens`` by the rule of thumb. [FLOP]

    Parameters
    ----------
    active_parameters
        Parameters that take part in a token's forward pass. [1]
    tokens
        Training tokens. [token]

    Returns
    -------
    Floating-point operations. [FLOP]

    Notes
    -----
    .. math:: C = 6 N D

    Two FLOPs a parameter and token forward, four backward; attention scores are left out.

    References
    ----------
    J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, Section 2.1.

    Examples
    --------
    >>> float(short_form_flops(np.float64(65e9), np.float64(1.4e12)))
    5.46e+23
    """
    return 6.0 * active_parameters * tokens


def attention_span(model: Transformer, seq: Array) -> Array:
    """Keys that a query meets, on average over the layers: the sequence, or the window where one is set. [token]

    References
    ----------
    A. Jiang et al., "Mistral 7B", 2023, arXiv:2310.06825, Section 2; Gemma Team, "Gemma 2", 2024,
    arXiv:2408.00118, Section 2, for windows in some layers only.
    """
    windowed = where(model.window > 0, model.window_layers / model.layers, 0.0)
    return seq + windowed * (np.minimum(model.window, seq) - seq)


def score_flops_per_token(model: Transformer, seq: Array) -> Array:
    r"""Attention scores and their weighted sums, forward and backward. [FLOP/token]

    Notes
    -----
    .. math:: 12 L a d s

    Every key of the sequence is counted, masked or not, as the definition of MFU does: half of it is
    never computed by a causal kernel.

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B.
    """
    widths = model.head_dim + model.rope_dim + model.value_dim
    return 6.0 * attention_blocks(model) * model.heads * widths * attention_span(model, seq)


def training_flops_per_token(transformer: Transformer, seq: Array) -> Breakdown:
    r"""Model FLOPs of one token, forward and backward, recomputation left out. [FLOP/token]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    seq
        Sequence length. [token]

    Returns
    -------
    Projections, scores, feed-forward and logits. [FLOP/token]

    Notes
    -----
    .. math:: 6 N_{matrix} + 12 L a d s

    A token of an encoder-decoder model passes one of the two stacks: its layers count half.

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B; D. Narayanan et al., 2021,
    arXiv:2104.04473, Appendix, Eq. 3, counts the same terms (and a recomputed forward pass).

    Examples
    --------
    GPT-3 175B at sequence length 2,048 (6 N is 1.048e12):

    >>> from estimator.formulas.shapes import transformer
    >>> gpt3 = transformer(layers=96, hidden=12288, heads=96, ffn=49152, vocab=51200)
    >>> f"{float(training_flops_per_token(gpt3, np.float64(2048)).total):.3e}"
    '1.076e+12'
    """
    model = transformer
    passed = where(model.encoder_layers > 0, 0.5, 1.0)
    projections = attention_blocks(model) * attention_matrices(model)
    return Breakdown(
        {
            "attention_projections": 6.0 * passed * projections,
            "attention_scores": passed * score_flops_per_token(model, seq),
            "feed_forward": 6.0 * passed * (layer_matrices(model, model.experts_per_token) - projections),
            "logits": 6.0 * model.vocab * model.hidden,
        }
    )


def method_flops_per_token(transformer: Transformer, method: Method, seq: Array) -> Breakdown:
    r"""Model FLOPs of one token by what is trained, forward and backward, recomputation left out. [FLOP/token]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    method
        Whether weights are frozen, and the rank of the adapters beside them. [1]
    seq
        Sequence length. [token]

    Returns
    -------
    Projections, scores, feed-forward, logits and adapters. [FLOP/token]

    Notes
    -----
    .. math:: 6 N_{matrix} + 12 L a d s \quad \text{or} \quad 4 N_{matrix} + 12 L a d s + 6 r \sum (m + n)

    A frozen matrix has no gradient of its own: of the backward pass that of its input is left. Embedding and head
    count as frozen too unless they learn beside the adapters.

    References
    ----------
    E. Hu et al., "LoRA", 2021, arXiv:2106.09685, Section 4.2 (no gradient of most parameters); A. Chowdhery et al.,
    "PaLM", 2022, arXiv:2204.02311, Appendix B, for what is counted.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> none, one, rank = map(np.float64, (0, 1, 16))
    >>> full, lora = Method(none, none, none, none, none, none), Method(one, rank, none, none, none, none)
    >>> [f"{float(method_flops_per_token(llama, each, none).total):.4g}" for each in (full, lora)]
    ['3.964e+10', '2.667e+10']
    """
    parts = dict(training_flops_per_token(transformer, seq).parts)
    share = 1.0 - method.frozen / 3.0
    parts["attention_projections"] = share * parts["attention_projections"]
    parts["feed_forward"] = share * parts["feed_forward"]
    parts["logits"] = (1.0 - method.frozen * (1.0 - method.outer) / 3.0) * parts["logits"]
    passed = where(transformer.encoder_layers > 0, 0.5, 1.0)
    chosen = transformer._replace(experts=transformer.experts_per_token)
    parts["adapters"] = 6.0 * passed * method.frozen * adapter_parameters(chosen, method.rank)
    return Breakdown(parts)


def training_flops(flops_per_token: Breakdown, tokens: Array) -> Breakdown:
    r"""Model FLOPs of a training run, by part. [FLOP]

    Parameters
    ----------
    flops_per_token
        Model FLOPs of one token, forward and backward, by part. [FLOP/token]
    tokens
        Training tokens. [token]

    Returns
    -------
    Projections, scores, feed-forward, logits and adapters. [FLOP]

    Notes
    -----
    .. math:: C = F D

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B.
    """
    return Breakdown({name: part * tokens for name, part in flops_per_token.parts.items()})
