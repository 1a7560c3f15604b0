"""`estimate check`: a measured throughput in its formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
RUN = (
    "--model", "llama-2-70b", "--on", "h100", "--count", "256", "--tp", "8", "--pp", "4", "--zero", "1",
    "--micro-batch", "1", "--global-batch", "1024", "--recompute", "none", "--tokens", "1.4T",
)  # fmt: skip


def predicted(estimate: Estimate) -> float:
    """The step time that is predicted, in seconds."""
    return json.loads(estimate("train", *RUN, "--format", "json").out)["step_time"]["value"]


def test_a_slow_step_is_explained(estimate: Estimate) -> None:
    ran = estimate("check", *RUN, "--step-time", f"{1.4 * predicted(estimate)} s")
    assert (ran.code, ran.err) == (0, "")
    assert "Slow: below the 80 % range; " in ran.out
    said = " ".join(ran.out.split())
    assert (
        "This run reaches 71.4 % of what is predicted. The range is that of a run which the model has not seen, and "
        "holds what the question leaves open. The "
    ) in said
    assert (
        " recorded configurations (dense models on hopper in bf16) are no test of it: the prediction was fitted to "
        "them, each with its own layout and software, so that four in five reach "
    ) in said
    assert "No layout is named" not in said
    assert " times as long, e.g. by " in ran.out.replace("\n", " ")
    assert "Or all of it would take 1.4 times as long" in ran.out.replace("\n", " ")
    assert "Assumed (an option changes it):" in ran.out


def test_a_normal_step_needs_no_explanation(estimate: Estimate) -> None:
    time = predicted(estimate)
    ran = estimate("check", *RUN, "--step-time", f"{1.02 * time} s")
    assert "Normal: inside the 80 % range; " in ran.out
    assert "What alone would explain the difference, the likeliest first:" in ran.out
    same = estimate("check", *RUN, "--step-time", f"{time} s")
    assert "Normal: inside the 80 % range; 50 of 100 such runs would be slower." in same.out
    assert "would explain" not in same.out


def test_a_layout_that_is_not_named_is_compared_as_in_use(estimate: Estimate) -> None:
    ran = estimate("check", *RUN[:6], "--tokens-per-second", "300")
    found = json.loads(estimate("train", *RUN[:6], "--format", "json").out)["assumptions"]
    (practice,) = [float(each["value"]) for each in found if each["name"] == "practice"]
    assert (
        f"No layout is named: predicted is a training in use, which takes {practice:.3g} times its best layout. Name "
        "yours, like --tp 8 --pp 4, to be compared with that one."
    ) in " ".join(ran.out.split())


def test_a_fast_step_is_told(estimate: Estimate) -> None:
    ran = estimate("check", *RUN, "--step-time", f"{0.7 * predicted(estimate)} s")
    assert "Fast: above the 80 % range; " in ran.out


def test_the_whole_run_is_no_accelerator(estimate: Estimate) -> None:
    time = predicted(estimate)
    whole = 1024 * 4096 / time
    ran = estimate("check", *RUN, "--tokens-per-second", repr(whole))
    said = " ".join(ran.out.split())
    assert "are these tokens a second of the whole run?" in said
    assert f"give --tokens-per-second {whole / 256:.6g}" in said


def test_json_holds_it_all(estimate: Estimate) -> None:
    ran = estimate("check", *RUN, "--step-time", f"{1.4 * predicted(estimate)} s", "--format", "json")
    found = json.loads(ran.out)
    assert found["schema"] == "estimator/check/1"
    assert (found["place"], found["ratio"]) == ("below", pytest.approx(1 / 1.4))
    speed = found["throughput_per_accelerator"]
    assert speed["low"] < speed["value"] < speed["high"]
    assert speed["measured"] == pytest.approx(speed["value"] / 1.4)
    assert found["question"]["tp"] == 8.0
    best, second = found["explanations"][:2]
    assert best["deviations"] <= second["deviations"]
    assert best["times"] == pytest.approx(1.0 + 0.4 / best["share"])
    assert found["alike"]["levels"]["architecture"] == "hopper"


@pytest.mark.parametrize(
    ("format", "start"), [("csv", "part,time,share,times,"), ("markdown", "llama-2-70b")]
)
def test_other_formats_are_written(estimate: Estimate, format: str, start: str) -> None:
    ran = estimate("check", *RUN, "--tokens-per-second", "500", "--format", format)
    assert ran.code == 0
    assert ran.out.startswith(start)


def test_a_question_file_is_checked(estimate: Estimate, tmp_path: Path) -> None:
    place = str(tmp_path / "run.toml")
    estimate("train", *RUN, "--save", place)
    assert estimate("check", place, "--tokens-per-second", "500").out == (
        estimate("check", *RUN, "--tokens-per-second", "500").out
    )


def test_notes_about_money_and_tokens_are_left_out(estimate: Estimate) -> None:
    ran = estimate(
        "check", "--model", "llama-2-7b", "--on", "mi300x", "--count", "8", "--tokens-per-second", "9000"
    )
    assert "Warning" not in ran.out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((), "nothing was measured: give --tokens-per-second (of one accelerator) or --step-time"),
        (
            ("--tokens-per-second", "45%"),
            "--tokens-per-second: '45%' is a share, and an MFU is no throughput; write tokens a second of one "
            "accelerator, like 3200",
        ),
        (
            ("--tokens-per-second", "500", "--mfu", "0.4"),
            "--mfu says how fast the run is, and that is what is checked; leave it out",
        ),
    ],
)
def test_faults_are_one_line(estimate: Estimate, words: tuple[str, ...], fault: str) -> None:
    ran = estimate("check", *RUN, *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {fault}\n")
