"""Laws that hold for the answer of any question, each as one call that raises where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..answer import ask
from ..arrays import array
from ..errors import EstimatorError
from ..estimate import Estimate, evaluate
from ..inputs import Run
from ..inputs.run import write_input
from ..presets import Presets
from ..sweeps.cells import FITS, Chunk
from ..sweeps.sweep import Sweep

# Parts of a step's time in which cards exchange something, or wait for it; those of a node share its host.
EXCHANGES = (
    "tensor_parallel", "context_parallel", "expert_exchange", "sharding", "pipeline_transfer", "pipeline_bubble",
    "gradient_exchange", "gradient_clipping", "offload",
)  # fmt: skip
# Parts of a card's memory that grow with the ranks it talks to, and what is a share of all others.
_TALKING = ("communication", "fragmentation")
# What rounding may leave between numbers that are the same.
_ROUNDING = 1e-9
_LEAST = 1e-300


class Broken(AssertionError):
    """A law that does not hold; the text has the numbers."""


def _hold(holds: object, message: str) -> None:
    if not bool(holds):
        raise Broken(message)


def parts_add_up(answer: Estimate | Run) -> None:
    """Hold every breakdown to its total.

    Raises
    ------
    Broken
        One does not add up.
    """
    found = _answered(answer)
    for name, parts in found.parts.items():
        total = sum(np.asarray(part) for part in parts.values())
        close = np.isclose(total, found.values[name], rtol=_ROUNDING, equal_nan=True)
        _hold(np.all(close), f"the parts of {name} add up to {total} and not to {found.values[name]}")


def ranges_hold_the_value(answer: Estimate | Run) -> None:
    """Hold every range to enclose its value.

    Raises
    ------
    Broken
        A value lies outside.
    """
    found = _answered(answer)
    for name, low in found.low.items():
        value, high = np.asarray(found.values[name]), found.high[name]
        slack = _ROUNDING * np.abs(np.where(np.isfinite(value), value, 0.0))
        inside = np.isnan(value) | ((low <= value + slack) & (value <= high + slack))
        _hold(np.all(inside), f"{name} is {value}, outside its range of {low} to {high}")


# Rents of a question, and what follows from its cost in other ways than in proportion.
_RENTS = ("price", "spot_price")
_FOLLOW = ("cost_per_hour", "cost_per_application", "break_even_utilisation", "break_even_time")


def money_follows_the_price(run: Run, factor: float = 2.0, presets: Presets | None = None) -> None:
    """Hold the rent to so many times as much at so many times the price, and nothing that is no money to change.

    Parameters
    ----------
    run
        A question with a price or whose price is on record.
    factor
        How many times the price; a power of two leaves no rounding.
    presets
        The records.

    Raises
    ------
    Broken
        The rent is not in proportion, or something that is no money changed.
    """
    once = ask(run, presets)
    columns = once.case.columns
    more = evaluate(once.case.with_columns({name: array(columns[name] * factor) for name in _RENTS})).values
    same = evaluate(once.case).values
    rented = np.where(columns["owned"] > 0.0, 0.0, same["rent_cost"] * columns["development"])
    for name, value in more.items():
        if name in _FOLLOW:
            continue
        expected = same[name] * (factor if name in (*_RENTS, "rent_cost", "rent_price") else 1.0)
        expected += (factor - 1.0) * rented if name == "cost" else 0.0
        close = np.isclose(value, expected, rtol=_ROUNDING, equal_nan=True)
        _hold(close, f"at {factor:g} times the price {name} is {float(value)!r} and not {float(expected)!r}")


def more_memory_never_unfits(run: Run, factor: float = 2.0, presets: Presets | None = None) -> None:
    """Hold a layout that fits to fit a card of more memory too.

    Parameters
    ----------
    run
        Any question.
    factor
        How many times the memory, 1 or more.
    presets
        The records.

    Raises
    ------
    Broken
        It fits no more.
    """
    case = ask(run, presets).case
    room = array(case.columns["memory_usable"] * factor)
    small, large = evaluate(case), evaluate(case.with_columns({"memory_usable": room}))
    _hold(large.fits >= small.fits, f"it fits a card, and not one with {factor:g} times its memory")


def weak_scaling_keeps_work(run: Run, factor: int = 2, presets: Presets | None = None) -> None:
    """Hold each card's work and memory to stay the same on more cards, and each exchange not to become shorter.

    Each replica keeps its layout and its share of the batch. Times are taken over those of the matrix products: what
    slows every part alike at scale is no part of its own.

    Parameters
    ----------
    run
        A question with the whole layout, a count and a batch, and its states not sharded, or over a given number.
    factor
        How many times the cards and the batch.
    presets
        The records.

    Raises
    ------
    Broken
        Work or memory changed, or an exchange became shorter.
    EstimatorError
        The question leaves count or batch open, or shards states over all cards.
    """
    given = run.given()
    if not {"count", "global_batch"} <= given.keys() or (given.get("zero") != 0.0 and not given.get("shard")):
        raise EstimatorError("weak scaling needs --count, --global-batch, and --zero 0 or --shard")
    more = {name: given[name] * factor for name in ("count", "global_batch")}
    asked = {name: write_input(name, value) for name, value in given.items()}
    runs = (run, Run.read({**asked, **more}, presets))
    few, many = (ask(each, presets) for each in runs)
    layouts = [{name: float(each.case.columns[name]) for name in few.case.free} for each in (few, many)]
    if layouts[0] != layouts[1]:
        raise EstimatorError("weak scaling needs the whole layout: what is left open was found anew")
    _keep(_relative(few), _relative(many), EXCHANGES)
    memory = [{name: float(part) for name, part in each.parts["memory"].items()} for each in (few, many)]
    _keep(memory[0], memory[1], _TALKING)


def _relative(answer: Estimate) -> dict[str, float]:
    """Return the parts of a step over its matrix products."""
    parts = answer.parts["modelled_time"]
    whole = float(parts["matrix_products"])
    return {name: float(part) / whole for name, part in parts.items() if name != "overhead"}


def _keep(few: Mapping[str, float], many: Mapping[str, float], growing: Sequence[str]) -> None:
    for name, value in few.items():
        slack = _ROUNDING * max(abs(value), _LEAST)
        changed = f"{name} is {value!r} on few cards and {many[name]!r} on many"
        _hold(many[name] >= value - slack if name in growing else abs(many[name] - value) <= slack, changed)


def _answered(answer: Estimate | Run) -> Estimate:
    return ask(answer) if isinstance(answer, Run) else answer


def cells_are_single_answers(sweep: Sweep, most: int = 100) -> None:
    """Hold the cells of a sweep, or so many of them spread over it, to the answers of their questions, to the last bit.

    Raises
    ------
    Broken
        One differs.
    """
    step = max(1, sweep.size // most)
    for chunk in sweep.chunks():
        shape = chunk.reason.shape
        for place in range(-chunk.start % step, chunk.reason.size, step):
            _hold_cell(sweep, chunk, tuple(int(index) for index in np.unravel_index(place, shape)))


def _hold_cell(sweep: Sweep, chunk: Chunk, local: tuple[int, ...]) -> None:
    cell = tuple(place + span.start for place, span in zip(local, chunk.box, strict=True))
    varied = {
        name: write_input(name, values[place])
        for axis, place in zip(sweep.axes, cell, strict=True)
        for name, values in axis.values.items()
    }
    asked = {**sweep.given, **varied}
    try:
        alone = ask(Run.read(asked, sweep.presets), sweep.presets)
    except EstimatorError as error:
        told = "; ".join(str(error).splitlines())
        said = chunk.reasons[int(chunk.reason[local])]
        _hold(told == said, f"{asked}: the answer alone is {told!r}, and the cell says {said!r}")
        known = [name for name, value in chunk.values.items() if not np.isnan(value[local])]
        _hold(not known, f"{asked}: there is no answer, and the cell has {', '.join(known)}")
        return
    for name, one, other in _pairs(chunk, alone, local):
        same = one.tobytes() == other.tobytes() or (np.isnan(one) and np.isnan(other))
        _hold(same, f"{asked}: {name} is {float(one)!r} in the cell and {float(other)!r} alone")


def _pairs(chunk: Chunk, alone: Estimate, local: tuple[int, ...]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each number of a cell beside that of its single answer."""
    for name, value in chunk.values.items():
        if name == FITS:
            known = not np.isnan(alone.values["memory"]) and not np.isnan(alone.values["memory_usable"])
            yield name, np.float64(value[local]), np.float64(alone.fits if known else np.nan)
        else:
            yield name, np.float64(value[local]), np.float64(alone.values.get(name, np.nan))
    for side, found, ends in (("low", chunk.low, alone.low), ("high", chunk.high, alone.high)):
        for name, value in found.items():
            yield f"{side} end of {name}", np.float64(value[local]), np.float64(ends[name])


def chunks_change_nothing(sweep: Sweep, most: int) -> None:
    """Hold the cells of a sweep to be the same in chunks of so many cells as in its usual ones.

    Raises
    ------
    Broken
        A number or a reason differs.
    """
    whole, parts = _rows(sweep, None), _rows(sweep, most)
    for name, values in whole.items():
        same = np.array_equal(values, parts[name], equal_nan=name != "reason")
        _hold(same, f"in chunks of {most:,} cells {name} differs")


def _rows(sweep: Sweep, most: int | None) -> dict[str, Any]:
    """Return every number and reason in the order of rows."""
    found: dict[str, list[Any]] = {}
    for chunk in sweep.chunks() if most is None else sweep.chunks(most):
        for kind, values in (("", chunk.values), (" low", chunk.low), (" high", chunk.high)):
            for name, value in values.items():
                found.setdefault(f"{name}{kind}", []).extend(value.ravel().tolist())
        found.setdefault("reason", []).extend(chunk.reasons[code] for code in chunk.reason.ravel().tolist())
    return {name: np.array(values) for name, values in found.items()}
