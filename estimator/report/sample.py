"""Draws of a question as a table of percentiles, and as JSON: how sure an answer is, and what of it is why."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..estimate import Estimate
from ..samples.sample import PERCENTS, Sample
from ..samples.sensitivity import Sensitivity
from ..tuples import NamedTuple
from . import words
from .answer import LABELS, SHARES, repeats
from .document import QUANTITIES, in_unit
from .grid import Grid
from .page import Page

# Quantities of which a person is told where their range comes from.
_TOLD = ("wall_clock", "memory", "energy", "carbon", "cost")
# An unknown with a smaller share of the variance is not worth a line.
_WORTH_TELLING = 0.005
_HEAD = "So large a share of the draws is at most:"
_WHY = "Where the ranges come from: the share of the variance of the logarithm that an unknown has."


class Drawn(NamedTuple):
    """An answer, its unknowns drawn, and the shares of its unknowns where they are wanted."""

    estimate: Estimate
    sample: Sample
    sensitivity: Sensitivity | None


def page(drawn: Drawn, format: str) -> str:
    """Return what people read of draws, as a table or as Markdown."""
    return "\n\n".join(part if isinstance(part, str) else part.write(format) for part in _parts(drawn))


def _parts(drawn: Drawn) -> list[str | Grid]:
    draws = drawn.sample.draws
    head = f"Drawn {draws.size:,} times (--seed {draws.seed}), layout and count as found. {_HEAD}"
    why = [] if drawn.sensitivity is None else [_WHY, _shares_grid(drawn)]
    return [head, _percentiles_grid(drawn), *_chances(drawn.sample), *why]


def with_draws(answered: Page, drawn: Drawn, of: str) -> Page:
    """Add draws to the page of an answer whose rows are of, name, value, unit and ends; ``of`` says what was drawn."""
    told = document(drawn)
    rows = [
        ["draws", f"{name}_{percentile}", "" if value is None else repr(value), quantiles["unit"], "", ""]
        for name, quantiles in told["quantiles"].items()
        for percentile, value in quantiles.items()
        if percentile != "unit"
    ]
    return Page(
        [*answered.parts, of, *_parts(drawn)],
        Grid(answered.rows.headers, [*answered.rows.rows, *rows]),
        {**answered.document, "draws": told},
    )


def _percentiles_grid(drawn: Drawn) -> Grid:
    """Return the percentiles of every quantity that varies, in the unit in which its median is written."""
    rows = [
        [_labelled(drawn, name), *_written(drawn, name)]
        for name in LABELS
        if name in drawn.sample.values and not repeats(drawn.estimate, name)
    ]
    return Grid(
        ["", *(f"{percent:g} %" for percent in PERCENTS)], [row for row in rows if len({*row[1:]}) > 1]
    )


def _labelled(drawn: Drawn, name: str) -> str:
    word = _scale(drawn, name)[1].strip()
    return f"{LABELS[name]} [{word}]" if word else LABELS[name]


def _scale(drawn: Drawn, name: str) -> tuple[float, str]:
    """Return what to divide a quantity by and the word behind it."""
    if name in SHARES:
        return 0.01, "%"
    amount = drawn.sample.amount(name)
    return words.scale(float(amount.value), amount.unit)


def _written(drawn: Drawn, name: str) -> list[str]:
    divisor = _scale(drawn, name)[0]
    return [words.digits(value / divisor) for value in drawn.sample.quantiles[name].tolist()]


def _chances(sample: Sample) -> Iterator[str]:
    """Say in how many draws the run fits and, where a time was given, is in time."""
    told = {"fits on its cards": float(sample.fits), "finishes in time": float(sample.in_time)}
    known = [f"{what} in {words.share(share)}" for what, share in told.items() if not math.isnan(share)]
    if known:
        yield f"The run {' and '.join(known)} of the draws."


class Share(NamedTuple):
    """What one unknown does to a quantity: both ends to which it alone moves it, in house units, and its indices."""

    unknown: str
    low: float
    high: float
    first_order: float
    total_order: float


def shares(drawn: Drawn, name: str) -> list[Share]:
    """Return the shares of all unknowns in a quantity, the largest first; none where they are not wanted."""
    if drawn.sensitivity is None:
        return []
    told, value = drawn.sensitivity, float(drawn.estimate.values[name])
    indices = (told.first_order[name].tolist(), told.total_order[name].tolist())
    ends = (value * np.exp(told.swings[name])).tolist()
    rows = [
        Share(each, *pair, *both) for each, pair, *both in zip(told.unknowns, ends, *indices, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.total_order if math.isfinite(row.total_order) else math.inf)


def _shares_grid(drawn: Drawn) -> Grid:
    """Return for some quantities the unknowns that count, the largest share first: a tornado as a table."""
    headers = ["range of", "comes from", "at its low end", "at its high end", "alone", "with others"]
    rows = [
        [LABELS[name], row.unknown, *_ends(drawn, name, row), *_percent(row)]
        for name in _TOLD
        for row in shares(drawn, name)
        if row.total_order >= _WORTH_TELLING
    ]
    return Grid(headers, rows)


def _ends(drawn: Drawn, name: str, row: Share) -> list[str]:
    unit = drawn.estimate.amount(name).unit
    return [words.amount(end, unit) for end in (row.low, row.high)]


def _percent(row: Share) -> list[str]:
    """Write shares to a tenth of a percent; what is a little below 0 or above 1 is chance."""
    return [words.share(round(min(max(share, 0.0), 1.0), 3)) for share in (row.first_order, row.total_order)]


def document(drawn: Drawn) -> dict[str, Any]:
    """Return draws as a part of the JSON document of an answer."""
    draws = drawn.sample.draws
    told = {} if drawn.sensitivity is None else {"sensitivity": _sensitivities(drawn)}
    return {
        "samples": draws.size,
        "seed": draws.seed,
        "fits": _number(float(drawn.sample.fits)),
        "in_time": _number(float(drawn.sample.in_time)),
        "quantiles": {name: _quantiles(drawn, name) for name in _names(drawn)},
        **told,
    }


def _names(drawn: Drawn) -> list[str]:
    """Return the quantities of the document that are drawn, in its order."""
    return [name for name in QUANTITIES if name in drawn.sample.values]


def _quantiles(drawn: Drawn, name: str) -> dict[str, Any]:
    unit = drawn.estimate.amount(name).unit
    shown = in_unit(drawn.sample.quantiles[name], unit).tolist()
    return {
        "unit": unit,
        **{f"p{percent:g}": _number(value) for percent, value in zip(PERCENTS, shown, strict=True)},
    }


def _sensitivities(drawn: Drawn) -> dict[str, Any]:
    return {name: [_share(drawn, name, row) for row in shares(drawn, name)] for name in _names(drawn)}


def _share(drawn: Drawn, name: str, row: Share) -> dict[str, Any]:
    unit = drawn.estimate.amount(name).unit
    return {
        "unknown": row.unknown,
        "low": _number(float(in_unit(row.low, unit))),
        "high": _number(float(in_unit(row.high, unit))),
        "first_order": _number(row.first_order),
        "total_order": _number(row.total_order),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
