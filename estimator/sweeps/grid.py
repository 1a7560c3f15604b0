"""How a sweep is computed: which inputs each become a column of their own, and which questions are lowered."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import array
from ..inputs.run import write_input
from ..lower.layout import INPUTS
from ..tuples import NamedTuple
from ..units import Price
from .axes import Axis, Places

Box = tuple[slice, ...]
Values = npt.NDArray[np.float64]


class Direct(NamedTuple):
    """An input that lowering puts into one column as it is, nothing else depending on it.

    That holds only where one of the inputs ``with_`` is given, if any is named, and none of ``without``.
    """

    column: str
    with_: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()


# An input that is not among them is lowered, once for each of its values. `tests/sweeps/test_direct.py` keeps it.
DIRECT: Mapping[str, Direct] = {
    "tokens": Direct("tokens", with_=frozenset({"global_batch"})),
    "count": Direct("count", without=frozenset({*INPUTS, "context", "global_batch", "platform"})),
    "within": Direct("within"),
    "mfu": Direct("given_mfu"),
    "efficiency_gain": Direct("efficiency_gain"),
    "scaling_efficiency": Direct("efficiency_coefficient"),
    "goodput": Direct("given_goodput"),
    "mtbi": Direct("given_mtbi"),
    "checkpoint_interval": Direct("given_interval"),
    "checkpoint_bandwidth": Direct("checkpoint_bandwidth"),
    "restart_time": Direct("restart_time"),
    "rollback_share": Direct("rollback_share"),
    "straggler_share": Direct("straggler_share"),
    "price": Direct("price", without=frozenset({"currency"})),
    "power": Direct("power_per_accelerator"),
    "pue": Direct("pue"),
    "development": Direct("development"),
    "applications": Direct("applications"),
}


def direct_columns(axes: Sequence[Axis], given: Mapping[str, Any], currency: str) -> dict[str, str]:
    """Return the inputs of the axes that are columns of their own, with their columns.

    Parameters
    ----------
    axes
        The dimensions.
    given
        The inputs that do not vary.
    currency
        Of the answers: a price in another one, or of a node, is lowered.
    """
    varied = {name: values for axis in axes for name, values in axis.values.items()}
    names = {name for name, value in given.items() if value is not None} | varied.keys()
    found: dict[str, str] = {}
    for name, values in varied.items():
        rule = DIRECT.get(name)
        if rule is None or (rule.with_ and not rule.with_ & names):
            continue
        barred = rule.without & (varied.keys() if name == "price" else names)
        if not barred and all(_plain(value, currency) for value in values):
            found[name] = rule.column
    return found


def _plain(value: Any, currency: str) -> bool:
    if isinstance(value, str):  # a name stands for a number that is looked up
        return False
    return not isinstance(value, Price) or (value.per == "accelerator" and value.currency == currency)


class Grid:
    """The cells of a sweep, in rows: the last axis runs fastest."""

    def __init__(self, axes: Sequence[Axis], direct: Mapping[str, str]) -> None:
        """Hold the axes, and the inputs among them that are columns of their own."""
        self.axes, self.direct = tuple(axes), dict(direct)
        self.shape = tuple(axis.size for axis in axes)
        self.size = math.prod(self.shape)
        # Axes along which questions are lowered, and those along which columns alone change.
        self.lowered = [place for place, axis in enumerate(axes) if axis.values.keys() - direct.keys()]
        self.free = [place for place in range(len(axes)) if place not in self.lowered]

    @cached_property
    def _distinct(self) -> list[tuple[list[tuple[Any, ...]], Places]]:
        """Of each lowered axis the distinct values of what is lowered, and which of them each place has."""
        found: list[tuple[list[tuple[Any, ...]], Places]] = []
        for place in self.lowered:
            values = self.axes[place].values
            rows = list(zip(*(values[name] for name in self._names(place)), strict=True))
            codes = {row: code for code, row in enumerate(dict.fromkeys(rows))}
            found.append((list(codes), np.array([codes[row] for row in rows], dtype=np.intp)))
        return found

    def _names(self, place: int) -> list[str]:
        return [name for name in self.axes[place].values if name not in self.direct]

    @property
    def questions(self) -> int:
        """How many distinct questions there are to lower."""
        return math.prod(len(rows) for rows, _ in self._distinct)

    def asked(self) -> Iterator[dict[str, Any]]:
        """Yield what is lowered of each distinct question: the inputs that vary, columns at their first value."""
        first = {
            name: write_input(name, values[0])
            for axis in self.axes
            for name, values in axis.values.items()
            if name in self.direct
        }
        for index in range(self.questions):
            codes = np.unravel_index(index, [len(rows) for rows, _ in self._distinct]) if self.lowered else ()
            own = {
                name: write_input(name, value)
                for place, code, (rows, _) in zip(self.lowered, codes, self._distinct, strict=True)
                for name, value in zip(self._names(place), rows[int(code)], strict=True)
            }
            yield {**first, **own}

    def places(self, box: Box) -> tuple[Places, tuple[Places, ...]]:
        """Return the question of every place of the lowered axes in a box, and the places within it."""
        spans: list[Places] = [np.arange(box[place].start, box[place].stop) for place in self.lowered]
        if not spans:
            return np.zeros(1, dtype=np.intp), ()
        local = tuple(index.ravel() for index in np.indices(tuple(len(span) for span in spans)))
        codes = [
            every[span][index] for span, index, (_, every) in zip(spans, local, self._distinct, strict=True)
        ]
        counts = [len(rows) for rows, _ in self._distinct]
        return np.ravel_multi_index(codes, counts), local

    @cached_property
    def _numbers(self) -> dict[str, Values]:
        """The values of every input that is a column of its own."""
        return {
            name: np.asarray(array([_number(value) for value in values]))
            for axis in self.axes
            for name, values in axis.values.items()
            if name in self.direct
        }

    def columns(self, box: Box, local: tuple[Places, ...]) -> dict[str, Values]:
        """Return the columns that need no lowering, in the dimensions of a block: places, then free axes."""
        found: dict[str, Values] = {}
        for place, axis in enumerate(self.axes):
            for name in axis.values.keys() & self.direct.keys():
                part = self._numbers[name][box[place]]
                if place in self.lowered:
                    part = part[local[self.lowered.index(place)]]
                found[self.direct[name]] = part.reshape(self.dimensions(place, len(part)))
        return found

    def along(self, columns: frozenset[str]) -> list[int]:
        """Return the free axes along which one of some columns changes."""
        return [
            place for place in self.free if columns & {self.direct[name] for name in self.axes[place].values}
        ]

    def dimensions(self, place: int, size: int) -> tuple[int, ...]:
        """Return the shape of something that runs along one axis, among the dimensions of a block."""
        shape = [1] * (1 + len(self.free))
        shape[1 + self.free.index(place) if place in self.free else 0] = size
        return tuple(shape)


def _number(value: Any) -> float:
    return value.rate if isinstance(value, Price) else value


def boxes(shape: Sequence[int], most: int) -> Iterator[Box]:
    """Yield boxes of no more than so many cells that follow each other in the rows of a grid.

    Examples
    --------
    >>> [[(span.start, span.stop) for span in box] for box in boxes((2, 3), 2)]
    [[(0, 1), (0, 2)], [(0, 1), (2, 3)], [(1, 2), (0, 2)], [(1, 2), (2, 3)]]
    """
    whole = len(shape)
    while whole > 0 and math.prod(shape[whole - 1 :]) <= most:
        whole -= 1
    if whole == 0:
        yield tuple(slice(0, size) for size in shape)
        return
    split, rest = whole - 1, math.prod(shape[whole:])
    tail = tuple(slice(0, size) for size in shape[whole:])
    for lead in np.ndindex(*shape[:split]):
        head = tuple(slice(place, place + 1) for place in lead)
        for span in _spans(shape[split], max(1, most // rest)):
            yield (*head, span, *tail)


def _spans(size: int, most: int) -> Iterator[slice]:
    for start in range(0, size, most):
        yield slice(start, min(start + most, size))


def pieces(box: Box, heavy: Sequence[int], most: int) -> Iterator[Box]:
    """Yield a box in pieces of which the heavy axes have no more than so many places.

    Examples
    --------
    >>> [[(span.start, span.stop) for span in box] for box in pieces((slice(0, 4), slice(0, 9)), [0], 2)]
    [[(0, 2), (0, 9)], [(2, 4), (0, 9)]]
    """
    sizes = {place: box[place].stop - box[place].start for place in heavy}
    if math.prod(sizes.values()) <= most:
        yield box
        return
    widest = max(sizes, key=sizes.__getitem__)
    start, stop = box[widest].start, box[widest].stop
    for span in (slice(start, (start + stop) // 2), slice((start + stop) // 2, stop)):
        yield from pieces((*box[:widest], span, *box[widest + 1 :]), heavy, most)
