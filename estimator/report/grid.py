"""A grid of text cells as an aligned table, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


def display_width(text: str) -> int:
    """Return the columns a terminal gives a text: two a wide East Asian character, none a combining mark.

    Examples
    --------
    >>> display_width("1,000 cards"), display_width("千卡")
    (11, 4)
    """
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(cell: str, width: int) -> str:
    # str.ljust counts characters, which leaves a row with Chinese in it ragged.
    return cell + " " * (width - display_width(cell))


@dataclass(frozen=True, slots=True)
class Grid:
    """Headers and rows of text."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self, indent: str = "") -> str:
        """Return columns aligned by spaces; the last is left ragged."""
        cells = [self.headers, *self.rows] if any(self.headers) else list(self.rows)
        widths = [
            max((display_width(row[column]) for row in cells), default=0)
            for column in range(len(self.headers))
        ]
        lines = (
            "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in cells
        )
        return "\n".join((indent + line).rstrip() for line in lines)

    def csv(self) -> str:
        """Return comma-separated rows under their headers."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.headers)
        writer.writerows(self.rows)
        return stream.getvalue().rstrip("\n")

    def markdown(self) -> str:
        """Return a Markdown table."""
        lines = [self.headers, ["---"] * len(self.headers), *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)

    def write(self, format: str) -> str:
        """Return the grid in one of the three formats."""
        return {"table": self.table, "csv": self.csv, "markdown": self.markdown}[format]()
