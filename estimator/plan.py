"""The layout of a question that gives none: of all that are legal and fit, the fastest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from . import estimate
from .arrays import Array
from .case import Case
from .formulas.activations import RECOMPUTE
from .formulas.batch import batch_overhead
from .layouts import Layouts, Mask, Places, Values, firsts, layouts, size_of, spread
from .lower.layout import DEGREES, described
from .provenance import Origin
from .tuples import NamedTuple

# Layouts that are evaluated at a time.
_PIECE = 8192
# A layout that is faster by less than this share is not worth being more complicated.
_ALIKE = 0.01
# Of a card's memory no more than this share is planned: estimates of memory stray by about as much as is left.
FILLED = 0.95
# The critical batch size over the usual batch: beyond it more tokens a step hardly save steps. An assumed batch that is
# this much above the usual one is told: nine in ten of those on record are less.
_CRITICAL, _LARGE = 4.0, 5.0
# How much there is to a mode of recomputation, by its code: none, norms and activations, scores, layers.
_REPEATED = np.array([0.0, 0.1, 0.2, 0.05])


class Chosen(NamedTuple):
    """Layouts that were found: whose question each is, its parts, whether it fits, and of how many legal ones."""

    asked: Places
    parts: Mapping[str, Values]
    fits: Mask
    legal: Places

    @property
    def reason(self) -> str:
        """Why they were taken."""
        which = "the fastest that fits" if np.all(self.fits) else "none fits, and this takes the least memory"
        return f"{which}, of {np.sum(self.legal):,} legal layouts"


class Plan(NamedTuple):
    """A case with its layout, of each question whether that is known to fit on the cards, and what was found."""

    case: Case
    fits: Mask
    chosen: Chosen | None


def planned(case: Case) -> Case:
    """Return the case with the layout that it leaves open filled in, for each of its questions.

    Parameters
    ----------
    case
        Columns of shape () or (n,); ``free`` names the parts of the layout that are open. A question of which no
        legal layout is known keeps the columns that it has.
    """
    return plan(case).case


def plan(case: Case) -> Plan:
    """Do as `planned`, and tell which questions fit, as far as a layout had to be found for that."""
    fits = np.zeros(size_of(case), dtype=bool)
    legal = layouts(case) if case.free else None
    if legal is None or not len(legal.asked):
        return Plan(case, fits, None)
    best, found = _best(case, legal)
    asked = legal.asked[best]
    parts = {name: column[best] for name, column in legal.columns.items()}
    chosen = Chosen(asked, parts, found, np.bincount(legal.asked)[asked])
    fits[asked] = found
    return Plan(filled(case, chosen), fits, chosen)


def _best(case: Case, legal: Layouts) -> tuple[Places, Mask]:
    """Return the place of the best layout of each question that has one: the fastest that fits, the simplest of
    those alike; where none fits, the one that takes the least memory. And whether it fits.
    """
    first, names = firsts(legal.asked), ("memory", "memory_usable")
    memory, room = _measured(case, legal, names)
    fits = np.flatnonzero(memory <= room * FILLED)
    fast = np.zeros(len(memory))
    # Time is a matter of those alone that fit.
    (time,) = _measured(case, _those(legal, fits), ("modelled_time",))
    fast[fits] = np.nan_to_num(_progress(case, _those(legal, fits)) / time)
    fastest = spread(np.maximum.reduceat(fast, first), legal.asked)
    alike = (fast >= fastest * (1.0 - _ALIKE)) & (fastest > 0)
    small = np.where(np.isnan(memory), np.inf, memory)
    order = np.where(fastest > 0, np.where(alike, _complication(legal.columns), np.inf), small)
    best = np.flatnonzero(order == spread(np.minimum.reduceat(order, first), legal.asked))
    best = best[firsts(legal.asked[best])]
    return best, fastest[best] > 0


def _progress(case: Case, legal: Layouts) -> Array:
    """Return what a step brings a training on: its sequences, of which those of a large assumed batch count less."""
    if "global_batch" not in legal.columns:
        return np.ones(1)
    batch = legal.columns["global_batch"]
    usual = np.broadcast_to(np.asarray(case.columns["global_batch"]), (size_of(case),))[legal.asked]
    return batch / batch_overhead(batch, _CRITICAL * usual)


def _those(legal: Layouts, places: Places | slice) -> Layouts:
    """Return some of the layouts."""
    return Layouts(legal.asked[places], {name: column[places] for name, column in legal.columns.items()})


def _measured(case: Case, legal: Layouts, names: tuple[str, ...]) -> Values:
    """Return quantities of every layout, computed in pieces that a processor's cache holds."""
    size = len(legal.asked)
    found = np.empty((len(names), size))
    for start in range(0, size, _PIECE):
        part = _those(legal, slice(start, start + _PIECE))
        values = estimate.evaluate(_tried(case, part), names).values
        for place, name in enumerate(names):
            found[place, start : start + _PIECE] = values[name]
    return found


