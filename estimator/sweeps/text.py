"""CSV and JSON lines: text that any program reads, a line a cell."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from .table import Cells, Column, records


def write_csv(stream: TextIO, cells: Cells) -> None:
    """Write cells as rows of a CSV file; what is not known is left empty."""
    csv.writer(stream, lineterminator="\n").writerows(records(cells))


def csv_head(columns: Sequence[Column]) -> str:
    """Return the first line of a CSV file: names, with their units in brackets.

    Examples
    --------
    >>> csv_head([Column("on", ""), Column("cost", "USD")])
    'on,cost [USD]\\n'
    """
    return ",".join(column.header for column in columns) + "\n"


def write_lines(stream: TextIO, cells: Cells, columns: Sequence[Column]) -> None:
    """Write cells as JSON, an object a line; what is not known is null."""
    names = [column.header for column in columns]
    for row in records(cells):
        stream.write(
            json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, allow_nan=False) + "\n"
        )


class Text:
    """Parts are files of so many lines, and the file has them one after the other, below a head if it has one."""

    def __init__(self, columns: Sequence[Column], suffix: str) -> None:
        """Hold what every part has in common."""
        self.columns, self.suffix = columns, suffix

    def part(self, stream: BinaryIO, cells: Cells) -> None:
        """Write one part."""
        text = TextIOWrapper(stream, encoding="utf-8", newline="")
        if self.suffix == ".csv":
            write_csv(text, cells)
        else:
            write_lines(text, cells, self.columns)
        text.detach()

    def rows(self, path: Path) -> int:
        """Return how many lines a part has; none where it does not end with one."""
        lines, last = 0, b""
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                lines, last = lines + block.count(b"\n"), block
        return lines if last.endswith(b"\n") else 0

    def join(self, parts: Iterable[Path], path: Path) -> None:
        """Write the file from its parts."""
        with path.open("wb") as stream:
            if self.suffix == ".csv":
                stream.write(csv_head(self.columns).encode())
            for part in parts:
                with part.open("rb") as read:
                    while block := read.read(1 << 20):
                        stream.write(block)

    def is_whole(self, path: Path, first: bytes, size: int) -> bool:
        """Tell whether a file begins with its head and a first part, and has a line for each of so many cells.

        Text does not say what it answers; that its beginning is the same, number by number, does.
        """
        head = csv_head(self.columns).encode() if self.suffix == ".csv" else b""
        with path.open("rb") as stream:
            same = stream.read(len(head) + len(first)) == head + first
        return same and self.rows(path) == size + head.count(b"\n")
