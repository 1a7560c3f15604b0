"""A CSV file of measured rows, read in pieces: no file that a user names can hang or flood the machine."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ..errors import EstimatorError
from ..tuples import NamedTuple
from .table import Fault, Table

# Rows that are lowered and evaluated at a time: more would be no faster and take more memory.
PIECE = 4096
_HEAD = 1 << 16
_WHAT = "name a CSV file of measured rows"
_LINE = "line"


class Opened(NamedTuple):
    """A file whose header is read: its columns, what separates its cells, and its text."""

    path: Path
    header: Sequence[str]
    separator: str


def open_rows(path: Path) -> Opened:
    """Read the header of a CSV file.

    Raises
    ------
    EstimatorError
        No such file, no regular file, no text, or no header.
    """
    head = _head(path)
    if not head.strip():
        raise EstimatorError(f"'{path}' is empty; {_WHAT}")
    if b"\0" in head:
        raise EstimatorError(f"'{path}' is not a text file in UTF-8; {_WHAT}")
    line = head.decode("utf-8-sig", errors="replace").splitlines()[0]
    separator = max(",;\t", key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=separator))]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise EstimatorError(f"'{path}': the column '{twice[0]}' stands twice in the header")
    return Opened(path, names, separator)


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():  # a device or a pipe could hang
            problem = "is not a regular file" if path.exists() else "does not exist"
            raise EstimatorError(f"'{path}' {problem}; {_WHAT}")
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise EstimatorError(f"'{path}' cannot be read ({error.strerror}); {_WHAT}") from None


def tables(opened: Opened, size: int = PIECE) -> Iterator[Table]:
    """Yield the rows of a file as tables of at most ``size`` rows; each has the line that it starts on in ``line``.

    Raises
    ------
    EstimatorError
        The file cannot be read any further.
    """
    try:
        with opened.path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            yield from _pieces(opened, stream, size)
    except OSError as error:
        raise EstimatorError(f"'{opened.path}' cannot be read ({error.strerror})") from None


def _pieces(opened: Opened, stream: IO[str], size: int) -> Iterator[Table]:
    rows: list[Sequence[str]] = []
    lines: list[int] = []
    faults: dict[int, Fault] = {}
    for line, cells in _lines(opened, stream):
        fault = _fault(opened, cells)
        if cells is None or fault:
            faults[len(rows)] = fault or Fault("the line is no CSV")
        rows.append([""] * len(opened.header) if cells is None or fault else cells)
        lines.append(line)
        if len(rows) == size:
            yield _table(opened, rows, lines, faults)
            rows, lines, faults = [], [], {}
    if rows:
        yield _table(opened, rows, lines, faults)


def _lines(opened: Opened, stream: IO[str]) -> Iterator[tuple[int, Sequence[str] | None]]:
    """Yield line number and cells of every row below the header; nothing in place of cells that are no CSV."""
    reader = csv.reader(stream, delimiter=opened.separator)
    next(reader, None)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            continue
        if cells:
            yield line, cells


def _fault(opened: Opened, cells: Sequence[str] | None) -> Fault | None:
    if cells is None or len(cells) == len(opened.header):
        return None
    detail = f"{len(cells)} cells under {len(opened.header)} columns"
    return Fault("more or fewer cells than columns", detail)


def _table(
    opened: Opened, rows: Sequence[Sequence[str]], lines: Sequence[int], faults: Mapping[int, Fault]
) -> Table:
    columns = dict(zip(opened.header, zip(*rows, strict=True), strict=True))
    table = Table({**columns, _LINE: [str(line) for line in lines]}, len(rows))
    for place, fault in faults.items():
        table.fault(place, fault)
    return table
