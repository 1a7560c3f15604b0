"""Work in tasks of about a second, a bounded number of them under way, and the results in order whoever is first."""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from ..errors import EstimatorError
from ..tuples import NamedTuple

Item = TypeVar("Item")
Result = TypeVar("Result")
# A scheduler takes some thousandths of a second a task: a second is enough to forget it, and not much to lose.
SECONDS = 1.0
# Results of a task are held here and where they were made: no more than so much of them. [byte]
_BYTES = 32 << 20
# Tasks under way for each worker: the one it does and the one it takes next.
_AHEAD = 2
# What is counted where workers end before their work does.
LOST = "lost workers"
# Called with what is counted, how many are done and of how many.
Told = Callable[[str, int, int], None]


class LostWorkers(EstimatorError):
    """Workers went away, and did not come back."""


class Done(NamedTuple):
    """The results of a task as bytes, and how long they took. [s]"""

    seconds: float
    results: bytes


class Team(Protocol):
    """Those who work: alone, processes or a cluster."""

    def map(self, job: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
        """Yield the result of every item in order."""
        ...


class Crew(Protocol):
    """Workers that take tasks, each some items; ``lost`` is how many ended before their work did."""

    lost: int

    def begin(self, job: bytes) -> None:
        """Hold the pickled job of all tasks."""
        ...

    def size(self) -> int:
        """Return how many tasks are done at a time."""
        ...

    def submit(self, items: Sequence[Any]) -> Any:
        """Take a task; return what `result` is asked with."""
        ...

    def result(self, task: Any) -> Done:
        """Wait for a task."""
        ...

    def end(self) -> None:
        """Forget the job and every task."""
        ...


class Alone:
    """The process that asks."""

    def map(self, job: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
        """Yield the result of every item in order."""
        yield from map(job, items)


class Ordered:
    """A crew whose results come in order."""

    def __init__(self, crew: Crew, told: Told | None = None) -> None:
        """Hold the crew, and who is told of workers that are lost."""
        self.crew, self.told = crew, told

    def map(self, job: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
        """Yield the result of every item in order; what is under way is bounded, and forgotten if nobody waits."""
        self.crew.begin(pickle.dumps(job))
        try:
            yield from self._results(deque(items))
        finally:
            self.crew.end()

    def _results(self, rest: deque[Any]) -> Iterator[Any]:
        flying: deque[tuple[int, Any]] = deque()
        pace, lost = 1, 0
        while rest or flying:
            ready = max(1, self.crew.size())
            while rest and len(flying) <= _AHEAD * ready:
                # Towards the end tasks become small, so that all end at about the same time.
                few = min(pace, -(-len(rest) // (_AHEAD * ready)))
                flying.append((few, self.crew.submit([rest.popleft() for _ in range(few)])))
            count, task = flying.popleft()
            done = self.crew.result(task)
            pace = paced(pace, count, done)
            if self.told is not None and lost < (now := self.crew.lost):
                self.told(LOST, now, now)
                lost = now
            yield from pickle.loads(done.results)


def paced(pace: int, count: int, done: Done) -> int:
    """Return how many items the next tasks have, from how long and how large some were; at most twice as many.

    Examples
    --------
    >>> paced(8, 4, Done(1.0, b"")), paced(2, 4, Done(1.0, b"")), paced(1, 1, Done(9.0, b""))
    (4, 4, 1)
    """
    fast = SECONDS * count / max(done.seconds, 1e-6)
    small = _BYTES * count / max(len(done.results), 1)
    return max(1, int(min(fast, small, 2 * pace)))


def worked(job: Callable[[Any], Any], items: Sequence[Any]) -> Done:
    """Do the items of a task; this runs where the worker is."""
    start = time.perf_counter()
    results = pickle.dumps([job(item) for item in items], protocol=5)
    return Done(time.perf_counter() - start, results)
