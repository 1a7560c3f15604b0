"""The layout of every row: degrees and sharding as printed, else as its software stack does it."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from ..inputs.stacks import STACKS
from .columns import RowDraft
from .table import Fault, Floats, Table, distinct

_SHARDED = [STACKS.index(name) for name in ("fsdp", "xla")]
_SPLIT_NORMS = [STACKS.index(name) for name in ("megatron", "mindspeed")]
_WITHIN = re.compile(
    r"(?:ZeRO|FSDP|shard)[^;]*?within (?:a |one )?(\d+)?[- ]?(?:GPU |card |DP |data-parallel )?(node|rank)",
    re.IGNORECASE,
)
_HYBRID = re.compile(r"hybrid.?shard|HSDP|\bMiCS\b", re.IGNORECASE)
_TRUE, _FALSE = ("true", "1", "1.0", "2", "yes", "on"), ("false", "0", "0.0", "no", "off")
_WORDS = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}


def put_layout(draft: RowDraft) -> None:
    """Set the columns of the layout: degrees of one where blank, sharding as the stack does it where blank."""
    table, stack = draft.table, draft.columns["stack"]
    for name in ("tp", "pp", "vpp", "cp", "ep"):
        draft.printed(name, name, {"value": 1.0})
    draft.printed("zero", "zero_stage", {"value": np.where(np.isin(stack, _SHARDED), 3.0, 1.0)})
    draft.printed("count", "n_accelerators", {"value": _least_count(draft)})
    draft.put("shard", _shards(draft))
    split = (draft.columns["tp"] > 1.0) & np.isin(stack, _SPLIT_NORMS)
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


def check_layout(draft: RowDraft) -> None:
    """Note the rows whose degrees do not divide what they split."""
    columns, table = draft.columns, draft.table
    uneven = np.mod(columns["count"], replicas_of(draft)) > 0.0
    for place in map(int, np.flatnonzero(uneven)):
        product = " x ".join(f"{name} {columns[name][place]:g}" for name in ("tp", "pp", "cp"))
        detail = f"{product} does not divide {columns['count'][place]:g} accelerators"
        table.fault(place, Fault("degrees do not divide the count", detail))
    crowded = columns["ep"] > columns["count"]
    for place in map(int, np.flatnonzero(crowded)):
        detail = f"ep {columns['ep'][place]:g} of {columns['count'][place]:g} accelerators"
        table.fault(place, Fault("more expert-parallel ranks than accelerators", detail))
