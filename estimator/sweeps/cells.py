"""The cells of a sweep, computed box by box: every term in its own shape, each cell as if it were asked alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import ranges
from ..answer import ends_of
from ..case import Case
from ..estimate import STEPS, Estimate, columns_of
from ..kinds import RUN, Kind
from ..tuples import NamedTuple
from .axes import Places
from .found import Found, reads_of
from .grid import Box, Grid, Values, pieces
from .lowered import Questions

Codes = npt.NDArray[np.int32]

# Places of axes along which a step itself is timed that are evaluated at once: what a processor's cache holds.
_HEAVY = 8192
_STEP = columns_of(("modelled_time", "memory"))
_STEPS = {step.name for step in STEPS}
# Whether a run fits on its cards, as 1 or 0.
FITS = "fits"
# Of what the range is told.
RANGED = ("wall_clock", "cost")
_FITS_NEEDS = ("memory", "memory_usable")
_REASON = "reason"
LATE = "no count finishes in that time: this is the fastest that was tried"
IDLE = "some accelerators are idle or wait: no layout tried shares out the batch evenly"


class Chunk(NamedTuple):
    """Cells that follow each other in the rows of a sweep, in house units; every array has the shape of the box.

    ``start`` is the row of the first; ``reason`` the place in ``reasons`` of why a cell has no number, 0 where it has.
    """

    start: int
    box: Box
    values: Mapping[str, Values]
    low: Mapping[str, Values]
    high: Mapping[str, Values]
    reason: Codes
    reasons: tuple[str, ...]


class Wanted(NamedTuple):
    """The quantities of a sweep, and those whose range is wanted too."""

    quantities: tuple[str, ...]
    ranged: tuple[str, ...]

    @classmethod
    def usual(cls, names: Iterable[str] = (), given: Iterable[str] = ("count",), kind: Kind = RUN) -> Wanted:
        """Return some quantities, or the main ones where none is named, with the ranges of time and cost among them.

        The count of a run is one where it is not given.

        Examples
        --------
        >>> Wanted.usual(["cost", "mfu"])
        Wanted(quantities=('cost', 'mfu'), ranged=('cost',))
        """
        found = () if {"count", "nodes"} & set(given) or kind.axes else ("count",)
        quantities = tuple(dict.fromkeys(names)) or (*found, *kind.usual)
        return cls(quantities, tuple(name for name in RANGED if name in quantities))

    @property
    def steps(self) -> tuple[str, ...]:
        """The quantities that `evaluate` is asked for."""
        names = [*self.quantities, *(_FITS_NEEDS if FITS in self.quantities else ())]
        return tuple(name for name in dict.fromkeys(names) if name in _STEPS)

    def reads(self, kind: Kind = RUN) -> frozenset[str]:
        """Return the columns that take part in them."""
        named = {name for name in self.quantities if name not in _STEPS}
        return kind.reads((*self.steps, *self.ranged)) | named


class Cells:
    """The cells of a grid of lowered questions."""

    def __init__(self, grid: Grid, questions: Questions, wanted: Wanted, kind: Kind = RUN) -> None:
        """Put together what every box needs."""
        self.grid, self.questions, self.wanted, self.kind = grid, questions, wanted, kind
        self.found = Found()
        self._heavy = self._axes_of_the_step()
        self.reasons = tuple(
            "; ".join(filter(None, (text, late, idle)))
            for idle in ("", IDLE)
            for late in ("", LATE)
            for text in questions.reasons
        )

    def _axes_of_the_step(self) -> list[int]:
        """Return the axes along which the step itself changes, so that its time is computed at each of their places."""
        if self.kind.heavy is not None:
            return list(range(len(self.grid.shape)))
        return sorted({*self.grid.lowered, *self.grid.along(_STEP), *searched(self.grid, self.questions)})

    def __call__(self, place: tuple[int, Box]) -> Chunk:
        """Compute the cells of a box that begin in a row; this is what a worker is given to do."""
        return self.chunk(place[1], place[0])

    def chunk(self, box: Box, start: int) -> Chunk:
        """Compute the cells of a box; arrays of one block are views in which what does not vary is held once."""
        split = list(pieces(box, self._heavy, self.kind.heavy or _HEAVY))
        blocks = [block for piece in split for block in self._blocks(piece)]
        if len(blocks) == 1 and blocks[0].answer.values:
            own = blocks[0]
            found = _Answer(
                *({name: own.view(value, box) for name, value in part.items()} for part in own.answer)
            )
        else:
            found = self._together(blocks, box)
        values, low, high, codes = found
        return Chunk(start, box, values, low, high, codes[_REASON].astype(np.int32), self.reasons)

    def _together(self, blocks: Sequence[_Block], box: Box) -> _Answer:
        """Put blocks in their places; where a block has no answer its cells are NaN."""
        shape, ranged = _shape(box), self.wanted.ranged
        named = (self.wanted.quantities, ranged, ranged, (_REASON,))
        found = _Answer(*({name: np.full(shape, np.nan) for name in names} for names in named))
        for block in blocks:
            for into, part in zip(found, block.answer, strict=True):
                for name, value in part.items():
                    block.put(into[name], value, box)
        return found

    def _blocks(self, piece: Box) -> Iterator[_Block]:
        """Compute a piece of a box, family by family."""
        asked, local = self.grid.places(piece)
        family = self.questions.family[asked]
        for number in np.unique(family):
            members = np.flatnonzero(family == number)
            inside = tuple(index[members] for index in local)
            reason = self.questions.reason[asked[members]].reshape(-1, *[1] * len(self.grid.free))
            if number < 0:
                yield _Block(
                    self.grid, piece, inside, _Answer({}, {}, {}, {_REASON: reason.astype(np.float64)})
                )
            else:
                case = self._case(piece, int(number), asked[members], inside)
                yield _Block(self.grid, piece, inside, self._answer(case, reason))

    def _case(self, piece: Box, number: int, asked: Places, local: tuple[Places, ...]) -> Case:
        """Return the case of some questions of one family along the free axes, with what they leave open filled in."""
        family = self.questions.families[number]
        case = family.take(self.questions.row[asked], 1 + len(self.grid.free))
        case = case.with_columns(self.grid.columns(piece, local))
        return case.with_columns(self.found.columns(case, family, number))

    def _answer(self, case: Case, reason: Places) -> _Answer:
        number = len(self.questions.reasons)
        late = np.asarray(case.columns.get("in_time", 1.0)) == 0.0
        codes = (reason + np.where(late, number, 0) + 2 * number * self._idle(case)).astype(np.float64)
        both = ends(case, self.wanted.ranged, self.kind)
        low, high = ({name: pair[side] for name, pair in both.items()} for side in (0, 1))
        return _Answer(centre(case, self.wanted, self.kind), low, high, {_REASON: codes})

    def _idle(self, case: Case) -> Places:
        """Return 1 where accelerators have nothing to do for a while, else 0; a fleet shares out batches otherwise."""
        if self.kind.axes:  # replicas are those of each pool, along an axis that cells do not have
            return np.zeros((), np.intp)
        return np.isfinite(case.columns.get("replicas", np.inf)).astype(np.intp)


def searched(grid: Grid, questions: Questions) -> list[int]:
    """Return the axes along which a layout or a count is searched at each place; none where nothing is open."""
    reads = [reads_of(family.take(np.zeros(1, np.intp), 1)) for family in questions.families]
    return sorted({*grid.lowered, *grid.along(frozenset[str]().union(*reads))}) if any(reads) else []


class _Answer(NamedTuple):
    """Values, low and high ends, and codes of reasons, by name."""

    values: dict[str, Values]
    low: dict[str, Values]
    high: dict[str, Values]
    codes: dict[str, Values]


class _Block(NamedTuple):
    """What was computed of a piece of a box for one family, in the dimensions of a block: places, then free axes.

    ``places`` are those of its questions within the piece, along each lowered axis.
    """

    grid: Grid
    piece: Box
    places: tuple[Places, ...]
    answer: _Answer

    def view(self, value: Values, box: Box) -> Values:
        """Return an array of a block that is all of a box as a view in the shape of the box."""
        grid, shape = self.grid, _shape(box)
        if not np.ndim(value):
            return np.broadcast_to(value, shape)
        sizes = [shape[place] for place in grid.lowered]
        lead = sizes if value.shape[0] > 1 else [1] * len(sizes)
        spread = value.reshape(*lead, *value.shape[1:])
        return np.broadcast_to(np.moveaxis(spread, range(len(sizes)), grid.lowered), shape)

    def put(self, into: Values, value: Values, box: Box) -> None:
        """Put an array of a block where it belongs in an array of a box."""
        inside = tuple(
            slice(span.start - whole.start, span.stop - whole.start)
            for span, whole in zip(self.piece, box, strict=True)
        )
        view = np.moveaxis(into[inside], self.grid.lowered, range(len(self.grid.lowered)))
        if self.places:
            view[self.places] = value
        else:
            view[...] = value[0] if np.ndim(value) else value


def _shape(box: Box) -> tuple[int, ...]:
    return tuple(span.stop - span.start for span in box)


def centre(case: Case, wanted: Wanted, kind: Kind) -> dict[str, Values]:
    """Return the quantities of a case without their ranges."""
    alone = replace(case, unknowns=())
    found = kind.evaluate(ranges.spread(alone), wanted.steps)
    values = {name: found.values.get(name, np.nan) for name in wanted.quantities}
    if FITS in wanted.quantities:
        values[FITS] = _fits(found)
    return {name: value[..., 0] for name, value in ranges.points(values, alone).items()}


def _fits(found: Estimate) -> Values:
    known = ~np.isnan(found.values["memory"]) & ~np.isnan(found.values["memory_usable"])
    return np.where(known, found.fits, np.nan)


def ends(case: Case, ranged: Sequence[str], kind: Kind) -> dict[str, tuple[Values, Values]]:
    """Return low and high end of some quantities, from the unknowns alone that touch them."""
    if not ranged:
        return {}
    touching = {name: kind.reads((name,)) for name in ranged}
    reads = frozenset[str]().union(*touching.values())
    asked = replace(case, unknowns=tuple(each for each in case.unknowns if each.low.keys() & reads))
    spread = ranges.points(kind.evaluate(ranges.spread(asked), ranged).values, asked)
    return {
        name: _around(spread[name], [bool(each.low.keys() & touching[name]) for each in asked.unknowns], name)
        for name in ranged
    }


def _around(points: Values, touches: list[bool], name: str) -> tuple[Values, Values]:
    kept = [0, *(2 * place + side for place, own in enumerate(touches) if own for side in (1, 2))]
    if len(kept) == 1:
        return points[..., 0], points[..., 0]
    few = points if len(kept) == points.shape[-1] else points[..., kept]
    low, high = ends_of(name, few)
    return np.asarray(low), np.asarray(high)
