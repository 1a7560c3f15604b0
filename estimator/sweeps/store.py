"""Writes a sweep part by part beside its file, so that what was computed survives whatever stops it."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import EstimatorError
from ..inputs.run import write_input
from ..tuples import NamedTuple
from ..version import __version__
from ..workers import LostWorkers, Team, opened
from .cells import Cells
from .grid import Box
from .lowered import Questions
from .parquet import Parquet
from .sweep import CHUNK, Sweep, Told
from .table import Rows, Table
from .text import Text

_SUFFIXES = (".parquet", ".csv", ".jsonl")
_QUESTION, _WHOLE = "question.json", "whole"


class Begun(NamedTuple):
    """How many parts of a file there are, and how many of them stand in the folder beside it."""

    folder: Path
    parts: int
    done: int


def write(sweep: Sweep, path: Path, *, resume: bool = False, told: Told | None = None) -> None:
    """Write the cells of a sweep to a file: Parquet, CSV or JSON lines, by the end of its name.

    Chunks are written whole, one after the other, into a folder beside the file, and put together at the end. A run
    that was stopped goes on with ``resume`` and ends with the same file as one that was not.

    Raises
    ------
    EstimatorError
        The file cannot be written, or what was begun is of another question or version.
    """
    with opened(sweep.where, told) as team:
        store = Store(sweep, path, told)
        try:
            if store.finished(resume=resume):
                return
            store.begin(resume=resume)
            store.fill(team)
            store.finish()
        except OSError as error:
            raise EstimatorError(store.failed(error)) from None
        except LostWorkers as error:
            raise EstimatorError(f"{error}; {store.stands('begin the workers again')}") from None


def begun(sweep: Sweep, path: Path) -> Begun:
    """Count the parts of a file that stand beside it."""
    folder, parts = _folder(path), len(sweep.boxes(_most(sweep)))
    done = sum((folder / _part(number, path)).exists() for number in range(parts))
    return Begun(folder, parts, done)


def _most(sweep: Sweep) -> int:
    """Return how many cells a part has."""
    return min(CHUNK, sweep.usual())


def _folder(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _part(number: int, path: Path) -> str:
    return f"{number:06d}{path.suffix}"


class Part(NamedTuple):
    """Makes a part of a file, whole and in memory: what the workers do, so that one alone has to write."""

    cells: Cells
    rows: Rows
    format: Parquet | Text

    def __call__(self, place: tuple[int, Box]) -> bytes:
        """Return the bytes of the part whose box begins in a row."""
        stream = BytesIO()
        self.format.part(stream, self.rows(self.cells(place)))
        return stream.getvalue()


class Store:
    """The folder of parts of one file."""

    def __init__(self, sweep: Sweep, path: Path, told: Told | None = None) -> None:
        """Find out what the file is and where its parts go."""
        if path.suffix not in _SUFFIXES:
            raise EstimatorError(f"-o: '{path}' ends in none of {', '.join(_SUFFIXES)}")
        if path.exists() and not path.is_file():
            raise EstimatorError(f"-o: '{path}' is not a regular file; name a file to write")
        self.sweep, self.path, self.told = sweep, path, told
        self.table = Table(sweep)
        self.question = question(sweep, sweep.questions(told))
        columns = self.table.columns
        parquet = path.suffix == ".parquet"
        self.format = Parquet(columns, self.question) if parquet else Text(columns, path.suffix)
        self.folder = _folder(path)
        self.most = _most(sweep)
        self.boxes = sweep.boxes(self.most)

    def finished(self, *, resume: bool) -> bool:
        """Tell whether the file is there already, where a run is to go on that left no parts.

        Raises
        ------
        EstimatorError
            It answers another question.
        """
        if not resume or self.folder.exists() or not self.path.exists():
            return False
        if isinstance(self.format, Text):
            if not self.format.is_whole(self.path, self._job()(self.boxes[0]), self.sweep.size):
                raise EstimatorError(
                    f"--resume: '{self.path}' is no whole answer to this question by this version; name another file"
                )
            return True
        there = self.format.question_of(self.path)
        if there != self.question:
            raise EstimatorError(
                f"--resume: '{self.path}' {_difference(there, self.question)}; name another file"
            )
        return True

    def _job(self) -> Part:
        return Part(self.sweep.cells(), self.table.rows, self.format)

    def begin(self, *, resume: bool) -> None:
        """Make the folder, or find in it what was begun.

        Raises
        ------
        EstimatorError
            It holds parts and they are not to be gone on with, or they are of another question or version.
        """
        done = begun(self.sweep, self.path).done
        if not done:  # nothing is lost, whatever was asked
            self.folder.mkdir(exist_ok=True)
            new = self.folder / f"{_QUESTION}.new"
            new.write_text(self.question, encoding="utf-8")
            new.replace(self.folder / _QUESTION)
        elif not resume:
            raise EstimatorError(
                f"-o: '{self.folder}' holds {done:,} of {len(self.boxes):,} parts of a run that was stopped; "
                "go on with --resume, or delete it"
            )
        elif (there := self._read()) != self.question:
            raise EstimatorError(
                f"--resume: '{self.folder}' {_difference(there, self.question)}; delete it to begin anew"
            )

    def _read(self) -> str | None:
        try:
            return (self.folder / _QUESTION).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def part(self, number: int) -> Path:
        """Name the file of a part."""
        return self.folder / _part(number, self.path)

    def _missing(self) -> list[int]:
        """Return the parts that are not there, or not whole."""
        rows = [row for row, _ in self.boxes] + [self.sweep.size]
        return [
            number
            for number in range(len(self.boxes))
            if not self.part(number).exists()
            or self.format.rows(self.part(number)) != rows[number + 1] - rows[number]
        ]

    def fill(self, team: Team) -> None:
        """Have every part made that is not there, and write it; each has its name only when it is whole."""
        missing = self._missing()
        parts = self.sweep.made(team, self._job(), self.boxes, missing, self.told)
        new = self.folder / f"{_WHOLE}.part"
        for number, part in zip(missing, parts, strict=True):
            new.write_bytes(part)
            new.replace(self.part(number))

    def finish(self) -> None:
        """Put the parts together, and take them away when the file is whole."""
        whole = self.folder / f"{_WHOLE}{self.path.suffix}"
        self.format.join(map(self.part, range(len(self.boxes))), whole)
        whole.replace(self.path)
        shutil.rmtree(self.folder)

    def failed(self, error: OSError) -> str:
        """Tell what could not be written, and what stands."""
        if not self.folder.is_dir():
            return (
                f"-o: '{self.path}' cannot be written ({error.strerror}); name a file in a folder that can be"
            )
        for left in self.folder.glob(f"{_WHOLE}.*"):
            left.unlink(missing_ok=True)  # the disk may be full of it
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        return f"-o: '{self.path}' cannot be written ({why}); {self.stands('mend it')}"

    def stands(self, what: str) -> str:
        """Tell how much is whole, and what to do before it is gone on with."""
        parts = begun(self.sweep, self.path)
        return f"{parts.done:,} of {parts.parts:,} parts are whole in '{parts.folder}': {what} and go on with --resume"


def question(sweep: Sweep, questions: Questions) -> str:
    """Return as JSON what a sweep asks, by which version, and a checksum of the numbers that it starts from."""
    axes = [
        {name: [write_input(name, value) for value in values] for name, values in axis.values.items()}
        for axis in sweep.axes
    ]
    asked = {
        "version": __version__,
        "question": {name: str(value) for name, value in sweep.given.items()},
        "axes": [{name: _short(values) for name, values in axis.items()} for axis in axes],
        "quantities": sweep.wanted.quantities,
        "ranges": sweep.wanted.ranged,
        "rows": _most(sweep),
        "records": _checksum(questions),
    }
    return json.dumps(asked, indent=1)


def _short(values: list[Any]) -> dict[str, Any]:
    """Return how many values there are, the first and the last, and a checksum of all."""
    return {
        "values": len(values),
        "first": values[0],
        "last": values[-1],
        "sha256": hashlib.sha256(json.dumps(values).encode()).hexdigest(),
    }


def _checksum(questions: Questions) -> str:
    """Hash every number that lowering gave: a record that was changed changes it."""
    found = hashlib.sha256(json.dumps(questions.reasons).encode())
    for part in (questions.family, questions.row, questions.reason):
        found.update(part.tobytes())
    for family in questions.families:
        ends = (end for _, low, high in family.unknowns for end in (low, high))
        for name, column in (
            *sorted(family.columns.items()),
            *(pair for end in ends for pair in sorted(end.items())),
        ):
            found.update(name.encode() + np.asarray(column).tobytes())
    return found.hexdigest()


_SAID = {
    "version": "was written by version {theirs} of this program, which is {ours} now",
    "question": "is the answer to another question: {theirs}",
    "axes": "is a sweep over other values",
    "quantities": "holds other quantities: {theirs}",
    "ranges": "holds the ranges of other quantities: {theirs}",
    "rows": "has parts of another size",
    "records": "was made from records that have changed since",
}


def _difference(there: str | None, here: str) -> str:
    """Say what tells a file from the one that is asked for."""
    try:
        theirs: dict[str, Any] = json.loads(there or "")
    except ValueError:
        return "does not say what it answers"
    ours = json.loads(here)
    name = next(_unlike(theirs, ours), "question")
    return _SAID[name].format(theirs=_told(theirs.get(name)), ours=_told(ours[name]))


def _unlike(theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    return (name for name in _SAID if theirs.get(name) != ours[name])


def _told(value: Any) -> str:
    """Write inputs or names in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items()) or "one without inputs"  # pyright: ignore[reportUnknownVariableType]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
