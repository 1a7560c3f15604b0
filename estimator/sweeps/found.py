"""What the questions of a sweep leave open, found once for all cells that differ only in what it does not depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..answer import sized
from ..arrays import Array
from ..case import Case
from ..estimate import columns_of
from ..layouts import FREE
from .grid import Values
from .lowered import Family

# Questions whose layouts are searched at a time: more would not be faster, and each tries a thousand layouts.
_PIECE = 64
# What the search looks at: time and memory of a step, and what its rules read beside.
_LAYOUT = columns_of(("modelled_time", "memory", "memory_usable")) | FREE | {"count"}
# Where the count is open too: how long the run takes, and how long it may.
_COUNT = columns_of(("wall_clock", "occupied_hours", "fewest_accelerators")) | {"within"}


class Found:
    """The layouts and counts found so far, by what they depend on."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: dict[bytes, Values] = {}

    def __reduce__(self) -> tuple[type[Found], tuple[()]]:
        """Leave behind what was found when this goes to another process: it would be found there again alike."""
        return Found, ()

    def columns(self, case: Case, family: Family, number: int) -> dict[str, Values]:
        """Return the columns that a case leaves open, in its own dimensions.

        Parameters
        ----------
        case
            A block of questions of one family.
        family, number
            The family and its number: what it has in common needs no look.
        """
        names = open_columns(case)
        if not names:
            return {}
        reads = reads_of(case)
        looked = sorted(
            name
            for name, column in case.columns.items()
            if name in reads and (np.ndim(family.columns[name]) or np.ndim(column))
        )
        shape = np.broadcast_shapes(
            *(np.shape(case.columns[name]) for name in looked), (1,) * _dimensions(case)
        )
        rows = _rows([case.columns[name] for name in looked], shape)
        keys = [number.to_bytes(4, "big") + row.tobytes() for row in rows]
        missing = {key: place for place, key in enumerate(keys) if key not in self._known}
        self._search(case, shape, missing, names)
        table = np.array([self._known[key] for key in keys])
        return {name: table[:, place].reshape(shape) for place, name in enumerate(names)}

    def _search(
        self, case: Case, shape: tuple[int, ...], missing: Mapping[bytes, int], names: tuple[str, ...]
    ) -> None:
        keys, places = list(missing), np.array(list(missing.values()), dtype=np.intp)
        for start in range(0, len(keys), _PIECE):
            few = places[start : start + _PIECE]
            found = sized(_row(case, shape, few))
            rows = _rows([found.columns[name] for name in names], (len(few),))
            self._known.update(zip(keys[start : start + _PIECE], rows, strict=True))


def open_columns(case: Case) -> tuple[str, ...]:
    """Return the columns that are to be found, in order."""
    count = set[str]() if "count" in case.columns else {"count", "in_time"}
    return tuple(sorted((case.free & case.columns.keys()) | count))


def reads_of(case: Case) -> frozenset[str]:
    """Return the columns on which what is found of a case may depend; none where nothing is open."""
    if not open_columns(case):
        return frozenset()
    return _LAYOUT if "count" in case.columns else _LAYOUT | _COUNT


def _dimensions(case: Case) -> int:
    return max(np.ndim(column) for column in case.columns.values())


def _rows(columns: Sequence[Array], shape: tuple[int, ...]) -> Values:
    """Return columns side by side, a row for each element of a shape."""
    size = int(np.prod(shape))
    if not columns:
        return np.zeros((size, 0))
    return np.stack([np.broadcast_to(column, shape).reshape(size) for column in columns], axis=-1)


def _row(case: Case, shape: tuple[int, ...], places: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Case:
    """Return some elements of a block as questions in a row; what has no place in its shape is left as it is first."""

    def _flat(name: str) -> Values:
        column = np.asarray(case.columns[name])
        if not column.ndim and name not in (
            "seq",
            "within",
        ):  # the two that tell how many questions there are
            return column
        fits = (
            column[tuple(slice(None) if size > 1 else slice(0, 1) for size in shape)]
            if column.ndim
            else column
        )
        return np.broadcast_to(fits, shape).reshape(-1)[places]

    return Case({name: _flat(name) for name in case.columns}, free=case.free)
