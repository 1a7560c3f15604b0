"""Layouts enumerated part by part: each part opened is paired with those before it only where its rule lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .case import Case
from .tuples import NamedTuple

Values = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Places = np.ndarray[Any, np.dtype[np.intp]]


class Layouts(NamedTuple):
    """Legal layouts: the place of the question that each belongs to, in order, and its columns, all of one length."""

    asked: Places
    columns: Mapping[str, Values]


class Choices(NamedTuple):
    """What layouts are chosen among.

    ``options`` of each part, in the order in which parts are opened; by part the ``rules`` that tell, once it is known
    too, which values go with those known before; ``last`` looks at all layouts of each question together.
    """

    options: Mapping[str, Callable[[Facts], Values]]
    rules: Mapping[str, Callable[[Facts], Mask]]
    last: Callable[[Facts], Mask]


def size_of(case: Case) -> int:
    """Return the number of questions in a case."""
    return max(np.size(column) for column in case.columns.values())


def firsts(asked: Places) -> Places:
    """Return where the layouts of each question begin."""
    return np.flatnonzero(np.diff(asked, prepend=-1))


def spread(values: Values, asked: Places) -> Values:
    """Give a value of each question to each of its layouts."""
    return np.repeat(values, np.diff(np.append(firsts(asked), len(asked))))


class Facts:
    """What the rules look at, of equal length: the layouts tried and the questions that they are tried for."""

    def __init__(self, case: Case, asked: Places, parts: Mapping[str, Values]) -> None:
        self.case, self.asked, self.parts = case, asked, parts

    def __getitem__(self, name: str) -> Values:
        if name in self.parts:
            return self.parts[name]
        column = np.asarray(self.case.columns[name], dtype=np.float64)
        return column[self.asked] if column.ndim else np.broadcast_to(column, self.asked.shape)

    def take(self, places: Mask | Places | slice) -> Facts:
        """Return some of the layouts."""
        return Facts(self.case, self.asked[places], {name: part[places] for name, part in self.parts.items()})

    def each(self, name: str, options: Values, rule: Callable[[Facts], Mask]) -> Facts:
        """Return every layout with each value of one more part that the rule lets go with it: no other is built."""
        known = {each: part[:, np.newaxis] for each, part in self.parts.items()}
        pairs = Facts(self.case, self.asked[:, np.newaxis], {**known, name: options[np.newaxis]})
        legal = np.broadcast_to(rule(pairs), (len(self.asked), len(options)))
        rows, places = np.nonzero(legal)
        found = self.take(rows)
        return Facts(self.case, found.asked, {**found.parts, name: options[places]})

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
        return np.maximum(np.minimum(np.floor(self["count"] / self.replica), self["replicas"]), 1.0)

    @property
    def least_share(self) -> Values:
        """Sequences of a replica's smallest step: an interleaved pipeline takes a micro-batch a stage at a time."""
        return self["micro_batch"] * np.where(self["vpp"] > 1, self["pp"], 1.0)

    @property
    def least_batch(self) -> Values:
        """Sequences of the smallest step of all replicas."""
        return self.replicas * self.least_share

    @property
    def batch(self) -> Values:
        """Sequences of a step: as given, else the assumed ones as whole micro-batches of every replica."""
        if not self.open("global_batch"):
            return self["global_batch"]
        return np.maximum(np.round(self["global_batch"] / self.least_batch), 1.0) * self.least_batch


def opened(facts: Facts, choices: Choices, most: float = np.inf) -> Iterator[Facts]:
    """Open one part after the other and yield the legal layouts, from parts of ``most`` at a time.

    Parameters
    ----------
    facts
        The questions, or layouts of them of which some parts are open no more.
    choices
        What the parts may be.
    most
        So many layouts at most are given their next part at a time.
    """
    for place, name in enumerate(choices.options):
        if name in facts.parts:
            continue
        rule = choices.rules.get(name, _any)
        if name in facts.case.free:
            facts = facts.each(name, choices.options[name](facts), rule)
        else:
            facts = facts.take(np.broadcast_to(rule(facts), facts.asked.shape))
        if len(facts.asked) > most and place + 1 < len(choices.options):
            step = int(most)
            rest = choices._replace(options=dict(list(choices.options.items())[place + 1 :]))
            for start in range(0, len(facts.asked), step):
                yield from opened(facts.take(slice(start, start + step)), rest, most)
            return
    yield facts.take(np.broadcast_to(choices.last(facts), facts.asked.shape))


def _any(facts: Facts) -> Mask:
    return facts.asked >= 0
