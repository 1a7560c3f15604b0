"""`estimate serving`: its formats, and exit code 2 for whatever is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
QUESTION = (
    "serving",
    "--model",
    "gpt3-175b",
    "--on",
    "a100-sxm-80gb",
    "--count",
    "8",
    "--prompt",
    "500",
    "--answer",
    "500",
)


def test_the_main_job(estimate: Estimate) -> None:
    ran = estimate(*QUESTION, "--visits-per-day", "25M")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "gpt3-175b, 175 billion parameters served in bf16 on 8 x nvidia-a100-sxm-80gb"
    assert lines[1].startswith("These are bounds, not a model of serving")
    rows = {line.split("  ")[0]: line for line in lines}
    assert "at least 0.0216 s" in rows["Time of a token, one sequence"]
    assert "bound by memory" in rows["Time of a token, one sequence"]
    assert "at least 680" in rows["Cards for the demand"]
    # Three times the 300 billion tokens of its training.
    assert "900 billion" in rows["Serving takes as many as training after"]


def test_the_document(estimate: Estimate) -> None:
    found = json.loads(estimate(*QUESTION, "--format", "json").out)
    assert found["schema"] == "estimator/serving/1"
    assert found["token_time"]["bound"] == "at least"
    assert found["batch_rate"]["bound"] == "at most"
    assert found["accelerators"]["value"] is None
    assert found["fits"] is True
    assert found["question"] == {"model": "gpt3-175b", "on": "a100-sxm-80gb", "count": 8.0, "prompt": 500.0,
                                 "answer": 500.0}  # fmt: skip
    assert found["warnings"][0].startswith("bounds, not a model of serving")


def test_csv_and_markdown(estimate: Estimate) -> None:
    rows = {
        row["name"]: row for row in csv.DictReader(io.StringIO(estimate(*QUESTION, "--format", "csv").out))
    }
    assert float(rows["fewest_accelerators"]["value"]) == 5.0
    assert rows["accelerators"]["value"] == ""
    assert "| Fewest cards that hold it | 5 |" in estimate(*QUESTION, "--format", "markdown").out


def test_a_question_file(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "serving.toml"
    path.write_text('model = "gpt3-175b"\non = "a100-sxm-80gb"\ncount = 8\nprompt = 500\n', encoding="utf-8")
    assert estimate("serving", str(path), "--answer", "500").out == estimate(*QUESTION).out


def test_faults_end_with_code_2_a_line_each(estimate: Estimate) -> None:
    ran = estimate("serving", "--on", "a100", "--visits-per-day", "25M", "--load", "200%", "--batch", "1.5")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "Error: nothing says which model: give --params, --model or --config, like --params 65e9",
        "Error: --batch: '1.5' is not a whole number",
        "Error: --load: '200%' is more than 1, the most that makes sense here",
        "Error: --visits-per-day: a visit without its length is no demand; give --answer too, the tokens written for "
        "each, like --answer 500",
    ]


@pytest.mark.parametrize("words", [("--help",)])
def test_the_help_teaches_by_examples(estimate: Estimate, words: tuple[str, ...]) -> None:
    assert (
        "estimate serving --model llama-65b --on a100-sxm-80gb --count 2 --context 1024"
        in estimate("serving", *words).out
    )
