"""When the prices of an answer are of: the years with which the notes of their figures begin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..estimate import Estimate
from . import words

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# Columns of money by what they are prices of; rent is no price of what is owned.
_PRICED: Mapping[str, tuple[str, ...]] = {
    "rents": ("price", "spot_price"), "machines": ("accelerator_price",), "electricity": ("tariff",),
    "pay": ("pay", "operator_pay"), "exchange rates": ("exchange_rate",),
}  # fmt: skip


def priced(estimates: Iterable[Estimate]) -> dict[str, list[str]]:
    """Return the years of the prices on record that answers rest on, by what they are prices of."""
    found: dict[str, set[str]] = {}
    for estimate in estimates:
        owned = float(estimate.case.columns["owned"]) > 0.0
        for what, columns in _PRICED.items():
            if not (owned and what == "rents"):
                found.setdefault(what, set()).update(_years(estimate, columns))
    return {what: sorted(years) for what, years in found.items() if years}


def _years(estimate: Estimate, columns: Iterable[str]) -> Iterable[str]:
    """Yield the year of each figure of some columns, where it tells one."""
    for column in columns:
        origin = estimate.case.origins.get(column)
        if origin and origin.figure and (year := _YEAR.search(origin.figure.note)):
            yield year[0]


def prices_of(estimate: Estimate) -> str:
    """Say of which years the prices of an answer are; nothing where all of them are given."""
    found = priced([estimate])
    years = sorted({year for each in found.values() for year in each})
    what = "exchange rate" if found.keys() == {"exchange rates"} else "prices"
    return f"{what} of {years[0]}{f' to {years[-1]}' if len(years) > 1 else ''}" if years else ""


def prices_line(estimates: Iterable[Estimate]) -> str:
    """Say of which years the prices of several answers are, each kind of price by itself."""
    told = [f"{what} of {words.listed(years)}" for what, years in priced(estimates).items()]
    return f"Prices on record: {', '.join(told)}." if told else ""
