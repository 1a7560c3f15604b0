"""Measured steps read from a user's file, to be learnt from; what is wrong with the others is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from .case import Case
from .errors import EstimatorError
from .estimate import evaluate
from .learn import Floats, noise_of
from .measured.cases import Lowered, lower_rows
from .measured.reading import PIECE, Opened, open_rows, tables
from .measured.rows import throughput_of_table
from .measured.table import Fault, Table
from .plan import planned
from .presets import Presets
from .tuples import NamedTuple
from .validate import KINDS, kind_of, screened

# More rows than this teach nothing more, and are not read.
MOST = 20_000
# So many skipped rows are kept with their reasons.
_TOLD = 20


class Step(NamedTuple):
    """One measured row that can be learnt from: its columns in the order of `OwnRows.names`, and what was measured.

    ``year`` is that of its software as printed, else NaN.
    """

    id: str
    columns: Floats
    levels: Mapping[str, str]
    throughput: float
    noise: float
    year: float


class OwnRows:
    """A file of measured steps, and what became of its rows so far."""

    def __init__(self, path: Path, presets: Presets) -> None:
        """Read the header.

        Raises
        ------
        EstimatorError
            The file is no CSV of measured steps.
        """
        self.opened: Opened = open_rows(path)
        self.kind = kind_of(path, self.opened.header)
        if self.kind is not KINDS[0]:
            raise EstimatorError(
                f"'{path}' holds measured {self.kind.name}, and only steps teach: "
                f"the header needs {' or '.join(KINDS[0].targets)}"
            )
        self.presets = presets
        self.farthest = presets.load("assumptions", "own-steps").value("farthest")
        self.names: tuple[str, ...] = ()
        self.rows, self.unread = 0, False
        self.skipped: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []

    def steps(self) -> Iterator[Step]:
        """Yield the rows that can be learnt from, as long as more of them teach more.

        Raises
        ------
        EstimatorError
            The file holds no row, or cannot be read any further.
        """
        for table in tables(self.opened, PIECE):
            if self.rows >= MOST:
                self.unread = True
                break
            self.rows += table.size
            yield from self._steps(table)
        if not self.rows:
            raise EstimatorError(f"'{self.opened.path}' holds a header and no rows")

    def _steps(self, table: Table) -> Sequence[Step]:
        """Return the steps of one table, lowered and evaluated together."""
        screened(table, self.kind)
        measured = throughput_of_table(table)
        table.fault_where(np.isnan(measured), Fault("no target", "nothing measured is printed"))
        lowered = lower_rows(table, self.presets)
        lowered = lowered._replace(case=planned(lowered.case))
        found: Sequence[Step] = []
        if lowered.kept.size:
            self._judge(table, lowered, measured)
            self.names = tuple(lowered.case.columns)
            found = _found(table, lowered, measured)
        self._count(table)
        return found

    def _judge(self, table: Table, lowered: Lowered, measured: Floats) -> None:
        """Note the rows that have no prediction, and those so far from it that their unit must be another."""
        speed = np.asarray(evaluate(lowered.case).values["throughput_per_accelerator"])
        for place, predicted in zip(map(int, lowered.kept), speed.tolist(), strict=True):
            if not 0.0 < predicted < np.inf:
                table.fault(place, Fault("no estimate", "the formulas give no finite number"))
                continue
            ratio = float(measured[place]) / predicted
            if not 1.0 / self.farthest <= ratio <= self.farthest:
                detail = f"{measured[place]:.4g} token/s an accelerator, where {predicted:.4g} is predicted"
                table.fault(
                    place, Fault(f"more than {self.farthest:g} times off: is its unit right?", detail)
                )

    def _count(self, table: Table) -> None:
        for place, fault in enumerate(table.faults):
            if fault:
                self.skipped[fault.kind] += 1
                if len(self.told) < _TOLD:
                    self.told.append((_name(table, place), fault.write()))


def _name(table: Table, place: int) -> str:
    return table.text("id")[place] or f"line {table.text('line')[place]}"


def _found(table: Table, lowered: Lowered, measured: Floats) -> Sequence[Step]:
    """Return the rows without a fault."""
    case = lowered.case
    columns, noise = _matrix(case, lowered.kept.size), noise_of(case)
    silent = lowered.assumed.get("stack_year", np.zeros(table.size, dtype=bool))
    years = np.broadcast_to(case.columns["stack_year"], lowered.kept.shape)
    return [
        Step(
            _name(table, place), columns[at], lowered.levels[place], float(measured[place]), float(noise[at]),
            float("nan") if silent[place] else float(years[at]),
        )
        for at, place in enumerate(map(int, lowered.kept))
        if table.faults[place] is None
    ]  # fmt: skip


def _matrix(case: Case, size: int) -> Floats:
    return np.array([np.broadcast_to(column, (size,)) for column in case.columns.values()]).T
