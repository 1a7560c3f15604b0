"""Measured rows against what is estimated of them: row by row, and in a summary of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from . import ranges
from .arrays import Array
from .errors import EstimatorError
from .estimate import evaluate
from .measured.cases import Lowered, lower_rows
from .measured.memory import lower_memory, printed_peaks
from .measured.reading import PIECE, open_rows, tables
from .measured.rows import throughput_of_table
from .measured.runs import lower_runs, printed_hours
from .measured.table import Fault, Floats, Table
from .plan import planned
from .presets import Presets
from .scores import Scores
from .tuples import NamedTuple

_HOUR = 3600.0


class Screen(NamedTuple):
    """A rule of what counts as a measurement of its kind: a column, what it must say, and where it is not asked."""

    column: str
    wanted: tuple[str, ...]
    blank: bool = True
    unless: tuple[str, str] = ("", "")

    def refuses(self, cell: str, other: str) -> bool:
        """Tell whether a cell says otherwise, and the cell beside it does not excuse it."""
        return not ((not cell and self.blank) or cell in self.wanted or (other and other == self.unless[1]))


class Kind(NamedTuple):
    """A kind of measured rows: the columns that tell it, how it is lowered, and the quantity that foretells it.

    ``unit`` is what measured and foretold values are shown in, ``house`` how many house units that is.
    """

    name: str
    targets: tuple[str, ...]
    unit: str
    house: float
    quantity: str
    lower: Callable[[Table, Presets], Lowered]
    measured: Callable[[Table], Floats]
    screens: tuple[Screen, ...]

    @property
    def has_baseline(self) -> bool:
        """Whether one MFU foretells this kind: it says nothing of memory."""
        return self.name != "memory"


KINDS = (
    Kind(
        "throughput", ("tokens_per_s_per_accelerator", "iter_time_s"), "token/s per accelerator", 1.0,
        "throughput_per_accelerator", lower_rows, throughput_of_table,
        (
            Screen("task", ("pretrain",)), Screen("complete", ("full",)),
            Screen("check", ("ok", "n.a."), unless=("check_detail", "flops_only")),
        ),
    ),
    Kind(
        "memory", ("peak_memory_bytes_per_device",), "byte per accelerator", 1.0, "memory", lower_memory,
        printed_peaks, (Screen("kind", ("measured",)),),
    ),
    Kind(
        "runs", ("accelerator_hours",), "accelerator-hours", _HOUR, "occupied_hours", lower_runs,
        printed_hours,
        (Screen("scored", ("True", "true")), Screen("accounting", ("productive", "occupied"), blank=False)),
    ),
)  # fmt: skip


class Row(NamedTuple):
    """One measured row: what was measured, what is foretold, and why it is not where it is not.

    NaN where there is nothing; ``assumed`` names the inputs that the row does not print.
    """

    id: str
    measured: float
    predicted: float
    low: float
    high: float
    reason: str
    assumed: Sequence[str]

    @property
    def status(self) -> str:
        """Whether the row is scored or skipped."""
        return "skipped" if self.reason else "scored"


class Validation:
    """A file of measured rows, and what was found of those that have been read so far."""

    def __init__(self, path: Path, presets: Presets, piece: int = PIECE) -> None:
        """Read the header of a file and tell its kind.

        Raises
        ------
        EstimatorError
            The file is no CSV, or no column tells what was measured.
        """
        self.opened = open_rows(path)
        self.kind = kind_of(path, self.opened.header)
        self.presets, self.piece = presets, piece
        self.scores = Scores()
        self.rows = 0
        self.skipped: Counter[str] = Counter()
        self.screened: Counter[str] = Counter()

    def pieces(self) -> Iterator[Sequence[Row]]:
        """Yield the rows, some at a time; the summary grows with them.

        Raises
        ------
        EstimatorError
            The file holds no row, or cannot be read any further.
        """
        for table in tables(self.opened, self.piece):
            yield self._piece(table)
        if not self.rows:
            raise EstimatorError(f"'{self.opened.path}' holds a header and no rows")

    def _piece(self, table: Table) -> Sequence[Row]:
        """Foretell the rows of one table in one evaluation."""
        self.rows += table.size
        refused = screened(table, self.kind)
        measured = self.kind.measured(table)
        table.fault_where(np.isnan(measured), Fault("no target", "nothing measured is printed"))
        lowered = self.kind.lower(table, self.presets)
        found = _foretold(lowered, self.kind)
        wrong = lowered.kept[~np.all(np.isfinite(found) & (found > 0.0), axis=0)]
        for place in map(int, wrong):
            table.fault(place, Fault("no estimate", "the formulas give no finite number"))
        for place, fault in enumerate(table.faults):
            if fault:
                (self.screened if refused[place] else self.skipped)[fault.kind] += 1
        self._score(table, lowered, measured, found)
        return _rows(table, lowered, measured, found[:3] / self.kind.house)

    def _score(self, table: Table, lowered: Lowered, measured: Floats, found: Floats) -> None:
        """Add the rows of one table to the scores."""
        good = np.array([table.faults[place] is None for place in map(int, lowered.kept)], dtype=bool)
        kept = [int(place) for place in lowered.kept[good]]
        sources = table.text("source") if "source" in table.cells else table.text("source_repo_or_page")
        groups = {
            "source": [sources[place] for place in kept],
            "accelerator": [lowered.chips[place][0] for place in kept],
        }
        self.scores.add(measured[kept], found[:, good] / self.kind.house, groups)


def kind_of(path: Path, header: Sequence[str]) -> Kind:
    """Return the kind of measured rows that a header tells of.

    Parameters
    ----------
    path
        The file, for the error.
    header
        Names of its columns.

    Raises
    ------
    EstimatorError
        No column, or the columns of several kinds, tell what was measured.

    Examples
    --------
    >>> kind_of(Path("mine.csv"), ["id", "iter_time_s"]).name
    'throughput'
    """
    found = [kind for kind in KINDS if set(kind.targets) & set(header)]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{kind.name}: {' or '.join(kind.targets)}" for kind in KINDS)
    problem = "more than one column tells" if found else "no column tells"
    raise EstimatorError(f"'{path}': {problem} what was measured; the header needs one of these ({known})")


def screened(table: Table, kind: Kind) -> Sequence[bool]:
    """Note the rows that are no measurement of their kind, and tell which they are."""
    broken = [fault is not None for fault in table.faults]
    for screen in kind.screens:
        if screen.column not in table.cells:
            continue
        pairs = zip(table.text(screen.column), table.text(screen.unless[0]), strict=True)
        for place, (cell, other) in enumerate(pairs):
            if screen.refuses(cell, other):
                wanted = " or ".join(screen.wanted)
                table.fault(place, Fault(f"{screen.column} is not {wanted}", f"'{cell[:40]}'"))
    return [fault is not None and not was for fault, was in zip(table.faults, broken, strict=True)]


def _foretold(lowered: Lowered, kind: Kind) -> Floats:
    """Return value, low and high end of the rows of a case, and what constant MFU gives; in house units."""
    if not lowered.kept.size:
        return np.empty((4, 0))
    case = planned(lowered.case)
    spread = evaluate(ranges.spread(case)).values
    names = (kind.quantity, "flops_per_token")
    found = ranges.points({name: spread[name] for name in names}, case)
    low, high = ranges.around(found[kind.quantity])
    baseline = _constant_mfu(case.columns, found["flops_per_token"][..., 0], kind)
    return np.array([np.asarray(each) for each in (found[kind.quantity][..., 0], low, high, baseline)])


def _constant_mfu(columns: Mapping[str, Array], cost: Array, kind: Kind) -> Array:
    """Return what one MFU an accelerator and precision foretells: its speed, or the time at that speed."""
    speed = columns["peak"] * columns["average_mfu"] / cost
    return columns["tokens"] / speed if kind.name == "runs" else speed


def _rows(table: Table, lowered: Lowered, measured: Floats, found: Floats) -> Sequence[Row]:
    """Return every row of a table in its order."""
    index = {int(place): at for at, place in enumerate(lowered.kept)}
    names = table.text("id")
    rows: list[Row] = []
    for place, fault in enumerate(table.faults):
        name = names[place] or f"line {table.text('line')[place]}"
        value, low, high = found[:, index[place]] if fault is None else (np.nan, np.nan, np.nan)
        reason = fault.write() if fault else ""
        assumed = [] if fault else lowered.assumptions(place)
        rows.append(Row(name, float(measured[place]), float(value), float(low), float(high), reason, assumed))
    return rows
