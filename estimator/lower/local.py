"""What differs by place: the price of electricity, and what people are paid."""

from __future__ import annotations

from ..errors import EstimatorError
from ..provenance import Figure
from ..records import Row
from .dated import country, figure_of, nearest, period, rows_of, years_off
from .exchange import converted
from .money import Purse

_TARIFFS, _PAY = "prices/electricity", "prices/pay"


def tariff(purse: Purse) -> None:
    """Set the price of electricity: as given, that on record of the place, of its country, else the world's."""
    if purse.run.tariff is not None:
        purse.put("tariff", "tariff")
        return
    figure, told = _tariff_on_record(purse)
    figure = converted(purse.asked, _told_with_year(figure), purse.currency)
    purse.draft.figure("tariff", figure, reason=told + figure.where, option="--tariff")


def _tariff_on_record(purse: Purse) -> tuple[Figure, str]:
    """Return a tariff in the currency of its record, and what is to be told of its place and year.

    Without a range of its own, or of another year, it has at least the usual one.
    """
    place = purse.asked.presets.load("grids", purse.draft.words["grid"])
    world = purse.asked.presets.load("grids", "world")
    nation = None if "electricity_price" in place.figures else country(purse.asked, place)
    found = next(each for each in (place, nation, world) if each and "electricity_price" in each.figures)
    rows, year = rows_of(purse.asked, _TARIFFS, found.id), purse.run.year
    whose = "" if found is place else "the world's: " if found is world else f"that of {found.name}: "
    told = f"{place.name} has no tariff on record; {whose}" if whose else ""
    if year is None or not rows:
        figure = found.figures["electricity_price"]
        return (figure if figure.low is not None or figure.high is not None else _spread(purse, figure)), told
    row = nearest(rows, year)
    figure, missed = figure_of(row, "price"), years_off(row, year) > 0.0
    told += f"no tariff of {year:.0f} for {found.name} on record: that of {period(row)}; " if missed else ""
    return (figure if figure.low is not None and not missed else _spread(purse, figure)), told


def _spread(purse: Purse, figure: Figure) -> Figure:
    """Return a tariff with the usual range of contracts, regions and years, where that is wider than its own."""
    usual, value = purse.house.figures["tariff_spread"], figure.value
    low, high = (value * (end or 1.0) for end in (usual.low, usual.high))
    return figure._replace(low=min(figure.low or low, low), high=max(figure.high or high, high))


def pay(purse: Purse, column: str) -> None:
    """Set what one person is paid: as given, as on record of the country, else as in any rich one."""
    rows = [] if purse.run.pay is not None else _pay_on_record(purse)
    if not rows:
        purse.put(column, "pay", "pay")
        return
    row = nearest(rows, purse.run.year)
    try:
        figure = converted(purse.asked, _told_with_year(figure_of(row, "pay")), purse.currency)
    except EstimatorError:  # nobody asked for its currency: no rate of that year is no fault of the question
        purse.put(column, "pay", "pay")
        return
    place = purse.asked.presets.load("grids", row.cells["place"]).name
    purse.draft.figure(column, figure, reason=f"{place}: {figure.where}", option="--pay")


def _pay_on_record(purse: Purse) -> list[Row]:
    """Return the rows about the place of the machines, or about its country."""
    place = purse.asked.presets.load("grids", purse.draft.words["grid"])
    if own := rows_of(purse.asked, _PAY, place.id):
        return own
    nation = country(purse.asked, place)
    return rows_of(purse.asked, _PAY, nation.id) if nation else []


def _told_with_year(figure: Figure) -> Figure:
    """Put the year of a figure, with which its note begins, into its place."""
    year = figure.note.partition(";")[0]
    return figure._replace(where=f"{figure.where}, {year}") if year else figure
