"""The only room that reads presets/: names lead to records, a user's own folders before the house's."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from . import units
from .errors import AmbiguousPreset, EstimatorError, PresetError, UnknownPreset, near_misses
from .provenance import Source
from .records import Held, Record, Row, data_dir, read_record, read_sources
from .schema import FIGURES
from .textfile import read_bounded
from .tuples import NamedTuple

_LARGEST_TABLE = 64 << 20
_ALIASES = re.compile(r"^aliases\s*=\s*\[(.*)\]", re.MULTILINE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_SINGULAR = {"families": "family", "pue": "PUE record", "evidence": "evidence", "failures": "fleet"}


def singular(kind: str) -> str:
    """Return the word for one record of a kind.

    Examples
    --------
    >>> singular("accelerators"), singular("families")
    ('accelerator', 'family')
    """
    return _SINGULAR.get(kind, kind.removesuffix("s"))


class Match(NamedTuple):
    """A record that a name led to; ``reason`` says why this one where the name could mean several."""

    record: Record
    reason: str = ""


class Presets:
    """The records of the house, and of a user's own folders before them."""

    def __init__(self, own: Sequence[Path] = (), calibration: Record | None = None) -> None:
        """Read nothing yet; ``calibration`` is what a user's own steps taught, used beside the recorded one."""
        self.own = tuple(own)
        self.calibration = calibration
        self._records: dict[tuple[str, str], Record] = {}
        self._files: dict[tuple[str, str], dict[str, Path]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._aliases: dict[str, dict[str, str]] = {}

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that is searched, the user's first."""
        for folder in self.own:
            fault = (
                "is not a folder"
                if not _is_folder(folder)
                else ""
                if _holds_kinds(folder)
                else "holds no records"
            )
            if fault:
                raise PresetError(
                    f"--presets: '{folder}' {fault}; name one that holds accelerators/, models/ ..."
                )
        return (*self.own, data_dir())

    def files(self, kind: str, ending: str = ".toml") -> dict[str, Path]:
        """Return the files of a kind by id, a user's own shadowing the house's."""
        if (kind, ending) not in self._files:
            found: dict[str, Path] = {}
            for place in (folder / kind for folder in reversed(self.folders)):
                names = _names(place)
                found |= {name.removesuffix(ending): place / name for name in names if name.endswith(ending)}
            self._files[kind, ending] = found
        return self._files[kind, ending]

    def _path(self, kind: str, name: str) -> Path | None:
        """Return the file of exactly this id; a text that is no id names no file."""
        if not _ID.fullmatch(name):
            return None
        paths = (folder / kind / f"{name}.toml" for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)

    def load(self, kind: str, name: str) -> Record:
        """Return the record of exactly this id.

        Raises
        ------
        UnknownPreset
            There is none.
        """
        if (kind, name) not in self._records:
            path = self._path(kind, name)
            if path is None:
                raise UnknownPreset(f"no {singular(kind)} is called '{name}'")
            self._records[kind, name] = read_record(kind, path)
        return self._records[kind, name]

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a CSV table such as ``prices/rent/nvidia-h100-sxm-80gb``, of every folder."""
        if table not in self._rows:
            self._rows[table] = read_rows(self, table)
        return self._rows[table]

    def all(self, kind: str) -> Iterator[Record]:
        """Yield every record of a kind, by id."""
        for name in sorted(self.files(kind)):
            yield self.load(kind, name)

    def find(self, kind: str, name: str) -> Match:
        """Return the record that an id, an alias or a family name leads to.

        Raises
        ------
        UnknownPreset
            Nothing carries the name; the near misses are offered.
        AmbiguousPreset
            A family without a default; its members are listed.
        """
        word = name.strip()
        lower = word.lower()
        exact = next((each for each in (word, lower) if self._path(kind, each)), None)
        if exact:
            return Match(self.load(kind, exact))
        families = self.files("families") if kind == "accelerators" else {}
        if lower in families:
            return self._default_of(self.load("families", lower))
        if lower in (aliases := self._alias_index(kind)):
            return Match(self.load(kind, aliases[lower]))
        family_aliases = self._alias_index("families") if families else {}
        if lower in family_aliases:
            return self._default_of(self.load("families", family_aliases[lower]))
        known = [*self.files(kind), *aliases, *families, *family_aliases]
        raise UnknownPreset(f"no {singular(kind)} is called {units.shorten(word)}{near_misses(word, known)}")

    def _alias_index(self, kind: str) -> dict[str, str]:
        """Return alias -> id of a kind; the files are read once, as their names are."""
        if kind not in self._aliases:
            self._aliases[kind] = alias_index(self.files(kind))
        return self._aliases[kind]

    def _default_of(self, family: Record) -> Match:
        members = ", ".join(str(member) for member in family.words.get("members", ()))
        default = family.words.get("default")
        if default is None:
            raise AmbiguousPreset(f"'{family.id}' may be any of {members}; name one of them")
        reason = f"'{family.id}' may be any of {members}: {family.words.get('reason', 'the default of its record')}"
        return Match(self.load("accelerators", str(default)), reason)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # a name too long, or a folder that may not be entered
        return False


def _names(place: Path) -> list[str]:
    """Return the names of a folder's files, in order; none where there is no folder."""
    try:
        return sorted(os.listdir(place)) if place.is_dir() else []
    except OSError as error:
        raise PresetError(f"{place}: cannot be read ({error.strerror})") from None


def _holds_kinds(folder: Path) -> bool:
    return any(_is_folder(folder / kind) for kind in (*FIGURES, "prices", "intensities", "measurements"))


def alias_index(files: Mapping[str, Path]) -> dict[str, str]:
    """Return alias -> id over files, reading no more of each than its line of aliases."""
    index: dict[str, str] = {}
    for name, path in files.items():
        match = _ALIASES.search(_head(path))
        if match:
            index |= {alias.lower(): name for alias in re.findall(r'"([^"]*)"', match[1])}
    return index


def _head(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would hang
            raise PresetError(f"{path}: is not a regular file; a preset record is a text file")
        with path.open(encoding="utf-8") as lines:
            return lines.read(4096).removeprefix("\ufeff")
    except OSError as error:
        raise PresetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise PresetError(f"{path}: is not UTF-8 text") from None


def read_rows(presets: Presets, table: str) -> list[Row]:
    """Return the rows of a CSV table such as ``prices/rent/nvidia-h100-sxm-80gb``, the user's folders' too.

    Rows of every folder count: a user's own price book stands beside ours. Sources are looked up in the
    ``sources.toml`` nearest above the table.
    """
    rows: list[Row] = []
    for folder in presets.folders:
        path = folder / f"{table}.csv"
        if path.is_file():
            sources = _table_sources(path, folder)
            for number, cells in enumerate(_lines(path), start=2):
                place = f"{path}, line {number}"
                key = cells.get("source") or ""
                if key not in sources:
                    raise PresetError(f"{place}: cites '{key}', which no sources.toml above it holds")
                rows.append(Row(Held(cells, f"{place}: the column"), sources[key], place))
    return rows


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """Yield the cells of each line of a table by the names of its header."""
    try:
        text = read_bounded(path, _LARGEST_TABLE, "a table of rows")
    except EstimatorError as error:
        raise PresetError(str(error)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise PresetError(f"{path}, line {line}: holds a NUL byte, so it is no text")
    lines = csv.DictReader(io.StringIO(text))
    try:
        if "source" not in (lines.fieldnames or ()):
            raise PresetError(f"{path}, line 1: the header has no column 'source'")
        for cells in lines:
            if None in cells:
                raise PresetError(f"{path}, line {lines.line_num}: has more cells than the header")
            yield cells
    except csv.Error as error:
        raise PresetError(f"{path}, line {lines.line_num + 1}: {error}") from None


def _table_sources(path: Path, folder: Path) -> dict[str, Source]:
    """Return the sources of the sources.toml nearest above a table, within its folder of presets."""
    for place in path.parents:
        if (place / "sources.toml").is_file():
            return read_sources(place / "sources.toml")
        if place == folder:
            break
    return {}
