"""Models that are no language models: no mask, no vocabulary, patches for tokens; and how context ranks exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from estimator import Case, Presets, QuestionError, Run, ask
from estimator.errors import PresetError
from estimator.lower import lower
from estimator.measured import throughput_case

PRESETS = Presets()
CONFIGS = Path(__file__).resolve().parents[1] / "inputs" / "configs"
# A vision transformer of 32 layers of width 1,280: 16 x 16 patches of 14 x 14 pixels and a class token.
VIT = """name = "Vision"
[sources.paper]
title = "An Image is Worth 16x16 Words"
publisher = "Google"
locator = "arXiv:2010.11929"
[figures]
layers = { value = 32, source = "paper", where = "Table 1", kind = "stated" }
hidden = { value = 1280, source = "paper", where = "Table 1", kind = "stated" }
heads = { value = 16, source = "paper", where = "Table 1", kind = "stated" }
ffn = { value = 5120, source = "paper", where = "Table 1", kind = "stated" }
vocab = { value = 0, source = "paper", where = "patches, no words", kind = "stated" }
seq = { value = 257, source = "paper", where = "Table 1", kind = "stated" }
causal = { value = CAUSAL, source = "paper", where = "Section 3.1", kind = "stated" }
"""


def own(folder: Path, causal: str) -> Presets:
    path = folder / causal / "models" / "vision.toml"
    path.parent.mkdir(parents=True)
    path.write_text(VIT.replace("CAUSAL", causal), encoding="utf-8")
    return Presets((folder / causal,))


def case(**question: Any) -> Case:
    return lower(Run.read({"count": 8, "tokens": 1e9, **question}, PRESETS), PRESETS)


def test_language_models_attend_to_what_is_before() -> None:
    for question in ({"params": 7e9}, {"model": "llama-2-7b"}, {"config": str(CONFIGS / "llama-2-70b.json")}):
        found = case(**question)
        assert (found.columns["causal"], found.origins["causal"].kind) == (1.0, "derived")


def test_encoders_attend_to_everything() -> None:
    bert = case(model="bert-large")
    assert (bert.columns["causal"], bert.origins["causal"].reason) == (
        0.0,
        "section 3, bidirectional self-attention",
    )
    read = case(config=str(CONFIGS / "bert-large.json"))
    assert (read.columns["causal"], read.columns["seq"], read.origins["seq"].kind) == (0.0, 512.0, "given")


def test_images_are_as_long_as_their_patches_unless_told() -> None:
    path = str(CONFIGS / "vit-b16.json")
    assert (case(config=path).columns["seq"], case(config=path, seq=50).columns["seq"]) == (197.0, 50.0)


def test_attention_without_a_mask_takes_twice_as_long(tmp_path: Path) -> None:
    question = {"model": "vision", "count": 8, "tokens": 1e9, "global_batch": 1024, "zero": 0}
    once, twice = (
        ask(Run.read(question, presets), presets).step_time.parts["attention"]
        for presets in (own(tmp_path, "1"), own(tmp_path, "0"))
    )
    assert float(twice) == pytest.approx(2.0 * float(once))


def test_a_model_without_a_vocabulary_is_answered(tmp_path: Path) -> None:
    presets = own(tmp_path, "0")
    found = ask(Run.read({"model": "vision", "count": 8, "tokens": 1e12}, presets), presets)
    # 32 layers of 4 + 8 times 1,280 squared, and norms; no embedding and no head.
    assert float(found.parameters.value) == pytest.approx(32 * 12 * 1280**2, rel=1e-3)
    assert found.step_time.parts["logits"] == 0.0
    assert found.flops_per_token.parts["logits"] == 0.0
    assert 0.0 < float(found.mfu.value) < 1.0
    assert bool(found.fits)


def test_a_mask_is_there_or_not(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match=r"causal.* must be between 0 and 1"):
        own(tmp_path, "2").load("models", "vision")


def test_a_measured_row_has_the_mask_of_its_model() -> None:
    cells = {"accelerator": "a100-sxm-80gb", "n_accelerators": "8", "seq_len": "512", "tokens_per_s": "1e5"}
    rows = [{**cells, "model": "bert-large"}, {**cells, "model": "llama-2-7b"}]
    found = throughput_case(rows, PRESETS)
    assert found.columns["causal"].tolist() == [0.0, 1.0]  # type: ignore[union-attr]
    assert found.columns["ulysses"].tolist() == [0.0, 0.0]  # type: ignore[union-attr]


# How context ranks exchange.


def test_context_ranks_pass_keys_round_unless_told() -> None:
    silent, ring, even = (
        case(model="llama-2-7b", cp=4, **given) for given in ({}, {"context": "ring"}, {"context": "ulysses"})
    )
    assert [found.columns["ulysses"] for found in (silent, ring, even)] == [0.0, 0.0, 1.0]
    assert [found.origins["ulysses"].kind for found in (silent, ring, even)] == ["derived", "given", "given"]
    assert even.origins["ulysses"].option == "--context"
    assert silent.words["sharding"] == "context 4, data 2, ZeRO-3"
    assert even.words["sharding"] == "all-to-all context 4, data 2, ZeRO-3"


def test_heads_divide_among_context_ranks() -> None:
    given = {"model": "llama-2-70b", "context": "ulysses", "tp": 8, "count": 128, "seq": 32768}
    assert case(**given, cp=8).columns["cp"] == 8
    with pytest.raises(QuestionError) as raised:
        case(**given, cp=16)
    assert str(raised.value) == (
        "--cp: 16 context ranks that each take whole heads (--context ulysses) do not divide the 64 heads of "
        "llama-2-70b, split over tensor 8; the nearest legal one is 8"
    )
    assert case(**{**given, "context": "ring"}, cp=16).columns["cp"] == 16


def test_a_layout_that_is_found_gives_each_context_rank_whole_heads() -> None:
    question = {"model": "llama-2-7b", "count": 512, "seq": 524288, "global_batch": 16, "tokens": 1e9}
    found = ask(Run.read({**question, "context": "ulysses"}, PRESETS), PRESETS)
    assert 32 % (float(found.tp.value) * float(found.cp.value)) == 0
    assert float(found.cp.value) > 1
