"""Files of sweeps: what they hold, that they survive being stopped, and that they end the same."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from estimator import EstimatorError, Presets, Sweep, sweep
from estimator.sweeps import asked as asked_of
from estimator.sweeps import store
from estimator.sweeps.parquet import Parquet
from estimator.sweeps.store import Store, write
from estimator.sweeps.table import Table, records
from estimator.version import __version__

PRESETS = Presets()
BASE = {"params": "7B", "on": "h100"}
VARY = {"count": "8,16,24", "price": "1.5,2,3,4", "precision": "bf16,fp8,mxfp8"}
SUFFIXES = (".parquet", ".csv", ".jsonl")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHUNK", 5)


def asked(**more: Any) -> Sweep:
    return sweep({**BASE, **more}, VARY, presets=PRESETS)


def rows() -> list[tuple[Any, ...]]:
    return list(records(Table(asked()).whole()))


def test_parquet_holds_every_cell_with_units_and_the_question(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write(asked(), path)
    read = pq.ParquetFile(path)
    assert read.metadata.num_row_groups == 12  # 3 x 4 x 3 cells, the last axis whole in each part
    assert read.schema_arrow.field("cost").metadata == {b"unit": b"USD"}
    found = [
        tuple(None if value != value else value for value in row.values()) for row in read.read().to_pylist()
    ]
    assert found == rows()
    assert Parquet(Table(asked()).columns, "").question_of(path) == Store(asked(), path).question
    assert [each.name for each in tmp_path.iterdir()] == ["out.parquet"]


def test_csv_holds_every_cell_below_names_with_units(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write(asked(), path)
    with path.open(newline="") as stream:
        head, *lines = csv.reader(stream)
    assert head == [column.header for column in Table(asked()).columns]
    expected = [["" if value is None else str(value) for value in row] for row in rows()]
    assert lines == expected
    assert any("" in line for line in lines)


def test_json_lines_hold_every_cell_as_an_object(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(asked(), path)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [tuple(line.values()) for line in found] == rows()
    assert list(found[0]) == [column.header for column in Table(asked()).columns]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("after", [1, 2, 7, 11])
def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_file(
    tmp_path: Path, suffix: str, after: int
) -> None:
    class Stopped(Exception):
        pass

    def _stop(what: str, done: int, of: int) -> None:
        if what == "cells" and done >= 3 * after:
            raise Stopped

    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    write(asked(), whole)
    with pytest.raises(Stopped):
        write(asked(), path, told=_stop)
    folder = tmp_path / f"out{suffix}.partial"
    assert store.begun(asked(), path) == (folder, 12, after)
    computed: list[int] = []
    write(
        asked(),
        path,
        resume=True,
        told=lambda what, done, of: computed.append(done) if what == "cells" else None,
    )
    assert computed == [3 * part for part in range(after + 1, 13)]
    assert path.read_bytes() == whole.read_bytes()
    assert not folder.exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_readable_to_the_last_part(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with pytest.raises(KeyboardInterrupt):
        write(asked(), path, told=_interrupt(after=12))
    parts = sorted((tmp_path / f"out{suffix}.partial").glob(f"0*{suffix}"))
    assert [part.stem for part in parts] == [f"{number:06d}" for number in range(4)]
    if suffix == ".parquet":
        found = pq.ParquetDataset(parts).read().num_rows
    else:
        found = sum(len(part.read_text().splitlines()) for part in parts)
    assert found == 12


def _interrupt(after: int) -> Any:
    def _told(what: str, done: int, of: int) -> None:
        if what == "cells" and done >= after:
            raise KeyboardInterrupt

    return _told


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_part_that_is_damaged_is_made_again(tmp_path: Path, suffix: str) -> None:
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    write(asked(), whole)
    with pytest.raises(KeyboardInterrupt):
        write(asked(), path, told=_interrupt(after=24))
    part = Store(asked(), path).part(2)
    part.write_bytes(part.read_bytes()[:-9])
    write(asked(), path, resume=True)
    assert path.read_bytes() == whole.read_bytes()


KILLED = """
import sys
from estimator import sweep
from estimator.sweeps import asked as asked_of
from estimator.sweeps import store
store.CHUNK = 5
def told(what, done, of):
    if what == "cells":
        print(done, flush=True)
        if done == 18:
            sys.stdin.read()
