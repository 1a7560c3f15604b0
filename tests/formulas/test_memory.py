"""Model states of one whole copy by hand, for each kind of optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from estimator.arrays import array
from estimator.formulas import memory
from estimator.formulas.memory import Optimizer
from estimator.formulas.parameters import Transformer, total_parameters
from estimator.formulas.shapes import transformer

GIB = 2.0**30
LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
PARAMETERS = 6_738_415_616  # of LLaMA-7B
# Small enough to list: two layers, four square attention matrices and two of 8 by 32 each.
TINY = transformer(layers=2, hidden=8, heads=2, ffn=32, vocab=100)


def optimizer(**given: float) -> Optimizer:
    return Optimizer(**{name: array(given.get(name, 0.0)) for name in Optimizer._fields})


ADAMW = optimizer(weights=2, gradients=2, master=4, states=8, states_outer=8)
LOMO = optimizer(weights=2, gradients=2, fused=1)
ADAFACTOR = optimizer(weights=2, gradients=2, master=4, factored=4)
GALORE = optimizer(weights=2, gradients=2, states_outer=4, low_rank=2, rank=4)


def states(model: Transformer, kept: Optimizer) -> dict[str, float]:
    return {name: float(part) for name, part in memory.state_memory(model, kept).parts.items()}


# States by hand.


def test_adam_in_mixed_precision_is_sixteen_bytes_a_parameter() -> None:
    # Rajbhandari et al. 2020, Section 3.1: 2 + 2 + 12.
    assert states(LLAMA, ADAMW) == {
        "weights": 2 * PARAMETERS, "gradients": 2 * PARAMETERS, "optimizer_states": 12 * PARAMETERS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "per_parameter"),
    [
        pytest.param(
            optimizer(weights=2, gradients=2, master=4, states=4, states_outer=4), 12, id="momentum"
        ),
        pytest.param(optimizer(weights=2, gradients=2, master=4), 8, id="plain descent"),
        pytest.param(optimizer(weights=4, gradients=4, states=8, states_outer=8), 16, id="adam in 32 bit"),
        pytest.param(optimizer(weights=2, gradients=2, states=4, states_outer=4), 8, id="adam in 16 bit"),
        pytest.param(
            optimizer(weights=2, gradients=4, master=4, states=8, states_outer=8), 18, id="32-bit grads"
        ),
    ],
)
def test_optimizers_of_so_many_bytes_a_parameter(kept: Optimizer, per_parameter: int) -> None:
    assert sum(states(LLAMA, kept).values()) == per_parameter * PARAMETERS


def test_lomo_holds_the_gradient_of_one_tensor() -> None:
    # Lv et al. 2023, Table 1: 12.55, 0.24 and 0.00 GiB; the embedding is the largest tensor.
    found = states(LLAMA, LOMO)
    assert found == {"weights": 2 * PARAMETERS, "gradients": 2 * 32000 * 4096, "optimizer_states": 0}
    assert [round(part / GIB, 2) for part in found.values()] == [12.55, 0.24, 0.0]


@pytest.mark.parametrize(
    ("given", "largest"),
    [
        ({"vocab": 100, "ffn": 32}, 800),  # the embedding, 100 by 8
        ({"vocab": 10, "ffn": 32}, 256),  # a matrix of the feed-forward block, 8 by 32
        ({"vocab": 10, "ffn": 32, "expert_ffn": 64, "experts": 4, "moe_layers": 1}, 512),  # one of an expert
        (
            {"vocab": 10, "ffn": 64, "expert_ffn": 32, "experts": 4, "moe_layers": 1},
            512,
        ),  # of the dense layer
    ],
)
def test_the_largest_tensor(given: dict[str, float], largest: float) -> None:
    model = transformer(**{"layers": 2, "hidden": 8, "heads": 2, **given})
    assert float(memory.largest_tensor(model)) == largest


def test_adafactor_keeps_a_row_and_a_column_of_every_matrix() -> None:
    # Rows plus columns: attention 4 (8 + 8) and feed-forward 2 (8 + 32) a layer, embedding and head 100 + 8 each.
    edges = 2 * (4 * 16 + 2 * 40) + 2 * 108
    assert float(memory.matrix_edges(TINY)) == edges == 504
    # 32-bit weights beside them: embedding and head 1600, layers 2 (4 x 64 + 2 x 256), five norms of 8.
    parameters = 1600 + 2 * 768 + 5 * 8
    assert states(TINY, ADAFACTOR)["optimizer_states"] == 4 * parameters + 4 * edges


def test_edges_of_grouped_gated_and_tied_matrices() -> None:
    model = transformer(layers=1, hidden=8, heads=4, kv_heads=1, ffn=32, gated=1, vocab=100, tied=1)
    # Heads of 2: queries and output 8 + 8, keys and values 8 + 2; three matrices of 8 + 32; one embedding.
    assert float(memory.matrix_edges(model)) == 2 * 16 + 2 * 10 + 3 * 40 + 108


def test_edges_of_experts_beside_a_dense_first_layer() -> None:
    model = transformer(
        layers=3,
        hidden=8,
        heads=2,
        ffn=32,
        vocab=100,
        experts=4,
        experts_per_token=1,
        expert_ffn=16,
        moe_layers=2,
    )
    assert float(memory.matrix_edges(model)) == 3 * 4 * 16 + 2 * 40 + 2 * 4 * 2 * 24 + 2 * 108


def test_edges_of_latents_and_shared_experts() -> None:
    latent = transformer(layers=1, hidden=8, heads=2, head_dim=4, value_dim=3, rope_dim=2, q_rank=5, kv_rank=6, ffn=16,
                         vocab=100)  # fmt: skip
    # Queries 8 to 5 to 2 x 6; keys and values 8 to 6 + 2, and 6 to 2 x 7; output 2 x 3 to 8.
    assert float(memory.attention_edges(latent)) == (8 + 5) + (5 + 12) + (8 + 8) + (6 + 14) + (6 + 8)
    given = {"layers": 2, "hidden": 8, "heads": 2, "ffn": 0, "vocab": 1, "experts": 4, "experts_per_token": 2,
             "expert_ffn": 16, "moe_layers": 2}  # fmt: skip
    alone, shared = (float(memory.layer_edges(transformer(**given, shared_ffn=width))) for width in (0, 24))
    assert shared - alone == 2 * 2 * (8 + 24)


def test_edges_of_a_second_stack() -> None:
    # Three attention blocks: one of the encoder, two of the decoder; two dense blocks.
    model = transformer(layers=1, encoder_layers=1, hidden=8, heads=2, ffn=32, vocab=100, tied=1)
    assert float(memory.matrix_edges(model)) == 3 * 4 * 16 + 2 * 2 * 40 + 108


def test_galore_keeps_low_rank_moments_and_a_projector() -> None:
    # Zhao et al. 2024, Table 1: for m by n with m <= n two moments of n r and a projector of m r; r is 4.
    square, tall = (2 * 8 + 8) * 4, (2 * 32 + 8) * 4
    elements = 2 * (4 * square + 2 * tall)
    assert float(memory.low_rank_elements(TINY, array(4))) == elements == 1920
    # The embedding, the head and five norms keep both moments in 16 bit.
    assert states(TINY, GALORE)["optimizer_states"] == 2 * elements + 4 * (1600 + 5 * 8)
    # A block narrower than the model is projected from its other side.
    narrow = TINY._replace(ffn=array(4))
    assert float(memory.low_rank_elements(narrow, array(4))) == 2 * (4 * square + 2 * (2 * 8 + 4) * 4)


def test_galore_of_llama_7b_takes_a_third_of_the_moments_of_adam() -> None:
    # Layers alone, by hand: 32 (4 x 3 x 4096 + 3 (2 x 11008 + 4096)) x 1024 elements.
    found = float(memory.low_rank_elements(LLAMA, array(1024)))
    assert found == 32 * (12 * 4096 + 3 * (2 * 11008 + 4096)) * 1024
    inner = PARAMETERS - 2 * 32000 * 4096 - 65 * 4096
    assert found / (2 * inner) == pytest.approx(0.325, abs=0.005)


def test_galore_of_grouped_queries_projects_keys_and_values_from_their_narrow_side() -> None:
    model = transformer(layers=1, hidden=8, heads=4, kv_heads=2, ffn=32, vocab=100)
    # Queries and output 8 by 8; keys and values 8 by 4; two matrices of 8 by 32; r is 3.
    expected = 3 * (2 * (2 * 8 + 8) + 2 * (2 * 8 + 4) + 2 * (2 * 32 + 8))
    assert float(memory.low_rank_elements(model, array(3))) == expected


def test_a_rank_is_at_most_the_smaller_side_of_a_matrix() -> None:
    whole = float(memory.low_rank_elements(TINY, array(8)))
    assert [float(memory.low_rank_elements(TINY, array(rank))) for rank in (9, 64, 1024)] == [whole] * 3
    assert float(memory.low_rank_elements(TINY, array(7))) == whole * 7 / 8
    # Keys of one head of 2 are of rank 2 at most, whatever the others are.
    grouped = transformer(layers=1, hidden=8, heads=4, kv_heads=1, ffn=8, vocab=100)
    square, narrow = 8 * (2 * 8 + 8), 2 * (2 * 8 + 2)
    assert float(memory.low_rank_elements(grouped, array(8))) == 4 * square + 2 * narrow


def test_galore_projects_shared_experts_too() -> None:
    model = transformer(
        layers=2,
        hidden=8,
        heads=2,
        ffn=32,
        vocab=100,
        experts=4,
        experts_per_token=1,
        expert_ffn=4,
        moe_layers=1,
    )
    shared = model._replace(shared_ffn=array(16))
    more = float(memory.low_rank_elements(shared, array(3)) - memory.low_rank_elements(model, array(3)))
    assert more == 3 * 2 * (2 * 16 + 8)


def test_galore_of_experts() -> None:
    model = transformer(
        layers=2,
        hidden=8,
        heads=2,
        ffn=32,
        vocab=100,
        experts=4,
        experts_per_token=1,
        expert_ffn=4,
        moe_layers=1,
    )
    attention, dense, expert = 2 * 4 * 24, 2 * (2 * 32 + 8), 2 * (2 * 8 + 4)
    assert float(memory.low_rank_elements(model, array(3))) == 3 * (attention + dense + 4 * expert)


def test_muon_keeps_one_moment_of_the_layers_and_two_of_the_rest() -> None:
    kept = optimizer(weights=2, gradients=2, master=4, states=4, states_outer=8)
    parameters, inner = 1600 + 2 * 768 + 5 * 8, 2 * 768
    assert states(TINY, kept)["optimizer_states"] == 4 * parameters + 4 * inner + 8 * (parameters - inner)


def test_moments_of_experts_are_kept_whether_a_token_passes_them_or_not() -> None:
    mixture = {"layers": 2, "hidden": 8, "heads": 2, "ffn": 0, "vocab": 100, "experts": 4, "expert_ffn": 16}
    for chosen in (1, 2, 4):
        model = transformer(**mixture, experts_per_token=chosen, moe_layers=2)
        # Attention 256, experts 4 x 2 x 128, a router of 32: 1312 a layer; embedding and head 1600, norms 40.
        assert states(model, ADAMW)["optimizer_states"] == 12 * (2 * 1312 + 1600 + 40)


# All cards.


def test_the_memory_of_all_cards_together() -> None:
    # Lv et al. 2023, Table 2: 13.61 GB on one card with LOMO are 10.8 % of 8 x 15.76 GB with AdamW.
    lomo = memory.memory_over_all(array(13.61), array(1))
    adamw = memory.memory_over_all(array(15.76), array(8))
    assert float(adamw) == pytest.approx(126.08)
    assert float(lomo / adamw) == pytest.approx(0.108, abs=0.0005)
    assert memory.memory_over_all(np.array([1.0, 2.0]), np.array([[8.0], [16.0]])).tolist() == [
        [8, 16],
        [16, 32],
    ]


# Arrays.


@pytest.mark.parametrize("kept", [ADAMW, LOMO, ADAFACTOR, GALORE])
def test_a_grid_equals_its_points_to_the_last_bit(kept: Optimizer) -> None:
    hidden, layers = np.array([[512.0], [1024.0], [4096.0]]), np.array([6.0, 48.0])

    def model(width: Any, depth: Any) -> Transformer:
        return transformer(layers=depth, hidden=width, heads=8, ffn=4 * width, vocab=50257)

    grid = memory.state_memory(model(hidden, layers), kept)
    assert grid.total.dtype == np.float64
    for row, column in np.ndindex(3, 2):
        point = model(hidden[row, 0], layers[column])
        assert np.broadcast_to(grid.total, (3, 2))[row, column] == memory.state_memory(point, kept).total


def test_optimizers_may_stand_along_an_axis() -> None:
    both = Optimizer(*(np.stack(pair) for pair in zip(ADAMW, LOMO, strict=True)))
    for name, part in memory.state_memory(LLAMA, both).parts.items():
        assert np.asarray(part).tolist() == [states(LLAMA, ADAMW)[name], states(LLAMA, LOMO)[name]]


def test_the_parts_of_the_states_add_up_to_the_model() -> None:
    found = memory.state_memory(LLAMA, ADAMW)
    assert float(found.total) == 16 * float(total_parameters(LLAMA).total)
