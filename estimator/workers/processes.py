"""Processes of the standard library; those that end are replaced, and what they did is done again."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeAlias

from .ordered import Done, LostWorkers, worked

# An end of a pipe through which nothing is sent; its type is another one on each system.
Leash: TypeAlias = Any
# So often in a row the same task is begun again after a process ended in it.
AGAIN = 3
# What a process of the pool does; nothing in any other.
_JOB: list[Callable[[Any], Any]] = []


class _Task:
    """Items, and the one of several attempts at them that is under way."""

    def __init__(self, items: Sequence[Any], attempt: Future[Done]) -> None:
        self.items, self.attempt = items, attempt


class Processes:
    """So many processes."""

    def __init__(self, count: int, named: str) -> None:
        """Start none yet."""
        self.count, self.named = count, named
        self._job = b""
        self._pool: ProcessPoolExecutor | None = None
        # A pipe whose other end the processes watch: it closes when they are to end, or when this process does.
        self._leash: tuple[Leash, Leash] | None = None
        self._tasks: list[_Task] = []

    def size(self) -> int:
        """Return how many there are."""
        return self.count

    def begin(self, job: bytes) -> None:
        """Make a pool whose processes know the job."""
        self._job = job
        # Spawned: a fork of a process that has threads may stand still for ever.
        context = get_context("spawn")
        leash = self._leash = context.Pipe(duplex=False)
        begun = (job, leash[0])
        self._pool = ProcessPoolExecutor(self.count, context, initializer=_ready, initargs=begun)

    def submit(self, items: Sequence[Any]) -> _Task:
        """Take a task."""
        made = _Task(items, self._attempt(items))
        self._tasks.append(made)
        return made

    def _attempt(self, items: Sequence[Any]) -> Future[Done]:
        if self._pool is None:
            raise ValueError("no job was begun")
        try:
            return self._pool.submit(_worked, items)
        except BrokenProcessPool as error:  # it is told to whoever waits for the result
            broken: Future[Done] = Future()
            broken.set_exception(error)
            return broken

    def result(self, task: _Task) -> Done:
        """Wait for a task; where a process ended, make the pool anew and do again what was lost.

        Raises
        ------
        LostWorkers
            Processes ended in the same task several times in a row.
        """
        for _ in range(AGAIN):
            try:
                done = task.attempt.result()
            except BrokenProcessPool:
                self._mend()
            else:
                self._tasks.remove(task)
                return done
        raise LostWorkers(
            f"{self.named}: processes ended {AGAIN} times in a row before they had computed one part; is there memory "
            "for so many? A script that asks for them has to begin under if __name__ == '__main__':"
        )

    def _mend(self) -> None:
        """Make the pool anew, and begin again every task that has no result."""
        self._stop()
        self.begin(self._job)
        for task in self._tasks:
            kept = task.attempt.done() and not task.attempt.cancelled() and not task.attempt.exception()
            if not kept:
                task.attempt = self._attempt(task.items)

    def _stop(self) -> None:
        if self._pool is None or self._leash is None:
            return
        if any(not task.attempt.done() for task in self._tasks):
            self._leash[1].close()  # nobody waits for what they are at
        self._pool.shutdown(wait=True, cancel_futures=True)
        for end in self._leash:
            end.close()
        self._pool = self._leash = None

    def end(self) -> None:
        """End the processes, whatever they are at."""
        self._stop()
        self._tasks.clear()


def _ready(job: bytes, leash: Leash) -> None:
    """Make a process ready for tasks: Ctrl-C is for its parent, and it ends when that does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    _JOB[:] = [pickle.loads(job)]


def _end_with(leash: Leash) -> None:
    leash.poll(None)  # nothing is ever sent: it wakes when the other end is closed
    os._exit(1)


def _worked(items: Sequence[Any]) -> Done:
    return worked(_JOB[0], items)
