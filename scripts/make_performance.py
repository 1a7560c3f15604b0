"""Write docs/performance.md and its picture from docs/performance.csv, where benchmarks keep what they measured.

usage: make_performance.py [--check]
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent.parent / "docs"
DATA, PAGE, PICTURE = (DOCS / f"performance.{suffix}" for suffix in ("csv", "md", "svg"))
GROWTH = "to parquet"
MIB = 2.0**20
# The panel of a picture and its margins. [px]
WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 220, 60, 30, 90


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
        f"{rows.value(every, 'core') * 1e3:.1f} ms for {rows.value(every, 'operations'):,.0f} operations of numpy, "
        f"{rows.value(every, 'bare') * 1e3:.1f} of them numpy's own; {rows.value(some, 'core') * 1e3:.1f} ms for time and memory"
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


# What no time is measured of: tests hold it.
KILLED = """\
| a worker killed with SIGKILL half-way; the whole process killed and resumed | same file | the same, byte for byte | \
`tests/sweeps/test_workers.py`, `tests/sweeps/test_store.py` |
"""


def table(rows: Rows) -> str:
    """Return the figures, the aim of each beside what was measured."""
    lines = (
        f"| {line.what} | {line.aim} | {line.told(rows)} | `benchmarks/{line.benchmark}.py`; {rows.told(line.measure)} |\n"
        for line in LINES
        if rows.sizes(line.measure)
    )
    return HEAD + "".join(lines) + KILLED


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

These sweeps were measured before the cost of a run was told in parts (people, data, storage ...). Since then four million
cells took 16 s of a core and 473 MiB, on the same busy machine: expect three times the time and twice the memory until
this is measured anew.
"""


def slope(rows: Rows) -> float:
    """Return what one more cell takes, from the two largest sweeps. [s]"""
    few, many = rows.sizes(GROWTH)[-2:]
    return (rows.value(GROWTH, "core", many) - rows.value(GROWTH, "core", few)) / (many - few)


def second(rows: Rows) -> str:
    """Return from what size on a second worker pays."""
    what = next((what for what in ("workers cells", "workers layouts") if rows.sizes(what)), None)
    if what is None:
        return ""
    one, two, start = (rows.value(what, name) for name in ("one", "two", "start"))
    saved = 1.0 - two / one
    layouts = rows.value("search", "core") / rows.sizes("search")[-1]
    if saved <= 0.0:
        raise ValueError("two workers took no less time than one: measure again")
    return f"""
## When a second worker pays

Two workers take {two / one:.2f} of the time of one once they run; to start them, and to do a first task on each, took {start:.1f} s.
So a second one pays where {saved:.2f} of the time of the work is more than that: from {_round(start / (saved * slope(rows)))} cells of such a
sweep on, or {_round(start / (saved * layouts))} layouts of a search. Where a layout is found for each cell it pays
far earlier, from some minute of work on, and a cluster that is up already pays from some seconds on.
"""


def _round(number: float) -> str:
    """Write a number with one digit."""
    digits = 10 ** math.floor(math.log10(number))
    return f"{round(number / digits) * digits / 1e6:,.0f} million"


def picture(rows: Rows) -> str:
    """Return both curves as SVG."""
    sizes = rows.sizes(GROWTH)
    seconds = [rows.value(GROWTH, "core", size) for size in sizes]
    peak = [rows.value(GROWTH, "peak", size) / MIB for size in sizes]
    width, height = 2 * (WIDTH + GAP) + LEFT - GAP + 20, HEIGHT + 2 * TOP + 20
    panels = _panel(sizes, seconds, LEFT, "time of a core [s]") + _panel(
        sizes, peak, LEFT + WIDTH + GAP, "peak memory [MiB]"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n{panels}</svg>\n'
    )


def _panel(sizes: Sequence[float], values: Sequence[float], left: float, title: str) -> str:
    """Return one curve on logarithmic axes, whole decades from end to end."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    low, high = (math.log10(end) for end in (sizes[0], sizes[-1]))

    def x(size: float) -> float:
        return left + WIDTH * (math.log10(size) - low) / (high - low)

    def y(value: float) -> float:
        return TOP + HEIGHT * (last - math.log10(value)) / (last - first)

    lines = [f'<text x="{left}" y="{TOP - 10}">{title}</text>']
    for decade in range(first, last + 1):
        place = y(10.0**decade)
        lines.append(f'<path d="M{left} {place:.1f}h{WIDTH}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 6}" y="{place + 4:.1f}" text-anchor="end">{10.0**decade:g}</text>')
    for size in sizes:
        lines.append(f'<path d="M{x(size):.1f} {TOP}v{HEIGHT}" stroke="#eee"/>')
        power = f'10<tspan dy="-5" font-size="9">{math.log10(size):.0f}</tspan>'
        lines.append(f'<text x="{x(size):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{power}</text>')
    points = [(x(size), y(value)) for size, value in zip(sizes, values, strict=True)]
    path = " ".join(f"{one:.1f},{other:.1f}" for one, other in points)
    lines.append(f'<polyline points="{path}" fill="none" stroke="#1f5fa8" stroke-width="2"/>')
    lines += [f'<circle cx="{one:.1f}" cy="{other:.1f}" r="3" fill="#1f5fa8"/>' for one, other in points]
    lines.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">cells</text>')
    return "\n".join(lines) + "\n"


def made() -> dict[Path, str]:
    """Return the text of each file."""
    rows = Rows(DATA)
    return {PAGE: table(rows) + growth(rows) + second(rows), PICTURE: picture(rows)}


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
