"""Peak memory: measured rows foretold by fits of context and buffers that have not seen them, and LOMO's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import fit_memory
import numpy as np

from estimator import Presets
from estimator.arrays import Array
from estimator.estimate import evaluate
from estimator.measured import Cells, Table
from estimator.measured.memory import lower_memory

# Parts as LOMO's Table 1 has them, and ours that make them up.
PARTS: Mapping[str, tuple[str, ...]] = {
    "memory_params_gb": ("weights",), "memory_grads_gb": ("gradients",), "memory_optim_gb": ("optimizer_states",),
    "memory_activations_gb": ("activations", "logits"),
}  # fmt: skip
_LOMO, _ADAMW = "lomo-t2-3", "lomo-t2-1"


class Peaks(NamedTuple):
    """Errors of measured peaks by how they were left out, with their source and whether they are pre-training rows."""

    errors: Mapping[str, Array]
    source: Array
    pretraining: Array


class LomoPart(NamedTuple):
    """One printed part of a row of LOMO's Table 1, and ours; in GiB."""

    row: str
    part: str
    printed: float
    ours: float


class Lomo(NamedTuple):
    """LOMO's Table 1 by part, and the share of AdamW's memory over all cards that LOMO takes in its Table 2."""

    parts: list[LomoPart]
    printed: float
    ours: float


def peaks(presets: Presets) -> Peaks:
    """Foretell every measured peak without its quarter of the configurations, and without its source."""
    data = fit_memory.data_of(presets)
    ways = {"quarter": fit_memory.folds, "source": lambda rows: rows["source"]}
    errors = {name: fit_memory.left_out(data, way) for name, way in ways.items()}
    return Peaks(errors, data["source"], data["pretraining"] > 0)


def lomo(presets: Presets) -> Lomo:
    """Lower LOMO's rows and compare them part by part."""
    cells = [row.cells for row in presets.rows("measurements/memory") if row.cells["source"] == "lomo"]
    lowered = lower_memory(Table.of(cells), presets)
    found = evaluate(lowered.case)
    kept = [cells[place] for place in lowered.kept.tolist()]
    ours = found.parts["memory_allocated"]
    parts = [
        LomoPart(
            row["id"],
            column,
            printed,
            sum(_at(ours[name], place, len(kept)) for name in names) / fit_memory.GIB,
        )
        for place, row in enumerate(kept)
        for column, names in PARTS.items()
        if (printed := float(row[column] or 0.0)) > 0.0
    ]
    return Lomo(parts, _share(kept, _over_all(kept)), _share(kept, found.values["memory_total"]))


def _at(column: Array, place: int, size: int) -> float:
    return float(np.broadcast_to(column, (size,))[place])


def _over_all(kept: list[Cells]) -> Array:
    return np.array([float(row["n_devices"]) * float(row["peak_memory_bytes_per_device"]) for row in kept])


def _share(kept: list[Cells], totals: Array) -> float:
    place = {row["id"]: index for index, row in enumerate(kept)}
    return float(totals[place[_LOMO]] / totals[place[_ADAMW]])
