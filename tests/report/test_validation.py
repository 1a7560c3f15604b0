"""The pages of a validation: one document of JSON, rows of CSV, and tables that people read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from estimator.presets import Presets
from estimator.report.validation import summary_document, write
from estimator.validate import Validation

PRESETS = Presets()
HEADER = "id,source,tokens_per_s_per_accelerator,accelerator,model,n_accelerators,task"
LINES = (
    "a,one,1000,nvidia-a100-sxm-80gb,llama-7b,8,pretrain",
    "b,two,2000,nvidia-h100-sxm-80gb,llama-7b,8,pretrain",
    'c,"t,wo",2000,flux,llama-7b,8,pretrain',
    "d,two,2000,nvidia-h100-sxm-80gb,llama-7b,8,sft",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "mine.csv"
    place.write_text("\n".join([HEADER, *LINES]) + "\n", encoding="utf-8")
    return place


def written(file: Path, format: str, piece: int = 100) -> str:
    return "\n".join(write(Validation(file, PRESETS, piece), format))


@pytest.mark.parametrize("piece", [1, 3, 100])
def test_the_document_is_one_of_json_however_many_pieces(file: Path, piece: int) -> None:
    document = json.loads(written(file, "json", piece))
    assert list(document) == ["rows", "summary"]
    assert [row["id"] for row in document["rows"]] == ["a", "b", "c", "d"]
    assert document["rows"][2] == {
        "id": "c", "measured": 2000.0, "predicted": None, "low": None, "high": None, "status": "skipped",
        "reason": "unknown accelerator: 'flux'", "assumed": [],
    }  # fmt: skip
    scored = document["rows"][0]
    assert scored["low"] < scored["predicted"] < scored["high"]
    assert scored["reason"] is None
    assert "tp" in scored["assumed"]


def test_the_summary_counts_and_scores(file: Path) -> None:
    found = json.loads(written(file, "json"))["summary"]
    assert {name: found[name] for name in ("kind", "unit", "rows", "scored", "skipped")} == {
        "kind": "throughput", "unit": "token/s per accelerator", "rows": 4, "scored": 2, "skipped": 2,
    }  # fmt: skip
    assert found["reasons"] == {"unknown accelerator": 1}
    assert found["not_of_this_kind"] == {"task is not pretrain": 1}
    assert set(found["by_source"]) == {"one", "two"}
    assert set(found["by_accelerator"]) == {"nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb"}
    for score in (found, *found["by_source"].values()):
        assert 0.0 <= score["coverage"] <= 1.0
        assert score["median_high_over_low"] > 1.0
        assert score["interval_score"] > 0.0
        assert set(score["baseline"]) == {"median_error", "mean_error", "bias"}
        assert all(score[name] is not None for name in ("median_error", "mean_error", "bias"))


def test_where_nothing_is_scored_every_score_is_null(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    place.write_text(f"{HEADER}\n{LINES[2]}\n", encoding="utf-8")
    found = json.loads(written(place, "json"))["summary"]
    names = (
        "median_error",
        "mean_error",
        "bias",
        "coverage",
        "median_high_over_low",
        "interval_score",
        "baseline",
    )
    assert [found[name] for name in names] == [None] * len(names)
    assert (found["scored"], found["skipped"]) == (0, 1)


@pytest.mark.parametrize("piece", [1, 100])
def test_csv_has_the_rows_in_full_under_one_header(file: Path, piece: int) -> None:
    rows = list(csv.DictReader(io.StringIO(written(file, "csv", piece))))
    assert list(rows[0]) == ["id", "measured", "predicted", "low", "high", "status", "reason"]
    assert [row["status"] for row in rows] == ["scored", "scored", "skipped", "skipped"]
    document = json.loads(written(file, "json"))["rows"]
    assert [float(row["predicted"]) for row in rows[:2]] == [row["predicted"] for row in document[:2]]
    assert rows[3]["reason"] == "task is not pretrain: 'sft'"
    assert (rows[2]["measured"], rows[2]["predicted"]) == ("2000.0", "")


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_people_read_the_rows_and_then_the_summary(file: Path, format: str) -> None:
    text = written(file, format, 1)
    assert text.count("80 % range") == 1
    assert "unknown accelerator: 'flux'" in text
    assert "2 of 4 rows scored, in token/s per accelerator" in text
    assert "Skipped:\n  1  unknown accelerator" in text
    assert "Not a measurement of this kind:\n  1  task is not pretrain" in text
    assert "constant MFU: median" in text
    assert text.index("flux") < text.index("2 of 4 rows scored")


def test_a_table_keeps_its_columns_below_each_other(file: Path) -> None:
    header, first, second, *_ = written(file, "table", 1).splitlines()
    assert [line[34:39] for line in (header, first, second)] == ["measu", "1,000", "2,000"]


def test_an_id_cannot_steer_the_terminal(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    place.write_text(f"{HEADER}\n\x1b[2Jz,{LINES[0][2:]}\n", encoding="utf-8")
    assert written(place, "table").splitlines()[1].startswith("?[2Jz ")


def test_memory_is_read_in_gib_and_written_in_byte(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    place.write_text(
        f"id,peak_memory_bytes_per_device,accelerator,model,n_devices,method\na,{2**35},a100,llama-7b,8,full\n",
        encoding="utf-8",
    )
    assert "a                                 32 " in written(place, "table")
    assert "in GiB per accelerator" in written(place, "table")
    document = json.loads(written(place, "json"))
    assert document["rows"][0]["measured"] == 2.0**35
    assert document["summary"]["unit"] == "byte per accelerator"
    assert document["summary"]["baseline"] is None


def test_the_summary_grows_with_the_rows(file: Path) -> None:
    validation = Validation(file, PRESETS, 1)
    pieces = validation.pieces()
    next(pieces)
    assert (summary_document(validation)["rows"], summary_document(validation)["scored"]) == (1, 1)
    assert len(list(pieces)) == 3
    assert summary_document(validation)["rows"] == 4
