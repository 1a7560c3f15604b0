"""What a fleet delivers as tables for people, as JSON and as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ..estimate import Estimate
from ..fleets.fleet import Fleet
from ..fleets.lowered import way_of
from ..fleets.ways import DILOCO, KEPT_LOSS, UNITS, Exchange, Way
from ..inputs.fleet import FleetQuestion
from ..inputs.letters import letter
from ..inputs.pools import OF_POOL, called
from ..totals import Ends
from . import words
from .document import document, fit_warnings, in_unit
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/fleet/1"
TITLES = {
    "separate": "separate runs, one a pool",
    "equal": "one run, equal shares a card",
    "matched": "one run, shares like speeds",
}
_ALONE = ("throughput", "throughput_per_accelerator", "mfu", "wall_clock", "occupied_hours", "energy", "cost")
_LABELS = {
    "throughput": "throughput", "throughput_per_accelerator": "of one", "mfu": "MFU", "wall_clock": "wall clock",
    "occupied_hours": "accelerator-hours", "energy": "energy", "carbon": "carbon", "cost": "cost",
}  # fmt: skip
_SHOWN = ("throughput", "wall_clock", "occupied_hours", "energy", "cost")


def fleet_page(found: Fleet, width: int = 100) -> Page:
    """Return the answer about a fleet as a page."""
    warnings = [f"Warning: {text}" for text in [*_pool_warnings(found), *found.notes]]
    head = "\n".join([_title(found), *(wrapped(text, width, "", "    ") for text in warnings)])
    parts = [head, _alone(found), _ways(found), _shares(found), wrapped(_exchange(found), width, "", "    "),
             wrapped(_assumed(found), width, "", "    ")]  # fmt: skip
    return Page(
        [part for part in parts if not isinstance(part, Grid) or part.rows], _csv(found), _document(found)
    )


def fleet_words(question: FleetQuestion) -> dict[str, Any]:
    """Return the inputs of a question as the command line takes them, pools under the name of their option.

    Examples
    --------
    >>> fleet_words(FleetQuestion.read({"params": 7e9, "pools": ["8 x a100, site=b, mfu=0.4"]}))
    {'params': 7000000000.0, 'mfu': 0.4, 'pool': ['8 x a100, site=b']}
    """
    inputs = question.write()
    pools: list[dict[str, Any]] = inputs.pop("pools")
    return {**inputs, "pool": [_pool_words(pool) for pool in pools]}


def _pool_words(pool: dict[str, Any]) -> str:
    rest = (
        f"{name}={words.digits(value, 12) if isinstance(value, float) else value}"
        for name, value in pool.items()
        if name not in OF_POOL
    )
    return ", ".join([called(pool), *rest])


def drawn_words(question: FleetQuestion) -> str:
    """Say of which way draws are."""
    way = way_of(question)
    return f"Draws are of {TITLES[way]} (--way {way})."


def _title(found: Fleet) -> str:
    first = found.alone[0]
    model = f"{first.case.words['model']}, " if "model" in first.case.words else ""
    count = sum(float(each.case.columns["count"]) for each in found.alone)
    pools = len(found.alone)
    return (
        f"{model}{words.counted(float(first.parameters.value))} parameters, {words.counted(found.tokens)} tokens a "
        f"run, on {count:,.0f} accelerators in {pools} pool{'s' * (pools != 1)}"
    )


def _pool_warnings(found: Fleet) -> Iterator[str]:
    for place, estimate in enumerate(found.alone):
        for text in (*fit_warnings(estimate), *estimate.case.notes):
            yield f"pool {letter(place)}: {text}"


def _alone(found: Fleet) -> Grid:
    """Return each pool with a run of its own, a column a pool."""
    headers = ["alone", *(f"{letter(place)}: {_pool(found, place)}" for place in range(len(found.alone)))]
    rows = [_row(_LABELS[name], [_of_pool(each, name) for each in found.alone], found.alone[0].amount(name).unit)
            for name in _ALONE]  # fmt: skip
    if len(found.alone) > 1:
        rows.append(["one card over one of A", *(_written(each, 1.0) for each in found.ratios)])
        rows.append(["MFU to equal one of A", *map(words.share, found.mfu_for(1.0))])
    return Grid(headers, rows)


def _of_pool(estimate: Estimate, name: str) -> Ends:
    amount = estimate.amount(name)
    return Ends(float(amount.value), float(amount.low), float(amount.high))


def _pool(found: Fleet, place: int) -> str:
    case, site = found.alone[place].case, found.question.pools[place].site
    where = f", {site}" if site else ""
    return f"{float(case.columns['count']):,.0f} x {case.words['accelerator']} ({case.words['precision']}{where})"


def _row(label: str, values: Sequence[Ends], unit: str) -> list[str]:
    """Write quantities of one kind in one unit, which stands behind the label, each with its range."""
    if label == _LABELS["mfu"]:
        return [label, *map(_share, values)]
    known = [each.value for each in values if math.isfinite(each.value)]
    divisor, word = words.scale(max(known, default=math.nan), unit)
    return [f"{label},{word}" if word.strip() else label, *(_written(each, divisor) for each in values)]


def _written(ends: Ends, divisor: float) -> str:
    value, low, high = (words.digits(end / divisor) for end in ends)
    return value if low == high or math.isnan(ends.value) else f"{value} ({low} to {high})"


def _ways(found: Fleet) -> Grid:
    """Return the ways to use the fleet, a column a way; each quantity for the tokens of one run."""
    ways = _shown(found)
    rows = [
        _row(_LABELS[name], [way.values[name] for way in ways], unit_of(found, name))
        for name in _SHOWN
        if any(math.isfinite(way.values[name].value) for way in ways)
    ]
    lost = [
        "lost by mixing",
        *("" if each.name == "separate" else words.share(found.loss(each.name)) for each in ways),
    ]
    headers = ["together", *(TITLES[way.name] for way in ways)]
    return Grid(headers, [*rows, *([lost] if any(lost[1:]) else [])] if len(found.alone) > 1 else [])


def _shown(found: Fleet) -> list[Way]:
    """Return the way that is asked for; all where none is."""
    return [way for name, way in found.ways.items() if found.question.way in (name, None)]


def unit_of(found: Fleet, name: str) -> str:
    """Return the unit of a quantity, money in the currency of the answer."""
    return UNITS[name].replace("currency", found.currency)


def _shares(found: Fleet) -> Grid:
    """Return each pool's share of the batch and of the step that it waits, in both joint runs."""
    joint = [way for way in _shown(found) if way.shares]
    headers = ["pool", *(word for way in joint for word in (f"share, {way.name}", "of the step it waits"))]
    rows = [
        [
            letter(place),
            *(text for way in joint for text in (_share(way.shares[place]), _share(way.waits[place]))),
        ]
        for place in range(len(found.alone))
    ]
    return Grid(headers, rows if joint else [])


