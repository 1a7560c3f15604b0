"""What would have to be true: the value of an input or of a figure at which a claim is exact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import units
from ..errors import EstimatorError, PresetError
from ..estimate import UNITS
from ..inputs.run import rivals_of
from ..solving.search import Ask, Goal, Looks, Points, search
from ..solving.targets import Target
from ..solving.unknowns import Values
from ..tuples import NamedTuple
from .bench import Bench
from .checks import Asks, Wanted, Words
from .measures import fitted, measure, measure_each
from .solves import by_power, meet

# A figure is looked for within these shares of what it is, and so near.
_GRID: Values = np.array(
    [*np.geomspace(1e-4, 0.1, 4), 0.5, 0.9, 1.0, 1.02, 1.05, 1.08, 1.2, 2.0, *np.geomspace(10.0, 1e4, 4)]
)
_NEAR, _NEAR_ENDS = 1e-6, 1e-4


class Solved(NamedTuple):
    """A value at which a claim is exact, with its range in house units; ``found`` tells whether there is one.

    ``under`` is the id of the condition that it takes, nothing where it takes none.
    """

    name: str
    words: Words
    value: float
    low: float
    high: float
    unit: str
    found: bool
    under: str


def solved(place: str, wanted: Wanted, bench: Bench, stated: float, currency: str) -> Solved:
    """Find the value that makes a claim exact.

    Parameters
    ----------
    place
        The check, for the error.
    wanted
        What is asked for, and of which question or figures.
    bench
        The records and the answers so far.
    stated
        What the claim states, in house units.
    currency
        In which money is counted: that of the claim.

    Raises
    ------
    PresetError
        It cannot be solved for.
    """
    try:
        if "question" in wanted.asks:
            return _of_question(place, wanted, bench, stated, currency)
        return _of_figure(place, wanted, bench, stated)
    except PresetError:
        raise
    except EstimatorError as error:
        lines = str(error).splitlines()
        raise PresetError("\n".join(f"{place}, solve {wanted.name}: {line}" for line in lines)) from None


def _of_question(place: str, wanted: Wanted, bench: Bench, stated: float, currency: str) -> Solved:
    """Turn the question round: which value of an input makes the quantity what the claim says."""
    asks, name = wanted.asks, wanted.name
    quantity = str(asks["quantity"])
    rivals = rivals_of(name) | {name}
    given = bench.inputs(asks["question"], currency)
    if "fit" in asks and asks["fit"].get("input", "tokens") not in rivals:
        given = fitted(asks, bench, currency)
    question = {key: value for key, value in given.items() if key not in rivals}
    aim = stated / _factor(place, asks, bench, currency)
    unit = UNITS[quantity].replace("currency", currency or "USD")
    text = f"{units.to_unit(aim, unit)!r} {'' if unit == '1' else unit}".strip()
    return Solved(name, wanted.words, *meet(question, name, bench.presets, {quantity: text}), wanted.under)


def _factor(place: str, asks: Asks, bench: Bench, currency: str) -> float:
    """Return what the quantity itself is multiplied by before it is compared: factors, or over another answer."""
    whole = measure(place, asks, bench, currency).value
    alone = {key: value for key, value in asks.items() if key not in ("times", "over", "against")}
    return whole / measure(place, alone, bench, currency).value


def _of_figure(place: str, wanted: Wanted, bench: Bench, stated: float) -> Solved:
    """Vary one figure of a formula or a product until the result is what the claim says."""
    number = bench.number(_named(place, wanted), {})

    def _ask(values: Values) -> Points:
        found = measure_each(place, wanted.asks, bench, _named(place, wanted), values.tolist())
        ends = [(each.value, each.low, each.high) if each else (math.nan,) * 3 for each in found]
        value, low, high = np.array(ends).T
        return Points(value, low, high, values, np.zeros(len(values)))

    grid: Values = number.value * _GRID
    found = by_power(_ask, number.value, stated, (float(grid[0]), float(grid[-1]))) or _searched(
        _ask, grid, stated
    )
    unit = bench.unit(_named(place, wanted))
    return Solved(wanted.name, wanted.words, *found, unit, not math.isnan(found[0]), wanted.under)


def _searched(ask: Ask, grid: Values, stated: float) -> tuple[float, float, float]:
    """Return where a measure and its ends are what is stated, as `solve` looks for it; NaN where they are nowhere."""
    target = Target("figure", stated)
    goals = [Goal(target, "value", _NEAR), Goal(target, "low", _NEAR_ENDS), Goal(target, "high", _NEAR_ENDS)]
    looked = search(ask, grid, goals, Looks(whole=False, most=True))
    value, *ends = (each.shown if each.status == "found" else math.nan for each in looked)
    low, high = sorted(ends)
    return value, low, high


def _named(place: str, wanted: Wanted) -> str:
    """Return the figure that is asked for: an argument of a formula, or a figure as the table writes it."""
    given: Mapping[str, Any] = wanted.asks.get("given", {})
    name = str(given.get(wanted.name, wanted.name))
    written = [
        wanted.asks.get("value"),
        *wanted.asks.get("times", ()),
        *wanted.asks.get("over", ()),
        *given.values(),
        *wanted.asks.get("serving", {}).values(),
        *(name for pair in wanted.asks.get("scaling", {}).get("point", ()) for name in pair),
    ]
    if name not in written:
        raise PresetError(f"{place}: '{wanted.name}' is not among the figures that it measures")
    return name
