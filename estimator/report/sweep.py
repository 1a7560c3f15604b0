"""A sweep as a table for people, and as lines for programs."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from ..inputs.run import option, write_input
from ..sweeps.cells import FITS
from ..sweeps.sweep import Sweep
from ..sweeps.table import REASON, Cells, Coded, Column, Table, Values
from ..sweeps.text import csv_head, write_csv, write_lines
from . import words
from .answer import SHARES, YEARS
from .grid import Grid, wrapped

# So many rows are read by a person.
MOST_ROWS = 60
_FITS = {1.0: "yes", 0.0: "no"}


def page(sweep: Sweep, format: str, width: int = 100) -> str:
    """Return the first rows of a sweep as a table, and what there is to say of them."""
    table = Table(sweep)
    chunk = next(sweep.chunks(MOST_ROWS, which=[0]))
    cells = table.rows(chunk)
    why = [f"({place}) {text}" for place, text in enumerate(_why(cells), start=1)]
    told = "\n".join(wrapped(text, width, "", "    ") for text in why)
    below = "\n".join(_below(sweep, chunk.reason.size))
    return "\n\n".join(part for part in (_grid(table, cells).write(format), told, below) if part)


def _grid(table: Table, cells: Cells) -> Grid:
    """Return what varies, the quantities beside their ranges, and the reasons where there are any."""
    columns = {column.name: column for column in table.columns}
    headers = [_header(columns[name]) for name in table.labels]
    rows = [_labels(columns[name], cells[name]) for name in table.labels]
    for name, unit in {**table.quantities, **table.ranged}.items():
        if name in table.quantities:
            headers.append(name.replace("_", " "))
            rows.append([_number(name, value, unit) for value in _plain(cells[name])])
        if name in table.ranged:
            headers.append(
                "80 % range" if name in table.quantities else f"80 % range of {name.replace('_', ' ')}"
            )
            rows.append(_spans(name, cells, unit))
    why = _why(cells)
    if any(reasons := _plain(cells[REASON])):
        headers.append(REASON)
        rows.append([f"({why.index(text) + 1})" if text else "" for text in reasons])
    return Grid(headers, list(zip(*rows, strict=True)))


def _why(cells: Cells) -> list[str]:
    """Return each reason once, in the order in which they come."""
    return list(dict.fromkeys(filter(None, _plain(cells[REASON]))))


def _header(column: Column) -> str:
    named = column.name.rpartition(".")[2] in ("price", "link") and column.unit
    return f"{column.name} [{column.unit.replace('accelerator', 'gpu')}]" if named else column.name


def _plain(cell: Values | Coded) -> list[Any]:
    return [cell.words[code] for code in cell.codes.tolist()] if isinstance(cell, Coded) else cell.tolist()


def _labels(column: Column, cell: Values | Coded) -> list[str]:
    """Write the values of what varies: times and powers with their unit, numbers in full."""
    if column.unit in ("s", "W", "byte/accelerator/s"):
        return [words.amount(value, column.unit) for value in _plain(cell)]
    if column.name.rpartition(".")[2] in YEARS:
        return [f"{value:g}" for value in _plain(cell)]
    return [value if isinstance(value, str) else words.digits(value, 12) for value in _plain(cell)]


def _number(name: str, value: float, unit: str) -> str:
    """Write a number that is given in the unit in which it is shown."""
    if name == FITS:
        return _FITS.get(value, "unknown")
    if name in SHARES:
        return words.share(value)
    return words.amount(_house(value, unit), _told(unit))


def _spans(name: str, cells: Cells, unit: str) -> list[str]:
    low, high = (_plain(cells[f"{name}_{end}"]) for end in ("low", "high"))
    middle = _plain(cells[name]) if name in cells else low
    return [_span(name, unit, *row) for row in zip(low, high, middle, strict=True)]


def _span(name: str, unit: str, low: float, high: float, value: float) -> str:
    """Write a range as an answer does; nothing where its ends read alike."""
    if name in SHARES:
        text = words.span(low * 100.0, high * 100.0, value * 100.0, "1")
        return f"{text} %" if text else ""
    return words.span(_house(low, unit), _house(high, unit), _house(value, unit), _told(unit))


def _told(unit: str) -> str:
    """Return the unit that stands behind a number; none where the currency varies, which its row names."""
    return "1" if "currency" in unit else unit


def _house(value: float, unit: str) -> float:
    from ..units import unit_bases

    return value if "currency" in unit else value * unit_bases(unit)[0]


def _below(sweep: Sweep, size: int) -> Iterator[str]:
    """Say how many cells are not shown, and how to see what is assumed."""
    if size < sweep.size:
        yield f"{sweep.size - size:,} more cells: write all to a file with -o sweep.parquet, .csv or .jsonl"
    yield f"What is assumed of the first cell: {question(sweep)}"


def question(sweep: Sweep) -> str:
    """Return the command that asks the first cell alone."""
    from shlex import quote

    first = {
        name: write_input(name, values[0]) for axis in sweep.axes for name, values in axis.values.items()
    }
    asked = {**sweep.given, **first}
    if sweep.kind.axes:
        from .fleet import fleet_words

        asked = fleet_words(sweep.kind.read(asked, sweep.presets))
    words = (
        f"{option(name)} {quote(_spelt(each))}"
        for name, value in asked.items()
        for each in (value if isinstance(value, list) else [value])  # pyright: ignore[reportUnknownVariableType]
    )
    return f"estimate {sweep.kind.command} {' '.join(words)}"


def _spelt(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) and float(f"{value:.12g}") == value else str(value)


def lines(sweep: Sweep, format: str) -> Iterator[str]:
    """Yield all cells as CSV or JSON lines, chunk by chunk."""
    table = Table(sweep)
    if format == "csv":
        yield csv_head(table.columns)
    for chunk in sweep.chunks():
        stream = StringIO()
        if format == "csv":
            write_csv(stream, table.rows(chunk))
        else:
            write_lines(stream, table.rows(chunk), table.columns)
        yield stream.getvalue()
