"""A stage of a pipeline: passes and what is repeated of them, the bubble, the head, and exchange beside computing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.attention_time import chosen_attention_time
from estimator.formulas.exchange_time import context_parallel_time, tensor_parallel_time
from estimator.formulas.expert_time import dispatch_time, experts_time
from estimator.formulas.layer_time import attention_products_time, elementwise_time, feed_forward_time
from estimator.formulas.stage_time import (
    bubble_share,
    deepest_stage,
    exposed,
    head_share,
    layers_time,
    passed_share,
    recomputed_share,
)

from .jobs import example_job, questions, typical

few = settings(deadline=None, max_examples=60)
SPARSE: dict[str, Any] = {
    "experts": 8, "experts_per_token": 2, "expert_ffn": 500, "moe_layers": 3, "shared_ffn": 250, "ep": 4, "tp": 2,
    "cp": 2, "unfused": 1,
}  # fmt: skip


def parts(**given: Any) -> dict[str, float]:
    return {name: float(part) for name, part in layers_time(typical(**given)).items()}


# What a layer is made of.


def test_every_part_of_four_layers_of_which_three_have_experts() -> None:
    job = typical(**SPARSE)
    found = parts(**SPARSE)
    products = 4 * attention_products_time(job) + feed_forward_time(job, array(4000))
    inner = 2 * 500 + 250
    expected = {
        "matrix_products": 3 * products,
        "attention": 4 * chosen_attention_time(job, array(0)),
        "elementwise": elementwise_time(job, array(4000)) + 3 * elementwise_time(job, array(inner)),
        "experts": 3 * 3 * experts_time(job),
        "routing": 3 * 2.0**-8,
        "recomputation": 0,
        "tensor_parallel": 4 * tensor_parallel_time(job, array(2)),
        "context_parallel": 4 * context_parallel_time(job, array(0)),
        "expert_exchange": 2 * 3 * dispatch_time(job),
        "launch": 4 * 2.0**-13,
    }
    assert {name: found[name] for name in expected} == pytest.approx(
        {name: float(v) for name, v in expected.items()}
    )
    assert all(found[name] == 0 for name in found.keys() - expected.keys())
    assert all(found[name] > 0 for name in expected.keys() - {"recomputation"})


def test_a_token_passes_one_stack_of_two() -> None:
    # Six encoder layers beside four decoder layers of two attention blocks: 14 blocks and 10 feed-forward blocks, half.
    one, two = example_job(layers=1), example_job(encoder_layers=6)
    assert float(passed_share(two.model)) == 0.5
    attention, forward = float(attention_products_time(one)), float(feed_forward_time(one, array(4000)))
    assert float(layers_time(two)["matrix_products"]) == pytest.approx(3 * (7 * attention + 5 * forward))


def test_frozen_weights_have_no_gradients_to_work_out() -> None:
    # Forward and backward for inputs: two passes of three.
    whole, frozen = (parts(**SPARSE, frozen=flag) for flag in (0, 1))
    for name in ("matrix_products", "experts"):
        assert frozen[name] == pytest.approx(whole[name] * 2 / 3)


# Recomputation.


@pytest.mark.parametrize(
    ("mode", "expected"), [(0, (0, 0, 0)), (1, (0, 1, 0)), (2, (1, 1, 1)), (3, (0, 0, 1))]
)
def test_what_a_mode_repeats(mode: int, expected: tuple[float, ...]) -> None:
    assert tuple(map(float, recomputed_share(example_job(recompute=mode)))) == expected


@few
@given(questions())
def test_full_recomputation_adds_a_forward_pass(given: dict[str, Any]) -> None:
    none, full = (parts(**{**given, "recompute": mode}) for mode in (0.0, 2.0))
    forward = none["attention"] / (3.0 if given["unfused"] else 3.5)
    third = none["matrix_products"] + none["experts"] + none["elementwise"]
    added = third / 3 + forward + (none["tensor_parallel"] + none["expert_exchange"]) / 2
    assert none["recomputation"] == 0
    assert full["recomputation"] == pytest.approx(added, rel=1e-9)
    assert full["launch"] == pytest.approx(none["launch"] * 4 / 3)
    rounds = 3 / 2 if given["ulysses"] else 4 / 3
    assert full["context_parallel"] == pytest.approx(none["context_parallel"] * rounds)
    same = none.keys() - {"recomputation", "launch", "context_parallel"}
    assert {name: full[name] for name in same} == {name: none[name] for name in same}


@few
@given(questions())
def test_selective_recomputation_adds_the_attention_alone(given: dict[str, Any]) -> None:
    none, some = (parts(**{**given, "recompute": mode}) for mode in (0.0, 1.0))
    assert some["recomputation"] == pytest.approx(
        none["attention"] / (3.0 if given["unfused"] else 3.5), rel=1e-9
    )
    assert some["launch"] == none["launch"]


@few
@given(questions())
def test_recomputed_modules_are_norms_and_activation_functions(given: dict[str, Any]) -> None:
    none, light = (parts(**{**given, "recompute": mode}) for mode in (0.0, 3.0))
    assert light["recomputation"] == pytest.approx(none["elementwise"] / 3, abs=1e-15)


# The pipeline.


@pytest.mark.parametrize(
    ("pp", "vpp", "expected"),
    [(1, 1, 0), (4, 1, 3), (4, 2, 1.5), (8, 4, 7 / 4), (64, 1, 63)],
)
def test_the_bubble_of_narayanan(pp: float, vpp: float, expected: float) -> None:
    # 2104.04473: (p - 1) (Section 2.2.1) over v (Section 2.2.2) micro-batches.
    assert float(bubble_share(example_job(pp=pp, vpp=vpp))) == expected
    assert float(bubble_share(example_job(pp=pp, vpp=vpp, bubble_use=0.5))) == expected / 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"pp": 1, "layers": 81}, 1, id="one stage has all of the head"),
        pytest.param({"pp": 8, "layers": 80}, 0.75, id="even stages: the last has it on top"),
        pytest.param({"pp": 8, "vpp": 5, "layers": 80}, 0.75, id="even chunks"),
        pytest.param({"pp": 8, "vpp": 4, "layers": 80}, 1 / 8, id="uneven chunks"),
        pytest.param({"pp": 16, "layers": 126}, 1 / 16, id="Llama 3.1 405B: short first and last stages"),
        pytest.param({"pp": 16, "layers": 24, "encoder_layers": 24}, 0.75, id="two stacks make even stages"),
        pytest.param({"pp": 8, "layers": 24, "encoder_layers": 12}, 1 / 8, id="two stacks make uneven ones"),
    ],
)
def test_who_has_the_head(given: dict[str, Any], expected: float) -> None:
    assert float(head_share(example_job(**given, head_imbalance=0.75))) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"pp": 1, "layers": 81}, 1, id="one stage"),
        pytest.param({"pp": 8, "layers": 80}, 1, id="even stages"),
        pytest.param({"pp": 32, "layers": 80}, 3 / 2.5, id="half of them three layers, half two"),
        pytest.param({"pp": 16, "layers": 126}, 8 / 7.875, id="fourteen stages of eight, two of seven"),
        pytest.param({"pp": 4, "layers": 5}, 2 / 1.25, id="one stage of two layers"),
        pytest.param({"pp": 8, "vpp": 4, "layers": 80}, 1, id="uneven chunks add up to even stages"),
        pytest.param({"pp": 8, "layers": 61.4}, 1, id="a guessed depth is cut evenly"),
        pytest.param({"pp": 16, "layers": 24, "encoder_layers": 24}, 1, id="two stacks make even stages"),
        pytest.param({"pp": 16, "layers": 24, "encoder_layers": 12}, 3 / 2.25, id="two stacks, uneven"),
    ],
)
def test_the_deepest_stage(given: dict[str, Any], expected: float) -> None:
    assert float(deepest_stage(example_job(**given))) == pytest.approx(expected, rel=1e-12)


@few
@given(st.integers(1, 200), st.integers(1, 64))
def test_no_stage_is_deeper_than_it_must_be(layers: int, stages: int) -> None:
    mean = layers / stages
    deepest = float(deepest_stage(example_job(layers=layers, pp=stages))) * mean
    assert deepest == pytest.approx(round(deepest))
    assert mean <= deepest * (1 + 1e-12)
    assert deepest < mean + 1


@few
@given(st.floats(1, 200), st.sampled_from([1.0, 2.0, 7.0, 64.0]))
def test_a_guessed_depth_is_never_slower_than_the_next_whole_one(layers: float, stages: float) -> None:
    guessed, whole = (
        float(deepest_stage(example_job(layers=depth, pp=stages))) * depth
        for depth in (layers, math.ceil(layers))
    )
    assert layers <= guessed * (1 + 1e-12)
    assert guessed <= whole * (1 + 1e-12)


# Exchange beside computing.


@few
@given(st.floats(1e-6, 1e3), st.floats(0, 1e3))
def test_an_exchange_is_at_best_hidden_and_at_worst_added(compute: float, exchange: float) -> None:
    longer = float(exposed(array(compute), array(exchange)))
    assert max(exchange - compute, 0) <= longer + 1e-12 * (compute + exchange)
    assert longer <= exchange * (1 + 1e-9) + 1e-12 * compute


def test_an_exchange_by_hand() -> None:
    # The cube root of 1 + 1 is 1.26; of 27 + 8 it is 3.271.
    assert float(exposed(array(1), array(1))) == pytest.approx(2 ** (1 / 3) - 1)
    assert float(exposed(array(3), array(2))) == pytest.approx(0.271066, abs=1e-6)


def test_modes_can_be_an_axis() -> None:
    found = layers_time(example_job(recompute=np.array([0.0, 2.0])))["recomputation"]
    assert np.asarray(found) == pytest.approx([0.0, 4 * (24e6 * 1000 / 1e14 + 2e9 / 1e14)])
