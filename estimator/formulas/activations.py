"""Activations: what a card keeps of the forward pass for the backward pass."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..breakdown import Breakdown
from .parameters import Transformer

# The recomputation modes; the place of a mode in this list is its code.
RECOMPUTE = ("none", "selective", "full")


def layer_activation(model: Transformer, seq: Array, micro_batch: Array) -> Array:
    r"""Activations that one layer keeps for its backward pass, attention scores left out. [byte]

    Notes
    -----
    .. math:: s b (10 h + 4 a d + 4 k d + 4 f)

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
    transformer: Transformer, seq: Array, micro_batch: Array, recompute: Array, unfused: Array
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
    unfused
        1 where attention scores are written to memory, 0 where a fused kernel avoids it. [1]

    Returns
    -------
    Kept activations, the layer at work, and logits in 32 bit. [byte/accelerator]

    Notes
    -----
    .. math:: 2 s b h L + s b (34 h + 5 a s) + 4 s b V

    with full recomputation; without it each layer keeps :math:`s b (34 h + 5 a s)`. A fused kernel keeps no
    scores: the terms in :math:`a s` fall away.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Eq. 1, Section 5 and Section 4.3; T. Dao et al.,
    "FlashAttention", 2022, arXiv:2205.14135, Theorem 1, for memory linear in the sequence.

    Examples
    --------
    GPT-3 175B, one layer, no recomputation (Korthikanti 2022: 34 s b h + 5 a s^2 b):

    >>> from estimator.formulas.shapes import transformer
    >>> gpt3 = transformer(layers=1, hidden=12288, heads=96, ffn=49152, vocab=51200)
    >>> parts = activation_memory(gpt3, *map(np.float64, (2048, 1, 0, 1))).parts
    >>> float(parts["activations"]) == 34 * 2048 * 12288 + 5 * 96 * 2048**2
    True
    """
    layers = transformer.layers + transformer.encoder_layers
    plain = layer_activation(transformer, seq, micro_batch)
    scores = unfused * score_activation(transformer, seq, micro_batch)
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
