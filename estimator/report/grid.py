"""A grid of text cells as an aligned table, CSV or Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """Headers and rows of text."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self, indent: str = "") -> str:
        """Return columns aligned by spaces; the last is left ragged."""
        cells = [self.headers, *self.rows] if any(self.headers) else list(self.rows)
        widths = [max((len(row[column]) for row in cells), default=0) for column in range(len(self.headers))]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
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
