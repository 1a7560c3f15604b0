"""Records and rows: one file read and checked, every figure with its source."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from . import schema, units
from .errors import EstimatorError, PresetError, near_misses
from .provenance import Figure, Source
from .textfile import read_bounded

_LARGEST = 1 << 20
_KINDS = ("stated", "measured", "derived", "assumed")
_FIGURE_KEYS = {"value", "low", "high", "source", "where", "kind", "note", "verified"}
_SOURCE_KEYS = {"title", "publisher", "locator", "version", "licence", "checked"}


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


def read_record(kind: str, path: Path) -> Record:
    """Read and check one record.

    Raises
    ------
    PresetError
        The file breaks the schema; the message names file, key and fault.
    """
    raw = _toml(path)
    sources = _sources(path, raw)
    figures = {
        key: _figure(path, key, table, sources, _dimension(path, kind, key))
        for key, table in _tables(path, raw.pop("figures", {}))
    }
    _check_words(path, kind, raw)
    return Record(kind, path.stem, raw, figures, sources, path)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_bounded(path, _LARGEST, "a preset record"))
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise PresetError(f"{path}: not TOML: {fault}") from None


def _sources(path: Path, raw: dict[str, Any]) -> dict[str, Source]:
    return {key: _source(path, key, table) for key, table in _tables(path, raw.pop("sources", {}))}


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
        value, str(table["value"]), sources[str(table["source"])], str(table["where"]), table["kind"],
        low, high, str(table.get("note", "")), bool(table.get("verified", True)),
    )  # fmt: skip


def _figure_problem(table: Mapping[str, Any], sources: Mapping[str, Source]) -> str:
    missing = [name for name in ("value", "source", "where", "kind") if table.get(name) in (None, "")]
    if missing:
        return f"lacks '{missing[0]}'"
    unknown = sorted(set(table) - _FIGURE_KEYS)
    if unknown:
        return f"has the unknown key '{unknown[0]}'"
    if str(table["source"]) not in sources:
        return f"cites '{table['source']}', which is not among its sources"
    if table["kind"] not in _KINDS:
        return f"kind '{table['kind']}' is not one of {', '.join(_KINDS)}"
    ranged = "low" in table and "high" in table
    return (
        "is assumed but gives no range ('low' and 'high')"
        if table["kind"] == "assumed" and not ranged
        else ""
    )


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


def read_sources(path: Path) -> dict[str, Source]:
    """Return the sources that a sources.toml lists for the tables beside and below it, by key.

    Raises
    ------
    PresetError
        The file breaks the schema.
    """
    return _sources(path, _toml(path))
