"""`estimate sources`: each work once, with what rests on it, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator.answer import ask
from estimator.catalogue import RECORD_KINDS
from estimator.inputs import Run
from estimator.presets import Presets
from estimator.report.bibliography import single_references

from .run import Ran

Estimate = Callable[..., Ran]
QUESTION = ("--params", "65e9")


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/sources/1"
    return found


def test_every_source_of_the_answer_is_there_once(estimate: Estimate) -> None:
    held = document(estimate("sources", *QUESTION, "--format", "json"))
    citations = [source["citation"] for source in held["sources"]]
    assert len(citations) == len(set(citations))
    answer = json.loads(estimate("train", *QUESTION, "--format", "json").out)
    assert set(answer["sources"]) <= set(citations)
    assert held["question"] == answer["question"]


def test_every_input_with_a_figure_is_carried_by_its_source(estimate: Estimate) -> None:
    held = document(estimate("sources", *QUESTION, "--format", "json"))
    carried = {use["name"]: (source["citation"], use["where"], use["value"])
               for source in held["sources"] for use in source["inputs"]}  # fmt: skip
    origins = ask(Run(params="65e9")).case.origins
    figures = {name: origin.figure for name, origin in origins.items() if origin.figure}
    assert carried == {name: (each.source.cite(), each.where, each.text) for name, each in figures.items()}


def test_a_paper_that_records_and_formulas_cite_is_one_work(estimate: Estimate) -> None:
    held = document(estimate("sources", *QUESTION, "--format", "json"))
    (zero,) = (source for source in held["sources"] if "1910.02054" in source["citation"])
    assert zero["title"] == "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models"
    assert "optimizer_states" in {use["name"] for use in zero["inputs"]}
    assert {"name": "state_memory", "where": "Section 3.1"} in zero["formulas"]


def test_formulas_are_cited_with_their_equations(estimate: Estimate) -> None:
    out = estimate("sources", *QUESTION).out
    assert (
        '"Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361\n   - formula flops_6nd: Section 2.1'
        in out
    )
    assert "By definition, without a reference: " in out


def test_a_question_file_is_read(estimate: Estimate, tmp_path: Path) -> None:
    question = tmp_path / "run.toml"
    estimate("train", *QUESTION, "--on", "tpu-v4", "--save", str(question))
    question.write_text('params = "65e9"\non = "nvidia-h100-sxm-80gb"\n', encoding="utf-8")
    assert "H100 SXM5 80GB, bf16 dense" in estimate("sources", str(question)).out
    assert "H100 SXM5 80GB, bf16 dense" not in estimate("sources", str(question), "--on", "tpu-v4").out


def test_csv_has_a_row_for_each_use(estimate: Estimate) -> None:
    found = list(csv.DictReader(io.StringIO(estimate("sources", *QUESTION, "--format", "csv").out)))
    assert list(found[0]) == ["source", "carries", "name", "where", "value"]
    assert {row["carries"] for row in found} == {"input", "formula"}
    assert len({(row["source"], row["name"], row["carries"]) for row in found}) == len(found)


def test_markdown_is_a_numbered_list(estimate: Estimate) -> None:
    out = estimate("sources", *QUESTION, "--format", "markdown").out
    assert out.startswith("1. ")
    assert "\n   - input" in out


def test_all_counts_every_figure_of_every_record(estimate: Estimate) -> None:
    held = document(estimate("sources", "--all", "--format", "json"))["sources"]
    assert len({source["citation"] for source in held}) == len(held) > 100
    grids = [source for source in held if source["kinds"] == ["grids"]]
    assert grids
    figures = sum(len(record.figures) for kind in RECORD_KINDS for record in Presets().all(kind))
    assert sum(source["figures"] for source in held) == figures
    assert held[0]["figures"] + held[0]["rows"] >= held[-1]["figures"] + held[-1]["rows"] > 0


def test_all_writes_every_format(estimate: Estimate) -> None:
    found = list(csv.DictReader(io.StringIO(estimate("sources", "--all", "--format", "csv").out)))
    assert list(found[0]) == ["figures", "rows", "source", "kinds", "licence"]
    assert estimate("sources", "--all", "--format", "markdown").out.startswith(
        "| figures | rows | source |\n"
    )
    assert f"{len(found)} sources carry " in estimate("sources", "--all").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--all", "--params", "7B"], "--all: lists the sources of every record; leave the question out"),
        (["--all", "run.toml"], "--all: lists the sources of every record; leave the question out"),
        ([], "nothing says which model: give --params, --model or --config, like --params 65e9"),
        (["no-such.toml"], "'no-such.toml' does not exist; name a question file, as --save writes it"),
        (["--params", "65GB"], "--params: '65GB' is not a count; write it like 65e9, 65B or 1.4T"),
    ],
)
def test_the_words_of_every_fault(estimate: Estimate, words: list[str], message: str) -> None:
    ran = estimate("sources", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("", []),
        ("A. Author, 2020, arXiv:2001.08361.", [("A. Author, 2020, arXiv:2001.08361", "")]),
        (
            ".. [1] A. Author, arXiv:2001.08361, Eq. 1. .. [2] B. Author, arXiv:2104.04473.",
            [("A. Author, arXiv:2001.08361", "Eq. 1"), ("B. Author, arXiv:2104.04473", "")],
        ),
        ("Some page, ``key``; see another.", [("Some page, key; see another", "")]),
    ],
)
def test_references_are_told_apart(text: str, works: list[tuple[str, str]]) -> None:
    assert single_references(text) == works
