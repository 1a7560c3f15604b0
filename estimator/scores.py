"""Scores of foretold values: how far off, how wide, how often right, over any number of rows in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .measured.table import Floats, Mask
from .tuples import NamedTuple

# Rows that are kept one by one; of more, every second is, then every fourth ... so that memory is bounded.
KEPT = 1 << 20
# Names of a grouping that are kept apart; further ones are put together.
NAMES = 1000
_COLUMNS = 5  # measured, value, low, high and baseline, before the codes of groups
OTHERS = "(others)"
# The ranges of this house are to hold four values out of five.
COVERAGE = 0.8


class Errors(NamedTuple):
    """How far foretold values are off, as predicted / measured - 1: without sign, and the median with it."""

    median: float
    mean: float
    bias: float


class Score(NamedTuple):
    """What a set of rows shows: errors of ours and of the baseline, and how good the ranges are.

    ``coverage`` is the share of rows within their range, ``width`` the median of high over low, ``interval`` the mean
    interval score of the logarithms.
    """

    rows: int
    errors: Errors
    baseline: Errors | None
    coverage: float
    width: float
    interval: float


class Scores:
    """Scored rows so far."""

    def __init__(self, kept: int = KEPT) -> None:
        """Start with none."""
        self._most, self._stride, self._seen = kept, 1, 0
        self._pieces: list[Floats] = []
        self._codes: dict[str, dict[str, int]] = {}

    def add(self, measured: Floats, found: Floats, groups: Mapping[str, Sequence[str]]) -> None:
        """Add rows: their measured values, found value, low, high and baseline, and their groups by grouping."""
        codes = [self._coded(name, labels) for name, labels in groups.items()]
        piece = np.vstack([measured, found, *codes])
        first = -self._seen % self._stride
        self._seen += piece.shape[1]
        self._pieces.append(piece[:, first :: self._stride])
        while sum(each.shape[1] for each in self._pieces) > self._most:
            self._stride *= 2
            self._pieces = [np.concatenate(self._pieces, axis=1)[:, ::2]]

    def _coded(self, grouping: str, labels: Sequence[str]) -> Floats:
        known = self._codes.setdefault(grouping, {})
        for label in labels:
            if label not in known and len(known) < NAMES:
                known[label] = len(known)
        if any(label not in known for label in labels):
            known.setdefault(OTHERS, len(known))
        return np.array([known.get(label, known.get(OTHERS)) for label in labels], dtype=np.float64)

    @property
    def rows(self) -> int:
        """Rows that were added."""
        return self._seen

    @property
    def thinned(self) -> int:
        """Of how many rows one is kept for medians and means."""
        return self._stride

    def _all(self) -> Floats:
        return np.concatenate(self._pieces, axis=1) if self._pieces else np.empty((_COLUMNS, 0))

    def score(self, *, baseline: bool = True) -> Score | None:
        """Return the score of all rows; nothing where there are none."""
        return _score(self._all(), baseline=baseline, rows=self._seen)

    def by(self, grouping: str, *, baseline: bool = True) -> dict[str, Score]:
        """Return the score of every group of a grouping, the largest first."""
        found, place = self._all(), list(self._codes).index(grouping) if grouping in self._codes else 0
        scores: dict[str, Score] = {}
        for label, code in self._codes.get(grouping, {}).items():
            members = found[:, found[_COLUMNS + place] == float(code)]
            if score := _score(members, baseline=baseline, rows=members.shape[1] * self._stride):
                scores[label] = score
        return dict(sorted(scores.items(), key=_least_rows))


def _least_rows(item: tuple[str, Score]) -> int:
    return -item[1].rows


def _score(found: Floats, *, baseline: bool, rows: int) -> Score | None:
    if not found.shape[1]:
        return None
    measured, value, low, high, constant = found[:_COLUMNS]
    inside: Mask = (low <= measured) & (measured <= high)
    wide: Floats = high / low
    return Score(
        rows,
        errors_of(value, measured),
        errors_of(constant, measured) if baseline else None,
        float(np.mean(inside)),
        float(np.median(wide)),
        float(np.mean(interval_score(measured, low, high))),
    )


def errors_of(predicted: Floats, measured: Floats) -> Errors:
    """Return how far foretold values are off.

    Examples
    --------
    >>> errors_of(np.array([1.1, 0.8, 3.0]), np.ones(3)).bias.__round__(3)
    0.1
    """
    off = predicted / measured - 1.0
    size: Floats = np.abs(off)
    return Errors(float(np.median(size)), float(np.mean(size)), float(np.median(off)))


def interval_score(measured: Floats, low: Floats, high: Floats) -> Floats:
    r"""Interval score of ranges in logarithms: their width, and what a value outside costs. [1]

    Notes
    -----
    .. math:: \ln \frac{u}{l} + \frac{2}{\alpha} \left[\left(\ln \frac{l}{y}\right)_+
        + \left(\ln \frac{y}{u}\right)_+\right]

    with :math:`\alpha` the share meant to lie outside, a fifth here.

    References
    ----------
    T. Gneiting and A. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA 102, 2007,
    Eq. 43; R. Winkler, JASA 67, 1972.

    Examples
    --------
    >>> float(interval_score(np.array([1.0]), np.array([0.5]), np.array([2.0]))[0].round(3))
    1.386
    """
    outside = 2.0 / (1.0 - COVERAGE)
    below = np.maximum(np.log(low / measured), 0.0)
    above = np.maximum(np.log(measured / high), 0.0)
    return np.log(high / low) + outside * (below + above)
