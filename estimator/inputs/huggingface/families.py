"""The architectures that are known, by the names that their files give them."""

from __future__ import annotations

import re

from .rules import (
    LINEAR,
    add,
    after_dense,
    bert,
    bigcode,
    chatglm,
    everywhere,
    falcon,
    flag,
    halved,
    interleaved,
    latent,
    mpt,
    opt,
    over_heads,
    per_head,
    shared,
    sinks,
    stablelm,
    stepped,
    t5,
    vit,
)
from .values import Family
from .windows import (
    after_full,
    all_but_every,
    alternate_before_full,
    every_layer,
    local,
    rotated,
    unrotated,
    windowed,
)

_SUFFIX = re.compile(r"(_text|(With)?LMHeadModel|(Model)?For[A-Z]\w*|Model)$")
_BIASED = {"query_bias": 1.0, "output_bias": 1.0, "ffn_bias": 1.0, "norm_bias": 1.0}
_GATED, _QKV, _NORM = {"gated": 1.0}, {"gated": 1.0, "query_bias": 1.0}, {"norm_bias": 1.0}
_ONE_NORM, _FOUR_NORMS = {"gated": 1.0, "norms": 1.0}, {"gated": 1.0, "norms": 4.0}
_PARALLEL = {"norms": 1.0, "norm_bias": 1.0, "ffn_bias": 1.0}
_GPT = {"layers": "n_layer", "hidden": "n_embd", "heads": "n_head", "ffn": "n_inner"}
_GPT2 = _GPT | {"positions": "n_positions"}
_BLOOM = {"layers": "n_layer", "heads": "n_head"}
_NEO = {"layers": "num_layers", "heads": "num_heads", "positions": "max_position_embeddings"}
_GLM = {"layers": "num_layers", "ffn": "ffn_hidden_size", "vocab": "padded_vocab_size"}
_T5_KEYS = {"layers": "num_layers", "hidden": "d_model", "heads": "num_heads", "ffn": "d_ff"}
_MOSAIC = {"layers": "n_layers", "hidden": "d_model", "heads": "n_heads"}
_DBRX = {"kv_heads": "attn_config.kv_n_heads", "ffn": "ffn_config.ffn_hidden_size"}
_CHOICE = {"experts": "ffn_config.moe_num_experts", "experts_per_token": "ffn_config.moe_top_k"}
_EXPERTS, _ROUTED = {"experts": "num_experts"}, {"experts": "n_routed_experts"}
_ATTENTION = flag("attention_bias", "query_bias", "output_bias")
_ATTENTION_ON = flag("attention_bias", "query_bias", "output_bias", absent=True)
_QUERY, _QUERY_ON = flag("attention_bias", "query_bias"), flag("attention_bias", "query_bias", absent=True)
_MLP = flag("mlp_bias", "ffn_bias")
_CHOOSING = add("extra", lambda dims: dims["moe_layers"] * dims["experts"])
_HEAD_BIAS = add("extra", lambda dims: dims["vocab"])
_WINDOW = windowed(every_layer)
_LATE_WINDOW = windowed(after_full, 4096.0, switch="use_sliding_window")

