"""Rules of the architectures: what their files mean beyond the dimensions that they state."""

from __future__ import annotations

from collections.abc import Callable

from .values import Config, Dims, Rule, is_layers

LINEAR = ("query_bias", "output_bias", "ffn_bias")


def flag(key: str, *names: str, absent: bool = False) -> Rule:
    """Make a rule: a key switches dimensions on."""
    return lambda config, dims: dict.fromkeys(names, config.flag(key, absent))


def add(name: str, size: Callable[[Dims], float], switch: str = "") -> Rule:
    """Make a rule: a dimension grows by what others give, always or where a key says so."""

    def rule(config: Config, dims: Dims) -> Dims:
        """Return the dimension, grown."""
        return {name: dims.get(name, 0.0) + (config.flag(switch) if switch else 1.0) * size(dims)}

    return rule


def per_head(switch: str = "", vectors: float = 2.0) -> Rule:
    """Make a rule: queries and keys are normed in each head by the same weights."""
    return add("qk_norm", lambda dims: vectors * dims["head_dim"], switch)


def over_heads(switch: str = "") -> Rule:
    """Make a rule: queries and keys are normed by a weight for each element of all heads."""
    return add("qk_norm", lambda dims: (dims["heads"] + dims["kv_heads"]) * dims["head_dim"], switch)


def opt(config: Config, dims: Dims) -> Dims:
    """Positions count from 2; a narrow embedding (OPT-350M) is projected, and has no final norm."""
    hidden, narrow = dims["hidden"], config.number("word_embed_proj_dim", dims["hidden"])
    projected = 2.0 * narrow * hidden - dims["vocab"] * (hidden - narrow) * (2.0 - dims["tied"])
    normless = 2.0 * hidden * (1.0 - config.flag("do_layer_norm_before", absent=True))
    extra = (projected if narrow != hidden else 0.0) - normless
    return {"positions": config.number("max_position_embeddings") + 2.0, "extra": extra}


def falcon(config: Config, dims: Dims) -> Dims:
    """The first files of Falcon-40B have the new architecture without the key that says so."""
    new = config.flag("new_decoder_architecture", "n_head_kv" in config.values)
    alone = config.flag("multi_query", absent=True)
    norms = config.number("num_ln_in_parallel_attn", 1.0 + new, null=1.0 + new)
    parallel = config.flag("parallel_attn", absent=True)
    kv_heads = dims["kv_heads"] if new else 1.0 if alone else dims["heads"]
    return {"kv_heads": kv_heads, "norms": 2.0 if norms == 2.0 or not parallel else 1.0}


def bigcode(config: Config, dims: Dims) -> Dims:
    """StarCoder: all heads share one key and value unless the file says otherwise."""
    return {"kv_heads": 1.0 if config.flag("multi_query", absent=True) else dims["heads"]}


def halved(config: Config, dims: Dims) -> Dims:
    """The first Qwen states the widths of gate and up projection in one."""
    return {"ffn": dims["ffn"] / 2.0}


def stablelm(config: Config, dims: Dims) -> Dims:
    """With parallel residuals, attention and feed-forward block share a norm."""
    return {"norms": 2.0 - config.flag("use_parallel_residual")}


def mpt(config: Config, dims: Dims) -> Dims:
    """Learned positions only where neither ALiBi nor rotations stand for them."""
    rotated = config.flag("attn_config.alibi", absent=True) or config.flag("attn_config.rope")
    learned = config.flag("learned_pos_emb", absent=True) and not rotated
    alone = config.text("attn_config.attn_type") == "multiquery_attention"
    biased = 1.0 - config.flag("no_bias", absent=True)
    return dict.fromkeys((*LINEAR, "norm_bias"), biased) | {
        "ffn": config.number("expansion_ratio", 4.0) * dims["hidden"],
        "kv_heads": 1.0 if alone else dims["kv_heads"],
        "positions": config.number("max_seq_len") if learned else 0.0,
    }


def chatglm(config: Config, dims: Dims) -> Dims:
    """GLM-2 to GLM-4: ``multi_query_group_num`` counts only where grouping is on."""
    linear, grouped = config.flag("add_bias_linear"), config.flag("multi_query_attention")
    return {
        "kv_heads": config.number("multi_query_group_num", 1.0) if grouped else dims["heads"],
        "query_bias": max(linear, config.flag("add_qkv_bias")),
        "output_bias": linear,
        "ffn_bias": linear,
    }


def bert(config: Config, dims: Dims) -> Dims:
    """A table of token types, and a pooler over the first token; the norm of the embedding stands for the last."""
    hidden = dims["hidden"]
    return {"extra": config.number("type_vocab_size", 2.0) * hidden + hidden * hidden + hidden}


