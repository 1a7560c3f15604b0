"""Renting and owning side by side: every part for the run and for an accelerator-hour, and the break-even."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..costing import QUANTITIES, Costing, Way
from ..estimate import Amount, Estimate
from ..formulas.capital import Ownership
from ..formulas.cost import Project
from ..formulas.energy import Draw
from ..formulas.spot import Spot
from . import answer, words
from .break_even import bracketed, break_even_grid
from .dates import priced, prices_line
from .document import as_json, fit_warnings, in_unit
from .grid import Grid, display_width, wrapped
from .page import Page

SCHEMA = "estimator/cost/1"
_CSV = ("way", "name", "part", "value", "unit", "low", "high")
# What is counted only where it is asked for: the part, and the option that asks for it.
_ASKED = {
    "people who train": ("training_staff", "--staff"),
    "people who prepare": ("preparation_staff", "--preparation-staff"),
    "data held": ("data_storage", "--stored"),
    "data moved out": ("egress", "--egress"),
    "the runs before the last": ("development", "--development, 3.4 for LLaMA"),
}


def costing_page(costing: Costing, question: Mapping[str, Any], width: int) -> Page:
    """Return the page of `estimate cost`."""
    first = costing.ways[0].estimate if costing.ways else None
    if first is None:
        return Page([wrapped(_missing(costing), width)], Grid(_CSV, []), _document(costing, question))
    parts = [
        "\n".join(
            wrapped(text, width, "", "    ")
            for text in [_title(costing), _cheapest(costing), *_warnings(costing)]
        ),
        *_blocks(costing, "cost", "for all of it" if costing.period else "the run", width),
        *_blocks(costing, "cost_per_hour", "an accelerator-hour in use", width),
        wrapped(_dearer(costing), width, "", "    "),
        *([break_even_grid(costing)] if costing.rented and costing.owners else []),
        wrapped(_work(costing), width, "", "    "),
        wrapped(prices_line(way.estimate for way in costing.ways), width, "", "    "),
        wrapped(_not_counted(first), width, "", "    "),
        wrapped(_missing(costing), width, "", "    "),
        "\n".join([answer.ASSUMED, *answer.assumption_lines(_assumptions(costing), width)]),
    ]
    return Page([part for part in parts if part], _rows(costing), _document(costing, question))


def _title(costing: Costing) -> str:
    """Say what is asked about: a run, or machines for a time."""
    first = (costing.owners or costing.ways)[0].estimate
    if costing.period is None:
        return answer.title(first)
    columns = first.case.columns
    nodes = math.ceil(float(columns["count"] / columns["per_node"]))
    held = words.amount(costing.period, "s")
    return (
        f"{words.digits(float(columns['count']), 12)} x {first.case.words['accelerator']} ({nodes:,} "
        f"node{'s' * (nodes != 1)}), held for {held}, in use {words.share(costing.used)} of it"
    )


def _cheapest(costing: Costing) -> str:
    """Say what the cheapest way of renting costs, and the cheapest of owning."""
    told: list[str] = []
    for ways, what, how in ((costing.rented, "renting", "by"), (costing.owners, "owning", "in")):
        if ways:
            least = min(ways, key=lambda way: float(way.estimate.cost.value))
            span = bracketed(answer.between(least.estimate, "cost"))
            name = least.name.removeprefix("own, ")
            which = f" {how} {name}, the cheapest" if len(ways) > 1 else ""
            told.append(f"{what} costs {answer.shown(least.estimate, 'cost')}{span}{which}")
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."


def _warnings(costing: Costing) -> list[str]:
    """Warn of what is amiss with the run, once, or tell how much of their life machines are charged for."""
    if costing.period is None:
        return [f"Warning: {text}" for text in fit_warnings(costing.ways[0].estimate)]
    lives = [float(way.estimate.case.columns["life"]) for way in costing.owners[:1]]
    return [
        f"Owners are charged {words.amount(costing.period, 's')} of the {words.amount(life, 's')} in which machines "
        f"are paid back; --life '{words.amount(costing.period, 's')}' would write them off in that time."
        for life in lives
        if life > costing.period
    ]


def _blocks(costing: Costing, name: str, about: str, width: int) -> list[Grid]:
    """Return the parts of a cost by way in one table; if it is too wide, what is rented and what is owned apart."""
    whole = _block(costing, costing.ways, name, about)
    if _fits(whole, width):
        return [whole]
    return [
        table for ways in (costing.rented, costing.owners) if ways
        for table in _halved(costing, ways, name, about, width)
    ]  # fmt: skip


def _halved(costing: Costing, ways: Sequence[Way], name: str, about: str, width: int) -> list[Grid]:
    """Return the parts of a cost by way in as few tables as are narrow enough, each of a half of the ways."""
    table, middle = _block(costing, ways, name, about), (len(ways) + 1) // 2
    if len(ways) == 1 or _fits(table, width):
        return [table]
    halves = (ways[:middle], ways[middle:])
    return [found for half in halves for found in _halved(costing, half, name, about, width)]


def _fits(table: Grid, width: int) -> bool:
    return all(display_width(line) <= width for line in table.table().splitlines())


def _block(costing: Costing, ways: Sequence[Way], name: str, about: str) -> Grid:
    """Return the parts of a cost by way, in a unit of one size for all ways, with the total and its range."""
    least = min(float(way.estimate.amount(name).value) for way in costing.ways)
    amounts = [way.estimate.amount(name) for way in ways]
    divisor, unit = words.scale(least, amounts[0].unit)
    parts = list(dict.fromkeys(part for amount in amounts for part in amount.parts))
    rows = [
        [f"  {part.replace('_', ' ')}", *(_part(amount, part, divisor) for amount in amounts)]
        for part in parts
        if any(float(amount.parts[part]) for amount in amounts)
    ]
    rows.append(["all", *(words.digits(float(amount.value) / divisor) for amount in amounts)])
    rows.append(["  80 % range", *(_range(amount, divisor) for amount in amounts)])
    if name == "cost":
        rows += _more(ways, divisor)
    money = unit.strip().partition("/")[0]
    return Grid([f"{money}, {about}", *(way.name for way in ways)], rows)


def _part(amount: Amount, part: str, divisor: float) -> str:
    value = float(amount.parts[part])
    return words.digits(value / divisor) if value else ""


def _range(amount: Amount, divisor: float) -> str:
    low, high = (words.digits(float(end) / divisor) for end in (amount.low, amount.high))
    return "" if low == high else f"{low} to {high}"


def _more(ways: Sequence[Way], divisor: float) -> list[list[str]]:
    """Return what is to be bought, and the cost of an application where there are several."""
    found: list[list[str]] = []
    if any(way.owned for way in ways):
        bought = [float(way.estimate.investment.value) for way in ways]
        found.append(
            ["to be bought", *("" if math.isnan(each) else words.digits(each / divisor) for each in bought)]
        )
    applications = float(ways[0].estimate.case.columns["applications"])
    if applications > 1.0:
        each = [float(way.estimate.cost_per_application.value) / divisor for way in ways]
        found.append([f"each of {words.digits(applications)} applications", *map(words.digits, each)])
    return found


def _dearer(costing: Costing) -> str:
    """Warn of reservations above the price without one: their offers are those of other providers."""
    prices = {way.name: float(way.estimate.case.columns["price"]) for way in costing.rented}
    least = prices.get("on-demand", math.inf)
    found = [name for name, price in prices.items() if name.startswith("reserved") and price > least]
    if not found:
        return ""
    return (
        f"Warning: {' and '.join(found)} {'is' if len(found) == 1 else 'are'} dearer than on-demand: the offers on "
        "record are those of other providers. That tells of them, not of what a reservation saves; give --price with "
        "what you are offered."
    )


def _work(costing: Costing) -> str:
    """Tell what the machines do in the first of the ways: hours, power and energy."""
    found = costing.ways[0].estimate
    told = [
        f"{words.amount(float(found.occupied_hours.value), 'hour')} accelerator-hours",
        f"{words.amount(float(found.wall_clock.value), 's')} of wall clock",
    ]
    if not math.isnan(float(found.power.value)):
        told += [answer.shown(found, "power"), answer.shown(found, "energy")]
    model = words.counted(float(found.parameters.value))
    return f"The machines work {', '.join(told)}, training {model} parameters ({costing.ways[0].name})."


def _not_counted(estimate: Estimate) -> str:
    """Name what no option asks for."""
    parts = estimate.cost.parts
    absent = [f"{what} ({how})" for what, (part, how) in _ASKED.items() if not float(parts[part])]
    return f"Not counted, as nothing asks for it: {'; '.join(absent)}." if absent else ""


def _missing(costing: Costing) -> str:
    return f"Without a cost: {'; '.join(costing.missing)}." if costing.missing else ""


# What machines that are held for a time rest on, whatever runs on them.
_OF_MACHINES = frozenset({
    "accelerator", "pue", "grid", "currency", "exchange_rate", "price",
    *Draw._fields, *Ownership._fields, *Project._fields, *(f"spot_{name}" for name in Spot._fields),
})  # fmt: skip


def _assumptions(costing: Costing) -> list[list[str]]:
    """Return what the ways assume, each once; of machines that are held what they cost alone."""
    found: dict[tuple[str, ...], None] = {}
    for way in [*costing.owners, *costing.rented]:
        for row in answer.assumption_rows(way.estimate):
            if costing.period is not None and row[0] not in _OF_MACHINES:
                continue
            if row[0] == ("price" if way.owned else "grid"):
                continue
            by_way = row[0] == "price" or (row[0] == "tariff" and len(costing.owners) > 1)
            found[(f"{row[0]}, {way.name}" if by_way else row[0], *row[1:])] = None
    return [list(row) for row in found]


def _rows(costing: Costing) -> Grid:
    """Return one row a way, quantity and part, with full precision."""
    rows: list[list[str]] = []
    for way in costing.ways:
        for name in QUANTITIES:
            rows += _csv_rows(way.name, way.estimate, name)
    for owner, even in costing.even.items():
        for way, found in zip(costing.rented, even, strict=True):
            for name in ("break_even_utilisation", "break_even_time"):
                rows += _csv_rows(f"{owner} instead of {way.name}", found, name)
    return Grid(_CSV, rows)


def _csv_rows(way: str, estimate: Estimate, name: str) -> list[list[str]]:
    amount = estimate.amount(name)
    ends = [float(in_unit(end, amount.unit)) for end in (amount.value, amount.low, amount.high)]
    if math.isnan(ends[0]):
        return []
    parts = [
        [way, name, part, repr(float(in_unit(value, amount.unit))), amount.unit, "", ""]
        for part, value in amount.parts.items()
        if float(value)
    ]
    return [[way, name, "", repr(ends[0]), amount.unit, repr(ends[1]), repr(ends[2])], *parts]


def _document(costing: Costing, question: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "question": dict(question),
        "period": costing.period,
        "prices_of": priced(way.estimate for way in costing.ways),
        "ways": [
            {
                "name": way.name,
                "question": way.run.write(),
                **{name: as_json(way.estimate.amount(name), way.estimate) for name in QUANTITIES},
            }
            for way in costing.ways
        ],
        "break_even": [
            {
                "own": owner,
                "instead_of": way.name,
                **{
                    name: as_json(found.amount(name), found)
                    for name in ("rent_price", "break_even_utilisation", "break_even_time")
                },
            }
            for owner, even in costing.even.items()
            for way, found in zip(costing.rented, even, strict=True)
        ],
        "assumptions": [
            dict(zip(("name", "value", "option", "reason"), row, strict=True))
            for row in _assumptions(costing)
        ],
        "missing": list(costing.missing),
    }
