"""`estimate train --draws`: percentiles, chances and shares in every format; --samples without --epochs."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from estimator import Run, ask, sample

from .run import Ran

Estimate = Callable[..., Ran]
QUESTION = (
    "--model", "llama-65b", "--on", "a100-sxm-80gb", "--count", "2048", "--tokens", "1.4T", "--goodput", "1",
)  # fmt: skip
NOTE = "--samples 64 without --epochs is taken as --draws 64; a data set has both"


def document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def table(out: str, first: str) -> list[list[str]]:
    """The rows of the grid whose head begins with some words, as cells."""
    grid = out[out.index("\nDrawn ") :].split("\n\n")
    rows = next(part for part in grid if part.strip().startswith(first)).strip("\n").splitlines()
    return [re.split(r" {2,}", line.strip()) for line in rows[1:]]


def test_the_table_has_percentiles_behind_the_answer(estimate: Estimate) -> None:
    plain, ran = (estimate("train", *QUESTION, *more) for more in ((), ("--draws", "512", "--seed", "7")))
    assert ran.code == 0, ran.err
    assert ran.out.startswith(
        plain.out.rstrip("\n") + "\n\nDrawn 512 times (--seed 7), layout and count as found."
    )
    found = {row[0]: row[1:] for row in table(ran.out, "5 %")}
    run = Run(model="llama-65b", on="a100-sxm-80gb", count=2048, tokens="1.4T", goodput=1)
    exact = sample(ask(run).case, 512, 7)
    days = [float(cell) for cell in found["Wall clock [days]"]]
    assert days == pytest.approx(exact.quantiles["wall_clock"] / 86400.0, rel=5e-3)
    assert [float(cell) for cell in found["MFU [%]"]] == sorted(float(cell) for cell in found["MFU [%]"])
    assert "Compute (model FLOPs) [FLOP]" not in found  # it does not vary
    assert "  occupied" not in found  # it only says again what another row does


def test_the_chances_are_told(estimate: Estimate) -> None:
    assert "\nThe run fits on its cards in " in estimate("train", *QUESTION, "--draws", "64").out
    late = estimate("train", "--params", "7B", "--within", "20 days", "--on", "h100", "--draws", "64").out
    assert " of the draws.\n" in late
    assert " and finishes in time in " in late


def test_the_document_has_percentiles_in_the_units_of_the_answer(estimate: Estimate) -> None:
    answer = document(estimate("train", *QUESTION, "--draws", "4k", "--format", "json"))
    draws = answer["draws"]
    assert (draws["samples"], draws["seed"], draws["in_time"]) == (4000, 0, None)
    assert 0.0 <= draws["fits"] <= 1.0
    assert "sensitivity" not in draws
    for name, told in draws["quantiles"].items():
        assert list(told) == ["unit", "p5", "p10", "p25", "p50", "p75", "p90", "p95"]
        assert told["unit"] == answer[name]["unit"]
    hours = draws["quantiles"]["accelerator_hours"]
    width = answer["accelerator_hours"]["high"] - answer["accelerator_hours"]["low"]
    assert hours["p10"] == pytest.approx(answer["accelerator_hours"]["low"], abs=0.1 * width)
    assert hours["p90"] == pytest.approx(answer["accelerator_hours"]["high"], abs=0.1 * width)


def test_without_draws_there_are_none(estimate: Estimate) -> None:
    assert "draws" not in document(estimate("train", *QUESTION, "--format", "json"))
    assert "Drawn" not in estimate("train", *QUESTION).out


@pytest.mark.parametrize("option", [("--seed", "0"), ("--draws", "4096")])
def test_a_seed_alone_draws_the_usual_number(estimate: Estimate, option: tuple[str, ...]) -> None:
    answer = document(estimate("train", *QUESTION, *option, "--format", "json"))
    assert (answer["draws"]["samples"], answer["draws"]["seed"]) == (4096, 0)


def test_a_quantity_that_is_not_known_is_null(estimate: Estimate) -> None:
    """There is no offer of the chip on record, and so no cost."""
    ran = estimate(
        "train", "--params", "7B", "--on", "ascend-910b", "--count", "64", "--draws", "16", "--format", "json"
    )
    answer = document(ran)
    assert answer["cost"]["value"] is None
    assert answer["draws"]["quantiles"]["cost"]["p50"] is None


def test_sensitivity_tells_where_each_range_comes_from(estimate: Estimate) -> None:
    pytest.importorskip("scipy.stats")
    answer = document(estimate("train", *QUESTION, "--sensitivity", "--draws", "256", "--format", "json"))
    told = answer["draws"]["sensitivity"]
    cost = {row["unknown"]: row for row in told["cost"]}
    assert list(cost)[:2] == ["price", "practice"]  # the largest share first
    assert [row["total_order"] for row in told["cost"]] == sorted(
        (row["total_order"] for row in told["cost"]), reverse=True
    )
    assert sum(row["total_order"] for row in told["cost"]) == pytest.approx(1.0, abs=0.05)
    assert cost["pue"] == {
        "unknown": "pue", "low": answer["cost"]["value"], "high": answer["cost"]["value"], "first_order": 0.0,
        "total_order": 0.0,
    }  # fmt: skip
    case = ask(Run(model="llama-65b", on="a100-sxm-80gb", count=2048, tokens="1.4T")).case
    price = next(each for each in case.unknowns if each.name == "price")
    dearer = float(price.high["price"]) / float(case.columns["price"])
    assert cost["price"]["high"] == pytest.approx(answer["cost"]["value"] * dearer, rel=1e-12)
    assert cost["price"]["low"] < answer["cost"]["value"]


def test_the_table_of_sensitivity_lists_what_counts(estimate: Estimate) -> None:
    pytest.importorskip("scipy.stats")
    out = estimate("train", *QUESTION, "--sensitivity", "--draws", "256").out
    rows = table(out, "range of")
    assert {row[0] for row in rows} == {"Wall clock", "Memory of a card", "Energy", "Carbon (CO2e)", "Cost"}
    assert [row[:2] for row in rows if row[0] == "Cost"] == [["Cost", "price"], ["Cost", "practice"]]
    assert next(row for row in rows if row[0] == "Wall clock")[4:] == ["100 %", "100 %"]


def test_csv_holds_percentiles_and_shares(estimate: Estimate) -> None:
    pytest.importorskip("scipy.stats")
    words = ("train", *QUESTION, "--sensitivity", "--draws", "64", "--format")
    answer = document(estimate(*words, "json"))["draws"]
    rows = {
        (row["name"], row["part"]): row for row in csv.DictReader(io.StringIO(estimate(*words, "csv").out))
    }
    median = rows["cost_p50", ""]
    assert (float(median["value"]), median["unit"], median["origin"]) == (
        answer["quantiles"]["cost"]["p50"], "USD", "drawn",
    )  # fmt: skip
    price = next(row for row in answer["sensitivity"]["cost"] if row["unknown"] == "price")
    swing = rows["cost_swing", "price"]
    assert [float(swing[end]) for end in ("low", "high")] == [price["low"], price["high"]]
    assert float(rows["cost_total_order", "price"]["value"]) == price["total_order"]


def test_markdown_has_its_tables(estimate: Estimate) -> None:
    plain, out = (
        estimate("train", *QUESTION, *more, "--format", "markdown").out for more in ((), ("--draws", "64"))
    )
    assert "| Wall clock [days] |" in out
    assert out.count("\n| --- ") == plain.count("\n| --- ") + 1


# What --samples means.


def test_samples_without_epochs_are_draws(estimate: Estimate) -> None:
    """Even beside --tokens, which a data set contradicts."""
    answer = document(estimate("train", *QUESTION, "--samples", "64", "--format", "json"))
    assert answer["draws"]["samples"] == 64
    assert NOTE in answer["warnings"]
    assert "samples" not in answer["question"]
    assert answer["tokens"]["value"] == 1.4e12
    assert f"Warning: {NOTE}" in " ".join(estimate("train", *QUESTION, "--samples", "64").out.split())


def test_samples_with_epochs_are_a_data_set(estimate: Estimate, tmp_path: Path) -> None:
    words = ("train", "--params", "7B", "--count", "8", "--on", "h100", "--samples", "50k", "--seq", "512")
    assert (
        document(estimate(*words, "--epochs", "3", "--format", "json"))["tokens"]["value"] == 50e3 * 3 * 512
    )
    stored = tmp_path / "tuning.toml"
    stored.write_text(
        'params = "7B"\nsamples = "50k"\nepochs = 3\nseq = 512\non = "h100"\ncount = 8\n', encoding="utf-8"
    )
    answer = document(estimate("train", str(stored), "--samples", "60k", "--format", "json"))
    assert answer["tokens"]["value"] == 60e3 * 3 * 512
    assert "draws" not in answer
    drawn = document(estimate("train", str(stored), "--draws", "16", "--format", "json"))
    assert (drawn["tokens"]["value"], drawn["draws"]["samples"]) == (50e3 * 3 * 512, 16)


@pytest.mark.parametrize(
    "more", [("--method", "lora"), ("--method", "qlora"), ("--draws", "16")], ids=" ".join
)
def test_samples_that_cannot_be_draws_lack_epochs(estimate: Estimate, more: tuple[str, ...]) -> None:
    ran = estimate("train", "--params", "7B", "--samples", "50k", *more)
    assert (ran.code, ran.err) == (
        2,
        "Error: --epochs and --samples belong together; give both, or --tokens\n",
    )


# Faults.


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--draws", "0"), "--draws: 0 is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--draws", "1e12"), "--draws: 1e+12 is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--draws", "2.5"), "--draws: 2.5 is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--draws", "-5"), "--draws: -5 is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--draws", "nan"), "--draws: nan is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--draws", "many"), "--draws: 'many' is not a number of draws; write it like 4096"),
        (("--samples", "0"), "--draws: 0 is not a whole number of draws from 1 to 1,048,576; write it like 4096"),
        (("--seed", "nan"), "--seed: nan is not a whole number of 0 or more; write it like 7"),
        (("--seed", "-1"), "--seed: -1 is not a whole number of 0 or more; write it like 7"),
        (("--seed", "0.5"), "--seed: 0.5 is not a whole number of 0 or more; write it like 7"),
        (("--seed", "x"), "--seed: 'x' is not a whole number of 0 or more; write it like 7"),
        (("--seed", "9" * 5000), f"--seed: '{'9' * 40}...' is not a whole number of 0 or more; write it like 7"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told(estimate: Estimate, words: tuple[str, ...], message: str) -> None:
    ran = estimate("train", *QUESTION, *words)
    assert (ran.code, ran.err) == (2, f"Error: {message}\n")


def test_a_seed_of_any_length_is_taken_whole(estimate: Estimate) -> None:
    seeds = ("123456789012345678901234567890", "123456789012345678901234567891")
    draws = [
        document(estimate("train", *QUESTION, "--seed", seed, "--draws", "8", "--format", "json"))["draws"]
        for seed in seeds
    ]
    assert [each["seed"] for each in draws] == [int(seed) for seed in seeds]
    assert draws[0]["quantiles"] != draws[1]["quantiles"]


def test_without_scipy_only_sensitivity_fails(estimate: Estimate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    assert estimate("train", *QUESTION, "--draws", "16").code == 0
    ran = estimate("train", *QUESTION, "--draws", "16", "--sensitivity")
    assert (ran.code, ran.err) == (
        2, "Error: sensitivity needs scipy; install it with: pip install 'train-estimator[sensitivity]'\n",
    )  # fmt: skip