def vit(config: Config, dims: Dims) -> Dims:
    """Patches of an image and a class token in place of words; the classes' head sees one token of a sample."""
    hidden, patch = dims["hidden"], config.number("patch_size", 16.0)
    across = config.number("image_size", 224.0) // patch
    pixels = config.number("num_channels", 3.0) * patch * patch
    head = float(len(config.mapping("id2label"))) * (hidden + 1.0)
    biased = config.flag("qkv_bias", absent=True)
    extra = pixels * hidden + hidden + hidden + head
    return {"positions": across * across + 1.0, "query_bias": biased, "extra": extra}


def t5(config: Config, dims: Dims) -> Dims:
    """Each stack has one table of relative positions, a bucket and head an element."""
    return {
        "encoder_layers": dims["layers"],
        "layers": config.number("num_decoder_layers", dims["layers"]),
        "gated": float(config.text("feed_forward_proj").startswith("gated")),
        "extra": 2.0 * dims["heads"] * config.number("relative_attention_num_buckets", 32.0),
    }


def latent(config: Config, dims: Dims) -> Dims:
    """DeepSeek-V2: queries, keys and values through latents; ``head_dim`` is the part without rotation."""
    names = {"kv_rank": "kv_lora_rank", "head_dim": "qk_nope_head_dim", "value_dim": "v_head_dim"}
    found = {name: config.number(key) for name, key in names.items()}
    found["rope_dim"] = config.number("qk_rope_head_dim")
    found["q_rank"] = config.number("q_lora_rank", 1536.0, null=0.0, least=0)
    biases = dims["hidden"] + found["q_rank"] + found["kv_rank"] + found["rope_dim"]
    return found | {"extra": config.flag("attention_bias") * dims["layers"] * biases}


def _routed(config: Config, dims: Dims, layers: float, width: float) -> Dims:
    """Return the experts; where every layer has them, the stated dense width is not used."""
    return {
        "experts": config.number("experts"),
        "experts_per_token": config.number("experts_per_token"),
        "expert_ffn": width,
        "moe_layers": layers,
        "ffn": dims["ffn"] if layers < dims["layers"] else 0.0,
    }


def everywhere(config: Config, dims: Dims) -> Dims:
    """Experts in every layer, as wide as the file's feed-forward block."""
    return _routed(config, dims, dims["layers"], dims["ffn"])


def after_dense(config: Config, dims: Dims) -> Dims:
    """DeepSeek: experts in every ``moe_layer_freq``-th layer after the first dense ones."""
    width, every = config.number("moe_intermediate_size"), config.number("moe_layer_freq", 1.0)
    first = config.number("first_k_dense_replace", null=0.0, least=0)
    layers = max(0.0, -(-dims["layers"] // every) - -(-first // every))
    shared = width * config.number("n_shared_experts", null=0.0, least=0)
    return _routed(config, dims, layers, width) | {"shared_ffn": shared}


def stepped(config: Config, dims: Dims) -> Dims:
    """Qwen: experts in every ``decoder_sparse_step``-th layer that is not listed as dense."""
    step = config.number("decoder_sparse_step", 1.0)
    listed = config.stated("mlp_only_layers", is_layers, "a list of whole numbers") or ()
    dense = {layer for layer in listed if layer < dims["layers"] and (layer + 1) % step == 0}
    return _routed(config, dims, dims["layers"] // step - len(dense), config.number("moe_intermediate_size"))


def shared(config: Config, dims: Dims) -> Dims:
    """Qwen 2: a shared expert a layer with experts, and its gate."""
    width = config.number("shared_expert_intermediate_size", null=0.0, least=0)
    return {"shared_ffn": width, "extra": dims["moe_layers"] * dims["hidden"]}


def interleaved(config: Config, dims: Dims) -> Dims:
    """Llama 4: experts in listed layers or every so many; the shared expert is as wide as a routed one."""
    step, width = config.number("interleave_moe_layer_step", 1.0), config.number("intermediate_size")
    listed = config.stated("moe_layers", is_layers, "a list of whole numbers")
    some = dims["layers"] // step if listed is None else len({n for n in listed if n < dims["layers"]})
    return _routed(config, dims, float(some), width) | {"shared_ffn": width}


def sinks(dims: Dims) -> float:
    """gpt-oss: biases of the experts and the router, and a sink for each head."""
    expert = 2.0 * dims["expert_ffn"] + dims["hidden"] + 1.0
    return dims["layers"] * (dims["heads"] + dims["experts"] * expert)
