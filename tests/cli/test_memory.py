"""`estimate memory`: the parts of the fullest stage, the verdict, and what would make it fit."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
LLAMA = (
    "--model", "llama-7b", "--on", "nvidia-a100-sxm-80gb", "--count", "8", "--seq", "2048", "--tp", "1", "--pp", "1",
    "--micro-batch", "1", "--global-batch", "512", "--recompute", "full",
)  # fmt: skip
FITS, NOT = (*LLAMA, "--zero", "3"), (*LLAMA, "--zero", "0")
STAGES = (
    "--model", "gpt3-175b", "--on", "nvidia-a100-sxm-80gb", "--count", "64", "--tp", "8", "--pp", "8", "--vpp", "1",
    "--zero", "1", "--micro-batch", "1", "--global-batch", "512", "--recompute", "full", "--stack", "megatron",
)  # fmt: skip


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/memory/1"
    return found


def test_every_part_is_a_row_and_the_verdict_a_sentence(estimate: Estimate) -> None:
    out = estimate("memory", *FITS).out
    for part in (
        "Weights",
        "Gradients",
        "Optimizer states",
        "Activations",
        "Logits",
        "Device context",
        "Total",
    ):
        assert re.search(rf"^{part} +\d", out, re.MULTILINE), part
    verdict = r"^Fits: [\d.]+ GiB in use of 79.2 GiB; [\d.]+ GiB are enough, for fragmentation gives way\.$"
    assert re.search(verdict, out, re.MULTILINE)
    assert "What would make it fit" not in out


def test_what_does_not_fit_says_by_how_much_and_what_would_help(estimate: Estimate) -> None:
    out = estimate("memory", *NOT).out
    assert re.search(
        r"^Does not fit: \d+ GiB on a card of 79.2 GiB, [\d.]+ GiB too much\. ", out, re.MULTILINE
    )
    assert "What would make it fit, the least slowed down first:" in out
    for change in ("--zero 2", "--optimizer lomo", "--method qlora", "--offload optimizer"):
        assert re.search(rf"^{re.escape(change)} +[\d.]+ GiB", out, re.MULTILINE), change
    assert re.search(
        r"^--offload optimizer +[\d.]+ GiB +[\d.,]+ token/s +0\.\d+ times as fast$", out, re.MULTILINE
    )


def test_an_option_of_the_list_makes_it_fit(estimate: Estimate) -> None:
    changes = document(estimate("memory", *NOT, "--format", "json"))["changes"]
    assert changes
    for change in changes:
        words = change["options"].split()
        found = document(estimate("memory", *NOT, "--format", "json", *words))
        assert found["fits"] is True, words
        assert found["memory"]["value"] == pytest.approx(change["memory"]["value"], rel=1e-9)


def test_the_fullest_stage_is_named(estimate: Estimate) -> None:
    assert "a card of the first stage, the fullest of 8" in estimate("memory", *STAGES).out
    found = document(estimate("memory", *STAGES, "--format", "json"))
    assert found["stage"] == "first"
    sizes = {name: each["value"] for name, each in found["stages"].items()}
    assert list(sizes) == ["first", "middle", "last"]
    assert found["memory_allocated"]["value"] == max(sizes.values()) == sizes["first"]
    assert document(estimate("memory", *FITS, "--format", "json"))["stage"] == "only"


def test_megatron_keeps_eighteen_bytes_of_which_twelve_are_shared(estimate: Estimate) -> None:
    # One replica: the distributed optimizer has nothing to share with, 18 bytes a parameter.
    parts = document(estimate("memory", *STAGES, "--format", "json"))["memory"]["parts"]
    states = parts["weights"] + parts["gradients"] + parts["optimizer_states"]
    assert states / parts["weights"] == pytest.approx(9.0)


def test_the_document_holds_parts_that_sum_to_the_memory(estimate: Estimate) -> None:
    found = document(estimate("memory", *NOT, "--format", "json"))
    for name in ("memory", "memory_allocated"):
        assert sum(found[name]["parts"].values()) == pytest.approx(found[name]["value"])
    assert found["memory"]["low"] <= found["memory"]["value"] <= found["memory"]["high"]
    assert found["fits"] is False
    assert found["least_needed"]["value"] > found["memory_usable"]["value"]
    assert found["question"]["model"] == "llama-7b"
    assert any("transformer" in source or "memory" in source.lower() for source in found["sources"])


def test_money_and_place_are_no_assumptions_of_memory(estimate: Estimate) -> None:
    found = document(estimate("memory", *FITS, "--format", "json"))
    names = {each["name"] for each in found["assumptions"]}
    assert not names & {"price", "grid", "pue", "tokens", "plan", "currency", "goodput"}
    assert "optimizer" in names
    assert "price =" not in estimate("memory", *FITS).out


def test_rows_for_a_program(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate("memory", *NOT, "--format", "csv").out)))
    held = document(estimate("memory", *NOT, "--format", "json"))
    parts = {row["part"]: float(row["value"]) for row in rows if row["name"] == "memory" and row["part"]}
    assert parts == held["memory"]["parts"]
    changes = [row for row in rows if row["name"] == "change"]
    assert [row["part"] for row in changes] == [change["options"] for change in held["changes"]]
    speeds = [change["throughput_per_accelerator"]["value"] for change in held["changes"]]
    assert [row["tokens_per_s_per_accelerator"] for row in changes] == [
        "" if speed is None else repr(speed) for speed in speeds
    ]


def test_markdown_has_both_tables(estimate: Estimate) -> None:
    out = estimate("memory", *NOT, "--format", "markdown").out
    assert "|  | a card | share |" in out
    assert "| add | a card | of one accelerator | against this question |" in out


def test_changes_are_told_by_how_many_times_as_fast_they_are(estimate: Estimate) -> None:
    asked = ("memory", "--model", "llama-2-70b", "--on", "a100", "--count", "8")
    held, out = document(estimate(*asked, "--format", "json")), estimate(*asked).out
    train = json.loads(estimate("train", *asked[1:], "--format", "json").out)
    base = train["throughput_per_accelerator"]["value"]
    for change in held["changes"]:
        ratio = f"{change['throughput_per_accelerator']['value'] / base:.3g}"
        (line,) = [line for line in out.splitlines() if line.startswith(change["options"] + " ")]
        assert line.endswith("  as fast" if ratio == "1" else f"  {ratio} times as fast"), line
    assert "%" not in out.split("What would make it fit")[1].split("Assumed")[0]


def test_a_question_file_is_asked_as_it_stands(estimate: Estimate, tmp_path: Path) -> None:
    question = tmp_path / "run.toml"
    question.write_text('model = "llama-7b"\non = "h100"\ncount = 8\nseq = 2048\n', encoding="utf-8")
    found = document(estimate("memory", str(question), "--format", "json"))
    trained = json.loads(estimate("train", str(question), "--format", "json").out)
    assert found["memory"]["value"] == trained["memory"]["value"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "prefix"), "--method: 'prefix' is not known; choose full, lora, qlora"),
        (("--rank", "0"), "--rank: '0' must be more than zero"),
        (("--rank", "2.5"), "--rank: '2.5' is not a whole number"),
        (("--offload", "disk"), "--offload: 'disk' is not known; choose none, optimizer, all"),
    ],
)
def test_bad_input_is_one_clear_message(estimate: Estimate, words: tuple[str, ...], message: str) -> None:
    ran = estimate("memory", *FITS, *words)
    assert (ran.code, ran.out, ran.err.strip()) == (2, "", f"Error: {message}")


def test_adapters_take_a_fraction(estimate: Estimate) -> None:
    sizes: dict[str, Any] = {}
    for method in ("full", "lora", "qlora"):
        words = ("--method", method, "--format", "json", *(() if method == "full" else ("--rank", "64")))
        sizes[method] = document(estimate("memory", *FITS, *words))["memory_allocated"]
    assert sizes["qlora"]["value"] < sizes["lora"]["value"] < sizes["full"]["value"]
    assert sizes["lora"]["parts"]["optimizer_states"] < 0.1 * sizes["full"]["parts"]["optimizer_states"]
