"""Kill a worker half-way through a sweep, and the whole command, and compare the file with an uninterrupted one.

usage: killed.py [CELLS] [--record]

The commands are those of a user: `estimate sweep ... -o out.parquet` with `--cluster local:2` and with `--workers 2`. A
worker gets SIGKILL when half of the parts are written; the command gets it, in another run, and goes on with --resume.
Prints how many rows the file has lost and doubled, and whether it is the same byte for byte.
"""

from __future__ import annotations

import filecmp
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from recorded import arguments, record
from sweeps import BASE, axes

HOWS = {"dask": ("--cluster", "local:2"), "processes": ("--workers", "2")}
# The inputs that vary: a row is known by them.
KEYS = ("count", "goodput", "tokens", "price")
SAID = "A worker ended before its work did"


class Compared(NamedTuple):
    """Rows that a file lacks, rows that it has more than once, and whether it is another's byte for byte."""

    lost: int
    doubled: int
    same: bool


def words(cells: int, path: Path) -> list[str]:
    """Return the command line of a sweep of about so many cells."""
    varied = [
        word
        for name, values in axes(cells).items()
        for word in ("--vary", f"{name}={','.join(map(str, values))}")
    ]
    given = [word for name, value in BASE.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", "estimator", "sweep", *given, *varied, "-o", str(path)]


def rows(whole: Path, path: Path) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count in a file each row of the whole one, known by what it is asked."""
    wanted, found = (pq.read_table(each, columns=list(KEYS)) for each in (whole, path))
    known = [np.unique(wanted[name].to_numpy()) for name in KEYS]
    places = [
        np.searchsorted(values, found[name].to_numpy()) for name, values in zip(KEYS, known, strict=True)
    ]
    shape = [len(values) for values in known]
    return np.bincount(np.ravel_multi_index(places, shape), minlength=wanted.num_rows)


def compared(whole: Path, path: Path) -> Compared:
    """Return what tells a file from an uninterrupted one."""
    counted = rows(whole, path)
    lost, doubled = int(np.count_nonzero(counted == 0)), int(np.maximum(counted - 1, 0).sum())
    return Compared(lost, doubled, filecmp.cmp(whole, path, shallow=False))


def until_half(process: subprocess.Popen[str], path: Path, parts: int) -> None:
    """Wait until half of the parts are written."""
    folder = path.with_name(f"{path.name}.partial")
    while len(list(folder.glob("0*"))) < parts // 2:
        if process.poll() is not None:
            raise RuntimeError("it ended before it was half done: give it more cells")
        time.sleep(0.01)


def worker_of(process: int) -> int:
    """Return one of the processes that were started to work."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    for child in (int(number) for path in children for number in path.read_text().split()):
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
            return child
    raise RuntimeError("it has no workers")


def killed_worker(cells: int, path: Path, parts: int, how: tuple[str, str]) -> None:
    """Kill one of two workers half-way."""
    with subprocess.Popen([*words(cells, path), *how], stderr=subprocess.PIPE, text=True) as process:
        until_half(process, path, parts)
        os.kill(worker_of(process.pid), signal.SIGKILL)
        told = process.communicate()[1]
    if process.returncode or SAID not in told:
        raise RuntimeError(f"it ended with {process.returncode}: {told}")


def killed_whole(cells: int, path: Path, parts: int, how: tuple[str, str]) -> None:
    """Kill the command half-way, and go on."""
    with subprocess.Popen([*words(cells, path), *how], stderr=subprocess.DEVNULL, text=True) as process:
        until_half(process, path, parts)
        process.kill()
    if path.exists():
        raise RuntimeError("it was done before it was killed: give it more cells")
    subprocess.run([*words(cells, path), *how, "--resume"], check=True)


def main() -> None:
    cells = int(float(arguments("4e6")[0]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = folder / "whole.parquet"
        subprocess.run(words(cells, whole), check=True)
        size = pq.ParquetFile(whole).metadata
        for how, option in HOWS.items():
            for what, kill in (("worker", killed_worker), ("command", killed_whole)):
                path = folder / f"{how}-{what}.parquet"
                kill(cells, path, size.num_row_groups, option)
                found = compared(whole, path)
                print(f"{how}, {what} killed at half of {size.num_row_groups} parts: {found.lost:,} of "
                      f"{size.num_rows:,} rows lost, {found.doubled:,} doubled, "
                      f"{'the same' if found.same else 'OTHER'} bytes", flush=True)  # fmt: skip
                record(f"killed {what}, {how}", size.num_rows, 1, **found._asdict())
                path.unlink()


if __name__ == "__main__":
    main()
