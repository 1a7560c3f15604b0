"""Readers of money per something, like a tariff or a pay: text comes in, an amount with its currency goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import units
from ..errors import EstimatorError, UnitError
from ..presets import Presets
from ..tuples import NamedTuple
from .fields import Reader, as_text, refuse, within

# Beyond any sum that is spoken of, in whatever currency and unit.
_MOST = 1e18


class Money(NamedTuple):
    """An amount of money per base units of this house, or alone where ``per`` is empty."""

    rate: float
    currency: str
    per: str = ""

    def write(self) -> str:
        """Return the text that reads back as this very amount.

        Examples
        --------
        >>> parse_money("0.08 USD/kWh", "tariff").write(), Money(2e4, "CNY").write()
        ('0.08 USD/kWh', '20000 CNY')
        """
        shown, house = _SHOWN.get(self.per, ""), self.per.replace("*", "/")
        for unit, digits in ((shown, ".12g"), (shown, ""), (house, "")):
            number = self.rate * units.unit_bases(unit or "1")[0]
            text = f"{format(number, digits) or repr(number)} {self.currency}{unit and '/'}{unit}"
            if _read(text)[0] == self.rate:
                break
        return text


class Kind(NamedTuple):
    """One sort of price: what it is called, what it may be per, in words and base units, and examples."""

    name: str
    words: str
    per: tuple[str, ...]
    example: str


KINDS: Mapping[str, Kind] = {
    "tariff": Kind("a tariff", "energy", ("J",), "'0.08 USD/kWh'"),
    "pay": Kind("a pay", "time", ("s",), "'250000 USD/year'"),
    "purchase": Kind(
        "a purchase price", "accelerator or node", ("accelerator", "node"),
        "'30000 USD/gpu' or '240000 USD/node'",
    ),
    "storage": Kind("a price of storage", "memory and time", ("byte*s",), "'0.02 USD/GB/month'"),
    "egress": Kind("a price of egress", "memory", ("byte",), "'0.05 USD/GB'"),
    "amount": Kind("a sum", "", ("",), "'20000 USD'"),
}  # fmt: skip
_SHOWN = {
    "J": "kWh",
    "s": "year",
    "accelerator": "gpu",
    "node": "node",
    "byte": "GB",
    "byte*s": "GB/month",
}


def money(kind: str) -> Reader:
    """Make a reader of money per something.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    """

    def _reader(value: Any, _presets: Presets) -> Money:
        if isinstance(value, Money):
            return value
        try:
            read = parse_money(as_text(value), kind)
        except EstimatorError as error:
            raise refuse(str(error)) from None
        within(read.rate, value, 0.0, _MOST)
        return read

    return _reader


def parse_money(text: str, kind: str) -> Money:
    """Read money per something, as a kind of price is.

    Raises
    ------
    UnitError
        No unit, money alone where a rate is asked for, or another dimension.

    Examples
    --------
    >>> parse_money("250000 USD/node", "purchase"), round(parse_money("36 USD/kWh", "tariff").rate, 12)
    (Money(rate=250000.0, currency='USD', per='node'), 1e-05)
    """
    wanted = KINDS[kind]
    try:
        rate, bases = _read(text)
    except UnitError as error:
        raise UnitError(f"{error}; write it like {wanted.example}") from None
    currency = next((base for base in units.CURRENCIES if bases.pop(base, 0) == 1), "")
    below = {base: -power for base, power in bases.items()}
    per = "" if not below else units.write_bases(below)
    if currency and per in wanted.per:
        return Money(rate, currency, per)
    asked = f"{wanted.name} is money{f' per {wanted.words}' if wanted.words else ''}, like {wanted.example}"
    if currency and not below:
        raise UnitError(f"{units.shorten(text)} is an amount of money, but {asked}")
    measured = units.measures({**bases, **({currency: 1} if currency else {})})
    raise UnitError(f"{units.shorten(text)} measures {measured}, but {asked}")


def _read(text: str) -> tuple[float, dict[str, int]]:
    number, unit = units.split(text)
    if not unit:
        raise UnitError(f"{units.shorten(text)} has no unit")
    factor, bases = units.unit_bases(unit)
    return number * factor, dict(bases)
