"""Records of presets/ as lists, as single pages and as JSON: values as written, and in house units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .. import units
from ..errors import UnitError
from ..presets import Presets, singular
from ..provenance import Figure, Source
from ..records import Record
from ..schema import FIGURES
from .grid import Grid
from .page import Page, one_line
from .words import counted, digits

SCHEMA = "estimator/presets/1"
# What a list shows of each kind beside the id: words and figures by name.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accelerators": ("name", "memory", "peak_bf16", "peak_fp16", "power", "launch"),
    "families": ("name", "default", "members"),
    "nodes": ("name", "accelerators", "accelerator", "scaleout_bandwidth", "power"),
    "links": ("name", "scope", "bandwidth", "latency"),
    "optimizers": ("name", "weights", "gradients", "master", "states", "precision"),
    "models": ("parameters", "layers", "hidden", "organisation", "year"),
    "grids": ("name", "carbon_intensity", "pue", "electricity_price", "year"),
    "pue": ("name", "pue"),
    "failures": ("name", "failures", "accelerator", "accelerators", "period"),
    "platforms": ("name", "operator", "efficiency_1000", "efficiency_10000"),
    "claims": ("about", "article"),
    "evidence": ("name", "note"),
    "runs": ("name", "accelerators", "accelerator_hours", "duration", "cost", "year"),
    "assumptions": ("name", "note"),
    "calibrations": ("name", "any", "bf16", "fp16", "fp8", "fitted"),
}
_FIGURE_HEADERS = (
    "figure",
    "value",
    "low",
    "high",
    "unit",
    "text",
    "kind",
    "verified",
    "source",
    "where",
    "note",
)


def kinds_page(counts: Mapping[str, int], about: Mapping[str, str]) -> Page:
    """Return the kinds of presets with how many there are of each."""
    rows = [[kind, str(count), about[kind]] for kind, count in counts.items()]
    kinds = [{"kind": kind, "count": count, "about": about[kind]} for kind, count in counts.items()]
    grid = Grid(["kind", "on record", "what they are"], rows)
    more = "List one kind: estimate presets models. Show one record: estimate presets accelerators a100."
    return Page([grid, more], Grid(["kind", "count", "about"], rows), {"schema": SCHEMA, "kinds": kinds})


def found_page(records: Sequence[Record]) -> Page:
    """Return what a search over all kinds found."""
    grid = Grid(
        ["kind", "id", "name"], [[record.kind, record.id, one_line(record.name)] for record in records]
    )
    return Page([grid], grid, {"schema": SCHEMA, "records": [record_document(record) for record in records]})


def list_page(kind: str, records: Sequence[Record]) -> Page:
    """Return the records of one kind with their main figures."""
    columns = _COLUMNS[kind]
    shown = Grid(
        ["id", *columns], [[record.id, *(_cell(record, name) for name in columns)] for record in records]
    )
    headers = ["id", *(_header(kind, name) for name in columns)]
    exact = Grid(headers, [[record.id, *(_exact(record, name) for name in columns)] for record in records])
    documents = [record_document(record) for record in records]
    return Page([shown], exact, {"schema": SCHEMA, "kind": kind, "records": documents})


def _cell(record: Record, name: str) -> str:
    figure = record.figures.get(name)
    return figure_text(figure) if figure else word_text(record.words.get(name, ""))


def _header(kind: str, name: str) -> str:
    unit = _house_unit(kind, name)
    return f"{name} [{unit}]" if unit else name


def _house_unit(kind: str, name: str) -> str:
    """Return a figure's unit where all records of its kind share it, nothing for a pure number."""
    dimension = (FIGURES.get(kind) or {}).get(name, "")
    return "" if "*" in dimension or dimension == "1" else dimension


def _exact(record: Record, name: str) -> str:
    figure = record.figures.get(name)
    if figure is None:
        return word_text(record.words.get(name, ""))
    return repr(figure.value) if _house_unit(record.kind, name) or figure_unit(figure) == "1" else figure.text


def figure_unit(figure: Figure) -> str:
    """Return the house unit in which a figure's value stands."""
    try:
        return units.parse_any(figure.text)[1]
    except UnitError:  # true and false are pure numbers too
        return "1"


def _written_unit(figure: Figure) -> str:
    try:
        return units.split(figure.text)[1]
    except UnitError:
        return ""


def figure_text(figure: Figure) -> str:
    """Return a figure as its record writes it; a bare number with its digits set apart."""
    if _written_unit(figure):
        return figure.text
    return counted(figure.value) if abs(figure.value) >= 1e6 else digits(figure.value, 12)


