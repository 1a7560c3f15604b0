"""Time two local workers of Dask against one and against none: a search reduced to the best, or a sweep to Parquet.

usage: workers.py layouts|cells [NUMBER] [RUNS] [--record]

The clusters are up before the clock starts, and each worker has one thread, of numpy too. All take turns, the first in
one round the last in the next, so that a machine that slows down slows all; what else runs on it still changes the
ratio, for two processes get more of a busy machine than one. Prints medians, their ratio, and whether all found the
same.
"""

from __future__ import annotations

import filecmp
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from recorded import arguments, record
from sweeps import BASE, axes

# Workers; none is the process that asks, without a cluster.
COUNTS = (0, 1, 2)
# Each of these chips is a search of 7.7 million layouts.
MODEL: dict[str, Any] = {"model": "gpt3-175b", "count": 4096, "global_batch": 1536}
CHIPS = (
    "nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb", "nvidia-h200-sxm-141gb", "nvidia-b200-sxm-180gb",
    "nvidia-a100-sxm-40gb", "amd-mi300x", "amd-mi325x", "huawei-ascend-910b2",
)  # fmt: skip
EACH = 7_694_496


def layouts(number: int, folder: Path) -> Callable[[Any, int], Any]:
    """Return a search of about so many layouts, and what it finds."""
    from estimator import search

    chips = [CHIPS[place % len(CHIPS)] for place in range(max(1, round(number / EACH)))]
    fewer = {"tp": 8, "pp": 8, "offload": "none"} if number < EACH else {}

    def _search(client: Any, count: int) -> Any:
        found = search({**MODEL, "on": chips, **fewer}, cluster=client)
        return [(each.counts, each.fastest, each.front) for each in found.found]

    return _search


def cells(number: int, folder: Path) -> Callable[[Any, int], Any]:
    """Return a sweep of about so many cells, which ends with the path of its file."""
    from estimator import sweep

    def _sweep(client: Any, count: int) -> Path:
        path = folder / f"{count}.parquet"
        sweep(BASE, axes(number), cluster=client).write(path)
        return path

    return _sweep


TASKS = {"layouts": layouts, "cells": cells}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Path):
        return filecmp.cmp(one, other, shallow=False)
    return bool(one == other)


class Timed(NamedTuple):
    """Seconds, seconds of a core of the workers and of the process that asks, and what was found. [s]"""

    seconds: float
    workers: float
    own: float
    found: Any


def timed(task: Callable[[Any, int], Any], client: Any, count: int) -> Timed:
    """Time a task."""
    start, own, before = time.perf_counter(), time.process_time(), _busy(client)
    found = task(client, count)
    took, own = time.perf_counter() - start, time.process_time() - own
    return Timed(took, _busy(client) - before, own, found)


def _busy(client: Any) -> float:
    return sum(client.run(time.process_time).values()) if client is not None else 0.0


def started(stack: ExitStack, what: str, folder: Path) -> tuple[dict[int, Any], float]:
    """Return the clusters by their workers, and how long the largest took to start and to do a first task. [s]"""
    from estimator.workers.clusters import client_of
    from estimator.workers.given import Where

    clients: dict[int, Any] = {0: None}
    took = 0.0
    for count in COUNTS[1:]:
        start = time.perf_counter()
        clients[count] = stack.enter_context(client_of(Where(local=count)))
        TASKS[what](10_000, folder)(clients[count], count)  # what it imports is part of starting
        took = time.perf_counter() - start
        if {*clients[count].run(os.environ.get, "OMP_NUM_THREADS").values()} != {"1"}:
            raise RuntimeError("workers have more threads than one")
    return clients, took


def rounds_of(task: Callable[[Any, int], Any], clients: dict[int, Any], runs: int) -> list[dict[int, Timed]]:
    """Return so many rounds, every other one the other way round."""
    rounds: list[dict[int, Timed]] = []
    for turn in range(runs):
        order = COUNTS if turn % 2 else COUNTS[::-1]
        rounds.append({count: timed(task, clients[count], count) for count in order})
        print(*(f"{count} workers: {each.seconds:.2f} s" for count, each in rounds[-1].items()), flush=True)
    return rounds


def main() -> None:
    what, *numbers = arguments("layouts")
    number, runs = (
        int(float(text)) for text in (*numbers, *("1e7" if what == "cells" else "4e7", "3")[len(numbers) :])
    )
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        clients, start = started(stack, what, Path(name))
        rounds = rounds_of(TASKS[what](number, Path(name)), clients, runs)
        alike = all(same(each[0].found, each[count].found) for each in rounds for count in COUNTS[1:])
        found = rounds[-1][2].found
        size = float(found.stat().st_size) if isinstance(found, Path) else 0.0
    alone, one, two = (statistics.median(each[count].seconds for each in rounds) for count in COUNTS)
    busy, own = (statistics.median(getattr(each[2], name) for each in rounds) for name in ("workers", "own"))
    print(
        f"{number:,} {what}, medians of {runs}: no worker {alone:.2f} s, one {one:.2f} s, two {two:.2f} s; "
        f"one over two {one / two:.2f}"
    )
    print(
        f"seconds of a core: workers {busy:.2f}, the process that asks {own:.2f}; two idle cores: at most "
        f"{2 * busy / (busy + own):.2f}"
    )
    print(f"starting two workers, with a first task: {start:.1f} s")
    print(f"all found {'the same' if alike else 'OTHERS'}")
    kept = {
        "alone": alone,
        "one": one,
        "two": two,
        "start": start,
        "workers": busy,
        "own": own,
        "bytes": size,
    }
    record(f"workers {what}", number, runs, **kept)


if __name__ == "__main__":
    main()
