"""Fit the law of power over utilisation to measured powers of systems, into calibrations/power.toml.

usage: fit_power.py [--check]

Three numbers for all chips: the floor and the utilisation of full power of an accelerator, and the share of hosts. Each
document counts as the square root of its rows. `docs/published-bills.md` fits them anew without the document that it
foretells.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.arrays import Array, array  # noqa: E402
from estimator.formulas.energy import power_share  # noqa: E402
from estimator.presets import Presets  # noqa: E402
from estimator.records import Record  # noqa: E402

TARGET = ROOT / "presets" / "calibrations" / "power.toml"
# What is believed before any measured power of a run, and how far each may lie from it. The share of hosts is that of
# BLOOM's idle servers: 167 W a card less 55 W of an idle A100, over its 400 W. Floors lie between idle (0.14 of an A100,
# 0.47 of a TPU v4) and full; kernels that saturate a card reach half of its peak and more.
BELIEVED = {"floor_share": (0.4, 0.15), "full_use": (0.5, 0.15), "host_share": (0.28, 0.08)}
STRENGTH = 0.03
# Errors count by a pseudo-Huber loss of their logarithm, in proportion beyond this.
TURN = 0.03
GRID = {
    "floor_share": np.arange(0.2, 0.701, 0.01),
    "full_use": np.arange(0.2, 0.901, 0.01),
    "host_share": np.arange(0.05, 0.601, 0.01),
}
NOTE = (
    "Fitted by scripts/fit_power.py. Floor and full use: the ends are the fits without one document. Hosts: the ends are "
    "what the tenth and the ninetieth in a hundred of the measured powers ask for, their own document left out."
)
SAID = {
    "floor_share": "share of its most that an accelerator draws in training that does next to nothing",
    "full_use": "hardware FLOPs utilisation from which on an accelerator draws all it can",
    "host_share": "power of hosts and fans over the most that the accelerators draw",
}


class Point(NamedTuple):
    """One measured power: of an accelerator with its share of the host, over the most that it draws by itself."""

    run: str
    document: str
    share: float
    hfu: float


class Law(NamedTuple):
    """The three numbers."""

    floor_share: Array
    full_use: Array
    host_share: Array

    def foretold(self, hfu: Array) -> Array:
        """Power of an accelerator with its share of the host, over the most that it draws by itself. [1]"""
        return power_share(hfu, self.floor_share, self.full_use) + self.host_share


def measured_power(record: Record) -> float:
    """Power of an accelerator with its share of the host, as measured; NaN where it was not. [W/accelerator]"""
    figures = record.figures
    if "node_power" in figures:
        return figures["node_power"].value / 8.0
    power = figures.get("power")
    return power.value if power and power.kind == "measured" else float("nan")


def points_of(presets: Presets) -> list[Point]:
    """Every run whose power was measured and whose utilisation is known."""
    found: list[Point] = []
    for record in presets.all("runs"):
        watts, use = measured_power(record), record.figures.get("hfu") or record.figures.get("mfu")
        if np.isnan(watts) or use is None:
            continue
        chip = presets.find("accelerators", str(record.words["accelerator_id"])).record
        found.append(Point(record.id, document_of(record), watts / chip.value("power"), use.value))
    return found


def document_of(record: Record) -> str:
    """Return where the measured power, or the energy, was read."""
    figure = next(
        record.figures[name] for name in ("node_power", "power", "energy") if name in record.figures
    )
    return figure.source.locator


def fitted(points: Sequence[Point]) -> Law:
    """Return the numbers of least loss on the grid."""
    grid = np.meshgrid(*GRID.values(), indexing="ij")
    law, loss = Law(*grid), np.zeros(grid[0].shape)
    for document in sorted({point.document for point in points}):
        own = Counter((point.hfu, point.share) for point in points if point.document == document)
        for (hfu, share), times in own.items():
            error = np.log(law.foretold(array(hfu)) / share)
            loss += times * TURN * (np.sqrt(1.0 + (error / TURN) ** 2) - 1.0) / np.sqrt(own.total())
    for name, (middle, width) in BELIEVED.items():
        loss += STRENGTH * ((getattr(law, name) - middle) / width) ** 2
    place = np.unravel_index(int(loss.argmin()), loss.shape)
    return Law(*(array(round(float(values[place]), 2)) for values in grid))


def without(points: Sequence[Point], document: str) -> Law:
    """Return the numbers that all other documents give."""
    return fitted([point for point in points if point.document != document])


def ends_of(points: Sequence[Point]) -> dict[str, tuple[float, float]]:
    """Return how far each number moves: the fits without a document, and what single powers ask of the hosts."""
    others = {document: without(points, document) for document in {point.document for point in points}}
    asked: list[float] = []
    for point in points:
        law = others[point.document]
        asked.append(point.share - float(power_share(array(point.hfu), law.floor_share, law.full_use)))
    found = {
        name: [float(getattr(other, name)) for other in others.values()]
        for name in ("floor_share", "full_use")
    }
    found["host_share"] = [round(float(np.quantile(asked, share)), 2) for share in (0.1, 0.9)]
    return {name: (min(values), max(values)) for name, values in found.items()}


def rendered(points: Sequence[Point]) -> str:
    """Return the record: the fit to all documents, and how far it moves without one of them."""
    documents = {point.document for point in points}
    head = f"""name = "Power by utilisation, and of hosts"
note = "{NOTE}"
rows = {[point.run for point in points]}

[sources.fit]
title = "Measured powers of {len(points)} runs from {len(documents)} documents, presets/runs"
publisher = "estimator"

[figures]
"""
    ends, lines = ends_of(points), list[str]()
    for name, value in fitted(points)._asdict().items():
        low, high = min(ends[name][0], float(value)), max(ends[name][1], float(value))
        lines.append(
            f'{name} = {{ value = {float(value):g}, low = {low:g}, high = {high:g}, source = "fit", '
            f'where = "fitted to the measured power of {len(points)} runs", kind = "derived", note = "{SAID[name]}" }}'
        )
    return head.replace("'", '"') + "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the record, or tell whether it is current."""
    text = rendered(points_of(Presets()))
    if "--check" in arguments:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print(
            "presets/calibrations/power.toml is",
            "current" if current else "out of date: run scripts/fit_power.py",
        )
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
