"""The layout of a question that gives none: of all that are legal and fit, the fastest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from . import estimate
from .arrays import Array
from .case import Case
from .formulas.activations import RECOMPUTE
from .lower.layout import described
from .provenance import Origin

Values = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.intp]]

# What a layout may choose among; a part that the question gives is not chosen.
_CHOICES: Mapping[str, tuple[float, ...]] = {
    "tp": (1, 2, 4, 8),
    "pp": (1, 2, 4, 8, 16, 32),
    "vpp": (1, 2, 4, 8),
    "cp": (1, 2, 4, 8, 16),
    "ep": (1, 2, 4, 8, 16, 32, 64),
    "zero": (1, 3),
    "micro_batch": (1, 2, 4, 8),
    "recompute": (0, 3, 2),
}
# Questions whose layouts are tried at a time, and layouts that are evaluated at a time.
_QUESTIONS = 64
_PIECE = 8192
# Every part of a layout that a question may leave open.
FREE = frozenset({*_CHOICES, "sequence_parallel", "global_batch"})
# Sequences up to this length are not worth splitting. [token]
_LONG = 16384.0
# A layout that is faster by less than this share is not worth being more complicated.
_ALIKE = 0.01
# So large a share of the cards may be idle where the count has few divisors.
_IDLE = 0.01
# Of a card's memory no more than this share is planned: estimates of memory stray by about as much as is left.
_FILLED = 0.95
# How much there is to a mode of recomputation, by its code: none, norms and activations, scores, layers.
_REPEATED = np.array([0.0, 0.1, 0.2, 0.05])
# By so much an assumed batch may grow that every replica has work.
_STRETCH = 2.0


class Layouts(NamedTuple):
    """Legal layouts: the place of the question that each belongs to, in order, and its columns, all of one length."""

    asked: Places
    columns: Mapping[str, Values]


def planned(case: Case) -> Case:
    """Return the case with the layout that it leaves open filled in, for each of its questions.

    Parameters
    ----------
    case
        Columns of shape () or (n,); ``free`` names the parts of the layout that are open. A question of which no
        legal layout is known keeps the columns that it has.
    """
    if not case.free:
        return case
    legal = layouts(case)
    if not len(legal.asked):
        return case
    best = _best(case, legal)
    chosen = {name: column[best] for name, column in legal.columns.items()}
    return _filled(case, legal.asked[best], chosen, len(legal.asked))


def _size(case: Case) -> int:
    return max(np.size(column) for column in case.columns.values())


class _Facts:
    """What the rules look at, of equal length: the layouts tried and the questions that they are tried for."""

    def __init__(self, case: Case, asked: Places, parts: Mapping[str, Values]) -> None:
        self.case, self.asked, self.parts = case, asked, parts

    def __getitem__(self, name: str) -> Values:
        if name in self.parts:
            return self.parts[name]
        column = np.asarray(self.case.columns[name], dtype=np.float64)
        return column[self.asked] if column.ndim else np.broadcast_to(column, self.asked.shape)

    def take(self, mask: Mask) -> _Facts:
        """Return those that a rule lets pass."""
        return _Facts(self.case, self.asked[mask], {name: part[mask] for name, part in self.parts.items()})

    def whole(self, name: str) -> Values:
        """A dimension of the model; of a shape that was only guessed, the nearest power of two."""
        found = self[name]
        guessed = np.exp2(np.round(np.log2(np.maximum(found, 1.0))))
        return np.where(found == np.floor(found), found, guessed)

    def open(self, *names: str) -> bool:
        """Tell whether the question leaves any of them open."""
        return any(name in self.case.free for name in names)

    @property
    def replicas(self) -> Values:
        """Data-parallel replicas."""
        return np.maximum(np.floor(self["count"] / (self["tp"] * self["pp"] * self["cp"])), 1.0)

    @property
    def least_batch(self) -> Values:
        """Sequences of the smallest step: an interleaved pipeline takes a micro-batch for each stage at a time."""
        return self.replicas * self["micro_batch"] * np.where(self["vpp"] > 1, self["pp"], 1.0)

    @property
    def batch(self) -> Values:
        """Sequences of a step: as given, else the assumed ones as whole micro-batches of every replica."""
        if not self.open("global_batch"):
            return self["global_batch"]
        return np.maximum(np.round(self["global_batch"] / self.least_batch), 1.0) * self.least_batch


def _options(case: Case, name: str, *, long: bool, sparse: bool) -> Values:
    """Return what a part of the layout may be; one value where no other makes sense."""
    if (name == "cp" and not long) or (name == "ep" and not sparse):
        return np.ones(1)
    if name == "recompute" and np.any(np.asarray(case.columns["unfused"]) > 0):
        return np.arange(len(RECOMPUTE), dtype=np.float64)
    return np.array(_CHOICES[name], dtype=np.float64)


def _tries(case: Case, asked: Places, *, long: bool, sparse: bool) -> _Facts:
    """Return every combination of what is open, for every question of a kind."""
    free = [name for name in _CHOICES if name in case.free]
    grids = np.meshgrid(*(_options(case, name, long=long, sparse=sparse) for name in free), indexing="ij")
    size = grids[0].size if grids else 1
    parts = {name: np.tile(grid.ravel(), len(asked)) for name, grid in zip(free, grids, strict=True)}
    return _Facts(case, np.repeat(asked, size), parts)


def _kinds(case: Case) -> Iterator[tuple[Places, bool, bool]]:
    """Yield the questions in groups of one kind: with long sequences or short ones, with experts or without."""
    size = _size(case)
    long, sparse = (
        np.broadcast_to(np.asarray(case.columns[name]), size) > bound
        for name, bound in (("seq", _LONG), ("experts", 0))
    )
    for key in ((False, False), (False, True), (True, False), (True, True)):
        members = np.flatnonzero((long == key[0]) & (sparse == key[1]))
        for start in range(0, len(members), _QUESTIONS):
            yield members[start : start + _QUESTIONS], *key


def _degrees(facts: _Facts) -> Mask:
    """Whole replicas with hardly a card idle, heads split evenly, tensor ranks within a node."""
    product = facts["tp"] * facts["pp"] * facts["cp"]
    idle = facts["count"] - facts.replicas * product
    legal = (idle >= 0) & (idle <= _IDLE * facts["count"])
    if facts.open("tp"):
        legal = legal & (facts.whole("heads") % facts["tp"] == 0) & (facts["tp"] <= facts["per_node"])
    if facts.open("tp", "cp"):
        ranks = np.where(facts["ulysses"] > 0, facts["tp"] * facts["cp"], 1.0)
        legal = legal & (facts.whole("heads") % ranks == 0)
    return legal


def _stages(facts: _Facts) -> Mask:
    """At least a layer a chunk, and interleaving only in a pipeline whose chunks are alike."""
    chunks = facts["pp"] * facts["vpp"]
    if not facts.open("pp", "vpp"):
        return chunks > 0
    layers = facts.whole("layers")
    # Embedding and head may count as a layer each.
    even = (layers % chunks == 0) | ((layers + 2.0) % chunks == 0)
    return (chunks <= layers + 2.0) & ((facts["vpp"] == 1) | ((facts["pp"] > 1) & even))


def _sharding(facts: _Facts) -> Mask:
    """Weights are sharded without a pipeline: each stage would gather them for every micro-batch."""
    legal = (facts["zero"] < 3) | (facts["pp"] == 1)
    return legal if facts.open("zero", "pp") else legal | True


def _experts(facts: _Facts) -> Mask:
    """Expert ranks divide the experts and lie within the ranks of a stage."""
    if not facts.open("ep"):
        return facts["ep"] > 0
    ranks, experts = facts["tp"] * facts["cp"] * facts.replicas, facts["experts"]
    return (facts["ep"] == 1) | ((experts > 0) & (experts % facts["ep"] == 0) & (ranks % facts["ep"] == 0))


def _batches(facts: _Facts) -> Mask:
    """Every replica gets whole micro-batches, and an interleaved pipeline a multiple of its stages."""
    if facts.open("global_batch"):
        return facts.least_batch <= facts["global_batch"] * _STRETCH
    return facts.batch % facts.least_batch == 0


_LEGAL = (_degrees, _stages, _sharding, _experts, _batches)


def layouts(case: Case) -> Layouts:
    """Return every legal layout of each question, what the question gives of it being fixed."""
    found = [_legal(_tries(case, asked, long=long, sparse=sparse)) for asked, long, sparse in _kinds(case)]
    asked = np.concatenate([facts.asked for facts in found])
    order = np.argsort(asked, kind="stable")
    columns = {name: np.concatenate([facts.parts[name] for facts in found])[order] for name in found[0].parts}
    return Layouts(asked[order], columns)


def _legal(facts: _Facts) -> _Facts:
    """Keep what every rule lets pass, and set what follows from the degrees."""
    for rule in _LEGAL:
        facts = facts.take(rule(facts))
    derived = {"global_batch": facts.batch} if facts.open("global_batch") else {}
    if facts.open("sequence_parallel"):
        derived["sequence_parallel"] = np.where(facts["tp"] > 1, 1.0, 0.0)
    return _Facts(facts.case, facts.asked, {**facts.parts, **derived})


def _best(case: Case, legal: Layouts) -> Places:
    """Return the place of the best layout of each question that has one: the fastest that fits, the simplest of
    those alike; where none fits, the one that takes the least memory.
    """
    size, first = len(legal.asked), np.flatnonzero(np.diff(legal.asked, prepend=-1))
    time, memory, room = _measures(case, legal)
    batch = legal.columns.get("global_batch", np.ones(1))
    speed = batch / time
    fast = np.where((memory <= room * _FILLED) & ~np.isnan(speed), speed, 0.0)
    groups = np.repeat(np.arange(len(first)), np.diff(np.append(first, size)))
    fastest = np.maximum.reduceat(fast, first)[groups]
    alike = (fast >= fastest * (1.0 - _ALIKE)) & (fastest > 0)
    small = np.where(np.isnan(memory), np.inf, memory)
    order = np.where(fastest > 0, np.where(alike, _complication(legal.columns), np.inf), small)
    least = np.minimum.reduceat(order, first)[groups]
    return np.flatnonzero(order == least)[np.unique(groups[order == least], return_index=True)[1]]


def _measures(case: Case, legal: Layouts) -> Values:
    """Return time of a step, memory and room of every layout, computed in pieces that a processor's cache holds."""
    names, size = ("modelled_time", "memory", "memory_usable"), len(legal.asked)
    found = np.empty((len(names), size))
    for start in range(0, size, _PIECE):
        piece = slice(start, start + _PIECE)
        part = Layouts(legal.asked[piece], {name: column[piece] for name, column in legal.columns.items()})
        values = estimate.evaluate(_tried(case, part), names).values
        found[:, piece] = [np.broadcast_to(np.asarray(values[name]), len(part.asked)) for name in names]
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


