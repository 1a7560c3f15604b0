"""Where work is to be done, as it is given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from estimator.errors import EstimatorError
from estimator.workers import Where, read

HOW = "; write it like local:2 or tcp://head-node:8786"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (None, Where()),
        (1, Where()),
        (3.0, Where(processes=3)),
        (" local:2 ", Where(local=2)),
        ("tcp://head-node:8786", Where(address="tcp://head-node:8786")),
        ("tls://head.cluster:1", Where(address="tls://head.cluster:1")),
        ("tcp://[::1]:65535", Where(address="tcp://[::1]:65535")),
    ],
)
def test_what_is_understood(given: Any, where: Where) -> None:
    assert read(given) == where


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0, "--workers: 0 is not a whole number of processes from 1 to 1,024"),
        (1.5, "--workers: 1.5 is not a whole number of processes from 1 to 1,024"),
        (float("nan"), "--workers: nan is not a whole number of processes from 1 to 1,024"),
        (float("inf"), "--workers: inf is not a whole number of processes from 1 to 1,024"),
        (1025, "--workers: 1025 is not a whole number of processes from 1 to 1,024"),
        (True, "--workers: True is not a whole number of processes from 1 to 1,024"),
        ("local:0", f"--cluster: 'local:0' is not from 1 to 1,024 workers{HOW}"),
        ("local:2000", f"--cluster: 'local:2000' is not from 1 to 1,024 workers{HOW}"),
        *(
            (text, f"--cluster: '{text}' is neither local:NUMBER nor the address of a scheduler{HOW}")
            for text in ("", "local", "local:-1", "local:two", "head:8786", "tcp://head", "tcp://:1", "tcp://a:0",
                         "tcp://a:65536", "http://head:8787", "tcp://a b:1")
        ),
        ([2], f"--cluster: a list is no number of processes, no text and no dask.distributed.Client{HOW}"),
    ],
)  # fmt: skip
def test_what_is_not_is_told(given: Any, said: str) -> None:
    with pytest.raises(EstimatorError) as caught:
        read(given)
    assert str(caught.value) == said


def client(**more: Any) -> Any:
    return SimpleNamespace(submit=print, nthreads=dict, **more)


def test_a_client_is_taken_as_it_is_unless_it_cannot_be_used() -> None:
    usable = client(asynchronous=False, status="running")
    assert read(usable).client is usable
    for unusable, said in (
        (client(asynchronous=True), "is asynchronous; give one made with asynchronous=False"),
        (client(status="closed"), "is closed; give one that is connected"),
    ):
        with pytest.raises(EstimatorError) as caught:
            read(unusable)
        assert str(caught.value) == f"--cluster: the Client {said}"


def test_what_it_is_called() -> None:
    given = (2, "local:3", "tcp://a:1", client())
    assert [read(each).named for each in given] == [
        "--workers 2", "--cluster local:3", "--cluster tcp://a:1", "the Client",
    ]  # fmt: skip
