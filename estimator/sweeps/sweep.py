"""A sweep: a question, what varies of it, and the quantities wanted; computed in chunks of bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..case import Case
from ..errors import EstimatorError, QuestionError, near_misses
from ..estimate import UNITS
from ..inputs import Run
from ..inputs.run import write_input
from ..kinds import RUN, Kind, kind_of, written
from ..presets import Presets
from ..workers import Given, Team, Where, opened, read
from .axes import MOST_QUESTIONS, Axis, Vary, axes_of, cells_of, thinned
from .cells import FITS, Cells, Chunk, Wanted, searched
from .grid import Box, Grid, boxes, direct_columns
from .lowered import Questions, lowered

if TYPE_CHECKING:
    from ..inputs.fleet import FleetQuestion

# Cells of a chunk: some arrays of so many numbers fit in the memory of any machine, and a call is soon paid back.
CHUNK = 1 << 18
# So many searches of a layout or a count a chunk take some seconds: no more is lost where a run is stopped.
_SEARCHES = 2048
Told = Callable[[str, int, int], None]
Made = TypeVar("Made")


def sweep(
    question: Run | FleetQuestion | Mapping[str, Any],
    vary: Mapping[str, Any] | Vary,
    *,
    wanted: Wanted | Sequence[str] = (),
    presets: Presets | None = None,
    cluster: Given = None,
) -> Sweep:
    """Ask a question at every combination of some inputs' values.

    Parameters
    ----------
    question
        What all cells share, of a run or of a fleet; the inputs that vary are left out, but for those of a pool.
    vary
        Inputs with their values: a list, an array, or text like ``512:8192:x2`` or ``h100,a100``; of a pool by its
        letter, like ``A.count``; with those that are linked, or how many of all cells to answer, as a `Vary`.
    wanted
        Names of quantities, or those with and those without a range as a `Wanted`; the main ones where it is empty.
    presets
        The records.
    cluster
        Where to compute, if not here: a number of processes, ``local:2`` or ``tcp://head-node:8786`` for Dask, or a
        ``dask.distributed.Client``.

    Raises
    ------
    QuestionError
        All that is wrong with the question or with what varies, before anything is computed.

    Examples
    --------
    >>> found = sweep({"params": "7B", "count": 64}, {"price": "1,2 USD/gpu/hour", "mfu": [0.4, 0.5]})
    >>> found.shape
    (2, 2)
    >>> cost = next(found.chunks()).values["cost"]
    >>> bool(cost[1, 0] == 2 * cost[0, 0])
    True
    """
    records, where = presets or Presets(), read(cluster)
    given = written(question)
    kind = kind_of(given)
    vary = vary if isinstance(vary, Vary) else Vary(vary)
    axes = axes_of(vary, given, records, kind.fields(given))
    axes = axes if vary.thin is None else thinned(axes, int(vary.thin))
    first = {name: write_input(name, values[0]) for axis in axes for name, values in axis.values.items()}
    kind.read({**given, **first}, records)
    wanted = (
        wanted
        if isinstance(wanted, Wanted)
        else Wanted.usual(wanted, given.keys() | vary.values.keys(), kind)
    )
    return Sweep(given, axes, _checked(wanted, kind), records, where)


def _checked(wanted: Wanted, kind: Kind) -> Wanted:
    """Return the quantities asked for.

    Raises
    ------
    QuestionError
        One that there is not, or that has no range.
    """
    known = list(kind.quantities)
    shown = [*(UNITS if kind is RUN else known), FITS]
    told = "a fleet has no quantity" if kind.axes else "there is no quantity"
    faults = [
        f"--show: {told} '{name}'{near_misses(name, shown)}"
        for name in wanted.quantities
        if name not in shown
    ]
    faults += [
        f"--range: '{name}' is no quantity that has a range{near_misses(name, known)}"
        for name in wanted.ranged
        if name not in known
    ]
    if faults:
        raise QuestionError(faults)
    return wanted


class Sweep:
    """A grid of questions: its axes, its shape, and its cells in chunks."""

    def __init__(
        self, given: Mapping[str, Any], axes: Sequence[Axis], wanted: Wanted, presets: Presets, where: Where
    ) -> None:
        """Hold what is asked; nothing is computed yet."""
        self.given, self.axes, self.wanted, self.presets = dict(given), tuple(axes), wanted, presets
        self.where, self.kind = where, kind_of(given)
        self.shape = tuple(axis.size for axis in axes)
        self.size = cells_of(axes)

    @cached_property
    def currency(self) -> str:
        """The currency of the answers; empty where it varies."""
        if any("currency" in axis.values for axis in self.axes):
            return ""
        usual: Mapping[str, Any] = self.presets.load("assumptions", "defaults").words["choices"]["currency"]
        return str(self.given.get("currency") or usual["value"])

    @cached_property
    def grid(self) -> Grid:
        """Which inputs are columns, and which are lowered.

        Raises
        ------
        EstimatorError
            Too many distinct questions would have to be lowered.
        """
        grid = Grid(self.axes, self._direct())
        if grid.questions > MOST_QUESTIONS:
            named = ", ".join(self.axes[place].name for place in grid.lowered)
            raise EstimatorError(
                f"--vary: {grid.questions:,} combinations of {named} are more than the {MOST_QUESTIONS:,} that can "
                "be read one by one; take fewer of their values, or answer a sample with --thin 100000"
            )
        return grid

    def _direct(self) -> dict[str, str]:
        """Return the inputs of the axes that are columns of their own."""
        if self.kind.direct is None:
            return direct_columns(self.axes, self.given, self.currency)
        varied = {name for axis in self.axes for name in axis.values}
        return {name: column for name, column in self.kind.direct.items() if name in varied}

    def _lower(self, inputs: Mapping[str, Any]) -> Case:
        return self.kind.lower(self.kind.read({**self.given, **inputs}, self.presets), self.presets)

    def questions(self, told: Told | None = None) -> Questions:
        """Lower every distinct question, once.

        Raises
        ------
        QuestionError
            Not one of them has an answer.
        """
        if self._questions is None:
            count = self.grid.questions

            def _told(done: int) -> None:
                if told:
                    told("questions", done, count)

            self._questions = lowered(self.grid.asked(), self._lower, self.wanted.reads(self.kind), _told)
        return self._questions

    _questions: Questions | None = None

    def usual(self) -> int:
        """Return how many cells a chunk has: fewer where a layout or a count is searched for each."""
        axes, most = searched(self.grid, self.questions()), CHUNK
        while axes and most > 1 and _places(next(boxes(self.shape, most)), axes) > _SEARCHES:
            most //= 2
        return most

    def boxes(self, most: int = CHUNK) -> list[tuple[int, Box]]:
        """Return the boxes of the chunks, each with the row of its first cell."""
        found: list[tuple[int, Box]] = []
        row = 0
        for box in boxes(self.shape, most):
            found.append((row, box))
            row += _cells(box)
        return found

    def chunks(
        self, most: int | None = None, *, which: Sequence[int] | None = None, told: Told | None = None
    ) -> Iterator[Chunk]:
        """Yield the cells in chunks, in the order of rows: the last axis runs fastest.

        What a cell says does not depend on the size of the chunks.

        Parameters
        ----------
        most
            Cells of a chunk; as many as take a second or some where it is left out.
        which
            The numbers of the chunks; all of them where it is left out.
        told
            Called with what is counted, how many are done and of how many.
        """
        with opened(self.where, told) as team:
            yield from self.made(team, self.cells(told), self.boxes(most or self.usual()), which, told)

    def cells(self, told: Told | None = None) -> Cells:
        """Return what computes a chunk of the sweep, here or in another process."""
        return Cells(self.grid, self.questions(told), self.wanted, self.kind)

    def made(
        self,
        team: Team,
        job: Callable[[tuple[int, Box]], Made],
        every: Sequence[tuple[int, Box]],
        which: Sequence[int] | None,
        told: Told | None,
    ) -> Generator[Made]:
        """Yield what a team makes of some boxes, in their order, whoever of it is first."""
        chosen = every if which is None else [every[number] for number in which]
        done = self.size - sum(_cells(box) for _, box in chosen)
        with closing(team.map(job, chosen)) as results:  # whatever stops it, workers stop too
            for (_, box), result in zip(chosen, results, strict=True):
                yield result
                done += _cells(box)
                if told:
                    told("cells", done, self.size)

    def table(self) -> dict[str, Any]:
        """Return every cell as columns by name, in the units in which quantities are shown, words as words.

        Raises
        ------
        EstimatorError
            The cells are too many to be held.
        """
        from .table import Coded, Table

        whole = Table(self).whole()
        return {
            name: [cell.words[code] for code in cell.codes] if isinstance(cell, Coded) else cell
            for name, cell in whole.items()
        }

    def dataset(self) -> Any:
        """Return every cell as an `xarray.Dataset`, a dimension an axis.

        Raises
        ------
        EstimatorError
            xarray is not installed, or the cells are too many to be held.
        """
        from .arrays import dataset

        return dataset(self)

    def write(self, path: str | Path, *, resume: bool = False, told: Told | None = None) -> None:
        """Write every cell to a file that ends in .parquet, .csv or .jsonl, in bounded memory.

        Raises
        ------
        EstimatorError
            The file cannot be written, or what was begun is of another question or version.
        """
        from .store import write

        write(self, Path(path), resume=resume, told=told)


def _cells(box: Box) -> int:
    return _places(box, range(len(box)))


def _places(box: Box, axes: Iterable[int]) -> int:
    return math.prod(box[axis].stop - box[axis].start for axis in axes)
