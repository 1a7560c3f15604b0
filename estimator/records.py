"""Records and rows: one file read and checked, every figure with its source."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import tomli

from . import schema, units
from .errors import EstimatorError, PresetError, near_misses
from .provenance import Figure, Source
from .textfile import read_bounded
from .tuples import NamedTuple

_LARGEST = 1 << 20
_KINDS = ("stated", "measured", "derived", "assumed")
_FIGURE_KEYS = {"value", "low", "high", "source", "where", "kind", "note", "verified"}
_SOURCE_KEYS = {"title", "publisher", "locator", "version", "licence", "checked"}
_Value = TypeVar("_Value")


def data_dir() -> Path:
    """Return the folder of the house's records: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent
    inside = package / "_data"
    return inside if inside.is_dir() else package.parent / "presets"


class Held(dict[str, _Value]):
    """What a file holds by name; a name that it lacks is the file's fault, told with its place."""

    def __init__(self, items: Mapping[str, _Value], what: str) -> None:
        """Hold the items; ``what`` names the place and what is looked up there."""
        super().__init__(items)
        self.what = what

    def __missing__(self, name: str) -> NoReturn:
        """Raise a PresetError."""
        raise PresetError(f"{self.what} '{name}' is missing")


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
        key: _figure(path, (kind, key), table, sources)
        for key, table in _tables(path, raw.pop("figures", {}))
    }
    _check_words(path, kind, raw)
    lacking = schema.lacking(kind, path.stem, figures)
    if lacking:
        raise PresetError(f"{path}: {lacking}")
    record = Record(kind, path.stem, raw, Held(figures, f"{path}: figure"), sources, path)
    if kind == "assumptions":
        _check_shadow(record)
    return record


def _check_shadow(record: Record) -> None:
    """Refuse a user's record of assumptions that lacks what the house's of the same id holds."""
    ours = data_dir() / record.kind / record.path.name
    if not ours.is_file() or ours.samefile(record.path):
        return
    house = read_record(record.kind, ours)
    for name, figure in house.figures.items():
        wanted, given = (_unit(each.text) for each in (figure, record.figures[name]))
        if wanted != given:
            raise PresetError(f"{record.path}: figure '{name}' is in {given}, not in {wanted}")
    choices = _table(record.words.get("choices"))
    for name in house.words.get("choices", {}):
        choice = _table(choices.get(name))
        for key in ("value", "reason"):
            if not _is_text(choice.get(key)):
                raise PresetError(f"{record.path}: [choices.{name}] needs '{key}', a text")


def _unit(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return "1" if text in ("True", "False") else units.parse_any(text)[1]
    return "1"


def _table(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, cast("list[Any]", value)))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in cast("list[Any]", value))


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomli.loads(read_bounded(path, _LARGEST, "a preset record"))
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise PresetError(f"{path}: not TOML: {fault}") from None
    except EstimatorError as error:
        raise PresetError(str(error)) from None


def _sources(path: Path, raw: dict[str, Any]) -> dict[str, Source]:
    return {key: _source(path, key, table) for key, table in _tables(path, raw.pop("sources", {}))}


def _tables(path: Path, raw: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(raw, dict) or not all(isinstance(table, dict) for table in raw.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        raise PresetError(f"{path}: [sources] and [figures] hold tables, one a key")
    return list(raw.items())  # pyright: ignore[reportUnknownArgumentType]


def _is_year(value: Any) -> bool:
    return isinstance(value, int) and 1980 <= value <= 2100  # True is 1


def _check_words(path: Path, kind: str, words: Mapping[str, Any]) -> None:
    allowed = schema.WORDS.get(kind)
    unknown = sorted(set(words) - schema.COMMON_WORDS - allowed) if allowed is not None else []
    if unknown:
        raise PresetError(
            f"{path}: unknown key '{unknown[0]}'{near_misses(unknown[0], sorted(allowed or ()))}"
        )
    for name in ("name", *schema.NEEDED_WORDS.get(kind, ())):
        if name not in words:
            raise PresetError(f"{path}: the key '{name}' is missing")
    aliases: Any = words.get("aliases", [])
    if not (isinstance(aliases, str) or _is_texts(aliases)):
        raise PresetError(f'{path}: the key \'aliases\' must be a list of texts, like ["one", "two"]')
    for names, fits, wanted in (
        (schema.TEXTS, _is_text, "text"),
        (schema.LISTS, _is_texts, 'a list of texts, like ["one", "two"]'),
        (schema.TABLES, _is_tables, "tables, like [[{name}]]"),
        (schema.YEARS, _is_year, "a year, like 2024"),
    ):
        for name in names.get(kind, ()):
            if name in words and not fits(words[name]):
                raise PresetError(f"{path}: the key '{name}' must be {wanted.format(name=name)}")


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
    path: Path, place: tuple[str, str], table: Mapping[str, Any], sources: Mapping[str, Source]
) -> Figure:
    kind, key = place
    dimension, bound = _dimension(path, kind, key), schema.bound(kind, key)
    problem = _figure_problem(table, sources)
    if problem:
        raise PresetError(f"{path}: figure '{key}': {problem}")
    try:
        value, low, high = (_number(table.get(name), dimension, bound) for name in ("value", "low", "high"))
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


def _number(raw: Any, dimension: str, bound: schema.Bound | None) -> float | None:
    if raw is None:
        return None
    if isinstance(raw, (bool, int, float)):
        # An integer of hundreds of digits has no float.
        value, unit = (float(raw) if abs(raw) < sys.float_info.max else math.inf), "1"
    else:
        value, unit = units.parse_any(str(raw))
    if not math.isfinite(value):
        raise PresetError(f"{units.shorten(str(raw))} is not finite")
    if not _fits(unit, dimension):
        raise PresetError(f"{raw!r} is in {unit}, not in {dimension}")
    if bound and not bound.holds(value):
        raise PresetError(f"{raw!r} {bound.words}")
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
