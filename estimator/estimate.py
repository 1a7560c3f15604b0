"""The one path: a case of any shape in, every quantity of it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .arrays import Array, array
from .breakdown import Breakdown
from .case import Case
from .formulas import (
    break_even,
    checkpoints,
    cost,
    energy,
    flops,
    host_memory,
    memory,
    memory_card,
    memory_fit,
    memory_states,
    ownership,
    parameters,
    reliability,
    scaling,
    spot,
    step_time,
    throughput,
)
from .formulas.capital import Ownership
from .formulas.collectives import Machine
from .formulas.cost import Project
from .formulas.energy import Draw
from .formulas.job import Coefficients, Host, Job
from .formulas.layout import Layout
from .formulas.memory import Optimizer
from .formulas.memory_card import Card
from .formulas.memory_states import Method
from .formulas.parameters import Transformer
from .formulas.spot import Spot
from .shown import SHOWN_INPUTS
from .tuples import NamedTuple


class Step(NamedTuple):
    """One quantity: the formula that gives it, whose parameters are named like columns or earlier steps.

    ``unit`` is the unit in which it is shown; inside, house units run. ``whole`` says that it counts things, so
    that the ends of its range are whole too.
    """

    name: str
    formula: Callable[..., Any]
    unit: str
    whole: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the formula's parameters."""
        code = self.formula.__code__
        return code.co_varnames[: code.co_argcount]


# Every quantity of an answer, in an order in which each needs only what stands before it.
STEPS: tuple[Step, ...] = (
    Step("parameters", parameters.total_parameters, "1"),
    Step("active_parameters", parameters.active_parameters, "1"),
    Step("flops_per_token", flops.method_flops_per_token, "FLOP/token"),
    Step("flops", flops.training_flops, "FLOP"),
    Step("flops_6nd", flops.short_form_flops, "FLOP"),
    Step("state_memory", memory_states.whole_states, "byte"),
    Step("first_stage_memory", memory_card.first_stage_memory, "byte"),
    Step("middle_stage_memory", memory_card.middle_stage_memory, "byte"),
    Step("last_stage_memory", memory_card.last_stage_memory, "byte"),
    Step("worst_stage", memory_fit.worst_stage, "1"),
    Step("memory_allocated", memory_fit.memory_allocated, "byte"),
    Step("memory", memory_fit.memory, "byte"),
    Step("fewest_accelerators", memory_fit.fewest_accelerators, "accelerator", whole=True),
    Step("memory_total", memory.memory_over_all, "byte"),
    Step("host_memory_used", host_memory.host_memory_used, "byte"),
    Step("modelled_time", step_time.modelled_step_time, "s"),
    Step("small_scale_time", step_time.small_scale_time, "s"),
    Step("scale_growth", step_time.scale_growth, "1"),
    Step("time_at_peak", throughput.time_at_peak, "s"),
    Step("given_efficiency", scaling.scaling_efficiency, "1"),
    Step("scaling_efficiency", scaling.kept_efficiency, "1"),
    Step("step_time", throughput.step_time, "s"),
    Step("mfu", throughput.mfu, "1"),
    Step("hfu", throughput.hfu, "1"),
    Step("throughput", throughput.throughput, "token/s"),
    Step("throughput_per_accelerator", throughput.throughput_per_accelerator, "token/s"),
    Step("accelerator_hours", throughput.accelerator_hours, "hour"),
    Step("mtbi", reliability.mtbi, "s"),
    Step("checkpoint_size", checkpoints.checkpoint_size, "byte"),
    Step("checkpoint_time", checkpoints.checkpoint_time, "s"),
    Step("checkpoint_stall", checkpoints.checkpoint_stall, "s"),
    Step("young_interval", checkpoints.young_interval, "s"),
    Step("daly_interval", checkpoints.daly_interval, "s"),
    Step("checkpoint_interval", checkpoints.checkpoint_interval, "s"),
    Step("waiting_share", reliability.waiting_share, "1"),
    Step("failure_overhead", reliability.overhead, "1"),
    Step("spot_loss", spot.spot_loss, "1"),
    Step("overhead", spot.overhead_with_spot, "1"),
    Step("goodput", reliability.goodput, "1"),
    Step("occupied_hours", throughput.occupied_hours, "hour"),
    Step("wall_clock", reliability.wall_clock, "s"),
    Step("system_power", energy.system_power, "W/accelerator"),
    Step("power", energy.facility_power, "W"),
    Step("energy", energy.facility_energy, "kWh"),
    Step("carbon", energy.carbon, "kg"),
    Step("rent_cost", cost.rent_cost, "currency"),
    Step("rent_price", cost.rent_price, "currency/accelerator/hour"),
    Step("investment", ownership.investment, "currency"),
    Step("electricity", ownership.electricity, "currency/day"),
    Step("own_price", ownership.own_price, "currency/accelerator/hour"),
    Step("own_cost", ownership.own_cost, "currency"),
    Step("break_even_utilisation", break_even.break_even_utilisation, "1"),
    Step("break_even_time", break_even.break_even_time, "s"),
    Step("cost", cost.run_cost, "currency"),
    Step("cost_per_hour", cost.cost_per_hour, "currency/accelerator/hour"),
    Step("cost_per_application", cost.cost_per_application, "currency"),
)
UNITS: Mapping[str, str] = {**SHOWN_INPUTS, **{step.name: step.unit for step in STEPS}}


