"""Measured rows of training throughput as one case, whose columns have a place for every row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..case import Case
from ..errors import EstimatorError
from ..formulas.activations import RECOMPUTE
from ..inputs.stacks import STACKS
from ..presets import Presets
from .columns import RowDraft
from .machines import put_machines
from .models import put_models
from .neutral import put_neutral
from .software import put_software
from .table import Fault, Floats, Mask, Places, Table

_SHARDED = ("fsdp", "xla")
_SPLIT_NORMS = ("megatron", "mindspeed")
_WITHIN = re.compile(
    r"(?:ZeRO|FSDP|shard)[^;]*?within (?:a |one )?(\d+)?[- ]?(?:GPU |card |DP |data-parallel )?(node|rank)",
    re.IGNORECASE,
)
_HYBRID = re.compile(r"hybrid.?shard|HSDP|\bMiCS\b", re.IGNORECASE)
_OFFLOAD = re.compile(r"offload(?!ing off)(?! False)", re.IGNORECASE)


class Lowered(NamedTuple):
    """Rows as a case of those that can be estimated, and why the others cannot.

    ``kept`` holds the places of the rows of the case, ``faults`` a reason or nothing for every row, ``assumed`` which
    rows each input was assumed for, ``chips`` accelerator and architecture of every row.
    """

    case: Case
    kept: Places
    faults: Sequence[Fault | None]
    assumed: Mapping[str, Mask]
    chips: Sequence[tuple[str, str]]

    def assumptions(self, place: int) -> list[str]:
        """Return the inputs that were assumed for one row."""
        return [name for name, mask in self.assumed.items() if mask[place]]


def throughput_case(rows: Sequence[Mapping[str, str]], presets: Presets) -> Case:
    """Return measured rows as one case with columns of shape (n,).

    Raises
    ------
    EstimatorError
        A row that cannot be estimated.
    """
    lowered = lower_throughput(Table.of(rows), presets)
    for row, fault in zip(rows, lowered.faults, strict=True):
        if fault:
            raise EstimatorError(f"row {row.get('id') or '?'}: {fault.write()}")
    return lowered.case


def lower_throughput(table: Table, presets: Presets) -> Lowered:
    """Lower rows of training throughput; a row that cannot be estimated is left out of the case with its reason."""
    draft = RowDraft(table)
    put_models(draft, presets)
    chips = put_machines(draft, presets, draft.columns["experts"] > 0.0)
    put_software(draft, presets)
    put_layout(draft, presets)
    put_training(draft, presets)
    put_neutral(draft, presets)
    check_layout(draft)
    kept = np.array([place for place, fault in enumerate(table.faults) if fault is None], dtype=np.intp)
    return Lowered(draft.case(kept, {"currency": "USD"}), kept, table.faults, draft.assumed, chips)


def put_layout(draft: RowDraft, presets: Presets) -> None:
    """Set the columns of the layout: degrees of one where blank, sharding as the stack does it where blank."""
    table = draft.table
    for name in ("tp", "pp", "vpp", "cp", "ep"):
        draft.printed(name, name, {"value": 1.0})
    stack = draft.columns["stack"]
    sharded = np.isin(stack, [STACKS.index(name) for name in _SHARDED])
    draft.printed("zero", "zero_stage", {"value": np.where(sharded, 3.0, 1.0)})
    degrees = draft.columns["tp"] * draft.columns["pp"] * draft.columns["cp"]
    replicas = table.number("dp")
    node = np.maximum(draft.columns["per_node"], degrees)
    count = np.where(np.isnan(replicas), node, replicas * degrees)
    draft.printed("count", "n_accelerators", {"value": count})
    draft.put("shard", _shards(draft))
    split = (draft.columns["tp"] > 1.0) & np.isin(stack, [STACKS.index(name) for name in _SPLIT_NORMS])
    _flag(draft, "sequence_parallel", "sequence_parallel", split.astype(np.float64))
    fused = _flags(table, "flash_attention")
    draft.put("unfused", np.where(np.isnan(fused), 0.0, 1.0 - fused))
    draft.note("attention", np.isnan(fused))


def _flag(draft: RowDraft, name: str, cell: str, blank: Floats) -> None:
    printed = _flags(draft.table, cell)
    draft.put(name, np.where(np.isnan(printed), blank, printed))
    draft.note(name, np.isnan(printed))


_TRUE, _FALSE = ("true", "1", "1.0", "yes", "on"), ("false", "0", "0.0", "no", "off")


def _flags(table: Table, name: str) -> Floats:
    """Return a column of yes and no as 1 and 0, NaN where it says neither."""
    words = {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, 0.0)}
    return np.array([words.get(cell.strip().lower(), np.nan) for cell in table.text(name)])


def _shards(draft: RowDraft) -> Floats:
    """Return the ranks over which states are sharded: all, unless a row's words say within a node or a few ranks."""
    found = np.full(draft.table.size, np.inf)
    texts = zip(draft.table.text("notes"), draft.table.text("zero_stage_as_stated"), strict=True)
    for place, (notes, stated) in enumerate(texts):
        if within := _WITHIN.search(notes) or _WITHIN.search(stated):
            found[place] = float(within[1]) if within[1] else draft.columns["per_node"][place]
        elif _HYBRID.search(stated) or _HYBRID.search(notes):
            found[place] = draft.columns["per_node"][place]
    return found


