"""The page on speed: its arithmetic on numbers that are made up, and what it tells of runs that were killed."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "make_performance.py"
HEAD = "measure,size,quantity,value,runs,load,date\n"


@pytest.fixture(scope="module")
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_performance", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def csv_of(folder: Path, measure: str, size: int, **numbers: float) -> Path:
    path = folder / "performance.csv"
    rows = "".join(f'"{measure}",{size},{name},{value},3,0.1,2026-11-22\n' for name, value in numbers.items())
    path.write_text((path.read_text() if path.exists() else HEAD) + rows)
    return path


def test_workers_pay_from_where_they_save_what_starting_them_takes(made: ModuleType) -> None:
    # 2 us a cell without them, 1.2 with two of them: 0.8 us saved a cell, and 4 s / 0.8 us is 5 million cells, which
    # take 10 s without them, and 4 s + 6 s with them.
    assert made.break_even(4.0, 2.0e-6, 1.2e-6) == pytest.approx(5e6)
    assert made.break_even(4.0, 2.0e-6, 2.0e-6) == math.inf
    assert made.break_even(4.0, 2.0e-6, 3.0e-6) == math.inf
    assert made.break_even(0.0, 2.0e-6, 1.2e-6) == 0.0


def test_the_page_tells_it_of_what_was_measured(made: ModuleType, tmp_path: Path) -> None:
    csv_of(tmp_path, "workers cells", 10_000_000, alone=20, one=21, two=12, start=4)
    path = csv_of(tmp_path, "workers layouts", 40_000_000, alone=20, one=21, two=20.5, start=3)
    lines = made.second(made.Rows(path)).splitlines()
    assert "| 10,000,000 cells | 20.0 s | 12.0 s | 4.0 s | 5 million cells | 10 s |" in lines
    assert "| 40,000,000 layouts | 20.0 s | 20.5 s | 3.0 s | never |  |" in lines


def test_without_a_measurement_nothing_is_told(made: ModuleType, tmp_path: Path) -> None:
    rows = made.Rows(csv_of(tmp_path, "search", 1, core=1))
    assert made.second(rows) == made.killed(rows) == ""


def test_rows_that_are_lost_or_doubled_are_told(made: ModuleType, tmp_path: Path) -> None:
    csv_of(tmp_path, "killed worker, dask", 4_000_000, lost=0, doubled=0, same=1)
    path = csv_of(tmp_path, "killed worker, processes", 4_000_000, lost=3, doubled=1, same=0)
    assert made.killed(made.Rows(path)) == (
        "| a worker killed with SIGKILL half-way | same file | `--cluster local:2`: 0 of 4,000,000 rows lost, "
        "0 doubled, the same byte for byte; `--workers 2`: 3 of 4,000,000 rows lost, 1 doubled, OTHER BYTES | "
        "`benchmarks/killed.py`; 3 runs, load 0.1, 2026-11-22 |\n"
    )
