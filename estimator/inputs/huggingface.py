"""Hugging Face configuration files: the dimensions of a model from its config.json, read offline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from ..errors import ConfigError, EstimatorError, near_misses
from ..textfile import read_bounded
from ..units import shorten

_LARGEST_FILE = 4 << 20
_LONGEST_NAME = 100
_SUFFIX = re.compile(r"(_text|(With)?LMHeadModel|(Model)?For[A-Z]\w*|Model)$")
# Where a dimension may stand: the first key that a file states wins, a family's own spelling before these.
_KEYS: dict[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "n_embed"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "n_head_kv"),
    "head_dim": ("head_dim", "kv_channels", "d_kv"),
    "ffn": ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "d_ff"),
    "vocab": ("vocab_size",),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "experts_per_token": ("num_experts_per_tok", "experts_per_token"),
}


def _plain(name: str) -> str:
    """Return a model type or the name of a class without what their spellings differ in."""
    return re.sub(r"[-_]", "", _SUFFIX.sub("", name)).lower()


def _is_count(least: int, value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and least <= value <= 1e9 and value == int(value)


def _is_layers(value: Any) -> bool:
    return isinstance(value, list) and all(_is_count(0, layer) for layer in cast("list[Any]", value))


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    return shorten(value) if isinstance(value, str) else json.dumps(value)[:40]


@dataclass(frozen=True, slots=True)
class _Family:
    """An architecture: what it fixes, how its files spell dimensions, and rules that run in order.

    ``absent`` holds what the configuration classes of Transformers fill in for a key that a file does not
    have; ``widening`` times the width is the feed-forward width where none is stated.
    """

    fixed: Mapping[str, float] = field(default_factory=dict[str, float])
    rules: tuple[_Rule, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    absent: Mapping[str, float] = field(default_factory=dict[str, float])
    tied: bool = False
    widening: float | None = None


@dataclass(frozen=True, slots=True)
class _Config:
    """The values of one file; what is missing or wrong is collected, so that one answer names all of it.

    A faulty value counts as 1, which no rule divides by zero with; it never leaves this room.
    """

    family: _Family
    values: Mapping[str, Any]
    missing: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])

    def stated(self, key: str, fits: Callable[[Any], bool], belongs: str) -> Any:
        """Return a value, or None where there is none that fits."""
        value = self.values.get(key)
        if value is None or fits(value):
            return value
        self.faults.append(f"'{key}' is {_shown(value)}, where {belongs} belongs")
        return None

    def number(
        self, name: str, absent: float | None = None, null: float | None = None, least: int = 1
    ) -> float:
        """Return a number; ``absent`` stands for a key that is not there, ``null`` for one set to null."""
        own = self.family.own.get(name)
        keys = (*([own] if own else ()), *_KEYS.get(name, () if own else (name,)))
        if key := next((key for key in keys if self.values.get(key) is not None), ""):
            value = self.stated(key, partial(_is_count, least), f"a whole number from {least} to 1e9")
            return 1.0 if value is None else float(value)
        nulled = null is not None and any(key in self.values for key in keys)
        default = null if nulled else self.family.absent.get(name, absent)
        if default is None:
            self.missing.append(keys[0])
        return 1.0 if default is None else default

    def flag(self, key: str, absent: bool = False) -> float:
        """Return 1 for true and 0 for false."""
        value = self.stated(key, lambda value: isinstance(value, bool), "true or false")
        return float(absent if value is None else value)

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        return self.stated(key, lambda value: isinstance(value, str), "text") or ""

    def problems(self) -> list[str]:
        """Return what is wrong with the file, the missing keys first."""
        names = [f"'{key}'" for key in dict.fromkeys(self.missing)]
        listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        return [f"lacks {listed}"] * bool(names) + list(dict.fromkeys(self.faults))


_Dims = dict[str, float]
_Rule = Callable[[_Config, _Dims], _Dims]


def _flag(key: str, *names: str, absent: bool = False) -> _Rule:
    """Make a rule: a key switches dimensions on."""
    return lambda config, dims: dict.fromkeys(names, config.flag(key, absent))


def _add(name: str, size: Callable[[_Dims], float], switch: str = "") -> _Rule:
    """Make a rule: a dimension grows by what others give, always or where a key says so."""

    def rule(config: _Config, dims: _Dims) -> _Dims:
        return {name: dims.get(name, 0.0) + (config.flag(switch) if switch else 1.0) * size(dims)}

    return rule


def _per_head(switch: str = "", vectors: float = 2.0) -> _Rule:
    return _add("qk_norm", lambda dims: vectors * dims["head_dim"], switch)


def _over_heads(switch: str = "") -> _Rule:
    return _add("qk_norm", lambda dims: (dims["heads"] + dims["kv_heads"]) * dims["head_dim"], switch)


def _opt(config: _Config, dims: _Dims) -> _Dims:
    """Positions count from 2; a narrow embedding (OPT-350M) is projected, and has no final norm."""
    hidden, narrow = dims["hidden"], config.number("word_embed_proj_dim", dims["hidden"])
    projected = 2.0 * narrow * hidden - dims["vocab"] * (hidden - narrow) * (2.0 - dims["tied"])
    normless = 2.0 * hidden * (1.0 - config.flag("do_layer_norm_before", absent=True))
    extra = (projected if narrow != hidden else 0.0) - normless
    return {"positions": config.number("max_position_embeddings") + 2.0, "extra": extra}


def _falcon(config: _Config, dims: _Dims) -> _Dims:
    """The first files of Falcon-40B have the new architecture without the key that says so."""
    new = config.flag("new_decoder_architecture", "n_head_kv" in config.values)
    alone = config.flag("multi_query", absent=True)
    norms = config.number("num_ln_in_parallel_attn", 1.0 + new, null=1.0 + new)
    parallel = config.flag("parallel_attn", absent=True)
    kv_heads = dims["kv_heads"] if new else 1.0 if alone else dims["heads"]
    return {"kv_heads": kv_heads, "norms": 2.0 if norms == 2.0 or not parallel else 1.0}


def _bigcode(config: _Config, dims: _Dims) -> _Dims:
    return {"kv_heads": 1.0 if config.flag("multi_query", absent=True) else dims["heads"]}


def _halved(config: _Config, dims: _Dims) -> _Dims:
    """The first Qwen states the widths of gate and up projection in one."""
    return {"ffn": dims["ffn"] / 2.0}


def _stablelm(config: _Config, dims: _Dims) -> _Dims:
    return {"norms": 2.0 - config.flag("use_parallel_residual")}


def _mpt(config: _Config, dims: _Dims) -> _Dims:
    """Learned positions only where neither ALiBi nor rotations stand for them."""
    rotated = config.flag("attn_config.alibi", absent=True) or config.flag("attn_config.rope")
    learned = config.flag("learned_pos_emb", absent=True) and not rotated
    alone = config.text("attn_config.attn_type") == "multiquery_attention"
    biased = 1.0 - config.flag("no_bias", absent=True)
    return dict.fromkeys((*_LINEAR, "norm_bias"), biased) | {
        "ffn": config.number("expansion_ratio", 4.0) * dims["hidden"],
        "kv_heads": 1.0 if alone else dims["kv_heads"],
        "positions": config.number("max_seq_len") if learned else 0.0,
    }


def _chatglm(config: _Config, dims: _Dims) -> _Dims:
    """GLM-2 to GLM-4: ``multi_query_group_num`` counts only where grouping is on."""
    linear, grouped = config.flag("add_bias_linear"), config.flag("multi_query_attention")
    return {
        "kv_heads": config.number("multi_query_group_num", 1.0) if grouped else dims["heads"],
        "query_bias": max(linear, config.flag("add_qkv_bias")),
        "output_bias": linear,
        "ffn_bias": linear,
    }


def _t5(config: _Config, dims: _Dims) -> _Dims:
    """Each stack has one table of relative positions, a bucket and head an element."""
    return {
        "encoder_layers": dims["layers"],
        "layers": config.number("num_decoder_layers", dims["layers"]),
        "gated": float(config.text("feed_forward_proj").startswith("gated")),
        "extra": 2.0 * dims["heads"] * config.number("relative_attention_num_buckets", 32.0),
    }


def _latent(config: _Config, dims: _Dims) -> _Dims:
    """DeepSeek-V2: queries, keys and values through latents; ``head_dim`` is the part without rotation."""
    names = {"kv_rank": "kv_lora_rank", "head_dim": "qk_nope_head_dim", "value_dim": "v_head_dim"}
    found = {name: config.number(key) for name, key in names.items()}
    found["rope_dim"] = config.number("qk_rope_head_dim")
    found["q_rank"] = config.number("q_lora_rank", 1536.0, null=0.0, least=0)
    biases = dims["hidden"] + found["q_rank"] + found["kv_rank"] + found["rope_dim"]
    return found | {"extra": config.flag("attention_bias") * dims["layers"] * biases}


def _routed(config: _Config, dims: _Dims, layers: float, width: float) -> _Dims:
    """Return the experts; where every layer has them, the stated dense width is not used."""
    return {
        "experts": config.number("experts"),
        "experts_per_token": config.number("experts_per_token"),
        "expert_ffn": width,
        "moe_layers": layers,
        "ffn": dims["ffn"] if layers < dims["layers"] else 0.0,
    }


def _everywhere(config: _Config, dims: _Dims) -> _Dims:
    return _routed(config, dims, dims["layers"], dims["ffn"])


def _after_dense(config: _Config, dims: _Dims) -> _Dims:
    """DeepSeek: experts in every ``moe_layer_freq``-th layer after the first dense ones."""
    width, every = config.number("moe_intermediate_size"), config.number("moe_layer_freq", 1.0)
    first = config.number("first_k_dense_replace", null=0.0, least=0)
    layers = max(0.0, -(-dims["layers"] // every) - -(-first // every))
    shared = width * config.number("n_shared_experts", null=0.0, least=0)
    return _routed(config, dims, layers, width) | {"shared_ffn": shared}


def _stepped(config: _Config, dims: _Dims) -> _Dims:
    """Qwen: experts in every ``decoder_sparse_step``-th layer that is not listed as dense."""
    step = config.number("decoder_sparse_step", 1.0)
    listed = config.stated("mlp_only_layers", _is_layers, "a list of whole numbers") or ()
    dense = {layer for layer in listed if layer < dims["layers"] and (layer + 1) % step == 0}
    return _routed(config, dims, dims["layers"] // step - len(dense), config.number("moe_intermediate_size"))


def _shared(config: _Config, dims: _Dims) -> _Dims:
    """Qwen 2: a shared expert a layer with experts, and its gate."""
    width = config.number("shared_expert_intermediate_size", null=0.0, least=0)
    return {"shared_ffn": width, "extra": dims["moe_layers"] * dims["hidden"]}


def _interleaved(config: _Config, dims: _Dims) -> _Dims:
    """Llama 4: experts in listed layers or every so many; the shared expert is as wide as a routed one."""
    step, width = config.number("interleave_moe_layer_step", 1.0), config.number("intermediate_size")
    listed = config.stated("moe_layers", _is_layers, "a list of whole numbers")
    some = dims["layers"] // step if listed is None else len({n for n in listed if n < dims["layers"]})
    return _routed(config, dims, float(some), width) | {"shared_ffn": width}


def _sinks(dims: _Dims) -> float:
    """gpt-oss: biases of the experts and the router, and a sink for each head."""
    expert = 2.0 * dims["expert_ffn"] + dims["hidden"] + 1.0
    return dims["layers"] * (dims["heads"] + dims["experts"] * expert)


_LINEAR = ("query_bias", "output_bias", "ffn_bias")
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
_WINDOW = {"window": "sliding_window"}
_EXPERTS, _ROUTED = {"experts": "num_experts"}, {"experts": "n_routed_experts"}
_ATTENTION = _flag("attention_bias", "query_bias", "output_bias")
_ATTENTION_ON = _flag("attention_bias", "query_bias", "output_bias", absent=True)
_QUERY, _QUERY_ON = _flag("attention_bias", "query_bias"), _flag("attention_bias", "query_bias", absent=True)
_MLP = _flag("mlp_bias", "ffn_bias")
_CHOOSING = _add("extra", lambda dims: dims["moe_layers"] * dims["experts"])
_HEAD_BIAS = _add("extra", lambda dims: dims["vocab"])

# fmt: off
_LLAMA = _Family(_GATED, (_ATTENTION, _MLP))
_INTERNLM = _Family(_GATED, (_flag("bias", "query_bias", "output_bias", absent=True),))
_QWEN2 = _Family(_QKV)
_QWEN3 = _Family(_GATED, (_ATTENTION, _per_head()), absent={"head_dim": 128.0})
_QWEN3_MOE = _Family(_GATED, (_ATTENTION, _per_head(), _stepped), _EXPERTS, {"kv_heads": 4.0})
_DEEPSEEK3 = _Family(_GATED, (_latent, _after_dense, _CHOOSING), _ROUTED)
_COHERE = _Family(_ONE_NORM, (_ATTENTION, _over_heads("use_qk_norm")), tied=True)
_OLMO2 = _Family(_GATED, (_ATTENTION, _over_heads()))
_GPTJ = _Family(_PARALLEL, (_HEAD_BIAS,), _GPT, widening=4.0)
_FALCON = _Family(_NORM, (_flag("bias", *_LINEAR), _falcon), tied=True, widening=4.0)
_T5 = _Family(rules=(_t5,), own=_T5_KEYS, tied=True)
_FAMILIES = {
    "llama": _LLAMA, "yi": _LLAMA, "aquila": _LLAMA, "granite": _LLAMA, "baichuan": _Family(_GATED),
    "smollm3": _Family(_GATED, (_ATTENTION, _MLP), absent={"kv_heads": 4.0}, tied=True),
    "minicpm": _Family(_GATED, (_ATTENTION,), tied=True),
    "internlm": _INTERNLM, "internlm2": _INTERNLM,
    "mistral": _Family(_GATED, (), _WINDOW, {"kv_heads": 8.0, "window": 4096.0}),
    "mixtral": _Family(_GATED, (_everywhere,), _WINDOW, {"kv_heads": 8.0, "window": 0.0}),
    "grok-1": _Family(_FOUR_NORMS, (_everywhere,), _EXPERTS, tied=True),
    "dbrx": _Family(_GATED, (_everywhere,), _MOSAIC | _DBRX | _CHOICE, {"kv_heads": 1.0}),
    "qwen": _Family(_QKV, (_halved,)), "qwen2": _QWEN2, "qwen2_vl": _QWEN2, "qwen2_5_vl": _QWEN2,
    "qwen2_moe": _Family(
        _GATED, (_flag("qkv_bias", "query_bias", absent=True), _stepped, _shared),
        _EXPERTS, {"kv_heads": 16.0},
    ),
    "qwen3": _QWEN3, "qwen3_vl": _QWEN3, "qwen3_moe": _QWEN3_MOE, "qwen3_vl_moe": _QWEN3_MOE,
    "deepseek": _Family(_GATED, (_ATTENTION, _after_dense), _ROUTED),
    "deepseek_v2": _Family(_GATED, (_latent, _after_dense), _ROUTED),
    "deepseek_v3": _DEEPSEEK3, "kimi_k2": _DEEPSEEK3,
    "llama4": _Family(
        _GATED, (_ATTENTION, _interleaved),
        {"ffn": "intermediate_size_mlp"}, {"kv_heads": 8.0, "head_dim": 128.0},
    ),
    "gpt_oss": _Family(
        _GATED, (_ATTENTION_ON, _everywhere, _add("extra", _sinks)),
        absent={"kv_heads": 8.0, "head_dim": 64.0},
    ),
    "gemma": _Family(_GATED, (_ATTENTION,), absent={"kv_heads": 16.0, "head_dim": 256.0}, tied=True),
    "gemma2": _Family(_FOUR_NORMS, (_ATTENTION,), absent={"kv_heads": 4.0, "head_dim": 256.0}, tied=True),
    # The published files of Gemma 3 leave out heads and vocabulary where they are those of the class.
    "gemma3": _Family(
        _FOUR_NORMS, (_ATTENTION, _per_head()), tied=True,
        absent={"heads": 8.0, "kv_heads": 4.0, "head_dim": 256.0, "vocab": 262208.0},
    ),
    "chatglm": _Family(_GATED, (_chatglm,), _GLM, {"head_dim": 128.0}),
    "glm": _Family(_GATED, (_QUERY_ON,), absent={"kv_heads": 2.0, "head_dim": 128.0}),
    "glm4": _Family(_FOUR_NORMS, (_QUERY_ON,), absent={"kv_heads": 2.0, "head_dim": 128.0}),
    "glm4_moe": _Family(
        _GATED, (_QUERY, _per_head("use_qk_norm"), _after_dense, _CHOOSING), _ROUTED, {"kv_heads": 8.0}
    ),
    "cohere": _COHERE, "cohere2": _COHERE,
    "olmo": _Family(_GATED | {"norms": 0.0}, (_ATTENTION,)), "olmo2": _OLMO2, "olmo3": _OLMO2,
    "olmoe": _Family(_GATED, (_ATTENTION, _over_heads(), _everywhere), _EXPERTS),
    "stablelm": _Family(
        _GATED | _NORM, (_flag("use_qkv_bias", "query_bias"), _over_heads("qk_layernorm"), _stablelm),
    ),
    "phi": _Family(_BIASED | {"norms": 1.0}, (_per_head("qk_layernorm", 4.0), _HEAD_BIAS)),
    "phi3": _Family(_GATED, (), _WINDOW, {"window": 0.0}),
    "phimoe": _Family(
        _GATED | _NORM, (_ATTENTION, _everywhere, _add("extra", lambda dims: dims["vocab"], "lm_head_bias")),
        _WINDOW, {"kv_heads": 8.0, "window": 0.0},
    ),
    "gpt2": _Family(_BIASED, (), _GPT2, tied=True, widening=4.0),
    "gpt_bigcode": _Family(_BIASED, (_bigcode,), _GPT2, tied=True, widening=4.0),
    "gpt_neo": _Family(_NORM | {"output_bias": 1.0, "ffn_bias": 1.0}, (), _NEO, tied=True, widening=4.0),
    "gpt_neox": _Family(_NORM | {"ffn_bias": 1.0}, (_ATTENTION_ON,)),
    "gptj": _GPTJ, "codegen": _GPTJ,
    "opt": _Family(
        _NORM, (_flag("enable_bias", *_LINEAR, absent=True), _opt), {"ffn": "ffn_dim"}, tied=True,
    ),
    "bloom": _Family(
        _BIASED, (_add("extra", lambda dims: 2.0 * dims["hidden"]),), _BLOOM, tied=True, widening=4.0,
    ),
    "falcon": _FALCON, "refinedweb": _FALCON, "rw": _FALCON,
    "mpt": _Family(rules=(_mpt, _over_heads("attn_config.qk_ln")), own=_MOSAIC, tied=True, widening=4.0),
    "nemotron": _Family(_NORM, (_ATTENTION, _MLP)),
    "starcoder2": _Family(
        _NORM, (_flag("use_bias", *_LINEAR, absent=True),),
        _WINDOW, {"kv_heads": 2.0, "window": 0.0}, tied=True,
    ),
    "t5": _T5, "mt5": _T5,
}
# fmt: on
_BY_NAME = {_plain(name): family for name, family in _FAMILIES.items()}


def read_config(path: Path) -> dict[str, float]:
    """Return the dimensions that a configuration file states.

    Parameters
    ----------
    path
        A config.json of Hugging Face Transformers, of at most 4 MiB.

    Returns
    -------
    Dimensions by the names of :class:`~estimator.formulas.parameters.Transformer`; one that is left out
    is what :func:`~estimator.formulas.shapes.transformer` makes of the others. [1]

    Raises
    ------
    ConfigError
        No readable file, no JSON object, an unknown architecture, missing keys or values that cannot be.

    References
    ----------
    T. Wolf et al., "Transformers: State-of-the-Art Natural Language Processing", 2020, arXiv:1910.03771;
    the configuration and model classes of its release 5.23.
    """
    try:
        values = _language_part(_load(path))
        config = _Config(_family(path, values), _flat(values))
        dims = _dimensions(config)
        if problems := config.problems() or _contradictions(dims):
            raise ConfigError(f"'{path}' {'; '.join(problems)}")
    except EstimatorError as error:
        raise ConfigError(f"--config: {error}") from None
    return dims


def _load(path: Path) -> dict[str, Any]:
    text = read_bounded(path, _LARGEST_FILE, "the config.json of a model")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        plain = isinstance(error, json.JSONDecodeError)
        reason = error if plain else "it is nested too deeply, or a number in it has too many digits"
        raise ConfigError(f"'{path}' is not JSON: {reason}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"'{path}' holds {_shown(raw)}, where a config.json holds an object")
    return cast("dict[str, Any]", raw)


def _language_part(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the language model's part of a multimodal file; the whole may say what the part does not."""
    for key in ("text_config", "llm_config", "language_config"):
        if isinstance(raw.get(key), dict) and raw[key]:
            shared = ("model_type", "architectures", "tie_word_embeddings")
            return {name: raw[name] for name in shared if name in raw} | raw[key]
    return raw


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with those of inner objects beside them as 'object.key'."""
    inner = {name: cast("dict[str, Any]", part) for name, part in values.items() if isinstance(part, dict)}
    return dict(values) | {
        f"{name}.{key}": value for name, part in inner.items() for key, value in part.items()
    }


def _family(path: Path, values: Mapping[str, Any]) -> _Family:
    classes = values.get("architectures")
    stated = [
        values.get("model_type"),
        *(cast("list[Any]", classes)[:1] if isinstance(classes, list) else []),
    ]
    names = [name[:_LONGEST_NAME] for name in stated if isinstance(name, str)]
    for name in names:
        if found := _BY_NAME.get(_plain(name)):
            return found
    wrong = f"has the unknown model_type {shorten(names[0])}" if names else "has no model_type"
    near = near_misses(names[0], sorted(_FAMILIES)) if names else ""
    raise ConfigError(f"'{path}' {wrong}{near or '.'} Known are {', '.join(sorted(_FAMILIES))}")


def _dimensions(config: _Config) -> _Dims:
    family, hidden, heads = config.family, config.number("hidden"), config.number("heads")
    dims = {
        **family.fixed,
        "layers": config.number("layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": config.number("kv_heads", heads, null=heads),
        "head_dim": config.number("head_dim", hidden / heads, null=hidden / heads),
        "ffn": config.number("ffn", family.widening and family.widening * hidden),
        "vocab": config.number("vocab"),
        "tied": config.flag("tie_word_embeddings", family.tied),
    }
    rest = [name for name in family.own if name not in _KEYS]
    dims |= {name: config.number(name, null=0.0, least=0) for name in rest}
    for rule in family.rules:
        dims |= rule(config, dims)
    return dims


def _contradictions(dims: _Dims) -> list[str]:
    pairs = (("kv_heads", "heads"), ("experts_per_token", "experts"))
    wrong = [
        f"states more {part} ({dims[part]:.0f}) than {whole} ({dims[whole]:.0f})"
        for part, whole in pairs
        if dims.get(part, 0.0) > dims.get(whole, 0.0)
    ]
    if dims["head_dim"] % 1.0:
        wrong.append(f"divides a width of {dims['hidden']:.0f} among {dims['heads']:.0f} heads")
    return wrong
