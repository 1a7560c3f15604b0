"""Write docs/performance.md and its picture from docs/performance.csv, where benchmarks keep what they measured.

usage: make_performance.py [--check]
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from performance.picture import picture

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA, PAGE, PICTURE = (DOCS / f"performance.{suffix}" for suffix in ("csv", "md", "svg"))
GROWTH = "to parquet"
MIB = 2.0**20


class Rows:
    """What was measured, by measurement, size and quantity."""

    def __init__(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="") as stream:
            self.rows = list(csv.DictReader(stream))

    def sizes(self, measure: str) -> list[int]:
        return sorted({int(row["size"]) for row in self.rows if row["measure"] == measure})

    def value(self, measure: str, quantity: str, size: int | None = None) -> float:
        """Return what was measured at a size, the largest where none is named."""
        size = self.sizes(measure)[-1] if size is None else size
        (found,) = (
            float(row["value"])
            for row in self.rows
            if (row["measure"], int(row["size"]), row["quantity"]) == (measure, size, quantity)
        )
        return found

    def told(self, measure: str) -> str:
        """Say how many runs a measurement has, how busy the machine was, and when."""
        row = max((row for row in self.rows if row["measure"] == measure), key=lambda row: int(row["runs"]))
        runs = "1 run" if row["runs"] == "1" else f"{row['runs']} runs"
        return f"{runs}, load {row['load']}, {row['date']}"


class Line(NamedTuple):
    """What is measured, the aim, how it is told, the measurement it comes from and the benchmark."""

    what: str
    aim: str
    told: Callable[[Rows], str]
    measure: str
    benchmark: str


def _flat(rows: Rows) -> str:
    rate, bare, each = (rows.value("flat list", name) for name in ("rate", "bare", "operations"))
    return f"{rate / bare:.2f}; {rate / 1e6:.2f} M/s of {each:,.0f} operations, which is {rate * each / 5e8:.2f} M/s at 500"


def _search(rows: Rows) -> str:
    seconds, core, peak = (rows.value("search", name) for name in ("seconds", "core", "peak"))
    return f"{core:.1f} s of a core ({seconds:.1f} s), {peak / MIB:.0f} MiB"


def _brute(rows: Rows) -> str:
    return f"yes; {rows.value('brute force', 'core'):.0f} s of a core against {rows.value('brute force', 'search'):.1f}"


def _written(rows: Rows) -> str:
    seconds, core, peak = (rows.value(GROWTH, name, 10**7) for name in ("seconds", "core", "peak"))
    small, large = (rows.value(GROWTH, "peak", 10**power) / MIB for power in (6, 8))
    return f"{core:.0f} s of a core ({seconds:.0f} s), {peak / MIB:.0f} MiB; {small:.0f} MiB at 1 million, {large:.0f} at 100"


def _single(rows: Rows) -> str:
    every, some = (f"single, {name}" for name in ("every quantity", "time and memory"))
    return (
        f"{rows.value(every, 'core') * 1e3:.1f} ms for {rows.value(every, 'operations'):,.0f} operations, "
        f"of which numpy alone takes {rows.value(every, 'bare') * 1e3:.1f} on arrays of one; {rows.value(some, 'core') * 1e3:.1f} ms for time and memory"
    )


def _workers(what: str) -> Callable[[Rows], str]:
    def _told(rows: Rows) -> str:
        one, two, busy, own = (
            rows.value(f"workers {what}", name) for name in ("one", "two", "workers", "own")
        )
        size = rows.sizes(f"workers {what}")[-1]
        return (
            f"{one / two:.2f} ({size:,} {what}: {one:.1f} and {two:.1f} s); {own:.1f} s of a core in the process that asks "
            f"beside {busy:.1f} in the workers: at most {2.0 * busy / (busy + own):.2f} on two idle cores"
        )

    return _told


LINES = (
    Line("full-physics layouts, dense model, flat list, over bare numpy", "0.7; 2 M/s at 500 operations", _flat,
         "flat list", "layouts"),
    Line("cells a second where the axes form a grid", "10 million",
         lambda rows: f"{rows.value('grid', 'rate') / 1e6:.1f} million a second of a core", "grid", "sweeps"),
    Line("every layout of GPT-3 175B on 4,096 A100s: proven best", "5 s, 1 GiB", _search, "search", "layouts"),
    Line("the same by brute force agrees", "yes", _brute, "brute force", "layouts"),
    Line("10 million cells to Parquet; memory from 1 to 100 million", "60 s, 2 GiB, flat", _written, GROWTH, "sweeps"),
    Line("4,096 draws of one `train`, beyond the answer alone", "0.3 s",
         lambda rows: f"{rows.value('samples, draws', 'more'):.2f} s", "samples, draws", "samples"),
    Line("one in-process `evaluate` of a scalar run", "1 ms", _single, "single, every quantity", "single"),
    Line("Dask, two local workers against one, cluster up: layouts reduced to the best", "1.7", _workers("layouts"),
         "workers layouts", "workers"),
    Line("the same: cells written to Parquet", "1.7", _workers("cells"), "workers cells", "workers"),
)  # fmt: skip

HEAD = """# How fast it is

