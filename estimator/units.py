"""Text to house units and back; the only room that knows pint, and only for units beyond the table."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

from .errors import UnitError
from .tuples import NamedTuple
from .unit_factors import FACTORS

Bases = dict[str, int]

CURRENCIES = ("USD", "CNY", "EUR", "GBP", "JPY", "KRW", "INR", "AUD", "CAD", "CHF", "HKD", "SEK", "SGD")
_NUMBER = r"[+-]?(?:\d+(?:[_,]\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_ANY = rf"\s*(?P<number>{_NUMBER}|[+-]?(?:nan|inf(?:inity)?))\s*"
_QUANTITY = re.compile(rf"{_ANY}(?P<unit>.*?)\s*", re.IGNORECASE)
_COUNT = re.compile(rf"{_ANY}(?P<suffix>[kmbt]?|million|billion|trillion)\s*", re.IGNORECASE)
_RATE_WORD = re.compile(r"(?P<prefix>[kMGTPEZ]?)(?:FL)?OP[sS]")
_SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_LONGEST = 100
_MEASURES = {
    "s": "time", "byte": "memory", "FLOP": "work", "FLOP/s": "computing speed", "J": "energy", "J/s": "power",
    "kg": "mass", "byte/s": "bandwidth", "token": "tokens", "token/s": "throughput", "accelerator": "accelerators",
    "accelerator*s": "accelerator time", "node": "nodes", "1": "a pure number",
}  # fmt: skip


class Price(NamedTuple):
    """Money per accelerator (or per node) and time; ``rate`` is per second. [currency/accelerator/s]"""

    rate: float
    currency: str
    per: str = "accelerator"

    def write(self) -> str:
        """Return the text that reads back as this very price."""
        per = "gpu" if self.per == "accelerator" else "node"
        hourly = f"{self.rate * 3600.0!r} {self.currency}/{per}/hour"
        return hourly if parse_price(hourly) == self else f"{self.rate!r} {self.currency}/{per}/s"


def split(text: str) -> tuple[float, str]:
    """Split '80 GiB' into 80.0 and 'GiB'.

    Raises
    ------
    UnitError
        The text does not start with a number.

    Examples
    --------
    >>> split("1,000.5 W")
    (1000.5, 'W')
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise UnitError(f"{shorten(text)} is not a number with a unit")
    return float(match["number"].replace(",", "").replace("_", "")), match["unit"]


def shorten(text: object) -> str:
    """Quote what was given, cut to a length that keeps a message readable.

    Examples
    --------
    >>> shorten("65GB"), shorten("x" * 99)
    ("'65GB'", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'")
    """
    return repr(words if len(words := str(text)) <= 40 else words[:40] + "...")


def unit_bases(unit: str) -> tuple[float, Bases]:
    """Return the factor and base units of a unit text: products with '*' and spaces, quotients with '/'.

    Raises
    ------
    UnitError
        The unit is not one of this house.

    Examples
    --------
    >>> unit_bases("kW*hour")
    (3600000.0, {'J': 1})
    """
    factor = 1.0
    bases: Bases = {}
    for sign, word in re.findall(r"([*/]?)\s*([^*/\s]+)", unit):
        known = FACTORS.get("percent" if word == "%" else word)
        if known is None and word != "1":
            return _unit_bases_by_pint(unit)
        scale, powers = known or (1.0, {})
        power = -1 if sign == "/" else 1
        factor *= scale**power
        for base, exponent in powers.items():
            bases[base] = bases.get(base, 0) + power * exponent
    return factor, {base: exponent for base, exponent in bases.items() if exponent}


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint
    return registry.UnitRegistry(Path(__file__).with_name("units.txt"))


_PINT_NAMES = {"second": "s", "joule": "J", "kilogram": "kg"}


def _unit_bases_by_pint(unit: str) -> tuple[float, Bases]:
    try:
        base = _registry().Quantity(1.0, unit.replace("%", "percent")).to_base_units()
        factor = float(base.magnitude)
        bases = {_PINT_NAMES.get(str(name), str(name)): int(power) for name, power in base.unit_items()}
    except Exception as error:  # pint raises a dozen kinds for a text that is no unit
        raise UnitError(f"{shorten(unit)} is not a unit of this house") from error
    return factor, bases


def write_bases(bases: Bases) -> str:
    """Write base units as text, the numerator first.

    Examples
    --------
    >>> write_bases({"s": -1, "FLOP": 1}), write_bases({})
    ('FLOP/s', '1')
    """
    above = "*".join(sorted(base for base, power in bases.items() for _ in range(power)))
    below = "".join(f"/{base}" for base in sorted(bases) for _ in range(-bases[base]))
    return (above or "1") + below


def measures(bases: Bases) -> str:
    """Say in a word what a unit measures."""
    text = write_bases(bases)
    if len(bases) == 1 and next(iter(bases)) in CURRENCIES:
        return "money"
    return _MEASURES.get(text, text)


