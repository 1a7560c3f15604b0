"""What each kind of record may hold: the dimension of every figure, and the words beside them."""

from __future__ import annotations

_COUNTS = (
    "layers hidden heads kv_heads head_dim value_dim ffn gated vocab tied positions experts experts_per_token "
    "expert_ffn shared_ffn moe_layers query_bias output_bias ffn_bias norms norm_bias qk_norm q_rank kv_rank "
    "rope_dim window window_layers encoder_layers extra seq parameters active_parameters"
).split()
_PEAKS = {f"peak_{precision}": "FLOP/s" for precision in "fp64 fp32 tf32 fp16 bf16 fp8 int8 fp4".split()}

COMMON_WORDS = frozenset("name aliases note".split())

# Every figure of a kind with its dimension; None: the kind's figures are free, and any unit of the house will do.
FIGURES: dict[str, dict[str, str] | None] = {
    "accelerators": {
        "memory": "byte", "memory_usable": "byte", "memory_bandwidth": "byte/s", **_PEAKS,
        "scaleup_bandwidth": "byte/s", "scaleup_domain": "1", "power": "J/s", "purchase_price": "USD",
    },
    "families": {},
    "nodes": {
        "accelerators": "1", "nics": "1", "nic_bandwidth": "byte/s", "scaleout_bandwidth": "byte/s",
        "scaleup_bandwidth": "byte/s", "scaleup_domain": "1", "host_memory": "byte", "power": "J/s",
        "purchase_price": "USD",
    },
    "links": {"bandwidth": "byte/s", "latency": "s"},
    "optimizers": {
        "weights": "byte", "gradients": "byte", "master": "byte", "states": "byte", "factored": "byte",
        "states_outer": "byte", "low_rank": "byte", "rank": "1", "fused": "1",
    },
    "models": {**dict.fromkeys(_COUNTS, "1"), "training_tokens": "token"},
    "grids": {"carbon_intensity": "kg/J", "pue": "1", "electricity_price": "*/J"},
    "pue": {"pue": "1"},
    "platforms": None,
    "claims": None,
    "runs": None,
    "assumptions": None,
    "calibrations": None,
}  # fmt: skip

WORDS: dict[str, frozenset[str] | None] = {
    "accelerators": frozenset(
        "vendor form_factor launch family architecture scaleup_link default_node".split()
    ),
    "families": frozenset("members default reason".split()),
    "nodes": frozenset("accelerator fabric cpu provider".split()),
    "links": frozenset(["scope"]),
    "optimizers": frozenset(["precision"]),
    "models": frozenset("family organisation year count_note".split()),
    "grids": frozenset("place provider year".split()),
    "pue": frozenset(["provider"]),
    "platforms": None,
    "claims": None,
    "runs": None,
    "assumptions": None,
    "calibrations": None,
}