Generated by `scripts/make_performance.py` from [performance.csv](performance.csv), where `benchmarks/*.py --record` keep
what they measured; do not edit. Whole processes unless it says otherwise, medians, on two cores of an Intel Xeon at 2.5 GHz
that others used too: the load is what `uptime` told. Waiting for others adds nothing to seconds of a core, but on a busy
machine, whose caches are shared, they are up to twice those of an idle one.

| what | aim | measured | how |
| --- | --- | --- | --- |
"""


# What was killed half-way, and how it is told.
KILLED = {
    "worker": "a worker killed with SIGKILL half-way",
    "command": "the whole process killed half-way and resumed",
}
HOWS = {"dask": "`--cluster local:2`", "processes": "`--workers 2`"}


def killed(rows: Rows) -> str:
    """Return how many rows were lost and doubled where something was killed, and whether bytes are the same."""
    lines: list[str] = []
    for what, words in KILLED.items():
        measured = {how: f"killed {what}, {how}" for how in HOWS if rows.sizes(f"killed {what}, {how}")}
        if measured:
            told = "; ".join(f"{HOWS[how]}: {_lost(rows, name)}" for how, name in measured.items())
            run = rows.told(next(iter(measured.values())))
            lines.append(f"| {words} | same file | {told} | `benchmarks/killed.py`; {run} |\n")
    return "".join(lines)


def _lost(rows: Rows, measure: str) -> str:
    lost, doubled, same = (rows.value(measure, name) for name in ("lost", "doubled", "same"))
    return (
        f"{lost:,.0f} of {rows.sizes(measure)[-1]:,} rows lost, {doubled:,.0f} doubled, "
        f"{'the same byte for byte' if same else 'OTHER BYTES'}"
    )


def table(rows: Rows) -> str:
    """Return the figures, the aim of each beside what was measured."""
    lines = (
        f"| {line.what} | {line.aim} | {line.told(rows)} | `benchmarks/{line.benchmark}.py`; {rows.told(line.measure)} |\n"
        for line in LINES
        if rows.sizes(line.measure)
    )
    return HEAD + "".join(lines) + killed(rows)


def growth(rows: Rows) -> str:
    """Return how time and memory grow with the cells of a sweep, and where a second machine pays."""
    sizes = rows.sizes(GROWTH)
    lines = [
        f"| {size:,} | {rows.value(GROWTH, 'seconds', size):,.1f} s | {rows.value(GROWTH, 'core', size):,.1f} s | "
        f"{rows.value(GROWTH, 'peak', size) / MIB:,.0f} MiB |"
        for size in sizes
    ]
    return f"""
