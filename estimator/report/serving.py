"""Bounds on serving as a table for people, as JSON and as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .. import units
from ..serving import Serving
from ..serving_bounds import UNITS
from . import words
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/serving/1"
# Label of each bound, and on which side of the truth it lies.
_LABELS: Mapping[str, tuple[str, str]] = {
    "weights": ("Weights", ""),
    "cache": ("Keys and values of a sequence", ""),
    "memory": ("Memory of the cards", ""),
    "fewest_accelerators": ("Fewest cards that hold it", ""),
    "flops_per_token": ("FLOPs of a token", ""),
    "flops_short": ("  by the 2N short form", ""),
    "parity": ("Serving takes as many as training after", ""),
    "prefill_time": ("Time of the prompt", "at least"),
    "token_time": ("Time of a token, one sequence", "at least"),
    "token_rate": ("  tokens a second", "at most"),
    "batch": ("Sequences decoded together", ""),
    "batch_time": ("  time of a token of each", "at least"),
    "batch_rate": ("  tokens a second", "at most"),
    "rate_per_accelerator": ("  of one accelerator", "at most"),
    "accelerators": ("Cards for the demand", "at least"),
}


def title(found: Serving) -> str:
    """Say in a line what is served, in which precision and on what."""
    run = found.question.run
    model = f"{run.model}, " if run.model else ""
    count = words.digits(found.settled["count"], 12)
    return (
        f"{model}{words.counted(found['parameters'])} parameters served in {found.precision} on {count} x "
        f"{found.accelerator.id}"
    )


def serving_page(found: Serving, width: int = 100) -> Page:
    """Return the bounds as a page."""
    rows = [
        [label, _bounded(found, name, side), _range(found, name), _remark(found, name)]
        for name, (label, side) in _LABELS.items()
        if not math.isnan(found[name])
    ]
    first, *rest = found.notes
    head = "\n".join([title(found), wrapped(f"These are {first}.", width, "", "    ")])
    lines = [wrapped(f"Note: {text}", width, "", "    ") for text in rest]
    lines += [wrapped(f"Source: {source.cite()}", width, "", "    ") for source in found.sources]
    parts = [
        head,
        Grid(["", "bound", "80 % range", ""], rows),
        "\n".join(_assumed(found, width)),
        "\n".join(lines),
    ]
    return Page(parts, _csv(found), _document(found))


def _bounded(found: Serving, name: str, side: str) -> str:
    value, unit = found[name], UNITS[name]
    text = f"{words.digits(value / 1e9)} GFLOP" if unit == "FLOP" else words.amount(value, unit)
    return f"{side} {text}" if side else text


def _range(found: Serving, name: str) -> str:
    if UNITS[name] == "FLOP":
        low, high = (words.digits(end[name] / 1e9) for end in (found.low, found.high))
        return "" if low == high else f"{low} to {high} GFLOP"
    return words.span(found.low[name], found.high[name], found[name], UNITS[name])


def _remark(found: Serving, name: str) -> str:
    if name == "memory":
        return "fits" if found.fits else "does not fit"
    if name == "token_time":
        return f"bound by {found.bound_by}"
    if name == "parity":
        return "tokens served, 3 for each of training"
    return ""


def _assumed(found: Serving, width: int) -> list[str]:
    if not found.assumed:
        return []
    lines = [wrapped(f"{name} (--{name.replace('_', '-')}): {reason}", width, "  ", "      ")
             for name, reason in found.assumed.items()]  # fmt: skip
    return ["Assumed (an option changes it):", *lines]


def _csv(found: Serving) -> Grid:
    rows = [
        [
            name,
            _cell(found[name], unit),
            unit,
            _cell(found.low[name], unit),
            _cell(found.high[name], unit),
            side,
        ]
        for name, unit in UNITS.items()
        for side in [_LABELS.get(name, ("", ""))[1]]
    ]
    return Grid(["name", "value", "unit", "low", "high", "bound"], rows)


def _cell(value: float, unit: str) -> str:
    return repr(float(units.to_unit(value, unit))) if math.isfinite(value) else ""


def _number(value: float, unit: str) -> float | None:
    return float(units.to_unit(value, unit)) if math.isfinite(value) else None


def _document(found: Serving) -> dict[str, Any]:
    bounds = {
        name: {
            "value": _number(found[name], unit), "unit": unit, "low": _number(found.low[name], unit),
            "high": _number(found.high[name], unit), "bound": _LABELS.get(name, ("", ""))[1] or None,
        }
        for name, unit in UNITS.items()
    }  # fmt: skip
    return {
        "schema": SCHEMA, "question": found.question.write(), "accelerator": found.accelerator.id,
        "precision": found.precision, "peak": {"value": found.peak.value, "unit": "FLOP/s"},
        "settled": {name: _number(value, "1") for name, value in found.settled.items()},
        "fits": found.fits, "bound_by": found.bound_by, **bounds, "assumptions": dict(found.assumed),
        "warnings": list(found.notes), "sources": [source.cite() for source in found.sources],
    }  # fmt: skip
