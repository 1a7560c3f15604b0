"""Money and the grid: the rent of an accelerator, the currency of the answer, PUE and carbon."""

from __future__ import annotations

import math

from ..errors import EstimatorError
from ..presets import Row
from ..provenance import Figure, Origin, Source
from .asked import Asked

_PLANS = {"reserved": ("reserved-1y", "reserved-3y")}
_HOUR = 3600.0


def lower(asked: Asked) -> None:
    """Set price, currency, PUE and the grid's carbon intensity."""
    _pue_and_carbon(asked)
    currency = asked.word_or_default("currency", "currency")
    if "accelerator" in asked.draft.words:
        _price(asked, currency)


def _pue_and_carbon(asked: Asked) -> None:
    grid = asked.chosen("grid", "grid")
    if grid is None:
        return
    intensity = grid.figures.get("carbon_intensity")
    if intensity:
        asked.draft.figure("carbon_intensity", intensity, option="--grid")
    else:
        asked.draft.put(
            "carbon_intensity", math.nan, Origin("assumed", f"{grid.id} has no carbon intensity on record")
        )
    own = grid.figures.get("pue")
    if own and asked.run.pue is None:
        asked.draft.figure("pue", own, option="--pue")
    else:
        asked.number("pue", "pue", ranged=True)


def _price(asked: Asked, currency: str) -> None:
    price = asked.run.price
    if price is not None:
        share = 1.0 if price.per == "accelerator" else float(asked.draft.columns["per_node"])
        rate = price.rate / share * exchange(asked, price.currency, currency)
        asked.draft.put("price", rate, Origin("given", price.write(), option="--price"))
        return
    rows, plan, reason = _offers(asked)
    if not rows:
        reason = f"no {plan} price of {asked.draft.words['accelerator']} is on record: no cost; give --price"
        asked.draft.put("price", math.nan, Origin("assumed", reason, option="--price"))
        asked.draft.notes.append(reason)
        return
    asked.draft.figure("price", _median_offer(asked, rows, currency), reason=reason, option="--price")


def _offers(asked: Asked) -> tuple[list[Row], str, str]:
    """Return the offers of the newest year (or the year asked), one a provider and instance."""
    plan = asked.word_or_default("plan", "plan")
    chip = asked.draft.words["accelerator"]
    rows = _of_plan(asked.presets.rows(f"prices/rent/{chip}"), plan)
    reason = ""
    if not rows:
        family = str(asked.presets.load("accelerators", chip).words.get("family", ""))
        rows = _of_plan(asked.presets.rows(f"prices/rent/{family}"), plan)
        reason = f"offers of the family {family}, none being of {chip}; " if rows else ""
    if not rows:
        return [], plan, ""
    years = sorted({_year(row) for row in rows})
    year = _nearest(years, asked.run.year)
    chosen = [row for row in rows if _year(row) == year]
    return chosen, plan, f"{reason}median of {len(chosen)} {plan} offers of {year}"


def _of_plan(rows: list[Row], plan: str) -> list[Row]:
    wanted = _PLANS.get(plan, (plan,))
    return [row for row in rows if row.cells["plan"] in wanted and row.cells["statistic"] != "min"]


def _year(row: Row) -> int:
    return int(row.cells["as_of"][:4])


def _nearest(years: list[int], asked: float | None) -> int:
    return years[-1] if asked is None else min(years, key=lambda year: (abs(year - asked), -year))


def _median_offer(asked: Asked, rows: list[Row], currency: str) -> Figure:
    """Return the median offer with the tenth and ninetieth percentile as its range."""
    rates = sorted(
        float(row.cells["price"]) / _HOUR * exchange(asked, row.cells["unit"].split("/")[0], currency)
        for row in rows
    )
    providers = sorted({row.cells["provider"] for row in rows})
    keys = sorted({row.source.key for row in rows})
    first = rows[0].source
    source = (
        first
        if len(keys) == 1
        else Source(
            "+".join(keys), "Recorded offers", ", ".join(sorted({row.source.publisher for row in rows}))
        )
    )
    where = f"{len(rows)} offers of {', '.join(providers)}, {_year(rows[0])}"
    middle = quantile(rates, 0.5)
    return Figure(middle, f"{middle * _HOUR:.4g} {currency}/gpu/hour", source, where, "derived",
                  quantile(rates, 0.1), quantile(rates, 0.9))  # fmt: skip


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


def exchange(asked: Asked, given: str, wanted: str) -> float:
    """Return how much of one currency a unit of another buys, at the mean rate of a year.

    Raises
    ------
    EstimatorError
        No rate on record.
    """
    if given == wanted:
        return 1.0
    rates = {
        (row.cells["currency"], int(row.cells["year"])): float(row.cells["per_usd"])
        for row in asked.presets.rows("prices/exchange-rates")
    }
    years = sorted({year for _, year in rates})
    year = years[-1] if asked.run.year is None else int(asked.run.year)
    per_usd = {
        currency: 1.0 if currency == "USD" else rates.get((currency, year)) for currency in (given, wanted)
    }
    missing = [currency for currency, rate in per_usd.items() if rate is None]
    if missing:
        raise EstimatorError(
            f"--year: no exchange rate of {missing[0]} in {year} is on record; choose {years[0]} to {years[-1]}"
        )
    asked.draft.words["exchange_year"] = str(year)
    return float(per_usd[wanted] or 1.0) / float(per_usd[given] or 1.0)
