"""An answer as rows of numbers, one a quantity and one a part, for CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .document import QUANTITIES
from .grid import Grid

HEADERS = ("name", "part", "value", "unit", "low", "high", "origin")


def csv_rows(document: dict[str, Any]) -> Grid:
    """Return the quantities of a JSON document as a grid of full-precision cells."""
    quantities = {name: document[name] for name in QUANTITIES if document[name] is not None}
    return Grid(HEADERS, [row for name, quantity in quantities.items() for row in _rows(name, quantity)])


def _rows(name: str, quantity: dict[str, Any]) -> Iterator[list[str]]:
    unit, origin = quantity["unit"], quantity["origin"]
    yield [name, "", _cell(quantity["value"]), unit, _cell(quantity["low"]), _cell(quantity["high"]), origin]
    for part, number in quantity["parts"].items():
        yield [name, part, _cell(number), unit, "", "", origin]


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)
