"""`estimate sweep`: tables, lines and files of what-ifs, and one clear message where something is wrong."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from estimator import Presets, Sweep, sweep
from estimator.cli.progress import Progress
from estimator.sweeps import store

from .run import Ran

Estimate = Callable[..., Ran]
BASE = ("sweep", "--params", "7B", "--on", "h100")
GRID = ("--vary", "count=8:32:x2", "--vary", "price=1.5,2")


def test_a_table_has_a_row_a_cell_and_says_where_the_rest_comes_from(estimate: Estimate) -> None:
    ran = estimate(*BASE, *GRID)
    head, *rows = ran.out.splitlines()
    assert head.startswith("count  price [USD/gpu/hour]  wall clock  80 % range")
    assert [row.split()[:2] for row in rows[:6]] == [[n, p] for n in ("8", "16", "32") for p in ("1.5", "2")]
    assert rows[6:] == [
        "",
        "What is assumed of the first cell: estimate train --params 7B --on h100 --count 8 --price '1.5 USD/gpu/hour'",
    ]
    assert ran.err == ""


def test_that_command_answers_as_the_first_row_does(estimate: Estimate) -> None:
    row = estimate(*BASE, *GRID).out.splitlines()[1]
    alone = estimate("train", "--params", "7B", "--on", "h100", "--count", "8", "--price", "1.5 USD/gpu/hour")
    cost = next(line for line in alone.out.splitlines() if line.startswith("Cost"))
    assert " ".join(cost.split()[1:3]) in row
    assert " ".join(cost.split()[3:7]) in row


def test_times_and_powers_that_vary_are_shown_with_their_units(estimate: Estimate) -> None:
    out = estimate("sweep", "--params", "7B", "--vary", "within=30,60 days", "--vary", "power=400 W,1 kW").out
    rows = [line.split("  ") for line in out.splitlines()]
    assert [row[0] for row in rows[1:5]] == ["30 days", "30 days", "60 days", "60 days"]
    assert [[word for word in row if word][1].strip() for row in rows[1:3]] == ["400 W", "1 kW"]
    assert "count" in rows[0]


def test_a_range_that_is_named_takes_the_place_of_the_usual(estimate: Estimate) -> None:
    out = estimate(*BASE, "--vary", "count=8", "--show", "cost", "--range", "mfu").out
    assert [word for word in out.splitlines()[0].split("  ") if word] == [
        "count",
        "cost",
        "80 % range of mfu",
    ]
    assert " to " in out.splitlines()[1]
    assert "%" in out.splitlines()[1]


def test_cells_without_an_answer_show_why(estimate: Estimate) -> None:
    out = estimate(
        "sweep", "--params", "7B", "--tp", "4", "--on", "h100", "--vary", "count=8,30"
    ).out.splitlines()
    assert out[0].endswith("  reason")
    assert out[1].endswith("yes")
    assert out[2].split()[1] == "unknown"
    assert out[2].endswith("  (1)")
    assert out[3] == ""
    assert out[4].startswith("(1) --count: 30 accelerators do not divide into replicas of 4")
    assert max(map(len, out[4:])) <= 100


def test_of_many_cells_the_first_are_shown(estimate: Estimate) -> None:
    out = estimate(*BASE, "--vary", "count=8:800:8", "--vary", "pue=1.1,1.2").out.splitlines()
    assert len(out) == 1 + 60 + 3
    assert out[-2] == "140 more cells: write all to a file with -o sweep.parquet, .csv or .jsonl"


def test_csv_and_json_lines_and_markdown(estimate: Estimate) -> None:
    rows = list(csv.reader(io.StringIO(estimate(*BASE, *GRID, "--format", "csv").out)))
    assert rows[0][:3] == ["count [accelerator]", "price [USD/accelerator/hour]", "flops [FLOP]"]
    assert [row[:2] for row in rows[1:]] == [[n, p] for n in ("8.0", "16.0", "32.0") for p in ("1.5", "2.0")]
    lines = [json.loads(line) for line in estimate(*BASE, *GRID, "--format", "jsonl").out.splitlines()]
    assert [list(map(str, line.values()))[:2] for line in lines] == [row[:2] for row in rows[1:]]
    assert [line["cost [USD]"] for line in lines] == [
        float(row[rows[0].index("cost [USD]")]) for row in rows[1:]
    ]
    assert estimate(*BASE, *GRID, "--format", "markdown").out.splitlines()[1].startswith("| --- | --- |")


def test_linked_axes_run_together(estimate: Estimate) -> None:
    out = estimate(
        "sweep", "--params", "7B", "--vary", "count=8,16", "--vary", "on=h100,a100", "--zip", "count,on"
    ).out
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [["8", "h100"], ["16", "a100"]]


def test_a_question_file_is_swept(estimate: Estimate, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('params = "7B"\non = "h100"\n', encoding="utf-8")
    assert estimate("sweep", str(file), *GRID).out == estimate(*BASE, *GRID).out


@pytest.mark.parametrize("stored", ["count = 512", 'within = "30 days"', "nodes = 3", 'plan = "reserved"'])
def test_what_varies_replaces_what_a_file_says_and_what_contradicts_it(
    estimate: Estimate, tmp_path: Path, stored: str
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'params = "7B"\non = "h100"\n{stored}\n', encoding="utf-8")
    assert estimate("sweep", str(file), *GRID).out == estimate(*BASE, *GRID).out
    both = estimate("sweep", str(file), *GRID, "--count", "64")
    assert both.err == "Error: --vary count: --count is given too; leave one of them out\n"


def test_a_sample_is_spread_over_the_grid(estimate: Estimate) -> None:
    out = estimate(
        *BASE, "--vary", "count=8:8000:8", "--vary", "price=1:3:0.01", "--thin", "5", "--format", "csv"
    ).out
    assert len(out.splitlines()) == 6


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_file_is_written_and_named(estimate: Estimate, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    ran = estimate(*BASE, *GRID, "-o", str(path))
    assert (ran.code, ran.out, ran.err) == (0, f"6 cells are in '{path}'.\n", "")
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    if suffix == ".parquet":
        assert pq.read_metadata(path).num_rows == 6
        assert estimate(*BASE, *GRID, "-o", str(path), "--resume").out == ran.out


HOW = "write it like count=512:8192:x2 or on=h100,a100"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*BASE,), "nothing varies: give --vary, like --vary count=512:8192:x2"),
        ((*BASE, "--vary", "count"), f"--vary: 'count' is not NAME=VALUES; {HOW}"),
        ((*BASE, "--vary", "=8"), f"--vary: '=8' is not NAME=VALUES; {HOW}"),
        ((*BASE, "--vary", "count=8", "--vary", "--count=9"), f"--vary: 'count' is given twice; {HOW}"),
        ((*BASE, "--vary", "cuont=8"), "--vary: there is no input 'cuont'; did you mean 'count' or 'context'?"),
        ((*BASE, "--vary", "params=8B"), "--vary params: --params is given too; leave one of them out"),
        ((*BASE, *GRID, "--zip", "count"), "--zip: 'count' links nothing; name two axes or more, like on,price"),
        ((*BASE, *GRID, "--thin", "x"), "--thin: 'x' is not a count; write it like 65e9, 65B or 1.4T"),
        ((*BASE, *GRID, "--thin", "1e9"), "--thin: 1e+09 is not a number of cells from 1 to 200,000"),
        ((*BASE, *GRID, "--show", "wal_clock"), "--show: there is no quantity 'wal_clock'; did you mean 'wall_clock'?"),
        ((*BASE, *GRID, "--range", "tp"), "--range: 'tp' is no quantity that has a range"),
        ((*BASE, *GRID, "--resume"), "--resume goes on with a file; name it with -o"),
        ((*BASE, *GRID, "-o", "out.xlsx"), "-o: 'out.xlsx' ends in none of .parquet, .csv, .jsonl"),
        (("sweep", "--count", "8", "--vary", "pue=1.1,1.2"),
         "nothing says which model: give --params, --model or --config, like --params 65e9"),
        ((*BASE, "--vary", "within=10 days", "--count", "8"),
         "--count and --within contradict each other; give one of them"),
        ((*BASE, "--tp", "3", "--vary", "count=8"),
         "--count: 8 accelerators do not divide into replicas of 3 (tensor 3 x pipeline 1 x context 1); the nearest "
         "legal ones are 6 and 9; or --tp 2 or 4"),
        ((*BASE, "--vary", "tokens=1e9:1e12:1e8", "--vary", "mfu=0.1:0.5:0.0001", "--vary", "pue=1:1.3:0.001"),
         "--vary: 12,032,171,291 cells (tokens 9,991 x mfu 4,001 x pue 301) are more than the 1,000,000,000 of a "
         "sweep; take wider steps, link axes with --zip, or answer a sample that is spread over them with --thin "
         "100000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_message_and_exit_code_2(
    estimate: Estimate, words: tuple[str, ...], message: str
) -> None:
    ran = estimate(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"Error: {message}\n"


def test_all_faults_of_what_varies_are_told_at_once(estimate: Estimate) -> None:
    ran = estimate(*BASE, "--vary", "count=8:4:2", "--vary", "grid=zzz", "--vary", "seq=x")
    assert [line.split(":")[1].strip() for line in ran.err.splitlines()] == [
        "--vary count", "--vary grid", "--vary seq",
    ]  # fmt: skip


def test_ctrl_c_says_what_stands_and_how_to_go_on(
    estimate: Estimate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    monkeypatch.setattr(store, "CHUNK", 2)
    write = Sweep.write

    def _interrupted(self: Sweep, path: Path, *, resume: bool, told: object) -> None:
        def _told(what: str, done: int, of: int) -> None:
            if what == "cells" and done == 4:
                raise KeyboardInterrupt

        write(self, path, resume=resume, told=_told)

    monkeypatch.setattr(Sweep, "write", _interrupted)
    ran = estimate(*BASE, *GRID, "-o", str(path))
    assert ran.code == 130
    assert ran.err == f"2 of 3 parts are whole in '{path}.partial'; go on with --resume\n\nStopped.\n"
    monkeypatch.setattr(Sweep, "write", write)
    assert estimate(*BASE, *GRID, "-o", str(path)).err == (
        f"Error: -o: '{path}.partial' holds 2 of 3 parts of a run that was stopped; go on with --resume, or delete it\n"
    )
    assert estimate(*BASE, *GRID, "-o", str(path), "--resume").code == 0
    assert len(path.read_text().splitlines()) == 7


def test_a_command_that_is_killed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    words = [sys.executable, "-m", "estimator", *BASE, "--vary", "count=8:8000:8", "--vary", "price=1:3:0.004",
             "-o", str(path)]  # fmt: skip
    folder = tmp_path / "out.parquet.partial"
    with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while not list(folder.glob("0*")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert list(folder.glob("0*")) or path.exists()
    ended = subprocess.run([*words, "--resume"], stdout=subprocess.PIPE, text=True, check=True)
    assert ended.stdout == f"501,000 cells are in '{path}'.\n"
    assert pq.read_metadata(path).num_rows == 501_000


def test_the_bar_shows_what_is_done_the_rate_and_the_time_left() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with Progress(console) as bar:
        list(sweep({"params": "7B"}, {"count": "8:64:8"}, presets=Presets()).chunks(2, told=bar.told))
        bar._bar.refresh()  # pyright: ignore[reportPrivateUsage]
    shown = stream.getvalue()
    assert "reading questions" in shown
    assert "computing cells" in shown
    assert "8/8" in shown
    assert "/s" in shown
    assert "0:00:00" in shown


def test_there_is_no_bar_where_nobody_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, rich in ((False, True), (True, False)):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal, raising=False)
        if not rich:
            monkeypatch.setitem(sys.modules, "rich.console", None)
        with Progress() as bar:
            bar.told("cells", 1, 2)
            assert bar._bar is None  # pyright: ignore[reportPrivateUsage]


def test_money_of_several_currencies_is_a_number_beside_its_currency(estimate: Estimate) -> None:
    words = (
        "--params",
        "7B",
        "--count",
        "64",
        "--vary",
        "currency=USD,CNY",
        "--show",
        "cost",
        "--range",
        "cost",
    )
    ran = estimate("sweep", *words)
    assert (ran.code, ran.err) == (0, "")
    head, *rows = (line.split() for line in ran.out.splitlines()[:3])
    assert (head[:2], [row[0] for row in rows]) == (["currency", "cost"], ["USD", "CNY"])
    usd, cny = (float(row[1].replace(",", "")) for row in rows)
    assert 6 < cny / usd < 8
