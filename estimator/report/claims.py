"""Claims of press articles as a list and as single pages: their words, their numbers, what else is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..claims import Claim
from ..provenance import Figure
from .grid import Grid
from .page import Page, one_line
from .records import figure_document, figure_text, range_text, word_text

SCHEMA = "estimator/claims/1"
_WORDS = (
    "short",
    "about",
    "exercise",
    "relation",
    "quote",
    "quote_simplified",
    "article",
    "title",
    "publisher",
    "published",
)

_KNOWN = ("text", "source", "evidence")


def list_document(claims: Sequence[Claim], verdicts: Mapping[str, str]) -> dict[str, Any]:
    """Return a list of claims for JSON, each with its verdict."""
    held = [{**_document(claim), "verdict": verdicts[claim.id]} for claim in claims]
    return {"schema": SCHEMA, "claims": held}


def list_rows(claims: Sequence[Claim], verdicts: Mapping[str, str]) -> Grid:
    """Return one row a stated number, with the verdict on its claim last; a claim without numbers has a row too."""
    rows = _rows(claims)
    return Grid([*rows.headers, "verdict"], [[*row, verdicts[row[0]]] for row in rows.rows])


def _rows(claims: Sequence[Claim]) -> Grid:
    """Return one row a stated number; a claim without numbers has a row too."""
    headers = ["id", "figure", "value", "unit", "text", *_WORDS]
    rows = [[claim.id, *number, *(one_line(claim.word(name)) for name in _WORDS)]
            for claim in claims for number in _numbers(claim)]  # fmt: skip
    return Grid(headers, rows)


def _numbers(claim: Claim) -> list[list[str]]:
    held = {name: figure_document(figure) for name, figure in claim.figures.items()}
    return [[name, repr(each["value"]), each["unit"], each["text"]] for name, each in held.items()] or [
        [""] * 4
    ]


def claims_page(claims: Sequence[Claim]) -> Page:
    """Return single claims whole, one after the other."""
    parts = [part for claim in claims for part in _parts(claim)]
    return Page(parts, _rows(claims), {"schema": SCHEMA, "claims": [_document(claim) for claim in claims]})


def _parts(claim: Claim) -> list[str | Grid]:
    words = {
        "said": claim.word("quote"),
        "simplified": claim.word("quote_simplified"),
        "in": ", ".join(filter(None, map(claim.word, ("article", "title", "publisher", "published")))),
        "relation": claim.word("relation"),
        "exercise": claim.word("exercise"),
        **{name: word_text(value) for name, value in claim.record.words.items() if name in _further(claim)},
    }
    numbers = Grid(["stated", "value", "low to high", "kind", "where"],
                   [_figure_row(name, figure) for name, figure in claim.figures.items()])  # fmt: skip
    known = "\n".join(f"- [{each.evidence}] {each.text} ({each.source})" for each in claim.background)
    return [
        one_line(claim.record.name),
        Grid(["", ""], [[name, one_line(text)] for name, text in words.items()]),
        *([numbers] if claim.figures else ["It states no number."]),
        *([f"What else is known\n\n{known}"] if known else []),
    ]


def _further(claim: Claim) -> list[str]:
    """Return the words that only some claims have, such as a note."""
    known = (*_WORDS, "name", "background", "aliases", "check")
    return [name for name in claim.record.words if name not in known and not name.endswith("_zh")]


def _figure_row(name: str, figure: Figure) -> list[str]:
    where = f"{figure.where} ({figure.note})" if figure.note else figure.where
    return [name, figure_text(figure), range_text(figure), figure.kind, one_line(where)]


def _document(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "name": claim.record.name,
        **{name: claim.word(name) for name in (*_WORDS, *_further(claim))},
        "figures": {name: figure_document(figure) for name, figure in claim.figures.items()},
        "background": [{name: getattr(entry, name) for name in _KNOWN} for entry in claim.background],
    }
