"""Commands that several workers compute: one that is killed, and Ctrl-C, which a terminal sends to all of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.cli.progress import Progress
from estimator.searches import space
from estimator.sweeps import store

from .run import Ran

pytest.importorskip("distributed")

Estimate = Callable[..., Ran]
# The layout is given: what is tested is not how one is found.
SWEEP = (
    "sweep", "--params", "7B", "--on", "h100", "--tp", "1", "--pp", "1", "--cp", "1", "--zero", "3",
    "--micro-batch", "1", "--recompute", "full", "--global-batch", "640",
    "--vary", "count=8,16,32,64,80,160", "--vary", "price=1:3:0.5",
    "--vary", "goodput=0.8,0.9",
)  # fmt: skip
LAYOUT = (
    "layout", "--model", "gpt3-6.7b", "--on", "a100-sxm-80gb", "--count", "16", "--global-batch", "16",
)  # fmt: skip
LOST = "A worker ended before its work did: another does it again, and nothing is lost or doubled.\n"
several = pytest.mark.parametrize(
    "how", [("--workers", "2"), ("--cluster", "local:2")], ids=["processes", "dask"]
)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make parts and shares small, and kill one of the workers when the first is done."""
    monkeypatch.setattr(store, "CHUNK", 5)
    monkeypatch.setattr(space, "_SHARE", 200)
    told, gone = Progress.told, list[int]()

    def _told(self: Progress, what: str, done: int, of: int) -> None:
        if what in ("cells", "layouts") and not gone:
            gone.extend(child.pid for child in multiprocessing.active_children()[:1] if child.pid)
            os.kill(gone[0], signal.SIGKILL)
        told(self, what, done, of)

    monkeypatch.setattr(Progress, "told", _told)
    return gone


def untold(self: Progress, what: str, done: int, of: int) -> None:
    """Tell nothing, and kill nobody."""


@several
def test_a_sweep_says_that_a_worker_was_lost_and_writes_the_same_file(
    how: tuple[str, str], estimate: Estimate, tmp_path: Path, killed: list[int]
) -> None:
    alone, path = tmp_path / "alone.parquet", tmp_path / "out.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "told", untold)
        estimate(*SWEEP, "-o", str(alone))
    ran = estimate(*SWEEP, "-o", str(path), *how)
    assert (ran.code, ran.out, ran.err) == (0, f"60 cells are in '{path}'.\n", LOST)
    assert path.read_bytes() == alone.read_bytes()
    assert killed
    assert {each.name for each in tmp_path.iterdir()} == {alone.name, path.name}


@several
def test_a_search_says_so_too_and_finds_the_same(
    how: tuple[str, str], estimate: Estimate, killed: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "told", untold)
        alone = estimate(*LAYOUT)
    ran = estimate(*LAYOUT, *how)
    assert (ran.code, ran.out, ran.err) == (0, alone.out, LOST)
    assert killed


def started(*words: str) -> subprocess.Popen[Any]:
    """Begin a command in a session of its own, and wait until it has begun another process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "estimator", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    children, until = Path(f"/proc/{process.pid}/task/{process.pid}/children"), time.monotonic() + 60
    while not children.read_text() and time.monotonic() < until:
        time.sleep(0.02)
    return process


@several
def test_ctrl_c_ends_all_of_them_without_a_word_of_python_even_while_they_start(how: tuple[str, str]) -> None:
    with started(
        "layout", "--model", "gpt3-175b", "--on", "a100-sxm-80gb", "--count", "4096", *how
    ) as process:
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, "", "\nStopped.\n")