class Amount(NamedTuple):
    """One quantity of an estimate, in house units, with its range and parts; arrays of the case's shape."""

    name: str
    unit: str
    value: Array
    low: Array
    high: Array
    parts: Mapping[str, Array]

    @property
    def quantity(self) -> Any:
        """The value as a pint Quantity in the unit of its kind."""
        return self._as_quantity(self.value)

    @property
    def range(self) -> tuple[Any, Any]:
        """Low and high end as pint Quantities."""
        return self._as_quantity(self.low), self._as_quantity(self.high)

    def to(self, unit: str) -> Any:
        """Return the value as a pint Quantity in another unit of the same dimension."""
        return self.quantity.to(unit)

    def _as_quantity(self, value: Array) -> Any:
        from . import units

        return units.quantity(value, self.unit)


@dataclass(frozen=True)
class Estimate:
    """Every quantity of a case: values, parts and, where they were asked for, ranges.

    Attributes of the names in `UNITS` give `Amount` objects: ``estimate.cost.quantity``.
    """

    case: Case
    values: Mapping[str, Array]
    parts: Mapping[str, Mapping[str, Array]]
    low: Mapping[str, Array]
    high: Mapping[str, Array]

    def __getattr__(self, name: str) -> Amount:
        """Return the quantity of that name."""
        if name not in UNITS:
            raise AttributeError(f"an estimate has no '{name}'; it has {', '.join(UNITS)}")
        if name not in self.values:
            raise AttributeError(f"this estimate has no '{name}'; it has {', '.join(self.values)}")
        return self.amount(name)

    def amount(self, name: str) -> Amount:
        """Return one quantity by name, with its range (its own value where none was asked for)."""
        value = self.values[name]
        return Amount(
            name,
            UNITS[name].replace("currency", self.case.words.get("currency", "USD")),
            value,
            self.low.get(name, value),
            self.high.get(name, value),
            self.parts.get(name, {}),
        )

    def __repr__(self) -> str:
        """Name the main quantities; `amount` and the attributes give each with its range."""
        main = ("flops", "accelerator_hours", "wall_clock", "energy", "cost")
        shown = ", ".join(
            f"{name}={self.amount(name).quantity:~.4g}" for name in main if not np.ndim(self.values[name])
        )
        return f"Estimate({shown or f'{len(self.values)} quantities'})"

    def __dir__(self) -> list[str]:
        """List the quantities beside the methods."""
        return [*super().__dir__(), *self.values]

    @property
    def fits(self) -> Array:
        """Whether a card's memory is enough, as 1 or 0."""
        return array(self.values["memory"] <= self.values["memory_usable"])


