"""What the slow part of the accuracy page measured: every row foretold without its kind, as a CSV file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Foretold(NamedTuple):
    """One figure foretold by a fit that has not seen ``part`` of a ``kind``; NaN where there is none.

    Throughputs are in tokens a second and accelerator, hours of runs in accelerator-seconds, series in shares.
    """

    kind: str
    part: str
    id: str
    value: float
    low: float = math.nan
    high: float = math.nan
    baseline: float = math.nan
    baseline_low: float = math.nan
    baseline_high: float = math.nan


_NUMBERS = Foretold._fields[3:]


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def write(path: Path, rows: Iterable[Foretold]) -> None:
    """Write the file, in an order that does not depend on how it was measured."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Foretold._fields)
        for row in sorted(rows, key=lambda row: row[:3]):
            writer.writerow([*row[:3], *(_cell(value) for value in row[3:])])


def read(path: Path) -> list[Foretold]:
    """Read the file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Foretold(row["kind"], row["part"], row["id"], *(float(row[name] or "nan") for name in _NUMBERS))
            for row in csv.DictReader(file)
        ]
