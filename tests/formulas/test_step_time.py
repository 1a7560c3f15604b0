"""The whole step: published counts of its work, the pipeline's idle time, what slows it, and laws for any step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.example import example_machine, ideal_coefficients
from estimator.formulas.job import Coefficients
from estimator.formulas.offload_time import offload_time
from estimator.formulas.step_time import (
    misfit_slowness,
    parts_time,
    scale_slowness,
    small_scale_time,
    smallest_layout,
    software_gain,
)

from .jobs import example_job, parts, power, questions, total, typical

few = settings(deadline=None, max_examples=80)
# Memory that takes no time: not even the norm of gradients does.
FREE = {"memory_bandwidth": math.inf}
GPT3: dict[str, Any] = {"layers": 96, "hidden": 12288, "heads": 96, "ffn": 49152, "vocab": 51200, "seq": 2048}

# Published forms.


@pytest.mark.parametrize("batch", [1, 1536])
def test_an_ideal_step_takes_the_operations_of_narayanan(batch: float) -> None:
    # 2104.04473, Eq. 3: 96 B s l h^2 (1 + s / 6h + V / 16 l h), every activation worked out twice.
    job = example_job(**GPT3, **FREE, recompute=2, unfused=1, global_batch=batch)
    form = 96 * batch * 2048 * 96 * 12288**2 * (1 + 2048 / (6 * 12288) + 51200 / (16 * 96 * 12288))
    assert total(job) == pytest.approx(form / 1e14, rel=1e-12)


@pytest.mark.parametrize(
    ("pp", "vpp", "count"), [(8, 1, 8), (8, 1, 64), (8, 4, 64), (16, 2, 16), (64, 1, 512), (1, 1, 7)]
)
def test_the_bubble_over_the_ideal_time(pp: float, vpp: float, count: float) -> None:
    # 2104.04473, Sections 2.2.1 and 2.2.2: (p - 1) / m of the ideal time, divided by v.
    job = example_job(layers=128, pp=pp, vpp=vpp, global_batch=count, count=pp, pipeline_use=0, **FREE)
    found = parts(job)
    idle = found.pop("pipeline_bubble")
    assert idle / sum(found.values()) == pytest.approx((pp - 1) / (vpp * count), rel=1e-12)


@pytest.mark.parametrize(
    ("tp", "pp", "data", "count"), [(1, 1, 1, 1), (8, 16, 4, 32), (2, 8, 1, 8), (1, 1, 16, 3)]
)
def test_ideal_ranks_share_the_work_and_wait_for_the_pipeline(
    tp: float, pp: float, data: float, count: float
) -> None:
    # m + p - 1 times a stage's share of a replica's work: what m micro-batches take on one card, over t p.
    free = {**FREE, **dict.fromkeys(("tensor_use", "pipeline_use", "gradient_use"), 0.0)}
    given = {"layers": 128, "tp": tp, "pp": pp, "count": tp * pp * data, "global_batch": data * count, **free}
    alone = total(example_job(layers=128, global_batch=count, **FREE))
    assert total(example_job(**given)) == pytest.approx(
        alone / (tp * pp) * (count + pp - 1) / count, rel=1e-12
    )


@few
@given(questions(), st.sampled_from([2.0, 4.0]))
def test_interleaving_divides_the_bubble(given: dict[str, Any], chunks: float) -> None:
    # Even stages, and sending on left out: it happens once a chunk.
    given = {**given, "layers": 64.0, "moe_layers": 0.0, "encoder_layers": 0.0, "pipeline_use": 0.0}
    plain, interleaved = (parts(typical(**{**given, "vpp": vpp})) for vpp in (1.0, chunks))
    assert interleaved["pipeline_bubble"] == pytest.approx(plain["pipeline_bubble"] / chunks)
    rest = plain.keys() - {"pipeline_bubble"}
    assert {name: interleaved[name] for name in rest} == {name: plain[name] for name in rest}


def test_the_volumes_of_zero() -> None:
    # Rajbhandari et al. 2020, Section 7.2: sharding weights moves 3 for 2 of a plain exchange, a micro-batch;
    # nothing is hidden where there is nothing to compute.
    given = {"count": 8, "peak": 1e30, "peak_16bit": 1e30}
    sharded, shared, plain = (parts(example_job(**given, zero=zero)) for zero in (3, 1, 0))
    weights = 4 * 12e6 * 2 * 7 / 8 / 1e11
    assert sharded["sharding"] == pytest.approx(3 * weights)
    assert shared["gradient_exchange"] == pytest.approx(3 * weights)  # a gradient in 4 bytes, a weight in 2
    assert plain["gradient_exchange"] == pytest.approx(4 * weights)  # a gradient in 4 bytes, to and fro
    assert sharded["gradient_exchange"] == shared["sharding"] == plain["sharding"] == 0


def test_sharded_weights_overlap_with_each_micro_batch() -> None:
    # 4 ms of work a micro-batch and as long an exchange: each lengthens by the cube root of 2.
    given = {"count": 8, "zero": 3, "vocab": 0, "global_batch": 24, **FREE}
    alone = parts(example_job(**given, sharding_use=0))
    work = sum(alone.values()) / 3
    exchange = 3 * 4 * 12e6 * 2 * 7 / 8 / 1e11
    found = parts(example_job(**given, sharding_use=work / exchange))
    assert found["sharding"] == pytest.approx(3 * work * (2 ** (1 / 3) - 1))


def test_waiting_for_weights_idles_a_pipeline_too() -> None:
    given = {"count": 16, "pp": 2, "zero": 3, "global_batch": 32, "layers": 4, "pipeline_use": 0}
    alone, shared = (parts(example_job(**given, sharding_use=use)) for use in (0, 50))
    stage = (alone["matrix_products"] + alone["attention"]) / 4
    wait = shared["sharding"] / 4
    assert alone["pipeline_bubble"] == pytest.approx(stage)
    assert shared["pipeline_bubble"] == pytest.approx(stage + wait)


def test_the_last_stage_has_the_head_on_top() -> None:
    given = {"pp": 4, "count": 4, "vocab": 50000, "global_batch": 8, "head_imbalance": 0.75}
    found = parts(example_job(**given))
    head = 3 * 2 * 1000 * 1000 * 50000 / 1e14
    assert found["logits"] == pytest.approx(8 * head / 4)
    assert found["stage_imbalance"] == pytest.approx(8 * head / 2)
    # Idle times are those of a stage as it is on average.
    stage = (found["matrix_products"] + found["attention"]) / 8
    sent = found["pipeline_transfer"] / 8
    assert found["pipeline_bubble"] == pytest.approx(3 * (stage + head / 4 + sent))


def test_all_stages_wait_for_the_deepest() -> None:
    # Five layers on four stages: one of them has two, 1.6 times the mean, and works 0.6 of a mean stage alone.
    given = {"layers": 5, "pp": 4, "count": 4, "global_batch": 8, "vocab": 50000, "pipeline_use": 0}
    found = parts(example_job(**given))
    stage = (found["matrix_products"] + found["attention"]) / 8
    assert stage == pytest.approx(5 / 4 * (3 * 24e9 + 7e9) / 1e14)  # 3.5 passes of 2 GFLOP of attention
    # Where layers do not divide, the short stages hold the head: no stage has more of it than the mean.
    assert found["stage_imbalance"] == pytest.approx(8 * 0.6 * stage)
    # Idle times are those of a stage as it is on average.
    assert found["pipeline_bubble"] == pytest.approx(3 * (stage + found["logits"] / 8))


def test_the_deepest_stage_hides_more_of_what_it_waits_for() -> None:
    # Weights of a quarter of the model come beside the work of two layers, not beside that of a mean stage.
    given = {"layers": 5, "pp": 4, "count": 32, "zero": 3, "global_batch": 64, "pipeline_use": 0}
    work = 2 * (3 * 24e9 + 7e9) / 1e14
    exchange = 3 * 5 / 4 * 12e6 * 2 * 7 / 8 / 1e11
    assert parts(example_job(**given))["sharding"] == pytest.approx(
        8 * (np.cbrt(work**3 + exchange**3) - work)
    )


def test_each_micro_batch_adds_its_gradients() -> None:
    # 48 million gradients over two tensor ranks and two stages, 10 bytes each at 1 TB/s, in each of 8 micro-batches;
    # the pipeline waits for them as for the rest of a stage.
    given = {"tp": 2, "pp": 2, "count": 4, "global_batch": 8, "pipeline_use": 0}
    plain, added = (parts(example_job(**given, accumulation_traffic=traffic)) for traffic in (0, 10))
    once = 10 * 48e6 / 4 / 1e12
    assert plain["gradient_accumulation"] == 0
    assert added["gradient_accumulation"] == pytest.approx(8 * once)
    assert added["pipeline_bubble"] - plain["pipeline_bubble"] == pytest.approx(once)
    same = plain.keys() - {"gradient_accumulation", "pipeline_bubble"}
    assert {name: added[name] for name in same} == {name: plain[name] for name in same}


def test_experts_add_their_gradients_too() -> None:
    # Eight ranks in ZeRO-2: the dense part's sums are shared by eight, an expert's by the two that hold it.
    given = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000, "moe_layers": 4, "ffn": 0, "zero": 2}
    found = parts(example_job(**given, count=8, ep=4, accumulation_traffic=10, global_batch=24))
    dense, experts = 4 * (4e6 + 8000) / 8, 4 * 8 * 8e6 / 4 / 2
    assert found["gradient_accumulation"] == pytest.approx(3 * 10 * (dense + experts) / 1e12)
    # Frozen, neither has any; adapters of rank 0 are none.
    frozen = parts(example_job(**given, count=8, ep=4, accumulation_traffic=10, frozen=1))
    assert frozen["gradient_accumulation"] == 0


def test_weights_come_while_gradients_are_added() -> None:
    # 3.16 ms of products and attention and 0.84 of adding wait for 3 x 96 MB x 7/8 at 100 GB/s as one.
    job = example_job(count=8, zero=3, accumulation_traffic=0.84e-3 * 1e12 / (48e6 / 8))
    found = parts(job)
    exchange = 3 * 96e6 * 7 / 8 / 1e11
    assert found["matrix_products"] + found["attention"] == pytest.approx(3.16e-3)
    assert found["gradient_accumulation"] == pytest.approx(0.84e-3)
    assert found["sharding"] == pytest.approx(np.cbrt(4e-3**3 + exchange**3) - 4e-3)


def test_a_stage_and_its_head_wait_for_weights_together() -> None:
    # 2 ms of layers and 1 of the head wait for 3 ms of weights as one.
    job = example_job(vocab=50000 / 3, count=8, zero=3)
    found = parts(job)
    work = found["matrix_products"] + found["attention"] + found["logits"]
    exchange = 3 * (4 * 12e6 + 2 * 1000 * 50000 / 3) * 2 * 7 / 8 / 1e11
    assert found["sharding"] == pytest.approx(np.cbrt(work**3 + exchange**3) - work)


def test_states_of_experts_go_to_the_host_as_well() -> None:
    given = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000, "moe_layers": 4, "ffn": 0}
    job = example_job(**given, offload=1, optimizer_traffic=40)
    # Four layers of 4 million weights of attention, a router of 8,000, and eight experts of 8 million each.
    work = sum(part for name, part in parts(job).items() if name != "offload")
    held = 4 * (4e6 + 8000 + 8 * 8e6)
    assert parts(job)["offload"] == pytest.approx(float(offload_time(job, array(held), array(work))))
    assert parts(job)["optimizer"] == 0.0


def test_fewer_ranks_share_the_states_of_an_expert_on_the_host() -> None:
    given = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000, "moe_layers": 4, "ffn": 0, "zero": 1}
    job = example_job(**given, offload=1, count=8, ep=4, expert_use=0, gradient_use=0)
    # Eight ranks share the dense part, two each hold a quarter of the experts: an eighth of both for each card.
    work = sum(part for name, part in parts(job).items() if name != "offload")
    own = 4 * (4e6 + 8000 + 8 * 8e6) / 8
    assert parts(job)["offload"] == pytest.approx(float(offload_time(job, array(own), array(work))))


def test_weights_from_the_host_come_beside_those_of_other_ranks() -> None:
    # 48 million weights of 2 bytes: gathered twice, spread once, and an eighth fetched twice over 1 GB/s.
    job = example_job(count=8, zero=3, offload=2, host_bandwidth=1e9, global_batch=24)
    found = parts(job)
    work = (found["matrix_products"] + found["attention"]) / 3
    gather, fetch = 3 * 96e6 * 7 / 8 / 1e11, 2 * 96e6 / 8 / 1e9
    assert found["sharding"] == pytest.approx(3 * (np.cbrt(work**3 + gather**3) - work))
    both = np.cbrt(work**3 + (gather + fetch) ** 3) - work
    way = 3 * both - found["sharding"]
    assert found["offload"] == pytest.approx(way + float(offload_time(job, array(48e6 / 8), array(3 * work))))


def test_adapters_leave_experts_as_they_are() -> None:
    given = {"experts": 8, "experts_per_token": 2, "expert_ffn": 4000, "moe_layers": 4, "ep": 2, "count": 16}
    whole, frozen = (parts(example_job(**given, optimizer_traffic=40, frozen=flag)) for flag in (0, 1))
    assert whole["gradient_exchange"] > 0.0 == frozen["gradient_exchange"]  # adapters of rank 0 are none
    assert whole["optimizer"] > 0.0 == frozen["optimizer"]
    # Sharded, frozen experts are gathered twice, as they are kept.
    both = (parts(typical(**given, zero=3, frozen=flag, base=2))["sharding"] for flag in (0, 1))
    assert all(part > 0.0 for part in both)


# What slows the whole step.


def test_slowness_lengthens_every_part_alike() -> None:
    once, twice = (parts(typical(slowness=slowness, count=64, tp=2, global_batch=64)) for slowness in (1, 2))
    assert {name: 2 * part for name, part in once.items()} == pytest.approx(twice)


def test_years_head_widths_and_counts_slow_by_hand() -> None:
    job = example_job(software_gain=0.1, misfit=0.25, straggling=0.01, count=1000, year=2022)
    assert float(software_gain(job)) == pytest.approx(math.exp(0.2))
    assert float(misfit_slowness(job)) == 1.25  # heads of 100
    assert float(scale_slowness(job)) == pytest.approx(1 + 0.01 * math.log(1000))
    usual = sum(map(float, parts_time(job).values()))
    assert total(job) == pytest.approx(usual * math.exp(0.2) * 1.25 * (1 + 0.01 * math.log(1000)))


@pytest.mark.parametrize(
    ("head", "rope", "slow"), [(64, 0, 1), (128, 64, 1), (100, 0, 1.25), (100, 4, 1), (128, 4, 1.25)]
)
def test_heads_that_are_no_multiple_of_eight(head: float, rope: float, slow: float) -> None:
    assert float(misfit_slowness(example_job(misfit=0.25, head_dim=head, rope_dim=rope))) == slow


def test_one_card_waits_for_no_other() -> None:
    assert float(scale_slowness(example_job(straggling=0.5, count=1))) == 1.0


# The smallest scale.


@pytest.mark.parametrize(
    ("given", "count"),
    [
        pytest.param({"count": 1024}, 8, id="one server"),
        pytest.param({"count": 4}, 4, id="fewer than a server"),
        pytest.param({"count": 1}, 1, id="one card"),
        pytest.param({"count": 1024, "tp": 8, "pp": 4}, 32, id="one replica"),
        pytest.param({"count": 1024, "tp": 2, "cp": 2}, 8, id="two replicas in a server"),
        pytest.param({"count": 1024, "pp": 3}, 6, id="as many replicas as fit"),
        pytest.param({"count": 1024, "pp": 4, "ep": 16}, 64, id="expert ranks beyond a replica"),
        pytest.param({"count": 1024, "tp": 16, "ep": 8}, 128, id="expert ranks beside tensor ranks"),
        pytest.param(
            {"count": 32, "tp": 16, "ep": 8}, 32, id="expert ranks over tensor ranks of two replicas"
        ),
        pytest.param({"count": 1024, "tp": 2, "cp": 2, "ep": 2}, 8, id="expert ranks among context ranks"),
        pytest.param({"count": 96, "tp": 2, "cp": 3, "ep": 4}, 12, id="whole replicas of six for eight"),
    ],
)
def test_the_fewest_cards_with_the_same_work_each(given: dict[str, Any], count: float) -> None:
    layout = example_job(**given, global_batch=2 * given["count"]).layout
    small = smallest_layout(layout)
    assert (float(small.count), float(small.global_batch)) == (count, 2 * count)
    same = set(layout._fields) - {"count", "global_batch"}
    assert all(getattr(small, name) is getattr(layout, name) for name in same)


@few
@given(questions(), power(6))
def test_scale_costs_something_or_nothing(given: dict[str, Any], factor: float) -> None:
    # A switch gives a small group what it gives a large one, and the network is slower than it.
    given = {**given, "scaleout_bandwidth": min(given["scaleout_bandwidth"], given["scaleup_bandwidth"] / 8)}
    given = {**given, "mesh": 0.0, "zero": 0.0}
    more = {**given, "count": given["count"] * factor, "global_batch": given["global_batch"] * factor}
    job = typical(**more)
    assert float(small_scale_time(job)) <= total(job) * (1 + 1e-9)


def test_a_run_on_the_fewest_cards_loses_nothing() -> None:
    job = typical(count=8, global_batch=16)
    assert float(small_scale_time(job)) == total(job)


# The example itself.


def test_the_example_refuses_what_no_record_has() -> None:
    with pytest.raises(TypeError, match=r"^a step has no colour, size$"):
        example_job(size=1, colour=2)


def test_ideal_machines_lose_nothing() -> None:
    ideal = ideal_coefficients()
    assert {name for name in Coefficients._fields if float(getattr(ideal, name)) == 1.0} == {
        "product_efficiency", "attention_efficiency", "expert_efficiency", "tensor_use", "context_use", "expert_use",
        "pipeline_use", "bubble_use", "head_imbalance", "sharding_use", "gradient_use", "slowness",
    }  # fmt: skip
    assert all(float(value) in (0.0, 1.0) for value in ideal)
    assert float(example_machine().scaleout_bandwidth) == 1e10
