"""Activations: the paper's sums tensor by tensor, the three modes of recomputation, gates, groups and experts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import activations
from estimator.formulas.activations import RECOMPUTE
from estimator.formulas.parameters import Transformer
from estimator.formulas.shapes import transformer

NONE, SELECTIVE, FULL = (RECOMPUTE.index(mode) for mode in ("none", "selective", "full"))
GPT3 = {"layers": 96, "hidden": 12288, "heads": 96, "ffn": 49152, "vocab": 51200}
few = settings(deadline=None, max_examples=50)


def parts(
    model: Transformer, seq: float, micro_batch: float, mode: int, unfused: float = 1.0
) -> dict[str, float]:
    given = map(array, (seq, micro_batch, mode, unfused))
    return {name: float(part) for name, part in activations.activation_memory(model, *given).parts.items()}


def layer(seq: float, micro_batch: float, **given: Any) -> float:
    return float(activations.layer_activation(transformer(**given), array(seq), array(micro_batch)))


def kept(s: int, b: int, h: int) -> int:
    """One layer of width h, tensor by tensor, 2 bytes an element and 1 a mask: Korthikanti 2022, Section 4.1."""
    token = s * b * h
    attention = 2 * token  # input of queries, keys and values
    attention += 4 * token  # queries and keys, for their product
    attention += 2 * token  # values
    attention += 2 * token + token  # input of the output projection, and the mask of its dropout
    feed_forward = 2 * token  # input of the first matrix
    feed_forward += 2 * 4 * token  # input of the non-linearity
    feed_forward += 2 * 4 * token  # input of the second matrix
    feed_forward += token  # mask of the dropout
    norms = 2 * token + 2 * token
    return attention + feed_forward + norms


def test_the_sum_of_the_paper_is_34() -> None:
    assert kept(1, 1, 1) == 34


@few
@given(st.integers(1, 4096), st.integers(1, 8), st.integers(1, 64), st.integers(1, 128))
def test_a_plain_layer_keeps_what_the_paper_lists(seq: int, batch: int, heads: int, dim: int) -> None:
    h = heads * dim
    found = layer(seq, batch, layers=1, hidden=h, heads=heads, ffn=4 * h, vocab=10)
    assert found == kept(seq, batch, h)


@pytest.mark.parametrize(
    ("given", "scores"),
    [
        # Korthikanti et al. 2022, Section 5: 5 a s / h is 80 for GPT-3 and 64 for MT-NLG 530B.
        pytest.param({**GPT3, "layers": 1}, 80, id="GPT-3"),
        pytest.param(
            {"layers": 1, "hidden": 20480, "heads": 128, "ffn": 81920, "vocab": 51200}, 64, id="MT-NLG"
        ),
    ],
)
def test_scores_of_published_models_in_units_of_sbh(given: dict[str, int], scores: float) -> None:
    unit = 2048 * given["hidden"]
    model = transformer(**given)
    assert float(activations.score_activation(model, array(2048), array(1))) == scores * unit
    assert parts(model, 2048, 1, NONE)["activations"] == (34 + scores) * unit
    # The same section: selective recomputation saves 70 % and 65 %.
    saved = 1 - parts(model, 2048, 1, SELECTIVE)["activations"] / parts(model, 2048, 1, NONE)["activations"]
    assert saved == pytest.approx(scores / (34 + scores))
    assert round(saved, 2) == {80: 0.70, 64: 0.65}[scores]


def test_the_modes_of_gpt3_by_hand() -> None:
    model, token = transformer(**GPT3), 2048 * 12288
    logits = 4 * 2048 * 51200
    assert parts(model, 2048, 1, NONE) == {
        "activations": 96 * 114 * token, "recomputed_layer": 0, "logits": logits,
    }  # fmt: skip
    assert parts(model, 2048, 1, SELECTIVE) == {
        "activations": 96 * 34 * token, "recomputed_layer": 80 * token, "logits": logits,
    }  # fmt: skip
    # Two bytes of each layer's input, and the one layer that is computed again.
    assert parts(model, 2048, 1, FULL) == {
        "activations": 96 * 2 * token, "recomputed_layer": 114 * token, "logits": logits,
    }  # fmt: skip


def test_a_fused_kernel_keeps_no_scores_in_any_mode() -> None:
    # Dao et al. 2022, Theorem 1: memory linear in the sequence. What is left are the terms without a s.
    model, token = transformer(**GPT3), 2048 * 12288
    found = {mode: parts(model, 2048, 1, mode, unfused=0.0) for mode in (NONE, SELECTIVE, FULL)}
    assert {mode: part["activations"] for mode, part in found.items()} == {
        NONE: 96 * 34 * token, SELECTIVE: 96 * 34 * token, FULL: 96 * 2 * token,
    }  # fmt: skip
    assert [part["recomputed_layer"] for part in found.values()] == [0, 0, 34 * token]
    for mode in found:
        doubled = parts(model, 4096, 1, mode, unfused=0.0)
        assert doubled == {name: 2 * part for name, part in found[mode].items()}


def test_a_gate_keeps_a_second_inner_width() -> None:
    plain = {"layers": 1, "hidden": 64, "heads": 4, "ffn": 160, "vocab": 10}
    assert layer(16, 2, **plain, gated=1) - layer(16, 2, **plain) == 16 * 2 * 4 * 160


def test_grouped_queries_keep_narrower_keys_and_values() -> None:
    plain = {"layers": 1, "hidden": 64, "heads": 8, "ffn": 256, "vocab": 10}
    # Keys and values of 2 in place of 8 heads, each 8 wide, 2 bytes.
    assert layer(16, 1, **plain) - layer(16, 1, **plain, kv_heads=2) == 16 * 2 * 2 * 6 * 8


def test_a_token_keeps_the_experts_that_it_passes_and_the_shared_one() -> None:
    mixture = {
        "layers": 1, "hidden": 64, "heads": 4, "ffn": 0, "vocab": 10, "gated": 1, "experts": 16, "expert_ffn": 32,
        "moe_layers": 1,
    }  # fmt: skip
    none = layer(8, 1, **mixture, experts_per_token=0)
    assert layer(8, 1, **mixture, experts_per_token=3) - none == 8 * 8 * 3 * 32
    assert layer(8, 1, **mixture, experts_per_token=3, shared_ffn=40) - none == 8 * 8 * (3 * 32 + 40)
    # Dense first layers: the wider of both blocks is taken for every layer.
    wide = {**mixture, "ffn": 500, "layers": 2}
    assert layer(8, 1, **wide, experts_per_token=3) - none == 8 * 8 * 500


def test_both_stacks_of_an_encoder_decoder_keep_activations() -> None:
    alone = {"hidden": 64, "heads": 4, "ffn": 256, "vocab": 10}
    both = parts(transformer(**alone, layers=3, encoder_layers=2), 16, 1, NONE)
    assert both == parts(transformer(**alone, layers=5), 16, 1, NONE)


def test_scores_grow_with_the_square_of_the_sequence_and_all_else_in_proportion() -> None:
    model = transformer(**GPT3)
    once, twice = (parts(model, seq, 1, SELECTIVE) for seq in (1024, 2048))
    assert twice["activations"] == 2 * once["activations"]
    assert twice["recomputed_layer"] == 4 * once["recomputed_layer"]
    assert twice["logits"] == 2 * once["logits"]


models = st.builds(
    lambda layers, heads, dim, inner, gated: transformer(
        layers=layers, hidden=heads * dim, heads=heads, ffn=inner, gated=gated, vocab=100
    ),
    st.integers(2, 100), st.integers(1, 64), st.integers(1, 128), st.integers(1, 9999), st.integers(0, 1),
)  # fmt: skip
sizes = st.integers(1, 8192), st.integers(1, 64)


@few
@given(models, *sizes)
def test_more_recomputation_never_keeps_more(model: Transformer, seq: int, batch: int) -> None:
    none, selective, full = (sum(parts(model, seq, batch, mode).values()) for mode in (NONE, SELECTIVE, FULL))
    assert full <= selective <= none


@few
@given(models, *sizes, st.integers(2, 9), st.sampled_from([NONE, SELECTIVE, FULL]))
def test_sequences_at_a_time_multiply_every_part(
    model: Transformer, seq: int, batch: int, times: int, mode: int
) -> None:
    once, more = (parts(model, seq, batch * factor, mode) for factor in (1, times))
    assert more == {name: part * times for name, part in once.items()}


def test_the_mode_is_an_axis_like_any_other_and_equals_its_points() -> None:
    model, seqs = transformer(**GPT3), np.array([[1024.0], [2048.0]])
    found = activations.activation_memory(model, seqs, array(2), np.array([0.0, 1.0, 2.0]), array(1))
    assert np.shape(found.total) == (2, 3)
    assert found.total.dtype == np.float64
    for row, mode in np.ndindex(2, 3):
        alone = activations.activation_memory(model, array(seqs[row, 0]), array(2), array(mode), array(1))
        assert np.shape(alone.total) == ()
        assert found.total[row, mode] == alone.total
        for name, part in alone.parts.items():
            assert np.broadcast_to(found.parts[name], (2, 3))[row, mode] == part
