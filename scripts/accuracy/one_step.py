"""One measured step of a source given through `estimate calibrate`: how far it corrects the source's other rows."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from step_time.rows import Floats, Rows

from estimator import Presets
from estimator.calibrate import calibrate
from estimator.errors import EstimatorError
from estimator.inputs.calibrations import own_calibration
from estimator.measured import Cells

from .learnt import foretell
from .left import Left, Mask
from .scores import Scores
from .store import Foretold

# At most so many rows of a source and sparsity are given, one at a time; a hash of their names tells which.
GIVERS = 5
# Residuals beyond this, as logarithms, say nothing of how far sources usually lie apart.
_FAR = 1.0


# Measured: what the estimator foretells once a row was given.


def givers(rows: Rows) -> list[str]:
    """Return the names of the rows that are given."""
    found: list[str] = []
    for experts in ("no", "yes"):
        names = rows.words["id"][rows.words["experts"] == experts].tolist()
        found += sorted(names, key=lambda name: zlib.crc32(name.encode()))[:GIVERS]
    return found


def foretold(rows: Rows, cells: Mapping[str, Cells], presets: Presets) -> list[Foretold]:
    """Give some rows of a source in turn to presets that have not seen it, and foretell those that this moves."""
    found: list[Foretold] = []
    asked = [cells[name] for name in rows.words["id"].tolist()]
    before = foretell(asked, presets)
    for giver in givers(rows):
        after = foretell(asked, taught(cells[giver], presets))
        found += [
            Foretold("given", giver, name, after[name][0])
            for name in after if name != giver and after[name] != before[name]
        ]  # fmt: skip
    return found


def taught(row: Cells, presets: Presets) -> Presets:
    """Return presets with what one row teaches; as they are where it teaches nothing."""
    with TemporaryDirectory() as folder:
        measured, learnt = Path(folder) / "step.csv", Path(folder) / "step.toml"
        with measured.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(row)
        try:
            learnt.write_text(calibrate(measured, presets).write(), encoding="utf-8")
        except EstimatorError:
            return presets
        house = presets.load("calibrations", "step-time")
        return Presets(presets.own, own_calibration(str(learnt), house))


# Scored.


class Given(NamedTuple):
    """Pairs of a row given and another of its source: the other as foretold before and after, and by the baseline.

    ``alike`` tells where both are of one architecture and sparsity: only there the one speaks for the other.
    """

    before: Scores
    ours: Scores
    baseline: Scores
    alike: Mask
    source: np.ndarray
    experts: np.ndarray

    def pick(self, mask: Mask) -> Given:
        """Return some of the pairs."""
        scores = (each.pick(mask) for each in self[:3])
        return Given(*scores, self.alike[mask], self.source[mask], self.experts[mask])

    @property
    def weights(self) -> Floats:
        """A weight for each pair by which every source counts the same."""
        _, which, sizes = np.unique(self.source, return_inverse=True, return_counts=True)
        return 1.0 / sizes[which]


def given_one(left: Left, stored: Sequence[Foretold]) -> Given:
    """Put the rows of every source beside what was foretold of them after one of the others was given."""
    names, words = left.rows.words["id"], left.rows.words
    pairs = [pair for source in np.unique(words["source"]) for pair in _pairs(left.rows, source)]
    giver, other = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    alike = np.ones(len(pairs), dtype=bool)
    for word in ("architecture", "experts"):
        alike &= words[word][giver] == words[word][other]
    before, plain = left.ours.at(other), left.baseline.at(other)
    moved = {(row.part, row.id): row.value for row in stored if row.kind == "given"}
    after = zip(names[giver].tolist(), names[other].tolist(), before.value.tolist(), strict=True)
    ours = np.array([moved.get((one, two), value) for one, two, value in after])
    return Given(
        before, Scores(ours, ours, ours, before.truth), _times(plain, np.where(alike, _believed(left)[giver], 0.0)),
        alike, words["source"][other], words["experts"][other],
    )  # fmt: skip


def _pairs(rows: Rows, source: str) -> list[tuple[int, int]]:
    members = np.flatnonzero(rows.words["source"] == source)
    place = dict(zip(rows.words["id"][members].tolist(), members.tolist(), strict=True))
    given = [place[name] for name in givers(rows.take(members))]
    return [(one, two) for one in given for two in place.values() if one != two]


def _times(scores: Scores, logs: Floats) -> Scores:
    factor = np.exp(logs)
    return Scores(scores.value * factor, scores.low * factor, scores.high * factor, scores.truth)


def _believed(left: Left) -> Floats:
    """Return how far each row, being given, moves the baseline of others: a share of its residual.

    The share is what other sources show of how alike the rows of one source are.
    """
    words, residuals = left.rows.words, np.log(left.baseline.truth / left.baseline.value)
    found = np.zeros(left.size)
    for experts in np.unique(words["experts"]):
        kind = words["experts"] == experts
        for source in np.unique(words["source"][kind]):
            own = kind & (words["source"] == source)
            others = kind & ~own
            found[own] = usual(residuals[others], words["source"][others]).share * residuals[own]
    return found


class Usual(NamedTuple):
    """Variances of logarithms: of sources about what is foretold, and of rows about their source."""

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
    noise = within * float(np.mean([1.0 / len(group) for group in groups]) if groups else 0.0)
    between = float(np.mean(np.square(means))) - noise if groups else 0.0
    return Usual(max(between, 0.0), within)
