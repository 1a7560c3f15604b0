"""Readers of inputs: text, a number or a Quantity comes in, a float in house units goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from pydantic_core import PydanticCustomError

from .. import units
from ..errors import EstimatorError
from ..presets import Presets
from ..tuples import NamedTuple
from ..units import Price
from .stacks import STACKS, stack_of

Reader = Callable[[Any, Presets], Any]

# The least that is more than zero.
_TINIEST = 5e-324


class Field(NamedTuple):
    """One input of a question: how it is read, what it means, and what help calls its value."""

    read: Reader
    description: str
    metavar: str = "NUMBER"


def refuse(message: str) -> PydanticCustomError:
    """Make the error that pydantic collects, its text untouched."""
    return PydanticCustomError("estimator", "{message}", {"message": message})


def as_text(value: Any) -> str:
    """Return what was given as text; a Quantity of any registry is read by its unit text."""
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return f"{float(value.magnitude)!r} {value.units}"
    if isinstance(value, bool) or not isinstance(value, (str, Real)):
        raise refuse(f"{units.shorten(value)} is neither text nor a number")
    if isinstance(value, str):
        return value
    try:
        return repr(float(value))
    except OverflowError:
        raise refuse("the whole number is too large to be meant") from None


def within(value: float, given: Any, low: float, high: float) -> float:
    """Return a value that lies between two bounds; refuse any other, and say why."""
    shown = units.shorten(given)
    if math.isnan(value):
        raise refuse(f"{shown} is not a number")
    if value < 0 or value == 0.0 < low:
        raise refuse(f"{shown} must be {'more than zero' if low > 0.0 else 'zero or more'}")
    if not low <= value <= high:
        bound = f"more than {high:g}, the most" if value > high else f"less than {low:g}, the least"
        percent = f"; write {value:g} percent as {value / 100.0:g} or '{value:g}%'"
        share = percent if 0.9 < high <= 1.0 < value <= 100.0 and "%" not in shown else ""
        raise refuse(f"{shown} is {bound} that makes sense here{share}")
    return value


def number(parse: Callable[[str], float], low: float, high: float) -> Reader:
    """Make a reader of a float between two bounds."""

    def _read(value: Any, _presets: Presets) -> float:
        try:
            parsed = parse(as_text(value))
        except EstimatorError as error:
            raise refuse(str(error)) from None
        return within(parsed, value, low, high)

    return _read


def count(low: float, high: float) -> Reader:
    """Make a reader of a count, like 65B."""
    return number(units.parse_count, low, high)


def ratio(low: float, high: float) -> Reader:
    """Make a reader of a ratio of more to less, like 7, 7:1 or 1:7."""

    def _parse(text: str) -> float:
        parts = [units.parse_count(part) for part in text.split(":")]
        if len(parts) > 2 or not all(parts):
            raise EstimatorError(f"{units.shorten(text)} is no ratio; write it like 7 or 7:1")
        return parts[0] if len(parts) == 1 else max(parts) / min(parts)

    return number(_parse, low, high)


def share(low: float = 1e-6, most: float = 1.0) -> Reader:
    """Make a reader of a share of one, like 0.45 or 45%."""
    return number(units.parse_share, low, most)


def measured(unit: str, example: str, low: float, high: float) -> Reader:
    """Make a reader of a quantity with a unit."""
    return number(lambda text: units.parse(text, unit, example), low, high)


def embodied(value: Any, presets: Presets) -> float | str:
    """Read the carbon of making an accelerator, like 460 kg, or ``usual`` for what is on record."""
    if str(value).strip().lower() in ("usual", "on", "yes", "true"):
        return "usual"
    return measured("kg", "460 kg", 1e-3, 1e6)(value, presets)


def whole(low: float, high: float) -> Reader:
    """Make a reader of a count that must be whole."""
    read_count = count(low, high)

    def _read(value: Any, presets: Presets) -> float:
        found: float = read_count(value, presets)
        if found != math.floor(found):
            raise refuse(f"{units.shorten(value)} is not a whole number")
        return found

    return _read


def preset(kind: str) -> Reader:
    """Make a reader of a preset's name: it must lead to one record."""

    def _read(value: Any, presets: Presets) -> str:
        if not isinstance(value, str) or not value.strip():
            raise refuse(f"{units.shorten(value)} is not a name")
        try:
            presets.find(kind, value)
        except EstimatorError as error:
            raise refuse(str(error)) from None
        return value.strip()

    return _read


def rate_or_preset(kind: str, rate: Reader) -> Reader:
    """Make a reader of a rate with its unit, or of a preset's name that holds one."""
    find = preset(kind)

    def _read(value: Any, presets: Presets) -> Any:
        named = isinstance(value, str) and value.strip()[:1].isalpha()
        return (find if named else rate)(value, presets)

    return _read


def one_of(*words: str) -> Reader:
    """Make a reader of a word out of a short list, in any case."""

    def _read(value: Any, _presets: Presets) -> str:
        found = {word.lower(): word for word in words}.get(str(value).strip().lower())
        if found is None:
            raise refuse(f"{units.shorten(value)} is not known; choose {', '.join(words)}")
        return found

    return _read


def stack(value: Any, _presets: Presets) -> str:
    """Read a software stack by its name, or by a text that tells which one it means, like ``NeMo 24.07``."""
    word = str(value).strip().lower()
    found = word if word in STACKS else stack_of(word)
    if found == STACKS[0] != word:
        raise refuse(f"{units.shorten(value)} is not known; choose {', '.join(STACKS[1:])}")
    return found


def switch(value: Any, _presets: Presets) -> str:
    """Read what is on or off."""
    word = str(value).strip().lower()
    if word in ("on", "true", "yes", "1", "1.0"):
        return "on"
    if word in ("off", "false", "no", "0", "0.0"):
        return "off"
    raise refuse(f"{units.shorten(value)} is neither on nor off")


def zero(value: Any, _presets: Presets) -> float:
    """Read a stage of sharding: 0 to 3, ``zero-3`` as well, and ``fsdp`` for 3."""
    word = str(value).strip().lower().removesuffix(".0")
    stage = "3" if word == "fsdp" else word.removeprefix("zero").lstrip("-_ ") if word[:1] == "z" else word
    if stage not in ("0", "1", "2", "3"):
        raise refuse(f"{units.shorten(value)} is no stage of sharding; write 0, 1, 2, 3 or fsdp")
    return float(stage)


def shard(value: Any, presets: Presets) -> float | str:
    """Read over how many ranks states are sharded: a number, ``all`` or ``node``."""
    word = str(value).strip().lower()
    if word in ("all", "node"):
        return word
    if isinstance(value, str) and not any(letter.isdigit() for letter in word):
        raise refuse(f"{units.shorten(value)} is no number of ranks; write one, all or node")
    return whole(1, 1e8)(value, presets)


def path(value: Any, _presets: Presets) -> str:
    """Read the name of a file."""
    if not isinstance(value, str) or not value:
        raise refuse(f"{units.shorten(value)} is not the name of a file")
    return value


def price(value: Any, _presets: Presets) -> Price:
    """Read a rent, like 2 USD/gpu/hour."""
    if isinstance(value, Price):
        return value
    try:
        read = units.parse_price(as_text(value))
    except EstimatorError as error:
        raise refuse(str(error)) from None
    within(read.rate * 3600.0, value, _TINIEST, 1e7)
    return read
