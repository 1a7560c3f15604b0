"""Measured rows beside what is estimated of them: rows as they are read, then the summary."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..scores import Errors, Score
from ..validate import Row, Validation
from . import words
from .grid import Grid
from .page import one_line

SCHEMA = "estimator/validate/1"
_HEADERS = ("id", "measured", "predicted", "low", "high", "status", "reason")
_SHOWN = ("id", "measured", "estimate", "80 % range", "error", "")
_WIDTHS = (32, 11, 11, 22, 8, 0)
# Memory is read in GiB; the other kinds in the units of their document.
_GIB = {"memory": (float(1 << 30), "GiB per accelerator")}
_ERRORS = ("median_error", "mean_error", "bias")
_GROUPINGS = ("source", "accelerator")


def write(validation: Validation, format: str) -> Iterator[str]:
    """Yield the pieces of an answer, each of whole lines, in one of the four formats."""
    return {"json": _json, "csv": _csv, "markdown": _markdown, "table": _table}[format](validation)


def _json(validation: Validation) -> Iterator[str]:
    """Yield one document: the rows as they come, then the summary."""
    lead = '{"rows": ['
    for rows in validation.pieces():
        lines = ",\n".join(_dumped(row_document(row)) for row in rows)
        yield f"{lead}\n{lines}"
        lead = ","
    yield f'], "summary": {json.dumps(summary_document(validation), indent=2, ensure_ascii=False)}}}'


def _dumped(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def row_document(row: Row) -> dict[str, Any]:
    """Return one row: null for what is not there, and the inputs that were assumed."""
    return {
        "id": row.id, "measured": _finite(row.measured), "predicted": _finite(row.predicted),
        "low": _finite(row.low), "high": _finite(row.high), "status": row.status,
        "reason": row.reason or None, "assumed": list(row.assumed),
    }  # fmt: skip


def summary_document(validation: Validation) -> dict[str, Any]:
    """Return the summary of the rows read so far."""
    baseline = validation.kind.has_baseline
    scores = validation.scores
    return {
        "schema": SCHEMA, "kind": validation.kind.name, "unit": validation.kind.unit,
        "rows": validation.rows, "scored": scores.rows, "skipped": validation.rows - scores.rows,
        "reasons": dict(validation.skipped.most_common()),
        "not_of_this_kind": dict(validation.screened.most_common()),
        **_score_document(scores.score(baseline=baseline)),
        **{
            f"by_{grouping}": {
                name: _score_document(score) for name, score in scores.by(grouping, baseline=baseline).items()
            }
            for grouping in _GROUPINGS
        },
        "one_row_kept_of": scores.thinned,
    }  # fmt: skip


def _score_document(score: Score | None) -> dict[str, Any]:
    if score is None:
        return dict.fromkeys((*_ERRORS, "coverage", "median_high_over_low", "interval_score", "baseline"))
    return {
        "scored": score.rows, **_errors_document(score.errors), "coverage": _finite(score.coverage),
        "median_high_over_low": _finite(score.width), "interval_score": _finite(score.interval),
        "baseline": _errors_document(score.baseline) if score.baseline else None,
    }  # fmt: skip


def _errors_document(errors: Errors) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in zip(_ERRORS, errors, strict=True)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _csv(validation: Validation) -> Iterator[str]:
    """Yield the rows under their header, numbers in full; the summary is not among them."""
    lead = [list(_HEADERS)]
    for rows in validation.pieces():
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([*lead, *(_csv_row(row) for row in rows)])
        lead = []
        yield stream.getvalue().rstrip("\n")


def _csv_row(row: Row) -> list[str]:
    numbers = (row.measured, row.predicted, row.low, row.high)
    written = ["" if math.isnan(value) else repr(value) for value in numbers]
    return [row.id, *written, row.status, row.reason]


def _table(validation: Validation) -> Iterator[str]:
    """Yield the rows in columns of fixed width, as nobody knows how wide the next will be, and the summary."""
    lead = [_laid(_SHOWN)]
    for rows in validation.pieces():
        yield "\n".join([*lead, *(_laid(_cells(row, validation)) for row in rows)])
        lead = []
    yield ""
    yield "\n\n".join(part if isinstance(part, str) else part.table() for part in summary_parts(validation))


def _laid(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _markdown(validation: Validation) -> Iterator[str]:
    skipped = 0
    for rows in validation.pieces():
        lines = Grid(_SHOWN, [_cells(row, validation) for row in rows]).markdown().splitlines()
        yield "\n".join(lines[skipped:])
        skipped = 2
    yield ""
    yield "\n\n".join(
        part if isinstance(part, str) else part.markdown() for part in summary_parts(validation)
    )


def _cells(row: Row, validation: Validation) -> list[str]:
    """Return one row as people read it."""
    divisor, _ = _GIB.get(validation.kind.name, (1.0, ""))
    measured, predicted, low, high = (
        "" if math.isnan(value) else words.digits(value / divisor)
        for value in (row.measured, row.predicted, row.low, row.high)
    )
    error = _percent(row.predicted / row.measured - 1.0) if predicted else ""
    between = f"{low} to {high}" if predicted else ""
    return [_printable(row.id), measured, predicted, between, error, _printable(row.reason)]


def _printable(text: str) -> str:
    """Return what a file says on one line, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in one_line(text))


def _percent(share: float) -> str:
    """Write how far off a value is.

    Examples
    --------
    >>> _percent(0.1234), _percent(-0.0001)
    ('+12.3 %', '+0.0 %')
    """
    return f"{round(share * 100.0, 1) + 0.0:+.1f} %"


def summary_parts(validation: Validation) -> list[str | Grid]:
    """Return the summary: what was scored and what not, the scores of all, and of every source and accelerator."""
    kind, scores = validation.kind, validation.scores
    unit = _GIB.get(kind.name, (1.0, kind.unit))[1]
    head = f"{scores.rows:,} of {validation.rows:,} rows scored, in {unit}"
    total = scores.score(baseline=kind.has_baseline)
    parts: list[str | Grid] = [head]
    parts += [
        _reasons("Skipped", validation.skipped),
        _reasons("Not a measurement of this kind", validation.screened),
    ]
    parts += [_scores_grid("", {"all": total})] if total else []
    for grouping in _GROUPINGS:
        named = scores.by(grouping, baseline=kind.has_baseline)
        parts += [_scores_grid(grouping, named)] if len(named) > 1 else []
    if scores.thinned > 1:
        parts.append(f"Medians and means are those of one row in {scores.thinned}.")
    return [part for part in parts if part]


def _reasons(title: str, counted: Mapping[str, int]) -> str:
    lines = [f"  {count:,}  {reason}" for reason, count in sorted(counted.items(), key=lambda it: -it[1])]
    return "\n".join([f"{title}:", *lines]) if lines else ""


def _scores_grid(grouping: str, scores: Mapping[str, Score]) -> Grid:
    headers = [
        grouping, "rows", "median error", "mean error", "bias", "in the range", "high / low", "interval score",
        "constant MFU: median", "mean",
    ]  # fmt: skip
    return Grid(headers, [_score_cells(name, score) for name, score in scores.items()])


def _score_cells(name: str, score: Score) -> list[str]:
    errors, base = score.errors, score.baseline
    return [
        name or "(not named)", f"{score.rows:,}", words.share(errors.median), words.share(errors.mean),
        _percent(errors.bias), words.share(score.coverage), words.digits(score.width), words.digits(score.interval),
        words.share(base.median) if base else "", words.share(base.mean) if base else "",
    ]  # fmt: skip
