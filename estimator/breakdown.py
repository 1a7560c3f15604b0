"""Named parts in one unit; the total is always their sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from .arrays import Array, where
from .once import once
from .tuples import NamedTuple


class _Breakdown(NamedTuple):
    parts: Mapping[str, Array]


def _summed(total: Array, parts: Iterable[Array]) -> Array:
    """Add parts to a total that is nobody else's, one after the other."""
    for part in parts:
        total = _plus(total, part)
    return total


def _plus(total: Array, part: Array) -> Array:
    """Add to a total where it stands, and pass over a part that is nothing anywhere.

    Neither changes a bit, and grids of millions of cells take half the time.
    """
    if type(part) is np.float64 and (type(total) is np.float64 or part == 0.0):
        return total + part if type(total) is np.float64 else total
    if np.size(part) == 1 and np.ndim(part) <= np.ndim(total) and part == 0.0:
        return total
    if not isinstance(total, np.ndarray) or not total.ndim:
        return total + part
    # Shapes that are the same need no look at what they broadcast to, which takes longer than adding a few.
    fits = np.shape(part) == total.shape or np.broadcast_shapes(total.shape, np.shape(part)) == total.shape
    return np.add(total, part, out=total) if fits else total + part


class Breakdown(_Breakdown):
    """Parts that add up: FLOPs, memory, energy and cost are all told this way.

    Examples
    --------
    >>> float(Breakdown({"weights": np.float64(2), "gradients": np.float64(2)}).total)
    4.0
    """

    @property
    @once
    def total(self) -> Array:
        """Sum of the parts, broadcast over their shapes."""
        return _summed(np.float64(0.0), self.parts.values())

    @classmethod
    def picked(cls, code: Array, among: Sequence[Breakdown]) -> Breakdown:
        """Return of several breakdowns with the same parts the one of each place's code.

        Only the total is worked out at once, picked of the totals, which is the sum of what is picked; a part is when
        it is asked for: who looks for what fits among millions of layouts asks for none.

        Examples
        --------
        >>> one, other = (Breakdown({"weights": np.float64(size)}) for size in (2, 3))
        >>> Breakdown.picked(np.array([0.0, 1.0, 1.0]), [one, other]).total.tolist()
        [2.0, 3.0, 3.0]
        """
        return _Later(_Picked(code, among))

    def beside(self, parts: Mapping[str, Array]) -> Breakdown:
        """Return these parts with more behind them.

        Examples
        --------
        >>> more = Breakdown({"weights": np.float64(2)}).beside({"gradients": np.float64(1)})
        >>> float(more.total), list(more.parts)
        (3.0, ['weights', 'gradients'])
        """
        return _Later(_Beside(self, parts))


class _Parts(Mapping[str, Array]):
    """Parts that are worked out when they are asked for, and their total."""

    names: Sequence[str]
    total: Array

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class _Later(Breakdown):
    """A breakdown whose parts are worked out when they are asked for."""

    @property
    def total(self) -> Array:
        """Sum of the parts, known without them."""
        return cast("_Parts", self.parts).total


def _pick(code: Array, values: Sequence[Array]) -> Array:
    """Return of several values the one of each place's code, the last for any other."""
    found = values[-1]
    for place in reversed(range(len(values) - 1)):
        found = where(code == place, values[place], found)
    return found


class _Picked(_Parts):
    def __init__(self, code: Array, among: Sequence[Breakdown]) -> None:
        self.names = list(among[0].parts)
        self.total = _pick(code, [each.total for each in among])
        self._code, self._among = code, among

    def __getitem__(self, name: str) -> Array:
        return _pick(self._code, [each.parts[name] for each in self._among])


class _Beside(_Parts):
    def __init__(self, first: Breakdown, more: Mapping[str, Array]) -> None:
        self.names = [*first.parts, *more]
        self.total = _summed(first.total + 0.0, more.values())
        self._first, self._more = first, more

    def __getitem__(self, name: str) -> Array:
        return self._more[name] if name in self._more else self._first.parts[name]
