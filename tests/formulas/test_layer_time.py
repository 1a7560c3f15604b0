"""Matrix products, element-wise work and the output head: by hand, and their sum against the model's FLOPs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import Array, array
from estimator.formulas.flops import training_flops_per_token
from estimator.formulas.job import Job
from estimator.formulas.layer_time import (
    attention_products_time,
    elementwise_time,
    feed_forward_time,
    head_time,
    product_time,
)
from estimator.formulas.stage_time import layers_time, passed_share

from .jobs import example_job, models, typical

few = settings(deadline=None, max_examples=60)

# The example: 4 layers of width 1,000, 10 heads of 100, 4,000 wide inside, 1,000 tokens; 100 TFLOP/s, 1 TB/s.


def test_a_product_by_hand() -> None:
    # 2 x 1,000 x 1e6 FLOP at half of 100 TFLOP/s; 2 bytes of a million weights and of 1,000 x 2,000 elements, twice.
    job = example_job(product_efficiency=0.5, product_traffic=2)
    time = product_time(job, array(1e6), array(2000), array(1000))
    assert float(time) == pytest.approx(2e9 / 5e13 + 2 * (2e6 + 4e6) / 1e12, rel=1e-12)


def test_a_wave_that_is_not_filled_by_hand() -> None:
    # 40,000 outputs of 1,000 terms more, a multiplication and an addition each, at half of 100 TFLOP/s.
    given = {"product_efficiency": 0.5, "product_traffic": 2}
    whole, lost = (example_job(**given, product_wave=wave) for wave in (0, 40_000))
    sizes = array(1e6), array(2000), array(1000)
    more = float(product_time(lost, *sizes)) - float(product_time(whole, *sizes))
    assert more == pytest.approx(2 * 40_000 * 1000 / 5e13, rel=1e-9)


def lost(formula: Callable[[Job], Array], **given: float) -> float:
    """The terms that a pass computes for one output of each of its products: what one lost output costs."""
    whole, wave = (float(formula(example_job(**given, product_wave=count))) for count in (0, 1e6))
    return (wave - whole) * 1e14 / 2 / 1e6


@pytest.mark.parametrize(
    ("given", "attention", "block"),
    [
        pytest.param({}, 1000 + 1000, 1000 + 4000, id="one product in and one out"),
        pytest.param({"tp": 4}, 1000 + 250, 1000 + 1000, id="tensor ranks split what comes out"),
        pytest.param({"value_dim": 60}, 1000 + 600, 5000, id="ten heads of values of 60"),
        pytest.param({"kv_heads": 2}, 2000, 5000, id="queries, keys and values are one product"),
        pytest.param({"gated": 1}, 2000, 5000, id="a gate is one with what it gates"),
        pytest.param({"micro_batch": 8}, 2000, 5000, id="a wave is lost whatever the tokens"),
    ],
)
def test_what_a_lost_output_costs(given: dict[str, float], attention: float, block: float) -> None:
    assert lost(attention_products_time, **given) == pytest.approx(attention, rel=1e-6)
    assert lost(lambda job: feed_forward_time(job, job.model.ffn), **given) == pytest.approx(block, rel=1e-6)


def test_what_lost_outputs_of_the_head_cost() -> None:
    # Three passes of 1,000 terms each: tensor ranks split the vocabulary, not the terms.
    for ranks in (1, 8):
        assert lost(head_time, vocab=1000, tp=ranks) == pytest.approx(3 * 1000, rel=1e-6)
    assert lost(head_time, vocab=1000, frozen=1) == pytest.approx(2 * 1000, rel=1e-6)


def test_a_block_without_weights_loses_no_wave() -> None:
    assert lost(lambda job: feed_forward_time(job, array(0))) == 0.0
    assert lost(head_time, vocab=0) == 0.0


@few
@given(
    st.floats(1, 1e9),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
    st.sampled_from(["weights", "edge", "inner", "tokens"]),
)
def test_larger_products_never_take_less(weights: float, edge: float, inner: float, larger: str) -> None:
    sizes = {"weights": weights, "edge": edge, "inner": inner}
    twice = {name: size * (1 + (name == larger)) for name, size in sizes.items()}
    once, more = typical(), typical(micro_batch=1 + (larger == "tokens"))
    time = [
        float(product_time(job, *map(array, each.values()))) for job, each in ((once, sizes), (more, twice))
    ]
    assert 0 < time[0] <= time[1] <= 2 * time[0] * (1 + 1e-12)


def test_a_product_of_more_tokens_is_nearer_to_the_peak() -> None:
    # Half a million weights, and 500,000 outputs of 1,000 terms lost: as much as 1,000 tokens take.
    for tokens, share in ((1, 0.5), (9, 0.9)):
        job = example_job(micro_batch=tokens, product_wave=5e5)
        whole = 2 * tokens * 1000 * 5e5 / 1e14
        assert whole / float(product_time(job, array(5e5), array(0), array(1000))) == pytest.approx(share)


def traffic(job: Job) -> Job:
    """The same step with products that cost no work and all of their traffic, in bytes of a pass."""
    return job._replace(
        fitted=job.fitted._replace(product_traffic=array(1), product_efficiency=array(1e30)),
        machine=job.machine._replace(memory_bandwidth=array(1)),
    )


def test_what_the_projections_of_attention_move() -> None:
    # Weights 4 x 1e6; a token: input and output (2 x 1,000), queries, keys and values (3 x 1,000) written, and their
    # sum (1,000) read.
    assert float(attention_products_time(traffic(example_job()))) == pytest.approx(
        2 * (4e6 + 1000 * 6000), rel=1e-9
    )
    # Five key-value heads: keys and values of 500; over two ranks half of all but input and output.
    grouped = traffic(example_job(kv_heads=5, tp=2))
    assert float(attention_products_time(grouped)) == pytest.approx(
        2 * (3e6 / 2 + 1000 * (2000 + 3000 / 2)), rel=1e-9
    )
    # Values of 60: queries of 1,000, keys of 500, values of 300, and a sum of 600; of all ten heads a narrower output
    # matrix.
    narrow = traffic(example_job(kv_heads=5, value_dim=60))
    weights = 1e6 + 1000 * 5 * 160 + 10 * 60 * 1000
    assert float(attention_products_time(narrow)) == pytest.approx(
        2 * (weights + 1000 * (2000 + 1000 + 500 + 300 + 600)), rel=1e-9
    )


def test_what_latent_attention_moves() -> None:
    # Latents of 40 and 50 are written and read beside input and output; queries of 10 x (100 + 20) and a sum of
    # 10 x 60; keys and values of every head, not of five: 10 x (100 + 60). Weights: 1,000 to 40 and on to 1,200; 1,000
    # to 50 + 20, and 50 on to 1,600; 600 to 1,000.
    given = {"kv_heads": 5, "q_rank": 40, "kv_rank": 50, "rope_dim": 20, "value_dim": 60}
    latents, heads = 2 * (1000 + 40 + 50), 1200 + 600 + 1600
    weights = 40 * 1000 + 40 * 1200 + 1000 * 70 + 50 * 1600 + 600 * 1000
    for ranks in (1, 2):
        moved = weights / ranks + 1000 * (latents + heads / ranks)
        found = attention_products_time(traffic(example_job(**given, tp=ranks)))
        assert float(found) == pytest.approx(2 * moved, rel=1e-9)


def test_what_a_feed_forward_block_moves() -> None:
    # Two matrices of 4e6; a token: input and output, what the first writes and what the second reads.
    plain = feed_forward_time(traffic(example_job()), array(4000))
    assert float(plain) == pytest.approx(2 * (8e6 + 1000 * (2000 + 2 * 4000)), rel=1e-9)
    # With a gate three matrices, and two that write; over four ranks.
    gated = feed_forward_time(traffic(example_job(gated=1, tp=4)), array(4000))
    assert float(gated) == pytest.approx(2 * (12e6 / 4 + 1000 * (2000 + 3 * 4000 / 4)), rel=1e-9)


def test_latent_attention_has_wider_queries_and_keys() -> None:
    # Queries 10 x (100 + 20) from 1,000; keys and values from a latent of 50 with 20 of positions; output 1,000^2.
    job = example_job(kv_rank=50, rope_dim=20)
    weights = 1000 * 1200 + 1000 * 70 + 50 * 10 * 200 + 1e6
    assert float(attention_products_time(job)) == pytest.approx(2 * 1000 * weights / 1e14, rel=1e-12)


def test_tensor_ranks_share_norms_only_with_sequence_parallelism() -> None:
    given = {"norm_traffic": 40, "activation_traffic": 10, "tp": 4}
    whole, split = (example_job(**given, sequence_parallel=flag) for flag in (0, 1))
    inner = 10 * 4000 / 4
    assert float(elementwise_time(whole, array(4000))) == pytest.approx(
        1000 * (40 * 1000 + inner) / 1e12, rel=1e-12
    )
    assert float(elementwise_time(split, array(4000))) == pytest.approx(
        1000 * (10 * 1000 + inner) / 1e12, rel=1e-12
    )


def test_a_gate_doubles_what_the_activation_function_reads() -> None:
    plain, gated = (example_job(activation_traffic=10, gated=flag) for flag in (0, 1))
    assert float(elementwise_time(gated, array(4000))) == 2 * float(elementwise_time(plain, array(4000)))


def test_the_head_by_hand() -> None:
    # Three passes of 2 x 1,000 x 1,000 x 50,000 FLOP over two ranks, and 20 bytes a logit.
    job = example_job(vocab=50000, tp=2, logit_traffic=20)
    assert float(head_time(job)) == pytest.approx(
        3 * 1e11 / 2 / 1e14 + 20 * 1000 * 50000 / 2 / 1e12, rel=1e-12
    )


def test_the_head_runs_in_sixteen_bit_whatever_the_layers_use() -> None:
    slow, fast = (example_job(vocab=50000, peak=peak) for peak in (1e14, 2e14))
    assert float(head_time(fast)) == float(head_time(slow))
    assert float(feed_forward_time(fast, array(4000))) == float(feed_forward_time(slow, array(4000))) / 2
    half = example_job(vocab=50000, peak_16bit=5e13)
    assert float(head_time(half)) == 2 * float(head_time(slow))


def test_what_the_head_moves() -> None:
    # Weights of 50,000 x 1,000; a token's width in and its logits out, thrice.
    job = traffic(example_job(vocab=50000))
    assert float(head_time(job)) == pytest.approx(3 * 2 * (5e7 + 1000 * (1000 + 50000)), rel=1e-9)


def test_a_model_without_a_vocabulary_has_no_head() -> None:
    assert float(head_time(typical(vocab=0))) == 0.0


# The time of all products at the peak is the FLOPs of the model.


@few
@given(models(), st.sampled_from([256.0, 1024.0, 8192.0]), st.sampled_from([1.0, 2.0, 8.0]))
def test_products_take_the_flops_of_the_model_at_its_peak(
    given: dict[str, Any], seq: float, tp: float
) -> None:
    job = example_job(**given, seq=seq, tp=tp)
    flops = training_flops_per_token(job.model, array(seq)).parts
    parts = layers_time(job)
    # The router's product is in the time of routing, which is fitted.
    routers = 6 * job.model.moe_layers * job.model.experts * job.model.hidden * passed_share(job.model)
    counted = float(flops["attention_projections"] + flops["feed_forward"] - routers)
    products = float(parts["matrix_products"] + parts["experts"])
    assert products * 1e14 * tp / seq == pytest.approx(counted, rel=1e-9)
    assert float(head_time(job)) * 1e14 * tp / seq == pytest.approx(float(flops["logits"]), rel=1e-9)


@few
@given(models(), st.sampled_from([256.0, 1024.0]), st.sampled_from([1.0, 2.0, 8.0]))
def test_unfused_attention_takes_the_flops_of_the_model_at_its_peak(
    given: dict[str, Any], seq: float, tp: float
) -> None:
    job = example_job(**given, seq=seq, tp=tp, unfused=1)
    counted = float(training_flops_per_token(job.model, array(seq)).parts["attention_scores"])
    assert float(layers_time(job)["attention"]) * 1e14 * tp / seq == pytest.approx(counted, rel=1e-9)


@few
@given(models(), st.sampled_from(["product_efficiency", "peak", "memory_bandwidth"]))
def test_faster_cards_never_take_longer(given: dict[str, Any], faster: str) -> None:
    job = typical(**given)
    record = "machine" if faster in job.machine._fields else "fitted"
    twice = job._replace(
        **{record: getattr(job, record)._replace(**{faster: 2 * getattr(getattr(job, record), faster)})}
    )
    for formula in (attention_products_time, head_time):
        assert 0 <= float(formula(twice)) <= float(formula(job))
    assert float(elementwise_time(twice, job.model.ffn)) <= float(elementwise_time(job, job.model.ffn))
    assert float(feed_forward_time(twice, job.model.ffn)) < float(feed_forward_time(job, job.model.ffn))
