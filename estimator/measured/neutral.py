"""Columns that `evaluate` needs and no measured row has: the house's choices, and NaN for what nobody asks of a row."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..formulas.capital import Ownership
from ..formulas.cost import Project
from ..formulas.spot import Spot
from ..inputs.stacks import STACKS
from ..lower.memory import card_figures, gradient_bytes, method_columns, stack_columns
from ..presets import Presets
from ..records import Record
from .columns import RowDraft
from .table import Floats

# Money, power, time and loss of scale are not asked of a row: the answers that need them are NaN. A spine and uneven
# routing are not printed: what they cost stands in the coefficients.
NEUTRAL: Mapping[str, float] = {
    "tokens": math.nan, "price": math.nan, "power_per_accelerator": math.nan, "host_share": 0.0, "pue": 1.0,
    "floor_share": 1.0, "full_use": 1.0, "switch_share": 0.0, "idle_share": 1.0,
    "embodied": 0.0, "embodied_time": 1.0,
    "carbon_intensity": math.nan, "given_goodput": 1.0, **dict.fromkeys(
        ("failures", "given_mtbi", "given_interval", "checkpoint_bandwidth", "node_bandwidth", "checkpoint_exposed",
         "restart_time", "rollback_share", "straggler_share", "spare_nodes", "replacement_time",
         "replaced_share"), math.nan
    ), "efficiency_coefficient": math.nan, "efficiency_exponent": 0.0, "scaling_stray": 1.0,
    "given_mfu": math.nan, "efficiency_gain": 1.0, "ulysses": 0.0, "pod": math.inf, "oversubscription": 1.0,
    "expert_imbalance": 1.0, "replicas": math.inf,
    "owned": 0.0, "paid_utilisation": 1.0, "applications": 1.0, "adaptation": 0.0,
    **dict.fromkeys(Ownership._fields, math.nan), **dict.fromkeys(Project._fields, 0.0),
    "development": 1.0, **{f"spot_{name}": 0.0 for name in Spot._fields},
}  # fmt: skip
KEEPS = ("weights", "gradients", "master", "states", "factored", "low_rank", "rank", "fused")


def put_neutral(draft: RowDraft, presets: Presets) -> None:
    """Set what a row does not say and what it is not asked; columns that stand already stay."""
    defaults = presets.load("assumptions", "defaults")
    optimizer = presets.load("optimizers", str(defaults.words["choices"]["optimizer"]["value"]))
    values = {
        **NEUTRAL, **optimizer_columns(optimizer),
        "live": defaults.value("live_parameters"), "bucket": defaults.value("reduce_bucket"),
    }  # fmt: skip
    for name, value in {**values, **memory_columns(draft, presets)}.items():
        if name not in draft.columns:
            draft.put(name, value)
    _sum_gradients(draft, presets)


def _sum_gradients(draft: RowDraft, presets: Presets) -> None:
    """Set the bytes of gradients of rows whose stack sums them in 32 bit."""
    rules, columns = presets.load("assumptions", "memory"), draft.columns
    numbers = columns["stack"], columns["zero"], columns["optimizer_gradients"]
    keys = list(zip(draft.table.text("precision"), *(each.tolist() for each in numbers), strict=True))
    found = {
        key: gradient_bytes(rules, STACKS[int(key[1])], key[0].lower().split(" ")[0], key[2], key[3])
        for key in set(keys)
    }
    mixed = columns["optimizer_master"] > 0
    own = np.array([found[key] for key in keys], dtype=np.float64)
    draft.put("optimizer_gradients", np.where(mixed, own, columns["optimizer_gradients"]))


def memory_columns(draft: RowDraft, presets: Presets) -> dict[str, Floats | float]:
    """Return what software takes of a card by the stack of each row, all weights being trained."""
    rules = presets.load("assumptions", "memory")
    fitted = {name: figure.value for name, figure in card_figures(presets).items()}
    columns: dict[str, Floats | float] = {**method_columns(rules, "full"), "method_offload": 0.0, **fitted}
    stacks = draft.columns["stack"].astype(np.intp)
    for unfused in (False, True):
        each = [stack_columns(rules, name, unfused=unfused) for name in ("", *STACKS[1:])]
        for name in each[0]:
            found = np.array([of[name] for of in each])[stacks]
            columns[name] = np.where(
                (draft.columns["unfused"] > 0) == unfused, found, columns.get(name, found)
            )
    return columns


def optimizer_columns(optimizer: Record) -> dict[str, float]:
    """Return what an optimizer keeps, by column."""
    columns = {f"optimizer_{name}": optimizer.value(name, 0.0) for name in KEEPS}
    outer = optimizer.value("states_outer", optimizer.value("states", 0.0))
    return {**columns, "optimizer_states_outer": outer}
