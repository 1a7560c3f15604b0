"""Time a sweep to Parquet by two local workers of Dask against one, the cluster up, writing included.

usage: workers.py [CELLS] [RUNS]

Both take turns, so that a machine that slows down slows both. Prints medians, their ratio, and whether the files are
the same.
"""

from __future__ import annotations

import filecmp
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sweeps import BASE, axes


def timed(client: Any, cells: int, path: Path) -> float:
    """Return how long a sweep takes. [s]"""
    from estimator import sweep

    start = time.perf_counter()
    sweep(BASE, axes(cells), cluster=client).write(path)
    return time.perf_counter() - start


def main() -> None:
    from distributed import Client, LocalCluster

    cells = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        paths = {count: Path(folder) / f"{count}.parquet" for count in (1, 2)}
        clusters = {
            count: LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
            for count in paths
        }
        clients = {count: Client(cluster, set_as_default=False) for count, cluster in clusters.items()}
        for count, client in clients.items():  # what the first task imports is part of starting the cluster
            timed(client, 10_000, paths[count])
        times = [{count: timed(clients[count], cells, paths[count]) for count in paths} for _ in range(runs)]
        same = filecmp.cmp(paths[1], paths[2], shallow=False)
        for opened in (*clients.values(), *clusters.values()):
            opened.close()
    one, two = (statistics.median(each[count] for each in times) for count in paths)
    print(
        f"{cells:,} cells, medians of {runs}: one worker {one:.2f} s, two {two:.2f} s, ratio {one / two:.2f}"
    )
    print(f"the files are {'the same' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
