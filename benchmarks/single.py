"""Time one evaluation of a single run in a process that runs, beside numpy doing as many operations on single numbers.

usage: single.py [RUNS] [--record]

Prints medians of seconds of a core, for all quantities and for time and memory alone, and the operations of each. Both
take turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from layouts import Counted, bare, turns
from recorded import arguments, record

from estimator import Case, Run, ask
from estimator.estimate import evaluate

QUESTION = {"model": "llama-65b", "tokens": "1.4T", "on": "a100-sxm-80gb", "count": 2048}
WANTED: dict[str, tuple[str, ...]] = {"every quantity": (), "time and memory": ("modelled_time", "memory")}
# An axis that is long enough to be told from a single number.
_LENGTH = 7


def operations(case: Case, wanted: tuple[str, ...]) -> Counter[str]:
    """Return the operations of one evaluation, by name."""
    Counted.seen = Counter()
    full: dict[str, Any] = {
        name: np.full(_LENGTH, np.asarray(each)).view(Counted) for name, each in case.columns.items()
    }
    evaluate(case.with_columns(full), wanted)
    found: Counter[str] = Counter()
    for (name, _), number in Counted.seen.items():
        found[name] += number
    return Counter({name: number for name, number in found.items() if _of_floats(name)})


def _of_floats(name: str) -> bool:
    """Tell whether an operation makes numbers of numbers: few others make shapes or are for integers."""
    return name in ("where", "clip") or (isinstance(getattr(np, name), np.ufunc) and name != "lcm")


def main() -> None:
    runs = int(arguments("200")[0])
    case = ask(Run(**QUESTION)).case
    for name, wanted in WANTED.items():
        counted = operations(case, wanted)
        number = sum(counted.values())
        found = turns({"ours": lambda wanted=wanted: evaluate(case, wanted), "bare": bare(counted, 1)}, runs)
        ours, theirs = (found[each] * 1e3 for each in ("ours", "bare"))
        print(
            f"{name}: {ours:.2f} ms, {number:,} operations of {ours / number * 1e3:.2f} us; "
            f"bare numpy {theirs:.2f} ms, ratio {theirs / ours:.2f}"
        )
        record(f"single, {name}", 1, runs, core=ours / 1e3, operations=number, bare=theirs / 1e3)


if __name__ == "__main__":
    main()
