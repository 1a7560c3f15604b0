"""Layers of experts: tokens of each, grouped products, shared experts, and the exchange of tokens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.expert_time import (
    dispatch_time,
    experts_time,
    grouped_products_time,
    tokens_an_expert,
)
from estimator.formulas.layer_time import feed_forward_time

from .jobs import example_job

few = settings(deadline=None, max_examples=60)
SPARSE: dict[str, Any] = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000, "moe_layers": 4}

# A pass of one expert of 2 x 1,000 x 4,000 weights over a thousand tokens takes 0.16 ms at 100 TFLOP/s.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 250),
        ({"ep": 8}, 2000),  # the tokens of eight ranks
        ({"cp": 2}, 125),
        ({"micro_batch": 3}, 750),
        ({"experts_per_token": 1}, 125),
        ({"tp": 2}, 250),  # tensor ranks have the same tokens
    ],
)
def test_tokens_of_an_expert(given: dict[str, float], expected: float) -> None:
    assert float(tokens_an_expert(example_job(**{**SPARSE, **given}))) == expected


def test_grouped_products_by_hand() -> None:
    # Two experts a token over four ranks, at 0.8 x 0.5 of the peak; 250 tokens an expert, half the rate at 50;
    # eight experts over two times four cards are read from memory, thrice.
    job = example_job(
        **SPARSE, count=8, tp=4, ep=2, micro_batch=0.5, product_efficiency=0.8, expert_efficiency=0.5, expert_half=50,
        product_traffic=3,
    )  # fmt: skip
    work = 2 * 500 * 2 * 8e6 / 4 / (0.4 * 1e14)
    read = 2 * 8e6 / 4 * 8 / 2 / 1e12
    assert float(grouped_products_time(job)) == pytest.approx(work * (1 + 50 / 250) + 3 * read, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "cards"),
    [
        pytest.param({"count": 8}, 8, id="two times four cards"),
        pytest.param({"count": 32}, 8, id="and no more of four replicas of them"),
        pytest.param({"count": 4}, 4, id="a stage of four cards has no more"),
        pytest.param({"count": 16, "pp": 4}, 4, id="nor have four stages of four"),
    ],
)
def test_a_card_reads_the_experts_that_it_holds(given: dict[str, float], cards: float) -> None:
    # Eight experts of 8 million weights of 2 bytes, whatever the tokens.
    with_traffic, without = (
        float(grouped_products_time(example_job(**SPARSE, **given, tp=4, ep=2, product_traffic=traffic)))
        for traffic in (1, 0)
    )
    assert with_traffic - without == pytest.approx(8 * 2 * 8e6 / cards / 1e12, rel=1e-9)


def test_half_the_rate_at_the_half_length() -> None:
    full, half = (float(grouped_products_time(example_job(**SPARSE, expert_half=half))) for half in (0, 250))
    assert half == pytest.approx(2 * full)


def test_every_token_passes_the_shared_experts() -> None:
    alone, both = (example_job(**SPARSE, shared_ffn=width) for width in (0, 2000))
    more = float(experts_time(both)) - float(grouped_products_time(both))
    assert more == pytest.approx(float(feed_forward_time(both, array(2000))))
    assert float(experts_time(alone)) == float(grouped_products_time(alone))


def test_no_shared_expert_moves_nothing() -> None:
    job = example_job(**SPARSE, product_traffic=1)
    assert float(experts_time(job)) == float(grouped_products_time(job))


def test_the_exchange_by_hand() -> None:
    # 2 MB a copy over two tensor ranks: two copies there and back among four ranks of a server at 100 GB/s,
    # three quarters leaving, taking half as long again as the bandwidth says.
    job = example_job(**SPARSE, ep=4, tp=2, expert_use=1.5)
    assert float(dispatch_time(job)) == pytest.approx(2 * 1.5 * 2 * 1e6 * 0.75 / 1e11, rel=1e-12)


def test_experts_of_other_servers_are_reached_over_the_network() -> None:
    # 32 ranks on four servers, one copy of 2 MB: it leaves the server three times out of four.
    job = example_job(**{**SPARSE, "experts": 32, "experts_per_token": 1}, ep=32)
    assert float(dispatch_time(job)) == pytest.approx(
        2 * (2e6 * 31 / 32 / 1e11 + 0.75 * 2e6 / 1e10), rel=1e-12
    )
    # In a rack of 64 it never does.
    rack = job._replace(machine=job.machine._replace(scaleup_domain=array(64)))
    assert float(dispatch_time(rack)) == pytest.approx(2 * 2e6 * 31 / 32 / 1e11, rel=1e-12)


def test_experts_on_every_rank_exchange_nothing() -> None:
    assert float(dispatch_time(example_job(**SPARSE))) == 0.0


@few
@given(st.sampled_from([1.0, 2.0, 4.0, 8.0]), st.floats(1, 1e4), st.floats(0, 1e4))
def test_more_expert_ranks_never_slow_the_products(ep: float, tokens: float, half: float) -> None:
    given = {**SPARSE, "micro_batch": tokens / 1000, "expert_half": half, "product_traffic": 1}
    once, more = (example_job(**given, count=16, ep=ranks) for ranks in (ep, 2 * ep))
    assert 0 < float(grouped_products_time(more)) <= float(grouped_products_time(once)) * (1 + 1e-12)


# Uneven routing.


def test_all_wait_for_the_fullest_rank() -> None:
    # Its products and its tokens are half more; the weights are read once, however many tokens meet them.
    given: dict[str, Any] = {**SPARSE, "count": 4, "ep": 4, "product_traffic": 3}
    even, uneven = (example_job(**given, expert_imbalance=ratio) for ratio in (1, 1.5))
    read = 3 * 2 * 8e6 * 8 / 4 / 1e12
    alone = float(grouped_products_time(even)) - read
    assert float(grouped_products_time(uneven)) == pytest.approx(1.5 * alone + read, rel=1e-12)
    assert float(dispatch_time(uneven)) == pytest.approx(1.5 * float(dispatch_time(even)), rel=1e-12)


def test_shared_experts_see_every_token_anyway() -> None:
    given = {**SPARSE, "expert_ffn": 0, "shared_ffn": 4000}
    even, uneven = (float(experts_time(example_job(**given, expert_imbalance=ratio))) for ratio in (1, 1.5))
    assert even == uneven > 0.0


@few
@given(st.floats(1.0, 100.0), st.sampled_from([1, 2, 4, 8]))
def test_no_expert_sees_a_token_twice(ratio: float, chosen: int) -> None:
    # At worst all tokens go to the experts of one rank, which then does the work of all.
    given: dict[str, Any] = {**SPARSE, "experts_per_token": chosen, "ep": 8}
    times = [
        float(grouped_products_time(example_job(**given, expert_imbalance=each)))
        for each in (1.0, ratio, 8 / chosen)
    ]
    assert times[0] <= times[1] <= times[2] * (1 + 1e-12)
    assert times[2] == pytest.approx(times[0] * 8 / chosen, rel=1e-12)
