"""The cells of a sweep, computed box by box: every term in its own shape, each cell as if it were asked alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import ranges
from ..case import Case
from ..estimate import STEPS, Estimate, columns_of, evaluate
from .axes import Places
from .found import Found, reads_of
from .grid import Box, Grid, Values, pieces
from .lowered import Questions

Codes = npt.NDArray[np.int32]

# Places of axes along which a step itself is timed that are evaluated at once: what a processor's cache holds.
_HEAVY = 8192
_STEP = columns_of(("modelled_time", "memory"))
_WHOLE = {step.name for step in STEPS if step.whole}
_STEPS = {step.name for step in STEPS}
# Whether a run fits on its cards, as 1 or 0.
FITS = "fits"
_FITS_NEEDS = ("memory", "memory_usable")
LATE = "no count finishes in that time: this is the fastest that was tried"


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
    """The quantities of a sweep, and those of them whose range is wanted too."""

    quantities: tuple[str, ...]
    ranged: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """The quantities that `evaluate` is asked for."""
        names = [*self.quantities, *(_FITS_NEEDS if FITS in self.quantities else ())]
        return tuple(name for name in dict.fromkeys(names) if name in _STEPS)

    @property
    def reads(self) -> frozenset[str]:
        """The columns that take part in them."""
        named = {name for name in self.quantities if name not in _STEPS}
        return columns_of((*self.steps, *self.ranged)) | named


class Cells:
    """The cells of a grid of lowered questions."""

    def __init__(self, grid: Grid, questions: Questions, wanted: Wanted) -> None:
        """Put together what every box needs."""
        self.grid, self.questions, self.wanted = grid, questions, wanted
        self.found = Found()
        self.reasons = (
            *questions.reasons,
            *(f"{text}; {LATE}" if text else LATE for text in questions.reasons),
        )

    def heavy(self) -> list[int]:
        """Return the axes along which the step itself changes, so that its time is computed at each of their places."""
        looked = [
            _STEP,
            *(reads_of(family.take(np.zeros(1, np.intp), 1)) for family in self.questions.families),
        ]
        reads = frozenset[str]().union(*looked)
        own = [
            place
            for place in self.grid.free
            if reads & {self.grid.direct[name] for name in self.grid.axes[place].values}
        ]
        return sorted([*self.grid.lowered, *own])

    def chunk(self, box: Box, start: int) -> Chunk:
        """Compute the cells of a box."""
        shape = tuple(span.stop - span.start for span in box)
        ranged = self.wanted.ranged
        values, low, high = (
            {name: np.full(shape, np.nan) for name in names}
            for names in (self.wanted.quantities, ranged, ranged)
        )
        chunk = Chunk(start, box, values, low, high, np.zeros(shape, dtype=np.int32), self.reasons)
        for piece in pieces(box, self.heavy(), _HEAVY):
            self._fill(chunk, piece)
        return chunk

    def _fill(self, chunk: Chunk, piece: Box) -> None:
        """Compute a piece of a box, family by family, and put it in its place."""
        asked, local = self.grid.places(piece)
        local_box = tuple(
            slice(span.start - whole.start, span.stop - whole.start)
            for span, whole in zip(piece, chunk.box, strict=True)
        )
        family = self.questions.family[asked]
        for number in np.unique(family):
            members = np.flatnonzero(family == number)
            inside = tuple(index[members] for index in local)
            target = _Target(local_box, self.grid, inside)
            _put(target, chunk.reason, _column(self.questions.reason[asked[members]], self.grid))
            if number >= 0:
                block = self._block(piece, int(number), asked[members], inside)
                self._answer(chunk, target, block, self.questions.reason[asked[members]])

    def _block(self, piece: Box, number: int, asked: Places, local: tuple[Places, ...]) -> Case:
        """Return the case of some questions of one family along the free axes, with what they leave open filled in."""
        family = self.questions.families[number]
        case = family.take(self.questions.row[asked], 1 + len(self.grid.free))
        case = case.with_columns(self.grid.columns(piece, local))
        return case.with_columns(self.found.columns(case, family, number))

    def _answer(self, chunk: Chunk, target: _Target, block: Case, reason: Places) -> None:
        values = centre(block, self.wanted)
        for name, value in values.items():
            _put(target, chunk.values[name], value)
        for name, (low, high) in ends(block, self.wanted.ranged).items():
            _put(target, chunk.low[name], low)
            _put(target, chunk.high[name], high)
        if "in_time" in block.columns:
            late = np.asarray(block.columns["in_time"]) == 0.0
            codes = _column(reason, self.grid)
            _put(target, chunk.reason, np.where(late, codes + len(self.questions.reasons), codes))


class _Target(NamedTuple):
    """Where in an array of a chunk a block belongs: the piece, and the places of its questions within it."""

    box: Box
    grid: Grid
    places: tuple[Places, ...]


def _put(target: _Target, into: npt.NDArray[np.generic], block: npt.ArrayLike) -> None:
    """Put a block, of the dimensions places and free axes, where it belongs."""
    view = np.moveaxis(into[target.box], target.grid.lowered, range(len(target.grid.lowered)))
    if target.places:
        view[target.places] = block
    else:
        view[...] = np.asarray(block)[0] if np.ndim(block) else block


def _column(values: Places, grid: Grid) -> npt.NDArray[np.intp]:
    """Return one value a question in the dimensions of a block."""
    return values.reshape(len(values), *[1] * len(grid.free))


def centre(case: Case, wanted: Wanted) -> dict[str, Values]:
    """Return the quantities of a case without their ranges.

    On a last axis of one point, as a single answer is computed on one of several: powers of single numbers differ
    from those of arrays in the last bit.
    """
    found = evaluate(ranges.spread(replace(case, unknowns=())), wanted.steps)
    values = {name: found.values[name] for name in wanted.quantities if name in found.values}
    if FITS in wanted.quantities:
        values[FITS] = _fits(found)
    return {name: np.asarray(value)[..., 0] for name, value in values.items()}


def _fits(found: Estimate) -> Values:
    known = ~np.isnan(found.values["memory"]) & ~np.isnan(found.values["memory_usable"])
    return np.where(known, found.fits, np.nan)


def ends(case: Case, ranged: Sequence[str]) -> dict[str, tuple[Values, Values]]:
    """Return low and high end of some quantities, from the unknowns alone that touch them."""
    if not ranged:
        return {}
    touching = {name: columns_of((name,)) for name in ranged}
    reads = frozenset[str]().union(*touching.values())
    asked = replace(case, unknowns=tuple(each for each in case.unknowns if each.low.keys() & reads))
    spread = ranges.points(evaluate(ranges.spread(asked), ranged).values, asked)
    return {
        name: _around(spread[name], [bool(each.low.keys() & touching[name]) for each in asked.unknowns], name)
        for name in ranged
    }


def _around(points: Values, touches: list[bool], name: str) -> tuple[Values, Values]:
    kept = [0, *(2 * place + side for place, own in enumerate(touches) if own for side in (1, 2))]
    if len(kept) == 1:
        return points[..., 0], points[..., 0]
    few = points if len(kept) == points.shape[-1] else points[..., kept]
    low, high = ranges.around(few, whole=name in _WHOLE)
    return np.asarray(low), np.asarray(high)
