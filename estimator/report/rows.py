"""An answer as rows of numbers, one a quantity and one a part, for CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .grid import Grid

HEADERS = ("name", "part", "value", "unit", "low", "high", "origin")


def csv_rows(document: dict[str, Any]) -> Grid:
    """Return the quantities of a JSON document as a grid of full-precision cells."""
    return Grid(HEADERS, [row for name, value in document.items() for row in _rows(name, value)])


def _rows(name: str, value: Any) -> Iterator[list[str]]:
    if not isinstance(value, dict) or "parts" not in value:
        return
    unit, origin = value["unit"], value["origin"]
    yield [name, "", *(_cell(value[key]) if key != "unit" else unit for key in ("value", "unit", "low", "high")), origin]
    for part, number in value["parts"].items():
        yield [name, part, _cell(number), unit, "", "", origin]


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)