def _share(share: Ends) -> str:
    low, high = (words.digits(end * 100.0, 2) for end in (share.low, share.high))
    text = f"{words.digits(share.value * 100.0)} %"
    return text if low == high else f"{text} ({low} to {high})"


def _exchange(found: Fleet) -> str:
    """Say what crosses the link between sites and how wide it would have to be."""
    each = found.exchange
    if each is None or not any(way.shares for way in _shown(found)):
        return ""
    every = found.question.sync_every or 1.0
    often = "each step" if every == 1.0 else f"every {every:,.0f} steps"
    given = (
        f" and take {words.amount(each.time, 's')} a step of the link" if each.time > 0 else ""
    )  # no time with a link that is not given
    seldom = (
        ""
        if every > 1.0
        else f" With an exchange every {DILOCO:,.0f} steps (DiLoCo, arXiv:2311.08105) {_bits(each.seldom)} would do."
    )
    return (
        f"Between the sites gradients of {words.amount(each.size, 'byte')} cross {often}, beside steps of "
        f"{words.amount(each.step, 's')}{given}. Below {_bits(each.hideable)} for each site the exchange slows the run "
        f"whatever is hidden behind computing; with {_bits(each.enough)} it takes {KEPT_LOSS * 100:.0f} % at most with "
        f"nothing hidden. A larger --global-batch exchanges less often.{seldom}"
    )


