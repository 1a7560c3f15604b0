"""States on one card: stages of ZeRO, expert copies, adapters, 4-bit weights, offloading, fused updates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import memory_states
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_states import OFFLOADS, Method
from estimator.formulas.parameters import Transformer, total_parameters
from estimator.formulas.shapes import transformer
from estimator.formulas.stages import stage

from .layouts import layout

GPT = transformer(layers=8, hidden=64, heads=4, ffn=256, vocab=1000)
LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
PARAMETERS = 6_738_415_616  # of LLaMA-7B
few = settings(deadline=None, max_examples=50)


def optimizer(**given: float) -> Optimizer:
    return Optimizer(**{name: array(given.get(name, 0.0)) for name in Optimizer._fields})


def method(**given: float) -> Method:
    return Method(**{name: array(given.get(name, 0.0)) for name in Method._fields})


ADAMW = optimizer(weights=2, gradients=2, master=4, states=8, states_outer=8)
MEGATRON = ADAMW._replace(gradients=array(4))
LOMO = optimizer(weights=2, gradients=2, fused=1)
FULL = method()
LORA = method(frozen=1, rank=8, base=2, base_outer=2)
QLORA = method(frozen=1, rank=8, base=0.5, base_outer=4)


def states(
    model: Transformer, kept: Optimizer = ADAMW, way: Method = FULL, kind: str = "first", **given: float
) -> dict[str, float]:
    spread = layout(**given)
    found = memory_states.card_states(model, stage(model, spread, kind), kept, way, spread)
    return {name: float(part) for name, part in found.parts.items()}


# ZeRO.


@pytest.mark.parametrize(
    ("zero", "gigabytes"),
    [
        # Rajbhandari et al. 2020, Figure 1: 7.5e9 parameters over 64 cards.
        pytest.param(0, 120.0, id="baseline"),
        pytest.param(1, 31.4, id="P_os"),
        pytest.param(2, 16.6, id="P_os+g"),
        pytest.param(3, 1.9, id="P_os+g+p"),
    ],
)
def test_figure_1_of_zero(zero: float, gigabytes: float) -> None:
    model = transformer(layers=1, hidden=1, heads=1, ffn=1, vocab=1, extra=7.5e9)
    assert sum(states(model, count=64, zero=zero).values()) / 1e9 == pytest.approx(gigabytes, abs=0.05)


def test_megatron_keeps_18_bytes_or_6_and_a_share_of_12() -> None:
    # Megatron-LM, theoretical_memory_usage.py: 18, or 6 + 12 / d with the distributed optimizer.
    total = float(total_parameters(GPT).total)
    assert sum(states(GPT, MEGATRON, count=16).values()) == 18 * total
    assert sum(states(GPT, MEGATRON, count=16, zero=1).values()) == pytest.approx((6 + 12 / 16) * total)


def test_states_within_a_node_are_shared_by_fewer() -> None:
    whole, within = (sum(states(GPT, count=64, zero=3, shard=size).values()) for size in (math.inf, 8))
    assert within == pytest.approx(8 * whole)


def test_copies_of_experts_are_fewer_by_the_degree_of_expert_parallelism() -> None:
    model = transformer(
        layers=2,
        hidden=64,
        heads=4,
        ffn=0,
        vocab=10,
        experts=16,
        experts_per_token=2,
        expert_ffn=32,
        moe_layers=2,
    )
    experts = 2 * 16 * 2 * 64 * 32
    rest = float(total_parameters(model).total) - experts
    found = states(model, count=16, ep=8, zero=1)
    assert found["weights"] == 2 * (rest + experts / 8)
    # 16 copies of the rest, 2 of each expert.
    assert found["optimizer_states"] == pytest.approx(12 * (rest / 16 + experts / 8 / 2))


@few
@given(st.integers(0, 3), st.integers(1, 8), st.integers(0, 3))
def test_cards_together_hold_each_state_once_where_it_is_sharded(zero: int, count: int, tensor: int) -> None:
    degree = 2**tensor
    model = GPT._replace(norms=array(0))
    found = states(model, count=count * degree, tp=degree, zero=zero)
    # The norm behind the layers stands on each card of a tensor group.
    whole = float(total_parameters(model).total) + (degree - 1) * 64
    for name, size, least in (("weights", 2, 3), ("gradients", 2, 2), ("optimizer_states", 12, 1)):
        copies = 1 if zero >= least else count
        assert found[name] * count * degree == pytest.approx(copies * size * whole, rel=1e-9)


# Fused updates.


def test_a_fused_update_holds_the_gradient_of_one_tensor() -> None:
    assert states(LLAMA, LOMO) == {
        "weights": 2 * PARAMETERS, "gradients": 2 * 32000 * 4096, "optimizer_states": 0,
    }  # fmt: skip
    assert states(LLAMA, LOMO, count=8, zero=3)["gradients"] == 2 * 32000 * 4096 / 8


# Adapters.


def test_adapters_on_every_linear_layer_by_hand() -> None:
    # Rows and columns of four matrices of 64 x 64 and two of 64 x 256 a layer.
    edges = 8 * (4 * 128 + 2 * 320)
    assert float(memory_states.adapter_parameters(GPT, array(8))) == 8 * edges
    # LLaMA-7B at rank 8 has 20.0 M trainable parameters (0.30 %) with adapters on all linear layers.
    assert float(memory_states.adapter_parameters(LLAMA, array(8))) == 19_988_480


def test_lora_freezes_the_weights_and_keeps_states_of_adapters_alone() -> None:
    adapters, total = 8 * 8 * (4 * 128 + 2 * 320), float(total_parameters(GPT).total)
    assert states(GPT, way=LORA) == {
        "weights": 2 * total + 2 * adapters, "gradients": 2 * adapters, "optimizer_states": 12 * adapters,
    }  # fmt: skip


def test_qlora_packs_matrices_and_keeps_the_rest_in_32_bit() -> None:
    adapters, total = 8 * 8 * (4 * 128 + 2 * 320), float(total_parameters(GPT).total)
    matrices = 8 * (4 * 64 * 64 + 2 * 64 * 256)
    assert states(GPT, way=QLORA)["weights"] == 0.5 * matrices + 4 * (total - matrices) + 2 * adapters


def test_embedding_and_head_may_learn_beside_adapters() -> None:
    outer = 2 * 1000 * 64 + (2 * 8 + 1) * 64
    more, less = states(GPT, way=LORA._replace(outer=array(1))), states(GPT, way=LORA)
    assert {name: more[name] - less[name] for name in more} == {
        "weights": 2 * outer, "gradients": 2 * outer, "optimizer_states": 12 * outer,
    }  # fmt: skip


def test_adapters_of_a_stage_are_its_layers_share() -> None:
    alone, quarter = states(GPT, way=LORA), states(GPT, way=LORA, kind="middle", count=4, pp=4)
    layers = 8 * (4 * 64 * 64 + 2 * 64 * 256 + 2 * 64)
    total = float(total_parameters(GPT).total)
    assert quarter["gradients"] == pytest.approx(alone["gradients"] * (layers / 4 + 64) / total)


def test_a_model_without_experts_trains_none() -> None:
    spread = layout()
    held = memory_states.held_parameters(GPT, stage(GPT, spread, "first"), spread)
    assert float(memory_states.trained(GPT, held, LORA, spread).experts) == 0
    assert memory_states.trained(GPT, held, FULL, spread) == held


# Offloading.


def test_what_is_offloaded_leaves_the_card() -> None:
    none, optimizer_states, everything = (
        states(GPT, way=method(offload=OFFLOADS.index(place))) for place in ("none", "optimizer", "all")
    )
    # Ren et al. 2021, Section 4.1: gradients go to the host as they are made; weights stay.
    assert optimizer_states == {**none, "gradients": 0, "optimizer_states": 0}
    assert set(everything.values()) == {0}


# One whole copy.


def test_one_whole_copy_of_each_method() -> None:
    total = float(total_parameters(GPT).total)
    adapters, matrices = 8 * 8 * (4 * 128 + 2 * 320), 8 * (4 * 64 * 64 + 2 * 64 * 256)
    found = [float(memory_states.whole_states(GPT, ADAMW, way).total) for way in (FULL, LORA, QLORA)]
    assert found == [
        16 * total, 2 * total + 16 * adapters, 0.5 * matrices + 4 * (total - matrices) + 16 * adapters,
    ]  # fmt: skip


def test_methods_and_layouts_may_stand_along_axes() -> None:
    ways = Method(*(np.stack(pair) for pair in zip(FULL, LORA, strict=True)))
    spread = layout(count=8, zero=np.array([[0.0], [1.0], [2.0], [3.0]]))
    found = memory_states.card_states(GPT, stage(GPT, spread, "first"), ADAMW, ways, spread).total
    assert np.shape(found) == (4, 2)
    for zero, column in np.ndindex(4, 2):
        alone = states(GPT, way=(FULL, LORA)[column], count=8, zero=zero)
        assert np.asarray(found)[zero, column] == pytest.approx(sum(alone.values()), rel=1e-15)
