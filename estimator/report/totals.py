"""Totals of compute as pages: cards for a total, and what pools of accelerators add up to at each precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..provenance import Figure
from ..records import Record
from ..schema import PRECISIONS, peak_name
from ..totals import SPARSE, Ends, Total, across, ratio_of, totals_of
from . import words
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/totals/1"


def cards_page(total: Total, width: int = 100) -> Page:
    """Return how many accelerators a total of compute is."""
    count = total.accelerators
    head = (
        f"{rate(total.compute.value, total.precision)} in {total.precision} are {_whole(count.value)} x "
        f"{total.accelerator.id}{_span(count)}, at {rate(total.peak.value, total.precision)} each"
    )
    lines = [f"Note: {SPARSE}: {_whole(count.value / 2.0)} here", f"Source: {total.peak.cite()}"]
    parts = [wrapped(head, width, "", "    "), "\n".join(wrapped(line, width, "", "    ") for line in lines)]
    cells = [
        total.accelerator.id,
        total.precision,
        *map(repr, (total.compute.value, total.peak.value, *count)),
    ]
    rows = Grid(["accelerator", "precision", "compute", "peak", "accelerators", "low", "high"], [cells])
    return Page(
        parts, rows, {"schema": SCHEMA, **_total(total), "warnings": [SPARSE], "sources": [total.peak.cite()]}
    )


def _whole(count: float) -> str:
    return f"{math.ceil(count * (1.0 - 1e-12)):,}"


def rate(value: float, precision: str) -> str:
    """Write a computing speed: operations in integers, else floating-point ones.

    Examples
    --------
    >>> rate(20e18, "int8"), rate(312e12, "bf16")
    ('20 EOP/s', '312 TFLOP/s')
    """
    text = words.amount(value, "FLOP/s")
    return text.replace("FLOP", "OP") if precision.startswith("int") else text


def _span(ends: Ends) -> str:
    text = words.span(ends.low, ends.high, ends.value, "1")
    return f" ({text})" if text else ""


def _total(total: Total) -> dict[str, Any]:
    return {
        "accelerator": total.accelerator.id, "precision": total.precision,
        "peak": {"value": total.peak.value, "unit": "FLOP/s"},
        "accelerators": total.accelerators._asdict(), "compute": {**total.compute._asdict(), "unit": "FLOP/s"},
    }  # fmt: skip


def pools_page(pools: Sequence[tuple[float, Record]], width: int = 100) -> Page:
    """Return what pools of accelerators are in P and E at each precision, alone and together."""
    totals = [{total.precision: total for total in totals_of(count, record)} for count, record in pools]
    names = [name for name in PRECISIONS if any(name in each for each in totals)]
    titles = [f"{count:,.0f} x {record.id}" for count, record in pools]
    headers = ["dense peak", *titles, *(["together"] if len(pools) > 1 else []), *_of_one(pools)]
    rows = [[name, *_cells(name, totals), *_ratios(name, pools)] for name in names]
    cited = dict.fromkeys(total.peak.source.cite() for each in totals for total in each.values())
    lines = [*_across(pools), f"Note: {SPARSE}", *(f"Source: {each}" for each in cited)]
    parts = [Grid(headers, rows), "\n".join(wrapped(line, width, "", "    ") for line in lines)]
    document = {"schema": SCHEMA, "pools": [[_total(total) for total in each.values()] for each in totals],
                "warnings": [SPARSE], "sources": list(cited)}  # fmt: skip
    return Page(parts, _csv(totals), document)


def _of_one(pools: Sequence[tuple[float, Record]]) -> list[str]:
    return [f"one {record.id} / one {pools[0][1].id}" for _, record in pools[1:]]


def _cells(name: str, totals: Sequence[dict[str, Total]]) -> list[str]:
    found = [each.get(name) for each in totals]
    cells = [rate(total.compute.value, name) if total else "-" for total in found]
    known = [total.compute.value for total in found if total]
    whole = rate(sum(known), name) if len(known) == len(found) else "-"
    return [*cells, whole] if len(totals) > 1 else cells


def _peak(record: Record, name: str) -> Figure | None:
    return record.figures.get(peak_name(name))


def _ratios(name: str, pools: Sequence[tuple[float, Record]]) -> list[str]:
    first = _peak(pools[0][1], name)
    cells: list[str] = []
    for _, record in pools[1:]:
        peak = _peak(record, name)
        cells.append(_ratio(ratio_of(peak, first)) if peak and first else "-")
    return cells


def _ratio(ratio: Ends) -> str:
    return words.digits(ratio.value) + _span(ratio)


def _across(pools: Sequence[tuple[float, Record]]) -> list[str]:
    """Say how far apart the peaks of one accelerator lie from those of the first where precisions may differ."""
    lines: list[str] = []
    for _, record in pools[1:]:
        least, most = across(record, pools[0][1])
        lines.append(
            f"Across precisions one {record.id} is {words.digits(least.ratio.value)} ({least.precision} over "
            f"{least.other}) to {words.digits(most.ratio.value)} times ({most.precision} over {most.other}) one "
            f"{pools[0][1].id}: only like precisions compare."
        )
    return lines


def _csv(totals: Sequence[dict[str, Total]]) -> Grid:
    rows = [
        [str(place), total.accelerator.id, repr(total.accelerators.value), name, *map(repr, total.compute)]
        for place, each in enumerate(totals, start=1)
        for name, total in each.items()
    ]
    return Grid(["pool", "accelerator", "accelerators", "precision", "compute", "low", "high"], rows)
