"""An answer about scaling efficiency as tables for people, as JSON and as CSV."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..formulas.fits import LAWS, Floats, Law
from ..records import Row
from ..scaling import Range, ScalingAnswer, series_points
from . import words
from .explain import reference
from .grid import Grid

SCHEMA = "estimator/scale/1"
_EQUATION = re.compile(r"\.\. math:: (.+)")


def title(answer: ScalingAnswer) -> str:
    """Say in a line what was fitted: how many points, where, over which base."""
    points = answer.points
    first, last = (words.digits(float(end), 9) for end in (points.count.min(), points.count.max()))
    place = f"at {first}" if first == last else f"from {first} to {last}"
    size = points.count.size
    series = f" of {answer.question.series} ({points.about})" if answer.question.series else ""
    base = words.digits(points.base, 9)
    return f"{size} point{'s' * (size != 1)}{series} {place} accelerators, over a base of {base}"


def laws_grid(answer: ScalingAnswer) -> Grid:
    """Return every fitted law with its parameters, its misfit and its reference."""
    rows = [
        [
            fit.law.label,
            ", ".join(f"{name} {words.digits(value)}" for name, value in fit.parameters.items()),
            words.share(fit.residual),
            law_reference(fit.law),
        ]
        for fit in answer.laws
    ]
    return Grid(["law", "parameters", "rms misfit", "reference"], rows)


def law_reference(law: Law) -> str:
    """Return where a law is published, as its docstring has it."""
    return reference(inspect.getdoc(law.efficiency) or "")


def _equation(law: Law) -> str:
    return _EQUATION.findall(inspect.getdoc(law.efficiency) or "")[0]


def counts_grid(answer: ScalingAnswer) -> Grid:
    """Return the efficiency by each law, its median and range, and the loss, one row a count."""
    loss = answer.loss
    headers = [
        "accelerators",
        "",
        *(fit.law.label for fit in answer.laws),
        "median",
        "range",
        "cards lost",
        "range",
    ]
    money = {"lost an hour": loss.per_hour, "lost in all": loss.in_all}
    headers += [header for name, ends in money.items() if ends is not None for header in (name, "range")]
    rows: list[list[str]] = []
    for place, count in enumerate(answer.at):
        row = [words.digits(float(count), 9), "extrapolated" if answer.extrapolated[place] else ""]
        row += [words.share(float(fit.efficiency[place])) for fit in answer.laws]
        row += _ends(answer.efficiency, place, words.share) + _ends(loss.accelerators, place, words.digits)
        for ends in filter(None, money.values()):
            row += _ends(ends, place, lambda value: words.amount(value, loss.currency))
        rows.append(row)
    return Grid(headers, rows)


def _ends(ends: Range, place: int, write: Callable[[float], str]) -> list[str]:
    value, low, high = (write(float(end[place])) for end in (ends.value, ends.low, ends.high))
    return [value, "" if low == high else f"{low} to {high}"]


def remarks(answer: ScalingAnswer) -> list[str]:
    """Return the notes, and why laws were left out."""
    labels = {law.name: law.label for law in LAWS}
    return [
        *answer.notes,
        *(f"{labels[name]} left out: {reason}" for name, reason in answer.left_out.items()),
    ]


def table(answer: ScalingAnswer) -> str:
    """Return the whole answer as text."""
    lines = [f"Note: {text}" for text in remarks(answer)] + [f"Source: {cited}" for cited in _sources(answer)]
    parts = [title(answer), counts_grid(answer).table(), laws_grid(answer).table(), "\n".join(lines)]
    return "\n\n".join(filter(None, parts))


def markdown(answer: ScalingAnswer) -> str:
    """Return the whole answer as Markdown."""
    lines = [f"- {text}" for text in remarks(answer)] + [f"- Source: {cited}" for cited in _sources(answer)]
    parts = [
        f"**{title(answer)}**",
        counts_grid(answer).markdown(),
        laws_grid(answer).markdown(),
        "\n".join(lines),
    ]
    return "\n\n".join(filter(None, parts))


def _sources(answer: ScalingAnswer) -> list[str]:
    return [answer.points.source.cite()] if answer.points.source else []


def document(answer: ScalingAnswer) -> dict[str, Any]:
    """Return the JSON document: fixed units, and null for what is not finite."""
    points = answer.points
    return {
        "schema": SCHEMA,
        "question": answer.question.write(),
        "base": points.base,
        "points": [
            {"accelerators": float(count), "efficiency": float(efficiency)}
            for count, efficiency in zip(points.count, points.efficiency, strict=True)
        ],
        "laws": [
            {
                "name": fit.law.name,
                "equation": _equation(fit.law),
                "reference": law_reference(fit.law),
                "parameters": {name: _finite(value) for name, value in fit.parameters.items()},
                "rms_residual": _finite(fit.residual),
                "residuals": _numbers(fit.residuals),
            }
            for fit in answer.laws
        ],
        "left_out": dict(answer.left_out),
        "at": [_at(answer, place) for place in range(answer.at.size)],
        "notes": list(answer.notes),
        "sources": _sources(answer),
    }


def _at(answer: ScalingAnswer, place: int) -> dict[str, Any]:
    loss = answer.loss
    return {
        "accelerators": float(answer.at[place]),
        "extrapolated": bool(answer.extrapolated[place]),
        "efficiency": _quantity(answer.efficiency, place, "1"),
        "by_law": {fit.law.name: _finite(float(fit.efficiency[place])) for fit in answer.laws},
        "lost_accelerators": _quantity(loss.accelerators, place, "accelerator"),
        "lost_per_hour": _quantity(loss.per_hour, place, f"{loss.currency}/hour"),
        "lost_in_all": _quantity(loss.in_all, place, loss.currency),
    }


def _quantity(ends: Range | None, place: int, unit: str) -> dict[str, Any] | None:
    if ends is None:
        return None
    value, low, high = (_finite(float(end[place])) for end in (ends.value, ends.low, ends.high))
    return {"value": value, "unit": unit, "low": low, "high": high}


def _numbers(values: Floats) -> list[float | None]:
    return [_finite(float(value)) for value in values]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def csv_grid(answer: ScalingAnswer) -> Grid:
    """Return one row a count, every number in full."""
    rows = [_flat(_at(answer, place)) for place in range(answer.at.size)]
    return Grid(list(rows[0]), [list(row.values()) for row in rows])


def _flat(found: Mapping[str, Any]) -> dict[str, str]:
    """Lay one count's numbers side by side: a quantity as value, low, high and unit, a law by its name."""
    cells = {
        "accelerators": f"{found['accelerators']:.0f}",
        "extrapolated": str(found["extrapolated"]).lower(),
    }
    for name, efficiency in found["by_law"].items():
        cells[name] = repr(efficiency)
    for name in ("efficiency", "lost_accelerators", "lost_per_hour", "lost_in_all"):
        quantity = found[name] or dict.fromkeys(("value", "low", "high", "unit"))
        for key in ("value", "low", "high", "unit"):
            cells[name if key == "value" else f"{name}_{key}"] = (
                "" if quantity[key] is None else str(quantity[key])
            )
    return cells


def series_grid(series: Mapping[str, Sequence[Row]]) -> Grid:
    """List the recorded series that can be fitted."""
    rows: list[list[str]] = []
    for name, members in series.items():
        points = series_points(members)
        if points is not None:
            span = f"{points.count.min():.0f} to {points.count.max():.0f}"
            rows.append([name, str(points.count.size), f"{points.base:.0f}", span, points.about])
    return Grid(["series", "points", "base", "accelerators", "what"], rows)
