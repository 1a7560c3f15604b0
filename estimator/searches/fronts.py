"""Pareto fronts: what nothing else beats in both of two respects."""

from __future__ import annotations

import numpy as np

from ..enumeration import Places, Values
from ..tuples import NamedTuple


def front(one: Values, other: Values) -> Places:
    """Return the places of those that no other is at most as large as in both, by the first in rising order.

    Of several that are equal in both the first stands for all.

    Examples
    --------
    >>> front(np.array([3.0, 1.0, 2.0, 2.0]), np.array([1.0, 5.0, 4.0, 4.5])).tolist()
    [1, 2, 0]
    """
    order = np.lexsort((other, one))
    least = np.minimum.accumulate(other[order])
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = least[1:] < least[:-1]
    return order[fresh & np.isfinite(one[order])]


def front_alike(one: Values, other: Values) -> Places:
    """Return the places of a front, and of all that equal one on it in both.

    Examples
    --------
    >>> front_alike(np.array([3.0, 1.0, 2.0, 1.0]), np.array([1.0, 5.0, 4.0, 5.0])).tolist()
    [1, 3, 2, 0]
    """
    order = np.lexsort((other, one))
    kept = front(one[order], other[order])
    before = np.zeros(len(order), dtype=np.intp)
    before[kept] = kept
    leader = order[np.maximum.accumulate(before)]
    alike = (one[order] == one[leader]) & (other[order] == other[leader])
    return order[alike & np.isfinite(one[order])]


class Some(NamedTuple):
    """Some layouts: their time, their memory and a row of parts each. [s], [byte]

    Of layouts alike in both the one with the least parts, the first part first, stands before all others, so that what
    is kept depends neither on the order in which layouts come nor on how many come at a time.
    """

    time: Values
    memory: Values
    layouts: Values

    @classmethod
    def none(cls, width: int) -> Some:
        """Return none of them."""
        return cls(np.zeros(0), np.zeros(0), np.zeros((0, width)))

    def take(self, places: Places | slice) -> Some:
        """Return some of them, in that order."""
        return Some(self.time[places], self.memory[places], self.layouts[places])

    def beside(self, other: Some) -> Some:
        """Return these and others."""
        return Some(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def in_order(self) -> Some:
        """Return them by time, then by memory, then by their parts."""
        return self.take(np.lexsort((*self.layouts.T[::-1], self.memory, self.time)))

    def front(self) -> Some:
        """Return those that no other beats in time and memory, the fastest first."""
        some = self.in_order()
        return some.take(front(some.time, some.memory))

    def fastest(self, number: int) -> Some:
        """Return so many of the fastest; of those alike in time the ones with the least memory."""
        return self.in_order().take(slice(number))

    def unbeaten(self, time: Values, memory: Values) -> Places:
        """Return the places of others that none of these, which are a front, is faster than at as little memory."""
        least = np.concatenate([[np.inf], self.memory])
        return np.flatnonzero(memory <= least[np.searchsorted(self.time, time, side="right")])


def fastest(time: Values, memory: Values, number: int) -> Places:
    """Return the places of so many of the least in time, of those alike in it the least in memory.

    More than so many where several are alike in both.

    Examples
    --------
    >>> fastest(np.array([2.0, np.inf, 1.0, 2.0, 2.0]), np.array([5.0, 1.0, 9.0, 4.0, 4.0]), 2).tolist()
    [2, 3, 4]
    """
    order = np.lexsort((memory, time))
    order = order[np.isfinite(time[order])]
    if len(order) <= number:
        return order
    last = order[number - 1]
    later = (time[order] > time[last]) | ((time[order] == time[last]) & (memory[order] > memory[last]))
    return order[~later]
