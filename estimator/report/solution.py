"""A solution for people, as rows and as a JSON document: the value, its range, and the answer that goes with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..solving import Solution
from ..solving.laws import Chosen
from ..solving.search import Found
from . import answer, words
from .document import document as estimate_document
from .document import in_unit
from .fleet import TITLES, fleet_page
from .grid import Grid, wrapped
from .page import Page
from .rows import csv_rows

SCHEMA = "estimator/solution/1"
_BARRED = (
    "",
    "beyond this value no count finishes in time",
    "beyond this value the run does not fit on its cards",
    "beyond this value no layout shares out the batch evenly among all accelerators",
)


def page(solution: Solution, width: int = 100, more: Sequence[str] = ()) -> Page:
    """Return a solution as a page; text is wrapped to ``width`` columns, ``more`` sentences stand last."""
    told = document(solution)
    lines = [wrapped(text, width, "", "    ") for text in (*sentences(solution), *more)]
    if solution.fleet is not None:
        whole = fleet_page(solution.fleet, width)
        rows = [["solved", solution.name, *_solved_cells(solution, told)], *whole.rows.rows]
        return Page(["\n".join(lines), *whole.parts], Grid(whole.rows.headers, rows), told)
    return Page(["\n".join(lines), answer.table(solution.estimate, width)], _rows(solution, told), told)


def markdown(solution: Solution, more: Sequence[str] = ()) -> str:
    """Return a solution as Markdown, with ``more`` sentences."""
    if solution.fleet is not None:
        return page(solution, more=more).write("markdown")
    first, *rest = (*sentences(solution), *more)
    listed = "\n".join(f"- {text}" for text in rest)
    return "\n\n".join(part for part in (f"**{first}**", listed, answer.markdown(solution.estimate)) if part)


def sentences(solution: Solution) -> list[str]:
    """Say what was found, how sure it is, and what there is to know about it."""
    return [
        text
        for text in (
            _head(solution),
            _ends(solution),
            *notes(solution),
            _way(solution),
            _deadline(solution),
            *_by_laws(solution),
        )
        if text
    ]


def _name(solution: Solution) -> str:
    return solution.target.quantity.replace("_", " ")


def written(solution: Solution, value: float) -> str:
    """Write a value of the input as people read it."""
    shares = ("mfu", "goodput", "scaling_efficiency")
    return words.share(value) if solution.name in shares else words.amount(value, solution.unit)


def _amount(solution: Solution, value: float) -> str:
    """Write a value of the quantity as people read it."""
    name = solution.target.quantity
    return (
        words.share(value)
        if name in answer.SHARES
        else words.amount(value, solution.estimate.amount(name).unit)
    )


def wish(solution: Solution) -> str:
    """Say what a value is to do, like: keeps the cost at most 2 million USD."""
    side = "at most" if solution.target.most else "at least"
    return f"keeps the {_name(solution)} {side} {_amount(solution, solution.target.value)}"


def _head(solution: Solution) -> str:
    """Say which value meets the target; where none or any does, how near it comes."""
    if solution.status != "found":
        return unmet(solution)
    which = "the most" if solution.found.rising else "the least"
    span = between(solution)
    told = f"{written(solution, solution.value)}{f' ({span})' if span else ''}"
    return f"{solution.name} = {told}: {which} that {wish(solution)}."


def unmet(solution: Solution) -> str:
    """Say that no value meets the target, or any does, and how near one comes to it."""
    found, none = solution.found, solution.status == "none"
    reached = _amount(solution, found.reached)
    wanted = f"{'No' if none else 'Any'} value of {solution.name} {wish(solution)}"
    if found.flat:
        return f"{wanted}: it is {reached} at all of them."
    extreme = "most" if solution.target.most else "least"
    limit = "the limit" if none else f"the {extreme} that was found"
    return f"{wanted}: {limit} is {reached}, at {solution.name} = {written(solution, found.shown)}."


def between(solution: Solution) -> str:
    """Write the range of the value in the unit in which it is written."""
    low, high = solution.range
    if math.isnan(low) or math.isnan(high):
        return ""
    if solution.name in ("mfu", "goodput", "scaling_efficiency"):
        text = words.span(low * 100.0, high * 100.0, solution.value * 100.0, "1")
        return f"{text} %" if text else ""
    return words.span(low, high, solution.value, solution.unit)


def _ends(solution: Solution) -> str:
    """Say at which value each end of the quantity meets the target."""
    if solution.status != "found":
        return ""
    high, low = (_end(solution, end) for end in (solution.at_high, solution.at_low))
    if high == low:
        return ""
    name = _name(solution)
    return f"With the high end of the {name} it is {high}; with the low end, {low}."


def _end(solution: Solution, found: Found) -> str:
    if found.status == "found":
        return written(solution, found.shown)
    return "no value" if found.status == "none" else "any value"


def notes(solution: Solution) -> list[str]:
    """Say where the value is not the only one or not exact, and what limits it."""
    found, name = solution.found, _name(solution)
    told: list[str] = []
    if found.barred or found.jumps:
        why = _BARRED[found.barred] or f"the {name} leaps over the target, as layouts and batches are whole"
        told.append(
            f"No value comes nearer: {why}. With this one the {name} is {_amount(solution, found.reached)}."
        )
    if found.apart and found.status == "any":
        told.append(f"Not every one: the {name} goes up and down with --{_dashed(solution.name)}.")
    if found.apart and found.status == "found":
        which = "largest" if found.rising else "smallest"
        told.append(
            f"Not the only one: the {name} goes up and down with --{_dashed(solution.name)}; this is the {which}."
        )
    return told


def _way(solution: Solution) -> str:
    """Say of which way to use a fleet the quantity is."""
    if solution.fleet is None:
        return ""
    way = solution.fleet.way
    others = " or ".join(name for name in solution.fleet.ways if name != way)
    return f"That is of {TITLES[way]} (--way {way}){f'; ask for {others} with --way' if others else ''}."


def _deadline(solution: Solution) -> str:
    """Say how sure the deadline is, where it found the count for another target."""
    columns, amount = solution.estimate.case.columns, solution.estimate.wall_clock
    if "in_time" not in columns or solution.target.quantity == "wall_clock":
        return ""
    return (
        f"{words.digits(float(columns['count']), 12)} accelerators finish within "
        f"{words.amount(float(columns['within']), 's')}; at the high end of the wall clock it is "
        f"{words.amount(float(amount.high), 's')}."
    )


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _by_laws(solution: Solution) -> list[str]:
    """Say on what the model is best trained, what another law says, and what serving changes."""
    if not solution.laws or math.isnan(solution.value):
        return []
    first, *others = solution.laws
    size, tokens = _trained(solution)
    trained = first.of(size, tokens)
    told = [
        f"Tokens by {first.name}: {words.counted(tokens)}, {words.digits(tokens / size)} a parameter; loss "
        f"{words.digits(trained.loss)} by that law."
    ]
    if first.served:
        told.append(_served(first, size, tokens))
    return told + [_other(other, size, tokens) for other in others if not first.served]


def _trained(solution: Solution) -> tuple[float, float]:
    """Return the parameters and tokens of the run; every pool of a fleet trains as many."""
    estimate = solution.fleet.alone[0] if solution.fleet else solution.estimate
    return float(estimate.values["parameters"]), float(estimate.values["tokens"])


def _other(law: Chosen, size: float, tokens: float) -> str:
    best = law.optimum(6.0 * size * tokens)
    return (
        f"By {law.name}, as much compute is best spent on {words.counted(best.parameters)} parameters and "
        f"{words.counted(best.tokens)} tokens."
    )


def _served(law: Chosen, size: float, tokens: float) -> str:
    life = law.life(law.of(size, tokens))
    best = life.optimum
    return (
        f"To serve {words.counted(law.served)} tokens it is trained longer than is best for training alone, where "
        f"{words.counted(best.parameters)} parameters and {words.counted(best.tokens)} tokens reach the same loss. "
        f"Training takes {words.digits(life.training)} times as much compute as that, training and serving together "
        f"{words.share(life.whole)}."
    )


def document(solution: Solution) -> dict[str, Any]:
    """Return a solution as the JSON document."""
    estimate, target = solution.estimate, solution.target
    unit = estimate.amount(target.quantity).unit
    return {
        "schema": SCHEMA,
        "solved": {
            "name": solution.name,
            "status": solution.status,
            "value": _in_unit(solution.value, solution.unit),
            "unit": solution.unit,
            "low": _in_unit(solution.range[0], solution.unit),
            "high": _in_unit(solution.range[1], solution.unit),
            "nearest": _in_unit(solution.found.shown, solution.unit),
            "at_low_end": _end_document(solution, solution.at_low),
            "at_high_end": _end_document(solution, solution.at_high),
        },
        "target": {
            "quantity": target.quantity,
            "value": _in_unit(target.value, unit),
            "unit": unit,
            "side": "at most" if target.most else "at least",
            "reached": _in_unit(solution.found.reached, unit),
        },
        "notes": sentences(solution),
        "laws": [_law_document(law, solution) for law in solution.laws],
        **_answer(solution),
    }


def _answer(solution: Solution) -> dict[str, Any]:
    """Return the whole answer with the value: of a run, or of a fleet."""
    if solution.fleet is not None:
        return {"fleet": fleet_page(solution.fleet).document}
    return {"estimate": estimate_document(solution.estimate, solution.run.write())}


def _end_document(solution: Solution, found: Found) -> dict[str, Any]:
    value = found.shown if found.status == "found" else math.nan
    return {"status": found.status, "value": _in_unit(value, solution.unit)}


def _law_document(law: Chosen, solution: Solution) -> Mapping[str, Any]:
    """Return the compute-optimal model of the solution's compute by a law, training alone counted."""
    size, tokens = _trained(solution)
    best = law.optimum(6.0 * size * tokens)
    return {
        "name": law.name,
        "source": law.figure.cite(),
        "parameters": best.parameters,
        "tokens": best.tokens,
        "loss": best.loss,
        "served": law.served,
    }


def _in_unit(value: float, unit: str) -> float | None:
    return float(in_unit(value, unit)) if math.isfinite(value) else None


def _rows(solution: Solution, told: Mapping[str, Any]) -> Grid:
    """Return the solved value, then the quantities of the answer."""
    rows = csv_rows(told["estimate"])
    first = [solution.name, "solved", *_solved_cells(solution, told), "derived"]
    return Grid(rows.headers, [first, *rows.rows])


def _solved_cells(solution: Solution, told: Mapping[str, Any]) -> list[str]:
    """Return value, unit and ends of what was asked for, with full precision."""
    solved = told["solved"]
    value, low, high = (
        "" if solved[name] is None else repr(solved[name]) for name in ("value", "low", "high")
    )
    return [value, solution.unit, low, high]
