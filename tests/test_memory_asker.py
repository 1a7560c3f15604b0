"""Whether a run fits, and the changes that make it fit: each is the same question, asked with it."""

from __future__ import annotations

from typing import Any

import pytest

from estimator import Presets, Run, ask
from estimator.errors import QuestionError
from estimator.memory import Advice, Change, advise, changed

PRESETS = Presets()
# LLaMA-7B with Adam on one node of 40 GB cards, everything on each card.
GIVEN: dict[str, Any] = {
    "model": "llama-7b", "on": "nvidia-a100-sxm-40gb", "count": 8, "seq": 2048, "tp": 1, "pp": 1, "cp": 1, "zero": 0,
    "micro_batch": 1, "global_batch": 512, "recompute": "full", "tokens": "1T",
}  # fmt: skip


def advice(**given: Any) -> Advice:
    question = {name: value for name, value in {**GIVEN, **given}.items() if value is not None}
    return advise(Run.read(question, PRESETS), PRESETS)


@pytest.fixture(scope="module")
def tight() -> Advice:
    return advice()


def inputs(found: Advice) -> list[dict[str, Any]]:
    return [dict(change.inputs) for change in found.changes]


def test_what_fits_needs_no_change() -> None:
    found = advice(zero=3)
    assert bool(found.estimate.fits)
    assert list(found.changes) == []


def test_every_change_is_the_answer_to_the_question_with_it(tight: Advice) -> None:
    assert not bool(tight.estimate.fits)
    assert len(tight.changes) > 4
    for change in tight.changes:
        asked = ask(changed(Run.read(GIVEN, PRESETS), change.inputs, PRESETS), PRESETS)
        assert bool(asked.fits), change.inputs
        assert change.memory == pytest.approx(float(asked.memory.value), rel=1e-12)
        speed = float(asked.throughput_per_accelerator.value)
        assert change.throughput == pytest.approx(speed, rel=1e-12)


def test_changes_are_those_that_one_would_try(tight: Advice) -> None:
    found = inputs(tight)
    assert {name for each in found for name in each} >= {"zero", "tp", "optimizer", "method", "offload"}
    assert {"optimizer": "lomo"} in found
    assert {"method": "qlora"} in found
    # The whole model with Adam takes 100 GiB a card: full recomputation is asked already, a micro-batch of 1 too.
    assert not any("recompute" in each or "micro_batch" in each for each in found)


def test_changes_are_ordered_by_speed(tight: Advice) -> None:
    speeds = [change.throughput for change in tight.changes]
    assert speeds == sorted(speeds, reverse=True)
    # States on the host are slower than states that more ranks share.
    place = {str(each): speed for each, speed in zip(inputs(tight), speeds, strict=True)}
    assert place["{'offload': 'optimizer'}"] < place["{'zero': 2.0}"]


def test_of_one_inputs_values_the_best_stays(tight: Advice) -> None:
    names = [
        tuple(sorted(each)) for each in inputs(tight) if not any(isinstance(v, str) for v in each.values())
    ]
    assert len(names) == len(set(names))


LARGE = {"recompute": "none", "micro_batch": 8, "zero": 3, "seq": 4096}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(LARGE, "recompute", id="more recomputed"),
        pytest.param(LARGE, "micro_batch", id="fewer at a time"),
        pytest.param({**LARGE, "micro_batch": 1, "attention": "unfused"}, "attention", id="a fused kernel"),
    ],
)
def test_what_helps_activations(given: dict[str, Any], expected: str) -> None:
    found = advice(**given)
    assert not bool(found.estimate.fits)
    assert any(list(each) == [expected] for each in inputs(found)), inputs(found)


def test_more_cards_are_the_fewest_nodes_that_hold_it() -> None:
    found = advice(
        model="llama-65b", count=16, zero=3, tp=None, pp=None, cp=None, recompute=None, micro_batch=None
    )
    (more,) = [change for change in found.changes if "count" in change.inputs]
    count = float(more.inputs["count"])
    assert count % 8 == 0
    given = {
        name: value
        for name, value in GIVEN.items()
        if name not in ("tp", "pp", "cp", "recompute", "micro_batch")
    }
    less = Run.read({**given, "model": "llama-65b", "zero": 3, "count": count - 8}, PRESETS)
    assert count - 8 == 16 or not bool(ask(less, PRESETS).fits)


def test_where_no_change_alone_is_enough_pairs_are_tried() -> None:
    found = advice(
        model="llama-65b", micro_batch=8, recompute="none", seq=8192, count=8, method="lora", on="rtx-4090"
    )
    assert not bool(found.estimate.fits)
    assert all(len(change.inputs) == 2 or "count" in change.inputs for change in found.changes)
    for change in found.changes:
        assert change.fits


def test_a_layout_that_is_left_open_is_chosen_anew_for_each_change() -> None:
    free = dict.fromkeys(("tp", "pp", "cp", "zero", "micro_batch", "recompute", "global_batch"))
    found = advice(**free, model="llama-65b", on="rtx-3090", seq=1024)
    names = {name for each in inputs(found) for name in each}
    assert names == {"optimizer", "method", "offload", "count"}


def test_a_card_of_unknown_memory_gets_no_advice() -> None:
    unknown = next(
        (name for name in PRESETS.files("accelerators")
         if not {"memory", "memory_usable"} & PRESETS.load("accelerators", name).figures.keys()),
        None,
    )  # fmt: skip
    if unknown is None:
        pytest.skip("every accelerator has a memory on record")
    found = advice(on=unknown, zero=None, tp=None, pp=None, cp=None)
    assert list(found.changes) == []


def test_a_fault_of_the_question_itself_is_told() -> None:
    with pytest.raises(QuestionError):
        advice(tp=3)


def test_a_change_replaces_what_contradicts_it() -> None:
    base = Run(params=7e9, nodes=2, on="h100")
    assert changed(base, {"count": 32.0, "recompute": "full"}, PRESETS).write() == {
        "params": 7e9, "on": "h100", "count": 32.0, "recompute": "full",
    }  # fmt: skip


def test_a_change_says_what_it_leaves() -> None:
    change = Change({"zero": 3.0}, 1.0, 2.0, fits=True)
    assert (change.memory, change.throughput, change.fits) == (1.0, 2.0, True)
