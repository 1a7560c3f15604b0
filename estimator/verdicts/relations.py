"""How what is measured compares with what is stated: met, possible within the range, or neither."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ..tuples import NamedTuple

# Half an order of magnitude: what rounds to the order that is stated.
_HALF_ORDER = math.sqrt(10.0)
# Two numbers this near are the same.
_NOISE = 1e-9


class Bounds(NamedTuple):
    """Between which ends a value agrees with what is stated; ``open`` leaves the ends themselves out."""

    least: float
    most: float
    open: bool = False

    def hold(self, value: float) -> bool:
        """Tell whether a value lies between."""
        return self.reach(value, value)

    def reach(self, low: float, high: float) -> bool:
        """Tell whether a range has a part between."""
        if self.open:
            return high > self.least and low < self.most
        return high >= self.least - _NOISE * abs(self.least) and low <= self.most + _NOISE * abs(self.most)


Stated = Sequence[float]

RELATIONS: Mapping[str, Callable[[Stated, float], Bounds]] = {
    "equal": lambda stated, within: Bounds(stated[0] * (1.0 - within), stated[0] * (1.0 + within)),
    "about": lambda stated, within: Bounds(stated[0] * (1.0 - within), stated[0] * (1.0 + within)),
    "at least": lambda stated, within: Bounds(stated[0], math.inf),
    "at most": lambda stated, within: Bounds(-math.inf, stated[0]),
    "over": lambda stated, within: Bounds(stated[0], math.inf, open=True),
    "under": lambda stated, within: Bounds(-math.inf, stated[0], open=True),
    "between": lambda stated, within: Bounds(stated[0] * (1.0 - within), stated[-1] * (1.0 + within)),
    "order": lambda stated, within: Bounds(stated[0] / _HALF_ORDER, stated[0] * _HALF_ORDER),
}


def bounds(relation: str, stated: Stated, within: float) -> Bounds:
    """Return between which ends a value agrees with what is stated.

    Parameters
    ----------
    relation
        One of `RELATIONS`: what is measured is so, compared with what is stated.
    stated
        The number stated; two for ``between``.
    within
        Share by which a value may differ and still be equal.

    Examples
    --------
    >>> bounds("equal", [1.4e6], 0.02).hold(1.42e6), bounds("over", [30000.0], 0.0).hold(30000.0)
    (True, False)
    >>> bounds("order", [1000.0], 0.0).reach(100.0, 400.0)
    True
    """
    return RELATIONS[relation](stated, within)
