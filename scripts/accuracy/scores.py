"""Estimates with their ranges beside what was measured, and the methods that are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimator.arrays import Array
from estimator.scores import interval_score

from .words import share, signed

OURS, BASELINE, SPREADSHEET = "estimator", "one MFU a chip and precision", "one MFU for all, 6ND"
METHODS = (OURS, BASELINE, SPREADSHEET)
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

    @property
    def width(self) -> float:
        """Median of high over low."""
        return float(np.median(self.high / self.low))

    @property
    def interval(self) -> float:
        """Mean interval score of the logarithms."""
        return float(np.mean(interval_score(self.truth, self.low, self.high)))

    def pick(self, chosen: Sequence[bool] | Array) -> Scores:
        """The rows that are chosen."""
        return self.at(np.flatnonzero(np.asarray(chosen, dtype=bool)))

    def at(self, places: np.ndarray[Any, np.dtype[np.intp]]) -> Scores:
        """The rows at some places, as often as they are named."""
        return Scores(self.value[places], self.low[places], self.high[places], self.truth[places])

    def cells(self) -> list[str]:
        """n, median, mean, bias, coverage and width, as the tables print them; a value without a range has none."""
        ranged = bool(np.any(self.high > self.low))
        return [
            str(len(self.truth)),
            share(np.median(self.size)),
            share(np.mean(self.size)),
            signed(np.median(self.error)),
            covered(self) if ranged else "",
            f"{self.width:.2f}" if ranged else "",
        ]


def covered(scores: Scores) -> str:
    """How many of the figures lie in their range."""
    return f"{int(scores.inside.sum())} of {len(scores.truth)}"


def middling(scores: Scores) -> str:
    """Median and mean error, as the tables print them; nothing where there is no row."""
    if not len(scores.truth):
        return "-"
    return f"{100 * float(np.median(scores.size)):.1f} / {100 * float(np.mean(scores.size)):.1f} %"


Groups = Mapping[str, Mapping[str, Scores]]  # by the name of a group of rows, then by method


def picked(
    scores: Mapping[str, Scores], groups: Mapping[str, Sequence[bool]]
) -> dict[str, dict[str, Scores]]:
    """Scores of every group that has rows."""
    return {name: {method: own.pick(mask) for method, own in scores.items()}
            for name, mask in groups.items() if any(mask)}  # fmt: skip
