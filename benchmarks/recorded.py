"""Keeps what benchmarks measured in docs/performance.csv, from which docs/performance.md is made; with --record."""

from __future__ import annotations

import csv
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

PATH = Path(__file__).parent.parent / "docs" / "performance.csv"
COLUMNS = ("measure", "size", "quantity", "value", "runs", "load", "date")
RECORD = "--record"


def arguments(*usual: str) -> list[str]:
    """Return the words of the command line but --record, or the usual ones where there are none."""
    return [word for word in sys.argv[1:] if word != RECORD] or list(usual)


def record(measure: str, size: float, runs: int, **numbers: float) -> None:
    """Keep the quantities of a measurement in place of older ones, with the load of the machine, if asked to."""
    if RECORD not in sys.argv:
        return
    kept = read()
    shared = {
        "measure": measure,
        "size": f"{size:.0f}",
        "runs": str(runs),
        "load": f"{os.getloadavg()[0]:.1f}",
    }
    today = datetime.now(UTC).date().isoformat()
    for name, value in numbers.items():
        kept[measure, shared["size"], name] = {
            **shared, "quantity": name, "value": f"{value:.4g}", "date": today,
        }  # fmt: skip
    with PATH.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept[key] for key in sorted(kept, key=lambda key: (key[0], int(key[1]))))


def read() -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the rows that are kept, by measurement, size and quantity."""
    if not PATH.exists():
        return {}
    with PATH.open(encoding="utf-8", newline="") as stream:
        return {(row["measure"], row["size"], row["quantity"]): row for row in csv.DictReader(stream)}
