"""The only room that reads presets/: one record at a time, checked, every figure with its source."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from . import schema, units
from .errors import AmbiguousPreset, EstimatorError, PresetError, UnknownPreset, near_misses
from .provenance import Figure, Source

_LARGEST = 1 << 20
_ALIASES = re.compile(r"^aliases\s*=\s*\[(.*)\]", re.MULTILINE)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KINDS = ("stated", "measured", "derived", "assumed")
_FIGURE_KEYS = {"value", "low", "high", "source", "where", "kind", "note", "verified"}
_SOURCE_KEYS = {"title", "publisher", "locator", "version", "licence", "checked"}
_SINGULAR = {"families": "family", "pue": "PUE record"}


def singular(kind: str) -> str:
    """Return the word for one record of a kind.

    Examples
    --------
    >>> singular("accelerators"), singular("families")
    ('accelerator', 'family')
    """
    return _SINGULAR.get(kind, kind.removesuffix("s"))


class Record(NamedTuple):
    """One preset: its words and its figures."""

    kind: str
    id: str
    words: Mapping[str, Any]
    figures: Mapping[str, Figure]
    sources: Mapping[str, Source]
    path: Path

    @property
    def name(self) -> str:
        """The name for people."""
        return str(self.words.get("name", self.id))

    def value(self, name: str, default: float = math.nan) -> float:
        """Return a figure's value in house units, or ``default`` where the record has none."""
        figure = self.figures.get(name)
        return default if figure is None else figure.value


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
            if not folder.is_dir():
                raise PresetError(
                    f"--presets: '{folder}' is not a folder; name one that holds accelerators/, models/ ..."
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


def alias_index(files: Mapping[str, Path]) -> dict[str, str]:
    """Return alias -> id over files, reading no more of each than its line of aliases."""
    index: dict[str, str] = {}
    for name, path in files.items():
        with path.open(encoding="utf-8") as lines:
            match = _ALIASES.search(lines.read(4096))
        if match:
            index |= {alias.lower(): name for alias in re.findall(r'"([^"]*)"', match[1])}
    return index


def read_bounded(path: Path, limit: int, what: str) -> str:
    """Read a text file of bounded size; a device, a folder or a giant is refused before it is read.

    Raises
    ------
    EstimatorError
        No such file, no regular file, larger than ``limit`` bytes, or no UTF-8 text.
    """
    try:
        if not path.is_file():
            problem = "is not a regular file" if path.exists() else "does not exist"
            raise EstimatorError(f"'{path}' {problem}; name {what}")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise EstimatorError(f"'{path}' cannot be read ({error.strerror}); name {what}") from None
    if len(data) > limit:
        raise EstimatorError(f"'{path}' is larger than {limit >> 20} MiB; name {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise EstimatorError(f"'{path}' is not UTF-8 text; name {what}") from None


def read_record(kind: str, path: Path) -> Record:
    """Read and check one record.

    Raises
    ------
    PresetError
        The file breaks the schema; the message names file, key and fault.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(read_bounded(path, _LARGEST, "a preset record"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PresetError(f"{path}: not TOML: {error or 'nested too deeply'}") from None
    sources = {key: _source(path, key, table) for key, table in _tables(path, raw.pop("sources", {}))}
    figures = {
        key: _figure(path, key, table, sources, _dimension(path, kind, key))
        for key, table in _tables(path, raw.pop("figures", {}))
    }
    _check_words(path, kind, raw)
    return Record(kind, path.stem, raw, figures, sources, path)


def _tables(path: Path, raw: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(raw, dict) or not all(isinstance(table, dict) for table in raw.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        raise PresetError(f"{path}: [sources] and [figures] hold tables, one a key")
    return list(raw.items())  # pyright: ignore[reportUnknownArgumentType]


def _check_words(path: Path, kind: str, words: Mapping[str, Any]) -> None:
    allowed = schema.WORDS.get(kind)
    unknown = sorted(set(words) - schema.COMMON_WORDS - allowed) if allowed is not None else []
    if unknown:
        raise PresetError(
            f"{path}: unknown key '{unknown[0]}'{near_misses(unknown[0], sorted(allowed or ()))}"
        )
    if "name" not in words:
        raise PresetError(f"{path}: the key 'name' is missing")


def _dimension(path: Path, kind: str, key: str) -> str:
    known = schema.FIGURES.get(kind)
    if known is None:
        return "*"
    if key not in known:
        raise PresetError(f"{path}: unknown figure '{key}'{near_misses(key, sorted(known))}")
    return known[key]


def _source(path: Path, key: str, table: Mapping[str, Any]) -> Source:
    missing = [name for name in ("title", "publisher") if not table.get(name)]
    unknown = sorted(set(table) - _SOURCE_KEYS)
    if missing or unknown:
        raise PresetError(
            f"{path}: source '{key}': {'lacks' if missing else 'has the unknown key'} '{(missing + unknown)[0]}'"
        )
    return Source(key, **{name: str(value) for name, value in table.items()})


def _figure(
    path: Path, key: str, table: Mapping[str, Any], sources: Mapping[str, Source], dimension: str
) -> Figure:
    problem = _figure_problem(table, sources)
    if problem:
        raise PresetError(f"{path}: figure '{key}': {problem}")
    try:
        value, low, high = (_number(table.get(name), dimension) for name in ("value", "low", "high"))
    except EstimatorError as error:
        raise PresetError(f"{path}: figure '{key}': {error}") from None
    if value is None or not (low is None or low <= value) or not (high is None or high >= value):
        raise PresetError(f"{path}: figure '{key}': the value lies outside its own range")
    return Figure(
        value, str(table["value"]), sources[table["source"]], str(table["where"]), table["kind"],
        low, high, str(table.get("note", "")), bool(table.get("verified", True)),
    )  # fmt: skip


def _figure_problem(table: Mapping[str, Any], sources: Mapping[str, Source]) -> str:
    missing = [name for name in ("value", "source", "where", "kind") if table.get(name) in (None, "")]
    if missing:
        return f"lacks '{missing[0]}'"
    unknown = sorted(set(table) - _FIGURE_KEYS)
    if unknown:
        return f"has the unknown key '{unknown[0]}'"
    if table["source"] not in sources:
        return f"cites '{table['source']}', which is not among its sources"
    if table["kind"] not in _KINDS:
        return f"kind '{table['kind']}' is not one of {', '.join(_KINDS)}"
    if table["kind"] == "assumed" and not ("low" in table and "high" in table):
        return "is assumed but gives no range ('low' and 'high')"
    return ""


def _number(raw: Any, dimension: str) -> float | None:
    if raw is None:
        return None
    if isinstance(raw, (bool, int, float)):
        value, unit = float(raw), "1"
    else:
        value, unit = units.parse_any(str(raw))
    if not math.isfinite(value):
        raise PresetError(f"{raw!r} is not finite")
    if not _fits(unit, dimension):
        raise PresetError(f"{raw!r} is in {unit}, not in {dimension}")
    return value


def _fits(unit: str, dimension: str) -> bool:
    """Tell whether a unit has a dimension; '*' stands for any, or for any currency where a unit follows."""
    if dimension in ("*", unit):
        return True
    currency, _, rest = unit.partition("/")
    return dimension == f"*/{rest}" and currency in units.CURRENCIES


class Row(NamedTuple):
    """One dated row of a table: its cells as text, the source it names, and its file and line."""

    cells: Mapping[str, str]
    source: Source
    place: str


def cell_number(row: Row, name: str) -> float:
    """Read one cell of a row as a finite number.

    Raises
    ------
    PresetError
        It is none.
    """
    text = row.cells.get(name) or ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PresetError(f"{row.place}: {name} {units.shorten(text)} is not a number")
    return value


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
            lines = csv.DictReader(io.StringIO(read_bounded(path, _LARGEST * 64, "a table of rows")))
            for number, cells in enumerate(lines, start=2):
                key = cells.get("source") or ""
                if key not in sources:
                    raise PresetError(
                        f"{path}, line {number}: cites '{key}', which no sources.toml above it holds"
                    )
                rows.append(Row(cells, sources[key], f"{path}, line {number}"))
    return rows


def _table_sources(path: Path, folder: Path) -> dict[str, Source]:
    for place in path.parents:
        candidate = place / "sources.toml"
        if candidate.is_file():
            tables = _tables(
                candidate, tomllib.loads(candidate.read_text(encoding="utf-8")).get("sources", {})
            )
            return {key: _source(candidate, key, table) for key, table in tables}
        if place == folder:
            break
    return {}
