"""Every legal layout of a question that leaves parts of it open: what each part may be, and the rules between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .case import Case
from .formulas.activations import RECOMPUTE

Values = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.intp]]

# What a layout may choose among; a part that the question gives is not chosen.
CHOICES: Mapping[str, tuple[float, ...]] = {
    "tp": (1, 2, 4, 8),
    "pp": tuple(range(1, 65)),
    "cp": (1, 2, 4, 8, 16),
    "vpp": (1, 2, 3, 4, 8),
    "ep": (1, 2, 4, 8, 16, 32, 64),
    "zero": (1, 3),
    "micro_batch": (1, 2, 4, 8, 16, 32, 64),
    "recompute": (0, 3, 2),
}
# Every part of a layout that a question may leave open.
FREE = frozenset({*CHOICES, "sequence_parallel", "global_batch"})
# Questions whose layouts are tried at a time.
_QUESTIONS = 64
# Sequences up to this length are not worth splitting. [token]
_LONG = 16384.0
# So large a share of the cards may be idle where the count has few divisors.
_IDLE = 0.01
# More sequences at a time are worth it only for models so small that a card holds one whole.
_MANY = 8.0
# Powers of two up to here may be the stages of a pipeline whose layers they do not divide.
_DEEP = 32.0
# An assumed batch grows to so many times the usual one at most that every replica has work, as those on record do;
# beyond that only where no layout has fewer replicas, and then hardly more.
GROWTH, _HARDLY = 8.0, 2.0


class Layouts(NamedTuple):
    """Legal layouts: the place of the question that each belongs to, in order, and its columns, all of one length."""

    asked: Places
    columns: Mapping[str, Values]


def size_of(case: Case) -> int:
    """Return the number of questions in a case."""
    return max(np.size(column) for column in case.columns.values())


def firsts(asked: Places) -> Places:
    """Return where the layouts of each question begin."""
    return np.flatnonzero(np.diff(asked, prepend=-1))


def spread(values: Values, asked: Places) -> Values:
    """Give a value of each question to each of its layouts."""
    return np.repeat(values, np.diff(np.append(firsts(asked), len(asked))))


def layouts(case: Case) -> Layouts:
    """Return every legal layout of each question, what the question gives of it being fixed.

    Parameters
    ----------
    case
        Columns of shape () or (n,); ``free`` names the parts of the layout that are open.
    """
    found = [_legal(case, asked, long=long, sparse=sparse) for asked, long, sparse in _kinds(case)]
    asked = np.concatenate([facts.asked for facts in found])
    order = np.argsort(asked, kind="stable")
    columns = {name: np.concatenate([facts.parts[name] for facts in found])[order] for name in found[0].parts}
    return Layouts(asked[order], columns)


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

    def each(self, name: str, options: Values) -> _Facts:
        """Return every layout with each value of one more part."""
        parts = {known: np.repeat(part, len(options)) for known, part in self.parts.items()}
        values = np.tile(options, len(self.asked))
        return _Facts(self.case, np.repeat(self.asked, len(options)), {**parts, name: values})

    def whole(self, name: str) -> Values:
        """A dimension of the model; of a shape that was only guessed, the nearest power of two."""
        found = self[name]
        guessed = np.exp2(np.round(np.log2(np.maximum(found, 1.0))))
        return np.where(found == np.floor(found), found, guessed)

    def even(self, chunks: Values) -> Mask:
        """Tell whether the layers divide into so many chunks; embedding and head may count as a layer each."""
        layers = self.whole("layers")
        return (layers % chunks == 0) | ((layers == self["layers"]) & ((layers + 2.0) % chunks == 0))

    def open(self, *names: str) -> bool:
        """Tell whether the question leaves any of them open."""
        return any(name in self.case.free for name in names)

    @property
    def replica(self) -> Values:
        """Cards that hold the model once."""
        return self["tp"] * self["pp"] * self["cp"]

    @property
    def replicas(self) -> Values:
        """Data-parallel replicas."""
        return np.maximum(np.floor(self["count"] / self.replica), 1.0)

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


def _kinds(case: Case) -> Iterator[tuple[Places, bool, bool]]:
    """Yield the questions in groups of one kind: with long sequences or short ones, with experts or without."""
    size = size_of(case)
    long, sparse = (
        np.broadcast_to(np.asarray(case.columns[name]), size) > bound
        for name, bound in (("seq", _LONG), ("experts", 0))
    )
    for key in ((False, False), (False, True), (True, False), (True, True)):
        members = np.flatnonzero((long == key[0]) & (sparse == key[1]))
        for start in range(0, len(members), _QUESTIONS):
            yield members[start : start + _QUESTIONS], *key


def _options(case: Case, name: str, *, long: bool, sparse: bool) -> Values:
    """Return what a part of the layout may be; one value where no other makes sense."""
    if (name == "cp" and not long) or (name == "ep" and not sparse):
        return np.ones(1)
    if name == "recompute" and np.any(np.asarray(case.columns["unfused"]) > 0):
        return np.arange(len(RECOMPUTE), dtype=np.float64)
    return np.array(CHOICES[name], dtype=np.float64)


def _legal(case: Case, asked: Places, *, long: bool, sparse: bool) -> _Facts:
    """Open one part after the other, keep what its rule lets pass, and set what follows from the degrees."""
    facts = _Facts(case, asked, {})
    for name in CHOICES:
        if name in case.free:
            facts = facts.each(name, _options(case, name, long=long, sparse=sparse))
        if name in _RULES:
            facts = facts.take(_RULES[name](facts))
    derived = {"global_batch": facts.batch} if facts.open("global_batch") else {}
    if facts.open("sequence_parallel"):
        derived["sequence_parallel"] = np.where(facts["tp"] > 1, 1.0, 0.0)
    return _Facts(case, facts.asked, {**facts.parts, **derived})


def _depth(facts: _Facts) -> Mask:
    """Stages that the layers divide into, or that are a power of two."""
    stages = facts["pp"]
    if not facts.open("pp"):
        return stages > 0
    power = (np.exp2(np.round(np.log2(stages))) == stages) & (stages <= _DEEP)
    return (stages <= facts.whole("layers") + 2.0) & (power | facts.even(stages))


def _degrees(facts: _Facts) -> Mask:
    """Whole replicas with hardly a card idle, heads split evenly, tensor ranks within a node."""
    idle = facts["count"] - facts.replicas * facts.replica
    legal = (idle >= 0) & (idle <= _IDLE * facts["count"])
    if facts.open("pp"):
        # A number of stages that is no power of two is worth it only where it divides the cards too.
        legal = legal & ((idle == 0) | (np.exp2(np.round(np.log2(facts["pp"]))) == facts["pp"]))
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
    interleaved = (facts["pp"] > 1) & facts.even(chunks)
    return (chunks <= facts.whole("layers") + 2.0) & ((facts["vpp"] == 1) | interleaved)


def _experts(facts: _Facts) -> Mask:
    """Expert ranks divide the experts and lie within the ranks of a stage."""
    if not facts.open("ep"):
        return facts["ep"] > 0
    ranks, experts = facts["tp"] * facts["cp"] * facts.replicas, facts["experts"]
    return (facts["ep"] == 1) | ((experts > 0) & (experts % facts["ep"] == 0) & (ranks % facts["ep"] == 0))


def _sharding(facts: _Facts) -> Mask:
    """Weights are sharded without a pipeline: each stage would gather them for every micro-batch."""
    legal = (facts["zero"] < 3) | (facts["pp"] == 1)
    return legal if facts.open("zero", "pp") else legal | True


def _batches(facts: _Facts) -> Mask:
    """Every replica gets whole micro-batches, and an interleaved pipeline a multiple of its stages.

    An assumed batch grows to what gives every replica work, within bounds.
    """
    least = facts.least_batch
    few = (facts["micro_batch"] <= _MANY) | (facts.replica <= 1.0) | (not facts.open("micro_batch"))
    if not facts.open("global_batch"):
        return few & (facts.batch % least == 0)
    if not len(least):
        return least > 0
    fewest = spread(np.minimum.reduceat(least, firsts(facts.asked)), facts.asked)
    return few & (least <= np.maximum(facts["global_batch"] * GROWTH, fewest * _HARDLY))


# The rule that holds once a part of the layout is known, by the part, in the order in which they are opened.
_RULES: Mapping[str, Callable[[_Facts], Mask]] = {
    "pp": _depth,
    "cp": _degrees,
    "vpp": _stages,
    "ep": _experts,
    "zero": _sharding,
    "micro_batch": _batches,
}
