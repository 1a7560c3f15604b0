"""Every legal layout of one question evaluated: memory first, then the time of those that fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from .. import ranges
from ..answer import ends_of
from ..case import Case
from ..enumeration import Mask, Places, Values
from ..estimate import evaluate
from ..plan import FILLED
from .fronts import Some, fastest, front
from .space import PARTS, Size, pieces, size_of

# The fastest layouts that are told one by one.
TOLD = 10
# Numbers that stay allocated: the memory allocator gives what it has back to the system, and asks for it again, until
# it has seen as large a piece come and go.
_SEEN = 4_000_000


class Counts(NamedTuple):
    """Layouts that are legal, that fit, whose time was evaluated, and that a bound ruled out without.

    Memory rules out most of those that are not evaluated; time of a layout that does not fit is evaluated where it
    differs from one that does in recomputation or offload alone. No bound is needed: ``bounded`` is 0.
    """

    legal: int
    fit: int
    evaluated: int
    bounded: int = 0


class Tried(NamedTuple):
    """What came of all layouts of a question.

    ``fastest`` of those that fit, with ``alike`` as many as the range of the best one's time holds; the ``front`` of
    time and memory; by part the values that were ``refused``; the ``least`` memory that one takes which its host holds.
    [byte]
    """

    counts: Counts
    fastest: Some
    front: Some
    alike: int
    refused: Mapping[str, int]
    least: float


class _Kept(NamedTuple):
    fastest: Some
    front: Some
    near: list[Values]
    least: float


def tried(case: Case, told: Callable[[int, int], None] | None = None) -> Tried:
    """Evaluate every legal layout of a question of shape ().

    Parameters
    ----------
    case
        ``free`` names the parts of the layout that are open.
    told
        Called with how many layouts are done, of how many.

    Raises
    ------
    EstimatorError
        There are more layouts than can be tried.
    """
    size = size_of(case)
    np.empty(_SEEN)
    stretch = spread_of(case)
    kept = _Kept(Some.none(len(PARTS)), Some.none(len(PARTS)), [], np.inf)
    fit = evaluated = done = 0
    for piece in pieces(case):
        memory, fits = _memory(case.with_columns(piece))
        kept = kept._replace(least=min(kept.least, float(np.nanmin(memory, initial=np.inf))))
        some = np.flatnonzero(fits.any(axis=tuple(range(fits.ndim - 1))))
        done += fits.size
        if len(some):
            fit += int(np.count_nonzero(fits))
            evaluated += len(some) * (fits.size // fits.shape[-1])
            kept = _learnt(case, _of(piece, some), memory[..., some], fits[..., some], kept, stretch)
        if told is not None:
            told(done, size.layouts)
    return _ended(kept, Counts(size.layouts, fit, evaluated), size, stretch)


def spread_of(case: Case) -> float:
    """Return the high end of the time of a step over the time itself."""
    points = ranges.points(evaluate(ranges.spread(case), ("modelled_time",)).values, case)["modelled_time"]
    return float(ends_of("modelled_time", points)[1] / points[..., 0])


def _of(piece: Mapping[str, Values], some: Places) -> dict[str, Values]:
    """Return some of the rows of a piece; a knob has an axis of its own."""
    return {name: column[some] if column.ndim == 1 else column for name, column in piece.items()}


def _memory(case: Case) -> tuple[Values, Mask]:
    """Return the memory of each layout, without limit where its host does not hold it, and whether it fits."""
    hosted = "host_memory" in case.columns
    found = evaluate(case, ("memory", "memory_usable", *(("host_memory_used",) if hosted else ()))).values
    memory, room = found["memory"], found["memory_usable"] * FILLED
    if hosted:
        held = found["host_memory_used"] <= case.columns["host_memory"]
        memory = np.where(held, memory, np.inf)
    shape = np.broadcast_shapes(*(np.shape(case.columns[name]) for name in PARTS))
    return np.broadcast_to(memory, shape), np.broadcast_to(memory <= room, shape)


def _learnt(
    case: Case, piece: Mapping[str, Values], memory: Values, fits: Mask, kept: _Kept, stretch: float
) -> _Kept:
    """Evaluate the time of layouts of which each fits with some of its knobs, and keep what may be told."""
    found = evaluate(case.with_columns(piece), ("modelled_time",)).values["modelled_time"]
    time, held = np.where(fits, found, np.inf).ravel(), memory.ravel()

    def _some(places: Places) -> Some:
        return Some(time[places], held[places], _rows(case, piece, fits.shape, places))

    slowest = kept.fastest.time[-1] if len(kept.fastest.time) == TOLD else np.inf
    few = np.flatnonzero(time <= slowest)
    few = few[fastest(time[few], held[few], TOLD)]
    fresh = kept.front.unbeaten(time, held)
    fresh = fresh[front(time[fresh], held[fresh])]
    leading = kept.fastest.beside(_some(few)).fastest(TOLD)
    near = time[time <= leading.time[:1] * stretch] if len(leading.time) else time[:0]
    return _Kept(leading, kept.front.beside(_some(fresh)).front(), [*kept.near, near], kept.least)


def _rows(case: Case, piece: Mapping[str, Values], shape: tuple[int, ...], places: Places) -> Values:
    """Return the parts of some layouts, side by side."""
    where = np.unravel_index(places, shape)
    columns = [np.broadcast_to(piece.get(name, case.columns[name]), shape)[where] for name in PARTS]
    return np.stack(columns, axis=-1)


def _ended(kept: _Kept, counts: Counts, size: Size, stretch: float) -> Tried:
    most = kept.fastest.time[0] * stretch if len(kept.fastest.time) else -np.inf
    alike = sum(int(np.count_nonzero(times <= most)) for times in kept.near)
    return Tried(counts, kept.fastest, kept.front, alike, size.refused, kept.least)
