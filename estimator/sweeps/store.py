"""Writes a sweep part by part beside its file, so that what was computed survives whatever stops it."""

from __future__ import annotations

import errno
import shutil
from contextlib import closing
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from ..errors import EstimatorError
from ..tuples import NamedTuple
from ..workers import LostWorkers, Team, opened
from .asked import difference, question
from .cells import Cells
from .grid import Box
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
    """Makes a part of a file: what the workers do. ``mark`` is a file that those see who share the folder of parts."""

    cells: Cells
    rows: Rows
    format: Parquet | Text
    mark: Path | None = None

    def __call__(self, place: tuple[int, Box]) -> bytes | str:
        """Return the part whose box begins in a row: the name of its file, or its bytes where it cannot be written.

        To send many bytes to the process that asked, and to take them there, takes it as long as a tenth of the work.
        """
        stream = BytesIO()
        self.format.part(stream, self.rows(self.cells(place)))
        return _written(stream.getvalue(), self.mark) or stream.getvalue()


def _written(part: bytes, mark: Path | None) -> str:
    """Write a part under a name of its own beside a mark; no name where there is none, or no room."""
    if mark is None or not mark.exists():
        return ""
    new = mark.with_name(f"{_WHOLE}.{uuid4().hex}")
    try:
        new.write_bytes(part)
    except OSError:  # the process that asked tries too, and tells what is wrong
        new.unlink(missing_ok=True)
        return ""
    return new.name


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
        self.question = question(sweep, sweep.questions(told), _most(sweep))
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
            stream = BytesIO()
            self.format.part(stream, self.table.rows(self.sweep.cells()(self.boxes[0])))
            if not self.format.is_whole(self.path, stream.getvalue(), self.sweep.size):
                raise EstimatorError(
                    f"--resume: '{self.path}' is no whole answer to this question by this version; name another file"
                )
            return True
        there = self.format.question_of(self.path)
        if there != self.question:
            raise EstimatorError(
                f"--resume: '{self.path}' {difference(there, self.question)}; name another file"
            )
        return True

    def begin(self, *, resume: bool) -> None:
        """Make the folder, or find in it what was begun.

        Raises
        ------
        EstimatorError
            It holds parts and they are not to be gone on with, or they are of another question or version.
        """
        done = begun(self.sweep, self.path).done
        if resume:
            self._tidy()
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
                f"--resume: '{self.folder}' {difference(there, self.question)}; delete it to begin anew"
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
        # Another folder of this name, on another machine, has no such file.
        mark = self.folder.resolve() / f"{_WHOLE}.{uuid4().hex}"
        mark.touch()
        job = Part(self.sweep.cells(), self.table.rows, self.format, mark)
        try:
            with closing(self.sweep.made(team, job, self.boxes, missing, self.told)) as parts:
                for number, part in zip(missing, parts, strict=True):
                    self._keep(number, part)
        finally:
            self._tidy()

    def _keep(self, number: int, part: bytes | str) -> None:
        """Give a part its name."""
        new = self.folder / (part if isinstance(part, str) else f"{_WHOLE}.part")
        if isinstance(part, bytes):
            new.write_bytes(part)
        new.replace(self.part(number))

    def _tidy(self) -> None:
        """Take away what is no part: the disk may be full of it."""
        for left in self.folder.glob(f"{_WHOLE}.*"):
            left.unlink(missing_ok=True)

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
        self._tidy()
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror
        return f"-o: '{self.path}' cannot be written ({why}); {self.stands('mend it')}"

    def stands(self, what: str) -> str:
        """Tell how much is whole, and what to do before it is gone on with."""
        parts = begun(self.sweep, self.path)
        return f"{parts.done:,} of {parts.parts:,} parts are whole in '{parts.folder}': {what} and go on with --resume"
