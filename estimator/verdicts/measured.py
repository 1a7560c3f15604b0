"""What was measured, with its range: multiplied by figures, and told in a unit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from .. import ranges, units
from ..errors import PresetError
from ..estimate import Estimate
from ..inputs import Run
from ..tuples import NamedTuple
from .bench import Bench
from .checks import Asks

_COUNTERS = ("accelerator", "node", "token", "sample")


class Measured(NamedTuple):
    """A value with its range in house units, the unit it is shown in, and the answer that it was read from."""

    value: float
    low: float
    high: float
    unit: str
    run: Run | None = None
    estimate: Estimate | None = None


# How far each thing that nobody knows moves the logarithm, down and up.
Moved = list[tuple[float, float]]
Core = tuple[Measured, Moved]


def told_of(found: Core, asks: Asks, bench: Bench, replaced: Mapping[str, float]) -> Measured:
    """Return what was measured times its factors, in the unit that is asked for."""
    return _shown_in(_multiplied(*found, asks, bench, replaced), str(asks.get("unit", "")))


def moves(value: float, low: float, high: float) -> tuple[float, float]:
    """Return the logarithms of both ends over the value; none where it is not more than zero."""
    if not (math.isfinite(value) and value > 0.0):
        return (0.0, 0.0)
    return (math.log(low / value) if low > 0.0 else -math.inf, math.log(high / value))


def _multiplied(
    core: Measured, moved: Moved, asks: Asks, bench: Bench, replaced: Mapping[str, float]
) -> Measured:
    """Multiply by the figures of ``times`` and divide by those of ``over``; their ranges widen it."""
    factors = [(name, 1) for name in asks.get("times", ())] + [(name, -1) for name in asks.get("over", ())]
    if not factors:
        return core
    value, bases = core.value, dict(units.unit_bases(core.unit)[1])
    for name, power in factors:
        number = bench.number(name, replaced)
        value *= number.value**power
        down, up = moves(number.value, number.low, number.high)
        moved.append((down, up) if power == 1 else (-up, -down))
        for base, exponent in units.unit_bases(number.unit)[1].items():
            bases[base] = bases.get(base, 0) + power * exponent
    low, high = ranges.ends(np.array(moved))
    unit = units.write_bases(_told(bases))
    return core._replace(value=value, low=value * float(low), high=value * float(high), unit=unit)


def _told(bases: Mapping[str, int]) -> dict[str, int]:
    """Return the bases of a product as it is told: a sum of money for all servers is no money times servers."""
    counted = any(base not in _COUNTERS for base, power in bases.items() if power)
    sign = -1 if counted else 1
    return {
        base: power for base, power in bases.items() if power and (base not in _COUNTERS or power * sign > 0)
    }


def _shown_in(found: Measured, unit: str) -> Measured:
    """Give a value the unit that its table asks for."""
    if not unit:
        return found
    if not comparable(unit, found.unit):
        raise PresetError(f"unit '{unit}' is not one of what is measured, which is in {found.unit}")
    return found._replace(unit=unit)


def comparable(one: str, other: str) -> bool:
    """Tell whether two units measure the same, things that are counted left out.

    Examples
    --------
    >>> comparable("USD/accelerator", "USD"), comparable("J", "USD")
    (True, False)
    """
    return _without_counters(one) == _without_counters(other)


def _without_counters(unit: str) -> dict[str, int]:
    bases = units.unit_bases(unit.replace("currency", "USD"))[1]
    return {base: power for base, power in bases.items() if base not in _COUNTERS}
