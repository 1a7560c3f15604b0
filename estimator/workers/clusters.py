"""A cluster of Dask: workers of this machine or of many; `distributed` is imported when one is asked for."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import pickle
import socket
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from ..errors import EstimatorError
from ..version import __version__
from .given import Where
from .ordered import Done, LostWorkers, worked
from .signals import deaf, uninterrupted

# How long a scheduler may take to answer, and a cluster to have a worker. [s]
CONNECT, WAIT = 10.0, 60.0
# Dask lets workers give all freed memory back to the system at once, and arrays of some hundred kilobytes are then
# mapped anew each time, which takes as long as to compute them. So much stays with a worker. [byte]
_KEPT = {"MALLOC_TRIM_THRESHOLD_": str(1 << 28), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
# Dask samples what every worker is at a hundred times a second, and looks after its loops fifty times.
_SELDOM = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
# How often it is looked whether there are workers left while a result is awaited. [s]
_LOOK = 2.0


@contextmanager
def client_of(where: Where) -> Generator[Any]:
    """Give the Client of a cluster; what was started for it is ended with it.

    Raises
    ------
    EstimatorError
        Dask is not installed, or the scheduler cannot be reached.
    """
    distributed = _library(where)
    with ExitStack() as stack:
        if where.client is not None:
            yield where.client
            return
        address: Any = where.address
        stack.enter_context(_quiet())
        if where.local:
            stack.enter_context(_leaner())
            address = stack.enter_context(_started(distributed, where))
        else:
            _reached(distributed, where)
        yield stack.enter_context(distributed.Client(address, timeout=CONNECT, set_as_default=False))


def _library(where: Where) -> Any:
    try:
        return import_module("distributed")
    except ImportError:
        raise EstimatorError(
            f"{where.named}: a cluster needs Dask; install it with: pip install 'train-estimator[cluster]', or "
            "use processes of this machine with --workers 2"
        ) from None


def _started(distributed: Any, where: Where) -> Any:
    """Return a cluster of this machine, started."""
    try:
        with uninterrupted(), deaf():
            # One thread a worker: its work is Python and numpy by turns, and threads would wait for each other.
            return distributed.LocalCluster(
                n_workers=where.local, threads_per_worker=1, processes=True, dashboard_address=":0",
                silence_logs=logging.CRITICAL,
            )  # fmt: skip
    except Exception as error:  # the library raises whatever its workers ended with
        raise EstimatorError(
            f"{where.named}: the workers cannot be started ({error}); is there memory for so many? A script that asks "
            "for them has to begin under if __name__ == '__main__':"
        ) from None


def _reached(distributed: Any, where: Where) -> None:
    """Ask what is at an address for what it is: a Client that finds no scheduler there does not end well."""

    async def _kind() -> str:
        keys = distributed.Security().get_connection_args("client")
        async with distributed.rpc(where.address, timeout=CONNECT, connection_args=keys) as there:
            return (await there.identity())["type"]

    try:
        # A notebook has a loop of its own running, in which no other may.
        with ThreadPoolExecutor(1) as thread:
            kind = thread.submit(lambda: asyncio.run(asyncio.wait_for(_kind(), 2.0 * CONNECT))).result()
        why = "" if kind == "Scheduler" else f"what answers is a {kind.lower()}"
    except Exception as error:  # what answers there may be anything: a web server ends in a MemoryError
        why = _why(error, where.address)
    if why:
        raise EstimatorError(
            f"{where.named}: no scheduler of Dask can be reached there within {CONNECT:g} s ({why}); start one with: "
            "dask scheduler"
        )


def _why(error: Exception, address: str) -> str:
    """Say why there is no scheduler at an address: nothing was reached there in time, or something else."""
    if isinstance(error, TypeError) and address.startswith("tls"):
        return "Dask's configuration has no certificates for tls"
    if not isinstance(error, TimeoutError) and "imed out" not in str(error):
        return "what answers is another program"
    host, _, port = address.partition("//")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), 1.0).close()
    except ConnectionRefusedError:
        return "nothing listens there"
    except socket.gaierror:
        return "there is no such host"
    except OSError:
        pass
    return "no answer"


@contextmanager
def _quiet() -> Generator[None]:
    """Keep to ourselves what the library says of workers that it replaces."""
    logger = logging.getLogger("distributed")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _leaner() -> Any:
    """Let workers that are started meanwhile keep what they free, and look after themselves less often."""
    config: Any = import_module("dask.config")
    name = "distributed.nanny.pre-spawn-environ"
    return config.set({**_SELDOM, name: {**config.get(name), **_KEPT}})


class Cluster:
    """The workers behind a Client; Dask does again what was under way on one that ended."""

    def __init__(self, client: Any, where: Where) -> None:
        """Hold the Client."""
        self.client, self.named = client, where.named
        self.lost = 0
        self._job: Any = None
        self._seen: set[str] = set()

    def size(self) -> int:
        """Return how many threads the workers have together, as it is now; note who is gone."""
        there: dict[str, int] = self.client.nthreads()
        self.lost += len(self._seen - there.keys())
        self._seen = set(there)
        return sum(there.values())

    def begin(self, job: bytes) -> None:
        """Hold the job as a task, so that it is made again where the worker that has it ends.

        Raises
        ------
        EstimatorError
            The cluster has no workers.
        """
        try:
            self.client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError:
            raise EstimatorError(
                f"{self.named}: the cluster has had no worker for {CONNECT:g} s; start some with: dask worker ADDRESS"
            ) from None
        self._job = self.client.submit(_loaded, job, __version__, pure=False)

    def submit(self, items: Sequence[Any]) -> Any:
        """Take a task."""
        return self.client.submit(worked, self._job, list(items), pure=False)

    def result(self, task: Any) -> Done:
        """Wait for a task.

        Raises
        ------
        LostWorkers
            The scheduler went away, all workers did, or the same task ended several.
        EstimatorError
            Workers have another version, or none.
        """
        seen = time.monotonic()
        while True:
            try:
                return task.result(timeout=_LOOK)
            except TimeoutError:
                seen = time.monotonic() if self.size() else seen
                if time.monotonic() - seen > WAIT:
                    raise LostWorkers(f"{self.named}: the cluster has had no worker for {WAIT:g} s") from None
            except (concurrent.futures.CancelledError, asyncio.CancelledError, OSError):
                raise LostWorkers(f"{self.named}: the scheduler of Dask went away") from None
            except ModuleNotFoundError as error:
                raise EstimatorError(
                    f"{self.named}: a worker has no module '{error.name}'; install train-estimator {__version__} there"
                ) from None
            except import_module("distributed").KilledWorker:
                raise LostWorkers(
                    f"{self.named}: several workers ended one after the other in the same part; give them more memory"
                ) from None

    def end(self) -> None:
        """Forget the job, and with it all that depends on it."""
        if self._job is not None:
            self._job.cancel(force=True)
            self._job = None


def _loaded(job: bytes, version: str) -> Callable[[Any], Any]:
    """Return the job; this runs where a worker is."""
    if version != __version__:
        raise EstimatorError(
            f"--cluster: a worker has version {__version__} of train-estimator, and it is {version} here"
        )
    return pickle.loads(job)
