"""Reads an amount that is to be reached: a quantity of an answer with its unit, or money in any currency."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import PydanticCustomError

from .. import units
from ..errors import EstimatorError
from ..presets import Presets
from . import fields

# Of what a person may mean: nothing beyond is asked for by anyone who did not misplace a unit.
_LEAST, _MOST = 1e-30, 1e60
_EXAMPLES = {
    "currency": "2e6 USD", "s": "30 days", "hour": "1e6 hour", "kWh": "500 MWh", "kg": "100 t", "byte": "80 GiB",
    "W": "2 MW", "FLOP": "5.76e23 FLOP", "token/s": "1e6 token/s", "FLOP/token": "4e11 FLOP/token",
    "accelerator": "64 gpu", "W/accelerator": "700 W/gpu",
    "currency/accelerator/hour": "2 USD/gpu/hour", "currency/day": "50000 USD/day",
}  # fmt: skip
_WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_IN_WORDS = re.compile(rf"(.*\d)\s*({'|'.join(_WORDS)})\s+(\S+)")


def read_amount(name: str, given: Any, unit: str) -> tuple[float, str]:
    """Return an amount in house units, and its currency where it is money.

    Parameters
    ----------
    name
        How the user calls it, for the message: ``--cost``.
    given
        Text with a unit, or a Quantity; a number where the quantity has no unit.
    unit
        The unit in which an answer shows the quantity; ``currency`` for money.

    Raises
    ------
    EstimatorError
        No number, another dimension, nothing, or less.

    Examples
    --------
    >>> read_amount("--cost", "2 million USD", "currency"), read_amount("--mfu", "45%", "1")
    ((2000000.0, 'USD'), (0.45, ''))
    """
    text = " ".join(given.split()) if isinstance(given, str) else given
    if isinstance(text, str) and (found := _IN_WORDS.fullmatch(text)):
        number, word, rest = found.groups()
        text = f"{number}e{len(str(int(_WORDS[word]))) - 1} {rest}" if "e" not in number.lower() else text
    currency = _currency(text) if unit.startswith("currency") else ""
    reader = fields.number(lambda words: _parsed(words, unit, currency), _LEAST, _MOST)
    return float(read_as(name, text, reader)), currency


def read_as(name: str, given: Any, reader: fields.Reader) -> Any:
    """Read what is no input of a question as one is read.

    Raises
    ------
    EstimatorError
        The reader refuses it; the message begins with the name.
    """
    try:
        return reader(given, Presets())
    except PydanticCustomError as error:
        raise EstimatorError(f"{name}: {error.message()}") from None


def _currency(given: Any) -> str:
    """Return the currency that a text counts in; that of the example where it names none, so that it is refused."""
    words = re.split(r"[\s/*]+", str(getattr(given, "units", given)).strip())
    return next((word for word in words if word in units.CURRENCIES), "USD")


def _parsed(text: str, unit: str, currency: str) -> float:
    if unit == "1":
        return units.parse_share(text) if "%" in text else units.parse_count(text)
    if unit == "hour" and _counts_accelerators(text):
        return units.parse(text, "accelerator*s", _EXAMPLES["hour"])
    return units.parse(text, unit.replace("currency", currency), _EXAMPLES[unit])


def _counts_accelerators(text: str) -> bool:
    """Tell whether hours are written as those of accelerators, like 1e6 gpu*hour."""
    try:
        return units.unit_bases(units.split(text)[1])[1] == {"accelerator": 1, "s": 1}
    except EstimatorError:
        return False
