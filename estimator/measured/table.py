"""Measured rows as columns: cells read as numbers once, and what is wrong with a row kept beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..tuples import NamedTuple

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[tuple[int], np.dtype[np.intp]]


class Fault(NamedTuple):
    """Why a row cannot be scored: the kind is what faults are counted by, the detail is the row's own."""

    kind: str
    detail: str = ""

    def write(self) -> str:
        """Return the reason as one text.

        Examples
        --------
        >>> Fault("no target").write(), Fault("unknown accelerator", "'b200?'").write()
        ('no target', "unknown accelerator: 'b200?'")
        """
        return f"{self.kind}: {self.detail}" if self.detail else self.kind


class Limit(NamedTuple):
    """Between which ends a number is believed, and whether it counts things."""

    least: float
    most: float
    whole: bool = False

    @property
    def words(self) -> str:
        """What a number must be."""
        if self == _ANY:
            return "a number above zero"
        return f"a {'whole number' if self.whole else 'number'} from {self.least:g} to {self.most:g}"


_DEGREE = Limit(1, 1e8, whole=True)
_SIZE = Limit(1, 1e9, whole=True)
# What a number of a column may be; columns that are not named here may be any number above zero.
LIMITS: Mapping[str, Limit] = {
    **dict.fromkeys(
        ("n_accelerators", "accelerators_per_node", "n_devices", "tp", "pp", "vpp", "dp", "cp", "ep"), _DEGREE
    ),
    **dict.fromkeys(
        ("hidden", "n_heads", "n_kv_heads", "heads", "kv_heads", "vocab", "seq_len", "micro_batch", "grad_accum",
         "global_batch_seqs", "ffn_hidden", "ffn", "experts_per_token"),
        _SIZE,
    ),
    **dict.fromkeys(("n_layers", "layers"), Limit(1, 1e6, whole=True)),
    "n_experts": Limit(0, 1e6, whole=True), "zero_stage": Limit(0, 3, whole=True),
    "lora_rank": Limit(0, 1e6, whole=True),
    "params": Limit(1e3, 1e16), "params_total": Limit(1e3, 1e16), "params_active": Limit(1e3, 1e16),
    "tokens": Limit(1, 1e19), "batch_tokens": Limit(1, 1e12), "year": Limit(1900, 2200),
}  # fmt: skip
_ANY = Limit(5e-324, 1e30)


class Table:
    """Rows by column. A row with a fault keeps its place, so that every column has one length."""

    def __init__(self, columns: Mapping[str, Sequence[str]], size: int) -> None:
        """Hold the cells as text, a sequence a column."""
        self.cells, self.size = columns, size
        self.faults: list[Fault | None] = [None] * size
        self._spelt: Mapping[str, str] = {}
        self._numbers: dict[str, Floats] = {}

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]]) -> Table:
        """Make a table of rows that are mappings."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        return cls({name: [row.get(name) or "" for row in rows] for name in names}, len(rows))

    def renamed(self, cells: Mapping[str, Sequence[str]], spelt: Mapping[str, str]) -> Table:
        """Return the same rows with some columns replaced; ``spelt`` gives the file's name of a column by ours."""
        made = Table({**self.cells, **cells}, self.size)
        made.faults, made._spelt = self.faults, spelt
        return made

    def text(self, name: str) -> Sequence[str]:
        """Return a column as text; blanks where there is no such column."""
        return self.cells.get(self._spelt.get(name, name)) or [""] * self.size

    def number(self, name: str) -> Floats:
        """Return a column as numbers, NaN where it is blank; a cell that is none is the fault of its row."""
        if name not in self._numbers:
            self._numbers[name] = self._read(name)
        return self._numbers[name]

    def _read(self, name: str) -> Floats:
        cells = self.text(name)
        values = np.array([_float(cell) if cell else math.nan for cell in cells])
        limit = LIMITS.get(name, _ANY)
        good = (values >= limit.least) & (values <= limit.most)
        if limit.whole:
            good &= values == np.floor(values)
        for place in np.flatnonzero(~good & ~np.isnan(values)).tolist():
            self.fault(
                place, Fault(f"{self._spelt.get(name, name)} is not {limit.words}", _quoted(cells[place]))
            )
        return np.where(good, values, np.nan)

    def fault(self, place: int, fault: Fault) -> None:
        """Note why a row cannot be scored; the first reason stays."""
        if self.faults[place] is None:
            self.faults[place] = fault

    def fault_where(self, mask: Mask, fault: Fault) -> None:
        """Note the same reason for all rows of a mask."""
        for place in np.flatnonzero(mask):
            self.fault(int(place), fault)


def _float(cell: str) -> float:
    """Read a cell; what is no number becomes one that no limit admits."""
    word = cell.strip()
    try:
        return -math.inf if "_" in word else float(word or "nan")
    except ValueError:
        return -math.inf


def _quoted(cell: str) -> str:
    return f"'{cell if len(cell) <= 40 else cell[:37] + '...'}'"


def distinct(*columns: Sequence[str]) -> tuple[list[tuple[str, ...]], Places]:
    """Return the distinct tuples of some columns, and for each row which of them it has.

    Examples
    --------
    >>> found, which = distinct(["a", "b", "a"], ["x", "x", "x"])
    >>> found, which.tolist()
    ([('a', 'x'), ('b', 'x')], [0, 1, 0])
    """
    codes: dict[tuple[str, ...], int] = {}
    which = [codes.setdefault(key, len(codes)) for key in zip(*columns, strict=True)]
    return list(codes), np.array(which, dtype=np.intp)
