"""What an input runs through in a sweep: a list, a range of equal steps or of equal factors, or several of both."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

from pydantic_core import PydanticCustomError

from .. import units
from ..errors import EstimatorError, near_misses
from ..presets import Presets
from ..tuples import NamedTuple
from .fields import Field
from .table import FIELDS
from .writing import WITH_UNIT

# So many values an axis may have: more would take longer to read than to think of a wider step.
MOST_VALUES = 1_000_000
_PERCENT = "%"
# Digits that are kept of a value: what adding steps leaves beyond them is noise, 0.1 + 2 x 0.1 is 0.3.
_DIGITS = 15
# A range reaches its end where the last step misses it by no more than this share of a step.
_REACH = 1e-9
_HOW = "write it like 512:8192:512, 512:8192:x2 or 512,1024,4096"


class _Range(NamedTuple):
    """First value, end and step of a range; a factor where ``times``."""

    low: float
    high: float
    step: float
    times: bool


def read_axis(
    name: str, given: Any, presets: Presets, unit: str = "", fields: Mapping[str, Field] = FIELDS
) -> list[Any]:
    """Return every value of an axis, each read and checked as the input itself is.

    Parameters
    ----------
    name
        An input of `Run`, or of a fleet.
    given
        Text like ``512:8192:x2``, ``0.3:0.6:0.05`` or ``h100,a100``; or values.
    presets
        Where names are looked up.
    unit
        What a price without a unit is counted in, where the axis names none.
    fields
        The inputs that may vary.

    Raises
    ------
    EstimatorError
        No such input, too many values, or one that the input does not take.

    Examples
    --------
    >>> read_axis("count", "512:8192:x2", Presets())
    [512.0, 1024.0, 2048.0, 4096.0, 8192.0]
    >>> read_axis("mfu", "30%:40%:5%,0.5", Presets())
    [0.3, 0.35, 0.4, 0.5]
    """
    return read_items(name, axis_items(name, given, presets, unit, fields), presets, fields)


def axis_items(
    name: str, given: Any, presets: Presets, unit: str = "", fields: Mapping[str, Field] = FIELDS
) -> Sequence[Any]:
    """Return every value of an axis as it is written: to count them takes far less than to read each.

    Raises
    ------
    EstimatorError
        No such input, or too many values.
    """
    if name not in fields:
        raise EstimatorError(f"--vary: {unknown_input(name, fields)}")
    field = fields[name]
    if isinstance(given, str):
        return _items(name, given, unit, lambda item: _read(name, item, presets, field))
    values = _bounded(name, given)
    return _priced(values, unit) if name.rpartition(".")[2] == "price" and unit else values


def read_items(
    name: str, items: Sequence[Any], presets: Presets, fields: Mapping[str, Field] = FIELDS
) -> list[Any]:
    """Return every value of an axis, read and checked as the input itself is.

    Raises
    ------
    EstimatorError
        There is no value, or one that the input does not take.
    """
    values = [_read(name, item, presets, fields[name]) for item in items]
    if not values:
        raise EstimatorError(f"--vary {name}: there is no value; {_HOW}")
    return values


def unknown_input(name: str, fields: Mapping[str, Field], meant: Iterable[str] | None = None) -> str:
    """Say what is wrong with a name that is none of some inputs, of which those are listed that may be meant."""
    whose, _, base = name.rpartition(".")
    pools = sorted({each.rpartition(".")[0] for each in fields} - {""})
    if _of_fleets(name) and not pools:
        return f"one run has no '{name}'; name the pools of a fleet, like --pool '64 x a100, site=beijing'"
    if whose in pools and base in fields:
        return f"'{base}' is of the whole fleet; name it without '{whose}.'"
    if not whose or whose in pools:
        return f"there is no input '{name}'{near_misses(name, list(fields if meant is None else meant))}"
    there = f"the pools are {', '.join(pools)}" if pools else "one run has no pools"
    return f"there is no pool '{whose}', which '{name}' names; {there}"


def _of_fleets(name: str) -> bool:
    from .fleet import FLEET_FIELDS

    return name in FLEET_FIELDS


def _bounded(name: str, given: Any) -> Sequence[Any]:
    """Return values that are not too many: any sequence or array of a length."""
    try:
        size = len(given)
    except TypeError:
        raise EstimatorError(f"--vary {name}: {units.shorten(given)} is no list of values; {_HOW}") from None
    if size > MOST_VALUES:
        raise EstimatorError(f"--vary {name}: {size:,} values are more than the {MOST_VALUES:,} of an axis")
    return given


def _priced(values: Sequence[Any], unit: str) -> Sequence[Any]:
    """Put the unit of prices behind numbers of a list, as behind those in a text."""
    return [f"{float(value)!r} {unit}" if isinstance(value, Real) else value for value in values]


def _read(name: str, value: Any, presets: Presets, field: Field) -> Any:
    try:
        return field.read(value, presets)
    except PydanticCustomError as error:
        raise EstimatorError(f"--vary {name}: {error.message()}") from None


def _items(name: str, text: str, unit: str, read: Callable[[str], Any]) -> list[Any]:
    """Return the values that a text stands for, not yet checked; a unit that is given once counts for all."""
    parts = [item.strip() for item in text.split(",")]
    if not all(parts):
        raise EstimatorError(f"--vary {name}: {units.shorten(text)} has an empty value; {_HOW}")
    shared = _shared_unit(name.rpartition(".")[2], parts, unit)
    found: list[Any] = []
    for part in parts:
        bounds = [bound.strip() for bound in part.split(":")]
        found += _ranged(name, bounds, shared, read) if len(bounds) == 3 else [_with_unit(part, shared)]
    return found


def _shared_unit(name: str, parts: Sequence[str], price: str) -> str:
    """Return the unit of the bare numbers of an input that has one: the last that is named, or that of a price."""
    if name not in WITH_UNIT:
        return ""
    return _last_unit(parts) or (price if name == "price" else "")


def _last_unit(parts: Sequence[str]) -> str:
    """Return the last unit that a list names: the one that its bare numbers are counted in."""
    named = [found for part in parts for bound in part.split(":") if (found := _unit_of(bound))]
    return named[-1] if named else ""


def _unit_of(text: str) -> str:
    try:
        return units.split(text.strip().lstrip("xX*"))[1]
    except EstimatorError:
        return ""


def _with_unit(text: str, unit: str) -> str:
    """Put a unit behind a number that has none; a word stays one."""
    try:
        own = units.split(text)[1]
    except EstimatorError:
        return text
    return f"{text} {unit}" if unit and not own else text


def _ranged(name: str, bounds: list[str], unit: str, read: Callable[[str], Any]) -> list[Any]:
    """Return the values of a range: in the unit it is written in, or as numbers of a field without units."""
    written = ":".join(bounds)
    if unit:
        low, high = (_in_unit(name, bound, unit, written) for bound in bounds[:2])
        step, times = _step(name, bounds[2], written, unit)
        return [f"{value!r} {unit}" for value in _values(name, _Range(low, high, step, times), written)]
    ends = [read(bound) for bound in bounds[:2]]
    if not all(isinstance(end, float) for end in ends):
        raise EstimatorError(
            f"--vary {name}: '{written}' is a range, and {name} is no number; list its values"
        )
    return _values(name, _Range(ends[0], ends[1], *_step(name, bounds[2], written)), written)


def _in_unit(name: str, text: str, unit: str, written: str) -> float:
    """Read a number as so many of a unit: of its own, which must be one of the same dimension, or of that one."""
    try:
        number, own = units.split(text)
        factor, bases = units.unit_bases(own or unit)
        whole, wanted = units.unit_bases(unit)
    except EstimatorError as error:
        raise EstimatorError(f"--vary {name}: {error}; {_HOW}") from None
    if bases != wanted:
        raise EstimatorError(f"--vary {name}: '{written}' counts in '{own}' and in '{unit}'; write one unit")
    return number if factor == whole else number * factor / whole


def _step(name: str, text: str, written: str, unit: str = "") -> tuple[float, bool]:
    """Read the step of a range, and whether it is a factor, which has no unit but may stand before that of all."""
    times = re.match(r"[xX*]", text) is not None
    step = text[times:].strip()
    if unit and not times:
        return _in_unit(name, step, unit, written), times
    step = step.removesuffix(unit).strip()
    try:
        return (units.parse_share if step.endswith(_PERCENT) else units.parse_count)(step), times
    except EstimatorError:
        raise EstimatorError(f"--vary {name}: '{written}' has no step; {_HOW}") from None


def _values(name: str, of: _Range, written: str) -> list[float]:
    """Return the values of a range, its end among them where a step meets it."""
    size = _size(of)
    if not size >= 1.0:
        raise EstimatorError(f"--vary {name}: '{written}' never comes to its end; {_HOW}")
    if size > MOST_VALUES:
        raise EstimatorError(
            f"--vary {name}: '{written}' has {size:,.0f} values, more than the {MOST_VALUES:,} of an axis; "
            f"take wider steps, like {_thinner(of)}"
        )
    places = range(int(size))
    found = (of.low * of.step**place if of.times else of.low + of.step * place for place in places)
    return [of.low, *(float(f"{value:.{_DIGITS}g}") for value in list(found)[1:])]


def _size(of: _Range) -> float:
    """Return how many values a range has; NaN or less than 1 where it never comes to its end."""
    if of.low == of.high:
        return 1.0
    if not of.times:
        steps = (of.high - of.low) / of.step if of.step else math.nan
    elif of.step > 0.0 and of.step != 1.0 and of.low > 0.0 and of.high > 0.0:
        steps = math.log(of.high / of.low) / math.log(of.step)
    else:
        steps = math.nan
    return math.floor(steps + _REACH) + 1.0 if math.isfinite(steps) and steps >= 0.0 else math.nan


def _thinner(of: _Range) -> str:
    """Write a range of the same ends with about a hundred values."""
    if of.times:
        return f"{of.low:g}:{of.high:g}:x{(of.high / of.low) ** (1.0 / 99.0) + 0.005:.2f}"
    return f"{of.low:g}:{of.high:g}:{float(f'{(of.high - of.low) / 99.0:.1g}'):g}"
