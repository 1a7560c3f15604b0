"""Activations: what a card keeps of the forward pass for the backward pass."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, of_some, only, plus, times, where
from ..once import once
from ..tuples import NamedTuple
from .layout import Layout, fullest_load, replication, tokens_of
from .parameters import Transformer
from .stages import Stage, blocks_of, stage_model

# The recomputation modes; the place of a mode in this list is its code.
RECOMPUTE = ("none", "selective", "full", "modules")


class Kept(NamedTuple):
    """Bytes a token that a block keeps: ``whole`` on each tensor-parallel rank, ``split`` among them. [byte/token]"""

    whole: Array
    split: Array


def norm_activation(model: Transformer, eager: Array) -> Array:
    r"""Bytes a token of one norm, its input and the input of the matrices behind it. [byte/token]

    Parameters
    ----------
    model
        Dimensions. [1]
    eager
        1 where each operation keeps its own inputs, 0 where kernels are fused. [1]

    Notes
    -----
    .. math:: 4 h + h \text{ (dropout mask)} \quad \text{or} \quad 14 h

    A fused kernel keeps its input and its output, two bytes each; models with a plain feed-forward block are
    taken to drop out, gated ones not. Operation by operation, a norm in 32 bit keeps its input and its
    output in 32 bit as well, and what stands between them.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1; transformers v4.28.1, ``modeling_llama.py``,
    ``LlamaRMSNorm``, its saved tensors counted with ``torch.autograd.graph.saved_tensors_hooks``.
    """
    fused = (5.0 - model.gated) * model.hidden
    return where(eager > 0, 14.0 * model.hidden, fused)


def attention_activation(model: Transformer, eager: Array) -> Array:
    r"""Bytes a token of queries, keys, values and the output of one attention block. [byte/token]

    Notes
    -----
    .. math:: 2 a d + 2 k (d + v) + 2 a v

    Operation by operation, keys and values of grouped queries are repeated for each head. A latent
    (``kv_rank`` > 0) is kept before and after its norm, and keys and values are as many as the heads.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1; J. Ainslie et al., 2023, arXiv:2305.13245,
    for k < a; DeepSeek-AI, 2024, arXiv:2405.04434, Section 2.1, for latents.
    """
    latent = model.kv_rank > 0
    each = where(latent | (eager > 0), model.heads, model.kv_heads)
    query = model.head_dim + model.rope_dim
    latents = 4.0 * (model.q_rank + model.kv_rank) + 2.0 * model.rope_dim
    heads = 2.0 * model.heads * (query + model.value_dim) + 2.0 * each * (query + model.value_dim)
    return heads + where(latent, latents, 0.0)


def inner_activation(model: Transformer, width: Array, eager: Array) -> Array:
    r"""Bytes a token inside a feed-forward block of a width. [byte/token]

    Notes
    -----
    .. math:: 4 f \quad \text{or, gated,} \quad 6 f

    before and after the activation function; gated, gate, other branch and product, and 8 f where each
    operation keeps its own inputs.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1; N. Shazeer, 2020, arXiv:2002.05202, Eq. 5.
    """
    return (4.0 + model.gated * where(eager > 0, 4.0, 2.0)) * width


def expert_activation(model: Transformer, eager: Array, load: Array) -> Array:
    r"""Bytes a token of routed and shared experts on the fullest rank, no token being dropped. [byte/token]

    Notes
    -----
    .. math:: \iota_x k_e (4 h + (4 + 2 g) f_e) + (4 + 2 g) f_s

    Each of a token's :math:`k_e` experts keeps a copy of its input and its output beside the inner widths;
    :math:`\iota_x` is ``load``, the tokens of the fullest rank over their mean.

    References
    ----------
    T. Gale et al., "MegaBlocks", 2022, arXiv:2211.15841, Section 4, for copies permuted by expert.
    """
    chosen = 4.0 * model.hidden + inner_activation(model, model.expert_ffn, eager)
    return load * model.experts_per_token * chosen + inner_activation(model, model.shared_ffn, eager)


def score_activation(model: Transformer, seq: Array, eager: Array) -> Array:
    r"""Bytes a token of the attention scores that are kept where no fused kernel avoids them. [byte/token]

    Notes
    -----
    .. math:: 5 a s \quad \text{or, operation by operation,} \quad 8 a s

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Eq. 1; transformers v4.28.1, ``LlamaAttention``, counted as
    for `norm_activation`: softmax in 32 bit, its copy in 16 bit and the masked scores.
    """
    return where(eager > 0, 8.0, 5.0) * model.heads * seq


def block_activation(model: Transformer, eager: Array, load: Array) -> Kept:
    """Return what all layers of a model keep of a token, attention scores left out. [byte/token]"""
    attention, dense, sparse = blocks_of(model)
    norms = plus(attention + dense, sparse) * norm_activation(model, eager)
    routed = times(sparse, lambda: expert_activation(model, eager, load))
    inner = plus(dense * inner_activation(model, model.ffn, eager), routed)
    return Kept(norms, attention * attention_activation(model, eager) + inner)


def inner_output(model: Transformer, width: Array, eager: Array) -> Array:
    r"""Bytes a token that the activation function of a feed-forward block gives. [byte/token]

    Notes
    -----
    .. math:: 2 f

    and 4 f where each operation of a gated block keeps its own: the activation and its product.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1: the input of the second matrix, 8 s b h of the 34.
    """
    return 2.0 * (1.0 + model.gated * where(eager > 0, 1.0, 0.0)) * width


def module_output(model: Transformer, eager: Array, load: Array) -> Kept:
    r"""Return what norms and activation functions of a model give of a token, which modules make again. [byte/token]

    Notes
    -----
    .. math:: 4 h + \frac{8 h}{t}

    of the :math:`10 h + 24 h / t` of a plain layer with f = 4 h; operation by operation a norm makes 12 h of its
    input. Norms of latents count as well.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.1 (inputs of the first matrices, input of the second);
    NVIDIA, Megatron-Core, ``TransformerConfig.recompute_modules`` (``layernorm``, ``moe_act``); Huawei, MindSpeed,
    ``--recompute-activation-function`` and ``--recompute-norm``.
    """
    attention, dense, sparse = blocks_of(model)
    norms = plus(attention + dense, sparse) * where(eager > 0, 12.0, 2.0) * model.hidden
    latents = where(model.kv_rank > 0, 2.0 * (model.q_rank + model.kv_rank), 0.0)

    def _experts() -> Array:
        routed = load * model.experts_per_token * inner_output(model, model.expert_ffn, eager)
        return routed + inner_output(model, model.shared_ffn, eager)

    inner = plus(dense * inner_output(model, model.ffn, eager), times(sparse, _experts))
    return Kept(norms, plus(times(latents, attention), inner))


def layers_activation(model: Transformer, layout: Layout, seq: Array, eager: Array) -> tuple[Array, Array]:
    r"""Return what all layers of a model keep of one micro-batch: all but scores, and scores. [byte]

    Notes
    -----
    .. math:: s b h \left( 10 + \frac{24}{t} \right) L, \qquad \frac{5 a s^2 b}{t} L

    for plain attention and f = 4 h; with sequence parallelism the first is :math:`34 s b h L / t`.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Eqs. 1, 2 and 4, Table 2.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> from estimator.formulas.shapes import transformer
    >>> gpt3 = transformer(layers=1, hidden=12288, heads=96, ffn=49152, vocab=51200)
    >>> layout = example_job(unfused=1).layout
    >>> kept, scores = layers_activation(gpt3, layout, np.float64(2048), np.float64(0))
    >>> float(kept + scores) == 34 * 2048 * 12288 + 5 * 96 * 2048**2
    True
    """
    kept = block_activation(model, eager, fullest_load(layout, model))
    tokens = tokens_of(layout, seq)
    attention, _, _ = blocks_of(model)
    scores = of_some(
        layout.unfused,
        lambda: tokens * (layout.unfused * attention * score_activation(model, seq, eager)) / layout.tp,
    )
    return tokens * _on_card(kept, layout), scores


def _on_card(kept: Kept, layout: Layout) -> Array:
    """Return what one card has of what blocks keep. [byte/token]"""
    return kept.whole * replication(layout) + kept.split / layout.tp


@once
def checkpoint_activation(layout: Layout, hidden: Array, seq: Array) -> Array:
    r"""Input of a layer, which full recomputation keeps of one micro-batch. [byte]

    Notes
    -----
    .. math:: 2 s b h

    and a t-th of it with sequence parallelism.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5.
    """
    return 2.0 * tokens_of(layout, seq) * hidden * replication(layout)


def passes_activation(
    model: Transformer, stage: Stage, layout: Layout, seq: Array, eager: Array
) -> tuple[Array, Array]:
    """Return activations that a card of a stage keeps, and what the layer at work makes again. [byte]

    Kept are those of all micro-batches in flight, between forward and backward pass; made again, in the
    backward pass, is all of a layer with full recomputation, its scores with selective, and what norms and
    activation function give with modules.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Table 2, Section 4.2.3 and Section 5; `module_output`.
    """
    each, again = _micro_batch(stage_model(model, stage), stage.layers, layout, seq, eager)
    inputs = checkpoint_activation(layout, model.hidden, seq)
    return stage.in_flight * each + stage.head * inputs, again


@once
def _micro_batch(
    model: Transformer, layers: Array, layout: Layout, seq: Array, eager: Array
) -> tuple[Array, Array]:
    """Return what the layers of a stage keep of one micro-batch, and what the one at work makes again. [byte]"""
    kept, scores = layers_activation(model, layout, seq, eager)
    mode = layout.recompute
    full, modules = mode == 2, mode == 3

    def _given() -> Array:
        given = module_output(model, eager, fullest_load(layout, model))
        return tokens_of(layout, seq) * _on_card(given, layout)

    made, inputs = only(modules, _given), checkpoint_activation(layout, model.hidden, seq)
    each = where(full, inputs * layers, plus(kept - made, only(mode != 1, scores)))
    again = where(full, plus(kept, scores), plus(only(mode == 1, scores), made))
    return each, again / np.maximum(layers, 1.0)


def logits(model: Transformer, stage: Stage, layout: Layout, seq: Array) -> Array:
    r"""Logits of one micro-batch on a card of a stage; only the last stage has any. [1]

    Notes
    -----
    .. math:: \frac{s b V}{t}

    of which each keeps 4 bytes in 32 bit and 2 of the 16-bit one that it is made of.

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Section 4.3.
    """
    return stage.head * _logits(layout, model, seq)


@once
def _logits(layout: Layout, model: Transformer, seq: Array) -> Array:
    return tokens_of(layout, seq) * model.vocab / layout.tp
