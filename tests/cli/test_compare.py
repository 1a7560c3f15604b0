"""`estimate compare`: questions side by side, their ratios with ranges, and whose fault a fault is."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.compare import compare

from .run import Ran

Estimate = Callable[..., Ran]
BASE = ("--params", "7B", "--tokens", "1T", "--on", "nvidia-h100-sxm-80gb", "--count", "64")
HOW = "name two question files, or one question and --against, like --against on=a100"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text('params = "7B"\ntokens = "1T"\non = "h100"\ncount = 64\n', encoding="utf-8")
    two.write_text('params = "13B"\ntokens = "1T"\non = "h100"\ncount = 64\n', encoding="utf-8")
    return str(one), str(two)


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/compare/1"
    return found


def test_two_files_are_put_side_by_side(estimate: Estimate, files: tuple[str, str]) -> None:
    held = document(estimate("compare", *files, "--format", "json"))
    assert held["names"] == list(files)
    assert [each["schema"] for each in held["questions"]] == ["estimator/estimate/1"] * 2
    for name, ratio in held["ratios"][1].items():
        one, two = (each[name]["value"] for each in held["questions"])
        assert ratio == pytest.approx(two / one), name
    assert set(held["ratios"][0].values()) == {1.0}
    assert held["differences"]["given"] == {"params": [7e9, 13e9]}


def test_each_question_is_answered_as_train_answers_it(estimate: Estimate, files: tuple[str, str]) -> None:
    held = document(estimate("compare", *files, "--format", "json"))
    for name, answered in zip(files, held["questions"], strict=True):
        assert answered == json.loads(estimate("train", name, "--format", "json").out)


def test_options_apply_to_every_file(estimate: Estimate, files: tuple[str, str]) -> None:
    held = document(estimate("compare", *files, "--tokens", "2T", "--nodes", "4", "--format", "json"))
    for answered in held["questions"]:
        assert answered["question"]["tokens"] == 2e12
        assert answered["question"]["nodes"] == 4
        assert "count" not in answered["question"]


def test_against_replaces_inputs_and_drops_their_rivals(estimate: Estimate) -> None:
    against = (
        "--against",
        "on=ascend-910b, within=30 days",
        "--against",
        "--tokens-per-param=20,price=2 USD/gpu/hour",
    )
    first, second, third = document(estimate("compare", *BASE, *against, "--format", "json"))["questions"]
    assert first["question"]["count"] == 64
    assert "count" not in second["question"]
    assert second["question"]["within"] == "30 day"
    assert second["layout"]["accelerator"].startswith("huawei-ascend-910b")
    assert "tokens" not in third["question"]
    assert third["question"]["tokens_per_param"] == 20
    assert third["question"]["price"] == "2.0 USD/gpu/hour"


def test_against_varies_the_first_file(estimate: Estimate, files: tuple[str, str]) -> None:
    held = document(estimate("compare", *files, "--against", "count=128", "--format", "json"))
    assert [each["question"]["count"] for each in held["questions"]] == [64, 64, 128]
    assert [each["question"]["params"] for each in held["questions"]] == [7e9, 13e9, 7e9]


def test_without_a_base_the_variants_are_compared(estimate: Estimate) -> None:
    held = document(
        estimate("compare", "--against", "params=7B", "--against", "params=13B", "--format", "json")
    )
    assert [each["question"]["params"] for each in held["questions"]] == [7e9, 13e9]


def test_the_table_begins_with_what_differs(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--against", "on=nvidia-a100-sxm-80gb").out
    differs, quantities = out.index("differs as given"), out.index("quantity (range, 80 %)")
    assert differs < out.index("and so differs") < quantities
    assert "nvidia-h100-sxm-80gb  nvidia-a100-sxm-80gb\n" in out[differs:quantities]
    assert "\npeak " in out[differs:quantities]
    assert "tokens" not in out[differs:quantities]
    assert "accelerator hours" in out[quantities:]


def test_an_input_left_out_shows_what_was_taken(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--against", "mfu=0.5").out
    line = next(line for line in out.splitlines() if line.startswith("mfu "))
    assert re.fullmatch(r"mfu +[\d.]+ %, modelled  50 %", line)
    assert "given_mfu" not in out


def test_layouts_that_were_found_are_told_in_one_row(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--against", "params=400B").out
    followed = out[out.index("and so differs") : out.index("quantity (range, 80 %)")]
    rows = {line.split("  ")[0] for line in followed.splitlines()}
    assert "layout" in rows
    assert not rows & {"tp", "pp", "zero", "sharding"}


def test_a_layout_that_is_given_is_told_degree_by_degree(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--tp", "2", "--against", "tp=4,stack-year=2023.5").out
    given = out[out.index("differs as given") : out.index("and so differs")]
    assert [line.split() for line in given.splitlines()[1:3]] == [
        ["tp", "2", "4"],
        ["stack_year", "2024,", "assumed", "2023.5"],
    ]


def test_shared_unknowns_move_both_answers_alike(estimate: Estimate) -> None:
    base = (*BASE, "--global-batch", "1024")  # an assumed one would grow with the tokens
    held = document(estimate("compare", *base, "--against", "tokens=1.2T", "--format", "json"))
    assert held["ratios"][1]["cost"] == pytest.approx(1.2)
    assert held["ratio_ranges"][1]["cost"] == pytest.approx([1.2, 1.2])
    assert held["verdicts"] == [
        "cost: B is 1.2 of A (dearer); the ranges overlap, but what is unknown moves both alike: B stays dearer",
        "wall clock: B is 1.2 of A (slower); the ranges overlap, but what is unknown moves both alike: B stays slower",
    ]


def test_unknowns_of_their_own_may_turn_the_order_round(estimate: Estimate) -> None:
    held = document(
        estimate("compare", *BASE, "--against", "on=nvidia-h200-sxm-141gb,count=72", "--format", "json")
    )
    low, high = held["ratio_ranges"][1]["wall_clock"]
    assert low < held["ratios"][1]["wall_clock"] < high
    assert low < 1 < high
    assert held["verdicts"][1].endswith("; the ranges overlap, so this may turn round")


def test_answers_that_meet_by_chance_are_not_called_equal(estimate: Estimate) -> None:
    recorded = json.loads(estimate("train", *BASE, "--format", "json").out)["mfu"]["value"]
    held = document(estimate("compare", *BASE, "--against", f"mfu={recorded}", "--format", "json"))
    assert held["verdicts"][1] == "wall clock: B is the same as A at the estimate, but may be more or less"


def test_answers_that_are_far_apart_do_not_overlap(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--global-batch", "1024", "--against", "tokens=100T").out
    assert "wall clock: B is 100 of A (slower); the ranges do not overlap.\n" in out


def test_the_same_question_twice_is_the_same(estimate: Estimate) -> None:
    held = document(estimate("compare", *BASE, "--against", "count=64", "--format", "json"))
    assert held["verdicts"] == ["cost: B is the same as A", "wall clock: B is the same as A"]
    assert held["differences"] == {"given": {}, "followed": {}}


def test_money_of_two_currencies_has_no_ratio(estimate: Estimate) -> None:
    held = document(estimate("compare", *BASE, "--against", "currency=CNY", "--format", "json"))
    assert held["ratios"][1]["cost"] is None
    assert held["verdicts"][0] == (
        "cost: no ratio of B to A, as A is in USD and B in CNY; give both the same --currency"
    )


def test_a_cost_that_is_not_known_has_no_ratio(estimate: Estimate) -> None:
    held = document(estimate("compare", *BASE, "--against", "on=huawei-ascend-910b2", "--format", "json"))
    assert held["ratios"][1]["cost"] is None
    assert held["verdicts"][0] == "cost: no ratio of B to A, as it is not known for both"


def test_warnings_name_their_question(estimate: Estimate) -> None:
    out = estimate("compare", *BASE, "--against", "on=rtx-3090,count=1,params=65B").out
    assert "\nWarning, B: does not fit: " in out
    assert "Warning, A" not in out


def test_csv_has_a_row_for_each_question_and_quantity(estimate: Estimate, files: tuple[str, str]) -> None:
    found = list(csv.DictReader(io.StringIO(estimate("compare", *files, "--format", "csv").out)))
    assert {row["question"] for row in found} == {"A", "B"}
    costs = {row["question"]: row for row in found if row["name"] == "cost"}
    assert float(costs["B"]["ratio"]) == float(costs["B"]["value"]) / float(costs["A"]["value"])
    assert float(costs["A"]["low"]) <= float(costs["A"]["value"]) <= float(costs["A"]["high"])


def test_markdown_has_a_table_of_quantities(estimate: Estimate, files: tuple[str, str]) -> None:
    out = estimate("compare", *files, "--format", "markdown").out
    assert "| quantity (range, 80 %) | A | B | B / A |\n| --- | --- | --- | --- |\n" in out


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        ([], [f"nothing to compare: no question is given; {HOW}"]),
        (["--params", "7B"], [f"nothing to compare: only one question is given; {HOW}"]),
        (["--against", "params=7B"], [f"nothing to compare: only one question is given; {HOW}"]),
        (
            ["--params", "7B", "--against", "on=a200", "--against", "tokens=1 TB"],
            [
                "question 2: --on: no accelerator is called 'a200'; did you mean 'h200' or 'b200' or 'a800'?",
                "question 3: --tokens: '1 TB' is not a count; write it like 65e9, 65B or 1.4T",
            ],
        ),
        (
            ["--params", "7GB", "--against", "on=a100"],
            [
                "question 1: --params: '7GB' is not a count; write it like 65e9, 65B or 1.4T",
                "question 2: --params: '7GB' is not a count; write it like 65e9, 65B or 1.4T",
            ],
        ),
        (
            ["no-such.toml", "--against", "on"],
            [
                "question 1: 'no-such.toml' does not exist; name a question file, as --save writes it",
                "question 2: --against: 'on' is not NAME=VALUE; write it like on=h100,count=512",
            ],
        ),
        (
            ["--params", "7B", "--against", "on=a100,on=h100"],
            ["question 2: --against: 'on' is given twice; write it like on=h100,count=512"],
        ),
        (
            ["--params", "7B", "--against", "on="],
            ["question 2: --against: 'on=' is not NAME=VALUE; write it like on=h100,count=512"],
        ),
        (
            ["--params", "7B", "--against", "tokns=1T"],
            ["question 2: there is no input 'tokns'; did you mean 'tokens'"],
        ),
        (
            ["--params", "7B", "--against", "on=rtx-3090,precision=fp8"],
            ["question 2: --precision: nvidia-rtx-3090 has no recorded peak in fp8; it has "],
        ),
    ],
)
def test_the_words_of_every_fault(estimate: Estimate, words: list[str], faults: list[str]) -> None:
    ran = estimate("compare", *words)
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert len(lines) == len(faults)
    for line, fault in zip(lines, faults, strict=True):
        assert line.startswith(f"Error: {fault}")


def test_the_library_compares_as_the_command_does() -> None:
    both = compare([{"params": "7B", "tokens": "1T"}, {"params": "7B", "tokens": "2T"}])
    ratio = both.ratio(1, "flops")
    assert ratio is not None
    assert (ratio.value, ratio.sure) == (2.0, True)
    assert list(both.given) == ["tokens"]
