"""Readers of inputs that are neither plain numbers nor plain words: switches, stages and ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from estimator import QuestionError, Run
from estimator.inputs.run import FIELDS


def read(name: str, value: Any) -> Any:
    return getattr(Run(params=7e9, **{name: value}), name)


@pytest.mark.parametrize(
    ("value", "stage"),
    [
        (0, 0), ("0", 0), (1.0, 1), ("1.0", 1), ("ZeRO-2", 2), ("zero_2", 2), ("zero 2", 2), ("zero3", 3),
        (" FSDP ", 3), (np.float64(3), 3), (np.int64(2), 2),
    ],
)  # fmt: skip
def test_stages_of_sharding(value: Any, stage: float) -> None:
    found = read("zero", value)
    assert found == stage
    assert type(found) is float


@pytest.mark.parametrize("value", [4, -1, "", "zero", "three", True, 1.5, "zero-zero-1", "fsdp2"])
def test_what_is_no_stage(value: Any) -> None:
    with pytest.raises(
        QuestionError, match=r"^--zero: .+ is no stage of sharding; write 0, 1, 2, 3 or fsdp$"
    ):
        read("zero", value)


@pytest.mark.parametrize(
    ("value", "on"),
    [("on", "on"), (True, "on"), ("Yes", "on"), (1, "on"), ("off", "off"), (False, "off"), (0.0, "off")],
)
def test_switches(value: Any, on: str) -> None:
    assert read("sequence_parallel", value) == on


@pytest.mark.parametrize("value", ["maybe", 2, "", "onn"])
def test_what_is_neither_on_nor_off(value: Any) -> None:
    with pytest.raises(QuestionError, match=r"^--sequence-parallel: .+ is neither on nor off$"):
        read("sequence_parallel", value)


@pytest.mark.parametrize(("value", "ranks"), [("ALL", "all"), ("node", "node"), ("64", 64.0), (8, 8.0)])
def test_ranks_over_which_states_are_sharded(value: Any, ranks: Any) -> None:
    assert read("shard", value) == ranks


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("rack", "'rack' is no number of ranks; write one, all or node"),
        (0, "'0' must be more than zero"),
        (1.5, "'1.5' is not a whole number"),
        (True, "'True' is neither text nor a number"),
    ],
)
def test_what_is_no_number_of_ranks(value: Any, message: str) -> None:
    with pytest.raises(QuestionError) as raised:
        read("shard", value)
    assert str(raised.value) == f"--shard: {message}"


@pytest.mark.parametrize("name", ["tp", "pp", "vpp", "cp", "ep"])
def test_degrees_are_whole_and_of_a_size_that_makes_sense(name: str) -> None:
    assert read(name, "8") == 8.0
    for value, fault in (
        (0, "must be more than zero"),
        (1.5, "is not a whole number"),
        (5000, "is more than 4096"),
    ):
        with pytest.raises(QuestionError, match=f"--{name}: .*{fault}"):
            read(name, value)


@pytest.mark.parametrize(
    ("value", "stack"),
    [
        ("Megatron", "megatron"), ("nemo", "megatron"), ("NeMo 24.07 (Megatron-Core)", "megatron"),
        ("Megatron-DeepSpeed", "deepspeed"), ("MaxText", "xla"), ("fsdp", "fsdp"), ("typical", "typical"),
    ],
)  # fmt: skip
def test_stacks_by_their_name_or_a_text_that_holds_it(value: str, stack: str) -> None:
    assert read("stack", value) == stack


def test_a_stack_that_nobody_knows() -> None:
    with pytest.raises(QuestionError) as raised:
        read("stack", "handmade")
    assert str(raised.value) == (
        "--stack: 'handmade' is not known; choose megatron, deepspeed, fsdp, mindspeed, xla, internevo, llmq, "
        "colossalai, neuron, torchtune, lomo"
    )


def test_the_year_of_a_release_may_have_a_fraction() -> None:
    assert read("stack_year", "2024.5") == 2024.5
    for year in (2016, 2031):
        with pytest.raises(QuestionError, match="--stack-year: "):
            read("stack_year", year)


@pytest.mark.parametrize(
    "given",
    [
        {"zero": "fsdp", "shard": "node", "sequence_parallel": "on"},
        {"zero": 0, "shard": 64, "sequence_parallel": "off", "stack": "megatron", "stack_year": 2024.25},
        {"tp": 8, "pp": 16, "vpp": 2, "cp": 4, "ep": 64, "shard": "all"},
    ],
)
def test_a_layout_reads_back_as_it_is_written(given: dict[str, Any]) -> None:
    run = Run(params=7e9, **given)
    assert Run(**run.write()) == run
    assert set(given) < set(FIELDS)
