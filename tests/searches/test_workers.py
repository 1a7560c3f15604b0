"""A search by several workers finds what one process finds, to the last bit, whoever is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from estimator import EstimatorError, Presets, Search, search
from estimator.searches import space
from estimator.workers import LOST, clusters
from estimator.workers.given import Where

from ..sweeps.test_workers import a_worker

pytest.importorskip("distributed")

PRESETS = Presets()
ASKED: dict[str, Any] = {
    "model": "gpt3-6.7b",
    "on": "a100-sxm-80gb,rtx-3090",
    "count": "8,16",
    "global_batch": 16,
}


@pytest.fixture(autouse=True)
def _small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "_SHARE", 200)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """One cluster of two small workers for all tests of this file."""
    with clusters.client_of(Where(local=2)) as made:
        yield made


@pytest.fixture(scope="module")
def alone() -> list[Any]:
    return told_of(search(ASKED, presets=PRESETS))


def told_of(found: Search) -> list[Any]:
    """Everything that a search tells of its layouts."""
    return [(each.counts, each.fell_out, each.fastest, each.front, each.tried.alike) for each in found.found]


@pytest.mark.parametrize("how", ["processes", "dask"])
@pytest.mark.parametrize("kill", [False, True])
def test_what_is_found_is_what_one_process_finds(how: str, kill: bool, client: Any, alone: list[Any]) -> None:
    done: list[tuple[str, int, int]] = []

    def _told(what: str, now: int, of: int) -> None:
        if kill and not done:
            os.kill(a_worker(how, client), signal.SIGKILL)
        done.append((what, now, of))

    cluster = client if how == "dask" else 2
    assert told_of(search(ASKED, presets=PRESETS, cluster=cluster, told=_told)) == alone
    assert len(done) > 8
    counts = [counts.legal for counts, *_ in alone]
    last = {what: (now, of) for what, now, of in done}
    assert last.pop(LOST, None) == ((1, 1) if kill else None)
    assert list(last.values()) == [(legal, legal) for legal in counts]


def test_a_cluster_that_is_none_is_told_before_anything_is_read() -> None:
    with pytest.raises(EstimatorError) as caught:
        search({"model": "no-such-model"}, cluster="head-node")
    assert str(caught.value) == (
        "--cluster: 'head-node' is neither local:NUMBER nor the address of a scheduler; write it like local:2 or "
        "tcp://head-node:8786"
    )
