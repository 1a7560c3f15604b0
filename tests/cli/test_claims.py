"""`estimate claims`: the statements of the articles, listed and shown whole, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.claims import load
from estimator.presets import Presets
from estimator.records import data_dir
from estimator.report.grid import display_width

from .run import Ran

Estimate = Callable[..., Ran]


def document(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/claims/1"
    return found["claims"]


def test_all_38_claims_are_listed_in_order(estimate: Estimate) -> None:
    lines = estimate("claims", "list").out.splitlines()
    assert lines[0].split() == ["id", "verdict", "claim", "stated", "ours", "(range)"]
    ids = [line.split()[0] for line in lines[1:-2] if not line.startswith(" ")]
    assert len(ids) == 38
    assert ids[:9] == ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "B1"]
    assert ids.index("C9") + 1 == ids.index("C10")
    assert ids[-1] == "E6"
    assert lines[-1] == ("What would have to be true, and what else is known: estimate claims check ID")


def test_alone_it_lists(estimate: Estimate) -> None:
    assert estimate("claims").out == estimate("claims", "list").out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_line_is_no_wider_than_a_hundred_columns(estimate: Estimate, language: str) -> None:
    lines = estimate("claims", "--language", language).out.splitlines()
    assert max(map(display_width, lines)) <= 100


@pytest.mark.parametrize(
    ("id", "lines"),
    [
        ("C4", ["C4 holds if One run of GPT-3 1.4 million USD 1."]),
        ("C1", ["C1 holds if A100s behind ChatGPT over 30,000 cards 32,000 (30,384 to 32,000) cards"]),
        # A statement without a number has none of ours beside it, nor has one that cannot be judged.
        ("E4", ["E4 cannot judge Multimodal MoE no number"]),
        ("A7", ["A7 cannot judge Pay at OpenAI 925,000 USD/year"]),
        ("D2", ["D2 does not hold People preparing PaLM 29 29", "530 billion 540 billion"]),
    ],
)
def test_a_claim_in_a_line_and_each_further_statement_below(
    estimate: Estimate, id: str, lines: list[str]
) -> None:
    shown = [" ".join(line.split()) for line in estimate("claims").out.splitlines()]
    start = next(place for place, line in enumerate(shown) if line.startswith(f"{id} "))
    for line, expected in zip(shown[start:], lines, strict=False):
        assert line.startswith(expected)


def test_the_list_in_chinese(estimate: Estimate) -> None:
    shown = [" ".join(line.split()) for line in estimate("claims", "--language", "zh").out.splitlines()]
    assert shown[0] == "编号 结论 说法 所述数字 本工具的值（范围）"
    assert "D7 不成立 PaLM训练人数 11 10" in shown
    assert shown[-1].endswith("estimate claims check ID --language zh")


def test_records_of_ones_own_are_judged_anew(estimate: Estimate, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    text = (data_dir() / "claims" / "D8.toml").read_text(encoding="utf-8")
    (tmp_path / "claims" / "D8.toml").write_text(text.replace("value = 68", "value = 67"), encoding="utf-8")
    words = ("claims", "--search", "D8", "--presets", str(tmp_path))
    line = " ".join(estimate(*words).out.splitlines()[1].split())
    assert line == "D8 holds Authors of PaLM 67 67"


def test_one_claim_is_shown_whole(estimate: Estimate) -> None:
    (claim,) = (claim for claim in load(Presets()) if claim.id == "C4")
    out = estimate("claims", "show", "C4").out
    for word in ("quote", "quote_simplified", "relation", "exercise", "about", "article", "note"):
        assert claim.word(word)
        assert claim.word(word) in out
    assert "1.4e6 USD" in out
    assert len(claim.background) == 4
    for entry in claim.background:
        assert f"- [{entry.evidence}] {entry.text} ({entry.source})" in out


def test_json_has_values_in_house_units(estimate: Estimate) -> None:
    (claim,) = document(estimate("claims", "show", "A4", "--format", "json"))
    assert claim["figures"]["duration"]["value"] == 86400.0
    assert claim["figures"]["duration"]["unit"] == "s"
    assert claim["figures"]["duration"]["text"] == "1 day"
    assert claim["quote"] == load(Presets())[3].word("quote")
    assert all({"text", "source", "evidence"} == set(entry) for entry in claim["background"])
    listed = document(estimate("claims", "--format", "json"))
    assert len(listed) == 38
    assert {each["verdict"] for each in listed} == {"holds", "holds if", "does not hold", "cannot be judged"}


@pytest.mark.parametrize("words", [["show", "c4"], ["C4"], ["c4"], ["show", "C4"]])
def test_an_id_is_matched_in_any_case(estimate: Estimate, words: list[str]) -> None:
    assert estimate("claims", *words).out.startswith("C4: Cost of one training run of GPT-3\n")


def test_several_claims_are_shown_in_the_order_asked(estimate: Estimate) -> None:
    held = document(estimate("claims", "show", "D1", "C4", "--format", "json"))
    assert [claim["id"] for claim in held] == ["D1", "C4"]


def test_csv_has_a_row_for_each_stated_value(estimate: Estimate) -> None:
    found = list(csv.DictReader(io.StringIO(estimate("claims", "--format", "csv").out)))
    assert len({row["id"] for row in found}) == 38
    assert all(None not in row for row in found)
    assert {row["verdict"] for row in found if row["id"] == "C4"} == {"holds if"}
    stated = [row for row in found if row["figure"]]
    assert len(stated) == sum(len(claim.figures) for claim in load(Presets()))
    assert all(float(row["value"]) >= 0 for row in stated)


def test_markdown_is_a_table(estimate: Estimate) -> None:
    lines = estimate("claims", "--format", "markdown").out.splitlines()
    table = lines[: lines.index("")]
    assert len([line for line in table[2:] if not line.startswith("|  |")]) == 38
    assert {line.count(" | ") for line in table} == {4}
    assert "| said |" in estimate("claims", "show", "C4", "--format", "markdown").out


def test_topic_and_search_choose_from_the_list(estimate: Estimate) -> None:
    topic = document(estimate("claims", "--topic", "COST", "--format", "json"))
    assert {"C4", "C5", "D1"} <= {claim["id"] for claim in topic}
    assert all("cost" in (claim["about"] + claim["exercise"]).lower() for claim in topic)
    search = document(estimate("claims", "--search", "3090", "--format", "json"))
    assert 0 < len(search) < 38
    quoted = document(estimate("claims", "--search", "千卡", "--format", "json"))
    assert {"A1", "A3"} <= {claim["id"] for claim in quoted}


def test_columns_of_quotes_line_up(estimate: Estimate) -> None:
    lines = estimate("claims", "show", "A4").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("stated "))
    column = display_width(lines[start][: lines[start].index("where")])
    for line in lines[start + 1 : start + 4]:
        prefix = next(line[:end] for end in range(len(line)) if display_width(line[:end]) == column)
        assert prefix.endswith("  ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "Z9"], "no claim is called 'Z9'; list them with: estimate claims"),
        (["show", "C44"], "no claim is called 'C44'; did you mean 'C4'"),
        (["shwo"], "no claim is called 'shwo'; list them with: estimate claims"),
        (["show"], "claims show: name a claim, like: estimate claims show C4"),
        (["--search", "zzz"], "no claim is about --search 'zzz'; list all with: estimate claims"),
        (
            ["--topic", "cost", "--search", "zzz"],
            "no claim is about --topic 'cost' and --search 'zzz'; list all with: estimate claims",
        ),
        (
            ["C4", "--topic", "cost"],
            "--topic and --search choose from the list; leave out the name of a claim",
        ),
    ],
)
def test_the_words_of_every_fault(estimate: Estimate, words: list[str], message: str) -> None:
    ran = estimate("claims", *words)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(f"Error: {message}")
    assert ran.err.count("\n") == 1


def test_a_claim_that_is_named_twice_is_shown_once(estimate: Estimate) -> None:
    assert [
        claim["id"] for claim in document(estimate("claims", "show", "c4", "D1", "C4", "--format", "json"))
    ] == ["C4", "D1"]