def put_training(draft: RowDraft, presets: Presets) -> None:
    """Set sequence, batches and recomputation."""
    table = draft.table
    usual = presets.load("assumptions", "measured").figures
    length = presets.load("assumptions", "defaults").figures["seq"]
    on_record = draft.columns["model_seq"]
    blank = np.isnan(on_record)
    draft.printed("seq", "seq_len", {
        "value": np.where(blank, length.value, on_record),
        "low": np.where(blank, length.low or length.value, on_record),
        "high": np.where(blank, length.high or length.value, on_record),
    })  # fmt: skip
    _batches(draft, presets)
    modes = {name: float(code) for code, name in enumerate(RECOMPUTE)}
    printed = np.array([modes.get(cell.strip().lower(), np.nan) for cell in table.text("recompute")])
    silent = np.isnan(printed)
    figure = usual["recompute_blank"]
    draft.put("recompute", np.where(silent, figure.value, printed))
    draft.note("recompute", silent)
    ends = (np.where(silent, end or 0.0, printed) for end in (figure.low, figure.high))
    draft.between("recompute", "recompute", *ends)
    packed = ["pack_sample_into_one=True" in text for text in table.text("notes")]
    draft.put("packed", np.array(packed, dtype=np.float64))
    offload = [bool(_OFFLOAD.search(text)) for text in table.text("notes")]
    draft.put("offload", np.array(offload, dtype=np.float64))


def _batches(draft: RowDraft, presets: Presets) -> None:
    """Set micro-batch and global batch; each follows from the other where the accumulated steps are printed."""
    table = draft.table
    usual = presets.load("assumptions", "measured").figures
    degrees = draft.columns["tp"] * draft.columns["pp"] * draft.columns["cp"]
    replicas = np.maximum(np.floor(draft.columns["count"] / degrees), 1.0)
    steps, batch = table.number("grad_accum"), table.number("global_batch_seqs")
    micro, size = usual["micro_batch"], usual["batch_tokens"]
    fits = np.where(np.isnan(batch), np.inf, np.maximum(np.floor(batch / replicas), 1.0))
    derived = batch / (steps * replicas)
    whole = (derived >= 1.0) & (derived == np.floor(derived))
    ends = {
        side: np.where(whole, derived, np.minimum(end or micro.value, fits))
        for side, end in (("value", micro.value), ("low", micro.low), ("high", micro.high))
    }
    draft.printed("micro_batch", "micro_batch", ends)
    smallest = draft.columns["micro_batch"] * replicas
    accumulated = smallest * steps

    def _of_size(tokens: float | None) -> Floats:
        sequences = np.round((tokens or size.value) / (draft.columns["seq"] * smallest))
        return np.where(np.isnan(accumulated), smallest * np.maximum(sequences, 1.0), accumulated)

    sides = (("value", size.value), ("low", size.low), ("high", size.high))
    draft.printed("global_batch", "global_batch_seqs", {name: _of_size(end) for name, end in sides})


def check_layout(draft: RowDraft) -> None:
    """Note the rows whose degrees do not divide what they split."""
    columns, table = draft.columns, draft.table
    degrees = columns["tp"] * columns["pp"] * columns["cp"]
    uneven = np.isfinite(degrees) & (np.mod(columns["count"], degrees) > 0.0)
    for place in np.flatnonzero(uneven):
        product = " x ".join(f"{name} {columns[name][place]:g}" for name in ("tp", "pp", "cp"))
        detail = f"{product} does not divide {columns['count'][place]:g} accelerators"
        table.fault(int(place), Fault("degrees do not divide the count", detail))
    few = columns["ep"] > columns["count"]
    table.fault_where(few, Fault("more expert-parallel ranks than accelerators"))
