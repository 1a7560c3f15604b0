"""Verdicts as rows and as a document: everything measured or solved, in house units and with full precision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import units
from ..verdicts.conditions import Solved
from ..verdicts.judge import Judged, Judgement, Result
from .grid import Grid
from .records import figure_text

SCHEMA = "estimator/verdicts/1"
_ROWS = ("id", "verdict", "what", "words", "value", "low", "high", "unit", "agrees", "stated", "relation")


def rows_grid(judged: Sequence[Judged]) -> Grid:
    """Return one row for everything measured or solved, with full precision, in house units."""
    rows = [
        [each.claim.id, each.verdict, *cells]
        for each in judged
        for judgement in (each.judgements or (None,))
        for cells in (_row_cells(judgement) if judgement else [[""] * (len(_ROWS) - 2)])
    ]
    return Grid(_ROWS, rows)


def _row_cells(judgement: Judgement) -> list[list[str]]:
    stated = " ".join(figure_text(each) for each in judgement.stated)
    found = [
        [what, each.words.en, *_numbers(each.measured), _house(each.measured.unit), each.agrees]
        for what, each in _named(judgement)
    ]
    found += [
        ["exact at", each.words.en or each.name, *_numbers(each), _house(each.unit), ""]
        for each in judgement.solved
    ]
    return [[*cells, stated, judgement.check.relation] for cells in found or [[""] * 7]]


def _named(judgement: Judgement) -> list[tuple[str, Result]]:
    base = [("as stated", judgement.base)] if judgement.base else []
    conditions = [("condition", each) for each in judgement.conditions]
    return [*base, *conditions, *(("beside", each) for each in judgement.told)]


def _numbers(found: Any) -> list[str]:
    return ["" if math.isnan(each) else repr(each) for each in (found.value, found.low, found.high)]


def document(judged: Sequence[Judged], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return verdicts for JSON, values in house units, every question as it can be asked again.

    ``texts`` are the verdicts in words, by claim.
    """
    return {"schema": SCHEMA, "claims": [_claim_document(each, texts[each.claim.id]) for each in judged]}


def _claim_document(judged: Judged, text: str) -> dict[str, Any]:
    return {
        "id": judged.claim.id,
        "about": judged.claim.word("about"),
        "quote": judged.claim.word("quote"),
        "verdict": judged.verdict,
        "text": text,
        "statements": [_judgement_document(each) for each in judged.judgements],
    }


def _judgement_document(judgement: Judgement) -> dict[str, Any]:
    check = judgement.check
    return {
        "figures": {name: figure.value for name, figure in check.figures.items()},
        "relation": check.relation,
        "within": check.within,
        "verdict": judgement.verdict,
        "because": check.because._asdict(),
        "remark": check.remark._asdict(),
        "measured": [_result_document(what, each) for what, each in _named(judgement)],
        "exact": [_solved_document(each) for each in judgement.solved],
    }


def _result_document(what: str, result: Result) -> dict[str, Any]:
    found = result.measured
    return {
        "what": what,
        "words": result.words._asdict(),
        **{name: _number(getattr(found, name)) for name in ("value", "low", "high")},
        "unit": _house(found.unit),
        "agrees": result.agrees,
        "question": found.run.write() if found.run else None,
    }


def _solved_document(solved: Solved) -> dict[str, Any]:
    return {
        "input": solved.name,
        "words": solved.words._asdict(),
        **{name: _number(getattr(solved, name)) for name in ("value", "low", "high")},
        "unit": _house(solved.unit),
        "found": solved.found,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _house(unit: str) -> str:
    """Return the house unit of a unit in which an answer shows something."""
    return units.write_bases(units.unit_bases(unit)[1])
