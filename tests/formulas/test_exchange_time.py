"""Exchange within a replica: volumes as the papers print them, orders of ranks, and when nothing is sent."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.exchange_time import (
    context_parallel_time,
    context_ring_time,
    pipeline_transfer_time,
    tensor_parallel_time,
    ulysses_time,
)

from .jobs import example_job

few = settings(deadline=None, max_examples=60)

# The example's tokens: 1,000 of width 1,000, 2 MB; 100 GB/s in a server of eight, 10 GB/s of network a card.


# Tensor parallelism.


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_the_volume_of_tensor_parallelism(ranks: int) -> None:
    # Narayanan et al. 2021, Section 3.2: a layer's all-reduces move 8 b s h (t - 1) / t elements, forward and backward.
    found = tensor_parallel_time(example_job(tp=ranks, micro_batch=3), array(2))
    assert float(found) == pytest.approx(2 * 8 * 3 * 1000 * 1000 * (ranks - 1) / ranks / 1e11, rel=1e-12)


def test_sequence_parallelism_moves_as_much() -> None:
    # Korthikanti et al. 2022, Section 4.2.2: a reduce-scatter and an all-gather are an all-reduce.
    both = [
        float(tensor_parallel_time(example_job(tp=4, sequence_parallel=flag), array(2))) for flag in (0, 1)
    ]
    assert both[0] == both[1]


def test_each_all_reduce_waits() -> None:
    job = example_job(tp=2, tensor_use=0, tensor_latency=1e-5)
    assert float(tensor_parallel_time(job, array(3))) == pytest.approx(6e-5)
    assert float(tensor_parallel_time(job._replace(layout=job.layout._replace(tp=array(1))), array(3))) == 0.0


def test_newer_software_hides_more_of_it() -> None:
    then, now = (example_job(tp=2, tensor_gain=0.1, year=year) for year in (2024, 2026))
    ratio = float(tensor_parallel_time(now, array(2))) / float(tensor_parallel_time(then, array(2)))
    assert ratio == pytest.approx(math.exp(-0.2))
    waiting = (
        example_job(tp=2, tensor_gain=0.1, tensor_use=0, tensor_latency=1, year=year) for year in (2024, 2026)
    )
    assert len({float(tensor_parallel_time(job, array(2))) for job in waiting}) == 1


def test_tensor_ranks_beyond_a_server_share_its_network() -> None:
    # 16 ranks on two servers: 80 GB/s; 64 in a rack of 72: the fast link.
    far = tensor_parallel_time(example_job(tp=16), array(2))
    assert float(far) == pytest.approx(2 * 8e6 * 15 / 16 / 8e10, rel=1e-12)
    near = tensor_parallel_time(example_job(tp=16, scaleup_domain=72), array(2))
    assert float(near) == pytest.approx(2 * 8e6 * 15 / 16 / 1e11, rel=1e-12)


# Context parallelism by ring.


def test_each_tensor_rank_has_a_key_value_head_of_its_own() -> None:
    given = {"cp": 4, "kv_heads": 2}
    one, two, eight = (float(context_ring_time(example_job(**given, tp=tp), array(3))) for tp in (1, 2, 8))
    # Two heads of 200 elements for 250 tokens are 200 kB, and half of it on each of two ranks or more. Beyond a server
    # of eight cards they go over a tenth of the bandwidth.
    assert [one, two, eight] == pytest.approx([9 * 2e5 / 1e11, 9 * 1e5 / 1e11, 9 * 1e5 / 1e10], rel=1e-12)


def test_the_ring_by_hand() -> None:
    # Four ranks of 250 tokens: 10 heads of 100 + 100 elements, 1 MB, passed on three times a round; three rounds.
    assert float(context_ring_time(example_job(cp=4), array(3))) == pytest.approx(
        3 * 3 * 1e6 / 1e11, rel=1e-12
    )


@pytest.mark.parametrize(
    ("given", "share"),
    [
        pytest.param({"kv_heads": 2}, 0.2, id="a fifth of the key-value heads"),
        pytest.param({"tp": 2}, 0.5, id="two tensor ranks"),
        pytest.param({"micro_batch": 3}, 3.0, id="three sequences"),
        pytest.param({"context_use": 0.5}, 0.5, id="half of it hidden"),
        pytest.param({"kv_rank": 64, "kv_heads": 2}, 1.0, id="of a latent every head has keys"),
        pytest.param({"rope_dim": 50}, 1.25, id="keys with positions"),
        pytest.param({"value_dim": 50}, 0.75, id="narrower values"),
    ],
)
def test_what_passes_round(given: dict[str, Any], share: float) -> None:
    once, other = (context_ring_time(example_job(**{"cp": 4, **more}), array(3)) for more in ({}, given))
    assert float(other) == pytest.approx(share * float(once))


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        pytest.param({"cp": 8}, 100e9, id="within a server"),
        pytest.param({"cp": 4, "tp": 2}, 100e9, id="after two tensor ranks, within a server"),
        pytest.param({"cp": 4, "tp": 4}, 10e9, id="after four tensor ranks, on two servers"),
        pytest.param({"cp": 16}, 10e9, id="on two servers the network sets the pace"),
        pytest.param({"cp": 16, "scaleup_domain": 72}, 100e9, id="in one rack"),
        pytest.param({"cp": 4, "mesh": 1, "scaleup_bandwidth": 70e9}, 30e9, id="three links of a mesh"),
    ],
)
def test_context_ranks_lie_after_tensor_ranks(given: dict[str, Any], rate: float) -> None:
    # 2e6 key and value elements of 2 bytes, over tensor and context ranks.
    cp, size = given["cp"], 4e6 / given["cp"] / given.get("tp", 1)
    found = context_ring_time(example_job(**given), array(3))
    assert float(found) == pytest.approx(3 * (cp - 1) * size / rate, rel=1e-12)


# Context parallelism by all-to-all.


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_the_volume_of_ulysses(ranks: int) -> None:
    # Jacobs et al. 2023, Section 3.2: messages of 3 N h and N h, 4 N h / P a link; a rank keeps its own part of each.
    found = ulysses_time(example_job(cp=ranks, heads=8, hidden=1000), array(1))
    assert float(found) == pytest.approx(2 * 4 * 1000 * 1000 / ranks * (ranks - 1) / ranks / 1e11, rel=1e-12)


@few
@given(st.sampled_from([2.0, 4.0, 8.0]))
def test_by_all_to_all_a_rank_sends_less_the_more_ranks_there_are(ranks: float) -> None:
    # Forward the ring passes 2 (c - 1) / c of a sequence's width, the all-to-alls 4 (c - 1) / c^2: half of it by c.
    job = example_job(cp=ranks, heads=8, hidden=1000)
    ring, even = (float(formula(job, array(1))) for formula in (context_ring_time, ulysses_time))
    assert ring / even == pytest.approx(ranks / 2)


@pytest.mark.parametrize(
    ("given", "heads"),
    [
        pytest.param({"cp": 4, "kv_heads": 4}, 24, id="keys of four heads for four ranks"),
        pytest.param({"cp": 8, "kv_heads": 4}, 28, id="eight ranks need keys of their own"),
        pytest.param({"cp": 4, "tp": 2, "kv_heads": 4}, 28, id="so do two tensor ranks of four"),
        pytest.param({"cp": 8, "tp": 4, "kv_heads": 4}, 40, id="but no more than there are heads"),
        pytest.param({"cp": 4, "kv_heads": 4, "kv_rank": 64}, 40, id="of a latent every head has keys"),
    ],
)
def test_fewer_key_value_heads_than_ranks_are_sent_more_than_once(
    given: dict[str, Any], heads: float
) -> None:
    # 20 heads of 50, 2 x 50 elements a head sent: queries and outputs, keys and values; all within a rack.
    job = example_job(heads=20, scaleup_domain=64, **given)
    ranks = given["cp"]
    size = 2 * 1000 / ranks * heads * 100 / given.get("tp", 1)
    assert float(ulysses_time(job, array(1))) == pytest.approx(size * (ranks - 1) / ranks / 1e11, rel=1e-12)


def test_all_to_alls_of_positions_and_values() -> None:
    # 10 heads: queries and keys of 100 + 20, values and outputs of 60, four ranks of 250 tokens.
    job = example_job(cp=4, rope_dim=20, value_dim=60, expert_use=2)
    assert float(ulysses_time(job, array(1))) == pytest.approx(
        2 * 2 * 250 * 10 * 360 * 0.75 / 1e11, rel=1e-12
    )


def test_all_to_alls_beyond_a_server() -> None:
    # Four context ranks after four tensor ranks: two in each server. 500,000 bytes: one share near, two far.
    job = example_job(cp=4, tp=4, heads=16, hidden=1000)
    assert float(ulysses_time(job, array(1))) == pytest.approx(5e5 / 4 * (1 / 1e11 + 2 / 1e10), rel=1e-12)


@pytest.mark.parametrize(("ulysses", "rounds"), [(0, (3, 4)), (1, (2, 3))])
def test_recomputed_attention_exchanges_once_more(ulysses: int, rounds: tuple[int, int]) -> None:
    job = example_job(cp=4, ulysses=ulysses)
    formula = ulysses_time if ulysses else context_ring_time
    for recomputed, passes in enumerate(rounds):
        found = context_parallel_time(job, array(recomputed))
        assert float(found) == float(formula(job, array(passes))) > 0


@pytest.mark.parametrize("ulysses", [0, 1])
def test_a_whole_sequence_on_each_rank_is_not_exchanged(ulysses: int) -> None:
    assert float(context_parallel_time(example_job(ulysses=ulysses, tp=2), array(1))) == 0.0


# The pipeline.


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, 0, id="no pipeline"),
        pytest.param({"pp": 4, "count": 16}, 2 * 2e6 / 1e10, id="2 MB there and back over the network"),
        pytest.param({"pp": 4, "vpp": 3, "count": 16}, 6 * 2e6 / 1e10, id="three chunks"),
        pytest.param({"pp": 4, "count": 8}, 2 * 2e6 / 1e11, id="within one server"),
        pytest.param({"pp": 4, "count": 64, "scaleup_domain": 72}, 2 * 2e6 / 1e11, id="within one rack"),
        pytest.param({"pp": 4, "count": 16, "tp": 4}, 2 * 2e6 / 1e10, id="each tensor rank sends all"),
        pytest.param(
            {"pp": 4, "count": 16, "tp": 4, "sequence_parallel": 1},
            2 * 5e5 / 1e10,
            id="or its part of the sequence",
        ),
        pytest.param({"pp": 4, "count": 16, "cp": 2}, 2 * 1e6 / 1e10, id="half of the sequence"),
        pytest.param(
            {"pp": 4, "count": 16, "pipeline_use": 0.25}, 0.5 * 2e6 / 1e10, id="three quarters hidden"
        ),
        pytest.param(
            {"pp": 4, "count": 4, "mesh": 1, "scaleup_bandwidth": 70e9},
            2 * 2e6 / 10e9,
            id="over one of seven links of a mesh, however many stages there are",
        ),
        pytest.param(
            {"pp": 4, "count": 16, "mesh": 1, "scaleup_bandwidth": 70e9},
            2 * 2e6 / 1e10,
            id="beyond a mesh over the network",
        ),
    ],
)
def test_what_a_stage_sends_on(given: dict[str, Any], expected: float) -> None:
    assert float(pipeline_transfer_time(example_job(**given))) == pytest.approx(expected, rel=1e-12)


# The spine.


def test_what_a_spine_leaves_of_each_exchange() -> None:
    # 1,024 cards in pods of 64, of which the spine takes an eighth. Stages of 256 cards: every card sends to another
    # pod, over an eighth of its 10 GB/s. Context rings of 32 over tensor ranks of 8: eight members a pod share one.
    free, thin = (
        example_job(
            count=1024, pod=64, oversubscription=ratio, pp=4, tp=8, cp=32, pipeline_use=1, context_use=1
        )
        for ratio in (1, 8)
    )
    assert float(pipeline_transfer_time(thin)) == pytest.approx(
        8 * float(pipeline_transfer_time(free)), rel=1e-12
    )
    assert float(context_ring_time(thin, array(3))) == pytest.approx(float(context_ring_time(free, array(3))))
    thinner = thin._replace(machine=thin.machine._replace(oversubscription=array(16)))
    assert float(context_ring_time(thinner, array(3))) == pytest.approx(
        2 * float(context_ring_time(free, array(3))), rel=1e-12
    )
    assert float(tensor_parallel_time(thin, array(2))) == float(tensor_parallel_time(free, array(2)))


def test_a_run_within_one_pod_meets_no_spine() -> None:
    for ratio in (1, 100):
        job = example_job(count=64, pod=64, oversubscription=ratio, pp=8, cp=8)
        assert float(pipeline_transfer_time(job)) == pytest.approx(2 * 2e6 / 8 / 10e9, rel=1e-12)
