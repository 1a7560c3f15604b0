"""Bounds on serving, worked by hand on a model of round numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.formulas.flops import short_form_flops, training_flops_per_token
from estimator.formulas.serving import (
    Replica,
    accelerators_for_demand,
    decoding_time,
    forward_flops,
    prefill_time,
    roofline_time,
    served_at_parity,
    short_forward_flops,
)
from estimator.formulas.serving_memory import (
    Elements,
    cache_size,
    fewest_that_hold,
    sequences_held,
    weights_read,
    weights_size,
)
from estimator.formulas.shapes import transformer

# Four layers of width 1,000: 4 x (4e6 + 8e6) = 48e6 weights in the layers, and a head of 1e6.
MODEL = transformer(layers=4, hidden=1000, heads=10, ffn=4000, vocab=1000, norms=0)
TWO = Elements(np.float64(2), np.float64(2))
# A teraflop and ten gigabytes a second.
SLOW = Replica(np.float64(1e12), np.float64(1e10))
sizes = st.floats(1.0, 1e5)


def test_a_token_takes_two_flops_a_weight_and_four_a_key() -> None:
    parts = forward_flops(MODEL, np.float64(500)).parts
    # Scores: 4 L h s = 4 x 4 x 1,000 x 500 = 8e6; weights: 2 x 49e6.
    assert float(parts["attention_scores"]) == 8e6
    assert float(forward_flops(MODEL, np.float64(500)).total) == pytest.approx(98e6 + 8e6, rel=1e-12)


def test_a_token_of_training_takes_three_forward_passes() -> None:
    trained = float(training_flops_per_token(MODEL, np.float64(2048)).total)
    assert float(forward_flops(MODEL, np.float64(2048)).total) * 3 == pytest.approx(trained, rel=1e-12)


def test_keys_and_values() -> None:
    # 2 x 4 layers x 1,000 x 2 bytes = 16,000 bytes a token.
    assert float(cache_size(MODEL, np.float64(1000), TWO)) == 16e6


def test_a_window_and_a_latent_keep_less() -> None:
    windowed = MODEL._replace(window=np.float64(100))
    assert float(cache_size(windowed, np.float64(1000), TWO)) == 1.6e6
    # Rank 50 and 14 of positions for each layer: 4 x 64 x 1,000 x 2 bytes.
    latent = MODEL._replace(kv_rank=np.float64(50), rope_dim=np.float64(14))
    assert float(cache_size(latent, np.float64(1000), TWO)) == 512e3


def test_fewer_key_value_heads_keep_less() -> None:
    grouped = transformer(layers=4, hidden=1000, heads=10, kv_heads=2, ffn=4000, vocab=1000)
    assert float(cache_size(grouped, np.float64(1000), TWO)) == 3.2e6


def test_weights_are_all_of_them_and_a_pass_reads_the_head_but_not_the_look_up() -> None:
    # Untied: 48e6 + 2 x 1e6 weights and the last norm of 1,000 stand, 49e6 are read.
    assert float(weights_size(MODEL, TWO)) == 100.002e6
    assert float(weights_read(MODEL, np.float64(1), TWO)) == 98e6


@given(sequences=sizes)
def test_experts_that_are_read_lie_between_those_of_one_token_and_all(sequences: float) -> None:
    moe = transformer(layers=2, hidden=100, heads=1, ffn=0, vocab=0, experts=8, experts_per_token=2, expert_ffn=200,
                      moe_layers=2)  # fmt: skip
    one, all_ = (float(weights_read(moe, np.float64(each), TWO)) for each in (1, 1e9))
    found = float(weights_read(moe, np.float64(sequences), TWO))
    assert one * (1 - 1e-12) <= found <= all_ * (1 + 1e-12)
    # Eight experts of two matrices of 100 x 200, two layers, two bytes: 640,000 x 2, and of one token a quarter.
    assert all_ - one == pytest.approx(0.75 * 8 * 2 * 100 * 200 * 2 * 2)


def test_a_roofline_is_the_longer_of_two() -> None:
    assert float(roofline_time(np.float64(2e12), np.float64(1e10), SLOW)) == 2.0
    assert float(roofline_time(np.float64(1e12), np.float64(3e10), SLOW)) == 3.0


def test_a_prompt_is_bound_by_computing_and_a_token_by_memory() -> None:
    # 1,000 tokens x (98e6 + 4 x 4 x 1,000 x 500 keys on average = 8e6) = 1.06e11 FLOP over 1e12.
    prompt, yes, no = np.float64(1000), np.float64(1), np.float64(0)
    assert float(prefill_time(MODEL, prompt, yes, TWO, SLOW)) == pytest.approx(0.106)
    # Without a mask every token meets all: 98e6 + 16e6.
    assert float(prefill_time(MODEL, prompt, no, TWO, SLOW)) == pytest.approx(0.114)
    # One token: 98e6 bytes of weights and 16e6 of the cache over 1e10.
    assert float(decoding_time(MODEL, np.float64(1000), np.float64(1), TWO, SLOW)) == pytest.approx(0.0114)
    # A thousand: 98e6 + 16e9 bytes, and 1.14e11 FLOP in 0.114 s.
    assert float(decoding_time(MODEL, np.float64(1000), np.float64(1000), TWO, SLOW)) == pytest.approx(1.6098)


def test_no_prompt_takes_no_time() -> None:
    assert float(prefill_time(MODEL, np.float64(0), np.float64(1), TWO, SLOW)) == 0.0


@given(few=sizes, more=sizes, context=sizes)
def test_more_sequences_take_longer_but_each_token_less(few: float, more: float, context: float) -> None:
    first, then = sorted((few, more))
    times = [
        float(decoding_time(MODEL, np.float64(context), np.float64(n), TWO, SLOW)) for n in (first, then)
    ]
    assert times[0] <= times[1] * (1 + 1e-12)
    assert times[1] / then <= times[0] / first * (1 + 1e-12)


def test_training_and_serving_are_even_at_three_times_the_tokens() -> None:
    tokens = np.float64(300e9)
    served = served_at_parity(tokens)
    assert float(served) == 900e9
    assert float(short_forward_flops(np.float64(175e9), served)) == float(
        short_form_flops(np.float64(175e9), tokens)
    )


def test_what_memory_holds() -> None:
    assert float(sequences_held(np.float64(100e6 + 33e6), np.float64(100e6), np.float64(16e6))) == 2.0
    assert float(fewest_that_hold(np.float64(40e6), np.float64(100e6), np.float64(16e6))) == 3.0


@given(requests=st.floats(1e-3, 1e6), load=st.floats(0.01, 1.0), count=st.integers(1, 64))
def test_a_demand_takes_whole_replicas_and_more_at_a_lower_load(
    requests: float, load: float, count: int
) -> None:
    numbers = np.float64(requests), np.float64(0.1), np.float64(0.2), np.float64(count)
    found, full = (float(accelerators_for_demand(*numbers, np.float64(each))) for each in (load, 1.0))
    assert found % count == 0
    assert found >= full >= count
