"""`estimate layout`: the best layout, others, the front, the counts, and the way to ask for it."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
ASKED = (
    "layout", "--model", "gpt3-6.7b", "--on", "nvidia-a100-sxm-80gb", "--count", "8", "--global-batch", "16",
    "--cp", "1",
)  # fmt: skip
SEVERAL = (
    "layout", "--model", "gpt3-6.7b", "--tokens", "1e11", "--on", "h100,a100-sxm-80gb", "--count", "8:16:x2",
    "--global-batch", "64", "--cp", "1", "--offload", "none",
)  # fmt: skip


def document(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/layout/1"
    return found


def test_the_options_that_are_told_ask_for_the_very_layout(estimate: Estimate) -> None:
    (found,) = document(estimate(*ASKED, "--format", "json"))["found"]
    words = shlex.split(found["options"])
    train = json.loads(estimate("train", *ASKED[1:7], *words, "--format", "json").out)
    for name in ("step_time", "memory", "wall_clock", "cost", "mfu"):
        assert {**train[name], "origin": ""} == {**found[name], "origin": ""}, name
    assert found["fastest"][0]["step_time"]["value"] == found["step_time"]["value"]


def test_a_page_tells_layouts_front_and_counts(estimate: Estimate) -> None:
    ran = estimate(*ASKED)
    (found,) = document(estimate(*ASKED, "--format", "json"))["found"]
    assert f"Ask for it with: {found['options']}" in " ".join(ran.out.replace("\\\n", "").split())
    assert "The fastest that fit" in ran.out
    assert "Less memory for more time" in ran.out
    counts, why = found["counts"], found["fell_out"]
    assert (
        f"{counts['legal']:,} legal layouts, {counts['fit']:,} fit, {counts['evaluated']:,} evaluated, 0 bounded. "
        f"Fell out: {why['does not fit']:,} do not fit, {why['dominated']:,} are slower than one that takes no more "
        f"memory; {why['does not divide']:,} values do not divide"
    ) in " ".join(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= 100
    assert counts["fit"] + why["does not fit"] == counts["legal"]
    assert why["dominated"] + len(found["front"]) == counts["fit"]


def test_what_train_says_stands_beside_it(estimate: Estimate) -> None:
    ran, train = estimate(*ASKED), json.loads(estimate("train", *ASKED[1:], "--format", "json").out)
    (found,) = document(estimate(*ASKED, "--format", "json"))["found"]
    wall, cost = (train[name]["value"] for name in ("wall_clock", "cost"))
    practice = train_practice(train)
    assert found["train"] == {
        "wall_clock": {**found["train"]["wall_clock"], "value": wall},
        "cost": {**found["train"]["cost"], "value": cost},
        "practice": practice,
    }  # fmt: skip
    ratio = wall / found["wall_clock"]["value"]
    assert ratio * (1 + 1e-12) >= practice > 1
    money = f"{float(f'{cost:.3g}'):,.0f} USD"
    told = (
        f"`estimate train` without a layout says {wall / 86400:.1f} days, {money}, {ratio:.3g} times as long: it plans "
        f"among fewer layouts and counts that training in use takes {practice:.3g} times its best layout."
    )
    assert told in " ".join(ran.out.split())


def train_practice(train: Any) -> float:
    (found,) = [each for each in train["assumptions"] if each["name"] == "practice"]
    return float(found["value"])


def test_a_layout_that_is_partly_named_has_no_practice(estimate: Estimate) -> None:
    ran = estimate(*ASKED, "--tp", "2", "--pp", "1")
    assert " times as long: it plans among fewer layouts." in " ".join(ran.out.split())


def test_rows_hold_every_layout_that_is_told(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate(*ASKED, "--format", "csv").out)))
    (found,) = document(estimate(*ASKED, "--format", "json"))["found"]
    for which in ("fastest", "front"):
        told = [row for row in rows if row["list"] == which]
        assert [float(row["step_time_s"]) for row in told] == [
            each["step_time"]["value"] for each in found[which]
        ]
        assert [row["recompute"] for row in told] == [each["recompute"] for each in found[which]]


def test_the_cheapest_way_to_finish(estimate: Estimate) -> None:
    asked = (*SEVERAL, "--within", "30 days", "--by", "cost")
    ran, told = estimate(*asked), document(estimate(*asked, "--format", "json"))
    assert "The cheapest way to finish within 30 days: " in ran.out
    assert len(told["found"]) == 4
    in_time = [each for each in told["found"] if each["in_time"]]
    (best,) = [each for each in told["found"] if each["best"]]
    assert best == min(in_time, key=lambda each: each["cost"]["value"])
    none = estimate(*SEVERAL, "--within", "2 days")
    assert "None of them finishes within 2 days." in none.out


def test_a_single_question_that_is_late_says_so(estimate: Estimate) -> None:
    assert estimate(*ASKED, "--within", "2 days").out.startswith("None of them finishes within 2 days.")


def test_what_does_not_fit_is_told_with_the_least_it_takes(estimate: Estimate) -> None:
    ran = estimate(
        "layout", "--model", "gpt3-175b", "--on", "rtx-3090", "--count", "8", "--global-batch", "8"
    )
    assert ran.code == 0
    assert ran.out.startswith("No layout fits on 8 x nvidia-rtx-3090: the least that a card takes is ")
    several = estimate(
        "layout", "--model", "gpt3-175b", "--on", "rtx-3090", "--count", "4,8", "--global-batch", "8"
    )
    assert "None of them holds the run." in several.out


def test_a_question_file_is_searched(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    estimate("train", *ASKED[1:], "--save", str(path))
    assert estimate("layout", str(path)).out == estimate(*ASKED).out


def test_workers_find_the_same(estimate: Estimate) -> None:
    assert estimate(*ASKED, "--workers", "2") == estimate(*ASKED)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--workers", "two"), "--workers: 'two' is no number of processes; write it like 2"),
        (
            ("--workers", "2", "--cluster", "local:2"),
            "--workers and --cluster both say where to compute; leave one of them out",
        ),
        (("--nodes", "2"), "--count and --nodes contradict each other; give one of them"),
        (("--by", "speed"), "Invalid value for '--by': 'speed' is not one of 'time', 'cost'."),
        (
            ("--shard", "node"),
            "--shard: 'node' is another number for each --tp; give --tp too, or a number of ranks",
        ),
        (
            ("--pp", "3"),
            "--count: 8 accelerators do not divide into replicas of 3 (tensor 1 x pipeline 3 x context 1)",
        ),
    ],
)
def test_bad_input_is_told(estimate: Estimate, more: tuple[str, ...], words: str) -> None:
    ran = estimate(*ASKED, *more)
    assert ran.code == 2
    assert words in ran.err
