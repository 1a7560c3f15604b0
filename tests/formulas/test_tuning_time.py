"""Fine-tuning in FLOPs and in time: frozen weights, adapters, weights of four bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import tuning_time
from estimator.formulas.example import example_job
from estimator.formulas.flops import method_flops_per_token, training_flops_per_token
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import Transformer
from estimator.formulas.shapes import transformer
from estimator.formulas.step_time import parts_time

LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
MATRICES = 32 * (4 * 4096**2 + 3 * 4096 * 11008)
EDGES = 32 * (4 * 8192 + 3 * 15104)
few = settings(deadline=None, max_examples=30)


def flops(model: Transformer = LLAMA, seq: float = 0, **given: float) -> dict[str, float]:
    method = Method(**{name: array(given.get(name, 0)) for name in Method._fields})
    return {
        name: float(part) for name, part in method_flops_per_token(model, method, array(seq)).parts.items()
    }


def step(**given: Any) -> dict[str, float]:
    return {name: float(part) for name, part in parts_time(example_job(**given)).items()}


def test_full_training_is_counted_as_ever() -> None:
    usual = training_flops_per_token(LLAMA, array(4096)).parts
    assert flops(seq=4096) == {**{name: float(part) for name, part in usual.items()}, "adapters": 0.0}


def test_frozen_matrices_are_passed_twice_and_adapters_three_times() -> None:
    found = flops(seq=4096, frozen=1, rank=16)
    products = found["attention_projections"] + found["feed_forward"]
    assert products == pytest.approx(4 * MATRICES, rel=1e-12)
    assert found["attention_scores"] == flops(seq=4096)["attention_scores"]
    assert found["logits"] == pytest.approx(4 * 32000 * 4096, rel=1e-12)
    assert found["adapters"] == 6 * 16 * EDGES
    assert flops(frozen=1, outer=1)["logits"] == 6 * 32000 * 4096


def test_of_experts_only_the_adapters_that_a_token_passes_count() -> None:
    given = {"layers": 2, "hidden": 100, "heads": 1, "ffn": 0, "vocab": 10, "experts": 8, "expert_ffn": 50}
    model = transformer(**given, experts_per_token=2, moe_layers=2)
    # Four matrices of 100 by 100 and two experts of two of 100 by 50 in each layer.
    assert flops(model, frozen=1, rank=4)["adapters"] == 6 * 4 * 2 * (4 * 200 + 2 * 2 * 150)
    assert (
        float(tuning_time.adapters_time(example_job(**given, experts_per_token=2, moe_layers=2), array(1)))
        == 0
    )


def test_adapters_by_hand() -> None:
    # Rank 10 on 4 layers of 18,000 rows and columns, split over two ranks, 1,000 tokens, three passes; a tenth of
    # the traffic at 1 TB/s is not hidden; no wave of outputs is lost.
    job = example_job(frozen=1, rank=10, tp=2, product_traffic=0.1, product_wave=1e6)
    work = 2 * 1000 * 10 * 36000 / 1e14
    moved = 0.1 * 2 * (10 * 36000 + 1000 * 36000) / 1e12
    assert float(tuning_time.adapters_time(job, array(1))) == pytest.approx(3 * (work + moved), rel=1e-12)


def test_weights_of_four_bits_are_brought_back_in_every_pass() -> None:
    given = {"frozen": 1, "base": 0.5}
    once = 4.5 * 48e6 / 1e12
    assert step(**given, tp=2, count=2)["dequantisation"] == pytest.approx(2 * once / 2, rel=1e-12)
    assert step(**given, recompute=2)["dequantisation"] == pytest.approx(3 * once, rel=1e-12)
    assert step(frozen=1, base=2)["dequantisation"] == step(base=0.5)["dequantisation"] == 0


def test_a_rank_brings_back_the_experts_that_it_holds() -> None:
    given = {
        "ffn": 0,
        "experts": 8,
        "experts_per_token": 2,
        "expert_ffn": 500,
        "moe_layers": 4,
        "frozen": 1,
        "base": 0.5,
    }
    alone, spread = (step(**given, count=ep, ep=ep, expert_use=0)["dequantisation"] for ep in (1, 4))
    # Eight experts of 2 x 1,000 x 500 in four layers, of which a rank of four holds two.
    assert alone - spread == pytest.approx(2 * 4.5 * 4 * 6 * 1e6 / 1e12, rel=1e-9)


def test_gradients_and_states_are_those_of_adapters() -> None:
    usual = {"count": 16, "optimizer_traffic": 40, "zero": 0}
    full, lora = step(**usual), step(**usual, frozen=1, rank=10, base=2)
    # 48 million parameters, or 10 x 4 x 18,000 of adapters.
    for part in ("gradient_exchange", "optimizer"):
        assert lora[part] / full[part] == pytest.approx(720e3 / 48e6, rel=1e-12)
    assert lora["matrix_products"] == pytest.approx(full["matrix_products"] * 2 / 3, rel=1e-12)


def test_embedding_and_head_that_learn_are_exchanged_too() -> None:
    job = example_job(vocab=100, frozen=1, outer=1, tp=2, count=2)
    assert float(tuning_time.learning_parameters(job, array(9))) == 2 * 100 * 1000 / 2


def test_a_head_that_learns_is_passed_thrice() -> None:
    frozen, learning = (step(vocab=50000, frozen=1, rank=10, outer=outer)["logits"] for outer in (0, 1))
    once = 2 * 1000 * 1000 * 50000 / 1e14
    assert [frozen, learning] == pytest.approx([2 * once, 3 * once], rel=1e-12)


def test_full_recomputation_passes_the_adapters_once_more() -> None:
    none, full = (step(frozen=1, rank=10, recompute=mode) for mode in (0, 2))
    # Rank 10 on four layers of 18,000 rows and columns, 1,000 tokens; four of 12 million weights; half of the scores.
    adapters, products, scores = 2 * 10 * 72e3 * 1e3, 2 * 48e6 * 1e3, 4 * 2 * 500 * 1e3 * 2e3
    assert none["recomputation"] == 0
    assert full["recomputation"] == pytest.approx((adapters + products + scores) / 1e14, rel=1e-12)
    assert full["adapters"] == none["adapters"]


def test_frozen_weights_are_gathered_as_they_are_kept() -> None:
    held, learning = array(6e6), array(3e5)

    def moved(**given: float) -> float:
        return float(tuning_time.gathered_parameters(example_job(**given), held, learning))

    assert moved() == 6e6
    # In 16 bit 2 x 6e6 without gradients, in 4 a quarter of it; adapters twice and their gradients once.
    assert moved(frozen=1, base=2) == pytest.approx((2 * 6e6 + 3 * 3e5) / 3, rel=1e-12)
    assert moved(frozen=1, base=0.5) == pytest.approx((2 * 6e6 / 4 + 3 * 3e5) / 3, rel=1e-12)


@few
@given(
    st.integers(1, 256), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([0, 1, 2, 3]), st.integers(0, 3)
)
def test_adapters_are_never_slower_to_train_but_for_their_own_work(
    rank: int, base: float, mode: int, zero: int
) -> None:
    given = {"recompute": mode, "zero": zero, "count": 16, "optimizer_traffic": 40}
    full, tuned = step(**given), step(**given, frozen=1, rank=rank, base=base)
    own = {"adapters", "dequantisation", "sharding"}
    # Full recomputation passes the adapters forward once more.
    beside = {"recomputation": tuned["adapters"] / 3 if mode == 2 else 0.0}
    for name in full.keys() - own:
        assert tuned[name] <= (full[name] + beside.get(name, 0.0)) * (1 + 1e-12), name


@few
@given(st.lists(st.integers(1, 64), min_size=2, max_size=5))
def test_grids_equal_their_points(ranks: list[int]) -> None:
    grid = np.asarray(parts_time(example_job(frozen=1, base=0.5, rank=array(ranks)))["adapters"])
    assert grid.tolist() == [step(frozen=1, base=0.5, rank=rank)["adapters"] for rank in ranks]
