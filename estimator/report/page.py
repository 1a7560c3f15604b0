"""A page: paragraphs and grids for people, rows for CSV, a document for JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..tuples import NamedTuple
from .grid import Grid

FORMATS = ("table", "json", "csv", "markdown")


class Page(NamedTuple):
    """One answer in the shapes that it is written in.

    ``parts`` are read by people, one after the other; ``rows`` hold the same with full precision.
    """

    parts: Sequence[str | Grid]
    rows: Grid
    document: Mapping[str, Any]

    def write(self, format: str) -> str:
        """Return the page in one of `FORMATS`.

        Examples
        --------
        >>> page = Page(["One chip."], Grid(["id"], [["a100"]]), {"id": "a100"})
        >>> page.write("csv").split(), page.write("markdown")
        (['id', 'a100'], 'One chip.')
        """
        if format == "json":
            return json.dumps(self.document, indent=2, ensure_ascii=False, allow_nan=False)
        if format == "csv":
            return self.rows.csv()
        return "\n\n".join(_text(part, format) for part in self.parts if part)


def _text(part: str | Grid, format: str) -> str:
    return part if isinstance(part, str) else part.write(format)


def one_line(text: object) -> str:
    """Return a text without line breaks, as a cell of a table must be.

    Examples
    --------
    >>> one_line("two   spaces")
    'two spaces'
    """
    return " ".join(str(text).split())