def _filled(case: Case, asked: Places, chosen: Mapping[str, Values], tried: int) -> Case:
    """Put the chosen layouts into the case; a single question gets origins and words too."""
    columns: dict[str, Array] = {}
    for name, values in chosen.items():
        column = np.broadcast_to(np.asarray(case.columns[name], dtype=np.float64), (_size(case),)).copy()
        column[asked] = values
        columns[name] = column if _many(case) else column[0]
    # What is chosen is no longer unknown.
    unknowns = tuple(unknown for unknown in case.unknowns if not unknown.low.keys() & case.free)
    filled = replace(case.with_columns(columns), unknowns=unknowns)
    return filled if _many(case) else _told(filled, f"the fastest of {tried:,} legal layouts that fit")


def _many(case: Case) -> bool:
    return any(np.ndim(column) for column in case.columns.values())


def _told(case: Case, reason: str) -> Case:
    """Say which layout was chosen and why."""
    origins = {name: _origin(case, name, reason) for name in case.free}
    if found := [name for name in _CHOICES if name in case.free and name not in _LISTED]:
        origins["sharding"] = Origin("assumed", reason, option=_option(found[0]))
    words = {
        **case.words,
        "sharding": described(case.columns),
        "recompute": RECOMPUTE[int(case.columns["recompute"])],
    }
    return replace(case, origins={**case.origins, **origins}, words=words)


def _origin(case: Case, name: str, reason: str) -> Origin:
    if name == "global_batch":
        return case.origins[name]
    kind = "assumed" if name in _LISTED else "derived"
    return Origin(kind, reason, option=_option(name))


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
