"""Tasks and their order, by workers that are only pretended."""

from __future__ import annotations

import pickle
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from estimator.workers.ordered import Alone, Done, Ordered, paced


class Pretended:
    """Workers whose tasks take as long as they are told."""

    def __init__(self, count: int, seconds: Sequence[float]) -> None:
        self.count, self.seconds = count, seconds
        self.under_way, self.most, self.tasks, self.ended, self.lost = 0, 0, list[int](), 0, 0

    def begin(self, job: bytes) -> None:
        self.job = pickle.loads(job)

    def size(self) -> int:
        return self.count

    def submit(self, items: Sequence[Any]) -> list[Any]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.tasks.append(len(items))
        return [self.job(item) for item in items]

    def result(self, task: list[Any]) -> Done:
        self.under_way -= 1
        return Done(self.seconds[len(self.tasks) % len(self.seconds)], pickle.dumps(task))

    def end(self) -> None:
        self.ended += 1


@given(
    items=st.lists(st.integers(-99, 99), max_size=80),
    count=st.integers(0, 5),
    seconds=st.lists(st.floats(0.0, 10.0), min_size=1, max_size=5),
)
def test_every_item_once_and_in_order_whatever_tasks_take(
    items: list[int], count: int, seconds: list[float]
) -> None:
    crew = Pretended(count, seconds)
    assert list(Ordered(crew).map(abs, items)) == list(Alone().map(abs, items))
    assert sum(crew.tasks) == len(items)
    assert crew.most <= 2 * max(1, count) + 1
    assert crew.ended == 1


def test_tasks_grow_to_a_second_and_shrink_towards_the_end() -> None:
    crew = Pretended(2, [0.01])
    random.seed(0)
    list(Ordered(crew).map(abs, range(400)))
    assert crew.tasks[0] == 1
    assert max(crew.tasks) > 20
    assert crew.tasks[-1] == 1


def test_what_nobody_waits_for_is_forgotten() -> None:
    crew = Pretended(2, [0.01])
    results = Ordered(crew).map(abs, range(400))
    assert next(results) == 0
    results.close()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert crew.ended == 1
    assert len(crew.tasks) == 5


def test_large_results_keep_tasks_small() -> None:
    # 32 MiB at most: two of 16 MiB, and one where each is larger than that.
    assert paced(8, 1, Done(0.001, bytes(16 << 20))) == 2
    assert paced(8, 1, Done(0.001, bytes(33 << 20))) == 1
