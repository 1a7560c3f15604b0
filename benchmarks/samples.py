"""Time what draws add to one estimate, whole processes, and where the time goes within one.

usage: samples.py [DRAWS] [RUNS] [--record]

Prints medians; the two commands take turns, so that a machine that slows down slows both.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from recorded import arguments, record

QUESTION = ["--params", "65e9"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def processes(draws: int, runs: int) -> None:
    """Print the time of an estimate alone, with draws, and with draws and shares."""
    alone = [str(Path(sysconfig.get_path("scripts")) / "estimate"), "train", *QUESTION]
    commands = {"alone": alone, "draws": [*alone, "--draws", str(draws)]}
    commands["shares"] = [*commands["draws"], "--sensitivity"]
    for command in commands.values():
        seconds(command)  # the first round compiles bytecode and fills the disk cache
    rounds = [{name: seconds(command) for name, command in commands.items()} for _ in range(runs)]
    for name, command in commands.items():
        median = statistics.median(times[name] for times in rounds)
        more = statistics.median(times[name] - times["alone"] for times in rounds)
        aim = "  (aim: 300 ms at 4096 draws)" if name == "draws" else ""
        record(f"samples, {name}", draws, runs, seconds=median, more=more)
        print(f"{' '.join(['estimate', *command[1:]]):70} {median * 1e3:6.0f} ms  {more * 1e3:+6.0f} ms{aim}")


def within(draws: int) -> None:
    """Print what one sample takes in a process that runs, and where."""
    from estimator import Run, ask, sample

    case = ask(Run(params=65e9)).case
    sample(case, draws)
    times: list[float] = []
    for _ in range(10):
        start = time.perf_counter()
        sample(case, draws)
        times.append(time.perf_counter() - start)
    print(f"sample in a process that runs: {statistics.median(times) * 1e3:.0f} ms")
    profile = cProfile.Profile()
    profile.runcall(sample, case, draws)
    pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(12)


def main() -> None:
    draws, runs = (int(text) for text in (*arguments(), "4096", "10")[:2])
    processes(draws, runs)
    within(draws)


if __name__ == "__main__":
    main()