def _bits(bandwidth: float) -> str:
    return words.amount(bandwidth, "Gbit/s")


def _assumed(found: Fleet) -> str:
    if len(found.alone) == 1:
        return ""
    given = found.question.pools[0].run.global_batch is not None
    batch = "" if given else ", of about the usual size and so that it suits the shares (--global-batch)"
    return (
        "Separate runs are a model a pool, each for as long as it takes alone; told is what one takes on average. "
        f"One run over all pools takes a batch of {words.digits(found.batch)} sequences{batch}; it stops when any pool "
        "stops, and its machines are held and powered while they wait. What is assumed of each pool: estimate train "
        "with its inputs."
    )


def _csv(found: Fleet) -> Grid:
    rows = [
        [letter(place), name, *_numbers(estimate, name)]
        for place, estimate in enumerate(found.alone)
        for name in (*_ALONE, "carbon")
    ]
    for name, way in found.ways.items():
        rows += [[name, each, *_cells(value, unit_of(found, each))] for each, value in way.values.items()]
        for word, ends in (("share", way.shares), ("wait", way.waits)):
            rows += [[name, f"{word}_{letter(place)}", *_cells(end, "1")] for place, end in enumerate(ends)]
    return Grid(["of", "name", "value", "unit", "low", "high"], rows)


def _numbers(estimate: Estimate, name: str) -> list[str]:
    return _cells(_of_pool(estimate, name), estimate.amount(name).unit)


def _cells(ends: Ends, unit: str) -> list[str]:
    shown = [_number(end, unit) for end in ends]
    value, low, high = ("" if number is None else repr(number) for number in shown)
    return [value, unit, low, high]


def _number(value: float, unit: str) -> float | None:
    return float(in_unit(value, unit)) if math.isfinite(value) else None


def _ends(ends: Ends, unit: str) -> dict[str, Any]:
    value, low, high = (_number(end, unit) for end in ends)
    return {"value": value, "unit": unit, "low": low, "high": high}


def _document(found: Fleet) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "question": found.question.write(),
        "batch": found.batch,
        "pools": [
            {
                "site": pool.site or None,
                "one_over_first": _ends(ratio, "1"),
                "mfu_to_equal_first": _number(mfu, "1"),
                "alone": document(estimate, pool.run.write()),
            }
            for pool, estimate, ratio, mfu in zip(
                found.question.pools, found.alone, found.ratios, found.mfu_for(1.0), strict=True
            )
        ],
        "ways": {name: _way(found, way) for name, way in found.ways.items()},
        "exchange": None if found.exchange is None else _exchanged(found.exchange),
        "warnings": list(found.notes),
    }


def _way(found: Fleet, way: Way) -> dict[str, Any]:
    lists: dict[str, Sequence[Ends]] = {"shares": way.shares, "waits": way.waits}
    return {
        **{name: _ends(value, unit_of(found, name)) for name, value in way.values.items()},
        "lost": found.loss(way.name),
        **{name: [_ends(each, "1") for each in values] for name, values in lists.items()},
    }


def _exchanged(each: Exchange) -> dict[str, Any]:
    units = ("byte", "s", "s", "byte/s", "byte/s", "byte/s")
    named = zip(each._asdict().items(), units, strict=True)
    return {name: {"value": value, "unit": unit} for (name, value), unit in named}
