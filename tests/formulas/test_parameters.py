"""Parameter counts: published ones, and every tensor of a model listed one by one and summed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.formulas import parameters
from estimator.formulas.parameters import Transformer, active_parameters, total_parameters
from estimator.formulas.shapes import DIMENSIONS, transformer

LLAMA = {"layers": 32, "hidden": 4096, "heads": 32, "ffn": 11008, "gated": 1, "vocab": 32000}
GPT2 = {
    "layers": 12, "hidden": 768, "heads": 12, "ffn": 3072, "vocab": 50257, "tied": 1, "positions": 1024,
    "query_bias": 1, "output_bias": 1, "ffn_bias": 1, "norm_bias": 1,
}  # fmt: skip
MIXTRAL = {
    "layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 0, "gated": 1, "vocab": 32000,
    "experts": 8, "experts_per_token": 2, "expert_ffn": 14336, "moe_layers": 32,
}  # fmt: skip
# Latent attention, shared experts and dense first layers: DeepSeek-V2-Lite, without and V3 with a query latent.
V2_LITE = {
    "layers": 27, "hidden": 2048, "heads": 16, "head_dim": 128, "value_dim": 128, "rope_dim": 64, "kv_rank": 512,
    "ffn": 10944, "gated": 1, "vocab": 102400, "experts": 64, "experts_per_token": 6, "expert_ffn": 1408,
    "shared_ffn": 2 * 1408, "moe_layers": 26,
}  # fmt: skip
V3 = {
    "layers": 61, "hidden": 7168, "heads": 128, "head_dim": 128, "value_dim": 128, "rope_dim": 64, "q_rank": 1536,
    "kv_rank": 512, "ffn": 18432, "gated": 1, "vocab": 129280, "experts": 256, "experts_per_token": 8,
    "expert_ffn": 2048, "shared_ffn": 2048, "moe_layers": 58, "extra": 58 * 256,
}  # fmt: skip
T5_BASE = {
    "layers": 12, "encoder_layers": 12, "hidden": 768, "heads": 12, "ffn": 3072, "vocab": 32128, "tied": 1,
    "extra": 2 * 32 * 12,
}  # fmt: skip
QWEN2_7B = {
    "layers": 28, "hidden": 3584, "heads": 28, "kv_heads": 4, "ffn": 18944, "gated": 1, "vocab": 152064,
    "query_bias": 1,
}  # fmt: skip
GEMMA_2B = {
    "layers": 18, "hidden": 2048, "heads": 8, "kv_heads": 1, "head_dim": 256, "ffn": 16384, "gated": 1,
    "vocab": 256000, "tied": 1,
}  # fmt: skip


class Tensor(NamedTuple):
    """One tensor of a model: a matrix, or a vector of one column."""

    part: str
    rows: int
    columns: int = 1
    expert: bool = False  # one of the routed experts


def tensors(given: dict[str, int]) -> Iterator[Tensor]:
    """List the tensors of a model layer by layer, as a program that builds it would; no closed formula."""
    of = {name: int(value) for name, value in zip(DIMENSIONS, transformer(**given), strict=True)}
    hidden, stacks = of["hidden"], 2 if of["encoder_layers"] else 1
    matrices = 3 if of["gated"] else 2
    yield Tensor("embedding", of["vocab"], hidden)
    yield Tensor("embedding", of["positions"], hidden)
    if not of["tied"]:
        yield Tensor("embedding", of["vocab"], hidden)
    kinds = ["encoder"] * of["encoder_layers"] + ["decoder"] * of["layers"]
    for place, kind in enumerate(kinds):
        crossed = kind == "decoder" and stacks == 2
        for _ in range(2 if crossed else 1):
            yield from attention(of)
        for _ in range(of["norms"] + crossed):
            yield from norm(of)
        if place >= len(kinds) - of["moe_layers"]:
            yield Tensor("experts", hidden, of["experts"])
            for _ in range(of["experts"]):
                yield from [Tensor("experts", hidden, of["expert_ffn"], expert=True)] * matrices
            yield from [Tensor("experts", hidden, of["shared_ffn"])] * matrices
            continue
        yield from [Tensor("feed_forward", hidden, of["ffn"])] * matrices
        if of["ffn_bias"]:
            yield from [Tensor("norms_and_biases", of["ffn"])] * (matrices - 1)
            yield Tensor("norms_and_biases", hidden)
    for _ in range(stacks):
        yield from norm(of)
    yield Tensor("other", of["extra"])


def attention(of: dict[str, int]) -> Iterator[Tensor]:
    hidden, heads, kv_heads = of["hidden"], of["heads"], of["kv_heads"]
    queries = heads * (of["head_dim"] + of["rope_dim"])
    if of["q_rank"]:
        yield Tensor("attention", hidden, of["q_rank"])
        yield Tensor("attention", of["q_rank"], queries)
        yield Tensor("norms_and_biases", of["q_rank"])
    else:
        yield Tensor("attention", hidden, queries)
    if of["kv_rank"]:
        yield Tensor("attention", hidden, of["kv_rank"] + of["rope_dim"])
        yield Tensor("attention", of["kv_rank"], heads * of["head_dim"])
        yield Tensor("attention", of["kv_rank"], heads * of["value_dim"])
        yield Tensor("norms_and_biases", of["kv_rank"])
    else:
        yield Tensor("attention", hidden, kv_heads * of["head_dim"])
        yield Tensor("attention", hidden, kv_heads * of["value_dim"])
    yield Tensor("attention", heads * of["value_dim"], hidden)
    if of["query_bias"]:
        for width in (heads * of["head_dim"], kv_heads * of["head_dim"], kv_heads * of["value_dim"]):
            yield Tensor("norms_and_biases", width)
    if of["output_bias"]:
        yield Tensor("norms_and_biases", hidden)
    yield Tensor("norms_and_biases", of["qk_norm"])


def norm(of: dict[str, int]) -> Iterator[Tensor]:
    yield from [Tensor("norms_and_biases", of["hidden"])] * (2 if of["norm_bias"] else 1)


# Published counts.


@pytest.mark.parametrize(
    ("given", "count"),
    [
        # Radford et al. 2019 print 1542M for the largest; the counts are those of the released weights.
        pytest.param(GPT2, 124_439_808, id="GPT-2 small"),
        pytest.param(
            {**GPT2, "layers": 48, "hidden": 1600, "heads": 25, "ffn": 6400}, 1_557_611_200, id="GPT-2 XL"
        ),
        # Touvron et al. 2023, Table 2: 6.7B, 13.0B, 32.5B, 65.2B.
        pytest.param(LLAMA, 6_738_415_616, id="LLaMA-7B"),
        pytest.param(
            {**LLAMA, "layers": 60, "hidden": 6656, "heads": 52, "ffn": 17920}, 32_528_943_616, id="LLaMA-33B"
        ),
        pytest.param(
            {**LLAMA, "layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "ffn": 28672},
            68_976_648_192,
            id="Llama-2-70B, grouped queries",
        ),
        pytest.param(
            {**LLAMA, "kv_heads": 8, "ffn": 14336, "vocab": 128256}, 8_030_261_248, id="Llama-3-8B"
        ),
        pytest.param(QWEN2_7B, 7_615_616_512, id="Qwen2-7B, biases on queries, keys and values"),
        pytest.param(GEMMA_2B, 2_506_172_416, id="Gemma-2B, one key head wider than its share, tied"),
        # Jiang et al. 2024, arXiv:2401.04088: 47B and 13B active.
        pytest.param(MIXTRAL, 46_702_792_704, id="Mixtral 8x7B"),
        pytest.param(V2_LITE, 15_706_484_224, id="DeepSeek-V2-Lite"),
        pytest.param(V3, 671_026_419_200, id="DeepSeek-V3"),
        # Raffel et al. 2020 print 220 million; two tables of 32 relative positions for 12 heads beside it.
        pytest.param(T5_BASE, 222_903_552, id="T5-base"),
        # Le Scao et al. 2022, Table 3: 176,247M; the norm behind the embedding is extra.
        pytest.param(
            {**GPT2, "layers": 70, "hidden": 14336, "heads": 112, "ffn": 57344, "vocab": 250880, "positions": 0,
             "extra": 2 * 14336},
            176_247_271_424,
            id="BLOOM",
        ),
    ],
)  # fmt: skip
def test_published_counts_to_the_last_parameter(given: dict[str, int], count: int) -> None:
    assert float(total_parameters(transformer(**given)).total) == count


@pytest.mark.parametrize(
    ("given", "count"),
    [
        pytest.param(MIXTRAL, 12_879_925_248, id="Mixtral 8x7B"),
        pytest.param(LLAMA, 6_738_415_616, id="LLaMA-7B, all of it"),
    ],
)
def test_active_counts(given: dict[str, int], count: int) -> None:
    assert float(active_parameters(transformer(**given))) == count


def test_active_counts_that_papers_round() -> None:
    # DeepSeek-V3, abstract: 37B activated of 671B. DeepSeek-V2, Appendix B.1: the Lite model 2.4B of 15.7B,
    # which leaves the output head and the look-up out.
    assert float(active_parameters(transformer(**V3))) == pytest.approx(37e9, rel=0.02)
    outer = 2 * V2_LITE["vocab"] * V2_LITE["hidden"]
    assert float(active_parameters(transformer(**V2_LITE))) - outer == pytest.approx(2.24e9, rel=0.01)


# Every tensor, one by one.

few = settings(deadline=None, max_examples=25)
widths = st.integers(1, 96)
flags = st.integers(0, 1)


@st.composite
def models(draw: st.DrawFn) -> dict[str, int]:
    """Dimensions of any mix of what the formulas know, small enough to list."""
    layers, encoder = draw(st.integers(1, 5)), draw(st.sampled_from([0, 0, 1, 3]))
    given = {
        name: draw(flags) for name in ("gated", "tied", "query_bias", "output_bias", "ffn_bias", "norm_bias")
    }
    names = ("hidden", "heads", "kv_heads", "head_dim", "value_dim", "ffn", "vocab", "expert_ffn")
    given |= {name: draw(widths) for name in names}
    for name in ("positions", "shared_ffn", "qk_norm", "q_rank", "kv_rank", "rope_dim", "extra"):
        given[name] = draw(st.one_of(st.just(0), widths))
    given["norms"] = draw(st.integers(0, 4))
    given["experts"] = draw(st.integers(1, 6))
    given["experts_per_token"] = draw(st.integers(1, given["experts"]))
    given["moe_layers"] = draw(st.integers(0, layers + encoder))
    return {**given, "layers": layers, "encoder_layers": encoder}


KNOWN = [
    pytest.param(given, id=name)
    for name, given in (
        ("gpt2", GPT2), ("llama", LLAMA), ("mixtral", MIXTRAL), ("v2-lite", V2_LITE), ("v3", V3), ("t5", T5_BASE),
        ("qwen2", QWEN2_7B), ("gemma", GEMMA_2B),
    )
]  # fmt: skip


def counted(listed: Iterator[Tensor]) -> Counter[str]:
    found: Counter[str] = Counter()
    for tensor in listed:
        found[tensor.part] += tensor.rows * tensor.columns
    return found


def check_against_the_list(given: dict[str, int]) -> None:
    model = transformer(**given)
    parts = total_parameters(model).parts
    found = counted(tensors(given))
    assert {name: float(value) for name, value in parts.items()} == {name: found[name] for name in parts}
    assert float(total_parameters(model).total) == sum(found.values())


@pytest.mark.parametrize("given", KNOWN)
def test_the_parts_are_the_sums_of_their_tensors(given: dict[str, int]) -> None:
    check_against_the_list(given)


@few
@given(models())
def test_the_parts_of_any_model_are_the_sums_of_their_tensors(given: dict[str, int]) -> None:
    check_against_the_list(given)


@few
@given(models())
def test_active_parameters_leave_out_the_experts_that_a_token_does_not_pass(given: dict[str, int]) -> None:
    listed = list(tensors(given))
    experts = sum(tensor.rows * tensor.columns for tensor in listed if tensor.expert)
    others = sum(tensor.rows * tensor.columns for tensor in listed if not tensor.expert)
    passed = experts * given["experts_per_token"] // given["experts"]
    assert float(active_parameters(transformer(**given))) == others + passed


@few
@given(models())
def test_the_matrices_that_multiply_a_token(given: dict[str, int]) -> None:
    """All matrices of the layers, of the experts those passed, and the head; no look-up, no vector."""
    listed = [tensor for tensor in tensors(given) if tensor.part in ("attention", "feed_forward", "experts")]
    experts = sum(tensor.rows * tensor.columns for tensor in listed if tensor.expert)
    inner = sum(tensor.rows * tensor.columns for tensor in listed if not tensor.expert)
    passed = inner + experts * given["experts_per_token"] // given["experts"]
    head = given["vocab"] * given["hidden"]
    assert float(parameters.matrix_parameters(transformer(**given))) == passed + head
    model = transformer(**given)
    assert float(parameters.layer_matrices(model, model.experts)) == inner + experts


# Relations.


def total(**given: Any) -> float:
    return float(total_parameters(transformer(**given)).total)


def test_a_tied_head_is_counted_once() -> None:
    assert total(**LLAMA) - total(**LLAMA, tied=1) == 32000 * 4096


def test_as_many_key_heads_as_heads_is_the_plain_block_of_four_squares() -> None:
    model = transformer(**LLAMA)
    assert float(parameters.attention_matrices(model)) == 4 * 4096 * 4096
    assert total(**LLAMA, kv_heads=32) == total(**LLAMA)


def test_one_key_head_keeps_queries_and_output_alone_whole() -> None:
    # 4096 x 4096 twice, and keys and values of one head: 4096 x 128 each.
    grouped = transformer(**LLAMA, kv_heads=1)
    assert float(parameters.attention_matrices(grouped)) == 2 * 4096 * 4096 + 2 * 4096 * 128


def test_each_bias_of_gpt2() -> None:
    # 12 layers: three times 768 on queries, keys and values, 768 on the output, 3072 + 768 in the feed-forward.
    for name, elements in (("query_bias", 3 * 768), ("output_bias", 768), ("ffn_bias", 3072 + 768)):
        assert total(**GPT2) - total(**{**GPT2, name: 0}) == 12 * elements, name
    # Two norms a layer and one at the end.
    assert total(**GPT2) - total(**{**GPT2, "norm_bias": 0}) == 25 * 768


def test_a_gated_bias_counts_both_inner_matrices() -> None:
    assert total(**LLAMA, ffn_bias=1) - total(**LLAMA) == 32 * (2 * 11008 + 4096)


def test_a_decoder_that_looks_across_has_a_second_block_and_a_third_norm() -> None:
    # T5-base as a decoder alone of 24 layers has 12 blocks of 4 x 768 x 768 less, 12 norms less, and one stack's.
    alone = total(**{**T5_BASE, "layers": 24, "encoder_layers": 0})
    assert total(**T5_BASE) - alone == 12 * 4 * 768 * 768 + 12 * 768 + 768


def test_latent_attention_of_deepseek_v3_by_hand() -> None:
    model = transformer(**V3)
    # Queries down 7168 x 1536, up 1536 x 128 (128 + 64); keys and values down 7168 x (512 + 64), up 512 x 128 x 256.
    assert float(parameters.query_matrix(model)) == 7168 * 1536 + 1536 * 24576 == 48_758_784
    assert float(parameters.key_value_matrices(model)) == 7168 * 576 + 512 * 32768 == 20_905_984
    assert float(parameters.attention_matrices(model)) == 48_758_784 + 20_905_984 + 128 * 128 * 7168


def test_a_window_has_no_parameters() -> None:
    assert total(**LLAMA, window=512, window_layers=16) == total(**LLAMA)


@few
@given(
    models(), st.sampled_from(["layers", "hidden", "vocab", "ffn", "heads", "experts", "positions", "extra"])
)
def test_more_of_anything_is_never_fewer_parameters(given: dict[str, int], name: str) -> None:
    more = {**given, name: given[name] + 1}
    assert total(**more) >= total(**given)
    assert float(active_parameters(transformer(**more))) >= float(active_parameters(transformer(**given)))


@few
@given(models())
def test_active_is_at_most_the_total_and_all_of_it_when_every_expert_is_passed(given: dict[str, int]) -> None:
    model = transformer(**given)
    assert float(active_parameters(model)) <= float(total_parameters(model).total)
    whole = transformer(**{**given, "experts_per_token": given["experts"]})
    assert float(active_parameters(whole)) == float(total_parameters(whole).total)


# Arrays.


def column(given: list[dict[str, int]], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([float(dict(zip(DIMENSIONS, transformer(**one), strict=True))[name]) for one in given])


@settings(deadline=None, max_examples=10)
@given(st.lists(models(), min_size=6, max_size=6))
def test_a_grid_of_models_counts_as_each_model_to_the_last_bit(several: list[dict[str, int]]) -> None:
    flat = Transformer(**{name: column(several, name) for name in DIMENSIONS})
    grid = Transformer(*(values.reshape(2, 3) for values in flat))
    for formula in (
        lambda model: total_parameters(model).total,
        active_parameters,
        parameters.matrix_parameters,
    ):
        singles = [formula(transformer(**one)) for one in several]
        assert all(np.asarray(single).dtype == np.float64 and np.shape(single) == () for single in singles)
        for found in (formula(flat), np.asarray(formula(grid)).ravel()):
            assert found.dtype == np.float64
            assert found.tolist() == [float(single) for single in singles]


def test_axes_of_different_shapes_broadcast() -> None:
    layers, vocab = np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0])
    found = total_parameters(transformer(**{**LLAMA, "layers": layers, "vocab": vocab})).total
    assert np.shape(found) == (2, 3)
    assert found[1, 2] == total(**{**LLAMA, "layers": 2, "vocab": 30})
