"""Time the main command against the bare import of its libraries, whole processes, in one run.

usage: cold_start.py [RUNS]

Prints the medians and their ratio; the two commands take turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

REFERENCE = [sys.executable, "-c", "import numpy, pydantic, click"]
COMMAND = [str(Path(sysconfig.get_path("scripts")) / "estimate"), "train", "--params", "65e9"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seconds(REFERENCE), seconds(COMMAND)  # the first pair compiles bytecode and fills the disk cache
    pairs = [(seconds(REFERENCE), seconds(COMMAND)) for _ in range(runs)]
    reference, command = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    print(f"import numpy, pydantic, click   {reference * 1000:6.0f} ms  (median of {runs})")
    print(f"estimate train --params 65e9    {command * 1000:6.0f} ms")
    print(f"ratio                           {ratio:6.2f}     (aim: at most 1.3)")


if __name__ == "__main__":
    main()
