"""An answer about memory as tables for people, as JSON and as CSV: the fullest stage part by part, and what helps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..estimate import Estimate
from ..formulas.layout import Layout
from ..formulas.memory_card import Card
from ..formulas.parameters import Transformer
from ..formulas.stages import KINDS
from ..inputs.run import option
from ..memory import Advice, Change, Inputs
from . import words
from .answer import assumption_lines, assumption_rows, title
from .document import as_json, assumed, assumptions, name_of, sources
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/memory/1"
_PARTS = {
    "weights": "Weights",
    "gradients": "Gradients",
    "optimizer_states": "Optimizer states",
    "gathered_weights": "Gathered weights",
    "reduced_gradients": "Gradients under reduction",
    "activations": "Activations",
    "logits": "Logits",
    "working": "At work",
    "communication": "Communicators",
    "context": "Device context",
    "fragmentation": "Fragmentation",
}
# Inputs that memory depends on: only these are listed as assumed.
_OWN = frozenset(
    ("accelerator", "optimizer", "attention", "recompute", "sharding", "shape", "precision", "model", "seq",
     "method_rank", *Transformer._fields, *Layout._fields, *Card._fields)
)  # fmt: skip
_CHANGES = "What would make it fit, the least slowed down first:"


def memory_page(advice: Advice, question: Mapping[str, Any], width: int = 100) -> Page:
    """Return the answer in the shapes that it is written in."""
    estimate = advice.estimate
    own = [
        row
        for row, (name, _) in zip(assumption_rows(estimate), assumed(estimate), strict=True)
        if name in _OWN
    ]
    listed = "\n".join(assumption_lines(own, width))
    changes = (_CHANGES, changes_grid(advice)) if advice.changes else (_hopeless(estimate),)
    parts = [
        f"{title(estimate)}\n{stage_line(estimate)}",
        parts_grid(estimate),
        wrapped(verdict(estimate), width),
        *changes,
        f"Assumed (an option changes it):\n{listed}",
    ]
    return Page(parts, rows(advice), document(advice, question))


def stage_name(estimate: Estimate) -> str:
    """Return the word for the fullest stage: first, middle, last, or only where there is one."""
    if float(estimate.case.columns["pp"]) <= 1.0:
        return "only"
    return KINDS[int(float(estimate.worst_stage.value))]


def stage_line(estimate: Estimate) -> str:
    """Say how the run is laid out and of which stage the table is."""
    columns = estimate.case.columns
    laid = f"{estimate.case.words['sharding']}, micro-batch {words.digits(float(columns['micro_batch']))}"
    text = f"{laid}, recomputation {estimate.case.words['recompute']}"
    name = stage_name(estimate)
    if name == "only":
        return text
    return f"{text}; a card of the {name} stage, the fullest of {words.digits(float(columns['pp']))}"


def parts_grid(estimate: Estimate) -> Grid:
    """Return every part of the memory of a card that is not zero, and the total with its range."""
    memory = estimate.memory
    total = float(memory.value)
    cells = [
        [_PARTS.get(name, name), words.amount(float(part), "byte"), words.share(float(part) / total)]
        for name, part in memory.parts.items()
        if float(part) != 0.0
    ]
    span = words.span(float(memory.low), float(memory.high), total, "byte")
    ranged = f"{span} (80 % range)" if span else ""
    return Grid(["", "a card", "share"], [*cells, ["Total", words.amount(total, "byte"), ranged]])


def verdict(estimate: Estimate) -> str:
    """Say whether it fits, with what is left or lacking, and how many cards would hold it."""
    room, total = float(estimate.memory_usable.value), float(estimate.memory.value)
    if math.isnan(room):
        return "The card's memory is not on record; give another --on."
    if bool(estimate.fits):
        return (
            f"Fits: {words.amount(total, 'byte')} in use of {words.amount(room, 'byte')}; "
            f"{words.amount(least_needed(estimate), 'byte')} are enough, for fragmentation gives way."
        )
    return (
        f"Does not fit: {words.amount(total, 'byte')} on a card of {words.amount(room, 'byte')}, "
        f"{words.amount(total - room, 'byte')} too much. {_fewest(estimate)}"
    )


def least_needed(estimate: Estimate) -> float:
    """Return the memory with which a card of the fullest stage gets by, fragmentation pressed to its least. [byte]"""
    parts, columns = estimate.memory.parts, estimate.case.columns
    beside = float(parts["communication"]) + float(parts["context"])
    return float(estimate.memory_allocated.value) * (1.0 + float(columns["least_fragmentation"])) + beside


def _fewest(estimate: Estimate) -> str:
    fewest = float(estimate.fewest_accelerators.value)
    if math.isfinite(fewest):
        return f"With these degrees {words.digits(fewest, 6)} cards would hold it."
    return "With these degrees no number of cards holds it."


def _hopeless(estimate: Estimate) -> str:
    if bool(estimate.fits) or math.isnan(float(estimate.memory_usable.value)):
        return ""
    return "No change tried makes it fit, alone or in pairs; try a shorter --seq, a smaller model or another --on."


def options_of(inputs: Inputs) -> str:
    """Return changed inputs as the options to add.

    Examples
    --------
    >>> options_of({"recompute": "full", "tp": 8.0})
    '--recompute full --tp 8'
    """
    return " ".join(
        f"{option(name)} {value if isinstance(value, str) else f'{value:g}'}"
        for name, value in inputs.items()
    )


def changes_grid(advice: Advice) -> Grid:
    """Return every change as the options to add, with what a card then holds and how fast it is."""
    base = float(advice.estimate.throughput_per_accelerator.value)
    cells = [
        [options_of(change.inputs), words.amount(change.memory, "byte"), *_speed(change, base)]
        for change in advice.changes
    ]
    return Grid(["add", "a card", "of one accelerator", "against this question"], cells)


def _speed(change: Change, base: float) -> list[str]:
    if not math.isfinite(change.throughput):
        return ["not modelled", ""]
    return [words.amount(change.throughput, "token/s"), as_fast(change.throughput / base)]


def as_fast(ratio: float) -> str:
    """Write a speed over that of the question itself.

    Examples
    --------
    >>> as_fast(2.284), as_fast(1.0), as_fast(0.5), as_fast(math.nan)
    ('2.28 times as fast', 'as fast', '0.5 times as fast', '')
    """
    if not math.isfinite(ratio):
        return ""
    said = words.digits(ratio)
    return "as fast" if said == "1" else f"{said} times as fast"


def document(advice: Advice, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as the JSON document."""
    estimate = advice.estimate
    room = float(estimate.memory_usable.value)
    fewest = float(estimate.fewest_accelerators.value)
    stages = ("first_stage_memory", "middle_stage_memory", "last_stage_memory")
    return {
        "schema": SCHEMA,
        "question": dict(question),
        "stage": stage_name(estimate),
        "memory": as_json(estimate.memory, estimate),
        "memory_allocated": as_json(estimate.memory_allocated, estimate),
        "memory_total": as_json(estimate.memory_total, estimate),
        "memory_usable": as_json(estimate.memory_usable, estimate),
        "fits": None if math.isnan(room) else bool(estimate.fits),
        "least_needed": {"value": least_needed(estimate), "unit": "byte"},
        "fewest_accelerators": fewest if math.isfinite(fewest) else None,
        "stages": {name.split("_", 1)[0]: as_json(estimate.amount(name), estimate) for name in stages},
        "changes": [_change(change) for change in advice.changes],
        "assumptions": [
            each for each in assumptions(estimate) if each["name"] in {name_of(name) for name in _OWN}
        ],
        "warnings": list(estimate.case.notes),
        "sources": [source.cite() for source in sources(estimate)],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "options": options_of(change.inputs),
        "inputs": dict(change.inputs),
        "memory": {"value": change.memory, "unit": "byte"},
        "throughput_per_accelerator": {
            "value": change.throughput if math.isfinite(change.throughput) else None, "unit": "token/s",
        },
    }  # fmt: skip


def rows(advice: Advice) -> Grid:
    """Return parts of the fullest stage and changes with full precision, for CSV."""
    estimate = advice.estimate
    names = ("memory", "memory_allocated", "memory_usable")
    cells = [
        ["memory", part, repr(float(value)), "byte", ""] for part, value in estimate.memory.parts.items()
    ]
    cells += [[name, "", repr(float(estimate.amount(name).value)), "byte", ""] for name in names]
    cells += [
        ["change", options_of(change.inputs), repr(change.memory), "byte", _number(change.throughput)]
        for change in advice.changes
    ]
    return Grid(["name", "part", "value", "unit", "tokens_per_s_per_accelerator"], cells)


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""
