"""Errors summed up by group, and whether ours are better than a baseline's."""

from __future__ import annotations

import numpy as np

from estimator.arrays import Array

from .scores import HEADINGS, OURS, Groups, Scores
from .words import table

DRAWS = 2000


def summary(groups: Groups) -> list[str]:
    """One line a group of rows and method."""
    rows = [
        [name, method, *scores.cells()]
        for name, methods in groups.items()
        for method, scores in methods.items()
    ]
    return table(["rows", "method", *HEADINGS], rows)


def difference(ours: Array, others: Array) -> tuple[float, float]:
    """95 % interval of the difference of two medians, the rows drawn anew in pairs (bootstrap)."""
    drawn = np.random.RandomState(0).randint(len(ours), size=(DRAWS, len(ours)))
    low, high = np.quantile(np.median(ours[drawn], axis=1) - np.median(others[drawn], axis=1), [0.025, 0.975])
    return float(low), float(high)


def verdicts(groups: Groups) -> list[str]:
    """Say of each group where ours is better, only equal or worse than the baselines."""
    rows: list[list[str]] = []
    for name, methods in groups.items():
        ours = methods[OURS].size
        for other in [method for method in methods if method != OURS]:
            theirs = methods[other].size
            low, high = (round(100 * end, 1) + 0.0 for end in difference(ours, theirs))
            word = "better" if high < 0 else "worse" if low > 0 else "only equal"
            gap = 100 * float(np.median(ours) - np.median(theirs))
            closer = f"{int((ours < theirs).sum())} of {len(ours)}"
            rows.append([name, other, f"**{word}**", f"{gap:+.1f}", f"{low:+.1f} to {high:+.1f}", closer])
    return table(["rows", "against", "ours is", "points", "95 % interval", "closer on"], rows)


def worst(scores: Scores, most: int) -> list[tuple[int, float]]:
    """Places and errors of the worst, worst first."""
    places = np.argsort(-scores.size, kind="stable")[:most]
    return [(int(place), float(scores.error[place])) for place in places]