sweep({base!r}, {vary!r}).write({path!r}, resume=True, told=told)
"""


@pytest.mark.parametrize("sent", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_process_that_is_killed_goes_on_and_ends_with_the_same_file(tmp_path: Path, sent: str) -> None:
    whole, path = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    write(asked(), whole)
    code = textwrap.dedent(KILLED).format(base=BASE, vary=VARY, path=str(path))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.strip() == "18":
                process.send_signal(getattr(signal, sent))
                break
        assert process.wait(60) != 0
    assert not path.exists()
    assert store.begun(asked(), path).done == 6
    write(asked(), path, resume=True)
    assert path.read_bytes() == whole.read_bytes()


def failed(path: Path, question: Sweep | None = None, **how: Any) -> str:
    with pytest.raises(EstimatorError) as caught:
        write(question or asked(), path, **how)
    return str(caught.value)


def begun(path: Path, after: int = 6) -> Path:
    with pytest.raises(KeyboardInterrupt):
        write(asked(), path, told=_interrupt(after))
    return path


def test_what_was_begun_is_not_thrown_away_in_silence(tmp_path: Path) -> None:
    path = begun(tmp_path / "out.csv")
    assert failed(path) == (
        f"-o: '{path}.partial' holds 2 of 12 parts of a run that was stopped; go on with --resume, or delete it"
    )


def test_parts_of_another_question_are_refused(tmp_path: Path) -> None:
    path = begun(tmp_path / "out.csv")
    ends = "; delete it to begin anew"
    folder = f"--resume: '{path}.partial'"
    assert failed(path, asked(goodput=0.9), resume=True) == (
        f"{folder} is the answer to another question: params 7B, on h100{ends}"
    )
    other = sweep(BASE, {**VARY, "count": "8,16,32"}, presets=PRESETS)
    assert failed(path, other, resume=True) == f"{folder} is a sweep over other values{ends}"
    other = sweep(BASE, VARY, wanted=["cost", "mfu"], presets=PRESETS)
    assert failed(path, other, resume=True).startswith(f"{folder} holds other quantities: flops, memory, ")


def test_parts_of_another_version_or_of_other_records_are_refused(tmp_path: Path) -> None:
    path = begun(tmp_path / "out.csv")
    kept = tmp_path / "out.csv.partial" / "question.json"
    there = json.loads(kept.read_text())
    for change, said in (
        (
            {"version": "0.0.9"},
            f"was written by version 0.0.9 of this program, which is {there['version']} now",
        ),
        ({"records": "0" * 64}, "was made from records that have changed since"),
        ({"rows": 7}, "has parts of another size"),
    ):
        kept.write_text(json.dumps({**there, **change}))
        assert failed(path, resume=True) == (f"--resume: '{path}.partial' {said}; delete it to begin anew")
    kept.write_text("no JSON")
    assert failed(path, resume=True) == (
        f"--resume: '{path}.partial' does not say what it answers; delete it to begin anew"
    )


def test_records_that_changed_are_another_sweep(tmp_path: Path) -> None:
    one = Store(asked(), tmp_path / "a.csv").question
    assert Store(asked(), tmp_path / "b.csv").question == one
    own = tmp_path / "own" / "accelerators"
    own.mkdir(parents=True)
    text = next((PRESETS.folders[-1] / "accelerators").rglob("nvidia-h100-sxm-80gb.toml")).read_text()
    (own / "nvidia-h100-sxm-80gb.toml").write_text(text.replace("989", "988"))
    other = sweep(BASE, VARY, presets=Presets((tmp_path / "own",)))
    assert json.loads(Store(other, tmp_path / "c.csv").question)["records"] != json.loads(one)["records"]


def test_a_file_that_is_finished_is_left_alone_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.parquet"
    write(asked(), path)
    before = path.stat().st_mtime_ns
    write(asked(), path, resume=True)
    assert path.stat().st_mtime_ns == before
    assert failed(path, asked(goodput=0.9), resume=True) == (
        f"--resume: '{path}' is the answer to another question: params 7B, on h100; name another file"
    )
    monkeypatch.setattr(asked_of, "__version__", "9.9.9")
    said = f"was written by version {__version__} of this program, which is 9.9.9 now"
    assert failed(path, resume=True) == f"--resume: '{path}' {said}; name another file"
    monkeypatch.undo()
    monkeypatch.setattr(store, "CHUNK", 5)
    path.write_text("no Parquet")
    assert failed(path, resume=True) == f"--resume: '{path}' does not say what it answers; name another file"
    write(asked(), path)  # without --resume a file is written anew
    assert pq.read_metadata(path).num_rows == 36


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_text_that_is_finished_is_known_by_its_beginning_and_its_lines(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(asked(), path)
    before, text = path.stat().st_mtime_ns, path.read_bytes()
    write(asked(), path, resume=True)
    assert path.stat().st_mtime_ns == before
    said = f"--resume: '{path}' is no whole answer to this question by this version; name another file"
    assert failed(path, asked(goodput=0.9), resume=True) == said
    for other in (text[: len(text) // 2], text[:-1], text + b"1\n", b""):
        path.write_bytes(other)
        assert failed(path, resume=True) == said
        assert path.read_bytes() == other


def test_where_nothing_was_begun_resume_begins(tmp_path: Path) -> None:
    write(asked(), tmp_path / "out.csv", resume=True)
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 37


def test_a_full_disk_leaves_whole_parts_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, put = tmp_path / "out.parquet", Path.write_bytes
    written: list[Path] = []

    def _full(self: Path, data: bytes) -> int:
        if len(written) == 3:
            put(self, data[:9])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(self)
        return put(self, data)

    monkeypatch.setattr(Path, "write_bytes", _full)
    assert failed(path) == (
        f"-o: '{path}' cannot be written (the disk is full); 3 of 12 parts are whole in '{path}.partial': "
        "mend it and go on with --resume"
    )
    left = sorted(each.name for each in (tmp_path / "out.parquet.partial").iterdir())
    assert left == ["000000.parquet", "000001.parquet", "000002.parquet", "question.json"]
    monkeypatch.undo()
    monkeypatch.setattr(store, "CHUNK", 5)
    write(asked(), path, resume=True)
    assert pq.read_metadata(path).num_rows == 36


def test_parts_of_workers_that_do_not_see_the_folder_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, path, sent = tmp_path / "alone.parquet", tmp_path / "out.parquet", list[bytes]()
    write(asked(), alone)
    keep = Store._keep  # pyright: ignore[reportPrivateUsage]

    def _kept(self: Store, number: int, part: bytes | str) -> None:
        assert isinstance(part, bytes)
        sent.append(part)
        keep(self, number, part)

    monkeypatch.setattr(Path, "touch", lambda self: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    monkeypatch.setattr(Store, "_keep", _kept)
    write(asked(), path)
    assert len(sent) == 12
    assert path.read_bytes() == alone.read_bytes()


def test_what_a_killed_worker_left_is_taken_away(tmp_path: Path) -> None:
    path = begun(tmp_path / "out.csv")
    (tmp_path / "out.csv.partial" / "whole.0123").write_text("half a part")
    with pytest.raises(KeyboardInterrupt):
        write(asked(), path, resume=True, told=_interrupt(after=12))
    assert not list((tmp_path / "out.csv.partial").glob("whole*"))


def test_a_folder_without_a_part_is_begun_anew(tmp_path: Path) -> None:
    for left in ((), ("question.json",), ("question.json.new", "whole.part")):
        folder = tmp_path / "out.csv.partial"
        folder.mkdir()
        for name in left:
            (folder / name).write_text("{}")
        write(asked(), tmp_path / "out.csv", resume=bool(left))
        assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
        (tmp_path / "out.csv").unlink()


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    path = tmp_path / "nowhere" / "out.csv"
    assert failed(path, told=lambda what, done, of: computed.append(what)) == (
        f"-o: '{path}' cannot be written (No such file or directory); name a file in a folder that can be"
    )
    assert "cells" not in computed

    def _refuse(self: Path, *args: Any, **more: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", _refuse)
    path = tmp_path / "out.csv"
    assert failed(path) == (
        f"-o: '{path}' cannot be written (Permission denied); name a file in a folder that can be"
    )


def test_a_name_that_is_no_file_of_ours_is_refused(tmp_path: Path) -> None:
    assert failed(tmp_path / "out.xlsx") == (
        f"-o: '{tmp_path / 'out.xlsx'}' ends in none of .parquet, .csv, .jsonl"
    )
    folder = tmp_path / "out.csv"
    folder.mkdir()
    assert failed(folder) == f"-o: '{folder}' is not a regular file; name a file to write"


def test_without_pyarrow_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert failed(tmp_path / "out.parquet") == (
        "-o: Parquet needs pyarrow; install it with: pip install 'train-estimator[parquet]', or name a file that "
        "ends in .csv or .jsonl"
    )


def test_the_library_writes_too(tmp_path: Path) -> None:
    asked().write(str(tmp_path / "out.csv"))
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 37


def test_a_file_holds_cells_that_are_not_known_as_nan_with_their_reason(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write(sweep({"params": "7B", "count": 8}, {"on": "h100,910b"}, presets=PRESETS), path)
    found = pq.read_table(path).to_pydict()
    assert np.isnan(found["cost"]).tolist() == [False, True]
    assert found["reason"] == [
        "",
        "no on-demand price of huawei-ascend-910b2 is on record: no cost; give --price",
    ]
