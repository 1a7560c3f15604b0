"""A sweep as a table: a row a cell, a column an input that varies, a quantity, an end of its range, or the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import units
from ..errors import EstimatorError
from ..estimate import UNITS
from ..inputs.money import Money
from ..tuples import NamedTuple
from ..units import Price
from .cells import FITS, Chunk, Codes
from .grid import Values
from .sweep import Sweep

# Units in which inputs are shown; an input that is no quantity is a pure number or a word.
_INPUTS = {
    "price": "currency/accelerator/hour", "within": "s", "power": "W", "dataset_tokens": "token",
    "checkpoint_bandwidth": "byte/s", "link": "Gbit/s", "scaleout_bandwidth": "byte/accelerator/s",
}  # fmt: skip
REASON = "reason"
# So many numbers are held at once, 2 GiB; a file has no such bound.
MOST_NUMBERS = 1 << 28
# Digits of an input that is shown in another unit than it is counted in: 1.5 and not 1.4999999999999998.
_DIGITS = 12


class Coded(NamedTuple):
    """A column of words, each written once: a code for each row, and the words."""

    codes: Codes
    words: tuple[str, ...]


class Column(NamedTuple):
    """Name and unit of a column; a column of words has no unit."""

    name: str
    unit: str

    @property
    def header(self) -> str:
        """Name and unit in one, for files that keep no unit beside it.

        Examples
        --------
        >>> Column("cost", "USD").header, Column("mfu", "1").header
        ('cost [USD]', 'mfu')
        """
        return f"{self.name} [{self.unit}]" if self.unit not in ("", "1") else self.name


Cells = Mapping[str, Values | Coded]


class Rows(NamedTuple):
    """What turns a chunk into rows, in the units in which quantities are shown; it goes to other processes alone."""

    labels: Mapping[str, tuple[int, Values | Coded]]
    quantities: Mapping[str, str]
    ranged: Mapping[str, str]
    columns: tuple[Column, ...]

    def __call__(self, chunk: Chunk) -> dict[str, Values | Coded]:
        """Return the columns of the cells of a chunk."""
        shape = chunk.reason.shape
        found: dict[str, Values | Coded] = {}
        for name, (place, label) in self.labels.items():
            sizes = [1] * len(shape)
            sizes[place] = shape[place]
            part = label.codes if isinstance(label, Coded) else label
            full: Any = np.broadcast_to(part[chunk.box[place]].reshape(sizes), shape).reshape(-1)
            found[name] = Coded(full, label.words) if isinstance(label, Coded) else full
        for name, unit in self.quantities.items():
            found[name] = shown(chunk.values[name], unit).reshape(-1)
        for name, unit in self.ranged.items():
            found[f"{name}_low"] = shown(chunk.low[name], unit).reshape(-1)
            found[f"{name}_high"] = shown(chunk.high[name], unit).reshape(-1)
        found[REASON] = Coded(chunk.reason.reshape(-1), chunk.reasons)
        return {column.name: found[column.name] for column in self.columns}


class Table:
    """The columns of a sweep, and its chunks as rows of them."""

    def __init__(self, sweep: Sweep) -> None:
        """Read the axes once."""
        self.sweep = sweep
        self.labels = {
            name: (place, labels(values, self._unit(name)))
            for place, axis in enumerate(sweep.axes)
            for name, values in axis.values.items()
        }
        wanted = [name for name in sweep.wanted.quantities if name not in self.labels]
        self.quantities = {name: self._unit(name) for name in wanted}
        self.ranged = {name: self._unit(name) for name in sweep.wanted.ranged}
        self.columns = self._columns()
        self.rows = Rows(self.labels, self.quantities, self.ranged, self.columns)

    def _unit(self, name: str) -> str:
        name = name.rpartition(".")[2]  # of a pool of a fleet
        unit = "1" if name == FITS else _INPUTS.get(name) or UNITS.get(name, "1")
        return unit.replace("currency", self.sweep.currency) if self.sweep.currency else unit

    def _columns(self) -> tuple[Column, ...]:
        """Return every column in its order: what varies, quantities each with its ends, and the reason."""
        found = [
            Column(name, "" if isinstance(label, Coded) else self._unit(name))
            for name, (_, label) in self.labels.items()
        ]
        for name, unit in {**self.quantities, **self.ranged}.items():
            found += [Column(name, unit)] * (name in self.quantities)
            found += [Column(f"{name}_{end}", unit) for end in ("low", "high") if name in self.ranged]
        return (*found, Column(REASON, ""))

    def whole(self) -> dict[str, Values | Coded]:
        """Return every row at once.

        Raises
        ------
        EstimatorError
            They are too many to be held.
        """
        bounded(self.sweep, len(self.columns))
        parts = [self.rows(chunk) for chunk in self.sweep.chunks()]
        return {column.name: _joined([part[column.name] for part in parts]) for column in self.columns}


def bounded(sweep: Sweep, columns: int) -> None:
    """Refuse to hold more numbers than fit in the memory of a usual machine."""
    if sweep.size * columns > MOST_NUMBERS:
        raise EstimatorError(
            f"--vary: {sweep.size:,} cells of {columns} columns are more than can be held at once; write them to a "
            "file with -o out.parquet, or take them chunk by chunk"
        )


def _joined(parts: Sequence[Values | Coded]) -> Values | Coded:
    first = parts[0]
    if isinstance(first, Coded):
        return Coded(np.concatenate([part.codes for part in parts if isinstance(part, Coded)]), first.words)
    return np.concatenate([part for part in parts if not isinstance(part, Coded)])


def shown(value: Values, unit: str) -> Values:
    """Return values in the unit in which they are shown; where the currency varies, money as it is."""
    return np.asarray(units.to_unit(value, unit.replace("currency", "USD")))


def labels(values: Sequence[Any], unit: str) -> Values | Coded:
    """Return the values of an input as numbers in the unit in which they are shown, or as words.

    Prices are words where they are not all of the currency of the answer and per accelerator.
    """
    if all(isinstance(value, float) for value in values):
        return _rounded(np.array(values), unit)
    if all(isinstance(value, Price) and f"{value.currency}/{value.per}/hour" == unit for value in values):
        return _rounded(np.array([value.rate for value in values]), unit)
    words = [value.write() if isinstance(value, (Price, Money)) else _word(value) for value in values]
    places = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return Coded(np.array([places[word] for word in words], dtype=np.int32), tuple(places))


def _rounded(values: npt.NDArray[np.float64], unit: str) -> Values:
    factor = units.unit_bases(unit.replace("currency", "USD"))[0]
    if factor == 1.0:
        return values
    return np.array([float(f"{value:.{_DIGITS}g}") for value in (values / factor).tolist()])


def _word(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def records(cells: Cells) -> Iterator[tuple[float | str | None, ...]]:
    """Yield rows of plain numbers and words; None where a number is not finite, which CSV and JSON cannot hold."""
    return zip(*(_plain(cell) for cell in cells.values()), strict=True)


def _plain(cell: Values | Coded) -> list[float | str | None]:
    if isinstance(cell, Coded):
        return [cell.words[code] for code in cell.codes.tolist()]
    numbers: list[float | str | None] = cell.tolist()
    for place in np.flatnonzero(~np.isfinite(cell)).tolist():
        numbers[place] = None
    return numbers
