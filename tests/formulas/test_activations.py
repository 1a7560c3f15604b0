"""Activations: the paper's sums tensor by tensor, recomputation, parallelism, gates, groups, latents and experts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import activations
from estimator.formulas.activations import RECOMPUTE
from estimator.formulas.parameters import Transformer
from estimator.formulas.shapes import transformer
from estimator.formulas.stages import KINDS, stage, stage_model

from .layouts import layout

NONE, SELECTIVE, FULL, MODULES = (RECOMPUTE.index(mode) for mode in ("none", "selective", "full", "modules"))
GPT3 = {"layers": 96, "hidden": 12288, "heads": 96, "ffn": 49152, "vocab": 51200}
LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
TOKEN = 2048 * 12288
few = settings(deadline=None, max_examples=50)


def both(model: Transformer, seq: float, eager: float = 0.0, **given: float) -> tuple[float, float]:
    """What all layers keep but for scores, and scores."""
    spread = layout(**given)
    own = stage_model(model, stage(model, spread, "first"))
    kept, scores = activations.layers_activation(own, spread, array(seq), array(eager))
    return float(kept), float(scores)


def kept(model: Transformer, seq: float, kind: str = "first", eager: float = 0.0, **given: float) -> float:
    spread = layout(**given)
    own = stage(model, spread, kind)
    return float(activations.passes_activation(model, own, spread, array(seq), array(eager))[0])


def again(model: Transformer, seq: float, eager: float = 0.0, **given: float) -> float:
    spread = layout(**given)
    own = stage(model, spread, "first")
    return float(activations.passes_activation(model, own, spread, array(seq), array(eager))[1])


def paper(s: int, b: int, h: int) -> int:
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
    assert paper(1, 1, 1) == 34


@few
@given(st.integers(1, 4096), st.integers(1, 8), st.integers(1, 64), st.integers(1, 128))
def test_a_plain_layer_keeps_what_the_paper_lists(seq: int, batch: int, heads: int, dim: int) -> None:
    h = heads * dim
    model = transformer(layers=1, hidden=h, heads=heads, ffn=4 * h, vocab=10)
    assert both(model, seq, micro_batch=batch)[0] == paper(seq, batch, h)


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
    unit, model = 2048 * given["hidden"], transformer(**given)
    assert both(model, 2048, unfused=1) == (34 * unit, scores * unit)
    # The same section: selective recomputation saves 70 % and 65 %. The head keeps its input, one more 2 s b h.
    none, selective = (kept(model, 2048, unfused=1, recompute=mode) - 2 * unit for mode in (NONE, SELECTIVE))
    assert round(1 - selective / none, 2) == {80: 0.70, 64: 0.65}[scores]


# Table 2 of Korthikanti et al. 2022: activations a layer in units of s b h, with 5 a s / h = 80 for GPT-3.
@pytest.mark.parametrize(
    ("given", "units"),
    [
        pytest.param({}, 34 + 80, id="no parallelism"),
        pytest.param({"tp": 8}, 10 + 24 / 8 + 80 / 8, id="tensor"),
        pytest.param({"tp": 8, "sequence_parallel": 1}, 34 / 8 + 80 / 8, id="tensor and sequence"),
        pytest.param({"tp": 8, "recompute": SELECTIVE}, 10 + 24 / 8, id="tensor, selective"),
        pytest.param(
            {"tp": 8, "sequence_parallel": 1, "recompute": SELECTIVE},
            34 / 8,
            id="tensor and sequence, selective",
        ),
        pytest.param({"tp": 8, "recompute": FULL}, 2, id="full"),
        pytest.param({"tp": 8, "sequence_parallel": 1, "recompute": FULL}, 2 / 8, id="full and sequence"),
        pytest.param({"cp": 4}, (34 + 80) / 4, id="context"),
        pytest.param({"cp": 2, "tp": 8, "recompute": SELECTIVE}, (10 + 24 / 8) / 2, id="context and tensor"),
    ],
)
def test_table_2(given: dict[str, float], units: float) -> None:
    model = transformer(**GPT3)
    count = given.get("tp", 1) * given.get("cp", 1)
    head = 2.0 / (given.get("cp", 1) * (given["tp"] if given.get("sequence_parallel") else 1))
    found = kept(model, 2048, unfused=1, **{**given, "count": count})
    assert found == pytest.approx((96 * units + head) * TOKEN, rel=1e-12)


# Of the paper's 34 s b h, modules make again the inputs of the first matrices (2 and 2) and of the second (8).
@pytest.mark.parametrize(
    ("given", "units"),
    [
        pytest.param({}, 22 + 80, id="no parallelism"),
        pytest.param({"tp": 8}, 6 + 16 / 8 + 80 / 8, id="tensor"),
        pytest.param({"tp": 8, "sequence_parallel": 1}, 22 / 8 + 80 / 8, id="tensor and sequence"),
        pytest.param({"cp": 4}, (22 + 80) / 4, id="context"),
    ],
)
def test_modules_keep_the_inputs_of_norms_and_of_the_activation_function(
    given: dict[str, float], units: float
) -> None:
    count = given.get("tp", 1) * given.get("cp", 1)
    head = 2.0 / (given.get("cp", 1) * (given["tp"] if given.get("sequence_parallel") else 1))
    found = kept(transformer(**GPT3), 2048, unfused=1, recompute=MODULES, **{**given, "count": count})
    assert found == pytest.approx((96 * units + head) * TOKEN, rel=1e-12)


def test_modules_of_a_gated_layer_keep_gate_and_branch() -> None:
    # 4 h of norms, 8 h of queries, keys, values and output, 4 f of gate and other branch; eager the same.
    for eager in (0.0, 1.0):
        layer = 16 * 4096 + 4 * 11008 - 4 * 4096
        assert kept(LLAMA, 512, recompute=MODULES, eager=eager) == 512 * (32 * layer + 2 * 4096)
    # The layer at work makes two norms and the product of the gate: 4 h + 2 f; eager 24 h + 4 f.
    assert again(LLAMA, 512, recompute=MODULES) == 512 * (4 * 4096 + 2 * 11008)
    assert again(LLAMA, 512, recompute=MODULES, eager=1.0) == 512 * (24 * 4096 + 4 * 11008)


def test_modules_of_experts_and_latents() -> None:
    model = transformer(
        layers=1, hidden=1000, heads=10, ffn=0, gated=1, vocab=10, experts=8, experts_per_token=2,
        expert_ffn=300, shared_ffn=500, moe_layers=1, kv_rank=64, q_rank=32, rope_dim=16,
    )  # fmt: skip
    # Two norms, two experts of 300, shared ones of 500, and the norms of both latents, 2 bytes each.
    assert again(model, 1, recompute=MODULES) == 2 * (2 * 1000 + 2 * 300 + 500 + 64 + 32)


def test_the_layer_at_work_is_made_again() -> None:
    model = transformer(**GPT3)
    assert again(model, 2048, unfused=1, recompute=NONE) == 0
    assert again(model, 2048, unfused=1, recompute=SELECTIVE) == 80 * TOKEN
    assert again(model, 2048, unfused=1, recompute=FULL) == 114 * TOKEN
    assert again(model, 2048, recompute=FULL) == 34 * TOKEN
    assert again(model, 2048, unfused=1, recompute=MODULES) == 12 * TOKEN


def test_the_first_stage_keeps_as_many_micro_batches_as_there_are_stages() -> None:
    model = transformer(**GPT3)
    given = {"count": 8, "pp": 8, "unfused": 1}
    first, middle, last = (kept(model, 2048, kind, **given) for kind in KINDS)
    # 12 layers each, 8, 7 and 1 micro-batches; the last keeps the input of the head too.
    assert [first, middle] == [8 * 12 * 114 * TOKEN, 7 * 12 * 114 * TOKEN]
    assert last == (12 * 114 + 2) * TOKEN
    # Korthikanti et al. 2022, Section 4.2.3: interleaved, 1 + (p - 1) / (p m) times as much.
    assert kept(model, 2048, **given, vpp=3) == pytest.approx(first * (1 + 7 / 24), rel=1e-12)


def test_a_fused_kernel_keeps_no_scores_in_any_mode() -> None:
    # Dao et al. 2022, Theorem 1: memory linear in the sequence. What is left are the terms without a s.
    model = transformer(**GPT3)
    for mode, units in ((NONE, 34), (SELECTIVE, 34), (FULL, 2), (MODULES, 22)):
        assert kept(model, 2048, recompute=mode) == (96 * units + 2) * TOKEN
        assert kept(model, 4096, recompute=mode) == 2 * kept(model, 2048, recompute=mode)


# Operation by operation: transformers 4.28.1, counted on its decoder layer with saved_tensors_hooks.


def test_an_eager_llama_layer_keeps_36_h_8_f_and_8_scores() -> None:
    layer = LLAMA._replace(layers=array(1))
    found = both(layer, 512, eager=1, unfused=1, micro_batch=8)
    assert found == (4096 * (36 * 4096 + 8 * 11008), 8 * 32 * 512 * 512 * 8)


def test_lomo_table_1_activations_without_recomputation() -> None:
    # Lv et al. 2023, Table 1: 45.61 GiB of LLaMA-7B at 512 tokens, 8 sequences; with the logits, 2 + 4 bytes each.
    found = kept(LLAMA, 512, eager=1, unfused=1, micro_batch=8) + 6 * 4096 * 32000
    assert found / 2**30 == pytest.approx(45.61, rel=0.005)


def test_lomo_table_1_activations_with_recomputation() -> None:
    # 1.79 GiB: inputs of 32 layers and of the head, and the logits.
    found = kept(LLAMA, 512, eager=1, unfused=1, micro_batch=8, recompute=FULL) + 6 * 4096 * 32000
    assert found / 2**30 == pytest.approx(1.79, rel=0.02)


# Architectures.


def test_a_fused_gated_layer_keeps_three_inner_widths_and_no_masks() -> None:
    plain = {"layers": 1, "hidden": 64, "heads": 4, "ffn": 160, "vocab": 10}
    without, gated = (both(transformer(**plain, gated=gate), 16)[0] for gate in (0, 1))
    assert gated - without == 16 * (2 * 160 - 2 * 64)


def test_grouped_queries_keep_narrower_keys_and_values() -> None:
    plain = {"layers": 1, "hidden": 64, "heads": 8, "ffn": 256, "vocab": 10}
    whole, grouped = transformer(**plain), transformer(**plain, kv_heads=2)
    # Keys and values of 2 in place of 8 heads, each 8 wide, 2 bytes.
    assert both(whole, 16)[0] - both(grouped, 16)[0] == 16 * 2 * 2 * 6 * 8
    # Operation by operation they are repeated for each head.
    assert both(whole, 16, eager=1) == both(grouped, 16, eager=1)


def test_latent_attention_by_hand() -> None:
    given = {
        "hidden": 64,
        "heads": 4,
        "head_dim": 16,
        "value_dim": 8,
        "q_rank": 24,
        "kv_rank": 12,
        "rope_dim": 4,
    }
    model = transformer(layers=1, ffn=256, vocab=10, **given)
    # Queries and keys of 16 + 4 and values of 8 for each head, the output; latents before and behind their norms.
    heads = 2 * 4 * 20 + 2 * 4 * 20 + 2 * 4 * 8 + 2 * 4 * 8
    latents = 4 * (24 + 12) + 2 * 4
    assert float(activations.attention_activation(model, array(0))) == heads + latents


def test_a_token_keeps_the_experts_that_it_passes_and_the_shared_one() -> None:
    mixture = {
        "layers": 1, "hidden": 64, "heads": 4, "ffn": 0, "vocab": 10, "gated": 1, "experts": 16, "expert_ffn": 32,
        "moe_layers": 1,
    }  # fmt: skip
    none = both(transformer(**mixture, experts_per_token=0), 8)[0]
    three = both(transformer(**mixture, experts_per_token=3), 8)[0]
    # Each keeps a copy of its input and output, 2 bytes an element, and 6 bytes an inner one.
    assert three - none == 8 * 3 * (4 * 64 + 6 * 32)
    shared = both(transformer(**mixture, experts_per_token=3, shared_ffn=40), 8)[0]
    assert shared - three == 8 * 6 * 40
    # A dense first layer keeps its own width.
    wide = transformer(**{**mixture, "layers": 2, "ffn": 500}, experts_per_token=3)
    dense = transformer(**{**mixture, "moe_layers": 0, "ffn": 500}, experts_per_token=3)
    assert both(wide, 8)[0] == three + both(dense, 8)[0]


def test_both_stacks_of_an_encoder_decoder_keep_activations() -> None:
    alone = {"hidden": 64, "heads": 4, "ffn": 256, "vocab": 10}
    found = kept(transformer(**alone, layers=3, encoder_layers=2), 16)
    # Five layers and three blocks across, each with its norm.
    across = 16 * (5 * 64 + 8 * 64)
    assert found == kept(transformer(**alone, layers=5), 16) + 3 * across


def test_scores_grow_with_the_square_of_the_sequence_and_all_else_in_proportion() -> None:
    model = transformer(**GPT3)
    (once, score), (twice, scores) = (both(model, seq, unfused=1) for seq in (1024, 2048))
    assert [twice, scores] == [2 * once, 4 * score]


def test_logits_stand_on_the_last_stage_alone() -> None:
    model = transformer(**GPT3)
    spread = layout(count=32, tp=4, pp=8, micro_batch=2)
    found = [
        float(activations.logits(model, stage(model, spread, kind), spread, array(2048))) for kind in KINDS
    ]
    assert found == [0, 0, 2 * 2048 * 51200 / 4]


models = st.builds(
    lambda layers, heads, dim, inner, gated: transformer(
        layers=layers, hidden=heads * dim, heads=heads, ffn=inner, gated=gated, vocab=100
    ),
    st.integers(2, 100), st.integers(1, 64), st.integers(1, 128), st.integers(1, 9999), st.integers(0, 1),
)  # fmt: skip
sizes = st.integers(1, 8192), st.integers(1, 64), st.integers(0, 1)


@few
@given(models, *sizes)
def test_more_recomputation_never_keeps_more(model: Transformer, seq: int, batch: int, eager: int) -> None:
    def most(mode: int) -> float:
        given = {"unfused": 1.0, "micro_batch": batch, "recompute": mode}
        return kept(model, seq, eager=eager, **given) + again(model, seq, eager=eager, **given)

    assert most(FULL) <= most(SELECTIVE) <= most(NONE)
    assert most(FULL) <= most(MODULES) <= most(NONE)


@few
@given(models, *sizes, st.integers(2, 9), st.sampled_from([NONE, SELECTIVE, FULL, MODULES]))
def test_sequences_at_a_time_multiply_what_is_kept(
    model: Transformer, seq: int, batch: int, eager: int, times: int, mode: int
) -> None:
    once, more = (
        kept(model, seq, eager=eager, unfused=1, micro_batch=batch * factor, recompute=mode)
        for factor in (1, times)
    )
    assert more == pytest.approx(times * once, rel=1e-12)


def test_the_mode_is_an_axis_like_any_other_and_equals_its_points() -> None:
    model, seqs = transformer(**GPT3), np.array([[1024.0], [2048.0]])
    many = layout(recompute=np.array([0.0, 1.0, 2.0]), unfused=1, micro_batch=2)
    found, _ = activations.passes_activation(model, stage(model, many, "first"), many, seqs, array(0))
    assert np.shape(found) == (2, 3)
    for row, mode in np.ndindex(2, 3):
        alone = kept(model, float(seqs[row, 0]), recompute=mode, unfused=1, micro_batch=2)
        assert np.asarray(found)[row, mode] == alone