# fmt: off
_LLAMA = Family(_GATED, (_ATTENTION, _MLP))
_INTERNLM = Family(_GATED, (flag("bias", "query_bias", "output_bias", absent=True),))
_QWEN2_VL = Family(_QKV, (_LATE_WINDOW,), absent={"max_window_layers": 80.0})
_QWEN3 = Family(_GATED, (_ATTENTION, per_head(), _LATE_WINDOW), absent={"head_dim": 128.0})
_QWEN3_MOE = Family(
    _GATED, (_ATTENTION, per_head(), stepped, windowed(every_layer, 4096.0, switch="use_sliding_window")),
    _EXPERTS, {"kv_heads": 4.0},
)
_DEEPSEEK3 = Family(_GATED, (latent, after_dense, _CHOOSING), _ROUTED)
_GPTJ = Family(_PARALLEL, (_HEAD_BIAS,), _GPT, widening=4.0)
_FALCON = Family(_NORM, (flag("bias", *LINEAR), falcon), tied=True, widening=4.0)
_T5 = Family(rules=(t5,), own=_T5_KEYS, tied=True)
FAMILIES = {
    "llama": _LLAMA, "yi": _LLAMA, "aquila": _LLAMA, "granite": _LLAMA, "baichuan": Family(_GATED),
    "smollm3": Family(
        _GATED, (_ATTENTION, _MLP, windowed(unrotated, switch="use_sliding_window")),
        absent={"kv_heads": 4.0}, tied=True,
    ),
    "minicpm": Family(_GATED, (_ATTENTION,), tied=True),
    "internlm": _INTERNLM, "internlm2": _INTERNLM,
    "mistral": Family(_GATED, (windowed(every_layer, 4096.0),), absent={"kv_heads": 8.0}),
    "mixtral": Family(_GATED, (everywhere, _WINDOW), absent={"kv_heads": 8.0}),
    "grok-1": Family(_FOUR_NORMS, (everywhere,), _EXPERTS, tied=True),
    "dbrx": Family(_GATED, (everywhere,), _MOSAIC | _DBRX | _CHOICE, {"kv_heads": 1.0}),
    "qwen": Family(_QKV, (halved,)), "qwen2": Family(_QKV, (_LATE_WINDOW,)),
    "qwen2_vl": _QWEN2_VL, "qwen2_5_vl": _QWEN2_VL,
    "qwen2_moe": Family(
        _GATED, (
            flag("qkv_bias", "query_bias", absent=True), stepped, shared,
            windowed(alternate_before_full, 4096.0, switch="use_sliding_window"),
        ),
        _EXPERTS, {"kv_heads": 16.0},
    ),
    "qwen3": _QWEN3, "qwen3_vl": _QWEN3, "qwen3_moe": _QWEN3_MOE, "qwen3_vl_moe": _QWEN3_MOE,
    "deepseek": Family(_GATED, (_ATTENTION, after_dense), _ROUTED),
    "deepseek_v2": Family(_GATED, (latent, after_dense), _ROUTED),
    "deepseek_v3": _DEEPSEEK3, "kimi_k2": _DEEPSEEK3,
    "llama4": Family(
        _GATED, (_ATTENTION, interleaved, windowed(rotated, 8192.0, "attention_chunk_size")),
        {"ffn": "intermediate_size_mlp"}, {"kv_heads": 8.0, "head_dim": 128.0},
    ),
    "gpt_oss": Family(
        _GATED, (_ATTENTION_ON, everywhere, add("extra", sinks), windowed(all_but_every(2), 128.0)),
        absent={"kv_heads": 8.0, "head_dim": 64.0},
    ),
    "gemma": Family(_GATED, (_ATTENTION,), absent={"kv_heads": 16.0, "head_dim": 256.0}, tied=True),
    "gemma2": Family(
        _FOUR_NORMS, (_ATTENTION, windowed(all_but_every(2), 4096.0)),
        absent={"kv_heads": 4.0, "head_dim": 256.0}, tied=True,
    ),
    # The published files of Gemma 3 leave out heads and vocabulary where they are those of the class.
    "gemma3": Family(
        _FOUR_NORMS,
        (_ATTENTION, per_head(), windowed(all_but_every(6, "sliding_window_pattern"), 4096.0)), tied=True,
        absent={"heads": 8.0, "kv_heads": 4.0, "head_dim": 256.0, "vocab": 262208.0},
    ),
    "chatglm": Family(_GATED, (chatglm,), _GLM, {"head_dim": 128.0}),
    "glm": Family(_GATED, (_QUERY_ON,), absent={"kv_heads": 2.0, "head_dim": 128.0}),
    "glm4": Family(_FOUR_NORMS, (_QUERY_ON,), absent={"kv_heads": 2.0, "head_dim": 128.0}),
    "glm4_moe": Family(
        _GATED, (_QUERY, per_head("use_qk_norm"), after_dense, _CHOOSING), _ROUTED, {"kv_heads": 8.0}
    ),
    "cohere": Family(_ONE_NORM, (_ATTENTION, over_heads("use_qk_norm")), tied=True),
    "cohere2": Family(
        _ONE_NORM, (_ATTENTION, windowed(all_but_every(4, "sliding_window_pattern"), 4096.0)), tied=True,
    ),
    "olmo": Family(_GATED | {"norms": 0.0}, (_ATTENTION,)),
    "olmo2": Family(_GATED, (_ATTENTION, over_heads())),
    "olmo3": Family(_GATED, (_ATTENTION, over_heads(), windowed(all_but_every(4), 4096.0))),
    "olmoe": Family(_GATED, (_ATTENTION, over_heads(), everywhere), _EXPERTS),
    "stablelm": Family(
        _GATED | _NORM, (flag("use_qkv_bias", "query_bias"), over_heads("qk_layernorm"), stablelm),
    ),
    "phi": Family(_BIASED | {"norms": 1.0}, (per_head("qk_layernorm", 4.0), _HEAD_BIAS)),
    "phi3": Family(_GATED, (_WINDOW,)),
    "phimoe": Family(
        _GATED | _NORM,
        (_ATTENTION, everywhere, add("extra", lambda dims: dims["vocab"], "lm_head_bias"), _WINDOW),
        absent={"kv_heads": 8.0},
    ),
    "gpt2": Family(_BIASED, (), _GPT2, tied=True, widening=4.0),
    "gpt_bigcode": Family(_BIASED, (bigcode,), _GPT2, tied=True, widening=4.0),
    "gpt_neo": Family(
        _NORM | {"output_bias": 1.0, "ffn_bias": 1.0}, (windowed(local, 256.0, "window_size"),), _NEO,
        tied=True, widening=4.0,
    ),
    "gpt_neox": Family(_NORM | {"ffn_bias": 1.0}, (_ATTENTION_ON,)),
    "gptj": _GPTJ, "codegen": _GPTJ,
    "opt": Family(
        _NORM, (flag("enable_bias", *LINEAR, absent=True), opt), {"ffn": "ffn_dim"}, tied=True,
    ),
    "bloom": Family(
        _BIASED, (add("extra", lambda dims: 2.0 * dims["hidden"]),), _BLOOM, tied=True, widening=4.0,
    ),
    "falcon": _FALCON, "refinedweb": _FALCON, "rw": _FALCON,
    "mpt": Family(rules=(mpt, over_heads("attn_config.qk_ln")), own=_MOSAIC, tied=True, widening=4.0),
    "nemotron": Family(_NORM, (_ATTENTION, _MLP)),
    "starcoder2": Family(
        _NORM, (flag("use_bias", *LINEAR, absent=True), _WINDOW), absent={"kv_heads": 2.0}, tied=True,
    ),
    "t5": _T5, "mt5": _T5,
    "bert": Family(
        _BIASED, (bert,), {"positions": "max_position_embeddings"}, {"positions": 512.0, "vocab": 30522.0},
        tied=True, encoder=True,
    ),
    "vit": Family(_BIASED, (vit,), absent={"vocab": 0.0}, encoder=True),
}
# fmt: on


def family_of(name: str) -> Family | None:
    """Return the architecture that a model type or the name of a class means, if it is known."""
    return _BY_NAME.get(_plain(name))


def _plain(name: str) -> str:
    """Return a model type or the name of a class without what their spellings differ in."""
    return re.sub(r"[-_]", "", _SUFFIX.sub("", name)).lower()


_BY_NAME = {_plain(name): family for name, family in FAMILIES.items()}
