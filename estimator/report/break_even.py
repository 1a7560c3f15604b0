"""From what use on owning is cheaper than each rent, and when machines have paid for themselves, as a table."""

from __future__ import annotations

from .. import units
from ..costing import Costing, Way
from ..estimate import Estimate
from . import answer, words
from .grid import Grid


def break_even_grid(costing: Costing) -> Grid:
    """Return from what use on owning is cheaper than each rent, and when it has paid for itself, owner by owner."""
    headers = ["owning", "instead of", "at, an hour", "is cheaper from a use of", "is paid back in"]
    rows = [
        [
            owner.name.removeprefix("own, ") if place == 0 else "", way.name,
            answer.shown(even, "rent_price").partition("/")[0], _use(way, even), _months(even),
        ]
        for owner in costing.owners
        for place, (way, even) in enumerate(zip(costing.rented, costing.even[owner.name], strict=True))
    ]  # fmt: skip
    return Grid(headers, rows)


def _use(way: Way, even: Estimate) -> str:
    """Write the use from which owning is cheaper; what is reserved is paid for whatever the use."""
    if float(way.estimate.case.columns["paid_utilisation"]) < 1.0:
        return "any" if _pays(even) else "never"
    share = answer.shown(even, "break_even_utilisation")
    return share + bracketed(answer.between(even, "break_even_utilisation"))


def bracketed(span: str) -> str:
    """Put a range in brackets behind its value; nothing where there is none."""
    return f" ({span})" if span else ""


def _pays(even: Estimate) -> bool:
    """Tell whether machines are paid back within their life."""
    return float(even.break_even_time.value) <= float(even.case.columns["life"])


def _months(even: Estimate) -> str:
    """Write when machines are paid back, if they are within their life."""
    time, life = even.break_even_time, float(even.case.columns["life"])
    value, low, high = (
        "never" if float(end) > life else words.digits(float(units.to_unit(end, "month")))
        for end in (time.value, time.low, time.high)
    )
    return f"{value}{'' if value == 'never' else ' months'}{bracketed('' if low == high else f'{low} to {high}')}"
