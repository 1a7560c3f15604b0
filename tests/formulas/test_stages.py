"""Pipeline stages: their layers, the micro-batches they keep, and the parameters that a card of one holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import stages
from estimator.formulas.parameters import Transformer, total_parameters
from estimator.formulas.shapes import transformer
from estimator.formulas.sharding import sharding_ranks
from estimator.formulas.stages import KINDS, Held

from .layouts import layout

GPT = transformer(layers=8, hidden=64, heads=4, ffn=256, vocab=1000)
few = settings(deadline=None, max_examples=60)


def held(model: Transformer, kind: str, **given: float) -> Held:
    spread = layout(**given)
    return stages.held_parameters(model, stages.stage(model, spread, kind), spread)


# Layers.


@pytest.mark.parametrize(
    ("layers", "pp", "ends", "middle"),
    [
        pytest.param(96, 8, 12, 12, id="even"),
        pytest.param(80, 1, 80, 80, id="one stage holds all"),
        pytest.param(80, 2, 40, 40, id="two ends, no middle"),
        # Llama Team 2024, Section 3.3.2: 126 layers over 16 stages, one fewer on the first and on the last.
        pytest.param(126, 16, 7, 8, id="Llama 3.1 405B"),
        # BLOOM's trials: 106 layers over 12 stages with the embeddings as two layers more.
        pytest.param(106, 12, 8, 9, id="BLOOM"),
        pytest.param(5, 2, 2.5, 2.5, id="two stages share what is odd"),
    ],
)
def test_layers_of_a_stage(layers: float, pp: float, ends: float, middle: float) -> None:
    found = stages.stage_layers(array(layers), array(pp))
    assert [float(each) for each in found] == [ends, middle]


@few
@given(st.integers(1, 200), st.integers(1, 20))
def test_stages_hold_all_layers(depth: int, pp: int) -> None:
    layers = depth * pp
    ends, middle = (float(each) for each in stages.stage_layers(array(layers), array(pp)))
    assert ends * min(pp, 2) + middle * max(pp - 2, 0) == layers


# Micro-batches in flight.


@pytest.mark.parametrize(
    ("given", "place", "expected"),
    [
        pytest.param({"pp": 1}, 0, 1, id="no pipeline"),
        pytest.param({"pp": 8}, 0, 8, id="the first keeps one a stage"),
        pytest.param({"pp": 8}, 1, 7, id="the second one fewer"),
        pytest.param({"pp": 8}, 7, 1, id="the last its own"),
        # Korthikanti et al. 2022, Section 4.2.3: p (1 + (p - 1) / (p m)); MT-NLG 530B: 35 stages, 3 chunks.
        pytest.param({"pp": 35, "vpp": 3}, 0, 35 * (1 + 34 / (35 * 3)), id="interleaved"),
        pytest.param({"pp": 4, "vpp": 2}, 3, 4 - 3 / 2, id="interleaved, the last"),
        pytest.param({"pp": 1, "vpp": 4}, 0, 1, id="chunks without a pipeline"),
        pytest.param({"pp": 8, "global_batch": 3}, 0, 3, id="no more than a step has"),
        pytest.param({"pp": 8, "global_batch": 64}, 0, 8, id="enough micro-batches"),
    ],
)
def test_micro_batches_in_flight(given: dict[str, float], place: float, expected: float) -> None:
    spread = layout(count=given["pp"], **given)
    assert float(stages.in_flight(spread, array(place))) == pytest.approx(expected, rel=1e-12)


# What stages are.


def test_kinds_of_stage_fall_together_where_there_are_few() -> None:
    alone = [stages.stage(GPT, layout(), kind) for kind in KINDS]
    assert {tuple(map(float, each)) for each in alone} == {(8, 0, 1, 1, 1)}
    first, middle, last = (stages.stage(GPT, layout(count=2, pp=2), kind) for kind in KINDS)
    assert tuple(map(float, first)) == tuple(map(float, middle)) == (4, 0, 1, 0, 2)
    assert tuple(map(float, last)) == (4, 0, 0, 1, 1)


def test_the_middle_stage_is_the_second() -> None:
    first, middle, last = (stages.stage(GPT, layout(count=4, pp=4), kind) for kind in KINDS)
    assert tuple(map(float, first)) == (2, 0, 1, 0, 4)
    assert tuple(map(float, middle)) == (2, 0, 0, 0, 3)
    assert tuple(map(float, last)) == (2, 0, 0, 1, 1)


MIXTURE = {
    "hidden": 64,
    "heads": 4,
    "ffn": 256,
    "vocab": 1000,
    "experts": 8,
    "experts_per_token": 2,
    "expert_ffn": 32,
}


@pytest.mark.parametrize(
    ("layers", "sparse", "pp", "expected"),
    [
        pytest.param(8, 8, 4, (2, 2, 2), id="experts in every layer"),
        pytest.param(8, 7, 4, (1, 2, 2), id="a dense first layer is the first stage's"),
        pytest.param(8, 4, 4, (1, 1, 1), id="many dense layers stand anywhere"),
        pytest.param(8, 0, 4, (0, 0, 0), id="no experts"),
        pytest.param(8, 5, 1, (5, 5, 5), id="one stage holds all of them"),
    ],
)
def test_layers_with_experts(layers: int, sparse: int, pp: int, expected: tuple[float, ...]) -> None:
    model = transformer(**MIXTURE, layers=layers, moe_layers=sparse)
    own = [stages.stage(model, layout(count=pp, pp=pp), kind) for kind in KINDS]
    assert tuple(float(each.moe_layers) for each in own) == expected


# Parameters of a card.


def test_a_card_alone_holds_the_whole_model() -> None:
    for model in (GPT, transformer(**MIXTURE, layers=6, moe_layers=5, positions=128, tied=1, extra=77)):
        assert float(held(model, "first").total) == float(total_parameters(model).total)


def test_parameters_of_stages_by_hand() -> None:
    # A layer: four matrices of 64 x 64 and two of 64 x 256; two norms of 64 with the norm behind the layers.
    layer, embedding = 4 * 64 * 64 + 2 * 64 * 256, 1000 * 64
    given = {"count": 4, "pp": 4}
    assert float(held(GPT, "first", **given).matrices) == 2 * layer
    assert float(held(GPT, "first", **given).outer) == embedding + 5 * 64
    assert float(held(GPT, "middle", **given).outer) == 5 * 64
    assert float(held(GPT, "last", **given).outer) == embedding + 5 * 64


def test_a_tied_head_on_another_stage_is_a_copy() -> None:
    tied = GPT._replace(tied=array(1))
    assert float(held(tied, "first").outer - held(GPT, "first").outer) == -1000 * 64
    given = {"count": 4, "pp": 4}
    for kind in ("first", "last"):
        assert float(held(tied, kind, **given).outer) == float(held(GPT, kind, **given).outer)


def test_tensor_parallelism_splits_all_but_norms() -> None:
    whole, half = held(GPT, "first"), held(GPT, "first", count=2, tp=2)
    norms = (2 * 8 + 1) * 64
    assert float(half.matrices) == float(whole.matrices) / 2
    assert float(half.outer) == (float(whole.outer) - norms) / 2 + norms


def test_expert_parallelism_splits_routed_experts_alone() -> None:
    model = transformer(**MIXTURE, layers=4, moe_layers=4, shared_ffn=16)
    one, four = held(model, "first", count=8), held(model, "first", count=8, ep=4)
    assert float(one.experts) == 4 * 8 * 2 * 64 * 32
    assert float(four.experts) == float(one.experts) / 4
    assert [float(four.matrices), float(four.outer)] == [float(one.matrices), float(one.outer)]


@pytest.mark.parametrize(
    ("given", "cards"),
    [
        pytest.param({"count": 64, "tp": 4, "ep": 8}, 32, id="each expert rank splits as tensor ranks do"),
        pytest.param({"count": 8, "tp": 4, "ep": 8}, 8, id="no finer than there are cards"),
        pytest.param({"count": 8, "tp": 2, "cp": 2, "ep": 8}, 8, id="context ranks count"),
        pytest.param({"count": 64, "tp": 8, "pp": 8, "ep": 8}, 8, id="the cards of one stage"),
        pytest.param({"count": 8, "tp": 8}, 8, id="tensor ranks alone"),
    ],
)
def test_a_copy_of_the_experts_takes_at_most_the_cards_of_a_stage(
    given: dict[str, float], cards: float
) -> None:
    model = transformer(**MIXTURE, layers=8, moe_layers=8)
    one = float(held(model, "first", count=8, pp=given.get("pp", 1)).experts)
    assert float(held(model, "first", **given).experts) == one / cards


# Sharding.


@pytest.mark.parametrize(
    ("given", "dense", "experts"),
    [
        pytest.param({"count": 64}, 64, 64, id="all ranks"),
        pytest.param({"count": 64, "tp": 4, "pp": 2}, 8, 8, id="replicas alone"),
        pytest.param({"count": 64, "cp": 4}, 64, 64, id="context ranks share as replicas do"),
        pytest.param({"count": 64, "shard": 8}, 8, 8, id="within a node"),
        pytest.param({"count": 64, "ep": 16}, 64, 4, id="copies of an expert are fewer"),
        pytest.param({"count": 64, "ep": 16, "shard": 8}, 8, 4, id="both"),
    ],
)
def test_ranks_that_share_one_copy(given: dict[str, float], dense: float, experts: float) -> None:
    spread = layout(**given)
    assert (float(sharding_ranks(spread)), float(stages.expert_ranks(spread))) == (dense, experts)


def test_stages_of_zero_shard_from_their_number_on() -> None:
    # Rajbhandari et al. 2020, Section 5: states at 1, gradients at 2, weights at 3.
    for zero in range(4):
        found = [float(stages.dense_share(layout(count=8, zero=zero), least)) for least in (1.0, 2.0, 3.0)]
        assert found == [1 / 8 if zero >= least else 1 for least in (1, 2, 3)]


def test_layouts_may_stand_along_an_axis() -> None:
    degrees = np.array([1.0, 2.0, 4.0])
    many = layout(count=8, pp=degrees)
    found = stages.held_parameters(GPT, stages.stage(GPT, many, "first"), many).total
    assert np.asarray(found).tolist() == [float(held(GPT, "first", count=8, pp=pp).total) for pp in degrees]


def test_in_flight_without_a_batch_is_that_of_the_pipeline() -> None:
    assert float(stages.in_flight(layout(count=8, pp=8, global_batch=math.nan), array(0))) == 8
