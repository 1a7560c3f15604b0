"""Sweeps by several workers: the same file, bit for bit, whoever is first, is killed, or goes on."""

from __future__ import annotations

import os
import signal
import socketserver
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import EstimatorError, Presets, Sweep, sweep
from estimator.sweeps import store
from estimator.sweeps.store import write
from estimator.workers import LOST, clusters, opened
from estimator.workers.given import Where

distributed = pytest.importorskip("distributed")

PRESETS = Presets()
BASE = {"params": "7B", "on": "h100"}
# Layouts are searched, one of the names has no price, and the parts are more than tasks under way.
VARY = {"count": "8,16,24", "price": "1.5,2,3,4", "precision": "bf16,fp8,mxfp8"}


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHUNK", 5)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One cluster of two small workers for all tests of this file."""
    with clusters.client_of(Where(local=2)) as made:
        yield made


def asked(cluster: Any = None) -> Sweep:
    return sweep(BASE, VARY, presets=PRESETS, cluster=cluster)


def given(how: str, client: Any) -> Any:
    return client if how == "dask" else 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The file that one process writes, of each format."""
    found: dict[str, bytes] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "CHUNK", 5)
        for suffix in (".parquet", ".csv"):
            path = tmp_path_factory.mktemp("whole") / f"out{suffix}"
            write(asked(), path)
            found[suffix] = path.read_bytes()
    return found


both = pytest.mark.parametrize("how", ["processes", "dask"])


@both
def test_cells_are_those_of_one_process_bit_for_bit(how: str, client: Any) -> None:
    alone, several = list(asked().chunks(5)), list(asked(given(how, client)).chunks(5))
    assert len(alone) == len(several) == 12
    for one, other in zip(alone, several, strict=True):
        assert (one.start, one.box, one.reasons) == (other.start, other.box, other.reasons)
        assert np.array_equal(one.reason, other.reason)
        for mine, theirs in ((one.values, other.values), (one.low, other.low), (one.high, other.high)):
            assert {name: value.tobytes() for name, value in mine.items()} == {
                name: value.tobytes() for name, value in theirs.items()
            }


@both
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_files_are_those_of_one_process(
    how: str, suffix: str, client: Any, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    path = tmp_path / f"out{suffix}"
    write(asked(given(how, client)), path)
    assert path.read_bytes() == whole[suffix]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@both
def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    how: str, client: Any, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    killed: list[int] = []

    def _kill(what: str, done: int, of: int) -> None:
        if what == "cells" and done >= 12 and not killed:
            killed.append(a_worker(how, client))
            os.kill(killed[0], signal.SIGKILL)

    path, counted, lost = tmp_path / "out.parquet", list[int](), list[int]()

    def _told(what: str, done: int, of: int) -> None:
        counted.extend([done] if what == "cells" else [])
        lost.extend([done] if what == LOST else [])
        _kill(what, done, of)

    write(asked(given(how, client)), path, told=_told)
    assert killed
    assert lost == [1]
    assert counted == [3 * part for part in range(1, 13)]
    assert path.read_bytes() == whole[".parquet"]


def a_worker(how: str, client: Any) -> int:
    """Return the number of a process that works."""
    if how == "processes":
        import multiprocessing

        return next(
            child.pid for child in multiprocessing.active_children() if "Spawn" in child.name and child.pid
        )
    return next(iter(client.run(os.getpid).values()))


@both
def test_what_was_interrupted_goes_on_with_any_number_of_workers(
    how: str, client: Any, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    def _interrupt(what: str, done: int, of: int) -> None:
        if what == "cells" and done >= 12:
            raise KeyboardInterrupt

    path = tmp_path / "out.parquet"
    with pytest.raises(KeyboardInterrupt):
        write(asked(given(how, client)), path, told=_interrupt)
    assert store.begun(asked(), path).done == 4
    assert not list((tmp_path / "out.parquet.partial").glob("whole*"))
    write(asked(), path, resume=True)
    assert path.read_bytes() == whole[".parquet"]


KILLED = """
import sys
from estimator import sweep
from estimator.sweeps import store
if __name__ == "__main__":
    store.CHUNK = 5
    def told(what, done, of):
        if what == "cells":
            print(done, flush=True)
            if done == 18:
                sys.stdin.read()
    sweep({base!r}, {vary!r}, cluster={cluster!r}).write({path!r}, resume=True, told=told)
