"""Whether ranges mean what they say: how many figures they hold, pooled and by accelerator, and how wide they are."""

from __future__ import annotations

import math

import numpy as np

from .left import Left
from .scores import BASELINE, OURS, Scores
from .words import share, table

# What share of figures a range is meant to hold.
MEANT = 0.8
_TAIL = 0.025


def interval(size: int) -> tuple[int, int]:
    """Return between which counts a range that holds four figures of five lies 95 times in 100, of so many.

    >>> interval(20)
    (12, 19)
    """
    chances = [
        math.comb(size, count) * MEANT**count * (1.0 - MEANT) ** (size - count) for count in range(size + 1)
    ]
    reached = np.cumsum(chances)
    return int(np.searchsorted(reached, _TAIL)), int(np.searchsorted(reached, 1.0 - _TAIL))


def pooled(left: Left) -> list[str]:
    """Coverage, width and interval score of ours and of the baseline, each configuration once."""
    kinds = (
        ("all", left),
        ("dense", left.of("experts", "no")),
        ("mixture of experts", left.of("experts", "yes")),
    )
    rows = [
        [name, method, str(own.once.size), *_cells(scores)]
        for name, own in kinds
        for method, scores in ((OURS, own.once.ours), (BASELINE, own.once.baseline))
    ]
    return table(["rows", "method", "n", "in range", "median high/low", "mean interval score"], rows)


def _cells(scores: Scores) -> list[str]:
    return [share(float(np.mean(scores.inside))), f"{scores.width:.2f}", f"{scores.interval:.2f}"]


def by_accelerator(left: Left) -> list[str]:
    """Coverage of every accelerator beside what chance allows for its number of configurations."""
    own, rows = left.once, list[list[str]]()
    for chip in np.unique(own.rows.words["accelerator"]):
        one = own.of("accelerator", str(chip))
        low, high = interval(one.size)
        held, plain = int(one.ours.inside.sum()), int(one.baseline.inside.sum())
        verdict = "yes" if low <= held <= high else "no"
        rows.append([str(chip), str(one.size), str(held), f"{low} to {high}", verdict, f"{one.ours.width:.2f}",
                     str(plain), f"{one.baseline.width:.2f}"])  # fmt: skip
    headings = [
        "accelerator",
        "n",
        "in range",
        "by chance",
        "within",
        "high/low",
        "baseline in range",
        "high/low",
    ]
    return table(headings, rows)
