"""Solutions on several accelerators as one table, and how sure a solution is, in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..solving import Solution
from ..solving.several import Each, Sure
from . import sample, solution, words
from .answer import shown
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/solutions/1"


def sure_line(found: Solution, sure: Sure) -> str:
    """Say in which share of the draws a solution keeps its target, and its deadline."""
    draws = sure.sample.draws
    told = f"Of {draws.size:,} draws (--seed {draws.seed}), {words.share(sure.kept)} {_keep(found)}"
    if math.isnan(sure.both):
        return f"{told}."
    within = words.amount(float(found.estimate.case.columns["within"]), "s")
    return f"{told}, {words.share(sure.in_time)} finish within {within}, {words.share(sure.both)} do both."


def _keep(found: Solution) -> str:
    return solution.wish(found).replace("keeps", "keep", 1)


def sure_document(found: Solution, sure: Sure) -> dict[str, Any]:
    """Return the draws of a solution: the shares that keep the target, and both, and percentiles of every quantity."""
    both = None if math.isnan(sure.both) else sure.both
    return {
        "kept": sure.kept,
        "both": both,
        **sample.document(sample.Drawn(found.estimate, sure.sample, None)),
    }


def page(several: Sequence[Each], sures: Sequence[Sure | None], width: int = 100) -> Page:
    """Return solutions as a page, a row for each accelerator; ``sures`` are their draws, where there are any."""
    pairs = list(zip(several, sures, strict=True))
    first = next(each.solution for each in several if each.solution)
    rows = [_row(each, sure, first) for each, sure in pairs]
    kept = any(row[-1] for row in rows)
    headers = _headers(first)
    told = [(each.on, text) for each in several for text in _said(each)]
    told += [(each.on, sure_line(each.solution, sure)) for each, sure in pairs if each.solution and sure]
    parts = [
        f"{first.name}, {'the most' if first.found.rising else 'the least'} that {solution.wish(first)}:",
        Grid(headers, rows) if kept else Grid(headers[:-1], [row[:-1] for row in rows]),
        "\n".join(wrapped(f"{on}: {text}", width, "", "    ") for on, text in told),
        "Give --on one of them alone for the whole answer.",
    ]
    return Page(parts, Grid(headers, rows), _document(pairs))


def _headers(first: Solution) -> list[str]:
    quantity = first.target.quantity.replace("_", " ")
    more = [] if quantity == "wall clock" else [quantity]
    return ["on", first.name, "80 % range", "count", "wall clock", *more, "draws that keep it"]


def _row(each: Each, sure: Sure | None, first: Solution) -> list[str]:
    found = each.solution
    if found is None:
        return [each.on, "not known", *("" for _ in _headers(first)[2:])]
    own, quantity = found.estimate, found.target.quantity
    more = [] if quantity == "wall_clock" else [shown(own, quantity)]
    kept = "" if sure is None else words.share(sure.kept if math.isnan(sure.both) else sure.both)
    value = solution.written(found, found.value) if found.status == "found" else f"{found.status} of them"
    return [
        each.on, value, solution.between(found), words.digits(float(own.case.columns["count"]), 12),
        shown(own, "wall_clock"), *more, kept,
    ]  # fmt: skip


def _said(each: Each) -> list[str]:
    """Say why there is no value, or what limits it."""
    if each.solution is None:
        return [each.fault]
    head = [] if each.solution.status == "found" else [solution.unmet(each.solution)]
    return [*head, *solution.notes(each.solution)]


def _document(pairs: Sequence[tuple[Each, Sure | None]]) -> dict[str, Any]:
    told: list[dict[str, Any]] = []
    for each, sure in pairs:
        if each.solution is None:
            told.append({"on": each.on, "fault": each.fault, "solution": None})
            continue
        found = solution.document(each.solution)
        drawn = {} if sure is None else {"draws": sure_document(each.solution, sure)}
        told.append({"on": each.on, "fault": None, "solution": {**found, **drawn}})
    return {"schema": SCHEMA, "found": told}
