"""Time how many layouts a second are evaluated, and a search of every layout, beside numpy doing as many operations.

usage: layouts.py [ROWS] [RUNS] [--record]

A flat list of layouts of a dense model, time and memory, against a bare loop that applies the same operations, in the
same order and number, to arrays of the same lengths in buffers that are used again. Both take turns. Then the search of
GPT-3 175B on 4,096 A100s as a process of its own, and brute force on a flat list, which must find the same best.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from recorded import arguments, record

from estimator import Case, Presets, Run
from estimator.estimate import evaluate
from estimator.plan import FILLED
from estimator.searches.question import lowered
from estimator.searches.space import PARTS, pieces
from estimator.searches.tried import tried

# Legal layouts of the question.
LEGAL = 7_694_496
WANTED = ("memory", "memory_usable", "modelled_time")
QUESTION = {"model": "gpt3-175b", "on": "nvidia-a100-sxm-80gb", "count": 4096, "global_batch": 1536}
COMMAND = (
    "layout", "--model", "gpt3-175b", "--on", "nvidia-a100-sxm-80gb", "--count", "4096", "--global-batch", "1536",
)  # fmt: skip


class Counted(np.ndarray[Any, np.dtype[np.float64]]):
    """An array that notes every operation on it: which, and how long the result is."""

    seen: ClassVar[Counter[tuple[str, int]]] = Counter()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        plain = {name: _plain(each) for name, each in named.items()}
        result = getattr(ufunc, method)(*(_plain(each) for each in inputs), **plain)
        return self._noted(ufunc.__name__, result)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = func(*(_plain(each) for each in args), **kwargs)
        return self._noted(func.__name__, result)

    def _noted(self, name: str, result: Any) -> Any:
        if not isinstance(result, np.ndarray) or not result.ndim:
            return result
        Counted.seen[name, np.size(result)] += 1
        return result.view(Counted)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        several: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return type(value)(_plain(each) for each in several)  # pyright: ignore[reportUnknownVariableType]
    return value.view(np.ndarray) if isinstance(value, Counted) else value


def lists(case: Case) -> Iterator[dict[str, Any]]:
    """Yield the columns of all layouts as flat lists, a piece at a time."""
    for piece in pieces(case):
        shape = np.broadcast_shapes(*(np.shape(column) for column in piece.values()))
        yield {name: np.broadcast_to(piece[name], shape).ravel() for name in PARTS}


def flat(case: Case, rows: int) -> Case:
    """Return the case with a flat list of layouts, a sample of all."""
    each, draw = -(-rows // 40), np.random.default_rng(1)
    some = [
        {name: column[draw.integers(0, len(column), each)] for name, column in part.items()}
        for part in lists(case)
    ]
    whole = {name: np.concatenate([part[name] for part in some]) for name in PARTS}
    places = draw.permutation(len(whole["tp"]))[:rows]
    # A dense model has no experts to spread: what does not vary is held once.
    varied = {name: column[places] for name, column in whole.items() if len(np.unique(column)) > 1}
    return case.with_columns({**{name: column[:1].reshape(()) for name, column in whole.items()}, **varied})


def operations(case: Case, rows: int) -> Counter[str]:
    """Return the operations of full length of one evaluation, by name."""
    Counted.seen = Counter()
    evaluate(
        case.with_columns({name: np.asarray(each).view(Counted) for name, each in case.columns.items()}),
        WANTED,
    )
    found: Counter[str] = Counter()
    for (name, size), number in Counted.seen.items():
        found[name] += number if size == rows else 0
    return found


def bare(counted: Counter[str], rows: int) -> Callable[[], None]:
    """Return a loop that applies as many of each operation to buffers."""
    one, other, out = (np.random.default_rng(place).uniform(1.0, 2.0, rows) for place in range(3))
    mask, answer = one > other, np.empty(rows, dtype=bool)
    known: dict[str, Callable[[], Any]] = {
        "where": lambda: np.where(mask, one, other),
        "clip": lambda: np.clip(one, 1.2, 1.8, out),
    }

    def _run(name: str) -> Callable[[], Any]:
        if name in known:
            return known[name]
        ufunc: Any = getattr(np, name)
        logical = ufunc in (np.bitwise_and, np.bitwise_or, np.invert)
        inputs = (mask, mask)[: ufunc.nin] if logical else (one, other)[: ufunc.nin]
        result = out if not logical and ufunc(*inputs).dtype == np.float64 else answer
        return lambda: ufunc(*inputs, out=result)

    runs = [(_run(name), number) for name, number in counted.items()]

    def _loop() -> None:
        for run, number in runs:
            for _ in range(number):
                run()

    return _loop


def turns(tasks: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Return median seconds of a core of tasks that take turns."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            start = time.process_time()
            task()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def rate(case: Case, rows: int, runs: int) -> None:
    """Print layouts a second of a flat list, the operations of each, and the ratio to the bare loop."""
    listed = flat(case, rows)
    counted = operations(listed, rows)
    number = sum(counted.values())
    np.empty(4_000_000)
    found = turns({"ours": lambda: evaluate(listed, WANTED), "bare": bare(counted, rows)}, runs)
    ours, theirs = (rows / found[name] / 1e6 for name in ("ours", "bare"))
    print(
        f"flat, {rows:,} rows: {ours:.2f} M layouts/s of {number:,} operations; bare numpy {theirs:.2f} M/s, ratio "
        f"{ours / theirs:.2f}; that is {ours * number / 500:.2f} M/s at 500 operations"
    )
    record("flat list", rows, runs, rate=ours * 1e6, bare=theirs * 1e6, operations=number)


def process() -> tuple[float, float, float]:
    """Print and return seconds, seconds of a core and peak memory of the search as a process. [s], [s], [byte]"""
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-c", "from estimator.cli import main; main()", *COMMAND], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError("the search failed")
    took, core = time.perf_counter() - start, used.ru_utime + used.ru_stime
    print(
        f"search, whole process: {took:.2f} s, {core:.2f} s of a core, peak {used.ru_maxrss / 2**10:.0f} MiB"
    )
    return took, core, used.ru_maxrss * 1024.0


def brute(case: Case) -> None:
    """Print the best of all layouts evaluated as flat lists, and of the search."""
    best, size, start = np.inf, 0, time.process_time()
    for part in lists(case):
        for first in range(0, len(part["tp"]), 16384):
            few = {name: column[first : first + 16384] for name, column in part.items()}
            found = evaluate(case.with_columns(few), (*WANTED, "host_memory_used")).values
            fits = found["memory"] <= found["memory_usable"] * FILLED
            held = fits & (found["host_memory_used"] <= case.columns["host_memory"])
            best = min(best, float(np.min(np.where(held, found["modelled_time"], np.inf))))
            size += len(few["tp"])
    flat = time.process_time() - start
    print(f"brute force, flat: {size:,} layouts in {flat:.1f} s of a core, best {best!r} s a step")
    start = time.process_time()
    (came,) = tried([case])
    took = time.process_time() - start
    print(f"search: {came.counts}, best {float(came.fastest.time[0])!r} s a step")
    print(f"{took:.2f} s of a core, {size / took / 1e6:.2f} M layouts/s: the knobs on axes of their own")
    if float(came.fastest.time[0]) != best:
        raise RuntimeError("brute force found another best")
    record("brute force", size, 1, core=flat, search=took)


def main() -> None:
    words = arguments()
    sizes = [int(float(words[0]))] if words else [4096, 8192, 16384]
    runs = int(words[1]) if len(words) > 1 else 9
    case = lowered(Run(**QUESTION), Presets())
    seconds, core, peak = (
        statistics.median(each) for each in zip(*(process() for _ in range(3)), strict=True)
    )
    record("search", LEGAL, 3, seconds=seconds, core=core, peak=peak)
    for rows in sizes:
        rate(case, rows, runs)
    brute(case)


if __name__ == "__main__":
    main()
