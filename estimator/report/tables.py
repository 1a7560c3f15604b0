"""Rows of prices, rates and measurements as lists and as JSON: values as written, and in house units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import units
from ..errors import EstimatorError
from ..provenance import Source
from ..records import Row
from .grid import Grid
from .page import Page, one_line
from .records import SCHEMA, sources_document, sources_grid

About = Mapping[str, Sequence[Row]]
# What a person sees of each row; CSV and JSON have every column.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "prices": ("provider", "instance", "region", "plan", "statistic", "price", "unit", "as_of", "source"),
    "purchases": ("model", "price", "unit", "count", "as_of", "source", "note"),
    "exchange-rates": ("year", "per_usd", "days", "source"),
    "tariffs": ("first_year", "last_year", "price", "unit", "low", "high", "kind", "source"),
    "pay": ("first_year", "pay", "unit", "low", "high", "kind", "source"),
}
_SUBJECT = {
    "purchases": "accelerator", "exchange-rates": "currency", "measurements": "table", "tariffs": "place",
    "pay": "place",
}  # fmt: skip
# The columns that may tell when a row was so.
_DATES = ("as_of", "year", "first_year")


def summary_page(kind: str, about: About) -> Page:
    """Return one line for each accelerator, currency or table: how many rows, of which dates and plans."""
    subject = _SUBJECT.get(kind, "accelerator")
    headers = [subject, "rows", "from", "to", *(["plans"] if kind == "prices" else ["sources"])]
    grid = Grid(headers, [_summary(kind, name, rows) for name, rows in about.items()])
    more = f"Show the rows of one: estimate presets {kind} {next(iter(about))}"
    items = [dict(zip(headers, row, strict=True)) | {"rows": len(about[row[0]])} for row in grid.rows]
    return Page([grid, more], grid, {"schema": SCHEMA, "kind": kind, "tables": items})


def _summary(kind: str, name: str, rows: Sequence[Row]) -> list[str]:
    found = (next(filter(None, map(row.cells.get, _DATES)), "") for row in rows)
    dates = sorted(date for date in found if date[:1].isdigit())
    last = "plan" if kind == "prices" else "source"
    words = sorted({row.cells.get(last) or "" for row in rows})
    return [name, str(len(rows)), *(dates[:1] or [""]), *(dates[-1:] or [""]), _some(words)]


def _some(words: Sequence[str]) -> str:
    return ", ".join(words) if len(words) <= 4 else f"{len(words)} of them"


def rows_page(kind: str, about: About) -> Page:
    """Return the rows about one name with their sources."""
    found = list(_with_subject(kind, about))
    every = list(dict.fromkeys(column for cells, _ in found for column in cells))
    columns = [every[0], *(name for name in _COLUMNS.get(kind, tuple(every[1:])) if name in every)]
    sources = {source.key: source for _, source in found}
    shown = Grid(columns, [[one_line(cells.get(column, "")) for column in columns] for cells, _ in found])
    exact = Grid(every, [[cells.get(column, "") for column in every] for cells, _ in found])
    documents = [_row_document(cells) for cells, _ in found]
    document = {"schema": SCHEMA, "kind": kind, "rows": documents, "sources": sources_document(sources)}
    return Page([shown, sources_grid(sources)], exact, document)


def _with_subject(kind: str, about: About) -> Iterator[tuple[dict[str, str], Source]]:
    """Yield each row's cells, what it is about in front, with its source."""
    subject = _SUBJECT.get(kind, "accelerator")
    for name, rows in about.items():
        for row in rows:
            yield {subject: name} | {key: text or "" for key, text in row.cells.items() if key}, row.source


def _row_document(cells: Mapping[str, str]) -> dict[str, Any]:
    text = written(cells)
    if not text:
        return dict(cells)
    try:
        value, unit = units.parse_any(text)
    except EstimatorError:  # a measurement keeps the unit that its source printed
        return dict(cells)
    return {**cells, "value": value, "house_unit": unit, "text": text}


def written(cells: Mapping[str, str]) -> str:
    """Return the money of a row as text with its unit, empty where the row is not about money.

    Examples
    --------
    >>> written({"price": "2", "unit": "USD/accelerator/hour"})
    '2 USD/accelerator/hour'
    >>> written({"currency": "CNY", "per_usd": "7.1"})
    '7.1 CNY/USD'
    """
    if price := cells.get("price") or cells.get("pay"):
        return f"{price} {cells.get('unit', '')}"
    return f"{cells['per_usd']} {cells['currency']}/USD" if cells.get("per_usd") else ""