def _tried(case: Case, legal: Layouts) -> Case:
    """Return the case whose questions are all legal layouts of all questions."""

    def _each(column: Array) -> Array:
        return np.asarray(column)[legal.asked] if np.ndim(column) else column

    return replace(
        case, columns={**{name: _each(column) for name, column in case.columns.items()}, **legal.columns}
    )


def _complication(columns: Mapping[str, Values]) -> Values:
    """Rank layouts by how much there is to them: degrees beyond one, then recomputation and small batches."""
    total: Values = np.zeros(())
    for name, column in columns.items():
        if name in ("tp", "pp", "vpp", "cp", "ep"):
            total = total + np.log2(column)
        elif name == "recompute":
            total = total + _REPEATED[column.astype(np.intp)]
        elif name == "micro_batch":
            total = total - 0.01 * column
    return total


# What is listed one by one; the degrees are told together, as a word.
_LISTED = ("micro_batch", "recompute")


def filled(case: Case, chosen: Chosen | None) -> Case:
    """Put layouts that were found into the case; a single question gets origins and words too."""
    if chosen is None:
        return case
    many = any(np.ndim(column) for column in case.columns.values())
    size, columns = size_of(case), dict[str, Array]()
    for name, values in chosen.parts.items():
        column = np.broadcast_to(case.columns[name], (size,)).copy()
        column[chosen.asked] = values
        columns[name] = column if many else column[0]
    # What is chosen is no longer unknown.
    unknowns = tuple(unknown for unknown in case.unknowns if not unknown.low.keys() & case.free)
    found = replace(case.with_columns(columns), unknowns=unknowns)
    return found if many else _told(found, chosen.reason, float(case.columns["global_batch"]))


def _told(case: Case, reason: str, usual: float) -> Case:
    """Say which layout was chosen and why, and what became of the ``usual`` batch."""
    origins = {name: _origin(case, name, reason) for name in case.free}
    if found := [name for name in (*DEGREES, "zero") if name in case.free]:
        origins["sharding"] = Origin("assumed", reason, option=_option(found[0]))
    words = {
        **case.words,
        "sharding": described(case.columns),
        "recompute": RECOMPUTE[int(case.columns["recompute"])],
    }
    notes = (*case.notes, *_grown(case, usual))
    return replace(case, origins={**case.origins, **origins}, words=words, notes=notes)


def _grown(case: Case, usual: float) -> list[str]:
    """Tell of an assumed batch that grew far beyond the usual one."""
    batch, seq, count = (float(case.columns[name]) for name in ("global_batch", "seq", "count"))
    if batch <= usual * _LARGE:
        return []
    return [
        f"a batch of {batch:,.0f} sequences ({batch * seq / 1e6:,.3g} million tokens), {batch / usual:,.1f} times the "
        f"usual one for this training, is taken to keep {count:,.0f} accelerators busy: for the same loss it may need "
        "more tokens, which are not counted here"
    ]


def _origin(case: Case, name: str, reason: str) -> Origin:
    if name == "global_batch":
        usual = case.origins[name]
        return usual._replace(reason=f"{usual.reason}; in whole micro-batches of every replica")
    kind = "assumed" if name in _LISTED else "derived"
    return Origin(kind, reason, option=_option(name))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
