"""What a file of a sweep answers: the question, the version and the records, as text, and what tells two apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..inputs.run import write_input
from ..version import __version__
from .lowered import Questions
from .sweep import Sweep


def question(sweep: Sweep, questions: Questions, rows: int) -> str:
    """Return as JSON what a sweep asks, by which version, in parts of how many rows, and a checksum of its numbers."""
    axes = [
        {name: [write_input(name, value) for value in values] for name, values in axis.values.items()}
        for axis in sweep.axes
    ]
    asked = {
        "version": __version__,
        "question": {name: str(value) for name, value in sweep.given.items()},
        "axes": [{name: _short(values) for name, values in axis.items()} for axis in axes],
        "quantities": sweep.wanted.quantities,
        "ranges": sweep.wanted.ranged,
        "rows": rows,
        "records": _checksum(questions),
    }
    return json.dumps(asked, indent=1)


def _short(values: list[Any]) -> dict[str, Any]:
    """Return how many values there are, the first and the last, and a checksum of all."""
    return {
        "values": len(values),
        "first": values[0],
        "last": values[-1],
        "sha256": hashlib.sha256(json.dumps(values).encode()).hexdigest(),
    }


def _checksum(questions: Questions) -> str:
    """Hash every number that lowering gave: a record that was changed changes it."""
    found = hashlib.sha256(json.dumps(questions.reasons).encode())
    for part in (questions.family, questions.row, questions.reason):
        found.update(part.tobytes())
    for family in questions.families:
        ends = (end for _, low, high in family.unknowns for end in (low, high))
        for name, column in (
            *sorted(family.columns.items()),
            *(pair for end in ends for pair in sorted(end.items())),
        ):
            found.update(name.encode() + np.asarray(column).tobytes())
    return found.hexdigest()


_SAID = {
    "version": "was written by version {theirs} of this program, which is {ours} now",
    "question": "is the answer to another question: {theirs}",
    "axes": "is a sweep over other values",
    "quantities": "holds other quantities: {theirs}",
    "ranges": "holds the ranges of other quantities: {theirs}",
    "rows": "has parts of another size",
    "records": "was made from records that have changed since",
}


def difference(there: str | None, here: str) -> str:
    """Say what tells a file from the one that is asked for."""
    try:
        theirs: dict[str, Any] = json.loads(there or "")
    except ValueError:
        return "does not say what it answers"
    ours = json.loads(here)
    name = next(_unlike(theirs, ours), "question")
    return _SAID[name].format(theirs=_told(theirs.get(name)), ours=_told(ours[name]))


def _unlike(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    return (name for name in _SAID if theirs.get(name) != ours[name])


def _told(value: Any) -> str:
    """Write inputs or names in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items()) or "one without inputs"  # pyright: ignore[reportUnknownVariableType]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
