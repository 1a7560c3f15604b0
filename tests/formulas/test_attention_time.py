"""Attention: the scores that a kernel computes, its passes, masks and windows, and scores that are written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.attention_time import (
    attention_time,
    chosen_attention_time,
    computed_span,
    score_flops,
    unfused_attention_time,
)

from .jobs import example_job

few = settings(deadline=None, max_examples=60)


def test_the_scores_of_flash_attention_2() -> None:
    # 2307.08691, Section 4.1: 4 x seq^2 x head dim x heads forward; half of it with a causal mask; backward 2.5 times.
    seq, dim, heads = 2048, 128, 16
    job = example_job(seq=seq, heads=heads, hidden=heads * dim)
    forward = 4 * seq * seq * dim * heads
    assert float(score_flops(job.model, array(seq), array(seq))) == forward
    assert float(attention_time(job, array(3.5))) == pytest.approx(3.5 * forward / 2 / 1e14, rel=1e-12)
    bare = job._replace(causal=array(0))
    assert float(attention_time(bare, array(3.5))) == pytest.approx(3.5 * forward / 1e14, rel=1e-12)


def test_queries_with_positions_are_wider_than_values() -> None:
    # 10 heads: queries and keys of 100 + 20, values of 60; a thousand tokens on a thousand.
    job = example_job(rope_dim=20, value_dim=60)
    assert float(score_flops(job.model, array(1000), array(1000))) == 2 * 1e6 * 10 * 180


def counted(seq: int, window: int, causal: bool) -> float:
    """Keys of a query, counted one by one, on average: those before it and itself, or as many around it."""
    if not causal:
        return min(window, seq) if window else seq
    pairs = sum(min(place + 1, window or seq) for place in range(seq))
    return pairs / seq


@pytest.mark.parametrize("window", [0, 1, 7, 64, 500, 1000, 5000])
@pytest.mark.parametrize("causal", [True, False])
def test_the_keys_that_are_computed_are_those_that_are_counted(window: int, causal: bool) -> None:
    job = example_job(seq=1000, window=window, causal=float(causal))
    # The diagonal is counted half by the formula: half a key a query.
    assert float(computed_span(job)) == pytest.approx(counted(1000, window, causal), abs=0.5 * causal + 1e-9)


def test_windows_in_some_layers_only() -> None:
    # Three of four layers within 200 tokens: (500 + 3 x 180) / 4.
    assert float(computed_span(example_job(window=200, window_layers=3))) == pytest.approx(260)
    # Without a window there are no windowed layers, whatever their number says.
    assert float(computed_span(example_job(window=0, window_layers=4))) == 500


def test_of_an_encoder_and_a_decoder_only_the_decoders_own_attention_is_masked() -> None:
    # Four encoder blocks and four across see 1,000 keys, four of the decoder 500.
    job = example_job(encoder_layers=4)
    assert float(computed_span(job)) == pytest.approx((8 * 1000 + 4 * 500) / 12)


@few
@given(st.floats(1, 1e5), st.floats(1, 1e5), st.floats(1, 1e5), st.floats(0, 1))
def test_a_wider_window_and_a_weaker_mask_never_compute_less(
    seq: float, one: float, other: float, mask: float
) -> None:
    small, large = sorted((one, other))
    narrow, wide = (example_job(seq=seq, window=window, causal=mask) for window in (small, large))
    whole = example_job(seq=seq, causal=mask)
    spans = [float(computed_span(job)) for job in (narrow, wide, whole)]
    assert 0 < spans[0] <= spans[1] * (1 + 1e-9) <= spans[2] * (1 + 2e-9)
    assert spans[1] <= float(computed_span(wide._replace(causal=array(0)))) * (1 + 1e-9)


def test_attention_runs_at_the_peak_of_sixteen_bit() -> None:
    usual, narrow = (attention_time(example_job(peak=peak), array(3.5)) for peak in (1e14, 4e14))
    assert float(usual) == float(narrow)
    slow = example_job(peak_16bit=5e13, attention_efficiency=0.5)
    assert float(attention_time(slow, array(3.5))) == pytest.approx(4 * float(usual))


def test_scores_written_to_memory() -> None:
    # Every score, masked or not: 4 GFLOP at half of 100 TFLOP/s; 10 x 1e6 scores of 2 bytes seven times; two ranks.
    job = example_job(unfused=1, product_efficiency=0.5, score_traffic=7, tp=2, attention_efficiency=0.1)
    once = (4e9 / 5e13 + 7 * 2e7 / 1e12) / 2
    assert float(unfused_attention_time(job, array(1))) == pytest.approx(once, rel=1e-12)
    assert float(unfused_attention_time(job, array(3))) == pytest.approx(3 * once, rel=1e-12)
    narrow = job._replace(machine=job.machine._replace(peak=array(9e14)))
    assert float(unfused_attention_time(narrow, array(1))) == pytest.approx(once, rel=1e-12)
    half = job._replace(machine=job.machine._replace(peak_16bit=array(5e13)))
    assert float(unfused_attention_time(half, array(1))) == pytest.approx(once + 4e9 / 5e13 / 2, rel=1e-12)


def test_a_window_shortens_unfused_attention_as_well() -> None:
    whole, half = (
        unfused_attention_time(example_job(window=window, score_traffic=7), array(3)) for window in (0, 500)
    )
    assert float(half) == pytest.approx(float(whole) / 2)


@pytest.mark.parametrize(
    ("unfused", "recomputed", "expected"),
    [
        pytest.param(0, 0, 3.5 * 2e9, id="fused: half of 4 GFLOP, and 2.5 times backward"),
        pytest.param(0, 1, 4.5 * 2e9, id="fused, recomputed"),
        pytest.param(1, 0, 3 * 4e9, id="unfused: all of it, and twice backward"),
        pytest.param(1, 1, 4 * 4e9, id="unfused, recomputed"),
    ],
)
def test_passes_of_the_chosen_kernel(unfused: int, recomputed: int, expected: float) -> None:
    found = chosen_attention_time(example_job(unfused=unfused), array(recomputed))
    assert float(found) == pytest.approx(expected / 1e14, rel=1e-12)


@pytest.mark.parametrize("unfused", [0, 1])
def test_tensor_and_context_ranks_share_attention(unfused: int) -> None:
    whole = chosen_attention_time(example_job(unfused=unfused), array(0))
    shared = chosen_attention_time(example_job(unfused=unfused, tp=2, cp=5), array(0))
    assert float(shared) == pytest.approx(float(whole) / 10)


def test_kernels_can_be_an_axis() -> None:
    job = example_job(unfused=array([0.0, 1.0]))
    assert np.asarray(chosen_attention_time(job, array(0))) == pytest.approx([7e-5, 1.2e-4])
