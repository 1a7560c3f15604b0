"""A grid of text cells as an aligned table, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence

from ..tuples import NamedTuple


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


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> str:
    """Break a text between words so that lines keep to ``width`` columns, each after its indent.

    Examples
    --------
    >>> print(wrapped("the usual length of public models", 22, "- ", "  "))
    - the usual length of
      public models
    """
    lines, indent = [""], first
    for word in text.split():
        full = display_width(indent) + display_width(lines[-1]) + 1 + display_width(word) > width
        if lines[-1] and full:
            lines.append(word)
            indent = rest
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join((rest if place else first) + line for place, line in enumerate(lines))


class Grid(NamedTuple):
    """Headers and rows of text."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self) -> str:
        """Return columns aligned by spaces; the last is left ragged."""
        cells = [self.headers, *self.rows] if any(self.headers) else list(self.rows)
        widths = [
            max((display_width(row[column]) for row in cells), default=0)
            for column in range(len(self.headers))
        ]
        lines = (
            "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in cells
        )
        return "\n".join(line.rstrip() for line in lines)

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
