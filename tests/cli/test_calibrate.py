"""`estimate calibrate`, and what other commands do with its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ..own_steps import Rows, file, row, several
from .run import Ran

Estimate = Callable[..., Ran]
QUESTION = ("--model", "llama-2-7b", "--on", "a100", "--count", "64", "--tokens", "1T", "--stack", "megatron")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def measured(folder: Path, rows: Rows, factor: float = 0.8) -> str:
    return file(folder, rows, factor).name


def speed(ran: Ran) -> float:
    return json.loads(ran.out)["throughput_per_accelerator"]["value"]


def test_one_row_is_enough(estimate: Estimate, folder: Path) -> None:
    ran = estimate("calibrate", measured(folder, [row("a")]))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1 of 1 rows learnt from\n\nDense models on ampere (nvidia-a100-sxm-80gb; ")
    assert "stack megatron): 1 configuration, 1 row\n" in ran.out
    assert "Median error before: 25 %. Fewer than 3 configurations cannot tell what is left of it." in ran.out


def test_more_rows_tell_what_is_left(estimate: Estimate, folder: Path) -> None:
    ran = estimate("calibrate", measured(folder, several(4)))
    assert "Median error before: 25 %; after: " in ran.out
    assert " each configuration as the others foretell it." in ran.out
    assert "error after" in ran.out


def test_what_is_skipped_is_told(estimate: Estimate, folder: Path) -> None:
    place = folder / measured(folder, several(2))
    place.write_text(
        place.read_text(encoding="utf-8").replace("r1,nvidia-a100-sxm-80gb", "r1,flux"), encoding="utf-8"
    )
    ran = estimate("calibrate", place.name)
    assert (
        "1 of 2 rows learnt from\n\nSkipped:\n  1  unknown accelerator\n  r1: unknown accelerator: 'flux'"
        in ran.out
    )


def test_questions_use_what_was_written(estimate: Estimate, folder: Path) -> None:
    ran = estimate("calibrate", measured(folder, several(4)), "-o", "mine.toml")
    assert ran.out.endswith(
        "Written to 'mine.toml'. Use it with: estimate train ... --calibration mine.toml\n"
    )
    # In a layout that is named: own steps also take the place of what practice is said to lose in one that is found.
    named = (*QUESTION, "--tp", "1", "--pp", "1", "--zero", "3", "--format", "json")
    house, own = (
        speed(estimate("train", *named)),
        speed(estimate("train", *named, "--calibration", "mine.toml")),
    )
    assert 0.78 < own / house < 0.9
    assert estimate("memory", *QUESTION, "--calibration", "mine.toml").code == 0
    beside = estimate("compare", *QUESTION, "--against", "calibration=mine.toml", "--format", "json")
    assert beside.code == 0
    assert "mine.toml" in beside.out


def test_a_question_file_keeps_its_calibration(estimate: Estimate, folder: Path) -> None:
    estimate("calibrate", measured(folder, several(4)), "-o", "mine.toml")
    first = estimate(
        "train", *QUESTION, "--calibration", "mine.toml", "--save", "run.toml", "--format", "json"
    )
    assert 'calibration = "mine.toml"' in (folder / "run.toml").read_text(encoding="utf-8")
    assert estimate("train", "run.toml", "--format", "json").out == first.out


def test_rows_are_validated_with_it(estimate: Estimate, folder: Path) -> None:
    rows = measured(folder, several(4))
    estimate("calibrate", rows, "-o", "mine.toml")
    errors = [
        json.loads(estimate("validate", rows, *more, "--format", "json").out)["summary"]["median_error"]
        for more in ((), ("--calibration", "mine.toml"))
    ]
    assert errors[0] == pytest.approx(0.25)
    assert errors[1] < 0.1
    ran = estimate("validate", rows, "--calibration", rows)
    assert ran.code == 2
    assert ran.err.startswith(f"Error: --calibration: '{rows}' is not TOML (")


def test_json_tells_multipliers_and_rows(estimate: Estimate, folder: Path) -> None:
    found = json.loads(estimate("calibrate", measured(folder, several(3)), "--format", "json").out)
    assert (found["schema"], found["rows"], found["learnt_from"]) == ("estimator/calibrate/1", 3, 3)
    (group,) = found["groups"]
    assert group["ids"] == ["r0", "r1", "r2"]
    assert group["median_error_before"] == pytest.approx(0.25)
    assert group["median_error_after"] < 0.25
    ends = group["multipliers"]["slowness"]
    assert 1.0 < ends["low"] < ends["value"] < ends["high"]


@pytest.mark.parametrize(
    ("format", "start"), [("csv", "architecture,experts,name,"), ("markdown", "3 of 3 rows")]
)
def test_other_formats_are_written(estimate: Estimate, folder: Path, format: str, start: str) -> None:
    ran = estimate("calibrate", measured(folder, several(3)), "--format", format)
    assert ran.code == 0
    assert ran.out.startswith(start)


def test_the_measured_rows_are_not_written_over(estimate: Estimate, folder: Path) -> None:
    rows = measured(folder, [row("a")])
    before = (folder / rows).read_text(encoding="utf-8")
    ran = estimate("calibrate", rows, "-o", f"./{rows}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"Error: --output: '{rows}' is the file of measured rows; name another\n"
    assert (folder / rows).read_text(encoding="utf-8") == before


def test_what_cannot_be_written_is_told(estimate: Estimate, folder: Path) -> None:
    ran = estimate("calibrate", measured(folder, [row("a")]), "-o", "none/mine.toml")
    assert ran.err == (
        "Error: --output: 'none/mine.toml' cannot be written (No such file or directory); "
        "name a file in a folder that exists\n"
    )


def test_a_file_of_another_kind_is_one_error(estimate: Estimate, folder: Path) -> None:
    (folder / "hours.csv").write_text("id,accelerator_hours\na,1\n", encoding="utf-8")
    ran = estimate("calibrate", "hours.csv")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "Error: 'hours.csv' holds measured runs, and only steps teach: "
        "the header needs tokens_per_s_per_accelerator or iter_time_s\n"
    )


def test_what_a_file_says_does_not_steer_the_terminal(estimate: Estimate, folder: Path) -> None:
    ran = estimate("calibrate", measured(folder, [row("\x1b[31mred")]), "-o", "mine.toml")
    assert "\x1b" not in ran.out
    assert "?[31mred" in ran.out
    assert "\x1b" not in (folder / "mine.toml").read_text(encoding="utf-8")
