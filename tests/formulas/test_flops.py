"""FLOPs of training: products counted one by one, the forms of three papers, windows, experts and two stacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import flops
from estimator.formulas.parameters import Transformer, active_parameters, matrix_parameters, total_parameters
from estimator.formulas.shapes import transformer

GPT3 = {"layers": 96, "hidden": 12288, "heads": 96, "ffn": 49152, "vocab": 51200}
LLAMA = {"layers": 32, "hidden": 4096, "heads": 32, "ffn": 11008, "gated": 1, "vocab": 32000}
few = settings(deadline=None, max_examples=40)


def per_token(seq: float, **given: Any) -> float:
    return float(flops.training_flops_per_token(transformer(**given), array(seq)).total)


def product(rows: int, inner: int, columns: int) -> int:
    """FLOPs of a matrix product: a multiplication and an addition for each of its terms."""
    return 2 * rows * inner * columns


def counted(seq: int, of: dict[str, int]) -> int:
    """Every matrix product of one sequence, layer by layer, forward and twice again backward."""
    hidden, heads, dim, value = of["hidden"], of["heads"], of["head_dim"], of["value_dim"]
    forward = 0
    for place in range(of["layers"]):
        windowed = of["window"] and place < of["window_layers"]
        keys = min(of["window"], seq) if windowed else seq
        forward += product(seq, hidden, heads * dim) + product(seq, hidden, of["kv_heads"] * (dim + value))
        forward += heads * (product(seq, dim, keys) + product(seq, keys, value))
        forward += product(seq, heads * value, hidden)
        blocks = 3 if of["gated"] else 2
        if place >= of["layers"] - of["moe_layers"]:
            forward += product(seq, hidden, of["experts"])
            width = of["experts_per_token"] * of["expert_ffn"] + of["shared_ffn"]
            forward += blocks * product(seq, hidden, width)
        else:
            forward += blocks * product(seq, hidden, of["ffn"])
    return 3 * (forward + product(seq, hidden, of["vocab"]))


@st.composite
def models(draw: st.DrawFn) -> dict[str, int]:
    layers = draw(st.integers(1, 5))
    names = (
        "hidden",
        "heads",
        "kv_heads",
        "head_dim",
        "value_dim",
        "ffn",
        "vocab",
        "expert_ffn",
        "shared_ffn",
    )
    given = {name: draw(st.integers(1, 64)) for name in names}
    experts = draw(st.integers(1, 8))
    return {
        **given, "layers": layers, "gated": draw(st.integers(0, 1)), "window": draw(st.integers(0, 64)),
        "window_layers": draw(st.integers(0, layers)), "moe_layers": draw(st.integers(0, layers)),
        "experts": experts, "experts_per_token": draw(st.integers(1, experts)),
    }  # fmt: skip


seqs = st.integers(1, 128)


@few
@given(models(), seqs)
def test_every_product_of_a_sequence(given: dict[str, int], seq: int) -> None:
    assert per_token(seq, **given) * seq == pytest.approx(counted(seq, given), rel=1e-12)


# Published forms and values.


@few
@given(st.integers(1, 128), st.integers(1, 200), st.integers(1, 64), st.floats(1, 1e6), st.floats(1, 1e6))
def test_the_form_of_narayanan_without_the_recomputed_pass(
    layers: int, heads: int, dim: int, vocab: float, seq: float
) -> None:
    # 2104.04473, Eq. 3: 96 B s l h^2 (1 + s / 6h + V / 16 l h) has four passes of 24, one of them recomputation;
    # without it 72 l h^2 (1 + s / 6h + V / 12 l h), logits not recomputed.
    h = heads * dim
    given = {"layers": layers, "hidden": h, "heads": heads, "ffn": 4 * h, "vocab": vocab}
    form = 72 * layers * h * h * (1 + seq / (6 * h) + vocab / (12 * layers * h))
    assert per_token(seq, **given) == pytest.approx(form, rel=1e-12)


def test_gpt3_by_part() -> None:
    # 96 layers of 12 x 12288^2 weights; scores 12 x 96 x 12288 x 2048; logits 6 x 51200 x 12288.
    parts = flops.training_flops_per_token(transformer(**GPT3), array(2048)).parts
    assert {name: float(part) for name, part in parts.items()} == {
        "attention_projections": 6 * 96 * 4 * 12288**2,
        "attention_scores": 12 * 96 * 12288 * 2048,
        "feed_forward": 6 * 96 * 8 * 12288**2,
        "logits": 6 * 51200 * 12288,
    }


def test_the_scores_of_palm() -> None:
    # Chowdhery et al. 2022, Appendix B: 12 L H Q T with 118 layers, 48 heads of 256 and 2,048 tokens.
    palm = transformer(
        layers=118, hidden=18432, heads=48, kv_heads=1, head_dim=256, ffn=73728, gated=1, vocab=256000
    )
    assert float(flops.score_flops_per_token(palm, array(2048))) == 12 * 118 * 48 * 256 * 2048
    # Table 3 and its text: 46.2 % with attention and 45.7 % without are in the ratio of the FLOPs.
    parts = flops.training_flops_per_token(palm, array(2048))
    ratio = float(parts.total / (parts.total - parts.parts["attention_scores"]))
    assert ratio == pytest.approx(46.2 / 45.7, abs=0.0025)


def test_six_flops_a_parameter_and_token() -> None:
    # Brown et al. 2020, Table D.1: 174,600 million parameters over 300 B tokens are 3.14e23 FLOPs.
    assert float(flops.short_form_flops(array(174_600e6), array(300e9))) == 6 * 174_600e6 * 300e9
    assert f"{float(flops.short_form_flops(array(174_600e6), array(300e9))):.3g}" == "3.14e+23"


def test_no_product_overflows_where_integers_would() -> None:
    # 6 * 65e9 * 1.4e12 is 5.46e23, far beyond 2 ** 63.
    assert float(flops.short_form_flops(array(65_000_000_000), array(1_400_000_000_000))) == 5.46e23


# Limits.


@few
@given(models())
def test_without_a_sequence_only_the_matrices_count(given: dict[str, int]) -> None:
    model = transformer(**given)
    found = flops.training_flops_per_token(model, array(0.0))
    assert float(found.parts["attention_scores"]) == 0
    assert float(found.total) == pytest.approx(6 * float(matrix_parameters(model)), rel=1e-12)


@few
@given(models(), seqs, seqs)
def test_a_longer_sequence_is_never_fewer_flops_a_token(given: dict[str, int], one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert per_token(short, **given) <= per_token(long, **given) * (1 + 1e-12)


@few
@given(models(), seqs)
def test_a_window_never_adds_and_one_as_long_as_the_sequence_takes_nothing(
    given: dict[str, int], seq: int
) -> None:
    full = per_token(seq, **{**given, "window": 0})
    assert per_token(seq, **given) <= full * (1 + 1e-12)
    for reach in (seq, seq + 1, 10 * seq):
        assert per_token(seq, **{**given, "window": reach}) == pytest.approx(full, rel=1e-12)


def test_the_rule_of_thumb_is_the_limit_of_wide_models() -> None:
    for hidden, within in ((512, 0.5), (8192, 0.05), (131072, 0.005)):
        model = transformer(layers=24, hidden=hidden, heads=hidden / 64, ffn=4 * hidden, vocab=1000)
        rule = 6 * float(active_parameters(model))
        assert per_token(512, layers=24, hidden=hidden, heads=hidden / 64, ffn=4 * hidden, vocab=1000) == (
            pytest.approx(rule, rel=within)
        )


# Windows in part of the layers.


@pytest.mark.parametrize(
    ("window", "window_layers", "keys"),
    [
        (0, 32, 8192),  # no window
        (1024, 32, 1024),  # in every layer
        (1024, 16, (1024 + 8192) / 2),  # every other one, as Gemma 2 has it
        (1024, 0, 8192),  # in none
        (16384, 16, 8192),  # longer than the sequence
    ],
)
def test_keys_that_a_query_meets(window: float, window_layers: float, keys: float) -> None:
    model = transformer(**LLAMA, window=window, window_layers=window_layers)
    assert float(flops.attention_span(model, array(8192))) == keys


def test_a_window_that_is_given_alone_is_in_every_layer() -> None:
    # Mistral 7B: 4,096 of 32,768 tokens.
    assert float(flops.attention_span(transformer(**LLAMA, window=4096), array(32768))) == 4096


# Experts, latent attention, two stacks.


def test_mixtral_passes_two_of_eight_experts_and_the_router() -> None:
    model = transformer(
        layers=32, hidden=4096, heads=32, kv_heads=8, ffn=0, gated=1, vocab=32000, experts=8, experts_per_token=2,
        expert_ffn=14336, moe_layers=32,
    )  # fmt: skip
    parts = flops.training_flops_per_token(model, array(4096)).parts
    assert float(parts["feed_forward"]) == 6 * 32 * (2 * 3 * 4096 * 14336 + 4096 * 8)


def test_dense_first_layers_and_a_shared_expert_of_deepseek_v3() -> None:
    model = transformer(
        layers=61, hidden=7168, heads=128, head_dim=128, rope_dim=64, q_rank=1536, kv_rank=512, ffn=18432, gated=1,
        vocab=129280, experts=256, experts_per_token=8, expert_ffn=2048, shared_ffn=2048, moe_layers=58,
    )  # fmt: skip
    parts = flops.training_flops_per_token(model, array(4096)).parts
    dense, sparse = 3 * 3 * 7168 * 18432, 58 * (7168 * 256 + 9 * 3 * 7168 * 2048)
    assert float(parts["feed_forward"]) == 6 * (dense + sparse)
    # Scores meet 128 + 64 wide keys, the sums 128 wide values: 2 (192 + 128) a key and head, three times.
    assert float(parts["attention_scores"]) == 61 * 128 * 4096 * 6 * (192 + 128)


def test_more_experts_to_choose_from_add_only_the_router() -> None:
    few_experts = dict(LLAMA, experts=8, experts_per_token=2, expert_ffn=11008, moe_layers=32)
    many = per_token(2048, **{**few_experts, "experts": 64})
    assert many - per_token(2048, **few_experts) == 6 * 32 * 4096 * (64 - 8)


def test_a_stack_of_one_layer_is_a_stack() -> None:
    both = {"hidden": 64, "heads": 4, "ffn": 256, "vocab": 10}
    # One encoder layer and one decoder layer, which looks across too: three blocks and two, half of them passed.
    found = per_token(16, **both, layers=1, encoder_layers=1)
    assert found == 6 * (3 * 4 * 64**2 + 2 * 2 * 64 * 256) / 2 + 3 * 12 * 64 * 16 / 2 + 6 * 10 * 64


def test_a_token_of_an_encoder_decoder_passes_one_of_two_stacks() -> None:
    # T5-base: 12 + 12 layers, 36 attention blocks of 4 x 768^2, 24 feed-forward blocks of 2 x 768 x 3072.
    model = transformer(layers=12, encoder_layers=12, hidden=768, heads=12, ffn=3072, vocab=32128)
    parts = flops.training_flops_per_token(model, array(512)).parts
    assert {name: float(part) for name, part in parts.items()} == {
        "attention_projections": 6 * 36 * 4 * 768**2 / 2,
        "attention_scores": 36 * 12 * 768 * 512 / 2,
        "feed_forward": 6 * 24 * 2 * 768 * 3072 / 2,
        "logits": 6 * 32128 * 768,
    }


def test_a_tied_head_is_multiplied_with_all_the_same() -> None:
    assert per_token(2048, **LLAMA, tied=1) == per_token(2048, **LLAMA)
    tied, untied = (total_parameters(transformer(**LLAMA, tied=flag)).total for flag in (1, 0))
    assert float(tied) < float(untied)


def test_biases_norms_and_positions_multiply_nothing() -> None:
    vectors = dict.fromkeys(("query_bias", "output_bias", "ffn_bias", "norm_bias"), 1)
    more = {**LLAMA, **vectors, "positions": 2048, "extra": 5e6, "norms": 4}
    assert per_token(2048, **more) == per_token(2048, **LLAMA)


# The whole run, and arrays.


@few
@given(models(), seqs, st.integers(1, 10**15))
def test_a_run_is_its_tokens_times_one_token_part_by_part(
    given: dict[str, int], seq: int, tokens: int
) -> None:
    model = transformer(**given)
    one = flops.training_flops_per_token(model, array(seq))
    run = flops.training_flops(one, array(tokens)).parts
    assert {name: float(part) for name, part in run.items()} == {
        name: float(part) * tokens for name, part in one.parts.items()
    }


def test_a_grid_of_sequences_and_widths_equals_its_points_to_the_last_bit() -> None:
    seqs_, hidden = np.array([[512.0], [2048.0], [8192.0]]), np.array([1024.0, 4096.0])
    window = np.array([0.0, 1024.0])
    grid = transformer(layers=24, hidden=hidden, heads=16, ffn=4 * hidden, vocab=50257, window=window)
    found = flops.training_flops_per_token(grid, seqs_)
    assert found.total.dtype == np.float64
    for row, column in np.ndindex(3, 2):
        point = transformer(
            layers=24,
            hidden=hidden[column],
            heads=16,
            ffn=4 * hidden[column],
            vocab=50257,
            window=window[column],
        )
        alone = flops.training_flops_per_token(point, array(seqs_[row, 0]))
        assert np.shape(alone.total) == ()
        assert found.total[row, column] == float(alone.total)
        for name, part in alone.parts.items():
            assert np.broadcast_to(found.parts[name], (3, 2))[row, column] == float(part)


def test_an_unknown_dimension_makes_the_flops_unknown() -> None:
    model = transformer(**LLAMA)._replace(hidden=array(np.nan))
    assert isinstance(model, Transformer)
    assert np.isnan(flops.training_flops_per_token(model, array(2048)).total)
