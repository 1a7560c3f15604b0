"""Time a sweep on a grid and one that is written to Parquet, each in a process of its own, beside a bare reference.

usage: sweeps.py [CELLS] [RUNS] [--record]
       sweeps.py grow [RUNS] [--record]

Prints medians, the ratio to what numpy or pyarrow alone take for as many numbers, peak memory, and where the time goes.
Measurements take turns with their references, so that a machine that slows down slows both; rates and ratios are of a
core, which others hardly change.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from recorded import arguments, record

# 10 counts x 5 shares x 200 amounts of tokens x so many prices. A layout is given: the search of one is not measured.
BASE = {
    "params": "70B", "on": "h100", "tp": 8, "pp": 4, "vpp": 1, "cp": 1, "ep": 1, "zero": 1, "micro_batch": 1,
    "recompute": "full", "sequence_parallel": "on", "global_batch": 32768,
}  # fmt: skip
FIXED, TOKENS = 10 * 5, 200
GROWTH = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
COLUMNS = 15  # ten quantities, whether it fits, two ends of two ranges


class Measured(NamedTuple):
    """Seconds, seconds of a core, and peak memory of a process. [s], [s], [byte]"""

    seconds: float
    core: float
    peak: float


def axes(cells: int) -> dict[str, object]:
    tokens = min(TOKENS, max(1, cells // FIXED))
    prices = np.linspace(1.0, 3.0, max(1, cells // (FIXED * tokens))).tolist()
    return {
        "count": [32 * 2**power for power in range(10)],
        "goodput": [0.8, 0.85, 0.9, 0.95, 1.0],
        "tokens": np.geomspace(1e11, 2e13, tokens).tolist(),
        "price": [f"{price!r} USD/gpu/hour" for price in prices],
    }


def values_alone(cells: int) -> None:
    """Every main quantity of a grid, without ranges, chunk by chunk."""
    from estimator import Wanted, sweep

    wanted = Wanted.usual()._replace(ranged=())
    for _ in sweep(BASE, axes(cells), wanted=wanted).chunks():
        pass


def bare_numpy(cells: int) -> None:
    """Ten products of two axes in the same chunks."""
    one, other = np.linspace(1.0, 2.0, 1024), np.linspace(1.0, 3.0, 256)
    for _ in range(max(1, cells >> 18)):
        for column in range(10):
            np.multiply(one[:, None] + column, other)


def with_ranges(cells: int) -> None:
    """Every main quantity with low and high end of time and cost."""
    from estimator import sweep

    for _ in sweep(BASE, axes(cells)).chunks():
        pass


def to_parquet(cells: int) -> None:
    """The same, written."""
    from estimator import sweep

    with tempfile.TemporaryDirectory() as folder:
        sweep(BASE, axes(cells)).write(Path(folder) / "out.parquet")


def bare_parquet(cells: int) -> None:
    """As many numbers, made by numpy and written by pyarrow alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"c{column}" for column in range(COLUMNS)]
    with tempfile.TemporaryDirectory() as folder:
        schema = pa.schema([(name, pa.float64()) for name in names])
        one, other = np.linspace(1.0, 2.0, 1024), np.linspace(1.0, 3.0, 256)
        with pq.ParquetWriter(
            Path(folder) / "out.parquet", schema, compression="zstd", use_dictionary=False
        ) as writer:
            for _ in range(max(1, cells >> 18)):
                columns = [((one[:, None] + column) * other).reshape(-1) for column in range(COLUMNS)]
                writer.write_table(pa.Table.from_arrays([pa.array(each) for each in columns], schema=schema))


def nothing(cells: int) -> None:
    """What a process takes that imports the same and asks one cell."""
    with_ranges(FIXED * TOKENS)


TASKS: dict[str, Callable[[int], None]] = {
    task.__name__: task for task in (nothing, values_alone, bare_numpy, with_ranges, to_parquet, bare_parquet)
}


def measured(name: str, cells: int) -> Measured:
    """Run a task in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--task", name, str(cells)])
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{name} failed")
    return Measured(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024.0)


def medians(names: tuple[str, ...], cells: int, runs: int) -> Iterator[tuple[str, Measured]]:
    """Yield the medians of tasks that take turns."""
    rounds = [[measured(name, cells) for name in names] for _ in range(runs)]
    for name, times in zip(names, zip(*rounds, strict=True), strict=True):
        yield name, Measured(*(statistics.median(each) for each in zip(*times, strict=True)))


def profiled(cells: int) -> None:
    """Print where a sweep to Parquet spends its time."""
    profile = cProfile.Profile()
    profile.runcall(to_parquet, cells)
    pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(14)


def grow(runs: int) -> None:
    """Print what a sweep to Parquet takes from a thousand cells to a hundred million, which are swept once."""
    for cells in GROWTH:
        times = runs if cells < GROWTH[-1] else 1
        ((_, found),) = medians(("to_parquet",), cells, times)
        print(
            f"{cells:>11,} cells  {found.seconds:7.2f} s  {found.core:7.2f} s of a core  "
            f"peak {found.peak / 2**20:4.0f} MiB"
        )
        record("to parquet", cells, times, **found._asdict())


def main() -> None:
    words = arguments("1e7")
    runs = int(words[1]) if len(words) > 1 else 3
    if words[0] == "grow":
        grow(runs)
        return
    cells = int(float(words[0]))
    found = dict(medians(tuple(TASKS), cells, runs))
    print(f"{cells:,} cells, medians of {runs} processes")
    for name, (seconds, core, peak) in found.items():
        print(
            f"{name:14} {seconds:7.2f} s  {core:7.2f} s of a core  {cells / core / 1e6:6.2f} M cells/s of a core  "
            f"peak {peak / 2**20:6.0f} MiB"
        )
    for ours, theirs in (("values_alone", "bare_numpy"), ("to_parquet", "bare_parquet")):
        print(f"{ours} over {theirs}: {found[ours].core / found[theirs].core:.2f}")
    rate = cells / (found["values_alone"].core - found["nothing"].core) / 1e6
    print(f"values_alone without the start of a process: {rate:.1f} M cells/s of a core")
    ratio = found["to_parquet"].core / found["bare_parquet"].core
    record("grid", cells, runs, rate=rate * 1e6, written_over_bare=ratio)
    profiled(min(cells, 2_000_000))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        TASKS[sys.argv[2]](int(sys.argv[3]))
    else:
        main()
