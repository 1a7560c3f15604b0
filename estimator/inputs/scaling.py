"""The question about scaling efficiency: points or a recorded series, where to extrapolate, and a price."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .. import units
from ..errors import EstimatorError, QuestionError, near_misses
from ..units import Price

MODES = ("strong", "weak")
# Less than this is no efficiency but a slip of the pen.
LEAST_EFFICIENCY = 1e-6
_HOW = "write accelerators:efficiency, like 1000:0.92 or 1000:92%"


@dataclass(frozen=True, slots=True)
class ScalingQuestion:
    """What is asked about scaling, checked.

    ``points`` are pairs of accelerators [accelerator] and efficiency [1]; ``at`` the counts to extrapolate to
    [accelerator]; ``base`` the count at which the efficiency is 1, None for one [accelerator];
    ``wall_clock`` how long the accelerators are held [s].
    """

    points: tuple[tuple[float, float], ...] = ()
    series: str | None = None
    at: tuple[float, ...] = ()
    base: float | None = None
    mode: str | None = None
    price: Price | None = None
    wall_clock: float | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> ScalingQuestion:
        """Make a question from the names and texts of options; None or an empty tuple is left out.

        Raises
        ------
        QuestionError
            Every fault of the inputs, a line each.

        Examples
        --------
        >>> ScalingQuestion.read({"point": ["1000:92%"], "at": ["4k"]}).points
        ((1000.0, 0.92),)
        """
        faults = [
            f"there is no input '{name}'{near_misses(name, list(_READERS))}"
            for name in given
            if name not in _READERS
        ]
        read = {name: _read(name, given.get(name), faults) for name in _READERS}
        one = {
            name: next(iter(read[name]), None) for name in ("series", "base", "mode", "price", "wall_clock")
        }
        base = float(one["base"] or 1.0)
        faults += _contradictions(given) + _misplaced(read["point"], base)
        if not given.get("series"):
            faults += below_base(read["at"], base)
        if faults:
            raise QuestionError(faults)
        return cls(points=tuple(read["point"]), at=tuple(read["at"]), **one)

    def write(self) -> dict[str, Any]:
        """Return the inputs as texts that read back as this very question."""
        given = {
            "point": [f"{count:.0f}:{efficiency!r}" for count, efficiency in self.points],
            "series": self.series,
            "at": [f"{count:.0f}" for count in self.at],
            "base": None if self.base is None else f"{self.base:.0f}",
            "mode": self.mode,
            "price": self.price.write() if self.price else None,
            "wall_clock": None if self.wall_clock is None else f"{self.wall_clock!r} s",
        }
        return {name: value for name, value in given.items() if value}


def _read(name: str, given: Any, faults: list[str]) -> list[Any]:
    """Read every value of one option, and collect what is wrong with them."""
    several = isinstance(given, (list, tuple))
    values = cast("Iterable[object]", given if several else [] if given is None else [given])
    found: list[Any] = []
    for value in values:
        try:
            found.append(_READERS[name](str(value)))
        except EstimatorError as error:
            faults.append(f"--{name.replace('_', '-')}: {error}")
    return found


def _accelerators(text: str) -> float:
    count = _within(units.parse_count(text), text, 1e8)
    if count != math.floor(count):
        raise EstimatorError(f"{units.shorten(text)} is not a whole number of accelerators")
    return count


def _within(value: float, text: str, most: float) -> float:
    """Return a value that is more than zero and at most ``most``, in house units."""
    if math.isnan(value):
        raise EstimatorError(f"{units.shorten(text)} is not a number")
    if value <= 0:
        raise EstimatorError(f"{units.shorten(text)} must be more than zero")
    if value > most:
        raise EstimatorError(f"{units.shorten(text)} is more than makes sense here")
    return value


def read_point(text: str) -> tuple[float, float]:
    """Read accelerators and efficiency, like 1000:0.92 or 1000:92%.

    Raises
    ------
    EstimatorError
        No pair, no count of accelerators, or no efficiency from 0 to 1.

    Examples
    --------
    >>> read_point("1k: 92 %")
    (1000.0, 0.92)
    """
    count, colon, share = text.partition(":")
    if not colon or ":" in share:
        raise EstimatorError(f"{units.shorten(text)} is not a point; {_HOW}")
    try:
        return _accelerators(count.strip()), _efficiency(count.strip(), share.strip())
    except EstimatorError as error:
        raise EstimatorError(f"in {units.shorten(text)}, {error}") from None


def _efficiency(count: str, text: str) -> float:
    efficiency = _within(units.parse_share(text), text, math.inf)
    if efficiency > 1:
        percent = f"write {count}:{efficiency / 100:g} or {count}:{efficiency:g}%"
        hint = percent if 2 <= efficiency <= 100 else _HOW
        raise EstimatorError(f"an efficiency of {efficiency:g} is more than 1; {hint}")
    if efficiency < LEAST_EFFICIENCY:
        raise EstimatorError(f"an efficiency of {efficiency:g} is less than makes sense here")
    return efficiency


def _mode(text: str) -> str:
    word = text.strip().lower()
    if word not in MODES:
        raise EstimatorError(
            f"{units.shorten(text)} is not known; choose strong (a fixed batch) or weak (a growing one)"
        )
    return word


def _price(text: str) -> Price:
    price = units.parse_price(text)
    _within(price.rate, text, 1e7 / 3600.0)
    if price.per != "accelerator":
        raise EstimatorError(
            f"{units.shorten(text)} is not per accelerator, in which a loss is counted; "
            f"write it like '2 {price.currency}/gpu/hour'"
        )
    return price


def _time(text: str) -> float:
    return _within(units.parse(text, "s", "30 days"), text, 1e11)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "point": read_point, "series": str.strip, "at": _accelerators, "base": _accelerators, "mode": _mode,
    "price": _price, "wall_clock": _time,
}  # fmt: skip


def _contradictions(given: Mapping[str, Any]) -> list[str]:
    named = {name for name, value in given.items() if value not in (None, (), [])}
    faults: list[str] = []
    if {"point", "series"} <= named:
        faults.append("--point and --series contradict each other; give one of them")
    if not named & {"point", "series"}:
        faults.append(
            "nothing to fit: give points like --point 1000:0.92, or --series (see: estimate scale --list)"
        )
    if {"base", "series"} <= named:
        faults.append("--base: a recorded series has a base of its own; leave --base out")
    if "wall_clock" in named and "price" not in named:
        faults.append('--wall-clock: a time alone gives no money; give --price too, like "2 USD/gpu/hour"')
    return faults


def _misplaced(points: Iterable[tuple[float, float]], base: float) -> list[str]:
    """Say which points lie below the base, or stand at the base with another efficiency than 1."""
    faults: list[str] = []
    points = list(points)
    for count, efficiency in points:
        shown = f"--point: {count:,.0f} accelerators"
        if count < base:
            faults.append(f"{shown} are fewer than the base of {base:,.0f}; set a smaller --base")
        elif count == base and efficiency != 1:
            faults.append(f"{shown} are the base, where the efficiency is 1 and not {efficiency:g}; {_ELSE}")
    if points and not faults and all(count == base for count, _ in points):
        faults.append(f"--point: every point is at the base of {base:,.0f}; give one at more accelerators")
    return faults


_ELSE = "leave the point out or set a smaller --base"


def below_base(at: Iterable[float], base: float) -> list[str]:
    """Say which counts lie below the base, where no law holds.

    Examples
    --------
    >>> below_base([4.0, 16.0], 8.0)
    ['--at: 4 accelerators are fewer than the base of 8, below which no law holds']
    """
    return [
        f"--at: {count:,.0f} accelerators are fewer than the base of {base:,.0f}, below which no law holds"
        for count in at
        if count < base
    ]
