"""Published runs as rows: accelerator-hours of whole trainings, of which mostly the size and the tokens are known."""

from __future__ import annotations

import math

import numpy as np

from ..formulas.flops import training_flops_per_token
from ..formulas.parameters import Transformer
from ..formulas.shapes import DIMENSIONS
from ..layouts import FREE
from ..lower.batch import usual_tokens
from ..presets import Presets
from ..records import Record
from .cases import Lowered, lower_rows
from .columns import RowDraft
from .neutral import NEUTRAL
from .table import Fault, Floats, Table
from .training import put_batches

# Cells that spell a part of the layout otherwise.
_CELLS = {"zero": "zero_stage", "global_batch": "global_batch_seqs"}
SPELT = {
    "n_layers": "layers", "n_heads": "heads", "n_kv_heads": "kv_heads", "ffn_hidden": "ffn",
}  # fmt: skip


def lower_runs(table: Table, presets: Presets) -> Lowered:
    """Lower rows of whole runs, as `lower_rows` does; their count and layout are what a question's would be."""
    active = [
        most or all_
        for most, all_ in zip(table.text("params_active"), table.text("params_total"), strict=True)
    ]
    return lower_rows(table.renamed({"params": active}, SPELT), presets, _put_run)


def _put_run(draft: RowDraft, presets: Presets) -> None:
    """Set the tokens of every run, without which there are no hours to foretell, and what follows from them."""
    tokens = draft.table.number("tokens")
    draft.table.fault_where(np.isnan(tokens), Fault("no training tokens"))
    draft.put("tokens", tokens)
    defaults = presets.load("assumptions", "defaults")
    _put_count(draft, defaults.value("within"))
    put_batches(draft, presets)
    _put_layout(draft)
    _put_batch(draft, defaults)
    _put_goodput(draft, presets.load("assumptions", "reliability"))


def _put_goodput(draft: RowDraft, rules: Record) -> None:
    """Leave goodput to the model, but of runs whose hours hold no time that was lost."""
    productive = np.array(draft.table.text("accounting")) == "productive"
    draft.put("given_goodput", np.where(productive, 1.0, math.nan))
    draft.put("spare_nodes", math.inf)
    for name, figure in rules.figures.items():
        if name in NEUTRAL:
            draft.put(name, figure.value * (draft.columns["per_node"] if name == "failures" else 1.0))


def _put_count(draft: RowDraft, within: float) -> None:
    """Set the accelerators of a run that does not print them: whole servers that finish in the usual time."""
    columns = draft.columns
    model = Transformer(**{name: columns[name] for name in DIMENSIONS})
    time = columns["tokens"] * training_flops_per_token(model, columns["seq"]).total / columns["peak"]
    servers = np.maximum(np.ceil(time / (columns["average_mfu"] * within * columns["per_node"])), 1.0)
    draft.printed("count", "n_accelerators", {"value": servers * columns["per_node"]})


def _put_batch(draft: RowDraft, defaults: Record) -> None:
    """Set the batch: as printed, that of the model's record, or the usual one of such a training; in any case only
    about, since the layout that is found takes whole micro-batches.
    """
    if "global_batch" not in draft.free:
        return
    columns = draft.columns
    on_record, printed = columns["model_batch"], draft.table.number("batch_tokens")
    usual = np.where(np.isnan(on_record), usual_tokens(defaults, columns), on_record)
    tokens = np.where(np.isnan(printed), usual, printed)
    draft.put("global_batch", np.maximum(np.round(tokens / columns["seq"]), 1.0))


def _put_layout(draft: RowDraft) -> None:
    """Leave open what no row prints of the layout: it is found as for a silent question."""
    cells = {name: _CELLS.get(name, name) for name in FREE}
    draft.free = {name for name, cell in cells.items() if not any(draft.table.text(cell))}
    draft.note("layout", np.ones(draft.table.size, dtype=bool))


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
