"""The distinct questions of a sweep, lowered once each, and stacked where they are alike in all but numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..case import Case, Unknown
from ..errors import EstimatorError, QuestionError
from ..tuples import NamedTuple
from .axes import Places
from .grid import Values

# Columns by whose value the search of a layout chooses what it tries, or a fleet is evaluated: questions that differ in
# one are kept apart.
_APART = ("unfused", "way")
# So many faults are told where no question has an answer.
_TOLD = 5


class _Kind(NamedTuple):
    """What questions that are stacked share: columns, unknowns with the columns they move, and open parts.

    ``shape`` is that of each: () of a run, (pools,) of a fleet.
    """

    columns: tuple[str, ...]
    unknowns: tuple[tuple[str, tuple[str, ...]], ...]
    free: frozenset[str]
    apart: tuple[float, ...]
    shape: tuple[int, ...]


class Family(NamedTuple):
    """Questions of one kind, their columns stacked; a column that is the same for all keeps the shape ()."""

    columns: Mapping[str, Values]
    unknowns: tuple[Unknown, ...]
    free: frozenset[str]
    shape: tuple[int, ...] = ()

    def take(self, rows: Places, dimensions: int) -> Case:
        """Return the questions of some rows as a case, on the first of so many dimensions; pools are before them."""
        own, rest = self.shape, [1] * (dimensions - 1)

        def _of(column: Any) -> Values:
            if np.ndim(column) > len(own):
                return np.moveaxis(column[rows], 0, -1).reshape(*own, len(rows), *rest)
            return column.reshape(*own, 1, *rest) if np.ndim(column) else np.asarray(column)

        unknowns = tuple(
            Unknown(name, *({key: _of(end) for key, end in side.items()} for side in (low, high)))
            for name, low, high in self.unknowns
        )
        columns = {name: _of(column) for name, column in self.columns.items()}
        return Case(columns, unknowns=unknowns, free=self.free)


class Questions(NamedTuple):
    """Every distinct question: its family (none, -1, where it has a fault), its row there, and what there is to say.

    ``reason`` is the place among ``reasons`` of why something of it is not known; the first reason is empty.
    """

    families: tuple[Family, ...]
    family: Places
    row: Places
    reason: Places
    reasons: tuple[str, ...]


def lowered(
    asked: Iterable[Mapping[str, Any]],
    lower: Callable[[Mapping[str, Any]], Case],
    reads: frozenset[str],
    told: Callable[[int], None],
) -> Questions:
    """Lower every question and stack those of a kind.

    Parameters
    ----------
    asked
        What varies of each question.
    lower
        Makes the case of one, with what all of them share.
    reads
        The columns that take part in what is asked for: what is not known of others needs no reason.
    told
        Called after each with how many are done.

    Raises
    ------
    QuestionError
        Not one of them has an answer.
    """
    stacks: dict[_Kind, list[Values]] = {}
    places: list[tuple[int, int]] = []
    said: list[str] = []
    for number, inputs in enumerate(asked, start=1):
        try:
            case = lower(inputs)
        except EstimatorError as error:
            places.append((-1, 0))
            said.append("; ".join(str(error).splitlines()))
        else:
            kind = _kind(case)
            stack = stacks.setdefault(kind, [])
            places.append((list(stacks).index(kind), len(stack)))
            stack.append(_numbers(case, kind))
            said.append(_not_known(case, reads))
        told(number)
    if not stacks:
        raise QuestionError(list(dict.fromkeys(said))[:_TOLD])
    reasons = tuple(dict.fromkeys(["", *said]))
    family, row = np.array(places, dtype=np.intp).T
    reason = np.array([reasons.index(text) for text in said], dtype=np.intp)
    families = tuple(_family(kind, np.array(stack)) for kind, stack in stacks.items())
    return Questions(families, family, row, reason, reasons)


def _kind(case: Case) -> _Kind:
    unknowns = tuple((unknown.name, tuple(unknown.low)) for unknown in case.unknowns)
    looked = [np.ravel(case.columns[name]) for name in _APART if name in case.columns]
    apart = tuple(np.concatenate(looked).tolist())
    return _Kind(tuple(sorted(case.columns)), unknowns, case.free, apart, np.shape(case.columns["seq"]))


def _numbers(case: Case, kind: _Kind) -> Values:
    """Return all numbers of a question in a row: its columns, then the ends of its unknowns."""
    ends = [end[key] for _, low, high in case.unknowns for end in (low, high) for key in low]
    values = (*(case.columns[name] for name in kind.columns), *ends)
    if not kind.shape:
        return np.array([float(value) for value in values])
    return np.array([np.broadcast_to(value, kind.shape) for value in values])


def _family(kind: _Kind, stack: Values) -> Family:
    columns = iter(_columns(stack))
    named = {name: next(columns) for name in kind.columns}
    unknowns = [
        Unknown(name, *({key: next(columns) for key in keys} for _ in range(2)))
        for name, keys in kind.unknowns
    ]
    return Family(named, tuple(unknowns), kind.free, kind.shape)


def _columns(stack: Values) -> Iterable[Values]:
    """Yield each column, of shape () where all its rows are the same."""
    for column in np.moveaxis(stack, 1, 0):
        same = np.array_equal(column, np.broadcast_to(column[0], column.shape), equal_nan=True)
        yield np.array(column[0]) if same else np.ascontiguousarray(column)


def _not_known(case: Case, reads: frozenset[str]) -> str:
    """Say why columns that take part are not known."""
    reasons = [
        case.origins[name].reason
        for name in sorted(case.columns)
        if name in reads and np.any(np.isnan(case.columns[name])) and case.origins[name].kind == "assumed"
    ]
    return "; ".join(dict.fromkeys(reasons))
