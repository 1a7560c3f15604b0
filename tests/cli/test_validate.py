"""`estimate validate`: its formats, and one clear error for what is no file of measured rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
HEADER = "id,tokens_per_s_per_accelerator,accelerator,model,n_accelerators"
GOOD = "a,1000,nvidia-a100-sxm-80gb,llama-7b,8"


@pytest.fixture
def file(tmp_path: Path) -> str:
    place = tmp_path / "mine.csv"
    place.write_text(f"{HEADER}\n{GOOD}\nb,1000,flux,llama-7b,8\n", encoding="utf-8")
    return str(place)


def test_rows_and_summary_are_printed(estimate: Estimate, file: str) -> None:
    ran = estimate("validate", file)
    assert (ran.code, ran.err) == (0, "")
    assert "1 of 2 rows scored" in ran.out
    assert "unknown accelerator: 'flux'" in ran.out


def test_json_is_one_document(estimate: Estimate, file: str) -> None:
    ran = estimate("validate", file, "--format", "json")
    assert [row["status"] for row in json.loads(ran.out)["rows"]] == ["scored", "skipped"]
    assert ran.err == ""


@pytest.mark.parametrize("format", ["csv", "markdown"])
def test_other_formats_are_written(estimate: Estimate, file: str, format: str) -> None:
    ran = estimate("validate", file, "--format", format)
    assert ran.code == 0
    assert "flux" in ran.out


def test_a_chip_of_ones_own_is_known(estimate: Estimate, file: str, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "accelerators"
    folder.mkdir(parents=True)
    (folder / "flux.toml").write_text(
        'name = "Flux"\narchitecture = "ampere"\n[sources.s]\ntitle = "t"\npublisher = "p"\n[figures]\n'
        'peak_bf16 = { value = "300 TFLOP/s", source = "s", where = "w", kind = "stated" }\n'
        'memory = { value = "80 GiB", source = "s", where = "w", kind = "stated" }\n',
        encoding="utf-8",
    )
    ran = estimate("validate", file, "--presets", str(tmp_path / "own"), "--format", "json")
    assert [row["status"] for row in json.loads(ran.out)["rows"]] == ["scored", "scored"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "'{}' is empty; name a CSV file of measured rows"),
        (b"\0\1\2", "'{}' is not a text file in UTF-8; name a CSV file of measured rows"),
        (HEADER.encode(), "'{}' holds a header and no rows"),
        (b"id,id,iter_time_s\n1,2,3\n", "'{}': the column 'id' stands twice in the header"),
    ],
)
def test_what_is_no_file_of_rows_is_one_error(
    estimate: Estimate, tmp_path: Path, content: bytes, problem: str
) -> None:
    place = tmp_path / "bad.csv"
    place.write_bytes(content)
    ran = estimate("validate", str(place))
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {problem.format(place)}\n")


def test_a_folder_is_one_error(estimate: Estimate, tmp_path: Path) -> None:
    ran = estimate("validate", str(tmp_path))
    assert ran.err == f"Error: '{tmp_path}' is not a regular file; name a CSV file of measured rows\n"
    assert ran.code == 2


def test_nothing_named_is_an_error(estimate: Estimate) -> None:
    ran = estimate("validate")
    assert ran.code == 2
    assert "FILE.csv" in ran.err
