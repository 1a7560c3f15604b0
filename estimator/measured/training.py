"""How every row trained: sequence, batches, recomputation, and what its notes say of packing and offload."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..formulas.activations import RECOMPUTE
from ..formulas.memory_states import OFFLOADS
from ..presets import Presets
from ..provenance import Figure
from .columns import RowDraft
from .layouts import replicas_of
from .table import Floats, distinct

_MODES = {name: float(code) for code, name in enumerate(RECOMPUTE)}
_OFFLOADED = re.compile(r"offload[-_ ](?:opt|master)|CPU offload", re.IGNORECASE)
_PACKED = re.compile(r"pack_sample_into_one=True", re.IGNORECASE)


def put_training(draft: RowDraft, presets: Presets) -> None:
    """Set sequence, batches and recomputation."""
    usual = presets.load("assumptions", "measured").figures
    _sequence(draft, presets.load("assumptions", "defaults").figures["seq"])
    put_batches(draft, presets)
    _recompute(draft, usual["recompute_blank"])
    notes, which = distinct(draft.table.text("notes"))
    draft.put("packed", np.array([float(bool(_PACKED.search(text))) for (text,) in notes])[which])
    draft.put("method_offload", np.array([_offload(text) for (text,) in notes])[which])


def put_batches(draft: RowDraft, presets: Presets) -> None:
    """Set micro-batch and global batch, which depend on the count."""
    usual = presets.load("assumptions", "measured").figures
    _micro_batch(draft, usual["micro_batch"])
    _global_batch(draft, usual["batch_tokens"])


def sides(figure: Figure) -> dict[str, float]:
    """Return the value of a figure and the ends of its range."""
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    return {"value": figure.value, "low": low, "high": high}


def _sequence(draft: RowDraft, usual: Figure) -> None:
    """Set the sequence length: as printed, that of the model's record, or the usual one."""
    on_record = draft.columns["model_seq"]
    lengths = {side: np.where(np.isnan(on_record), end, on_record) for side, end in sides(usual).items()}
    draft.printed("seq", "seq_len", lengths)


def _replicas(draft: RowDraft) -> Floats:
    return np.maximum(np.floor(draft.columns["count"] / replicas_of(draft)), 1.0)


def _micro_batch(draft: RowDraft, usual: Figure) -> None:
    """Set the micro-batch: as printed, what batch and accumulated steps leave of it, or the usual one."""
    steps, batch = draft.table.number("grad_accum"), draft.table.number("global_batch_seqs")
    derived = batch / (steps * _replicas(draft))
    whole = (derived >= 1.0) & (derived == np.floor(derived))
    most = np.where(np.isnan(batch), np.inf, np.maximum(np.floor(batch / _replicas(draft)), 1.0))
    ends = {side: np.where(whole, derived, np.minimum(end, most)) for side, end in sides(usual).items()}
    draft.printed("micro_batch", "micro_batch", ends)


def _global_batch(draft: RowDraft, usual: Figure) -> None:
    """Set the global batch: as printed, the accumulated micro-batches, or of the usual number of tokens."""
    smallest = draft.columns["micro_batch"] * _replicas(draft)
    accumulated = smallest * draft.table.number("grad_accum")

    def _sequences(tokens: float) -> Floats:
        steps = np.maximum(np.round(tokens / (draft.columns["seq"] * smallest)), 1.0)
        return np.where(np.isnan(accumulated), smallest * steps, accumulated)

    draft.printed(
        "global_batch", "global_batch_seqs", {side: _sequences(end) for side, end in sides(usual).items()}
    )


def _recompute(draft: RowDraft, usual: Figure) -> None:
    """Set the mode of recomputation; a source that prints none is likely to take none or little."""
    codes = np.array([_mode(cell) for cell in draft.table.text("recompute")])
    ends: Mapping[str, float] = sides(usual)
    silent = np.isnan(codes)
    draft.put("recompute", np.where(silent, ends["value"], codes))
    draft.note("recompute", silent)
    low, high = (np.where(silent, ends[side], codes) for side in ("low", "high"))
    draft.between("recompute", "recompute", low, high)


def _offload(notes: str) -> float:
    """Return the code of what notes say stands on the host; activations that do are not counted."""
    return float(OFFLOADS.index("optimizer" if _OFFLOADED.search(notes) else "none"))


def _mode(cell: str) -> float:
    return _MODES.get(cell.strip().lower(), np.nan)
