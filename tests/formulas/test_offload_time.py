"""States on the host in time: gradients down, the update there, weights up, and weights fetched for each pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import offload_time
from estimator.formulas.example import example_job
from estimator.formulas.step_time import parts_time
from estimator.formulas.update_time import own_states

few = settings(deadline=None, max_examples=30)


def step(**given: Any) -> dict[str, float]:
    return {name: float(part) for name, part in parts_time(example_job(**given)).items()}


def test_the_update_on_the_host_by_hand() -> None:
    # Ren et al. 2021, Table 4 (remembered, not read again): CPU-Adam takes 0.24 s for 1 billion parameters and 2.57 s
    # for 10 billion, which is what 28 bytes each take at 109 to 117 GB/s, half of the host's memory bandwidth.
    job = example_job(offload=1, host_memory_bandwidth=113e9)
    assert float(offload_time.host_update_time(job, array(1e9))) == pytest.approx(0.24, rel=0.05)
    assert float(offload_time.host_update_time(job, array(10e9))) == pytest.approx(2.57, rel=0.05)


def test_cards_of_a_node_share_the_memory_of_its_host() -> None:
    # A rank's own part shrinks as ranks are added, the node's traffic does not.
    times = [
        float(offload_time.host_update_time(job, own_states(job, array(8e9))))
        for job in (example_job(count=count, zero=1) for count in (1, 4, 8, 16))
    ]
    assert times == pytest.approx([28 * 8e9 / 1e11] * 3 + [28 * 8e9 / 1e11 / 2], rel=1e-12)


def test_the_way_to_the_host_by_hand() -> None:
    # 48 million parameters: 9.6 ms each way at 10 GB/s, 0.1344 ms of update at 10 TB/s, 3.16 ms of work to hide behind.
    found = step(offload=1, host_memory_bandwidth=1e13)
    work, way, update = 0.00316, 2 * 48e6 / 1e10, 28 * 48e6 / 1e13
    hidden = (work**3 + way**3) ** (1 / 3) - work
    assert found["offload"] == pytest.approx(hidden + (update**3 + way**3) ** (1 / 3), rel=1e-9)
    assert found["optimizer"] == 0


def test_weights_on_the_host_are_fetched_twice_for_each_micro_batch() -> None:
    usual = {"global_batch": 4, "host_memory_bandwidth": 1e13}
    states, all_ = step(**usual, offload=1)["offload"], step(**usual, offload=2)["offload"]
    fetch = 2 * 2 * 48e6 / 1e10
    each = (0.00316**3 + fetch**3) ** (1 / 3) - 0.00316
    assert all_ - states == pytest.approx(4 * each, rel=1e-9)


def test_frozen_weights_are_fetched_as_they_are_kept_and_not_updated() -> None:
    frozen = {"frozen": 1, "rank": 1, "offload": 2}
    jobs = [example_job(**frozen, base=base) for base in (2, 0.5)]
    assert [float(offload_time.fetched_weights_time(job, array(1e9))) for job in jobs] == [0.4, 0.1]
    assert step(offload=1, frozen=1, rank=1)["offload"] < 0.01 * step(offload=1)["offload"]


def test_nothing_is_fetched_without_offloading() -> None:
    assert step()["offload"] == 0
    job = example_job(offload=1)
    assert float(offload_time.fetched_weights_time(job, array(1e9))) == 0


@few
@given(st.integers(1, 2), st.floats(1e8, 1e12), st.integers(0, 3), st.sampled_from([1, 2, 8, 16]))
def test_a_faster_link_is_never_slower(place: int, link: float, zero: int, count: int) -> None:
    given = {"offload": place, "zero": zero, "count": count, "pp": 1}
    slow, fast = (sum(step(**given, host_bandwidth=rate).values()) for rate in (link, 2 * link))
    assert fast <= slow * (1 + 1e-12)
    assert sum(step(**{**given, "offload": 0}).values()) <= fast * (1 + 1e-12)