def _settle_rate_word(unit: str, wanted: Bases) -> str:
    """Read 'TFLOPS' and 'TFLOPs' as speed or as work, where the asker fixes which; else refuse."""
    match = _RATE_WORD.fullmatch(unit)
    if not match:
        return unit
    work = f"{match['prefix']}FLOP"
    if wanted == {"FLOP": 1}:
        return work
    if wanted == {"FLOP": 1, "s": -1}:
        return f"{work}/s"
    raise UnitError(f"'{unit}' may be work or speed; write '{work}' or '{work}/s'")


def parse(text: str, unit: str, example: str) -> float:
    """Read a quantity as a float in house units of the dimension of ``unit``.

    Parameters
    ----------
    text
        What was given, such as ``'400 W'``.
    unit
        A unit of the wanted dimension, such as ``'W'``.
    example
        How to write it, for the message.

    Raises
    ------
    UnitError
        No number, no unit, an unknown unit or one of another dimension.

    Examples
    --------
    >>> parse("400 W", "W", "400 W"), parse("1 day", "s", "30 days")
    (400.0, 86400.0)
    """
    wanted = unit_bases(unit)[1]
    try:
        number, given = split(text)
        if not given and wanted:
            raise UnitError(f"{shorten(text)} has no unit")
        factor, bases = unit_bases(_settle_rate_word(given, wanted))
    except UnitError as error:
        raise UnitError(f"{error}; write it like '{example}'") from None
    if bases != wanted:
        raise UnitError(
            f"{shorten(text)} measures {measures(bases)}, but {measures(wanted)} is asked for, like '{example}'"
        )
    return number * factor


def parse_any(text: str) -> tuple[float, str]:
    """Read any quantity; return its value in house units and its base units as text.

    Examples
    --------
    >>> parse_any("312 TFLOP/s")
    (312000000000000.0, 'FLOP/s')
    """
    number, unit = split(text)
    factor, bases = unit_bases(unit)
    return number * factor, write_bases(bases)


def parse_count(text: str) -> float:
    """Read a pure count: a number, or one with k, M, B or T (or million, billion, trillion) behind it.

    Raises
    ------
    UnitError
        The text is not a count.

    Examples
    --------
    >>> parse_count("65B"), parse_count("1.4T"), parse_count("2,048")
    (65000000000.0, 1400000000000.0, 2048.0)
    """
    match = _COUNT.fullmatch(text) if len(text) <= _LONGEST else None
    if not match:
        raise UnitError(f"{shorten(text)} is not a count; write it like 65e9, 65B or 1.4T")
    return float(match["number"].replace(",", "").replace("_", "")) * _SUFFIXES[match["suffix"][:1].lower()]


def parse_share(text: str) -> float:
    """Read a share of one, as a fraction or in percent.

    Raises
    ------
    UnitError
        No number, or another unit than percent.

    Examples
    --------
    >>> parse_share("0.45"), parse_share("45 %")
    (0.45, 0.45)
    """
    try:
        number, unit = split(text)
    except UnitError:
        unit, number = "?", math.nan
    if unit not in ("", "%", "percent", "pct"):
        raise UnitError(f"{shorten(text)} is not a share; write it like 0.45 or 45%")
    return number / 100.0 if unit else number


def parse_price(text: str) -> Price:
    """Read money per accelerator or node and time.

    Raises
    ------
    UnitError
        Another dimension; a price that does not say what it is per.

    Examples
    --------
    >>> parse_price("7200 USD/gpu/hour")
    Price(rate=2.0, currency='USD', per='accelerator')
    """
    example = "'2 USD/gpu/hour'"
    number, unit = split(text)
    if not unit:
        raise UnitError(f"{shorten(text)} has no unit; write it like {example}")
    try:
        factor, bases = unit_bases(unit)
    except UnitError as error:
        raise UnitError(f"{error}; write it like {example}, money in {', '.join(CURRENCIES)}") from None
    currency = next((base for base in CURRENCIES if bases.get(base) == 1), "")
    rest = {base: power for base, power in bases.items() if base != currency}
    if not currency or rest == {} or rest.get("s") != -1:
        raise UnitError(
            f"{shorten(text)} measures {measures(bases)}, "
            f"but a price is money per accelerator and time, like {example}"
        )
    if rest == {"s": -1}:
        node = f"{number * 8:g} {currency}/node/{unit.rsplit('/', 1)[-1]}"
        card = f"{number:g} {currency}/gpu/{unit.rsplit('/', 1)[-1]}"
        raise UnitError(f"{shorten(text)} does not say what it is per; write '{card}' or '{node}'")
    per = next((name for name in ("accelerator", "node") if rest == {name: -1, "s": -1}), "")
    if not per:
        raise UnitError(f"{shorten(text)} is not a price; write it like {example}")
    return Price(number * factor, currency, per)


def to_unit(value: Any, unit: str) -> Any:
    """Convert house units to ``unit``; arrays and floats alike.

    Examples
    --------
    >>> to_unit(7200.0, "hour")
    2.0
    """
    return value / unit_bases(unit)[0]


def quantity(value: Any, unit: str) -> Any:
    """Return a pint Quantity of this house's registry, in ``unit``, from a value in house units."""
    return _registry().Quantity(to_unit(value, unit), unit)
