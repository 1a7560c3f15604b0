"""Processes of the standard library: order, what is lost with one of them, and how they end."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest

from estimator.workers import LostWorkers
from estimator.workers.ordered import Ordered
from estimator.workers.processes import Processes

from .jobs import Cut, Slow, wrong

ITEMS = range(12)
DOUBLED = [2 * item for item in ITEMS]


def test_results_come_in_order(tmp_path: Path) -> None:
    assert list(Ordered(Processes(2, "--workers 2")).map(Slow(tmp_path), ITEMS)) == DOUBLED


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    assert list(Ordered(Processes(2, "--workers 2")).map(Slow(tmp_path, fatal=5), ITEMS)) == DOUBLED
    assert (tmp_path / "killed").exists()


def test_a_process_that_is_killed_while_it_tells_its_result_keeps_nobody_waiting(tmp_path: Path) -> None:
    """The pool of the standard library waits for ever for the rest of what it told."""
    crew = Processes(2, "--workers 2")
    assert list(Ordered(crew).map(Cut(tmp_path), range(4))) == [
        bytes([item]) * (1 << 20) for item in range(4)
    ]
    assert crew.lost == 1


def test_processes_end_at_once_when_nobody_waits_for_them(tmp_path: Path) -> None:
    crew = Processes(2, "--workers 2")
    results = Ordered(crew).map(Slow(tmp_path), range(400))
    assert next(results) == 0
    started = multiprocessing.active_children()
    results.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert started
    assert not any(child.is_alive() for child in started)
    assert crew.lost == 0


def test_an_item_that_always_kills_is_told_after_three_times(tmp_path: Path) -> None:
    found: list[int] = []
    results = Ordered(Processes(1, "--workers 2")).map(Slow(tmp_path, fatal=2, always=True), ITEMS)
    with pytest.raises(LostWorkers) as caught:
        found.extend(results)
    assert str(caught.value) == (
        "--workers 2: processes ended 3 times in a row before they had computed one part; is there memory for so many? "
        "A script that asks for them has to begin under if __name__ == '__main__':"
    )
    assert found == DOUBLED[: len(found)]


def test_what_is_wrong_with_an_item_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="item 0"):
        list(Ordered(Processes(1, "--workers 2")).map(wrong, ITEMS))


ORPHANS = """
import multiprocessing, os, signal, sys, time
from estimator.workers.ordered import Ordered
from estimator.workers.processes import Processes
if __name__ == "__main__":
    results = Ordered(Processes(1, "")).map(abs, range(9))
    next(results)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=60)
    children = [int(word) for word in ran.stdout.split()]
    assert children
    until = time.monotonic() + 30
    while any(alive(child) for child in children):
        assert time.monotonic() < until, "they are still there"
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"  # ended, and nobody there to be told
