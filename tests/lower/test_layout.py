"""The layout of a question: its columns, their origins, the words that tell it, and what is noted."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Case, Presets, QuestionError, Run, ask
from estimator.inputs.stacks import STACKS
from estimator.lower import lower
from estimator.lower.layout import INPUTS

PRESETS = Presets()
USUAL = {"tp": 1, "pp": 1, "vpp": 1, "cp": 1, "ep": 1, "zero": 3, "shard": math.inf, "sequence_parallel": 0}


def case(**question: Any) -> Case:
    return lower(Run.read({"model": "llama-65b", "count": 1024, **question}, PRESETS), PRESETS)


def columns(**question: Any) -> dict[str, float]:
    found = case(**question)
    return {name: float(found.columns[name]) for name in INPUTS}


def test_a_silent_question_is_fully_sharded_and_says_so_once() -> None:
    assert columns() == USUAL
    found = case()
    assert found.words["sharding"] == "fully sharded (ZeRO-3)"
    assert found.origins["sharding"].kind == "assumed"
    assert {found.origins[name].kind for name in INPUTS} == {"derived"}


@pytest.mark.parametrize(
    ("given", "column", "value"),
    [
        ({"tp": "8"}, "tp", 8), ({"pp": 16}, "pp", 16), ({"pp": 16, "vpp": 5}, "vpp", 5), ({"cp": 4}, "cp", 4),
        ({"model": "deepseek-v3", "ep": 64}, "ep", 64),
        ({"zero": 0}, "zero", 0), ({"zero": "ZeRO-1"}, "zero", 1), ({"zero": "fsdp"}, "zero", 3),
        ({"shard": "all"}, "shard", math.inf), ({"shard": 32}, "shard", 32), ({"shard": "node"}, "shard", 8),
        ({"shard": "node", "tp": 4}, "shard", 2), ({"shard": "node", "tp": 16}, "shard", 1),
        ({"tp": 8}, "sequence_parallel", 1), ({"tp": 8, "sequence_parallel": "off"}, "sequence_parallel", 0),
        ({"pp": 8}, "sequence_parallel", 0), ({"sequence_parallel": True}, "sequence_parallel", 1),
    ],
)  # fmt: skip
def test_inputs_become_columns(given: dict[str, Any], column: str, value: float) -> None:
    assert columns(**given)[column] == value
    assert case(**given).origins[column].kind == (
        "given" if column in given else "assumed" if "tp" in given else "derived"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tp": 8, "pp": 16, "zero": 1}, "tensor 8, pipeline 16, data 8, ZeRO-1"),
        ({"tp": 8, "pp": 16, "vpp": 5, "zero": 0}, "tensor 8, pipeline 16, interleaved 5, data 8, not sharded"),
        ({"cp": 4, "zero": 2, "shard": 8}, "context 4, data 256, ZeRO-2 over 8"),
        ({"zero": 3, "shard": "node"}, "data 1,024, ZeRO-3 over 8"),
        ({"zero": 0, "shard": "node"}, "data 1,024, not sharded"),
        ({"zero": 3}, "fully sharded (ZeRO-3)"),
        ({"model": "deepseek-v3", "ep": 64, "pp": 16, "zero": 1}, "pipeline 16, expert 64, data 64, ZeRO-1"),
    ],
)  # fmt: skip
def test_words_tell_the_layout(given: dict[str, Any], words: str) -> None:
    found = case(**given)
    assert found.words["sharding"] == words
    assert found.origins["sharding"].kind == "given"


def test_what_is_assumed_beside_a_given_degree_is_listed_with_its_option() -> None:
    origins = case(tp=8).origins
    assert (origins["zero"].kind, origins["zero"].option) == ("assumed", "--zero")
    assert (origins["sequence_parallel"].kind, origins["sequence_parallel"].option) == (
        "assumed", "--sequence-parallel",
    )  # fmt: skip
    assert case(tp=8, zero=1, sequence_parallel="on").origins["zero"].kind == "given"


def test_the_software_becomes_a_code_and_a_year() -> None:
    silent, given = case(), case(stack="NeMo 24.07", stack_year=2024.5)
    assert (STACKS[int(silent.columns["stack"])], STACKS[int(given.columns["stack"])]) == (
        "typical",
        "megatron",
    )
    # The H100 is of 2022, and two years later its software is what most have.
    assert (silent.columns["stack_year"], given.columns["stack_year"]) == (2024.0, 2024.5)
    for found, kind in ((silent, "assumed"), (given, "given")):
        assert [found.origins[name].kind for name in ("stack", "stack_year")] == [kind, kind]
    assert [silent.origins[name].option for name in ("stack", "stack_year")] == ["--stack", "--stack-year"]
    assert (silent.words["stack"], given.words["stack"]) == ("typical", "megatron")


def test_the_software_of_a_new_chip_is_no_newer_than_the_newest_measured() -> None:
    latest = PRESETS.load("assumptions", "software").value("latest")
    launches = {chip.id: chip.words.get("launch") for chip in PRESETS.all("accelerators")}
    new = [chip for chip, launch in launches.items() if launch and float(str(launch)) + 2 > latest]
    assert new
    assert {float(case(on=chip).columns["stack_year"]) for chip in new} == {latest}


def test_an_assumed_batch_is_nobodys_fault() -> None:
    """Llama 3.1's 16 M tokens a step are 1,953 sequences of 8,192 and divide by nothing: they give way."""
    found = ask(
        Run.read({"model": "llama-3.1-405b", "count": 512, "tp": 8, "pp": 16, "seq": 8192}, PRESETS), PRESETS
    )
    replicas = 512 / (8 * 16)
    batch = float(found.global_batch.value)
    assert batch % (replicas * float(found.micro_batch.value)) == 0
    assert batch * 8192 == pytest.approx(16e6, rel=0.02)
    assert not any("divide" in note for note in found.case.notes if "batch" in note)


