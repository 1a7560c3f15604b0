"""An answer as rows of numbers, one a quantity and one a part, for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .document import QUANTITIES, WHERE_ASKED
from .grid import Grid

HEADERS = ("name", "part", "value", "unit", "low", "high", "origin")


def csv_rows(document: dict[str, Any]) -> Grid:
    """Return the quantities of a JSON document as a grid of full-precision cells."""
    names = [*QUANTITIES, *WHERE_ASKED]
    quantities = {name: document[name] for name in names if document.get(name) is not None}
    rows = [row for name, quantity in quantities.items() for row in _rows(name, quantity)]
    return Grid(HEADERS, [*rows, *(drawn_rows(document["draws"]) if "draws" in document else ())])


def _rows(name: str, quantity: dict[str, Any]) -> Iterator[list[str]]:
    unit, origin = quantity["unit"], quantity["origin"]
    yield [name, "", _cell(quantity["value"]), unit, _cell(quantity["low"]), _cell(quantity["high"]), origin]
    for part, number in quantity["parts"].items():
        yield [name, part, _cell(number), unit, "", "", origin]


def drawn_rows(draws: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield percentiles, then for each unknown the ends to which it moves a quantity and its shares of the variance."""
    for name, told in draws["quantiles"].items():
        for key, value in told.items():
            if key != "unit":
                yield [f"{name}_{key}", "", _cell(value), told["unit"], "", "", "drawn"]
    for name, unknowns in draws.get("sensitivity", {}).items():
        unit = draws["quantiles"][name]["unit"]
        for row in unknowns:
            ends = [_cell(row["low"]), _cell(row["high"])]
            yield [f"{name}_swing", row["unknown"], "", unit, *ends, "drawn"]
            for order in ("first_order", "total_order"):
                yield [f"{name}_{order}", row["unknown"], _cell(row[order]), "1", "", "", "drawn"]


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)
