"""Named parts in one unit; the total is always their sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .arrays import Array
from .once import once


class _Breakdown(NamedTuple):
    parts: Mapping[str, Array]


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
        total: Array = np.zeros(())
        for part in self.parts.values():
            total = total + part
        return total