def noted(**question: Any) -> list[str]:
    return [note for note in case(**question).notes if "layers" in note or "tensor" in note]


def test_stages_of_unequal_depth_are_noted() -> None:
    assert noted(pp=16) == []
    assert noted(model="llama-3.1-405b", pp=16) == [
        "126 layers do not divide evenly into 16 pipeline stages: the deepest stages hold 8 and set the pace"
    ]
    assert noted(model="llama-3.1-405b", pp=8, vpp=4) == [
        "126 layers do not divide evenly into 8 pipeline stages of 4 chunks: "
        "the deepest chunks hold 4 and set the pace"
    ]
    assert noted(model=None, params="65B", pp=16) == []


def test_tensor_parallelism_beyond_a_node_is_noted() -> None:
    assert noted(tp=8) == []
    assert noted(tp=16) == [
        "tensor parallelism over 16 accelerators reaches beyond a node of 8: its exchange goes over the network"
    ]
    assert noted(tp=16, node="nvidia-gb200-nvl72", count=144) == []


@given(st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 12), st.sampled_from([1, 2, 4]), st.floats(1, 1000))
@settings(deadline=None, max_examples=25)
def test_the_count_that_a_deadline_leaves_open_is_whole_replicas_and_nodes(
    tp: int, pp: int, cp: int, days: float
) -> None:
    run = Run.read({"model": "llama-65b", "tp": tp, "pp": pp, "cp": cp, "within": f"{days!r} days"}, PRESETS)
    found = ask(run, PRESETS)
    count = int(found.count.value)
    assert count % (tp * pp * cp) == 0
    assert count % 8 == 0
    assert f"data {count // (tp * pp * cp):,}" in found.case.words["sharding"] or tp * pp * cp == 1
    assert ask(Run.read({**run.given(), "within": None, "count": count}, PRESETS), PRESETS)


def test_a_batch_is_too_small_for_replicas_and_not_for_accelerators() -> None:
    found = ask(Run.read({"params": 7e9, "count": 512, "tp": 8, "global_batch": 64}, PRESETS), PRESETS)
    assert not any("idle" in note for note in found.case.notes)


def test_a_machine_that_is_at_fault_does_not_hide_the_layout() -> None:
    with pytest.raises(QuestionError, match=r"--node: .*\n--tp: 48 does not divide the 64 heads") as raised:
        case(on="a100", node="nvidia-dgx-h100", tp=48, count=None)
    assert len(str(raised.value).splitlines()) == 3
