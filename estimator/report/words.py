"""Numbers as people read them."""

from __future__ import annotations

import math

from .. import units

_POWERS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_DECIMAL = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_TIMES = (("year", 2.0), ("day", 2.0), ("hour", 2.0), ("minute", 2.0), ("s", 0.0))


def digits(value: float, keep: int = 3) -> str:
    """Write a number to a few significant digits, with thousands set apart.

    Examples
    --------
    >>> digits(1051803.6), digits(0.44117), digits(16.0), digits(5.4e23)
    ('1,050,000', '0.441', '16', '5.4e23')
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "no limit"
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 15 or magnitude < -4:
        mantissa, exponent = f"{value:.{keep - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    rounded = round(value, keep - 1 - magnitude)
    text = f"{rounded:,.{max(0, keep - 1 - magnitude)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: float, unit: str) -> str:
    """Write a value in house units with a unit of a readable size.

    Parameters
    ----------
    value
        In house units.
    unit
        The unit of its kind, as `Amount.unit` has it.

    Examples
    --------
    >>> amount(1.2e6, "USD"), amount(86400 * 30.0, "s"), amount(1.04e12, "byte"), amount(0.92, "1")
    ('1.2 million USD', '30 days', '969 GiB', '0.92')
    """
    if not math.isfinite(value):
        return digits(value)
    if unit in units.CURRENCIES:
        return f"{counted(value)} {unit}"
    if unit == "s":
        return _time(value)
    if unit == "byte":
        return _scaled(value, "B", 1024.0, _BINARY)
    if unit == "kg":
        return f"{digits(value / 1000.0)} t" if value >= 1000.0 else f"{digits(value)} kg"
    shown = units.to_unit(value, unit)
    if unit in ("W", "FLOP/s"):
        return _scaled(shown, unit, 1000.0, _DECIMAL)
    if unit == "kWh":
        return _scaled(shown * 1000.0, "Wh", 1000.0, _DECIMAL)
    if unit in ("hour", "1", "accelerator", "token"):
        return counted(shown) if unit in ("hour", "token") else digits(shown, 6 if unit == "accelerator" else 3)
    return f"{digits(shown)} {unit}"


def counted(value: float) -> str:
    """Write a count with a word for its size from a million on.

    Examples
    --------
    >>> counted(65e9), counted(1051803.0), counted(512.0)
    ('65 billion', '1.05 million', '512')
    """
    for power, word in _POWERS:
        if 1e15 > abs(value) >= power:
            return f"{digits(value / power)} {word}"
    return digits(value)


def _time(value: float) -> str:
    for unit, least in _TIMES:
        number = units.to_unit(value, unit)
        if number >= least:
            word = unit if unit == "s" else f"{unit}s"
            return f"{digits(number)} {word}"
    return f"{digits(value)} s"


def _scaled(value: float, unit: str, base: float, prefixes: tuple[str, ...]) -> str:
    index = 0
    while abs(value) >= base and index < len(prefixes) - 1:
        value /= base
        index += 1
    return f"{digits(value)} {prefixes[index]}{unit}"


def share(value: float) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> share(0.4412)
    '44.1 %'
    """
    return f"{digits(value * 100.0)} %" if math.isfinite(value) else digits(value)
