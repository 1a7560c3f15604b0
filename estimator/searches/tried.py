"""Every legal layout of some questions evaluated, here or by workers: memory first, then the time of those that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from .. import ranges
from ..answer import ends_of
from ..case import Case
from ..enumeration import Mask, Places, Values
from ..estimate import evaluate
from ..plan import FILLED
from ..tuples import NamedTuple
from ..workers import Team
from ..workers.ordered import Alone
from .fronts import Some, fastest, front_alike
from .space import PARTS, Share, Size, pieces, size_of

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
    """What is kept of some layouts: ``near`` are the times that are in the range of the fastest of all so far."""

    fit: int
    evaluated: int
    fastest: Some
    front: Some
    near: Sequence[Values]
    least: float

    @classmethod
    def none(cls) -> _Kept:
        """Return what is kept of no layouts."""
        return cls(0, 0, Some.none(len(PARTS)), Some.none(len(PARTS)), (), np.inf)

    def beside(self, other: _Kept, stretch: float) -> _Kept:
        """Return what is kept of these and others."""
        leading = self.fastest.beside(other.fastest).fastest(TOLD)
        most = leading.time[:1] * stretch
        return _Kept(
            self.fit + other.fit,
            self.evaluated + other.evaluated,
            leading,
            self.front.beside(other.front).front(),
            [*self.near, *(times[times <= most] for times in other.near if len(most))],
            min(self.least, other.least),
        )


class Trying(NamedTuple):
    """Tries layouts of some questions: the columns of each, and the high end of a time of it over the time itself."""

    cases: Sequence[Case]
    stretches: Sequence[float]

    def __call__(self, asked: tuple[int, Share]) -> tuple[int, int, _Kept]:
        """Return the place of a question, how many layouts of it were tried, and what is kept of them."""
        place, share = asked
        case, kept = self.cases[place], _Kept.none()
        np.empty(_SEEN)
        for piece in pieces(case, share):
            kept = _learnt(case, piece, kept, self.stretches[place])
        return place, share.layouts, kept


# Called with the place of a question, and how many of its layouts are done, of how many.
Told = Callable[[int, int, int], None]


def tried(cases: Sequence[Case], team: Team | None = None, told: Told | None = None) -> list[Tried]:
    """Evaluate every legal layout of questions of shape ().

    What is found does not depend on who tries which layouts, nor on how many at a time.

    Parameters
    ----------
    cases
        ``free`` names the parts of the layout that are open.
    team
        Who works; this process where it is left out.
    told
        Called with how far the work is.

    Raises
    ------
    EstimatorError
        There are more layouts than can be tried.
    """
    sizes: list[Size] = []
    kept, done = [_Kept.none() for _ in cases], [0 for _ in cases]
    bare = [replace(case, origins={}, unknowns=(), words={}, notes=()) for case in cases]
    job = Trying(bare, [spread_of(case) for case in cases])
    for place, layouts, some in (team or Alone()).map(job, _asked(cases, sizes)):
        kept[place] = kept[place].beside(some, job.stretches[place])
        done[place] += layouts
        if told is not None:
            told(place, done[place], sizes[place].layouts)
    return [_ended(*each) for each in zip(kept, sizes, job.stretches, strict=True)]


def _asked(cases: Sequence[Case], sizes: list[Size]) -> Iterator[tuple[int, Share]]:
    """Yield the shares of each question, and note how large it is."""
    for place, case in enumerate(cases):
        sizes.append(size_of(case))
        for share in sizes[place].shares:
            yield place, share


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


def _learnt(case: Case, piece: Mapping[str, Values], kept: _Kept, stretch: float) -> _Kept:
    """Evaluate layouts, the time only of those of which each fits with some of its knobs; keep what may be told."""
    memory, fits = _memory(case.with_columns(piece))
    some = np.flatnonzero(fits.any(axis=tuple(range(fits.ndim - 1))))
    least = min(kept.least, float(np.nanmin(memory, initial=np.inf)))
    if not len(some):
        return kept._replace(least=least)
    rows, fits = _of(piece, some), fits[..., some]
    found = evaluate(case.with_columns(rows), ("modelled_time",)).values["modelled_time"]
    time, held = np.where(fits, found, np.inf).ravel(), memory[..., some].ravel()

    def _some(places: Places) -> Some:
        return Some(time[places], held[places], _rows(case, rows, fits.shape, places))

    slowest = kept.fastest.time[-1] if len(kept.fastest.time) == TOLD else np.inf
    few = np.flatnonzero(time <= slowest)
    few = few[fastest(time[few], held[few], TOLD)]
    fresh = kept.front.unbeaten(time, held)
    fresh = fresh[front_alike(time[fresh], held[fresh])]
    number = int(np.count_nonzero(fits))
    return kept.beside(_Kept(number, fits.size, _some(few), _some(fresh), [time], least), stretch)


def _rows(case: Case, piece: Mapping[str, Values], shape: tuple[int, ...], places: Places) -> Values:
    """Return the parts of some layouts, side by side."""
    where = np.unravel_index(places, shape)
    columns = [np.broadcast_to(piece.get(name, case.columns[name]), shape)[where] for name in PARTS]
    return np.stack(columns, axis=-1)


def _ended(kept: _Kept, size: Size, stretch: float) -> Tried:
    most = kept.fastest.time[0] * stretch if len(kept.fastest.time) else -np.inf
    alike = sum(int(np.count_nonzero(times <= most)) for times in kept.near)
    counts = Counts(size.layouts, kept.fit, kept.evaluated)
    return Tried(counts, kept.fastest, kept.front, alike, size.refused, kept.least)
