"""Field types of a question: text, a number or a Quantity comes in, a float in house units goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from .. import units
from ..errors import EstimatorError
from ..presets import Presets
from ..units import Price


def refuse(message: str) -> PydanticCustomError:
    """Make the error that pydantic collects, its text untouched."""
    return PydanticCustomError("estimator", "{message}", {"message": message})


def _as_text(value: Any) -> str:
    """Return what was given as text; a Quantity of any registry is read by its unit text."""
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return f"{float(value.magnitude)!r} {value.units}"
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refuse(f"{units.shorten(value)} is neither text nor a number")
    if isinstance(value, int) and abs(value) > 10**300:
        raise refuse("the whole number is too large to be meant")
    return value if isinstance(value, str) else repr(float(value))


def _within(value: float, given: Any, low: float, high: float) -> float:
    shown = units.shorten(given)
    if math.isnan(value):
        raise refuse(f"{shown} is not a number")
    if value <= 0 and low >= 0 and not (value == 0 and low == 0):
        raise refuse(f"{shown} must be more than zero")
    if not low <= value <= high:
        bound = f"more than {high:g}, the most" if value > high else f"less than {low:g}, the least"
        raise refuse(f"{shown} is {bound} that makes sense here")
    return value


def number(read: Callable[[str], float], low: float, high: float) -> BeforeValidator:
    """Make a validator that reads a float by ``read`` and keeps it within bounds."""

    def validate(value: Any) -> float:
        try:
            parsed = read(_as_text(value))
        except EstimatorError as error:
            raise refuse(str(error)) from None
        return _within(parsed, value, low, high)

    return BeforeValidator(validate)


def whole(low: float, high: float) -> BeforeValidator:
    """Make a validator of a count that must be whole."""
    check = number(units.parse_count, low, high).func

    def validate(value: Any) -> float:
        count: float = check(value)  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
        if count != math.floor(count):  # pyright: ignore[reportUnknownArgumentType]
            raise refuse(f"{units.shorten(value)} is not a whole number")
        return count  # pyright: ignore[reportUnknownVariableType]

    return BeforeValidator(validate)


def measured(unit: str, example: str, low: float, high: float) -> BeforeValidator:
    """Make a validator of a quantity with a unit."""
    return number(lambda text: units.parse(text, unit, example), low, high)


def preset(kind: str) -> BeforeValidator:
    """Make a validator of a preset's name: it must lead to one record."""

    def validate(value: Any, info: ValidationInfo) -> str:
        if not isinstance(value, str) or not value.strip():
            raise refuse(f"{units.shorten(value)} is not a name")
        presets = info.context if isinstance(info.context, Presets) else Presets()
        try:
            presets.find(kind, value)
        except EstimatorError as error:
            raise refuse(str(error)) from None
        return value.strip()

    return BeforeValidator(validate)


def one_of(*words: str) -> BeforeValidator:
    """Make a validator of a word out of a short list, in any case."""

    def validate(value: Any) -> str:
        found = {word.lower(): word for word in words}.get(str(value).strip().lower())
        if found is None:
            raise refuse(f"{units.shorten(value)} is not known; choose {', '.join(words)}")
        return found

    return BeforeValidator(validate)


def _price(value: Any) -> Price:
    if isinstance(value, Price):
        return value
    try:
        price = units.parse_price(_as_text(value))
    except EstimatorError as error:
        raise refuse(str(error)) from None
    _within(price.rate * 3600.0, value, 0.0, 1e7)
    return price


Count = Annotated[float, number(units.parse_count, 0.0, 1e18)]
Share = Annotated[float, number(units.parse_share, 1e-9, 1.0)]
RentPrice = Annotated[Price, BeforeValidator(_price)]
Duration = Annotated[float, measured("s", "30 days", 1.0, 1e11)]
Power = Annotated[float, measured("W", "400 W", 1e-3, 1e6)]
