"""The case of many rows in the making: values, the ends of what was assumed, and which rows assumed it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..case import Case, Unknown
from .table import Floats, Mask, Places, Table


class RowDraft:
    """Columns of one length, each put in once; what a row did not print is noted with its range."""

    def __init__(self, table: Table) -> None:
        """Start empty for the rows of a table; ``free`` names the parts of the layout that no row prints."""
        self.table = table
        self.columns: dict[str, Floats] = {}
        self.assumed: dict[str, Mask] = {}
        self.free: set[str] = set()
        self._low: dict[str, dict[str, Floats]] = {}
        self._high: dict[str, dict[str, Floats]] = {}

    def put(self, name: str, values: Floats | float) -> None:
        """Set one column; a single number stands for all rows."""
        self.columns[name] = np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), self.table.size))

    def between(self, unknown: str, name: str, low: Floats | float, high: Floats | float) -> None:
        """Say between which ends a column lies as part of an unknown; where both are its value nothing is unknown."""
        value = self.columns[name]
        low, high = (np.where(np.isnan(end), value, end) + 0.0 * value for end in (low, high))
        if np.any((low != value) | (high != value)):
            self._low.setdefault(unknown, {})[name] = low
            self._high.setdefault(unknown, {})[name] = high

    def note(self, name: str, mask: Mask) -> None:
        """Note which rows an input was assumed for."""
        if np.any(mask):
            self.assumed[name] = self.assumed.get(name, np.zeros(self.table.size, dtype=bool)) | mask

    def printed(self, name: str, cell: str, blank: Mapping[str, float | Floats]) -> None:
        """Set a column from a cell; blank cells take a value between two ends, and that is noted."""
        values = self.table.number(cell)
        empty = np.isnan(values)
        self.put(name, np.where(empty, blank["value"], values))
        self.note(name, empty)
        if "low" in blank:
            ends = (np.where(empty, blank[end], values) for end in ("low", "high"))
            self.between(name, name, *ends)

    def flag(self, name: str, printed: Floats, blank: Floats) -> None:
        """Set a column of ones and zeros; where none is printed the usual one is taken and noted, without a range."""
        self.put(name, np.where(np.isnan(printed), blank, printed))
        self.note(name, np.isnan(printed))

    def replace(self, name: str, rows: Mask, value: float) -> None:
        """Set a column of some rows to what is known for good: their range ends with it."""
        self.put(name, np.where(rows, value, self.columns[name]))
        for sides in (self._low, self._high):
            for ends in sides.values():
                if name in ends:
                    ends[name] = np.where(rows, value, ends[name])

    def case(self, kept: Places, words: Mapping[str, str]) -> Case:
        """Return the case of the rows kept."""
        unknowns = tuple(
            Unknown(name, _rows(low, kept), _rows(self._high[name], kept)) for name, low in self._low.items()
        )
        return Case(_rows(self.columns, kept), unknowns=unknowns, words=words, free=frozenset(self.free))


def _rows(columns: Mapping[str, Floats], kept: Places) -> dict[str, Floats]:
    return {name: values[kept] for name, values in columns.items()}
