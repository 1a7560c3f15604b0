"""The layout of a question that gives none: of all that are legal and fit, the fastest."""

from __future__ import annotations

from collections.abc import Mapping
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
    "recompute": (0, 2),
}
# Sequences up to this length are not worth splitting. [token]
_LONG = 16384.0
# A layout that is faster by less than this share is not worth being more complicated.
_ALIKE = 0.01
# Of a card's memory no more than this share is planned: estimates of memory stray by about as much as is left.
_FILLED = 0.95
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


def _column(case: Case, name: str) -> Values:
    """Return a column of the questions, as a column of a matrix of questions and layouts."""
    return np.reshape(np.asarray(case.columns[name], dtype=np.float64), (-1, 1))


def _size(case: Case) -> int:
    return max(np.size(column) for column in case.columns.values())


class _Facts:
    """What the rules look at: questions down, layouts across."""

    def __init__(self, case: Case) -> None:
        self.case = case
        grids = np.meshgrid(*(_options(case, name) for name in _CHOICES), indexing="ij")
        chosen = dict(zip(_CHOICES, (grid.reshape(1, -1) for grid in grids), strict=True))
        self.parts = {
            name: part if name in case.free else _column(case, name) for name, part in chosen.items()
        }

    def __getitem__(self, name: str) -> Values:
        return self.parts[name] if name in self.parts else _column(self.case, name)

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
        return np.maximum(self["count"] / (self["tp"] * self["pp"] * self["cp"]), 1.0)

    @property
    def batch(self) -> Values:
        """Sequences of a step: as given, else the assumed ones as whole micro-batches of every replica."""
        step = self.replicas * self["micro_batch"]
        usual = self["global_batch"]
        return (
            np.maximum(np.round(usual / step), 1.0) * step
            if self.open("global_batch")
            else usual + 0.0 * step
        )


def _options(case: Case, name: str) -> Values:
    """Return what a part of the layout may be; one value where the question gives it or no other makes sense."""
    if name not in case.free:
        return np.ones(1)
    if name == "cp" and np.all(_column(case, "seq") < _LONG):
        return np.ones(1)
    if name == "ep" and not np.any(_column(case, "experts") > 0):
        return np.ones(1)
    if name == "recompute" and np.any(_column(case, "unfused") > 0):
        return np.arange(len(RECOMPUTE), dtype=np.float64)
    return np.array(_CHOICES[name], dtype=np.float64)


def _degrees(facts: _Facts) -> Mask:
    """Whole replicas, heads split evenly, tensor ranks within a node, long sequences alone split."""
    product = facts["tp"] * facts["pp"] * facts["cp"]
    legal = facts["count"] % product == 0
    if facts.open("tp"):
        legal = legal & (facts.whole("heads") % facts["tp"] == 0) & (facts["tp"] <= facts["per_node"])
    if facts.open("cp"):
        legal = legal & ((facts["cp"] == 1) | (facts["seq"] >= _LONG))
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
    step = facts.replicas * facts["micro_batch"]
    small = (
        step <= facts["global_batch"] * _STRETCH if facts.open("global_batch") else facts.batch % step == 0
    )
    return small & ((facts["vpp"] == 1) | (facts.batch / step % facts["pp"] == 0))


_LEGAL = (_degrees, _stages, _sharding, _experts, _batches)


def layouts(case: Case) -> Layouts:
    """Return every legal layout of each question, what the question gives of it being fixed."""
    facts = _Facts(case)
    legal: Mask = np.ones((_size(case), 1), dtype=bool)
    for rule in _LEGAL:
        legal = legal & rule(facts)
    asked, across = np.nonzero(legal)
    wanted = {**facts.parts, "global_batch": facts.batch}
    if facts.open("sequence_parallel"):
        wanted["sequence_parallel"] = np.where(facts["tp"] > 1, 1.0, 0.0)
    columns = {name: np.broadcast_to(part, legal.shape)[asked, across] for name, part in wanted.items()}
    return Layouts(asked, columns)


def _best(case: Case, legal: Layouts) -> Places:
    """Return the place of the best layout of each question that has one: the fastest that fits, the simplest of
    those alike; where none fits, the one that takes the least memory.
    """
    found = estimate.evaluate(_tried(case, legal))
    size, first = len(legal.asked), np.flatnonzero(np.diff(legal.asked, prepend=-1))
    speed, memory = (
        np.broadcast_to(np.asarray(value), size)
        for value in (legal.columns["global_batch"] / found.values["modelled_time"], found.values["memory"])
    )
    room = np.broadcast_to(np.asarray(found.values["memory_usable"]), size)
    fast = np.where((memory <= room * _FILLED) & ~np.isnan(speed), speed, 0.0)
    groups = np.repeat(np.arange(len(first)), np.diff(np.append(first, size)))
    fastest = np.maximum.reduceat(fast, first)[groups]
    alike = (fast >= fastest * (1.0 - _ALIKE)) & (fastest > 0)
    small = np.where(np.isnan(memory), np.inf, memory)
    order = np.where(fastest > 0, np.where(alike, _complication(legal.columns), np.inf), small)
    least = np.minimum.reduceat(order, first)[groups]
    return np.flatnonzero(order == least)[np.unique(groups[order == least], return_index=True)[1]]


def _tried(case: Case, legal: Layouts) -> Case:
    """Return the case whose questions are all legal layouts of all questions."""

    def _each(column: Array) -> Array:
        return np.asarray(column)[legal.asked] if np.ndim(column) else column

    return replace(
        case, columns={**{name: _each(column) for name, column in case.columns.items()}, **legal.columns}
    )


def _complication(columns: Mapping[str, Values]) -> Values:
    """Rank layouts by how much there is to them: degrees beyond one, then recomputation and small batches."""
    degrees = [np.log2(columns[name]) for name in ("tp", "pp", "vpp", "cp", "ep")]
    return sum(degrees, np.zeros(())) + 0.1 * columns["recompute"] - 0.01 * columns["micro_batch"]


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
    if case.free & set(_CHOICES) - set(_LISTED):
        origins["sharding"] = Origin("assumed", reason, option="--tp")
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
    return Origin(kind, reason, option="--" + name.replace("_", "-"))
