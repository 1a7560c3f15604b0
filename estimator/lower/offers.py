"""Recorded rents: which offers a question means, and the median of their providers."""

from __future__ import annotations

import math

from .. import units
from ..errors import EstimatorError, PresetError
from ..inputs.table import PLANS
from ..provenance import Figure, Source
from ..records import Row, cell_number
from ..tuples import NamedTuple
from .asked import Asked
from .exchange import exchange

_HOUR = 3600.0
# With fewer than this their own spread says little.
_FEW = 3


class Offers(NamedTuple):
    """Offers of one plan and year, and why these."""

    rows: list[Row]
    reason: str


def offers(asked: Asked, plan: str) -> Offers:
    """Return the offers that a question means: its chip's, of its cloud if it names one, of its year.

    Where the chip has none, those of its family stand in; where there are none at all the rows are empty.
    """
    chip = asked.presets.load("accelerators", asked.draft.words["accelerator"])
    family = str(chip.words.get("family", ""))
    own, kin = (_of_plan(asked, f"prices/rent/{name}", plan) for name in (chip.id, family or chip.id))
    rows, reason = own, ""
    if kin and (not own or _years_off(kin, asked.run.year) < _years_off(own, asked.run.year)):
        rows = kin
        reason = (
            f"none of {chip.id} being on record{' for that year' * bool(own)}, those of its family {family}: "
        )
    rows, cloud = _of_cloud(asked, rows)
    if not rows:
        return Offers([], "")
    rows, dated = _of_year(rows, asked.run.year)
    return Offers(rows, f"{reason}{_counted(rows, plan)}{cloud} {dated}")


def _counted(rows: list[Row], plan: str) -> str:
    """Say how many offers there are, and of how many providers where some made several and not all are of one."""
    offers, providers = f"{len(rows)} {plan} offers", len(_by_provider(rows))
    if 1 < providers < len(rows):
        return f"median of the medians of {providers} providers, {offers}"
    return f"median of {offers}" if len(rows) > 1 else f"the one {plan} offer"


def _by_provider(rows: list[Row]) -> dict[str, list[Row]]:
    """Group rows by provider; one that names none stands for itself."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.cells.get("provider") or row.place, []).append(row)
    return found


def _years_off(rows: list[Row], year: float | None) -> float:
    """Return how far the nearest offer lies from the year asked; nothing where none is asked."""
    return 0.0 if year is None else min(abs(year_of(row) - year) for row in rows)


def _of_plan(asked: Asked, table: str, plan: str) -> list[Row]:
    """Return a table's offers of one plan, and of one term where the plan leaves it open."""
    rows = [row for row in asked.presets.rows(table) if row.cells.get("statistic") != "min"]
    for row in rows:
        if not row.cells.get("plan"):
            raise PresetError(
                f"{row.place}: the plan is missing; write on-demand, reserved-1y, reserved-3y or spot"
            )
    for term in PLANS.get(plan, (plan,)):
        if found := [row for row in rows if row.cells["plan"] == term]:
            return found
    return []


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
    """Return the median of the providers' median offers: one that lists a machine five times counts once.

    Its range is the tenth to the ninetieth percentile of the same. Offers of one provider alone count each.
    [currency/accelerator/s]
    """
    owners = _by_provider(rows)
    groups = list(owners.values()) if len(owners) > 1 else [[row] for row in rows]
    rates = sorted(quantile(sorted(_rate(asked, row, currency) for row in group), 0.5) for group in groups)
    middle, low, high = (quantile(rates, share) for share in (0.5, 0.1, 0.9))
    if len(rates) < _FEW:
        usual = asked.defaults.figures["price_spread"]
        low, high = min(low, middle * (usual.low or 1.0)), max(high, middle * (usual.high or 1.0))
    providers = ", ".join(sorted({row.cells.get("provider") or "unnamed" for row in rows}))
    return Figure(
        middle, f"{middle * _HOUR:.4g} {currency}/gpu/hour", _joint([row.source for row in rows]),
        f"{len(rows)} offers of {year_of(rows[0])} by {providers}", "derived", low, high,
        str(year_of(rows[0])),
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
