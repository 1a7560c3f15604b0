"""Estimates with their ranges beside what was measured, and the methods that are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from estimator.arrays import Array

from .words import share, signed

OURS, BY_CHIP, CONSTANT = "estimator", "one MFU a chip and precision, 6ND", "one MFU for all, 6ND"
METHODS = (OURS, BY_CHIP, CONSTANT)
HEADINGS = ["n", "median error", "mean error", "bias", "in range", "high/low"]


@dataclass(frozen=True, slots=True)
class Scores:
    """Estimates with their ranges beside what was measured, arrays of one length."""

    value: Array
    low: Array
    high: Array
    truth: Array

    @property
    def error(self) -> Array:
        """Signed relative error."""
        return self.value / self.truth - 1.0

    @property
    def size(self) -> Array:
        """Relative error without its sign."""
        return np.abs(self.error)

    @property
    def inside(self) -> Array:
        """Whether the truth lies in the range."""
        return (self.low <= self.truth) & (self.truth <= self.high)

    def pick(self, chosen: Sequence[bool]) -> Scores:
        """The rows that are chosen."""
        mask = np.asarray(chosen, dtype=bool)
        return Scores(self.value[mask], self.low[mask], self.high[mask], self.truth[mask])

    def cells(self) -> list[str]:
        """n, median, mean, bias, coverage and width, as the tables print them."""
        n = len(self.truth)
        width = float(np.median(self.high / self.low))
        return [
            str(n),
            share(np.median(self.size)),
            share(np.mean(self.size)),
            signed(np.median(self.error)),
            f"{int(self.inside.sum())} of {n}",
            f"{width:.2f}",
        ]


Groups = Mapping[str, Mapping[str, Scores]]  # by the name of a group of rows, then by method


def picked(
    scores: Mapping[str, Scores], groups: Mapping[str, Sequence[bool]]
) -> dict[str, dict[str, Scores]]:
    return {name: {method: own.pick(mask) for method, own in scores.items()}
            for name, mask in groups.items() if any(mask)}  # fmt: skip
