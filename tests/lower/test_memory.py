"""What a question says of memory becomes columns: method, adapters, offloading, and what its software takes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from estimator import Case, Presets, Run
from estimator.errors import QuestionError
from estimator.formulas.memory_card import Card
from estimator.formulas.memory_states import Method
from estimator.lower import lower
from estimator.lower.memory import METHODS, card_figures, gradient_bytes, method_columns, stack_columns

PRESETS = Presets()
RULES = PRESETS.load("assumptions", "memory")
FITTED = PRESETS.load("calibrations", "memory")
GIVEN: dict[str, Any] = {"model": "llama-7b", "on": "nvidia-a100-sxm-80gb", "count": 8}


def case(**given: Any) -> Case:
    return lower(Run.read({**GIVEN, **given}, PRESETS), PRESETS)


def column(name: str, **given: Any) -> float:
    return float(case(**given).columns[name])


def test_every_field_of_the_records_is_a_column() -> None:
    columns = set(case().columns)
    assert {f"method_{name}" for name in Method._fields} | set(Card._fields) <= columns


def test_a_silent_question_trains_all_weights_on_the_card() -> None:
    found = case()
    assert {name: float(found.columns[f"method_{name}"]) for name in Method._fields} == dict.fromkeys(
        Method._fields, 0.0
    )
    assert (found.words["method"], found.words["offload"]) == ("full", "none")
    assert {found.origins[name].kind for name in ("method", "offload")} == {"derived"}


def test_methods_freeze_weights_of_so_many_bytes() -> None:
    # Dettmers et al. 2023, Section 3: 4 bits, and 0.127 of doubly quantised constants.
    assert column("method_base", method="qlora") == (4 + 0.127) / 8
    assert column("method_base_outer", method="qlora") == 4
    assert column("method_base", method="lora") == column("method_base_outer", method="lora") == 2
    assert [column("method_frozen", method=method) for method in METHODS] == [0, 1, 1]


def test_a_rank_that_is_not_given_is_an_assumption_of_adapters_alone() -> None:
    found = case(method="lora")
    assert float(found.columns["method_rank"]) == RULES.value("rank")
    assert found.origins["method_rank"].kind == "assumed"
    assert found.origins["method_rank"].option == "--rank"
    assert case(method="qlora", rank=64).origins["method_rank"].kind == "given"
    assert column("method_rank", method="qlora", rank=64) == 64
    assert case().origins["method_rank"].kind == "derived"


def test_a_rank_without_adapters_is_refused() -> None:
    with pytest.raises(QuestionError) as told:
        case(rank=8)
    assert str(told.value) == "--rank: full training has no adapters; add --method lora or --method qlora"


@pytest.mark.parametrize(("word", "code"), [("none", 0), ("optimizer", 1), ("all", 2)])
def test_offloading_becomes_its_code(word: str, code: float) -> None:
    assert column("method_offload", offload=word) == code


@pytest.mark.parametrize(
    ("stack", "unfused", "eager", "layers", "copies"),
    [
        ("", False, 0, math.inf, 0),
        ("", True, 1, math.inf, 0),
        ("megatron", True, 0, math.inf, 0),
        ("deepspeed", False, 0, math.inf, 4),
        ("fsdp", False, 1, 2, 0),
        ("lomo", True, 1, math.inf, 4),
        ("torchtune", False, 1, 2, 0),
    ],
)
def test_stacks_by_what_their_code_does(
    stack: str, unfused: bool, eager: float, layers: float, copies: float
) -> None:
    found = stack_columns(RULES, stack, unfused=unfused)
    assert (found["eager"], found["live_layers"], found["update_copies"]) == (eager, layers, copies)
    assert found["loss_workspace"] < RULES.value("loss_workspace_eager") or eager


def test_a_loss_in_chunks_keeps_an_eighth() -> None:
    assert stack_columns(RULES, "torchtune", unfused=False)["logit"] == 6 / 8
    assert stack_columns(RULES, "megatron", unfused=False)["logit"] == 6


@pytest.mark.parametrize(
    ("stack", "precision", "zero", "usual", "expected"),
    [
        ("megatron", "bf16", 1, 2, 4),  # the sum in place of the gradient
        ("megatron", "fp16", 1, 2, 2),
        ("megatron", "bf16", 1, 4, 4),
        ("deepspeed", "bf16", 1, 2, 6),  # beside it
        ("deepspeed", "bf16", 3, 2, 2),
        ("deepspeed", "fp16", 1, 2, 2),
        ("", "bf16", 1, 2, 2),
    ],
)
def test_gradients_that_a_stack_sums_in_32_bit(
    stack: str, precision: str, zero: float, usual: float, expected: float
) -> None:
    assert gradient_bytes(RULES, stack, precision, zero, usual) == expected


def test_megatron_takes_18_bytes_a_parameter() -> None:
    found = case(stack="megatron", precision="bf16")
    names = ("weights", "gradients", "master", "states")
    assert sum(float(found.columns[f"optimizer_{name}"]) for name in names) == 18
    assert found.origins["optimizer_gradients"].option == "--stack"
    # An optimizer without 32-bit weights keeps its own gradients.
    assert column("optimizer_gradients", stack="megatron", optimizer="lomo", precision="bf16") == 2


def test_what_was_fitted_carries_the_range() -> None:
    found = case()
    unknowns = {unknown.name: unknown for unknown in found.unknowns}
    for name in ("fragmentation", "activation_spread"):
        figure = FITTED.figures[name]
        assert float(unknowns[name].low[name]) == figure.low < float(found.columns[name]) == figure.value
        assert float(unknowns[name].high[name]) == figure.high > figure.value
    assert not {"device_context", "communicator"} & unknowns.keys()


def test_fine_tuning_strays_further() -> None:
    wide = card_figures(PRESETS, tuning=True)["activation_spread"]
    assert wide == FITTED.figures["activation_spread_tuning"]
    (found,) = [each for each in case(method="lora").unknowns if each.name == "activation_spread"]
    assert float(found.high["activation_spread"]) == wide.high


def test_the_record_tells_its_errors_out_of_sample() -> None:
    errors = {(each["way"], each["rows_of"]): each for each in FITTED.words["errors"]}
    left_out = "a quarter of the configurations left out in turn", "a whole source left out in turn"
    for way in left_out:
        assert errors[way, "measured"]["median"] <= 0.10
        assert errors[way, "pretraining"]["median"] <= 0.05


def test_methods_are_those_of_the_option() -> None:
    assert {name for name in METHODS if method_columns(RULES, name)} == {"full", "lora", "qlora"}
