"""Measured rows of peak memory: the cells of their own columns in the words of the others, and what is trained."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..formulas.memory_states import OFFLOADS
from ..lower.memory import method_columns
from ..presets import Presets
from .cases import Lowered, lower_rows
from .columns import RowDraft
from .machines import default_chip
from .names import accelerators_of
from .neutral import optimizer_columns
from .table import Floats, Table, distinct
from .training import sides
from .tuning import put_card, put_tuning

SPELT = {"n_accelerators": "n_devices"}
_ZERO = re.compile(r"^\s*([0-3])(?:\.0)?(?!\d)|zero-?([1-3])|(fsdp)", re.IGNORECASE)
_RANK = re.compile(r"galore_?(?:rank=)?(\d+)", re.IGNORECASE)
_BITS = re.compile(r"(?:int|fp|nf|q)-?([48])|([248])-?bit|awq|gptq|aqlm", re.IGNORECASE)
_ADAPTERS = ("lora", "adapter", "awq", "gptq", "aqlm")
_CAP = re.compile(r"\bis a cap\b|at most", re.IGNORECASE)
# The optimizer that a text tells of: the first word that it holds.
_OPTIMIZERS = (
    ("adalomo", "adalomo"), ("lomo", "lomo"), ("galore", "galore"), ("8-bit", "adam-8bit"), ("8bit", "adam-8bit"),
    ("adafactor", "adafactor"), ("lion", "lion"), ("muon", "muon"), ("momentum", "momentum"), ("sgd", "sgd"),
    ("adam", "adamw"),
)  # fmt: skip
# What an optimizer becomes where weights, gradients and states are all kept in 16 bit.
_PURE = {"adamw": "adamw-bf16", "sgd": "sgd-16bit"}


def lower_memory(table: Table, presets: Presets) -> Lowered:
    """Lower rows of peak memory, as `lower_rows` does."""
    chips = _chips(table, presets)

    def _more(draft: RowDraft, presets: Presets) -> None:
        _put_method(draft, presets)
        draft.note("accelerator", np.array([not chip for chip in chips], dtype=bool))

    usual = default_chip(presets)
    return lower_rows(_renamed(table, [chip or usual for chip in chips]), presets, _more)


def _chips(table: Table, presets: Presets) -> list[str]:
    """Return the accelerator that every row names, blank where nobody knows it: memory hardly depends on it."""
    names, which = distinct(table.text("accelerator"), table.text("device"))
    chips = [next((name for name in pair if accelerators_of(presets, name)), "") for pair in names]
    return [chips[index] for index in map(int, which)]


def _renamed(table: Table, chips: Sequence[str]) -> Table:
    """Return the table with cells in the words of rows of throughput."""
    method = table.text("method")
    cells = {
        "accelerator": chips,
        "recompute": [_recompute(cell) for cell in table.text("activation_checkpointing")],
        "zero_stage": [
            _stage(f"{cell} {way}") for cell, way in zip(table.text("zero_stage"), method, strict=True)
        ],
    }
    return table.renamed(cells, SPELT)


def printed_peaks(table: Table) -> Floats:
    """Return the peak memory that rows measured on one accelerator, NaN where they print none. [byte]"""
    return table.number("peak_memory_bytes_per_device")


def _recompute(cell: str) -> str:
    word = cell.strip().lower()
    return (
        "full"
        if word.startswith(("true", "full"))
        else "none"
        if word.startswith(("false", "none"))
        else word
    )


def _stage(text: str) -> str:
    """Return the stage of sharding that a text tells of, blank where it tells of none.

    Examples
    --------
    >>> _stage("3 (FSDP)"), _stage("lora + deepspeed zero3"), _stage("sharded")
    ('3', '3', '')
    """
    if "for full" in text and "lora" in text:  # what is said of full training leaves stage 2 to adapters
        return "2"
    found = _ZERO.search(text)
    return "" if found is None else found[1] or found[2] or "3"


def _put_method(draft: RowDraft, presets: Presets) -> None:
    """Set what the optimizer keeps, of all weights or of adapters beside frozen ones."""
    table = draft.table
    cells = ("method", "optimizer", "precision", "framework", "lora_rank", "offload", "notes")
    rank = [repr(each) if each > 0 else "" for each in table.number("lora_rank").tolist()]
    columns = {**{name: table.text(name) for name in cells}, "lora_rank": rank}
    keys, which = distinct(*columns.values())
    each = [_kept(presets, *key) for key in keys]
    for name in each[0] if each else ():
        draft.put(name, np.array([columns[name] for columns in each])[which])
    draft.note("optimizer", np.array([not cell for cell in table.text("optimizer")], dtype=bool))
    capped = np.array([bool(_CAP.search(text)) for text in table.text("notes")], dtype=bool)
    share, length = sides(presets.load("assumptions", "measured").figures["capped_seq"]), draft.columns["seq"]
    draft.note("seq", capped)
    draft.between("capped_seq", "seq", np.where(capped, length * share["low"], length), length)
    put_card(draft, presets)
    put_tuning(draft, presets)


def _kept(presets: Presets, *cells: str) -> dict[str, float]:
    """Return what is kept for each parameter by a row's method, optimizer and precision. [byte]"""
    method, named, precision, framework, rank, offload, notes = (cell.lower() for cell in cells)
    columns = optimizer_columns(presets.load("optimizers", _optimizer(named, precision, framework)))
    if (galore := _RANK.search(method) or _RANK.search(notes)) and "galore" in method + named:
        columns["optimizer_rank"] = float(galore[1])
    return {**columns, **_method(presets, f"{method} {precision}", rank), "method_offload": _offload(offload)}


def _method(presets: Presets, text: str, rank: str) -> dict[str, float]:
    """Return what the method freezes: nothing, or weights in 16, 8 or 4 bit beside adapters of a rank."""
    adapters = any(word in text for word in _ADAPTERS)
    bits = _BITS.search(text)
    packed = adapters and (bits or "qlora" in text)
    method = "qlora" if packed else "lora" if adapters else "full"
    columns = method_columns(presets.load("assumptions", "memory"), method)
    if adapters and rank:
        columns["method_rank"] = float(rank)
    if packed and bits and "8" in bits.groups():
        columns["method_base"] = presets.load("assumptions", "measured").value("base_int8")
    return columns


def _offload(text: str) -> float:
    """Return the code of what stands on the host: what a text names of weights, else states of the optimizer."""
    if "param" in text or "weight" in text:
        return float(OFFLOADS.index("all"))
    return float(OFFLOADS.index("optimizer" if "cpu" in text or "optim" in text else "none"))


def _optimizer(named: str, precision: str, framework: str) -> str:
    found = next((record for word, record in _OPTIMIZERS if word in named), "adamw")
    pure = "pure" in precision or "torchtune" in framework
    return _PURE.get(found, found) if pure else found
