"""Fleets worked by hand: totals of compute, shares of a batch, the exchange between sites."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.formulas.compute_totals import accelerators_for_compute, compute_of_accelerators, mfu_for_ratio
from estimator.formulas.fleet import (
    exposed_exchange,
    joint_goodput,
    link_for_loss,
    matched_batches,
    paced_throughput,
    site_exchange_time,
)


def test_totals_broadcast() -> None:
    totals, peaks = np.array([1e18, 2e18])[:, None], np.array([1e14, 2e14, 4e14])
    assert np.asarray(accelerators_for_compute(totals, peaks)).tolist() == [
        [10000, 5000, 2500],
        [20000, 10000, 5000],
    ]
    assert float(compute_of_accelerators(np.float64(8), np.float64(312e12))) == 2.496e15


def test_no_peak_is_no_number_of_accelerators() -> None:
    assert float(accelerators_for_compute(np.float64(1e18), np.float64(0))) == np.inf


def test_a_ratio_of_three_needs_an_mfu_2_46_times_lower() -> None:
    # 312 / 256 = 1.219 of the three is in the peaks: 3 / 1.219 = 2.46 is left for the MFU.
    found = float(mfu_for_ratio(np.float64(0.4), np.float64(312e12), np.float64(256e12), np.float64(3)))
    assert 0.4 / found == pytest.approx(2.46, abs=0.005)


def test_the_slowest_for_its_share_paces() -> None:
    # At half of the batch the second ends it in 1 / (2 x 100): 200 tokens a second in all.
    pools, half = np.array([300.0, 100.0]), np.array([0.5, 0.5])
    assert float(paced_throughput(pools, half)) == 200.0
    assert float(paced_throughput(pools, pools / 400.0)) == pytest.approx(400.0)


def test_matched_parts_end_together() -> None:
    # 2 + b and 2 b: together 2 + b = 2 (10 - b) at b = 6, and both take 8.
    sizes = np.array([1.0, 10.0])
    times = np.array([2.0 + sizes, 2.0 * sizes])
    found = np.asarray(matched_batches(np.array([sizes, sizes]), times, np.float64(10), np.zeros(2)))
    assert found.tolist() == pytest.approx([6.0, 4.0])


def test_matched_parts_are_whole_where_they_must_be() -> None:
    # In sixes for the first and fours for the second, of 24: 12 and 12 take 12 and 24; 18 and 8 take 18 and 16.
    sizes = np.array([1.0, 24.0])
    found = np.asarray(
        matched_batches(
            np.array([sizes, sizes]), np.array([sizes, 2.0 * sizes]), np.float64(24), np.array([6.0, 4.0])
        )
    )
    # By 18 the first does 18 and the second 8; two more than the batch, so each does its part of 24.
    assert found.tolist() == pytest.approx([18.0 * 24 / 26, 8.0 * 24 / 26])


def test_a_pool_whose_least_part_takes_too_long_does_none() -> None:
    sizes = np.array([1.0, 8.0])
    times = np.array([sizes, 100.0 + sizes])
    found = np.asarray(matched_batches(np.array([sizes, sizes]), times, np.float64(8), np.zeros(2)))
    assert found.tolist() == pytest.approx([8.0, 0.0])


speeds = st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(0.0, 5.0)), min_size=1, max_size=5)


@given(pools=speeds, batch=st.floats(4.0, 1000.0))
def test_no_parts_are_faster_than_matched_ones(pools: list[tuple[float, float]], batch: float) -> None:
    sizes = np.geomspace(batch * 1e-3, batch, 33)
    times = np.array([fixed + slope * sizes for slope, fixed in pools])
    grid = np.broadcast_to(sizes, times.shape)
    parts = np.asarray(matched_batches(grid, times, np.float64(batch), np.zeros(len(pools))))
    assert np.sum(parts) == pytest.approx(batch)
    slope, fixed = np.array(pools).T
    longest = float(np.max(np.where(parts > 0, fixed + slope * parts, 0.0)))
    for other in (np.full(len(pools), 1.0), 1.0 / slope, np.arange(1.0, len(pools) + 1.0)):
        tried = other / np.sum(other) * batch
        # What parts of less than a thousandth of the batch could save is not looked at.
        assert longest <= float(np.max(fixed + slope * np.maximum(tried, sizes[0]))) * (1 + 1e-6)


def test_time_lost_adds_up_over_pools() -> None:
    # Goodputs of 0.8 lose a quarter second each second, of 0.5 a whole one: 1 / 2.25.
    assert float(joint_goodput(np.array([0.8, 0.5]))) == pytest.approx(1 / 2.25)
    assert float(joint_goodput(np.array([0.8]))) == pytest.approx(0.8)


def test_gradients_between_sites() -> None:
    # Three sites: 2 x 2 / 3 of 30 GB over 1 GB/s are 40 s, every ten steps 4.
    size, link = np.float64(30e9), np.float64(1e9)
    assert float(site_exchange_time(size, np.float64(3), link, np.float64(1))) == pytest.approx(40.0)
    assert float(site_exchange_time(size, np.float64(3), link, np.float64(10))) == pytest.approx(4.0)
    assert float(site_exchange_time(size, np.float64(1), link, np.float64(1))) == 0.0


@given(
    size=st.floats(1e6, 1e12), step=st.floats(0.1, 100.0), lost=st.floats(0.01, 0.9), sites=st.integers(2, 9)
)
def test_the_link_for_a_loss_makes_that_loss(size: float, step: float, lost: float, sites: int) -> None:
    numbers = np.float64(size), np.float64(sites)
    link = link_for_loss(*numbers, np.float64(step), np.float64(1), np.float64(lost))
    exchange = site_exchange_time(*numbers, link, np.float64(1))
    whole = exposed_exchange(np.float64(step), exchange, np.float64(0))
    assert float(exchange / whole) == pytest.approx(lost)
    hidden = exposed_exchange(np.float64(step), exchange, np.float64(1))
    assert float(hidden) == pytest.approx(max(step, float(exchange)))
