"""The only room that reads presets/: names lead to records, a user's own folders before the house's."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from . import units
from .errors import AmbiguousPreset, PresetError, UnknownPreset, near_misses
from .provenance import Source
from .records import Record, Row, read_record, read_sources
from .schema import FIGURES
from .textfile import read_bounded

_LARGEST_TABLE = 64 << 20
_ALIASES = re.compile(r"^aliases\s*=\s*\[(.*)\]", re.MULTILINE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_SINGULAR = {"families": "family", "pue": "PUE record"}


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


def data_dir() -> Path:
    """Return the folder of the house's records: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent
    inside = package / "_data"
    return inside if inside.is_dir() else package.parent / "presets"


class Presets:
    """The records of the house, and of a user's own folders before them."""

    def __init__(self, own: Sequence[Path] = ()) -> None:
        """Read nothing yet."""
        self.own = tuple(own)
        self._records: dict[tuple[str, str], Record] = {}
        self._files: dict[tuple[str, str], dict[str, Path]] = {}
        self._rows: dict[str, list[Row]] = {}

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that is searched, the user's first."""
        for folder in self.own:
            fault = (
                "is not a folder"
                if not folder.is_dir()
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
                names = sorted(os.listdir(place)) if place.is_dir() else []
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
        files = self.files(kind)
        if lower in (aliases := alias_index(files)):
            return Match(self.load(kind, aliases[lower]))
        if lower in (family_aliases := alias_index(families)):
            return self._default_of(self.load("families", family_aliases[lower]))
        known = [*files, *aliases, *families, *family_aliases]
        raise UnknownPreset(f"no {singular(kind)} is called {units.shorten(word)}{near_misses(word, known)}")

    def _default_of(self, family: Record) -> Match:
        members = ", ".join(str(member) for member in family.words.get("members", ()))
        default = family.words.get("default")
        if default is None:
            raise AmbiguousPreset(f"'{family.id}' may be any of {members}; name one of them")
        reason = f"'{family.id}' may be any of {members}: {family.words.get('reason', 'the default of its record')}"
        return Match(self.load("accelerators", str(default)), reason)


def _holds_kinds(folder: Path) -> bool:
    return any((folder / kind).is_dir() for kind in (*FIGURES, "prices", "measurements"))


def alias_index(files: Mapping[str, Path]) -> dict[str, str]:
    """Return alias -> id over files, reading no more of each than its line of aliases."""
    index: dict[str, str] = {}
    for name, path in files.items():
        with path.open(encoding="utf-8") as lines:
            match = _ALIASES.search(lines.read(4096))
        if match:
            index |= {alias.lower(): name for alias in re.findall(r'"([^"]*)"', match[1])}
    return index


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
            lines = csv.DictReader(io.StringIO(read_bounded(path, _LARGEST_TABLE, "a table of rows")))
            for number, cells in enumerate(lines, start=2):
                key = cells.get("source") or ""
                if key not in sources:
                    raise PresetError(
                        f"{path}, line {number}: cites '{key}', which no sources.toml above it holds"
                    )
                rows.append(Row(cells, sources[key], f"{path}, line {number}"))
    return rows


def _table_sources(path: Path, folder: Path) -> dict[str, Source]:
    """Return the sources of the sources.toml nearest above a table, within its folder of presets."""
    for place in path.parents:
        if (place / "sources.toml").is_file():
            return read_sources(place / "sources.toml")
        if place == folder:
            break
    return {}
