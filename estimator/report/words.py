"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import units

_WORDS = ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1.0, ""))
_DECIMAL = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_BINARY = ((2.0**50, "Pi"), (2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"), (1.0, ""))
_TIMES = (("year", 2.0), ("day", 2.0), ("hour", 2.0), ("minute", 2.0))
# Units that are written with a decimal prefix, and as what.
_PREFIXED = {
    "W": "W",
    "FLOP/s": "FLOP/s",
    "kWh": "Wh",
    "byte/s": "B/s",
    "byte/s/node": "B/s/node",
    "byte/accelerator/s": "B/s/gpu",
    "Gbit/s": "bit/s",
}
# One of these in house units, where that is not 1.
_BASE = {"kWh": 3600.0, "Gbit/s": 0.125}
_COUNTED = ("hour", "token", "1")


def digits(value: float, keep: int = 3) -> str:
    """Write a number to a few significant digits, with thousands set apart; a whole one below a million in full.

    Examples
    --------
    >>> digits(1051803.6), digits(0.44117), digits(4096.0), digits(5.4e23)
    ('1,050,000', '0.441', '4,096', '5.4e23')
    """
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else "no limit"
    if value == 0 or (value == round(value) and abs(value) < 1e6):
        return f"{value + 0.0:,.0f}"  # the sum of -0 and 0 is 0
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude >= 15 or magnitude < -4:
        mantissa, exponent = f"{value:.{keep - 1}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    places = max(0, keep - 1 - magnitude)
    text = f"{round(value, keep - 1 - magnitude):,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale(value: float, unit: str) -> tuple[float, str]:
    """Choose how to write a quantity of about this size: what to divide by, and the word behind it.

    Parameters
    ----------
    value
        In house units.
    unit
        The unit of its kind, as `Amount.unit` has it.

    Examples
    --------
    >>> scale(86400 * 30.0, "s"), scale(1.2e6, "USD"), scale(1.04e12, "byte")
    ((86400.0, ' days'), (1000000.0, ' million USD'), (1073741824.0, ' GiB'))
    """
    factor = units.unit_bases(unit)[0]
    size = abs(value) if math.isfinite(value) else 0.0
    if unit == "s":
        word = next((name for name, least in _TIMES if size >= least * units.unit_bases(name)[0]), "s")
        return units.unit_bases(word)[0], f" {word}" if word == "s" else f" {word}s"
    if unit == "byte":
        return _step(size, 1.0, _BINARY, " ", "B")
    if unit == "kg":
        return (1000.0, " t") if size >= 1000.0 else (1.0, " kg")
    if unit in _PREFIXED:
        return _step(size, _BASE.get(unit, 1.0), _DECIMAL, " ", _PREFIXED[unit])
    if unit in units.CURRENCIES or unit in _COUNTED:
        name = f" {unit}" if unit in units.CURRENCIES else ""
        return _step(size, factor, _WORDS if size < 1e15 * factor else _WORDS[-1:], "", name)
    return factor, "" if unit in ("1", "accelerator") else f" {unit}"


def _step(
    size: float, factor: float, steps: tuple[tuple[float, str], ...], gap: str, name: str
) -> tuple[float, str]:
    power, prefix = next((step for step in steps if size >= step[0] * factor), steps[-1])
    return power * factor, f"{gap}{prefix}{name}"


def amount(value: float, unit: str) -> str:
    """Write a value in house units with a unit of a readable size.

    Examples
    --------
    >>> amount(1.2e6, "USD"), amount(86400 * 30.0, "s"), amount(1.04e12, "byte"), amount(2.2e10, "Gbit/s")
    ('1.2 million USD', '30 days', '969 GiB', '176 Gbit/s')
    """
    divisor, word = scale(value, unit)
    return digits(value / divisor) + (word if math.isfinite(value) else "")


def span(low: float, high: float, value: float, unit: str) -> str:
    """Write a range in the unit in which its value is written; nothing where there is none.

    Examples
    --------
    >>> span(1.9 * 86400, 3.2 * 86400, 2.4 * 86400, "s"), span(172800.0, math.inf, 259200.0, "s")
    ('1.9 to 3.2 days', '2 days to no limit')
    """
    divisor, word = scale(value, unit)
    ends = [digits(end / divisor) for end in (low, high)]
    if ends[0] == ends[1]:
        return ""
    return f"{ends[0]} to {ends[1]}{word}" if math.isfinite(high) else f"{ends[0]}{word} to {ends[1]}"


def counted(value: float) -> str:
    """Write a count with a word for its size from a million on.

    Examples
    --------
    >>> counted(65e9), counted(512.0)
    ('65 billion', '512')
    """
    return amount(value, "1")


def listed(texts: Sequence[str]) -> str:
    """Write several words as people list them.

    Examples
    --------
    >>> listed(["2023", "2024", "2026"]), listed(["2026"])
    ('2023, 2024 and 2026', '2026')
    """
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def share(value: float) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> share(0.4412)
    '44.1 %'
    """
    return f"{digits(value * 100.0)} %" if math.isfinite(value) else digits(value)
