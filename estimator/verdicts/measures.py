"""Measures what a check asks for: an answer, a ratio of two, a scaling law, a formula or a recorded figure."""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import ranges
from ..arrays import array
from ..breakdown import Breakdown
from ..compare import Comparison
from ..errors import EstimatorError, PresetError, near_misses
from ..estimate import UNITS
from ..fleets import ask_fleet
from ..inputs.fleet import FleetQuestion
from ..inputs.run import rivals_of
from ..inputs.scaling import ScalingQuestion
from ..inputs.serving import ServingQuestion
from ..scaling import ask_scaling
from ..serving import Bound
from ..serving_bounds import UNITS as SERVED
from .bench import Bench
from .checks import Asks, kind_of
from .measured import Core, Measured, moves, told_of
from .solves import meet

_FORMULA = re.compile(r"[a-z_]+\.[a-z_]+")


def measure(
    place: str, asks: Asks, bench: Bench, currency: str = "", replaced: Mapping[str, float] | None = None
) -> Measured:
    """Measure what a table of a check asks for.

    Parameters
    ----------
    place
        The table, for the error.
    asks
        What it asks for.
    bench
        The records and the answers so far.
    currency
        In which money is counted: that of the claim.
    replaced
        Numbers to take in place of the figures of these names.

    Raises
    ------
    PresetError
        The question in it is faulty, or names what is not on record.
    """
    try:
        found = _BY_KIND[kind_of(place, asks)](asks, bench, currency, replaced or {})
        return told_of(found, asks, bench, replaced or {})
    except EstimatorError as error:
        raise PresetError("\n".join(f"{place}: {line}" for line in str(error).splitlines())) from None


def measure_each(
    place: str, asks: Asks, bench: Bench, name: str, numbers: Sequence[float]
) -> list[Measured | None]:
    """Measure with several numbers in place of one figure; None where a number makes no sense there.

    Bounds on serving are evaluated together.
    """
    replaced = [{name: number} for number in numbers]
    if "serving" in asks:
        try:
            cores = _served_each(asks, bench, replaced)
            return [told_of(core, asks, bench, each) for core, each in zip(cores, replaced, strict=True)]
        except EstimatorError:  # one of the numbers: which, only each alone can tell
            pass
    return [_unless_senseless(place, asks, bench, each) for each in replaced]


def _unless_senseless(place: str, asks: Asks, bench: Bench, replaced: Mapping[str, float]) -> Measured | None:
    try:
        return measure(place, asks, bench, replaced=replaced)
    except PresetError:  # a share over one, a price of nothing
        return None


def _answered(asks: Asks, bench: Bench, currency: str, _replaced: Mapping[str, float]) -> Core:
    """Return a quantity of an answer, or over that of the answer to a second question."""
    question = fitted(asks, bench, currency)
    run, estimate = bench.answer(question)
    name = str(asks["quantity"])
    if name not in UNITS:
        raise PresetError(f"there is no quantity '{name}'{near_misses(name, list(UNITS))}")
    if "against" in asks:
        return _over_another(asks, bench, question, currency)
    amount = estimate.amount(name)
    value, low, high = (float(end) for end in (amount.value, amount.low, amount.high))
    return Measured(value, low, high, amount.unit, run, estimate), [moves(value, low, high)]


def fitted(asks: Asks, bench: Bench, currency: str) -> dict[str, Any]:
    """Return the question of a table; where it has ``fit``, with the input by which a quantity is as recorded."""
    question = bench.inputs(asks["question"], currency)
    if "fit" not in asks:
        return question
    wanted = dict(asks["fit"])
    name = str(wanted.pop("input", "tokens"))
    aims = {quantity: bench.figure(str(text)) for quantity, text in wanted.items()}
    texts = {quantity: figure.text if figure else wanted[quantity] for quantity, figure in aims.items()}
    question = {key: value for key, value in question.items() if key != name and key not in rivals_of(name)}
    key = repr((sorted(question.items()), name, sorted(texts.items())))
    if key not in bench.asked.fitted:
        value = meet(question, name, bench.presets, texts).value
        bench.asked.fitted[key] = {**question, name: value}
    return bench.asked.fitted[key]


def _over_another(asks: Asks, bench: Bench, question: dict[str, Any], currency: str) -> Core:
    other = {**asks["question"], **asks["against"]}
    first_run, first = bench.answer(fitted({**asks, "question": other}, bench, currency))
    run, estimate = bench.answer(question)
    ratio = Comparison([first_run, run], [first, estimate]).ratio(1, str(asks["quantity"]))
    value, low, high = (math.nan,) * 3 if ratio is None else (ratio.value, ratio.low, ratio.high)
    return Measured(value, low, high, "1", run, estimate), [moves(value, low, high)]


def _served(asks: Asks, bench: Bench, _currency: str, replaced: Mapping[str, float]) -> Core:
    return _served_each(asks, bench, [replaced])[0]


def _served_each(asks: Asks, bench: Bench, replaced: Sequence[Mapping[str, float]]) -> list[Core]:
    """Return a bound on serving a model, for each of several sets of numbers in place of figures, in one evaluation.

    The ranges of the figures that it is asked with widen it.
    """
    name = str(asks["quantity"])
    if name not in SERVED:
        raise PresetError(f"there is no bound '{name}' on serving{near_misses(name, list(SERVED))}")
    questions: list[ServingQuestion] = []
    for numbers in replaced:
        given = {key: numbers.get(str(text), text) for key, text in asks["serving"].items()}
        inputs = bench.inputs(given)
        changed = [{}, *({key: end} for key, ends in _widened(given, bench) for end in ends)]
        questions += [ServingQuestion.read({**inputs, **each}, bench.presets) for each in changed]
    bounds = bench.bounds(questions, name)
    size = len(questions) // len(replaced)
    return [_bounded(bounds[start : start + size], SERVED[name]) for start in range(0, len(questions), size)]


