"""Recorded rents: which offers a question means, and their median."""

from __future__ import annotations

import math
from typing import NamedTuple

from .. import units
from ..errors import EstimatorError, PresetError
from ..provenance import Figure, Source
from ..records import Row, cell_number
from .asked import Asked
from .exchange import exchange

_PLANS = {"reserved": ("reserved-1y", "reserved-3y")}
_HOUR = 3600.0


class Offers(NamedTuple):
    """Offers of one plan and year, and why these."""

    rows: list[Row]
    reason: str


def offers(asked: Asked, plan: str) -> Offers:
    """Return the offers that a question means: its chip's, of its cloud if it names one, of its year.

    Where the chip has none, those of its family stand in; where there are none at all the rows are empty.
    """
    chip = asked.presets.load("accelerators", asked.draft.words["accelerator"])
    rows, reason = _of_plan(asked, f"prices/rent/{chip.id}", plan), ""
    if not rows:
        family = str(chip.words.get("family", ""))
        rows = _of_plan(asked, f"prices/rent/{family}", plan) if family else []
        reason = f"none of {chip.id} being on record, those of its family {family}: "
    rows, cloud = _of_cloud(asked, rows)
    if not rows:
        return Offers([], "")
    rows, dated = _of_year(rows, asked.run.year)
    few = f"median of {len(rows)} {plan} offers" if len(rows) > 1 else f"the one {plan} offer"
    return Offers(rows, f"{reason}{few}{cloud} {dated}")


def _of_plan(asked: Asked, table: str, plan: str) -> list[Row]:
    wanted = _PLANS.get(plan, (plan,))
    rows = asked.presets.rows(table)
    return [row for row in rows if row.cells.get("plan") in wanted and row.cells.get("statistic") != "min"]


def _of_cloud(asked: Asked, rows: list[Row]) -> tuple[list[Row], str]:
    """Keep the offers of the cloud whose node was named, if it made any."""
    if asked.run.node is None:
        return rows, ""
    provider = asked.presets.load("nodes", asked.draft.words["node"]).words.get("provider")
    own = [row for row in rows if row.cells.get("provider") == provider]
    return (own, f" of {provider}") if own else (rows, "")


def _of_year(rows: list[Row], asked: float | None) -> tuple[list[Row], str]:
    """Keep the offers of the newest year, or of the recorded year nearest to the one asked."""
    years = sorted({year_of(row) for row in rows})
    year = years[-1] if asked is None else min(years, key=lambda year: (abs(year - asked), -year))
    kept = [row for row in rows if year_of(row) == year]
    missed = f" (none of {asked:.0f} on record)" if asked is not None and year != asked else ""
    return kept, f"of {year}{missed}"


def year_of(row: Row) -> int:
    """Return the year of a dated row.

    Raises
    ------
    PresetError
        The date does not begin with a year.
    """
    date = row.cells.get("as_of") or ""
    if not date[:4].isdigit():
        raise PresetError(
            f"{row.place}: as_of {units.shorten(date)} is not a date; write it like 2026-11 or 2026"
        )
    return int(date[:4])


def median_offer(asked: Asked, rows: list[Row], currency: str) -> Figure:
    """Return the median offer, its range the tenth to the ninetieth percentile. [currency/accelerator/s]"""
    rates = sorted(_rate(asked, row, currency) for row in rows)
    providers = ", ".join(sorted({row.cells["provider"] for row in rows}))
    middle = quantile(rates, 0.5)
    return Figure(
        middle, f"{middle * _HOUR:.4g} {currency}/gpu/hour", _joint([row.source for row in rows]),
        f"{len(rows)} offers of {year_of(rows[0])} by {providers}", "derived",
        quantile(rates, 0.1), quantile(rates, 0.9),
    )  # fmt: skip


def _rate(asked: Asked, row: Row, currency: str) -> float:
    try:
        price = units.parse_price(f"{cell_number(row, 'price')!r} {row.cells.get('unit')}")
    except EstimatorError as error:
        raise PresetError(f"{row.place}: {error}") from None
    if price.per != "accelerator" or price.rate <= 0:
        raise PresetError(f"{row.place}: a recorded rent is more than zero and per accelerator")
    return price.rate * exchange(asked, price.currency, currency)


def _joint(sources: list[Source]) -> Source:
    """Return the one source of several rows, or one that names them all."""
    unlike = {source.key: source for source in sources}
    if len(unlike) == 1:
        return sources[0]
    titles = "; ".join(sorted({f"{source.publisher}, {source.title}" for source in unlike.values()}))
    return Source("+".join(sorted(unlike)), titles, "Recorded offers")


def quantile(ordered: list[float], share: float) -> float:
    """Return a quantile of sorted values by linear interpolation.

    Examples
    --------
    >>> quantile([1.0, 2.0, 4.0], 0.75)
    3.0
    """
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
