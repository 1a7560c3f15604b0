"""The layout of every row: degrees and sharding as printed, else as its software stack does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..inputs.stacks import STACKS
from ..presets import Presets
from .columns import RowDraft
from .table import Fault, Floats, Mask, Table, distinct

_SHARDED = [STACKS.index(name) for name in ("fsdp", "xla")]
_SPLIT_NORMS = [STACKS.index(name) for name in ("megatron", "mindspeed")]
_WITHIN = re.compile(
    r"(?:ZeRO|FSDP|shard)[^;]*?within (?:a |one )?(\d+)?[- ]?(?:GPU |card |DP |data-parallel )?(node|rank)",
    re.IGNORECASE,
)
_HYBRID = re.compile(r"hybrid.?shard|HSDP|\bMiCS\b", re.IGNORECASE)
_TRUE, _FALSE = ("true", "1", "1.0", "2", "yes", "on"), ("false", "0", "0.0", "no", "off")
_WORDS = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}


def put_layout(draft: RowDraft, presets: Presets) -> None:
    """Set the columns of the layout: degrees of one where blank, sharding as the stack does it where blank."""
    table, stack = draft.table, draft.columns["stack"]
    for name in ("tp", "pp", "vpp", "cp", "ep"):
        draft.printed(name, name, {"value": 1.0})
    draft.printed("zero", "zero_stage", {"value": np.where(np.isin(stack, _SHARDED), 3.0, 1.0)})
    draft.printed("count", "n_accelerators", {"value": _least_count(draft)})
    draft.put("shard", _shards(draft))
    older = draft.columns["stack_year"] < presets.load("assumptions", "measured").value("split_norms")
    split = (draft.columns["tp"] > 1.0) & np.isin(stack, _SPLIT_NORMS) & ~older
    draft.flag("sequence_parallel", flags(table, "sequence_parallel"), split.astype(np.float64))
    draft.flag("unfused", 1.0 - flags(table, "flash_attention"), np.zeros(table.size))


def replicas_of(draft: RowDraft) -> Floats:
    """Return the cards that one replica of the model takes in every row."""
    return draft.columns["tp"] * draft.columns["pp"] * draft.columns["cp"]


def _least_count(draft: RowDraft) -> Floats:
    """Return the accelerators of a row that does not print them: its replicas' cards, else one server."""
    cards, replicas = replicas_of(draft), draft.table.number("dp")
    return np.where(np.isnan(replicas), np.maximum(draft.columns["per_node"], cards), replicas * cards)


def flags(table: Table, name: str) -> Floats:
    """Return a column of yes and no as 1 and 0, NaN where it says neither."""
    return np.array([_WORDS.get(cell.strip().lower(), np.nan) for cell in table.text(name)])


def _shards(draft: RowDraft) -> Floats:
    """Return the ranks over which states are sharded: all, unless words say within a node or a few ranks."""
    keys, which = distinct(draft.table.text("notes"), draft.table.text("zero_stage_as_stated"))
    found = np.array([_shard(*key) for key in keys])[which]
    return np.where(found == 0.0, draft.columns["per_node"], found)


@lru_cache(maxsize=1 << 14)
def _shard(notes: str, stated: str) -> float:
    """Return the ranks that words tell of: 0 stands for those of a node, infinity for all.

    Examples
    --------
    >>> _shard("ZeRO-1 within 4 DP ranks", ""), _shard("", "HSDP"), _shard("", "1")
    (4.0, 0.0, inf)
    """
    if within := _WITHIN.search(notes) or _WITHIN.search(stated):
        return float(within[1] or 0.0)
    return 0.0 if _HYBRID.search(stated) or _HYBRID.search(notes) else np.inf


# Columns that a fault may name.
_SHOWN = ("tp", "pp", "cp", "ep", "count", "layers", "heads", "experts", "seq")


@dataclass(frozen=True)
class Rule:
    """What is wrong with a layout: kind of fault, its detail with names of columns, and which rows break the rule.

    ``unless`` names the inputs that break none where they were assumed.
    """

    kind: str
    detail: str
    broken: Callable[[Mapping[str, Floats]], Mask]
    unless: tuple[str, ...] = ()


RULES = (
    Rule(
        "degrees do not divide the count",
        "tp {tp:g} x pp {pp:g} x cp {cp:g} does not divide {count:g} accelerators",
        lambda c: np.mod(c["count"], c["tp"] * c["pp"] * c["cp"]) > 0.0,
    ),
    Rule(
        "more expert-parallel ranks than accelerators",
        "ep {ep:g} of {count:g} accelerators",
        lambda c: c["ep"] > c["count"],
    ),
    Rule(
        "more pipeline stages than layers",
        "pp {pp:g} of {layers:g} layers",
        lambda c: c["pp"] > c["layers"] + c["encoder_layers"],
        ("shape",),
    ),
    Rule(
        "tensor-parallel ranks do not divide the heads",
        "tp {tp:g} of {heads:g} heads",
        lambda c: np.mod(c["heads"], c["tp"]) > 0.0,
        ("shape", "heads"),
    ),
    Rule(
        "expert-parallel ranks do not divide the experts",
        "ep {ep:g} of {experts:g} experts",
        lambda c: (c["ep"] > 1.0) & ((c["experts"] == 0.0) | (np.mod(c["experts"], c["ep"]) > 0.0)),
        ("shape",),
    ),
    Rule(
        "context-parallel ranks do not divide the sequence",
        "cp {cp:g} of {seq:g} tokens",
        lambda c: np.mod(c["seq"], c["cp"]) > 0.0,
        ("seq",),
    ),
)


def check_layout(draft: RowDraft) -> None:
    """Note the rows whose degrees do not divide what they split; a shape that was only guessed breaks no rule."""
    for rule in RULES:
        guessed = np.zeros(draft.table.size, dtype=bool)
        for name in rule.unless:
            guessed |= draft.assumed.get(name, guessed)
        for place in np.flatnonzero(rule.broken(draft.columns) & ~guessed).tolist():
            row = {name: draft.columns[name][place] for name in _SHOWN}
            draft.table.fault(place, Fault(rule.kind, rule.detail.format(**row)))
