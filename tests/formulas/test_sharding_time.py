"""Sharded weights, gradients, groups of hybrid sharding and updates: volumes as the papers print them, by rank."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings

from estimator.arrays import array
from estimator.formulas.sharding import sharding_ranks
from estimator.formulas.sharding_time import (
    among_experts,
    gradient_exchange_time,
    group_exchange_time,
    held_parameters,
    sharded_weights_time,
)
from estimator.formulas.update_time import accumulation_time, clipping_time, optimizer_time, own_states

from .jobs import example_job, parts, questions, typical

few = settings(deadline=None, max_examples=60)
BILLION = array(1e9)

# 100 GB/s in a server of eight cards, 10 GB/s of network each.


def test_what_a_rank_holds() -> None:
    # 4 layers of 4 + 8 million weights and a vocabulary of 50,000 twice, over two tensor ranks and two stages.
    dense, experts = held_parameters(example_job(tp=2, pp=2, vocab=50000))
    assert (float(dense), float(experts)) == ((4 * 12e6 + 2 * 5e7) / 4, 0)
    assert float(held_parameters(example_job(vocab=50000, tied=1)).dense) == 4 * 12e6 + 5e7


def test_expert_ranks_split_experts_alone() -> None:
    # Three dense layers of 12 million; in the fourth attention, a router of 8 x 1,000, a shared expert of 1 million,
    # and eight experts of 8 million.
    given = {"moe_layers": 1, "experts": 8, "expert_ffn": 4000, "shared_ffn": 500}
    alone, spread = (held_parameters(example_job(**given, count=16, ep=ep, tp=2)) for ep in (1, 4))
    assert float(alone.dense) == float(spread.dense) == (3 * 12e6 + 4e6 + 8000 + 1e6) / 2
    assert (float(alone.experts), float(spread.experts)) == (64e6 / 2, 64e6 / 8)
    # Two stages of two cards: of each layer's experts a card holds half, and half of the layers.
    folded = held_parameters(example_job(**given, count=4, pp=2, ep=4, tp=2))
    assert (float(folded.dense), float(folded.experts)) == (float(alone.dense) / 2, 64e6 / 2 / 2)


def test_sharded_weights_move_three_times() -> None:
    # Rajbhandari et al. 2020, Section 7.2.2: 3 parameters' worth; 2 bytes each, seven eighths of them, at 100 GB/s.
    found = sharded_weights_time(example_job(count=8, zero=3), BILLION)
    assert float(found) == pytest.approx(3 * 2e9 * 7 / 8 / 1e11, rel=1e-12)


def test_gradients_move_twice() -> None:
    # Section 7.2.1: a reduce-scatter of gradients, here in 4 bytes, and an all-gather of weights in 2.
    for zero in (1, 2):
        found = gradient_exchange_time(example_job(count=8, zero=zero), BILLION)
        assert float(found) == pytest.approx((4e9 + 2e9) * 7 / 8 / 1e11, rel=1e-12)
    # An all-reduce gathers what it has reduced: gradients of 4 bytes again.
    found = gradient_exchange_time(example_job(count=8, zero=0), BILLION)
    assert float(found) == pytest.approx((4e9 + 4e9) * 7 / 8 / 1e11, rel=1e-12)


@pytest.mark.parametrize(("zero", "weights", "gradients"), [(0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 1, 0)])
def test_which_stage_moves_what(zero: int, weights: int, gradients: int) -> None:
    job = example_job(count=8, zero=zero)
    assert bool(sharded_weights_time(job, BILLION) > 0) == bool(weights)
    assert bool(gradient_exchange_time(job, BILLION) > 0) == bool(gradients)
    assert float(group_exchange_time(job, BILLION)) == 0.0


@pytest.mark.parametrize("zero", [0, 1, 3])
def test_one_rank_alone_moves_nothing(zero: int) -> None:
    job = example_job(count=8, tp=2, pp=4, zero=zero, shard=1)
    for formula in (sharded_weights_time, gradient_exchange_time, group_exchange_time):
        assert float(formula(job, BILLION)) == 0.0


@pytest.mark.parametrize(
    ("given", "ranks", "rate"),
    [
        pytest.param({"count": 16}, 16, 80e9, id="two servers share eight network cards"),
        pytest.param({"count": 16, "tp": 2}, 8, 40e9, id="after two tensor ranks four ranks a server"),
        pytest.param({"count": 64, "tp": 8}, 8, 10e9, id="one rank a server"),
        pytest.param(
            {"count": 16, "cp": 2}, 16, 80e9, id="context ranks share states as data-parallel ones do"
        ),
        pytest.param({"count": 32, "pp": 4}, 8, 100e9, id="a stage within a server"),
        pytest.param({"count": 20, "tp": 8}, 2, 10e9, id="four cards that make up no replica are idle"),
        pytest.param({"count": 16, "scaleup_domain": 72}, 16, 100e9, id="a rack"),
        pytest.param({"count": 16, "per_node": 4, "scaleup_domain": 4}, 16, 40e9, id="servers of four"),
    ],
)
def test_data_parallel_ranks_lie_after_tensor_ranks(given: dict[str, Any], ranks: float, rate: float) -> None:
    share = (ranks - 1) / ranks / rate
    for zero, size in ((0, 8e9), (1, 6e9)):
        found = gradient_exchange_time(example_job(**given, zero=zero), BILLION)
        assert float(found) == pytest.approx(size * share, rel=1e-12)
    assert float(sharded_weights_time(example_job(**given, zero=3), BILLION)) == pytest.approx(
        6e9 * share, rel=1e-12
    )


def test_uses_scale_what_is_exposed() -> None:
    given = {"count": 16, "sharding_use": 3, "gradient_use": 0.25}
    once, more = example_job(count=16, zero=3), example_job(**given, zero=3)
    assert float(sharded_weights_time(more, BILLION)) == pytest.approx(
        3 * float(sharded_weights_time(once, BILLION))
    )
    once, more = example_job(count=16), example_job(**given)
    assert float(gradient_exchange_time(more, BILLION)) == pytest.approx(
        float(gradient_exchange_time(once, BILLION)) / 4
    )


# Sharding within groups.


def test_groups_gather_within_and_reduce_between() -> None:
    # Zhao et al. 2023, Section 3.2.2: within each of four servers as of eight ranks; then an all-reduce of an eighth of
    # the gradients, 2 bytes each, among four cards that each use their own network.
    job = example_job(count=32, zero=3, shard=8, gradient_use=0.5)
    assert float(sharded_weights_time(job, BILLION)) == pytest.approx(6e9 * 7 / 8 / 1e11, rel=1e-12)
    assert float(group_exchange_time(job, BILLION)) == pytest.approx(
        0.5 * 2 * 2e9 / 8 * 3 / 4 / 1e10, rel=1e-12
    )


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        pytest.param({"count": 32, "shard": 8}, 10e9, id="one member a server"),
        pytest.param({"count": 32, "shard": 2}, 40e9, id="four members a server share four network cards"),
        pytest.param({"count": 8, "shard": 2}, 100e9, id="all in one server"),
        pytest.param({"count": 32, "tp": 2, "shard": 2}, 20e9, id="after two tensor ranks"),
        pytest.param({"count": 64, "shard": 32}, 10e9, id="groups of four servers"),
    ],
)
def test_members_of_other_groups_lie_a_group_apart(given: dict[str, Any], rate: float) -> None:
    shards, groups = given["shard"], given["count"] / given.get("tp", 1) / given["shard"]
    found = group_exchange_time(example_job(**given, zero=3), BILLION)
    assert float(found) == pytest.approx(2 * 2e9 / shards * (groups - 1) / groups / rate, rel=1e-12)


@pytest.mark.parametrize("zero", [1, 2])
def test_states_sharded_within_groups_have_gradients_of_four_bytes(zero: float) -> None:
    # Four groups of eight ranks: gradients in 4 bytes spread and weights in 2 gathered within a server; an eighth of
    # the gradients all-reduced among four cards that each use their own network.
    job = example_job(count=32, zero=zero, shard=8, gradient_use=0.5)
    assert float(gradient_exchange_time(job, BILLION)) == pytest.approx(0.5 * 6e9 * 7 / 8 / 1e11, rel=1e-12)
    assert float(group_exchange_time(job, BILLION)) == pytest.approx(
        0.5 * 2 * 4e9 / 8 * 3 / 4 / 1e10, rel=1e-12
    )


def test_states_that_none_shares_have_no_groups() -> None:
    job = example_job(count=32, zero=0, shard=8)
    assert float(group_exchange_time(job, BILLION)) == 0.0
    assert float(gradient_exchange_time(job, BILLION)) == pytest.approx(8e9 * 31 / 32 / 8e10, rel=1e-12)


@few
@given(questions())
def test_groups_of_one_rank_share_nothing(given: dict[str, Any]) -> None:
    # Every rank keeps all states: the exchange is that of no sharding, by whichever way it is come to.
    none, alone = (parts(typical(**{**given, "zero": zero, "shard": 1.0})) for zero in (0.0, 1.0))
    assert alone == pytest.approx(none)


@few
@given(questions())
def test_sharded_states_never_move_more_than_an_all_reduce(given: dict[str, Any]) -> None:
    none, all_ranks = (
        parts(typical(**{**given, "zero": zero, "shard": math.inf, "ring_latency": 0.0}))["gradient_exchange"]
        for zero in (0.0, 1.0)
    )
    assert all_ranks == pytest.approx(none * 6 / 8)


@pytest.mark.parametrize(("zero", "collectives"), [(0, 0), (1, 2), (2, 2)])
def test_messages_pass_every_rank_of_a_ring_for_each_layer(zero: int, collectives: int) -> None:
    """Eight layers on two stages, 63 hops of 2 us among 64 replicas: 4 x 63 x 2 us = 0.504 ms a collective."""
    given = {"layers": 8, "count": 128, "pp": 2, "zero": zero}
    late, soon = (example_job(**given, ring_latency=latency) for latency in (2e-6, 0.0))
    more = float(gradient_exchange_time(late, BILLION) - gradient_exchange_time(soon, BILLION))
    assert more == pytest.approx(collectives * 0.504e-3)


def test_sharded_weights_pass_the_ring_three_times_a_micro_batch() -> None:
    """Four layers on 64 ranks: 3 x 4 x 63 x 2 us; experts that no rank holds pass nothing."""
    late, soon = (example_job(count=64, zero=3, ring_latency=latency) for latency in (2e-6, 0.0))
    more = float(sharded_weights_time(late, BILLION) - sharded_weights_time(soon, BILLION))
    assert more == pytest.approx(3 * 4 * 63 * 2e-6)
    assert float(sharded_weights_time(late, 0 * BILLION)) == 0.0


@pytest.mark.parametrize("shard", [math.inf, 64, 32])
def test_one_group_of_all_ranks_has_no_other(shard: float) -> None:
    assert float(group_exchange_time(example_job(count=32, zero=3, shard=shard), BILLION)) == 0.0


def test_a_smaller_group_gathers_faster_and_exchanges_more() -> None:
    whole, group = (example_job(count=64, zero=3, shard=shard) for shard in (math.inf, 8))
    assert float(sharded_weights_time(group, BILLION)) < float(sharded_weights_time(whole, BILLION))
    assert float(group_exchange_time(group, BILLION)) > float(group_exchange_time(whole, BILLION)) == 0.0


# Experts.


def test_ranks_that_hold_the_same_experts_are_fewer_and_further_apart() -> None:
    # 64 ranks in eight servers, experts over eight of them: eight ranks hold the same ones, one a server.
    job = example_job(count=64, ep=8, zero=1)
    dense, experts = (float(gradient_exchange_time(each, BILLION)) for each in (job, among_experts(job)))
    assert dense == pytest.approx(6e9 * 63 / 64 / 8e10, rel=1e-12)
    assert experts == pytest.approx(6e9 * 7 / 8 / 1e10, rel=1e-12)


def test_expert_ranks_lie_after_tensor_ranks_within_a_stage() -> None:
    # 256 cards in four stages of 64, two tensor ranks, experts over eight: four ranks hold the same ones, 16 apart.
    layout = among_experts(example_job(count=256, tp=2, pp=4, ep=8)).layout
    assert (float(layout.tp), float(layout.pp), float(sharding_ranks(layout))) == (16, 4, 4)
    # Of two stages of four cards each holds all experts once.
    layout = among_experts(example_job(count=8, tp=2, pp=2, ep=8)).layout
    assert (float(layout.tp), float(layout.pp), float(sharding_ranks(layout))) == (4, 2, 1)


def test_experts_that_one_rank_alone_holds_have_no_gradients_to_exchange() -> None:
    assert float(gradient_exchange_time(among_experts(example_job(count=64, ep=64)), BILLION)) == 0.0
    # Context ranks may be among the expert ranks.
    assert float(gradient_exchange_time(among_experts(example_job(count=64, cp=8, ep=64)), BILLION)) == 0.0


def test_states_of_experts_are_shared_by_those_that_hold_them() -> None:
    job = example_job(count=64, ep=8, zero=1, optimizer_traffic=40)
    assert float(optimizer_time(job, BILLION)) == pytest.approx(40e9 / 64 / 1e12)
    assert float(optimizer_time(among_experts(job), BILLION)) == pytest.approx(40e9 / 8 / 1e12)


# Gradients of one micro-batch and the next.


def test_gradients_are_added_by_hand() -> None:
    # Ten bytes for each of a billion at 1 TB/s.
    job = example_job(accumulation_traffic=10)
    assert float(accumulation_time(job, BILLION)) == pytest.approx(10e9 / 1e12, rel=1e-12)
    # However many tokens a micro-batch has.
    larger = example_job(accumulation_traffic=10, micro_batch=8, seq=4000)
    assert float(accumulation_time(larger, BILLION)) == float(accumulation_time(job, BILLION))


@pytest.mark.parametrize(
    ("given", "ranks"),
    [
        pytest.param({"zero": 0}, 1, id="every rank adds them all"),
        pytest.param({"zero": 1}, 1, id="so it does where only states are shared"),
        pytest.param({"zero": 2}, 16, id="Rajbhandari et al. 2020, Section 5.2: shared gradients"),
        pytest.param({"zero": 3}, 16, id="and shared weights"),
        pytest.param({"zero": 2, "shard": 4}, 4, id="within a group"),
        pytest.param({"zero": 2, "tp": 2}, 8, id="among data-parallel ranks"),
        pytest.param({"zero": 2, "cp": 4}, 16, id="and context ranks"),
    ],
)
def test_who_shares_the_sums(given: dict[str, Any], ranks: float) -> None:
    found = accumulation_time(example_job(count=16, accumulation_traffic=10, **given), BILLION)
    assert float(found) == pytest.approx(10e9 / ranks / 1e12, rel=1e-12)


def test_those_that_hold_the_same_experts_share_their_sums() -> None:
    # Of 64 ranks eight hold the same experts.
    job = example_job(count=64, ep=8, zero=2, accumulation_traffic=10)
    assert float(accumulation_time(among_experts(job), BILLION)) == pytest.approx(10e9 / 8 / 1e12, rel=1e-12)


# The update.


@pytest.mark.parametrize(
    ("given", "ranks"),
    [
        ({"zero": 0}, 1), ({"zero": 1}, 16), ({"zero": 2}, 16), ({"zero": 3}, 16), ({"zero": 1, "tp": 2}, 8),
        ({"zero": 1, "cp": 4}, 16), ({"zero": 1, "shard": 4}, 4), ({"zero": 1, "pp": 2}, 8),
    ],
)  # fmt: skip
def test_who_shares_the_update(given: dict[str, Any], ranks: float) -> None:
    found = optimizer_time(example_job(count=16, optimizer_traffic=40, **given), BILLION)
    assert float(found) == pytest.approx(40e9 / ranks / 1e12)


# The norm of the gradients.


@pytest.mark.parametrize(
    ("given", "own"),
    [({"zero": 0}, 1e9), ({"zero": 1}, 1e9 / 16), ({"zero": 1, "shard": 4}, 1e9 / 4)],
)
def test_every_rank_reads_its_own_sums_for_the_norm(given: dict[str, Any], own: float) -> None:
    # 4 bytes a sum at 1 TB/s; one number goes up and down a tree of four levels, 3 microseconds each.
    job = example_job(count=16, ring_latency=3e-6, **given)
    found = clipping_time(job, own_states(job, BILLION))
    assert float(found) == pytest.approx(4 * own / 1e12 + 2 * 4 * 3e-6, rel=1e-12)


def test_one_card_asks_nobody_for_the_norm() -> None:
    assert float(clipping_time(example_job(ring_latency=3e-6), array(0))) == 0.0
