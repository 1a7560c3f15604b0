"""Where an answer's numbers come from: each work once, with the inputs and formulas that it carries."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..catalogue import RECORD_KINDS, TABLE_KINDS, tables
from ..estimate import STEPS, Estimate
from ..presets import Presets
from ..provenance import Source
from ..tuples import NamedTuple
from .explain import reference
from .grid import Grid
from .page import Page, one_line

SCHEMA = "estimator/sources/1"
_ARXIV = re.compile(r"arXiv:\d{4}\.\d{4,5}")
_NUMBERED = re.compile(r"\.\. \[\d+\]")


class Use(NamedTuple):
    """One number that rests on a work: an input or a formula, and the place in the work."""

    kind: str
    name: str
    where: str
    text: str = ""


class Work(NamedTuple):
    """One work of a bibliography, and what rests on it."""

    citation: str
    source: Source | None
    uses: list[Use]

    def of(self, kind: str) -> list[Use]:
        """Return the inputs or the formulas alone."""
        return [use for use in self.uses if use.kind == kind]


def works(estimate: Estimate) -> list[Work]:
    """Return every work that an answer rests on, each once, in the order in which they are named.

    A record and a formula that cite the same arXiv paper cite the same work, however they spell it; the
    record's spelling is kept, as it is the one with a title and a publisher.
    """
    found: dict[str, Work] = {}
    for citation, source, use in (*_inputs(estimate), *_formulas(estimate)):
        known = found.get(key := _key(citation))
        if known is None:
            found[key] = Work(citation, source, [use])
            continue
        known.uses.append(use)
        if known.source is None and len(citation) > len(known.citation):
            found[key] = known._replace(citation=citation)
    return list(found.values())


def _key(citation: str) -> str:
    paper = _ARXIV.search(citation)
    return paper[0] if paper else citation


def _inputs(estimate: Estimate) -> Iterator[tuple[str, Source | None, Use]]:
    for name, origin in estimate.case.origins.items():
        for source in origin.sources():
            where, text = (origin.figure.where, origin.figure.text) if origin.figure else ("", "")
            yield source.cite(), source, Use("input", name, where, text)


def _formulas(estimate: Estimate) -> Iterator[tuple[str, Source | None, Use]]:
    for name, doc in _used_formulas(estimate):
        for citation, where in single_references(reference(doc)):
            yield citation, None, Use("formula", name, where)


def _used_formulas(estimate: Estimate) -> Iterator[tuple[str, str]]:
    """Yield name and docstring of each formula that gave a number."""
    for step in STEPS:
        if not math.isnan(float(estimate.amount(step.name).value)):
            yield step.name, inspect.getdoc(step.formula) or ""


def by_definition(estimate: Estimate) -> list[str]:
    """Return the quantities whose formula needs no reference: it only says what the quantity is."""
    return [name for name, doc in _used_formulas(estimate) if not reference(doc)]


def single_references(text: str) -> list[tuple[str, str]]:
    """Split the references of a formula into works, each with the place in it.

    Examples
    --------
    >>> single_references("A. Author, 2020, arXiv:2001.08361, Eq. 2; B. Author, arXiv:2104.04473, Eq. 3.")
    [('A. Author, 2020, arXiv:2001.08361', 'Eq. 2'), ('B. Author, arXiv:2104.04473', 'Eq. 3')]
    """
    pieces: list[str] = []
    plain = _NUMBERED.sub("; ", text.replace("``", ""))
    for piece in plain.strip("; ").split("; "):
        # A semicolon parts two works only where both are identified; else it belongs to a sentence.
        if pieces and not (_ARXIV.search(piece) and _ARXIV.search(pieces[-1])):
            pieces[-1] += f"; {piece}"
        else:
            pieces.append(piece)
    return [_placed(piece.strip()) for piece in pieces if piece.strip()]


def _placed(piece: str) -> tuple[str, str]:
    """Part a reference into the work, up to its arXiv number, and the place in the work."""
    paper = _ARXIV.search(piece)
    if not paper:
        return piece.removesuffix("."), ""
    return piece[: paper.end()], piece[paper.end() :].strip(",. ")


def answer_page(estimate: Estimate, question: Mapping[str, Any]) -> Page:
    """Return the bibliography of one answer."""
    found, defined = works(estimate), by_definition(estimate)
    listed = "\n\n".join(_listed(number, work) for number, work in enumerate(found, start=1))
    rest = f"By definition, without a reference: {', '.join(defined)}." if defined else ""
    rows = [[work.citation, *use] for work in found for use in work.uses]
    document = {
        "schema": SCHEMA,
        "question": dict(question),
        "sources": [_document(work) for work in found],
        "by_definition": defined,
    }
    return Page([listed, rest], Grid(["source", "carries", "name", "where", "value"], rows), document)


def _listed(number: int, work: Work) -> str:
    """Return a numbered entry; the indented lines are a list in Markdown as well as on a terminal."""
    lines = [f"{number}. {one_line(work.citation)}"]
    for kind in ("input", "formula"):
        places: dict[str, list[str]] = {}
        for use in work.of(kind):
            places.setdefault(one_line(use.where), []).append(use.name)
        lines += [f"   - {kind}{'s' * (len(names) > 1)} {', '.join(names)}{f': {where}' if where else ''}"
                  for where, names in places.items()]  # fmt: skip
    return "\n".join(lines)


def _document(work: Work) -> dict[str, Any]:
    return {
        "citation": work.citation,
        **source_document(work.source),
        "inputs": [{"name": use.name, "value": use.text, "where": use.where} for use in work.of("input")],
        "formulas": [{"name": use.name, "where": use.where} for use in work.of("formula")],
    }


def source_document(source: Source | None) -> dict[str, str | None]:
    """Return the fields of a source for JSON, null where a formula alone names the work."""
    fields = ("title", "publisher", "locator", "version", "licence", "checked")
    return {name: getattr(source, name) or None if source else None for name in fields}


class Cited(NamedTuple):
    """A source with how many figures of records and rows of tables rest on it, and their kinds."""

    source: Source
    figures: int
    rows: int
    kinds: tuple[str, ...]


def cited(presets: Presets) -> list[Cited]:
    """Return every source that any preset cites, those that carry the most first."""
    found: dict[str, Cited] = {}
    for kind in RECORD_KINDS:
        for record in presets.all(kind):
            for figure in record.figures.values():
                _count(found, figure.source, kind, figures=1)
    for kind in TABLE_KINDS:
        for rows in tables(presets, kind).values():
            for row in rows:
                _count(found, row.source, kind, rows=1)
    return sorted(found.values(), key=lambda each: (-each.figures - each.rows, each.source.cite()))


def _count(found: dict[str, Cited], source: Source, kind: str, *, figures: int = 0, rows: int = 0) -> None:
    known = found.get(citation := source.cite()) or Cited(source, 0, 0, ())
    kinds = known.kinds if kind in known.kinds else (*known.kinds, kind)
    found[citation] = Cited(known.source, known.figures + figures, known.rows + rows, kinds)


def cited_page(sources: Sequence[Cited]) -> Page:
    """Return every source with the number of figures and rows that rest on it."""
    shown = [[str(each.figures), str(each.rows), one_line(each.source.cite())] for each in sources]
    exact = [
        [*row, ", ".join(each.kinds), each.source.licence] for row, each in zip(shown, sources, strict=True)
    ]
    figures, rows = sum(each.figures for each in sources), sum(each.rows for each in sources)
    total = f"{len(sources)} sources carry {figures:,} figures and {rows:,} rows."
    document = {"schema": SCHEMA, "sources": [_cited_document(each) for each in sources]}
    headers = ["figures", "rows", "source"]
    return Page([Grid(headers, shown), total], Grid([*headers, "kinds", "licence"], exact), document)


def _cited_document(each: Cited) -> dict[str, Any]:
    held = {"citation": each.source.cite(), **source_document(each.source)}
    return {**held, "figures": each.figures, "rows": each.rows, "kinds": list(each.kinds)}
