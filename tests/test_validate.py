"""A file of measured rows against what is estimated: kinds, screens, reasons, and the same answer in any pieces."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from estimator.errors import EstimatorError
from estimator.estimate import evaluate
from estimator.measured import throughput_case
from estimator.measured.runs import row_of
from estimator.presets import Presets, data_dir
from estimator.ranges import points, spread
from estimator.validate import KINDS, Row, Validation

PRESETS = Presets()
MEASUREMENTS = data_dir() / "measurements"
HEADER = "id,tokens_per_s_per_accelerator,accelerator,model,n_accelerators"
GOOD = "a,1000,nvidia-a100-sxm-80gb,llama-7b,8"


def validated(place: Path, *lines: str, piece: int = 100) -> tuple[list[Row], Validation]:
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read(place, piece)


def read(place: Path, piece: int = 4096) -> tuple[list[Row], Validation]:
    validation = Validation(place, PRESETS, piece)
    return [row for rows in validation.pieces() for row in rows], validation


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "mine.csv"


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("tokens_per_s_per_accelerator", "throughput"),
        ("iter_time_s", "throughput"),
        ("peak_memory_bytes_per_device", "memory"),
        ("accelerator_hours", "runs"),
    ],
)
def test_the_kind_is_told_by_what_was_measured(place: Path, column: str, kind: str) -> None:
    place.write_text(f"id,{column}\n", encoding="utf-8")
    assert Validation(place, PRESETS).kind.name == kind


KNOWN = (
    "(throughput: tokens_per_s_per_accelerator or iter_time_s; memory: peak_memory_bytes_per_device; "
    "runs: accelerator_hours)"
)


@pytest.mark.parametrize(
    ("header", "problem"),
    [("a,b", "no column tells"), ("accelerator_hours,iter_time_s", "more than one column tells")],
)
def test_a_header_of_no_kind_is_refused(place: Path, header: str, problem: str) -> None:
    place.write_text(header + "\n", encoding="utf-8")
    with pytest.raises(EstimatorError) as caught:
        Validation(place, PRESETS)
    assert (
        str(caught.value) == f"'{place}': {problem} what was measured; the header needs one of these {KNOWN}"
    )


def test_a_header_without_rows_is_refused(place: Path) -> None:
    with pytest.raises(EstimatorError) as caught:
        validated(place, HEADER)
    assert str(caught.value) == f"'{place}' holds a header and no rows"


def test_a_row_is_what_the_one_path_gives(place: Path) -> None:
    (row,), validation = validated(place, HEADER, GOOD)
    case = throughput_case([dict(zip(HEADER.split(","), GOOD.split(","), strict=True))], PRESETS)
    name = "throughput_per_accelerator"
    ends = points({name: evaluate(spread(case)).values[name]}, case)[name][0]
    assert row.predicted == pytest.approx(float(evaluate(case).values[name][0]), rel=1e-12)
    assert row.low <= ends.min() * 1.000001
    assert row.high >= ends.max() * 0.999999
    assert row.low < row.predicted < row.high
    assert (row.id, row.measured, row.status, row.reason) == ("a", 1000.0, "scored", "")
    assert {"tp", "recompute", "precision", "stack"} <= set(row.assumed)
    assert validation.scores.rows == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,,nvidia-a100-sxm-80gb,llama-7b,8", "no target: nothing measured is printed"),
        ("a,nan,nvidia-a100-sxm-80gb,llama-7b,8", "no target: nothing measured is printed"),
        ("a,-1,nvidia-a100-sxm-80gb,llama-7b,8", "tokens_per_s_per_accelerator is not a number above zero: '-1'"),
        ("a,inf,nvidia-a100-sxm-80gb,llama-7b,8", "tokens_per_s_per_accelerator is not a number above zero: 'inf'"),
        ("a,1000,b200?,llama-7b,8", "unknown accelerator: 'b200?'"),
        ("a,1000,h100,mystery,8", "no model size: give a recorded model, params, or n_layers and hidden"),
        ("a,1000,nvidia-a100-sxm-80gb,llama-7b,eight", "n_accelerators is not a whole number from 1 to 1e+08: 'eight'"),
        ("a,1000", "more or fewer cells than columns: 2 cells under 5 columns"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_scored_says_why_and_the_rest_is_answered(
    place: Path, line: str, reason: str
) -> None:
    rows, validation = validated(place, HEADER, GOOD, line, GOOD)
    assert [row.status for row in rows] == ["scored", "skipped", "scored"]
    assert rows[1].reason == reason
    assert math.isnan(rows[1].predicted)
    assert dict(validation.skipped) == {reason.split(": ")[0]: 1}
    assert (validation.rows, validation.scores.rows) == (3, 2)


def test_a_row_without_a_name_is_told_by_its_line(place: Path) -> None:
    rows, _ = validated(place, HEADER, GOOD, "", ",1000,nowhere,llama-7b,8")
    assert [row.id for row in rows] == ["a", "line 4"]


@pytest.mark.parametrize(
    ("header", "cells", "refused"),
    [
        ("task", ["pretrain", "", "sft", "lora"], [False, False, True, True]),
        ("complete", ["full", "", "partial"], [False, False, True]),
        ("check", ["ok", "n.a.", "", "inconsistent"], [False, False, False, True]),
    ],
)
def test_rules_of_what_counts_apply_where_their_column_says_otherwise(
    place: Path, header: str, cells: Sequence[str], refused: Sequence[bool]
) -> None:
    rows, validation = validated(place, f"{HEADER},{header}", *(f"{GOOD},{cell}" for cell in cells))
    assert [row.status == "skipped" for row in rows] == list(refused)
    assert sum(validation.screened.values()) == sum(refused)
    assert not validation.skipped
    assert all(row.reason.startswith(f"{header} is not ") for row in rows if row.reason)


def test_tokens_are_sound_where_only_the_flops_are_not(place: Path) -> None:
    lines = [f"{GOOD},inconsistent,flops_only", f"{GOOD},inconsistent,other"]
    rows, _ = validated(place, f"{HEADER},check,check_detail", *lines)
    assert [row.status for row in rows] == ["scored", "skipped"]


def test_hours_count_where_they_are_productive_or_occupied(place: Path) -> None:
    good = "llama-7b,1e12,nvidia-a100-sxm-80gb,82432"
    rows, _ = validated(
        place, "accounting,model,tokens,accelerator,accelerator_hours",
        *(f"{word},{good}" for word in ("productive", "occupied", "mixed", "")),
    )  # fmt: skip
    assert [row.status for row in rows] == ["scored", "scored", "skipped", "skipped"]
    assert rows[0].measured == 82432.0


def test_a_step_time_is_a_target(place: Path) -> None:
    header = "id,iter_time_s,accelerator,model,n_accelerators,global_batch_seqs,seq_len"
    rows, _ = validated(place, header, "a,2,h100,llama-7b,8,64,2048", "b,2,h100,llama-7b,8,,2048")
    assert rows[0].measured == 64 * 2048 / 2 / 8
    assert rows[1].reason == "no target: nothing measured is printed"


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_pieces_of_any_size_give_the_same(tmp_path: Path, piece: int) -> None:
    place = tmp_path / "some.csv"
    lines = (MEASUREMENTS / "throughput.csv").read_text(encoding="utf-8").splitlines()
    place.write_text("\n".join([lines[0], *lines[1:-1:90]]) + "\n", encoding="utf-8")
    whole, summary = read(place)
    parts, other = read(place, piece)
    assert len(whole) > 10
    for one, two in zip(whole, parts, strict=True):
        assert one[:2] == two[:2]
        assert one[5:] == two[5:]
        assert one[2:5] == pytest.approx(two[2:5], rel=1e-9, nan_ok=True)
    assert (summary.skipped, summary.screened) == (other.skipped, other.screened)
    first, second = summary.scores.score(), other.scores.score()
    assert first
    assert second
    assert first.errors == pytest.approx(second.errors, rel=1e-9)


def test_a_blank_cell_does_not_narrow_a_range(place: Path) -> None:
    rows, _ = validated(
        place, f"{HEADER},recompute,seq_len,micro_batch", f"{GOOD},none,2048,4", f"{GOOD},,,"
    )  # fmt: skip
    printed, silent = (row.high / row.low for row in rows)
    assert silent > printed


@pytest.mark.parametrize(("file", "scored"), [("throughput.csv", 869), ("memory.csv", 214)])
def test_every_recorded_row_that_counts_is_scored(file: str, scored: int) -> None:
    rows, validation = read(MEASUREMENTS / file)
    assert validation.scores.rows == scored
    skipped = [row for row in rows if row.reason.split(":")[0] in validation.skipped]
    # Memory has rows of parts of a card, which print no peak.
    assert {row.reason for row in skipped} <= {"no target: nothing measured is printed"}
    assert all(row.low <= row.predicted <= row.high for row in rows if row.status == "scored")


def test_every_recorded_run_that_counts_is_scored(tmp_path: Path) -> None:
    rows = [row_of(record) for record in PRESETS.all("runs")]
    place = tmp_path / "runs.csv"
    with place.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    _, validation = read(place)
    wanted = [record for record in PRESETS.all("runs") if record.words["scored"]]
    counted = [record for record in wanted if record.words["accounting"] in ("productive", "occupied")]
    assert validation.scores.rows == len(counted) > 25
    assert not validation.skipped


def test_the_baseline_is_the_average_efficiency_of_the_chip(place: Path) -> None:
    _, validation = validated(place, HEADER, GOOD)
    measured, *_, constant = np.concatenate(validation.scores._pieces, axis=1)[:5, 0]
    record = PRESETS.load("calibrations", "efficiency-nvidia-a100-sxm-80gb")
    chip = PRESETS.load("accelerators", "nvidia-a100-sxm-80gb")
    case = throughput_case([dict(zip(HEADER.split(","), GOOD.split(","), strict=True))], PRESETS)
    cost = float(evaluate(case).values["flops_per_token"][0])
    assert measured == 1000.0
    assert constant == pytest.approx(record.value("bf16") * chip.value("peak_bf16") / cost, rel=1e-12)


def test_memory_has_no_baseline_of_speed() -> None:
    assert [kind.name for kind in KINDS if not kind.has_baseline] == ["memory"]
