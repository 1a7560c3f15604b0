"""Layouts for tests of memory: one card with everything off, and what a test changes of it."""

from __future__ import annotations

import math

from estimator.arrays import Array, array
from estimator.formulas.layout import Layout

ALONE = {
    "count": 1, "per_node": 8, "tp": 1, "pp": 1, "vpp": 1, "cp": 1, "ep": 1, "zero": 0, "shard": math.inf,
    "sequence_parallel": 0, "micro_batch": 1, "global_batch": math.nan, "recompute": 0, "unfused": 0,
    "expert_imbalance": 1, "replicas": math.inf,
}  # fmt: skip


def layout(**given: float | Array) -> Layout:
    """A layout of which the rest is one card, not sharded, without recomputation."""
    assert set(given) <= set(ALONE)
    return Layout(**{name: array(value) for name, value in {**ALONE, **given}.items()})
