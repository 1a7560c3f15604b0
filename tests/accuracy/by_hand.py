"""Rows and forecasts by hand; the scripts are found from here on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from estimator.arrays import array

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from accuracy import left  # noqa: E402
from accuracy.scores import Scores  # noqa: E402
from step_time.rows import Rows  # noqa: E402

CHIP = "nvidia-a100-sxm-80gb"


def made(speeds: list[float], **given: list[Any]) -> Rows:
    """Rows by hand: words that are not given are the same in all of them."""
    size = len(speeds)
    usual = {
        "id": [f"row-{place}" for place in range(size)], "config_group": [f"group-{place}" for place in range(size)],
        "source": ["one"] * size, "accelerator": [CHIP] * size, "architecture": ["ampere"] * size,
        "precision": ["bf16"] * size, "experts": ["no"] * size, "model": ["model"] * size,
    }  # fmt: skip
    texts = {name: np.array(given.get(name, column)) for name, column in usual.items()}
    columns = {name: np.array(column, dtype=float) for name, column in given.items() if name not in usual}
    return Rows({"peak": np.full(size, 100.0), **columns}, np.array(speeds, dtype=float), texts)


def scores(value: list[float], truth: list[float], *, low: float = 0.9, high: float = 1.1) -> Scores:
    return Scores(array(value), array(value) * low, array(value) * high, array(truth))


def kept(rows: Rows, value: list[float], baseline: list[float] | None = None) -> left.Left:
    """Rows by hand with what was foretold of them."""
    truth = rows.throughput.tolist()
    everything = np.ones(rows.size, dtype=bool)
    return left.Left(rows, scores(value, truth), scores(baseline or value, truth), everything, everything)