def range_text(figure: Figure) -> str:
    """Return a figure's range in the unit in which its record writes it."""
    if figure.low is None and figure.high is None:
        return ""
    unit = _written_unit(figure)
    low, high = (
        digits(units.to_unit(figure.value if end is None else end, unit), 6)
        for end in (figure.low, figure.high)
    )
    return f"{low} to {high} {unit}".rstrip()


def word_text(value: Any) -> str:
    """Return a word of a record as one line."""
    if isinstance(value, list):
        return ", ".join(word_text(item) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return "; ".join(f"{key}: {word_text(item)}" for key, item in table.items())
    return one_line(value)


def record_page(record: Record, family: Record | None = None) -> Page:
    """Return one record with all that it holds, after the family whose name led to it."""
    parts: list[str | Grid] = [_family_text(family)] if family else []
    parts += [f"{one_line(record.name)} ({singular(record.kind)} {record.id}), {file_of(record)}"]
    parts += [_words_grid(record)]
    if record.figures:
        headers = ["figure", "value", "low to high", "kind", "source", "where"]
        parts += [Grid(headers, [_figure_row(name, figure) for name, figure in record.figures.items()])]
    if record.sources:
        parts += [sources_grid(record.sources)]
    document = {"schema": SCHEMA, "kind": record.kind, "record": record_document(record)}
    if family:
        document["family"] = record_document(family)
    return Page(parts, _figures_grid(record), document)


def _family_text(family: Record) -> str:
    members, taken, reason = (
        word_text(family.words.get(word, "")) for word in ("members", "default", "reason")
    )
    return f"'{family.id}' may be any of {members}; {taken} is taken: {reason}"


def _words_grid(record: Record) -> Grid:
    return Grid(
        ["", ""], [[name, word_text(value)] for name, value in record.words.items() if name != "name"]
    )


def _figure_row(name: str, figure: Figure) -> list[str]:
    kind = figure.kind if figure.verified else f"{figure.kind}, not verified"
    where = one_line(f"{figure.where} ({figure.note})" if figure.note else figure.where)
    return [name, figure_text(figure), range_text(figure), kind, figure.source.key, where]


def sources_grid(sources: Mapping[str, Source]) -> Grid:
    """Return sources under their keys, each with its licence and the day it was read."""
    return Grid(["source", ""], [[key, _full_citation(source)] for key, source in sources.items()])


def _full_citation(source: Source) -> str:
    read = f"read {source.checked}" if source.checked else ""
    return one_line("; ".join(part for part in (source.cite(), source.licence, read) if part))


def _figures_grid(record: Record) -> Grid:
    """Return a record's figures for CSV; a record without figures has its words there."""
    if not record.figures:
        return Grid(["word", "value"], [[name, word_text(value)] for name, value in record.words.items()])
    documents = {name: figure_document(figure) for name, figure in record.figures.items()}
    return Grid(
        _FIGURE_HEADERS,
        [[name, *(_plain(held[key]) for key in _FIGURE_HEADERS[1:])] for name, held in documents.items()],
    )


def _plain(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def file_of(record: Record) -> str:
    """Say which file holds a record: ours by its place among the presets, a user's own by its path."""
    ours = record.path.is_relative_to(Presets().folders[-1])
    return f"{record.kind}/{record.path.name}" if ours else str(record.path)


def record_document(record: Record) -> dict[str, Any]:
    """Return a record for JSON: words, figures in house units and as written, sources."""
    return {
        "id": record.id,
        "kind": record.kind,
        "name": record.name,
        "words": {name: _json_word(value) for name, value in record.words.items() if name != "name"},
        "figures": {name: figure_document(figure) for name, figure in record.figures.items()},
        "sources": sources_document(record.sources),
        "file": file_of(record),
    }


def figure_document(figure: Figure) -> dict[str, Any]:
    """Return a figure for JSON."""
    return {
        "value": figure.value,
        "unit": figure_unit(figure),
        "low": figure.low,
        "high": figure.high,
        "text": figure.text,
        "kind": figure.kind,
        "verified": figure.verified,
        "source": figure.source.key,
        "where": figure.where,
        "note": figure.note,
    }


def sources_document(sources: Mapping[str, Source]) -> dict[str, Any]:
    """Return sources for JSON under their keys."""
    return {key: {name: text for name, text in source._asdict().items() if name != "key"}
            for key, source in sources.items()}  # fmt: skip


def _json_word(value: Any) -> Any:
    """Return a word that JSON can hold: a date, or a number that is not finite, as text."""
    if isinstance(value, dict):
        return {key: _json_word(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_json_word(item) for item in cast("list[Any]", value)]
    if isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