"""


@both
def test_a_whole_process_that_is_killed_goes_on_and_ends_with_the_same_file(
    how: str, client: Any, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    path, script = tmp_path / "out.parquet", tmp_path / "killed.py"
    address = client.scheduler.address if how == "dask" else 2
    script.write_text(textwrap.dedent(KILLED).format(base=BASE, vary=VARY, path=str(path), cluster=address))
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "18":
                process.kill()
                break
        assert process.wait(60) == -signal.SIGKILL
    assert store.begun(asked(), path).done == 6
    write(asked(given(how, client)), path, resume=True)
    assert path.read_bytes() == whole[".parquet"]


def test_a_worker_lost_for_good_says_what_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from estimator.workers import LostWorkers
    from estimator.workers.ordered import Alone

    def _lost(self: Alone, job: Any, items: Any) -> Iterator[Any]:
        yield from map(job, items[:2])
        raise LostWorkers("--cluster tcp://a:1: the scheduler of Dask went away")

    monkeypatch.setattr(Alone, "map", _lost)
    path = tmp_path / "out.csv"
    with pytest.raises(EstimatorError) as caught:
        write(asked(), path)
    assert str(caught.value) == (
        "--cluster tcp://a:1: the scheduler of Dask went away; 2 of 12 parts are whole in "
        f"'{path}.partial': begin the workers again and go on with --resume"
    )


def failed(given: Any) -> str:
    with pytest.raises(EstimatorError) as caught:
        next(asked(given).chunks())
    return str(caught.value)


def test_a_scheduler_that_does_not_answer_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 0.5)
    assert failed("tcp://127.0.0.1:1") == (
        "--cluster tcp://127.0.0.1:1: no scheduler of Dask can be reached there within 0.5 s (nothing listens there); "
        "start one with: dask scheduler"
    )


def test_a_host_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 0.5)
    assert " s (there is no such host); start one with: " in failed("tcp://no-such-host.invalid:8786")


def test_a_worker_is_not_taken_for_its_scheduler(client: Any) -> None:
    where = next(iter(client.nthreads()))
    assert " s (what answers is a worker); start one with: dask scheduler" in failed(where)


def test_what_answers_and_is_no_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 3.0)

    class Other(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)
            self.request.recv(1 << 16)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"tcp://127.0.0.1:{server.server_address[1]}"
        said = failed(where)
        server.shutdown()
    assert said == (
        f"--cluster {where}: no scheduler of Dask can be reached there within 3 s (what answers is another "
        "program); start one with: dask scheduler"
    )


def test_without_dask_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert failed("local:2") == (
        "--cluster local:2: a cluster needs Dask; install it with: pip install 'train-estimator[cluster]', or use "
        "processes of this machine with --workers 2"
    )


def test_workers_that_cannot_be_started_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def _fail(**_: Any) -> None:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", _fail)
    assert failed("local:2") == (
        "--cluster local:2: the workers cannot be started (Nanny failed to start.); is there memory for so many? A "
        "script that asks for them has to begin under if __name__ == '__main__':"
    )


def test_a_cluster_without_workers_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECT", 0.5)

    class Empty:
        def wait_for_workers(self, count: int, timeout: float) -> None:
            raise TimeoutError

        def submit(self) -> None: ...
        def nthreads(self) -> dict[str, int]:
            return {}

    assert failed(Empty()) == (
        "the Client: the cluster has had no worker for 0.5 s; start some with: dask worker ADDRESS"
    )


def test_workers_of_another_version_are_refused(client: Any) -> None:
    with pytest.raises(EstimatorError) as caught:
        client.submit(clusters._loaded, b"", "0.0.0", pure=False).result()
    assert str(caught.value).startswith("--cluster: a worker has version ")
    assert str(caught.value).endswith(" of train-estimator, and it is 0.0.0 here")


def test_workers_started_here_keep_the_memory_that_they_free(client: Any) -> None:
    """Dask lets them give it back at once, and half of their time then goes into asking for it again."""
    for name, size in (("MALLOC_TRIM_THRESHOLD_", 1 << 28), ("MALLOC_MMAP_THRESHOLD_", 1 << 25)):
        assert set(client.run(os.environ.get, name).values()) == {str(size)}


def test_one_that_is_opened_for_this_process_starts_nothing() -> None:
    with opened(Where()) as team:
        assert list(team.map(abs, [-1, 2])) == [1, 2]
