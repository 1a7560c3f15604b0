"""One measured step of a source given: how far it corrects the source's other rows."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from step_time.rows import Floats, Rows

from .left import Left, Mask
from .scores import Scores

# At most so many rows of a source are given, one at a time; which ones, a hash of their names tells.
GIVERS = 5
# Residuals beyond this, as logarithms, say nothing of how far sources usually lie apart.
_FAR = 1.0


class Usual(NamedTuple):
    """Variances of logarithms: of sources about the model, and of rows about their source."""

    between: float
    within: float

    @property
    def share(self) -> float:
        """How much of one row's residual is that of its source."""
        return self.between / max(self.between + self.within, 1e-12)


def usual(residuals: Floats, sources: np.ndarray) -> Usual:
    """Split the variance of residuals by source (one-way analysis of variance, method of moments)."""
    near = np.clip(residuals, -_FAR, _FAR)
    groups = [near[sources == source] for source in np.unique(sources)]
    free = sum(len(group) - 1 for group in groups)
    within = sum(float(np.sum(np.square(group - group.mean()))) for group in groups) / max(free, 1)
    means = np.array([group.mean() for group in groups])
    noise = within * float(np.mean([1.0 / len(group) for group in groups]))
    return Usual(max(float(np.mean(np.square(means))) - noise, 0.0), within)


def givers(rows: Rows) -> list[int]:
    """Return the places of the rows that are given."""
    order = sorted(range(rows.size), key=lambda place: zlib.crc32(rows.words["id"][place].encode()))
    return order[:GIVERS]


class Given(NamedTuple):
    """Other rows of the sources after one step of theirs was given: ours, the baseline's, and which share its chip."""

    ours: Scores
    baseline: Scores
    alike: Mask
    pairs: int


def given_one(left: Left) -> Given:
    """Give each of some rows of every source in turn, and score the source's other configurations.

    A row corrects the rows of its own sparsity; what others of the same sparsity showed of sources and rows
    tells how much of its residual is believed.
    """
    left = left.once
    found = [_of_source(left, source) for source in np.unique(left.rows.words["source"])]
    places, ours, baseline, alike = (np.concatenate(column) for column in zip(*found, strict=True))
    places = places.astype(np.intp)
    return Given(
        _moved(left.ours.at(places), ours), _moved(left.baseline.at(places), baseline),
        alike.astype(bool), len(places),
    )  # fmt: skip


def _moved(scores: Scores, logs: Floats) -> Scores:
    factor = np.exp(logs)
    return Scores(scores.value * factor, scores.low * factor, scores.high * factor, scores.truth)


def _of_source(left: Left, source: str) -> tuple[Floats, Floats, Floats, Floats]:
    """Places of corrected rows, by how much ours and the baseline's moved, and whether the giver has their chip."""
    words = left.rows.words
    found: list[tuple[Floats, ...]] = []
    for experts in ("no", "yes"):
        kind = words["experts"] == experts
        own, others = kind & (words["source"] == source), kind & (words["source"] != source)
        members = np.flatnonzero(own)
        for giver in givers(left.rows.take(own)):
            rest = np.delete(members, giver)
            moves = [
                _move(scores, words["source"], others, members[giver])
                for scores in (left.ours, left.baseline)
            ]
            alike = words["accelerator"][rest] == words["accelerator"][members[giver]]
            found.append((rest, *(np.full(len(rest), move) for move in moves), alike))
    empty = (np.zeros(0),) * 4
    first, *columns = (np.concatenate(column) for column in zip(*found or [empty], strict=True))
    return first, columns[0], columns[1], columns[2]


def _move(scores: Scores, sources: np.ndarray, others: Mask, giver: int) -> float:
    residuals = np.log(scores.truth / scores.value)
    return usual(residuals[others], sources[others]).share * float(residuals[giver])
