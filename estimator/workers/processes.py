"""Processes of the standard library; those that end are replaced, and what they did is done again."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from typing import Any, TypeAlias

from .ordered import Done, LostWorkers, worked
from .signals import deaf

# An end of a pipe; its type is another one on each system.
End: TypeAlias = Any
# So often in a row the same task is begun again after a process ended in it.
AGAIN = 3


class Child:
    """A process that works, and the end of a pipe that is its own.

    A queue that several share, as that of the library's own pool, stands still for ever where one is killed while it
    writes to it: nobody can tell that the rest of its result will not come. The end of a pipe of its own does.
    """

    def __init__(self, job: bytes) -> None:
        """Start it."""
        # Spawned: a fork of a process that has threads may stand still for ever.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, job), daemon=True)
        try:
            with deaf():
                self.process.start()
        finally:
            theirs.close()

    def do(self, items: Sequence[Any]) -> Done | Exception:
        """Have items done; an EOFError or OSError says that the process ended meanwhile."""
        self.pipe.send(items)
        return self.pipe.recv()

    def end(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Processes:
    """So many processes, and a thread for each that hands it tasks and takes its results."""

    def __init__(self, count: int, named: str) -> None:
        """Start none yet."""
        self.count, self.named = count, named
        self.lost = 0
        self._job = b""
        self._threads: ThreadPoolExecutor | None = None
        self._free: list[Child] = []
        self._children: set[Child] = set()
        # Holds what is started and ended: once the work is at its end none is started any more.
        self._lock, self._ended = threading.Lock(), False

    def size(self) -> int:
        """Return how many there are."""
        return self.count

    def begin(self, job: bytes) -> None:
        """Hold the job; a process is started when there is a task for it."""
        self._job, self._ended = job, False
        self._threads = ThreadPoolExecutor(self.count)

    def submit(self, items: Sequence[Any]) -> Future[Done]:
        """Take a task."""
        if self._threads is None:
            raise ValueError("no job was begun")
        return self._threads.submit(self._done, items)

    def result(self, task: Future[Done]) -> Done:
        """Wait for a task.

        Raises
        ------
        LostWorkers
            Processes ended in the same task several times in a row.
        """
        return task.result()

    def _done(self, items: Sequence[Any]) -> Done:
        """Have a task done by a process, and by another where it ends."""
        for _ in range(AGAIN):
            child = self._child()
            try:
                done = child.do(items)
            except (EOFError, OSError):
                self._replace(child)
                continue
            with self._lock:
                self._free.append(child)
            if isinstance(done, Exception):
                raise done
            return done
        raise LostWorkers(
            f"{self.named}: processes ended {AGAIN} times in a row before they had computed one part; is there memory "
            "for so many? A script that asks for them has to begin under if __name__ == '__main__':"
        )

    def _child(self) -> Child:
        """Return a process that is free, or a new one."""
        with self._lock:
            if self._free:
                return self._free.pop()
            if self._ended:
                raise LostWorkers(f"{self.named}: the work was ended")
            child = Child(self._job)
            self._children.add(child)
            return child

    def _replace(self, child: Child) -> None:
        with self._lock:
            if not self._ended:
                self.lost += 1
                self._children.remove(child)
                child.end()

    def end(self) -> None:
        """End the processes, whatever they are at."""
        with self._lock:
            self._ended = True
            for child in self._children:
                child.process.kill()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None
        for child in self._children:
            child.end()
        self._children.clear()
        self._free.clear()


def _serve(pipe: End, job: bytes) -> None:
    """Do what comes through a pipe; the process ends when its parent does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be started deaf
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work: Callable[[Any], Any] = pickle.loads(job)
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_tried(work, pipe.recv()))


def _tried(work: Callable[[Any], Any], items: Sequence[Any]) -> Done | Exception:
    try:
        return worked(work, items)
    except Exception as error:  # it is told to whoever waits for the result
        return error


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(1)
