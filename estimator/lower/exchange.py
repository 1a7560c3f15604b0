"""Exchange rates: one currency into another at a dated rate, which the answer lists."""

from __future__ import annotations

from .. import units
from ..errors import EstimatorError
from ..provenance import Figure, Origin
from ..records import cell_number
from .asked import Asked

_TABLE = "prices/exchange-rates"


def exchange(asked: Asked, given: str, wanted: str) -> float:
    """Return how much of one currency a unit of another buys, at the mean rate of a year.

    The year is the one asked, else the newest on record; the rate is listed with the answer.

    Raises
    ------
    EstimatorError
        No rate on record.
    """
    if given == wanted:
        return 1.0
    year = _year(asked, [currency for currency in (given, wanted) if currency != "USD"])
    rate = _per_usd(asked, wanted, year) / _per_usd(asked, given, year)
    row = next(row for row in asked.presets.rows(_TABLE) if row.cells["currency"] in (given, wanted))
    text = f"{rate:.6g} {wanted}/{given}"
    figure = Figure(rate, text, row.source, f"mean rate of {year}", "stated", note=str(year))
    kind = "preset" if asked.run.year else "assumed"
    # What comes second, of another currency, is told with what it converts.
    if "exchange_rate" not in asked.draft.columns:
        asked.draft.put("exchange_rate", rate, Origin(kind, f"{text}, mean rate of {year}", figure, "--year"))
    return rate


def converted(asked: Asked, figure: Figure, wanted: str) -> Figure:
    """Return a figure of money per something in another currency, the rate told with its place.

    Raises
    ------
    EstimatorError
        No rate on record.
    """
    currency = next(name for name in units.CURRENCIES if name in figure.text)
    rate = exchange(asked, currency, wanted)
    if currency == wanted:
        return figure
    return figure._replace(
        value=figure.value * rate, text=f"{figure.text} at {rate:.4g} {wanted}/{currency}",
        where=f"{figure.where}, at {rate:.4g} {wanted}/{currency}",
        low=None if figure.low is None else figure.low * rate,
        high=None if figure.high is None else figure.high * rate,
    )  # fmt: skip


def _year(asked: Asked, currencies: list[str]) -> int:
    """Return the year whose rates count; all currencies must have one."""
    rows = asked.presets.rows(_TABLE)
    dated = [(row.cells.get("currency"), int(cell_number(row, "year"))) for row in rows]
    shared = sorted({year for _, year in dated if all((currency, year) in dated for currency in currencies)})
    if not shared:
        raise EstimatorError(f"--currency: no exchange rate of {' and '.join(currencies)} is on record")
    year = shared[-1] if asked.run.year is None else int(asked.run.year)
    if year not in shared:
        raise EstimatorError(
            f"--year: no exchange rate of {' and '.join(currencies)} in {year} is on record; "
            f"choose {shared[0]} to {shared[-1]}"
        )
    return year


def _per_usd(asked: Asked, currency: str, year: int) -> float:
    if currency == "USD":
        return 1.0
    return next(
        cell_number(row, "per_usd")
        for row in asked.presets.rows(_TABLE)
        if row.cells["currency"] == currency and row.cells["year"] == str(year)
    )
