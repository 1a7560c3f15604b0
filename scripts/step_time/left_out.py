"""Errors on rows left out: a quarter of the configurations, a whole source, or a whole accelerator in turn."""

from __future__ import annotations

import zlib

import numpy as np

from .fitting import Fitted, fit
from .rows import Floats, Rows, Words, once

FOLDS = 4


def quarters(rows: Rows) -> Words:
    """Return the quarter of each row by its configuration: the same one on every machine, whatever the order."""
    return np.array([str(zlib.crc32(group.encode()) % FOLDS) for group in rows.words["config_group"]])


def errors(rows: Rows, parts: Words, near: Fitted) -> Floats:
    """Return log(predicted / measured) of every row, by a fit to the other parts' configurations, one row each."""
    found = np.full(rows.size, np.nan)
    for part in np.unique(parts):
        left = parts == part
        learnt = fit(once(rows.take(~left)), near)
        rest = rows.take(left)
        found[left] = learnt.log_throughput(rest) - np.log(rest.throughput)
    return found


def chip_known(rows: Rows) -> np.ndarray:
    """Tell which rows have an accelerator that another source measured too."""
    accelerators, sources = rows.words["accelerator"], rows.words["source"]
    several = {chip: len(set(sources[accelerators == chip].tolist())) > 1 for chip in np.unique(accelerators)}
    return np.array([several[chip] for chip in accelerators])
