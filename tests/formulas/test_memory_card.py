"""Memory of a card by hand: buffers, the fullest moment of the passes, updates, the fullest stage, the overhead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas import memory_card, memory_fit
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_card import Card, Task
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import Transformer, total_parameters
from estimator.formulas.shapes import transformer

from .layouts import layout

GPT = transformer(layers=8, hidden=64, heads=4, ffn=256, vocab=1000)
LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
PARAMETERS = 6_738_415_616  # of LLaMA-7B
LAYER = 4 * 4096 * 4096 + 3 * 4096 * 11008 + 2 * 4096  # of LLaMA-7B, with its norms
GIB = 2.0**30
few = settings(deadline=None, max_examples=50)
PLAIN = {
    "memory_usable": 80 * GIB, "live": 1e9, "live_layers": math.inf, "bucket": 5e8, "update_copies": 0.0, "eager": 0.0,
    "logit": 6.0, "loss_workspace": 2.0, "activation_spread": 1.0, "device_context": 0.0, "communicator": 0.0,
    "fragmentation": 0.0, "least_fragmentation": 0.0,
}  # fmt: skip


def card(**given: float) -> Card:
    return Card(**{name: array(value) for name, value in {**PLAIN, **given}.items()})


def optimizer(**given: float) -> Optimizer:
    return Optimizer(**{name: array(given.get(name, 0.0)) for name in Optimizer._fields})


def method(**given: float) -> Method:
    return Method(**{name: array(given.get(name, 0.0)) for name in Method._fields})


ADAMW = optimizer(weights=2, gradients=2, master=4, states=8, states_outer=8)
LOMO = optimizer(weights=2, gradients=2, fused=1)


def task(
    model: Transformer = LLAMA,
    kept: Optimizer = ADAMW,
    way: Method | None = None,
    on: Card | None = None,
    seq: float = 1024,
    **given: float,
) -> Task:
    return Task(model, kept, way or method(), layout(**given), on or card(), array(seq))


def buffers(asked: Task) -> dict[str, float]:
    own = memory_card.own_part(asked, "first")
    return {name: float(part) for name, part in memory_card.gather_buffers(asked, own).parts.items()}


def parts(asked: Task, kind: str = "first") -> dict[str, float]:
    return {name: float(part) for name, part in memory_card.stage_memory(asked, kind).parts.items()}


# Buffers.


@pytest.mark.parametrize(
    ("kept", "bounds", "weights", "gradients"),
    [
        pytest.param(ADAMW, {}, 2e9, 1e9, id="DeepSpeed's defaults"),
        pytest.param(ADAMW, {"live": 1e12}, 2 * PARAMETERS, 1e9, id="no more than the model has"),
        pytest.param(ADAMW, {"bucket": 1e12}, 2e9, 2 * PARAMETERS, id="no more gradients either"),
        pytest.param(LOMO, {}, 2e9, 2 * 32000 * 4096, id="a fused update reduces one tensor at a time"),
        pytest.param(ADAMW, {"live_layers": 2.0}, 4 * LAYER, 2 * LAYER, id="a layer and the one ahead"),
    ],
)
def test_buffers_of_llama_7b(
    kept: Optimizer, bounds: dict[str, float], weights: float, gradients: float
) -> None:
    found = buffers(task(kept=kept, on=card(**bounds), count=8, zero=3))
    if "live_layers" in bounds:
        # The mean layer holds its share of the norm behind all of them.
        assert found["gathered_weights"] == pytest.approx(weights, rel=1e-6)
        assert found["reduced_gradients"] == pytest.approx(gradients, rel=1e-6)
    else:
        assert found == {"gathered_weights": weights, "reduced_gradients": gradients}


@pytest.mark.parametrize(
    ("given", "gathers", "reduces"),
    [
        ({"count": 1, "zero": 3}, False, False),
        ({"count": 8, "zero": 0}, False, False),
        ({"count": 8, "zero": 1}, False, True),
        ({"count": 8, "zero": 2}, False, True),
        ({"count": 8, "zero": 3}, True, True),
        ({"count": 8, "tp": 8, "zero": 3}, False, False),
    ],
)
def test_who_gathers_and_reduces(given: dict[str, float], gathers: bool, reduces: bool) -> None:
    found = buffers(task(**given))
    assert [found["gathered_weights"] > 0, found["reduced_gradients"] > 0] == [gathers, reduces]


def test_what_stands_on_the_host_passes_through_buffers() -> None:
    assert buffers(task(way=method(offload=1))) == {"gathered_weights": 0, "reduced_gradients": 1e9}
    assert buffers(task(way=method(offload=2))) == {"gathered_weights": 2e9, "reduced_gradients": 1e9}


# The fullest moment.


def test_the_loss_works_beside_the_logits_and_a_layer_after_them() -> None:
    # LLaMA-7B, 1,024 tokens: inputs of 32 layers and the head; logits of 6 bytes; then 2 bytes more for the loss,
    # or the layer that is made again: 16 h + 6 f a token.
    found = parts(task(recompute=2))
    logits, layer = 1024 * 32000, 1024 * (16 * 4096 + 6 * 11008)
    assert found["activations"] == 33 * 2 * 1024 * 4096
    assert found["logits"] == 6 * logits
    assert found["working"] == max(2 * logits, layer - 6 * logits) == 2 * logits
    small = LLAMA._replace(vocab=array(1000))
    assert parts(task(small, recompute=2))["working"] == layer - 6 * 1024 * 1000


def test_a_chunked_loss_keeps_less() -> None:
    found = parts(task(on=card(logit=0.75, loss_workspace=0.25)))
    assert [found["logits"], found["working"]] == [0.75 * 1024 * 32000, 0.25 * 1024 * 32000]


def test_4_bit_weights_are_brought_back_matrix_by_matrix() -> None:
    tiny = {"recompute": 2, "seq": 1.0}
    packed = parts(task(way=method(frozen=1, rank=8, base=0.5, base_outer=4), **tiny))
    plain = parts(task(way=method(frozen=1, rank=8, base=2, base_outer=2), **tiny))
    layer, logits = 16 * 4096 + 6 * 11008, 6 * 32000
    assert packed["working"] == 2 * 4096 * 11008 + layer - logits
    assert plain["working"] == 2 * 32000


# Updates.


def test_lomo_turns_one_tensor_to_32_bit() -> None:
    # lomo-optim 0.1.1, fuse_update: gradient and weights of one tensor, here the embedding, 4 bytes each.
    found = parts(task(kept=LOMO, recompute=2, on=card(eager=1), unfused=1, seq=8))
    rest = found["activations"] + found["logits"]
    assert rest + found["working"] == 8 * 32000 * 4096


def test_a_sharded_update_of_lomo_holds_a_share_of_the_weights() -> None:
    asked = task(kept=LOMO, count=4, zero=3)
    own = memory_card.own_part(asked, "first")
    assert float(memory_card.update_memory(asked, own)) == 4 * 32000 * 4096 * (1 + 1 / 4)


@pytest.mark.parametrize(
    ("zero", "beside"),
    [
        pytest.param(0, False, id="after the passes"),
        pytest.param(2, True, id="a whole partition is one block"),
    ],
)
def test_gradients_turned_to_32_bit_before_the_update(zero: float, beside: bool) -> None:
    given = {"count": 8, "zero": zero, "recompute": 2}
    without, copied = (parts(task(on=card(update_copies=copies), **given)) for copies in (0, 4))
    more = 4 * PARAMETERS / (8 if zero else 1)
    passes = sum(without[name] for name in ("activations", "logits", "working", "reduced_gradients"))
    expected = without["working"] + (more if beside else more - passes)
    assert copied["working"] == pytest.approx(expected, rel=1e-12)


def test_at_stage_3_no_more_than_a_group_is_copied_at_a_time() -> None:
    asked = task(on=card(update_copies=4), count=2, zero=3)
    assert float(memory_card.update_memory(asked, memory_card.own_part(asked, "first"))) == 4e9


def test_the_host_updates_what_stands_there() -> None:
    asked = task(on=card(update_copies=4), way=method(offload=1))
    assert float(memory_card.update_memory(asked, memory_card.own_part(asked, "first"))) == 0


# Table 2 of Lv et al. 2023: allocated on a card, RTX 3090, sequence 1,024, batch 1, GiB printed as GB.
@pytest.mark.parametrize(
    ("dimensions", "kept", "count", "published"),
    [
        pytest.param((32, 4096, 32, 11008), "adamw", 8, 15.76, id="7B AdamW"),
        pytest.param((32, 4096, 32, 11008), "sgd", 8, 9.49, id="7B SGD"),
        pytest.param((32, 4096, 32, 11008), "lomo", 1, 13.61, id="7B LOMO"),
        pytest.param((40, 5120, 40, 13824), "sgd", 8, 15.74, id="13B SGD"),
        pytest.param((40, 5120, 40, 13824), "lomo", 2, 15.92, id="13B LOMO"),
        pytest.param((60, 6656, 52, 17920), "lomo", 4, 19.78, id="33B LOMO"),
        pytest.param((80, 8192, 64, 22016), "lomo", 8, 19.18, id="65B LOMO"),
    ],
)
def test_lomo_table_2(dimensions: tuple[float, ...], kept: str, count: int, published: float) -> None:
    layers, hidden, heads, ffn = dimensions
    model = transformer(layers=layers, hidden=hidden, heads=heads, ffn=ffn, gated=1, vocab=32000)
    optimizers = {"adamw": ADAMW, "sgd": optimizer(weights=2, gradients=2, master=4), "lomo": LOMO}
    software = card(eager=1, loss_workspace=6)
    asked = task(model, optimizers[kept], on=software, count=count, zero=3, recompute=2, unfused=1)
    assert sum(parts(asked).values()) / GIB == pytest.approx(published, rel=0.04)


# The fullest stage.


def test_the_first_stage_is_fullest_with_its_micro_batches_and_the_last_with_a_large_vocabulary() -> None:
    deep = transformer(layers=32, hidden=1024, heads=16, ffn=4096, vocab=1000)
    wide = deep._replace(vocab=array(1e6))
    for model, code in ((deep, 0), (wide, 2)):
        asked = task(model, count=8, pp=8, recompute=2 if code else 0)
        sizes = [memory_card.stage_memory(asked, kind).total for kind in ("first", "middle", "last")]
        assert float(memory_fit.worst_stage(*sizes)) == code == int(np.argmax(sizes))


def test_the_middle_is_fullest_where_it_has_a_layer_more() -> None:
    model = transformer(layers=10, hidden=4096, heads=32, ffn=16384, vocab=1000)
    asked = task(model, count=8, pp=8, zero=0, seq=1, recompute=2)
    sizes = [memory_card.stage_memory(asked, kind).total for kind in ("first", "middle", "last")]
    assert float(memory_fit.worst_stage(*sizes)) == 1


def test_the_parts_are_those_of_the_fullest_stage() -> None:
    stages = [Breakdown({"weights": array(size), "logits": array(0)}) for size in (3, 5, 4)]
    for code in range(3):
        assert float(memory_fit.memory_allocated(*stages, array(code)).parts["weights"]) == (3, 5, 4)[code]


# What the device counts.


def used(allocated: float, on: Card, **given: float) -> dict[str, float]:
    found = memory_fit.memory(Breakdown({"weights": array(allocated)}), layout(**given), on)
    return {name: float(part) for name, part in found.parts.items()}


def test_context_communicators_and_fragmentation_by_hand() -> None:
    on = card(memory_usable=100, device_context=1, communicator=2, fragmentation=0.25)
    assert used(40, on, count=16, tp=2, pp=4) == {
        "weights": 40, "communication": 6, "context": 1, "fragmentation": 10,
    }  # fmt: skip
    assert used(40, on)["communication"] == 0
    assert used(40, on, count=16, cp=2, ep=4)["communication"] == 6


def test_the_allocator_gives_back_what_it_can_before_it_fails() -> None:
    on = card(memory_usable=100, device_context=5, fragmentation=0.5, least_fragmentation=0.1)
    assert used(50, on)["fragmentation"] == 25
    # 80 and 5 leave room for 15, of which 8 are the least; 90 has no room for its 9.
    assert used(80, on)["fragmentation"] == pytest.approx(15)
    assert sum(used(80, on).values()) <= 100
    assert used(90, on)["fragmentation"] == 9


def test_a_card_of_unknown_memory_is_not_pressed() -> None:
    on = card(memory_usable=math.nan, fragmentation=0.25)
    assert used(40, on)["fragmentation"] == 10


@few
@given(st.floats(1, 200), st.floats(0, 0.6), st.floats(0, 0.1), st.floats(10, 200))
def test_a_run_that_fits_is_never_shown_larger_than_its_card(
    allocated: float, share: float, least: float, usable: float
) -> None:
    on = card(
        memory_usable=usable, device_context=1, fragmentation=max(share, least), least_fragmentation=least
    )
    total = sum(used(allocated, on).values())
    fits = allocated * (1 + least) + 1 <= usable * (1 - 1e-9)
    assert (total <= usable) or not fits
    assert total >= allocated * (1 + least) + 1 - 1e-6 or not fits


# The fewest cards.


def fewest(asked: Task) -> float:
    return float(memory_fit.fewest_accelerators(*asked))


def fits(asked: Task, count: float) -> bool:
    spread = asked._replace(layout=asked.layout._replace(count=array(count)))
    sizes = [memory_card.stage_memory(spread, kind) for kind in ("first", "middle", "last")]
    code = memory_fit.worst_stage(*(size.total for size in sizes))
    held = memory_fit.memory(memory_fit.memory_allocated(*sizes, code), spread.layout, spread.card)
    return bool(held.total <= spread.card.memory_usable)


def test_so_many_hold_it_and_one_less_does_not() -> None:
    for kept in (ADAMW, LOMO):
        for room in (12, 20, 40, 120):
            asked = task(kept=kept, on=card(memory_usable=room * GIB), recompute=2, zero=3)
            found = fewest(asked)
            if math.isinf(found):
                assert not fits(asked, 1e6)
            else:
                assert fits(asked, found)
                assert found == 1 or not fits(asked, found - 1)


degrees = st.sampled_from([1, 2, 4])


@few
@given(degrees, degrees, st.integers(0, 3), st.floats(4, 200), st.sampled_from([0.0, 4.0]), st.booleans())
def test_so_many_replicas_hold_it_and_one_less_does_not(
    tp: int, pp: int, zero: int, room: float, copies: float, node: bool
) -> None:
    on = card(memory_usable=room * GIB, update_copies=copies, device_context=GIB, fragmentation=0.2,
              least_fragmentation=0.03)  # fmt: skip
    # A batch large enough that the pipeline is full whatever the replicas are.
    given = {"tp": tp, "pp": pp, "zero": zero, "recompute": 2, "shard": 8.0 if node else math.inf}
    asked = task(on=on, **given)
    found, cards = fewest(asked), tp * pp
    if math.isinf(found):
        assert not fits(asked, cards)
        assert not fits(asked, cards * (8 if node else 1e6))
        return
    assert found % cards == 0
    assert fits(asked, found)
    assert found == cards or not fits(asked, found - cards)


MIXTURE = transformer(layers=8, hidden=4096, heads=32, ffn=0, gated=1, vocab=32000, experts=8, experts_per_token=2,
                      expert_ffn=14336, moe_layers=8)  # fmt: skip


@few
@given(degrees, degrees, degrees, st.sampled_from([2, 4, 8]), st.sampled_from([0, 1, 3]), st.floats(4, 200))
def test_so_many_whole_groups_of_experts_hold_it_and_half_of_them_do_not(
    tp: int, pp: int, cp: int, ep: int, zero: int, room: float
) -> None:
    on = card(memory_usable=room * GIB, device_context=GIB)
    asked = task(on=on, model=MIXTURE, tp=tp, pp=pp, cp=cp, ep=ep, zero=zero, recompute=2)
    found, whole = fewest(asked), pp * math.lcm(tp * cp, ep)
    if math.isinf(found):
        assert not fits(asked, whole)
        assert not fits(asked, whole * 2**20)
        return
    assert found % whole == 0
    assert fits(asked, found)
    assert found % (2 * whole) or not fits(asked, found / 2)


def test_cards_that_expert_ranks_need_are_not_left_out() -> None:
    # One card holds an eighth of the experts, but where there is one card it holds them all.
    spread = task(on=card(memory_usable=100 * GIB), model=MIXTURE, ep=8, recompute=2)
    assert fewest(spread) == 8
    assert fits(spread, 8)


def test_no_number_of_cards_holds_activations_that_are_too_large() -> None:
    assert math.isinf(fewest(task(on=card(memory_usable=GIB), seq=1e6, zero=3)))


def test_a_card_of_unknown_memory_needs_an_unknown_number() -> None:
    assert math.isnan(fewest(task(on=card(memory_usable=math.nan), zero=3)))


def test_cards_of_several_sizes_at_once() -> None:
    rooms = np.array([12.0, 20.0, 200.0])
    many = task(zero=3, recompute=2)
    many = many._replace(card=many.card._replace(memory_usable=rooms * GIB))
    found = memory_fit.fewest_accelerators(*many)
    each = [fewest(task(on=card(memory_usable=room * GIB), zero=3, recompute=2)) for room in rooms]
    assert np.asarray(found).tolist() == each
    assert each[-1] == 1 < each[1] < each[0]


def test_the_models_total_is_untouched() -> None:
    assert float(total_parameters(LLAMA).total) == PARAMETERS


def test_gpt_on_one_card_by_hand() -> None:
    # 16 bytes a parameter, 34 s b h a layer, the input of the head, and 6 + 2 bytes a logit.
    found = parts(task(GPT, seq=16))
    assert sum(found.values()) == 16 * float(total_parameters(GPT).total) + 16 * (
        8 * 34 * 64 + 2 * 64 + 8 * 1000
    )


def test_what_strays_from_theory_is_all_that_the_passes_need() -> None:
    plain, more = (parts(task(on=card(activation_spread=factor), recompute=2)) for factor in (1.0, 1.5))
    for name, part in plain.items():
        moves = name in ("activations", "logits", "working")
        assert more[name] == pytest.approx(part * (1.5 if moves else 1.0), rel=1e-12)
