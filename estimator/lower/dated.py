"""Dated rows of a place: those of the year asked, or of the nearest on record, and the country of a cloud's region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from .. import units
from ..errors import UnknownPreset
from ..provenance import Figure, Kind
from ..records import Record, Row, cell_number
from .asked import Asked


def rows_of(asked: Asked, table: str, place: str, column: str = "place") -> list[Row]:
    """Return the rows of a table about one place."""
    return [row for row in asked.presets.rows(table) if row.cells[column] == place]


def years_off(row: Row, year: float) -> float:
    """Return how many years lie between a row and a year."""
    return max(cell_number(row, "first_year") - year, year - cell_number(row, "last_year"), 0.0)


def nearest(rows: Sequence[Row], year: float | None) -> Row:
    """Return the row of a year, or of the nearest to it, the later of two; the newest where no year is asked."""
    last = [(0.0 if year is None else years_off(row, year), -cell_number(row, "last_year")) for row in rows]
    return rows[last.index(min(last))]


def period(row: Row) -> str:
    """Write the years that a row is about."""
    first, last = row.cells["first_year"], row.cells["last_year"]
    return first if first == last else f"{first}-{last}"


def figure_of(row: Row, column: str) -> Figure:
    """Return the number of a row with its unit, source and years, and its range where it has one."""
    unit = row.cells.get("unit") or ""

    def _read(name: str) -> tuple[float | None, str]:
        if not row.cells.get(name):
            return None, ""
        text = f"{cell_number(row, name)!r} {unit}".rstrip()
        return (units.parse_any(text)[0] if unit else float(text)), text

    value, text = _read(column)
    kind = cast("Kind", row.cells.get("kind") or "stated")
    return Figure(
        value or 0.0, text, row.source, row.cells["where"], kind, _read("low")[0], _read("high")[0], period(row),
        kind != "assumed",
    )  # fmt: skip


def country(asked: Asked, record: Record) -> Record | None:
    """Return the country that the grid of a cloud's region lies in, where it has a record of its own."""
    try:
        found = asked.presets.find("grids", str(record.words.get("place", "")).replace(" ", "-")).record
    except UnknownPreset:
        return None
    return None if found.id == record.id else found
