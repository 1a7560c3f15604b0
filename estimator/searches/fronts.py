"""Pareto fronts: what nothing else beats in both of two respects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..enumeration import Places, Values


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


class Some(NamedTuple):
    """Some layouts: their time, their memory and a row of parts each. [s], [byte]"""

    time: Values
    memory: Values
    layouts: Values

    @classmethod
    def none(cls, width: int) -> Some:
        """Return none of them."""
        return cls(np.zeros(0), np.zeros(0), np.zeros((0, width)))

    def take(self, places: Places) -> Some:
        """Return some of them, in that order."""
        return Some(self.time[places], self.memory[places], self.layouts[places])

    def beside(self, other: Some) -> Some:
        """Return these and others."""
        return Some(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def front(self) -> Some:
        """Return those that no other beats in time and memory, the fastest first."""
        return self.take(front(self.time, self.memory))

    def fastest(self, number: int) -> Some:
        """Return so many of the fastest; of those alike in time the ones with the least memory."""
        return self.take(fastest(self.time, self.memory, number))

    def unbeaten(self, time: Values, memory: Values) -> Places:
        """Return the places of others that none of these, which are a front, beats or equals in both."""
        least = np.concatenate([[np.inf], self.memory])
        return np.flatnonzero(memory < least[np.searchsorted(self.time, time, side="right")])


def fastest(time: Values, memory: Values, number: int) -> Places:
    """Return the places of so many of the least in time, and of those alike in it the least in memory.

    Examples
    --------
    >>> fastest(np.array([2.0, np.inf, 1.0, 2.0]), np.array([5.0, 1.0, 9.0, 4.0]), 2).tolist()
    [2, 3]
    """
    order = np.lexsort((memory, time))[:number]
    return order[np.isfinite(time[order])]
