"""Published runs as rows: accelerator-hours of whole trainings, of which mostly the size and the tokens are known."""

from __future__ import annotations

import numpy as np

from ..presets import Presets
from ..records import Record
from .cases import Lowered, lower_rows
from .columns import RowDraft
from .table import Fault, Floats, Table

SPELT = {
    "n_layers": "layers", "n_heads": "heads", "n_kv_heads": "kv_heads", "ffn_hidden": "ffn",
}  # fmt: skip


def lower_runs(table: Table, presets: Presets) -> Lowered:
    """Lower rows of whole runs, as `lower_rows` does; their layout is left to its defaults."""
    active = [
        most or all_
        for most, all_ in zip(table.text("params_active"), table.text("params_total"), strict=True)
    ]
    cells = {"params": active, "global_batch_seqs": _sequences(table)}
    return lower_rows(table.renamed(cells, SPELT), presets, _put_tokens)


def _sequences(table: Table) -> list[str]:
    """Return the batch in sequences as text, from its tokens; blank where either is not printed."""
    batch, length = table.number("batch_tokens"), table.number("seq_len")
    sequences = np.maximum(np.round(batch / length), 1.0)
    return ["" if np.isnan(each) else repr(float(each)) for each in sequences]


def _put_tokens(draft: RowDraft, presets: Presets) -> None:
    """Set the tokens of every run; without them there are no hours to foretell."""
    tokens = draft.table.number("tokens")
    draft.table.fault_where(np.isnan(tokens), Fault("no training tokens"))
    draft.put("tokens", tokens)


def printed_hours(table: Table) -> Floats:
    """Return the accelerator-hours of every run, NaN where they are not printed. [hour]"""
    return table.number("accelerator_hours")


# Cells of a row, and the words and figures of a record that hold them.
_WORDS = {
    "id": "row", "model": "model_id", "accounting": "accounting", "scope": "scope", "notes": "note",
    "accelerator": "accelerator_id", "year": "year", "precision": "precision",
    "scored": "scored", "left_out": "left_out",
}  # fmt: skip
_FIGURES = {
    "params_total": "parameters", "params_active": "active_parameters", "tokens": "tokens", "seq_len": "seq",
    "n_accelerators": "accelerators", "batch_tokens": "batch_tokens",
    "kv_heads": "kv_heads", "ffn": "ffn", "vocab": "vocab",
    "layers": "layers", "hidden": "hidden", "heads": "heads",
}  # fmt: skip


def row_of(record: Record) -> dict[str, str]:
    """Return a record of a run as a row: the same cells that a CSV of runs has."""
    words = {cell: str(record.words.get(word, "")) for cell, word in _WORDS.items()}
    figures = {
        cell: repr(record.value(name)) if name in record.figures else "" for cell, name in _FIGURES.items()
    }
    hours = record.value("accelerator_hours") / 3600.0
    source = record.figures["accelerator_hours"].source.key if "accelerator_hours" in record.figures else ""
    model = words["model"] or str(record.words.get("model_name", ""))
    return {
        **words, **figures, "model": model, "source": source, "id": record.id,
        "accelerator": words["accelerator"] or str(record.words.get("accelerator", "")),
        "accelerator_hours": "" if np.isnan(hours) else repr(hours),
    }  # fmt: skip