## How time and memory grow

A sweep over counts, tokens, prices and goodput of a 70B model on H100s, its ten main quantities and the ranges of time
and cost, written to Parquet by one process (`benchmarks/sweeps.py grow`).

![Seconds of a core and peak memory against cells](performance.svg)

| cells | time | time of a core | peak memory |
| --- | --- | --- | --- |
{chr(10).join(lines)}

From a million cells on time grows with the cells, {1e6 * slope(rows):.2f} s of a core a million, and memory hardly: a part of
260,000 cells is computed, written and forgotten.
"""


def slope(rows: Rows) -> float:
    """Return what one more cell takes, from the two largest sweeps. [s]"""
    few, many = rows.sizes(GROWTH)[-2:]
    return (rows.value(GROWTH, "core", many) - rows.value(GROWTH, "core", few)) / (many - few)


def second(rows: Rows) -> str:
    """Return from what size on a second machine pays, for each kind of work that was measured."""
    kinds = [what for what in ("cells", "layouts") if rows.sizes(f"workers {what}")]
    if not kinds:
        return ""
    lines = "".join(_paying(rows, what) for what in kinds)
    return f"""
## From where a second machine pays

Work takes a time for each of its n cells or layouts: t1 without a cluster, t2 with two workers that are there. To have them
they are started, and each does a first task, for which it imports what it needs. So two take less of all together from
where they save more than their start takes:

start + n x t2 < n x t1, that is, n > start / (t1 - t2)

| measured on | n x t1, without a cluster | n x t2, two workers | start | two take less from | which takes one |
| --- | --- | --- | --- | --- | --- |
{lines}
Both workers were on one machine. One on another machine also sends what it makes, where it does not see the folder of the
file; a cluster that is up has nothing to start, and pays from some tasks of a second on. Where a layout is found
for each cell t1 is far larger, and far fewer cells are enough.
"""


def _paying(rows: Rows, what: str) -> str:
    """Return the row of one kind of work."""
    measure = f"workers {what}"
    size = rows.sizes(measure)[-1]
    alone, two, start = (rows.value(measure, name) for name in ("alone", "two", "start"))
    enough = break_even(start, alone / size, two / size)
    paying = (
        f"{_millions(enough)} {what} | {enough * alone / size:.0f} s" if math.isfinite(enough) else "never | "
    )
    return f"| {size:,} {what} | {alone:.1f} s | {two:.1f} s | {start:.1f} s | {paying} |\n"


def break_even(start: float, alone: float, several: float) -> float:
    """Return from which number on several workers, which take so long to start, take less than none. [s], [s], [s]

    Each of the number takes ``alone`` without them and ``several`` with them; infinite where they are no faster.
    """
    return start / (alone - several) if alone > several else math.inf


def _millions(number: float) -> str:
    """Write a number with two digits."""
    digits = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{round(number / digits) * digits / 1e6:,.3g} million"


def drawn(rows: Rows) -> str:
    """Return how time and memory grow as SVG."""
    sizes = rows.sizes(GROWTH)
    seconds = [rows.value(GROWTH, "core", size) for size in sizes]
    peak = [rows.value(GROWTH, "peak", size) / MIB for size in sizes]
    return picture(sizes, {"time of a core [s]": seconds, "peak memory [MiB]": peak})


def made() -> dict[Path, str]:
    """Return the text of each file."""
    rows = Rows(DATA)
    return {PAGE: table(rows) + growth(rows) + second(rows), PICTURE: drawn(rows)}


def check() -> list[str]:
    """Return the names of files that are out of date."""
    return [
        path.name for path, text in made().items() if not path.exists() or path.read_text("utf-8") != text
    ]


def main() -> None:
    if "--check" in sys.argv:
        if stale := check():
            sys.exit(f"out of date: {', '.join(stale)}; run scripts/make_performance.py")
        return
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