# The record arguments of formulas, and the prefix under which their fields stand among the columns.
_RECORDS = {
    "transformer": (Transformer, ""), "optimizer": (Optimizer, "optimizer_"), "layout": (Layout, ""),
    "method": (Method, "method_"), "card": (Card, ""), "machine": (Machine, ""), "coefficients": (Coefficients, "fit_"),
    "host": (Host, ""), "spot": (Spot, "spot_"), "ownership": (Ownership, ""), "project": (Project, ""),
    "draw": (Draw, ""), "wasted": (reliability.Wasted, ""),
}  # fmt: skip
_FIELDS = {name: {prefix + field for field in record._fields} for name, (record, prefix) in _RECORDS.items()}
_COMPUTED = {step.name for step in STEPS} | {"job"}
# What each step is called with; a parameter annotated as Breakdown is given the parts, any other the total.
_CALLS = tuple(
    (step, tuple((name, step.formula.__annotations__[name] == "Breakdown") for name in step.inputs))
    for step in STEPS
)


# What the fields of a Job are called among columns and records.
_JOB = (
    "transformer", "layout", "machine", "coefficients", "seq", "stack_year", "method", "host", "causal", "ulysses",
)  # fmt: skip


def _job(values: Mapping[str, Any]) -> Job:
    """Put together what the time of a step depends on."""
    return Job(*(values[name] for name in _JOB))


@cache
def _calls_for(wanted: frozenset[str]) -> tuple[Any, ...]:
    """Return the steps that some quantities need, in their order; all steps where none is named."""
    if not wanted:
        return _CALLS
    needed = set(wanted)
    for step, inputs in reversed(_CALLS):
        if step.name in needed:
            needed.update(name for name, _ in inputs)
    return tuple(call for call in _CALLS if call[0].name in needed)


def columns_of(wanted: Iterable[str]) -> frozenset[str]:
    """Return the columns that some quantities are computed from, through whatever steps.

    Examples
    --------
    >>> sorted(columns_of(["accelerator_hours"]) & {"tokens", "count", "price", "failures"})
    ['count', 'tokens']
    """
    return _columns_for(frozenset(wanted))


@cache
def _columns_for(wanted: frozenset[str]) -> frozenset[str]:
    names = {name for _, inputs in _calls_for(wanted) for name, _ in inputs} | wanted
    if "job" in names:
        names.update(_JOB)
    found = set[str]().union(*(_FIELDS.get(name, {name}) for name in names))
    return frozenset(found - _COMPUTED)


def evaluate(case: Case, wanted: Iterable[str] = ()) -> Estimate:
    """Compute every quantity of a case, or those that are wanted and what they need.

    Parameters
    ----------
    case
        Columns that broadcast with each other: one question, a grid, a list of layouts or samples.
    wanted
        Names of quantities; all of them where it is empty.

    Returns
    -------
    Values and parts in house units, without ranges; NaN where an input is NaN.
    """
    # Single numbers as such: numpy takes ten times as long with arrays without dimensions.
    values: dict[str, Any] = {
        name: column if isinstance(column, np.ndarray) and column.ndim else np.float64(column)
        for name, column in case.columns.items()
    }
    parts: dict[str, Breakdown] = {}
    for name, (record, prefix) in _RECORDS.items():
        values[name] = record(**{field: values[prefix + field] for field in record._fields})
    values["job"] = _job(values)
    for step, inputs in _calls_for(frozenset(wanted)):
        result = step.formula(*(parts[name] if whole else values[name] for name, whole in inputs))
        if isinstance(result, Breakdown):
            parts[step.name] = result
            result = result.total
        values[step.name] = result
    found = {name: array(values[name]) for name in UNITS if name in values}
    return Estimate(case, found, {name: breakdown.parts for name, breakdown in parts.items()}, {}, {})
