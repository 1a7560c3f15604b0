"""`estimate train`: its answer in every format, and the exact words for all that can be wrong with a question."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from estimator.cli.main import COMMANDS

from .run import Ran

Estimate = Callable[..., Ran]
KEYS = (
    "schema question flops flops_6nd step_time memory throughput throughput_per_accelerator mfu hfu "
    "scaling_efficiency goodput accelerator_hours occupied_hours wall_clock power energy carbon cost layout "
    "assumptions warnings sources"
).split()
UNITS = {
    "flops": "FLOP", "flops_6nd": "FLOP", "memory": "byte", "throughput": "token/s",
    "throughput_per_accelerator": "token/s", "mfu": "1", "hfu": "1", "scaling_efficiency": "1", "step_time": "s",
    "accelerator_hours": "hour", "occupied_hours": "hour", "wall_clock": "s",
    "power": "W", "energy": "kWh", "carbon": "kg", "cost": "USD",
}  # fmt: skip


def document(ran: Ran) -> dict[str, object]:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_main_job(estimate: Estimate) -> None:
    ran = estimate("train", "--params", "65e9")
    assert ran.code == 0
    assert ran.err == ""
    for words in (
        "65 billion parameters, 1.3 trillion tokens",
        "Accelerator-hours",
        "Cost",
        "A step of",
        "matrix products",
        "Assumed",
    ):
        assert words in ran.out
    for option in (
        "--tokens",
        "--on",
        "--within",
        "--optimizer",
        "--price",
        "--grid",
        "--pue",
        "--plan",
        "--tp",
        "--micro-batch",
        "--global-batch",
        "--stack",
        "--stack-year",
    ):
        assert option in ran.out


def test_the_document_has_every_key_and_unit(estimate: Estimate) -> None:
    answer = document(estimate("train", "--params", "65e9", "--format", "json"))
    assert set(KEYS) <= set(answer)
    for name, unit in UNITS.items():
        quantity = answer[name]
        assert isinstance(quantity, dict)
        assert quantity["unit"] == unit
        assert {"value", "unit", "low", "high", "origin", "parts"} == set(quantity)
        assert quantity["low"] <= quantity["value"] <= quantity["high"]
    assert answer["question"] == {"params": 65e9}
    assert answer["flops_6nd"]["value"] == 6 * 65e9 * 1.3e12  # type: ignore[index]


def test_parts_of_the_document_sum_to_the_total(estimate: Estimate) -> None:
    answer = document(estimate("train", "--params", "65e9", "--format", "json"))
    for name in ("flops", "memory", "step_time", "energy", "power", "cost", "state_memory"):
        quantity = answer[name]
        assert isinstance(quantity, dict)
        assert sum(quantity["parts"].values()) == pytest.approx(quantity["value"], rel=1e-12)


def test_every_assumption_has_a_reason(estimate: Estimate) -> None:
    answer = document(estimate("train", "--params", "65e9", "--format", "json"))
    assumptions = answer["assumptions"]
    assert isinstance(assumptions, list)
    assert {"tokens", "accelerator", "within", "failures", "price"} <= {item["name"] for item in assumptions}
    assert all(item["reason"] for item in assumptions)


def test_nothing_assumed_is_listed_when_it_was_given(estimate: Estimate) -> None:
    answer = document(
        estimate(
            "train", "--model", "llama-65b", "--tokens", "1.4T", "--on", "nvidia-a100-sxm-80gb", "--count", "2048",
            "--goodput", "0.9", "--price", "2 USD/gpu/hour", "--pue", "1.1", "--power", "400 W", "--format", "json",
        )
    )  # fmt: skip
    names = {item["name"] for item in answer["assumptions"]}  # type: ignore[attr-defined, union-attr]
    assert not names & {"tokens", "accelerator", "count", "within", "goodput", "price", "pue", "seq"}
    assert answer["occupied_hours"]["value"] == pytest.approx(answer["accelerator_hours"]["value"] / 0.9)  # type: ignore[index]


def test_csv_and_markdown_parse(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate("train", "--params", "65e9", "--format", "csv").out)))
    hours = next(row for row in rows if row["name"] == "accelerator_hours" and not row["part"])
    assert float(hours["low"]) < float(hours["value"]) < float(hours["high"])
    assert estimate("train", "--params", "65e9", "--format", "markdown").out.count("| --- |") >= 2


def test_explain_names_formula_reference_and_source(estimate: Estimate) -> None:
    out = estimate("train", "--params", "65e9", "--explain").out
    for words in (
        "How each number came about",
        "C = 6 N D",
        "arXiv:2001.08361",
        "reference:",
        "ZeRO",
        "Inputs",
    ):
        assert words in out


def test_a_question_survives_saving(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    first = estimate(
        "train", "--params", "7B", "--within", "14 days", "--price", "2.5 USD/gpu/hour", "--save", str(path)
    )
    again = estimate("train", str(path))
    assert first.out == again.out
    assert 'within = "14 day"' in path.read_text(encoding="utf-8")


def test_an_option_replaces_what_the_file_says_and_its_rival(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('params = "7B"\nwithin = "14 days"\n', encoding="utf-8")
    answer = document(estimate("train", str(path), "--count", "64", "--format", "json"))
    assert answer["question"] == {"params": 7e9, "count": 64.0}


def test_a_family_name_is_a_listed_assumption(estimate: Estimate) -> None:
    answer = document(estimate("train", "--params", "7e9", "--on", "a100", "--format", "json"))
    chip = next(item for item in answer["assumptions"] if item["name"] == "accelerator")  # type: ignore[attr-defined, union-attr]
    assert chip["value"] == "nvidia-a100-sxm-80gb"
    assert "may be any of" in chip["reason"]


WRONG = [
    (["--params", "65GB"], "--params: '65GB' is not a count; write it like 65e9, 65B or 1.4T"),
    (["--params", "0"], "--params: '0' must be more than zero"),
    (["--params=-7e9"], "--params: '-7e9' must be more than zero"),
    (["--params", "nan"], "--params: 'nan' is not a number"),
    (["--params", "inf"], "--params: 'inf' is more than 1e+16, the most that makes sense here"),
    (["--params", "1e300"], "--params: '1e300' is more than 1e+16, the most that makes sense here"),
    ([], "nothing says which model: give --params, --model or --config, like --params 65e9"),
    (
        ["--params", "7e9", "--model", "llama-7b"],
        "--params and --model contradict each other; give one of them",
    ),
    (
        ["--params", "7e9", "--count", "8", "--nodes", "1"],
        "--count and --nodes contradict each other; give one of them",
    ),
    (
        ["--params", "7e9", "--price", "2 USD/hour"],
        "--price: '2 USD/hour' does not say what it is per; write '2 USD/gpu/hour' or '16 USD/node/hour'",
    ),
    (
        ["--params", "7e9", "--price", "2 USD"],
        "--price: '2 USD' measures money, but a price is money per accelerator and time, like '2 USD/gpu/hour'",
    ),
    (["--params", "7e9", "--power", "400"], "--power: '400' has no unit; write it like '400 W'"),
    (
        ["--params", "7e9", "--power", "3 GB"],
        "--power: '3 GB' measures memory, but power is asked for, like '400 W'",
    ),
    (
        ["--params", "7e9", "--mfu", "45"],
        "--mfu: '45' is more than 1, the most that makes sense here; write 45 percent as 0.45 or '45%'",
    ),
    (["--params", "7e9", "--count", "2.5"], "--count: '2.5' is not a whole number"),
    (["--params", "7e9", "--count", "0"], "--count: '0' must be more than zero"),
    (["--params", "7e9", "--pue", "0.9"], "--pue: '0.9' is less than 1, the least that makes sense here"),
    (
        ["--params", "7e9", "--on", "nvidia-a100-smx-80gb"],
        "--on: no accelerator is called 'nvidia-a100-smx-80gb'; did you mean 'nvidia-a100-sxm-80gb'",
    ),
    (["--params", "7e9", "--precision", "int3"], "--precision: 'int3' is not known; choose bf16, fp16"),
    (
        ["--params", "7e9", "--on", "v100", "--precision", "fp8"],
        "--precision: nvidia-v100-sxm2-32gb has no recorded peak in fp8; it has fp64, fp32, fp16",
    ),
    (
        ["--params", "7e9", "--epochs", "2"],
        "--epochs says nothing without a data set; give --dataset-tokens or --samples too, or --tokens",
    ),
    (
        ["--params", "7e9", "--currency", "CNY", "--year", "2001"],
        "--year: no exchange rate of CNY in 2001 is on record; choose 2016 to 2026",
    ),
    (
        ["--params", "7e9", "--on", "h100", "--node", "nvidia-dgx-a100-640"],
        "--node: nvidia-dgx-a100-640 holds nvidia-a100-sxm-80gb, but --on says nvidia-h100-sxm-80gb; give one of them",
    ),
    (["--params", "7e9", "--presets", "/no/such"], "--presets: '/no/such' is not a folder"),
    (["no-such-file.toml"], "'no-such-file.toml' does not exist; name a question file, as --save writes it"),
]


@pytest.mark.parametrize(
    ("words", "message"), WRONG, ids=[" ".join(words) or "nothing" for words, _ in WRONG]
)
def test_exact_words_of_what_is_wrong(estimate: Estimate, words: list[str], message: str) -> None:
    ran = estimate("train", *words)
    assert ran.code == 2
    assert ran.out == ""
    assert f"Error: {message}" in ran.err
    assert "Traceback" not in ran.err


def test_all_faults_of_a_question_in_one_answer(estimate: Estimate) -> None:
    ran = estimate("train", "--params", "65GB", "--price", "2 USD/hour", "--on", "a100-smx", "--mfu", "-1")
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 4


def test_faults_between_inputs_are_all_told_too(estimate: Estimate) -> None:
    wrong = "--params 7e9 --on v100 --precision fp8 --currency CNY --year 2001 --price 2USD/gpu/hour"
    ran = estimate("train", *wrong.split())
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 2


HOSTILE = {
    "not-toml.toml": ("params = = 1", "is not TOML"),
    "deep.toml": ("a = " + "[" * 5000, "is not TOML"),
    "unknown.toml": ("parms = 1", "there is no input 'parms'; did you mean 'params'"),
    "table.toml": ("[params]\nx = 1", "is neither text nor a number"),
    "bool.toml": ("params = true", "'True' is neither text nor a number"),
    "giant.toml": ("params = " + "9" * 4000, ""),
    "date.toml": ("params = 2020-01-01", "is neither text nor a number"),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_question_file_is_one_message(estimate: Estimate, tmp_path: Path, name: str) -> None:
    text, message = HOSTILE[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    ran = estimate("train", str(tmp_path / name))
    assert ran.code == 2
    assert ran.err.startswith("Error: ")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_a_giant_file_is_refused_before_it_is_read(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "giant.toml"
    with path.open("wb") as stream:
        stream.truncate(200 << 20)
    ran = estimate("train", str(path))
    assert ran.code == 2
    assert "is larger than 1 MiB" in ran.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_is_refused(estimate: Estimate) -> None:
    assert "is not a regular file" in estimate("train", "/dev/zero").err
    assert "is not a regular file" in estimate("train", "--config", "/dev/zero").err


def test_saving_to_nowhere_leaves_nothing(estimate: Estimate, tmp_path: Path) -> None:
    ran = estimate("train", "--params", "7e9", "--save", str(tmp_path / "no" / "run.toml"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_question_saves_nothing(estimate: Estimate, tmp_path: Path) -> None:
    assert estimate("train", "--params", "7GB", "--save", str(tmp_path / "run.toml")).code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_command_offers_the_near_one(estimate: Estimate) -> None:
    ran = estimate("trian")
    assert ran.code == 2
    assert "there is no command 'trian'; did you mean 'train'?" in ran.err


def test_a_misspelt_option_offers_the_near_one(estimate: Estimate) -> None:
    ran = estimate("train", "--parms", "7e9")
    assert ran.code == 2
    assert "--params" in ran.err


def test_help_teaches_by_examples(estimate: Estimate) -> None:
    out = estimate("--help").out
    assert "estimate train --params 65e9" in out
    assert all(command in out for command in COMMANDS)
    assert "Touvron" in estimate("train", "--help").out


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    import subprocess

    shell = f'"{sys.executable}" -m estimator train --params 7e9 --explain | head -1'
    if os.name == "posix":
        done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False, timeout=60)
        assert done.stderr == ""


def test_the_page_of_the_document_names_every_key_and_unit(estimate: Estimate) -> None:
    page = (Path(__file__).parents[2] / "docs" / "answer-document.md").read_text(encoding="utf-8")
    answer = document(estimate("train", "--params", "65e9", "--format", "json"))
    assert f'"{answer["schema"]}"' in page
    for key, value in answer.items():
        line = next((line for line in page.splitlines() if line.startswith("|") and f"`{key}`" in line), "")
        assert line, key
        if isinstance(value, dict) and "unit" in value and key != "cost":
            assert line.split("|")[2].strip() == value["unit"], key
    layout = next(line for line in page.splitlines() if line.startswith("| `layout`"))
    assert [name for name in answer["layout"] if name not in layout] == []  # type: ignore[attr-defined]
    assert all(f"`{part}`" in page for part in answer["step_time"]["parts"])  # type: ignore[index]
