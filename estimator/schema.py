"""What each kind of record may hold: every figure's dimension and bounds, and the words beside them."""

from __future__ import annotations

import math
from collections.abc import Container

from .tuples import NamedTuple

_COUNTS = (
    "layers hidden heads kv_heads head_dim value_dim ffn gated vocab tied positions experts experts_per_token "
    "expert_ffn shared_ffn moe_layers query_bias output_bias ffn_bias norms norm_bias qk_norm q_rank kv_rank "
    "rope_dim window window_layers encoder_layers extra causal seq parameters active_parameters"
).split()
# Precisions in which data sheets state peaks; a question about training takes those that training uses.
PRECISIONS = tuple("fp64 fp32 tf32 fp16 bf16 fp8 int8 fp4".split())
_PEAKS = {f"peak_{precision}": "FLOP/s" for precision in PRECISIONS}
# A precision with block scales runs at the peak of the units that it uses.
PEAK_OF = {"mxfp8": "fp8", "nvfp4": "fp4"}

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
        "purchase_price": "USD", "host_reached": "1",
    },
    "links": {"bandwidth": "byte/s", "latency": "s"},
    "optimizers": {
        "weights": "byte", "gradients": "byte", "master": "byte", "states": "byte", "factored": "byte",
        "states_outer": "byte", "low_rank": "byte", "rank": "1", "fused": "1",
    },
    "models": {**dict.fromkeys(_COUNTS, "1"), "training_tokens": "token", "batch_tokens": "token"},
    "grids": {"carbon_intensity": "kg/J", "pue": "1", "electricity_price": "*/J"},
    "pue": {"pue": "1"},
    "failures": {
        "failures": "1/accelerator/s", "restart_time": "s", "checkpoint_interval": "s",
        "checkpoint_bandwidth": "byte/s", "replaced_share": "1", "rollback_share": "1", "spare_nodes": "1",
        "goodput": "1",
    },
    "platforms": None,
    "claims": None,
    "evidence": None,
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
    "failures": frozenset("accelerator accelerators model period year published_as".split()),
    "platforms": None,
    "claims": None,
    "evidence": None,
    "runs": None,
    "assumptions": None,
    "calibrations": None,
}

# Words that must be text, a list of texts, a list of tables or a year, and words that no record of the kind may lack.
TEXTS: dict[str, tuple[str, ...]] = {
    "accelerators": ("family", "architecture", "default_node"),
    "families": ("default", "reason"),
    "nodes": ("accelerator",),
}
LISTS: dict[str, tuple[str, ...]] = {"families": ("members",)}
TABLES: dict[str, tuple[str, ...]] = {"claims": ("background", "check")}
YEARS: dict[str, tuple[str, ...]] = {"accelerators": ("launch",)}
NEEDED_WORDS: dict[str, tuple[str, ...]] = {"families": ("members",), "nodes": ("accelerator",)}


class Bound(NamedTuple):
    """What a figure's value and both ends of its range must obey, and the words for it."""

    words: str
    least: float = 0.0
    above: bool = False
    most: float = math.inf

    def holds(self, value: float) -> bool:
        """Tell whether a number obeys; ``above`` leaves the least itself out."""
        return (value > self.least if self.above else value >= self.least) and value <= self.most


_POSITIVE = Bound("must be more than zero", above=True)
_NOT_NEGATIVE = Bound("must be zero or more")
_SHARE = Bound("must be more than zero and at most 1", above=True, most=1.0)
_FROM_ONE = Bound("must be 1 or more", least=1.0)
_UP_TO_ONE = Bound("must be between 0 and 1", most=1.0)

# The bound of a kind's figures, and of those figures that differ from it; kinds not named here are free.
_USUAL = {
    "accelerators": _POSITIVE, "nodes": _POSITIVE, "links": _POSITIVE,
    "optimizers": _NOT_NEGATIVE, "models": _NOT_NEGATIVE, "grids": _NOT_NEGATIVE,
    "assumptions": _NOT_NEGATIVE, "failures": _POSITIVE,
    "pue": _FROM_ONE, "calibrations": _POSITIVE,
}  # fmt: skip
_SIZES = "parameters active_parameters layers hidden heads seq training_tokens".split()
_DIVISORS = (
    "tokens_per_param within seq micro_batch accelerators_per_node price_spread largest_run live_parameters "
    "reduce_bucket hidden_coefficient hidden_exponent hidden_spread vocab head_dim batch_scale batch_exponent "
    "parameter_scale token_scale parameter_exponent token_exponent "
    "purchase_spread life building_life accelerators_per_operator tariff_spread"
).split()
# Names of the figures that hold a measured MFU.
_LEARNT = "any highest bf16 fp16 fp8 mxfp8 nvfp4 tf32 fp32".split()
_SPECIAL: dict[str, dict[str, Bound]] = {
    "models": {**dict.fromkeys(_SIZES, _POSITIVE), "causal": _UP_TO_ONE},
    "grids": {"pue": _FROM_ONE},
    "failures": {
        "goodput": _SHARE,
        "replaced_share": _SHARE,
        "rollback_share": _UP_TO_ONE,
        "spare_nodes": _NOT_NEGATIVE,
    },
    "assumptions": {
        **dict.fromkeys("usable_share utilisation".split(), _SHARE),
        **dict.fromkeys(_DIVISORS, _POSITIVE),
        "pue": _FROM_ONE,
    },
    "calibrations": dict.fromkeys([f"{name}{kind}" for name in _LEARNT for kind in ("", "-moe")], _SHARE),
}


def peak_name(precision: str) -> str:
    """Return the figure of an accelerator that holds the dense peak of a precision.

    Examples
    --------
    >>> peak_name("bf16"), peak_name("mxfp8")
    ('peak_bf16', 'peak_fp8')
    """
    return "peak_" + PEAK_OF.get(precision, precision)


def bound(kind: str, name: str) -> Bound | None:
    """Return what a figure must obey; ``None`` where any number will do.

    Examples
    --------
    >>> bound("grids", "pue").words, bound("claims", "pue")
    ('must be 1 or more', None)
    """
    return _SPECIAL.get(kind, {}).get(name) or _USUAL.get(kind)


_NEEDED_FIGURES = {
    "failures": ("failures",),
    "nodes": ("accelerators",),
    "optimizers": ("weights", "gradients"),
    "calibrations/efficiency-any": ("any", "borrowed", "highest"),
}
_SHAPE = ("layers", "hidden", "heads", "vocab")


def lacking(kind: str, id: str, figures: Container[str]) -> str:
    """Say which figure a record cannot do without; nothing where it has all.

    Examples
    --------
    >>> lacking("models", "toy", {"layers", "hidden", "heads"})
    "figure 'vocab' is missing; layers, hidden, heads and vocab go together"
    """
    if kind == "accelerators" and not any(peak in figures for peak in _PEAKS):
        return "no peak is given; it needs one at least, like peak_bf16"
    if kind == "models":
        return _lacking_of_model(figures)
    needed = _NEEDED_FIGURES.get(kind, ()) or _NEEDED_FIGURES.get(f"{kind}/{id}", ())
    missing = [name for name in needed if name not in figures]
    return f"figure '{missing[0]}' is missing" if missing else ""


def _lacking_of_model(figures: Container[str]) -> str:
    missing = [name for name in _SHAPE if name not in figures]
    if "layers" in figures:
        return (
            f"figure '{missing[0]}' is missing; layers, hidden, heads and vocab go together"
            if missing
            else ""
        )
    known = "parameters" in figures
    return "" if known else "neither 'parameters' nor layers, hidden, heads and vocab are given"