def _widened(given: Mapping[str, Any], bench: Bench) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the inputs that are figures with a range, each with its ends."""
    for key, text in given.items():
        figure = bench.figure(text) if isinstance(text, str) else None
        if figure and figure.low is not None and figure.high is not None and figure.low < figure.high:
            yield key, (figure.low, figure.high)


def _bounded(found: Sequence[Bound], unit: str) -> Core:
    """Return a bound; after it come those at both ends of each figure that widens it."""
    value, low, high = found[0]
    moved = [moves(value, low, high)]
    for one, other in zip(found[1::2], found[2::2], strict=True):
        moved.append(moves(value, *sorted((one.value, other.value))))
    down, up = ranges.ends(np.array(moved))
    return Measured(value, value * float(down), value * float(up), unit), moved


def _pooled(asks: Asks, bench: Bench, _currency: str, _replaced: Mapping[str, float]) -> Core:
    """Return a quantity of one way to use a fleet, or over that of one of its pools alone."""
    found = ask_fleet(FleetQuestion.read(asks["fleet"], bench.presets), bench.presets)
    way, name = str(asks.get("way", "separate")), str(asks["quantity"])
    if way not in found.ways:
        raise PresetError(f"there is no way '{way}' to use a fleet; choose {', '.join(found.ways)}")
    known = found.ways[way].values
    if name not in known:
        raise PresetError(f"there is no quantity '{name}' of a fleet{near_misses(name, list(known))}")
    value, low, high = map(float, known[name])
    core = Measured(value, low, high, UNITS[name].replace("currency", found.currency))
    if "pool" not in asks:
        return core, [moves(value, low, high)]
    alone = found.alone[int(asks["pool"]) - 1].amount(name)
    first = float(alone.value)
    # What nobody knows of the pool moves both alike: the range of the ratio is that of what is joined to it, at most.
    ends = sorted((low / float(alone.low), high / float(alone.high), value / first))
    return Measured(value / first, ends[0], ends[2], "1"), [moves(value / first, ends[0], ends[2])]


def _scaled(asks: Asks, bench: Bench, _currency: str, replaced: Mapping[str, float]) -> Core:
    """Return the efficiency at a count that laws through points, or a recorded series, foretell."""
    said = dict(asks["scaling"])
    if "point" in said:
        pairs = [[bench.number(each, replaced).value for each in pair] for pair in said["point"]]
        said["point"] = [f"{count!r}:{efficiency!r}" for count, efficiency in pairs]
    said["at"] = [repr(bench.number(said["at"], replaced).value)] if "at" in said else []
    found = ask_scaling(ScalingQuestion.read(said), bench.presets).efficiency
    value, low, high = (float(end[-1]) for end in (found.value, found.low, found.high))
    return Measured(value, low, high, "1"), [moves(value, low, high)]


def _recorded(asks: Asks, bench: Bench, _currency: str, replaced: Mapping[str, float]) -> Core:
    found = bench.number(asks["value"], replaced)
    return Measured(*found), [moves(found.value, found.low, found.high)]


def _computed(asks: Asks, bench: Bench, _currency: str, replaced: Mapping[str, float]) -> Core:
    """Return what a published formula gives of figures: at their values, and at each end of each."""
    formula = formula_of(str(asks["formula"]))
    given = {name: bench.number(value, replaced) for name, value in asks.get("given", {}).items()}
    wanted = list(inspect.signature(formula).parameters)
    wrong = [*(f"lacks '{name}'" for name in wanted if name not in given),
             *(f"has no '{name}'{near_misses(name, wanted)}" for name in given if name not in wanted)]  # fmt: skip
    if wrong:
        raise PresetError(f"formula '{asks['formula']}' {wrong[0]}")
    size = 2 * len(given) + 1
    columns = {name: np.full(size, number.value) for name, number in given.items()}
    for index, (name, number) in enumerate(given.items()):
        columns[name][2 * index + 1 : 2 * index + 3] = number.low, number.high
    result = formula(**columns)
    points = np.broadcast_to(array(result.total if isinstance(result, Breakdown) else result), (size,))
    low, high = ranges.around(points)
    value = float(points[0])
    unit = _returned_unit(formula)
    return Measured(value, float(low), float(high), unit), [moves(value, float(low), float(high))]


def formula_of(name: str) -> Callable[..., Any]:
    """Return a published formula by module and name, like ``energy.facility_power``.

    Raises
    ------
    PresetError
        There is none.
    """
    module, _, function = name.partition(".")
    try:
        if not _FORMULA.fullmatch(name):
            raise ImportError
        found = getattr(importlib.import_module(f"estimator.formulas.{module}"), function, None)
    except ImportError:
        found = None
    if not inspect.isfunction(found) or function.startswith("_"):
        raise PresetError(f"there is no formula '{name}'; write it like energy.facility_power")
    return found


def _returned_unit(formula: Callable[..., Any]) -> str:
    """Return the unit that a formula's docstring gives for what it returns."""
    text = inspect.getdoc(formula) or ""
    section = text.partition("Returns\n-------\n")[2].split("\n\n")[0] or text.split("\n\n")[0]
    found = re.findall(r"\[([^\]]+)\]", section)
    return found[-1] if found else "1"


_BY_KIND: Mapping[str, Callable[[Asks, Bench, str, Mapping[str, float]], Core]] = {
    "question": _answered, "serving": _served, "fleet": _pooled, "scaling": _scaled, "formula": _computed,
    "value": _recorded,
}  # fmt: skip
