"""Measured training rows as columns: which rows count, their target, and the case that each describes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, array
from ..formulas.flops import training_flops_per_token
from ..presets import Presets
from .models import model_of
from .table import Floats, Table

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows that can be scored, their throughput and the model FLOPs of a token, all of one length."""

    rows: Sequence[Cells]
    throughput: Array
    flops_per_token: Array

    def mfu(self, peak: Array) -> Array:
        """Return the MFU that the rows reach of given dense peaks. [1]"""
        return self.throughput * self.flops_per_token / peak


def number(cells: Cells, name: str, default: float = math.nan) -> float:
    """Read one cell as a number; blank is the default.

    Examples
    --------
    >>> number({"hidden": "4096", "vpp": ""}, "hidden"), number({"vpp": ""}, "vpp", 1.0)
    (4096.0, 1.0)
    """
    text = cells.get(name) or ""
    return float(text) if text else default


def scorable(cells: Cells) -> bool:
    """Tell whether a row counts: a complete pre-training row whose tokens a second are sound."""
    sound = cells["check"] != "inconsistent" or cells["check_detail"] == "flops_only"
    return cells["task"] == "pretrain" and cells["complete"] == "full" and sound


def throughput_of(rows: Sequence[Cells]) -> Array:
    """Return tokens a second and accelerator of every row: as printed, else from its step time. [token/s]"""
    return throughput_of_table(Table.of(rows))


def throughput_of_table(table: Table) -> Floats:
    """Return tokens a second and accelerator of the rows of a table, NaN where they print neither. [token/s]"""
    printed = table.number("tokens_per_s_per_accelerator")
    batch, seq, time, count = (
        table.number(name) for name in ("global_batch_seqs", "seq_len", "iter_time_s", "n_accelerators")
    )
    return np.where(np.isnan(printed), batch * seq / (time * count), printed)


def stands_in(cells: Cells) -> bool:
    """Tell whether a row that does not count still shows what its chip reaches: full training with known dimensions."""
    known = all(cells[name] for name in ("n_layers", "hidden", "n_heads", "ffn_hidden", "vocab", "seq_len"))
    sound = cells["check"] != "inconsistent" or cells["check_detail"] == "flops_only"
    speed = bool(cells["tokens_per_s_per_accelerator"] or cells["iter_time_s"])
    return cells["task"] in ("pretrain", "sft") and known and sound and speed and not scorable(cells)


def measured(rows: Sequence[Cells], presets: Presets | None = None) -> Measured:
    """Lower measured rows to their throughput and the FLOPs behind it."""
    kept = list(rows)
    seq = array([number(row, "seq_len") for row in kept])
    return Measured(kept, throughput_of(kept), training_flops_per_token(model_of(kept, presets), seq).total)
