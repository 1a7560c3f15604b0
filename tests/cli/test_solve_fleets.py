"""`estimate solve` of a fleet: in every format, and by a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
POOLS = ("--pool", "64 x a100-sxm-80gb, site=a, mfu=50%", "--pool", "64 x a100-sxm-80gb, site=b, mfu=25%")
ASKED = ("--params", "7B", "--tokens", "1T", *POOLS)


def test_the_link_that_a_date_needs(estimate: Estimate) -> None:
    ran = estimate("solve", "link", *ASKED, "--within", "60 days")
    assert (ran.code, ran.err) == (0, "")
    first, *rest = ran.out.splitlines()
    assert first.startswith("link = 27.2 Gbit/s (")
    assert first.endswith("): the least that keeps the wall clock at most 60 days.")
    assert (
        "That is of one run, shares like speeds (--way matched); ask for separate or equal with --way."
        in rest
    )
    assert "7 billion parameters, 1 trillion tokens a run, on 128 accelerators in 2 pools" in rest


def test_formats(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    estimate("fleet", *ASKED, "--link", "1 Gbit/s", "--save", str(path))
    # What is asked for replaces what the file says of it.
    asked = ("solve", "link", str(path), "--within", "60 days", "--format")
    found = json.loads(estimate(*asked, "json").out)
    assert found["solved"]["value"] == pytest.approx(27.2, abs=0.05)
    assert found["solved"]["unit"] == "Gbit/s"
    assert found["fleet"]["question"]["pools"][1]["site"] == "b"
    rows = list(csv.DictReader(io.StringIO(estimate(*asked, "csv").out)))
    assert (rows[0]["of"], rows[0]["name"], rows[0]["unit"]) == ("solved", "link", "Gbit/s")
    assert float(rows[0]["value"]) == found["solved"]["value"]
    assert "| lost by mixing |" in estimate(*asked, "markdown").out


def test_a_fault_ends_with_code_2(estimate: Estimate) -> None:
    ran = estimate("solve", "c.count", *ASKED, "--cost", "1e5 USD")
    error = "Error: there is no pool 'C', which 'C.count' names; the pools are A, B\n"
    assert (ran.code, ran.out, ran.err) == (2, "", error)
