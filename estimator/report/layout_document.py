"""A search for the best layout as JSON and as CSV, with full precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..searches.question import INPUTS
from ..searches.search import Found, Layout, Search
from ..searches.space import PARTS
from .document import as_json, assumptions, sources
from .grid import Grid
from .layout_words import data_of, options_of, word_of

SCHEMA = "estimator/layout/1"
# What is told of each accelerator and count.
QUANTITIES = ("wall_clock", "accelerator_hours", "cost", "mfu")


def document(search: Search, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as the JSON document."""
    best, ahead = search.best, search.front
    told = [
        _document(found, search, found is best, any(found is each for each in ahead))
        for found in search.found
    ]
    return {
        "schema": SCHEMA,
        "question": dict(question),
        "by": search.by,
        "within": search.within,
        "found": told,
    }


def _document(found: Found, search: Search, best: bool, ahead: bool) -> dict[str, Any]:
    own = found.estimate
    names = ("step_time", "memory", *QUANTITIES)
    amounts = {} if own is None else {name: as_json(own.amount(name), own) for name in names}
    return {
        "on": found.case.words["accelerator"],
        "count": float(found.case.columns["count"]),
        "global_batch": float(found.case.columns["global_batch"]),
        "best": best,
        "in_time": search.in_time(found),
        "fastest_for_its_cost": ahead,
        "counts": found.counts._asdict(),
        "fell_out": dict(found.fell_out),
        "refused": dict(found.tried.refused),
        "within_the_range_of_the_fastest": found.tried.alike,
        "options": options_of(found.fastest[0].parts, found) if found.fastest else None,
        "fastest": [_layout(each, found) for each in found.fastest],
        "front": [_layout(each, found) for each in found.front],
        "train": _train(found) if best else None,
        **amounts,
        "assumptions": [] if own is None else assumptions(own),
        "warnings": [] if own is None else list(own.case.notes),
        "sources": [] if own is None else [source.cite() for source in sources(own)],
    }


def _train(found: Found) -> dict[str, Any] | None:
    """Return what `estimate train` answers to the same question; nothing where that is illegal without a layout."""
    usual = found.usual()
    if usual is None:
        return None
    amounts = {name: as_json(usual.amount(name), usual) for name in ("wall_clock", "cost")}
    return {**amounts, "practice": float(usual.case.columns.get("practice", 1.0))}


def _layout(layout: Layout, found: Found) -> dict[str, Any]:
    parts = {
        INPUTS.get(name, name): value if name not in ("recompute", "method_offload") else word_of(name, value)
        for name, value in layout.parts.items()
    }
    shard = parts["shard"]
    return {
        **parts,
        "shard": shard if isinstance(shard, float) and math.isfinite(shard) else None,
        "data": data_of(layout.parts, found),
        "step_time": {"value": layout.time, "unit": "s"},
        "memory": {"value": layout.memory, "unit": "byte"},
    }


def rows(search: Search) -> Grid:
    """Return every layout that is told, with full precision, for CSV."""
    names = [INPUTS.get(name, name) for name in PARTS]
    headers = ["on", "count", "list", *names, "data", "step_time_s", "memory_byte"]
    cells = [
        [
            found.case.words["accelerator"], repr(float(found.case.columns["count"])), which,
            *(word_of(name, value) if math.isfinite(value) else "all" for name, value in each.parts.items()),
            repr(data_of(each.parts, found)), repr(each.time), repr(each.memory),
        ]
        for found in search.found
        for which, layouts in (("fastest", found.fastest), ("front", found.front))
        for each in layouts
    ]  # fmt: skip
    return Grid(headers, cells)
