"""Measured rows with what is foretold of them by fits that have not seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from step_time.left_out import chip_known
from step_time.rows import Rows, once

from .scores import Scores
from .store import Foretold

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Left:
    """Rows, each foretold without its kind, by us and by the baseline.

    ``elsewhere`` tells where another source has the chip, ``median`` which row stands for its configuration.
    """

    rows: Rows
    ours: Scores
    baseline: Scores
    elsewhere: Mask
    median: Mask

    def pick(self, mask: Mask) -> Left:
        """Return some of the rows."""
        return Left(
            self.rows.take(mask),
            self.ours.pick(mask),
            self.baseline.pick(mask),
            self.elsewhere[mask],
            self.median[mask],
        )

    def of(self, word: str, *levels: str) -> Left:
        """Return the rows that have one of some levels of a word."""
        return self.pick(np.isin(self.rows.words[word], levels))

    @property
    def once(self) -> Left:
        """One row of each configuration: that of its median repeat."""
        return self.pick(self.median)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self.rows.size

    @property
    def configurations(self) -> int:
        """How many configurations there are."""
        return len(np.unique(self.rows.words["config_group"]))


def left_of(rows: Rows, stored: Sequence[Foretold], kind: str) -> Left:
    """Put what was foretold without a kind beside the rows.

    Raises
    ------
    LookupError
        What is stored is not of these rows.
    """
    found = {row.id: row for row in stored if row.kind == kind}
    if found.keys() != set(rows.words["id"].tolist()):
        raise LookupError(f"what is stored of a {kind} left out is not of the measured rows of today")
    table = np.array([found[name][3:] for name in rows.words["id"].tolist()])
    ours, baseline = (Scores(*table[:, first : first + 3].T, rows.throughput) for first in (0, 3))
    median = np.isin(rows.words["id"], once(rows).words["id"])
    return Left(rows, ours, baseline, chip_known(rows), median)
