"""The JSON document of an answer: one versioned schema, fixed units, nothing that JSON cannot hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .. import units
from ..estimate import Amount, Estimate
from ..formulas.layout import Layout, data_parallel
from ..provenance import Origin

SCHEMA = "estimator/estimate/1"
# Numbers of the layout, which a document tells beside its words.
_LAYOUT = (
    "tp", "pp", "vpp", "cp", "ep", "zero", "shard", "sequence_parallel", "micro_batch", "global_batch",
)  # fmt: skip
# Every quantity of the document in its order.
QUANTITIES = (
    "parameters", "active_parameters", "tokens", "flops", "flops_6nd", "step_time", "memory", "memory_total",
    "state_memory", "throughput", "throughput_per_accelerator", "mfu", "hfu", "scaling_efficiency", "goodput",
    "accelerator_hours", "occupied_hours", "wall_clock", "power", "energy", "carbon", "cost",
)  # fmt: skip


# Quantities that a document holds where the question asks for them.
WHERE_ASKED = (
    "cost_per_application", "investment", "own_price", "rent_price", "break_even_utilisation", "break_even_time",
    "electricity",
)  # fmt: skip


def _asked(estimate: Estimate, name: str) -> bool:
    """Tell whether a question asks for one of these: several applications, machines of one's own, or a tariff."""
    columns = estimate.case.columns
    if name == "cost_per_application":
        return bool(columns["applications"] > 1.0) or bool(columns["adaptation"] > 0.0)
    return not math.isnan(float(columns["tariff"])) if name == "electricity" else bool(columns["owned"] > 0.0)


def document(estimate: Estimate, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as the JSON document.

    Parameters
    ----------
    estimate
        Of shape ().
    question
        The inputs as given.
    """
    warnings = list(estimate.case.notes) + fit_warnings(estimate)
    body = {name: _quantity(estimate, name, warnings) for name in QUANTITIES}
    body |= {name: as_json(estimate.amount(name), estimate) for name in WHERE_ASKED if _asked(estimate, name)}
    return {
        "schema": SCHEMA,
        "question": dict(question),
        **body,
        "layout": _layout(estimate),
        "assumptions": assumptions(estimate),
        "warnings": warnings,
        "sources": [source.cite() for source in sources(estimate)],
    }


def _quantity(estimate: Estimate, name: str, warnings: list[str]) -> dict[str, Any]:
    amount = estimate.amount(name)
    if not math.isfinite(float(amount.value)):
        warnings.append(f"{name} is not known: an input it needs is missing")
    return as_json(amount, estimate)


def as_json(amount: Amount, estimate: Estimate) -> dict[str, Any]:
    """Return one quantity with its range and parts, in the unit in which it is shown."""

    def _shown(value: Any) -> float | None:
        number = float(in_unit(value, amount.unit))
        return number if math.isfinite(number) else None

    return {
        "value": _shown(amount.value),
        "unit": amount.unit,
        "low": _shown(amount.low),
        "high": _shown(amount.high),
        "origin": _kind(amount, estimate),
        "parts": {part: _shown(value) for part, value in amount.parts.items()},
    }


# Quantities that are modelled unless an input settles them.
_SETTLED = {"mfu": "given_mfu", "scaling_efficiency": "efficiency_coefficient", "goodput": "given_goodput"}


def _kind(amount: Amount, estimate: Estimate) -> str:
    """Tell where a quantity came from: where its input did if it is one, or has the value of one."""
    column = _SETTLED.get(amount.name, amount.name)
    origin = estimate.case.origins.get(column)
    settled = column == amount.name or math.isclose(amount.value, estimate.case.columns[column])
    return origin.kind if origin and settled else "derived"


def in_unit(value: Any, unit: str) -> Any:
    """Convert a value from house units to the unit in which it is shown; money stays as it is."""
    return units.to_unit(value, unit)


def _layout(estimate: Estimate) -> dict[str, Any]:
    columns, words = estimate.case.columns, estimate.case.words
    fewest = float(estimate.values["fewest_accelerators"])
    return {
        "accelerator": words["accelerator"],
        "accelerators": float(columns["count"]),
        "nodes": math.ceil(float(columns["count"] / columns["per_node"])),
        "node": words.get("node"),
        "precision": words["precision"],
        "sharding": words["sharding"],
        **{name: _number(columns[name]) for name in _LAYOUT},
        "replicas": float(data_parallel(Layout(**{name: columns[name] for name in Layout._fields}))),
        **{name: words[name] for name in ("recompute", "attention", "method", "offload", "stack")},
        "stack_year": _number(columns["stack_year"]),
        "memory_usable": as_json(estimate.amount("memory_usable"), estimate),
        "fits": None if math.isnan(float(columns["memory_usable"])) else bool(estimate.fits),
        "fewest_accelerators": fewest if math.isfinite(fewest) else None,
    }


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(float(value)) else None


# Columns that a user knows by another name.
_ALIASES = {
    "efficiency_coefficient": "scaling_efficiency",
    "sharding": "layout",
    "node_bandwidth": "checkpoint_bandwidth",
}
# Sizes of buffers, and the part of a card's memory without which it is no matter how large they may be.
_BUFFERS = {"live": "gathered_weights", "bucket": "reduced_gradients"}


def name_of(column: str) -> str:
    """Return the name by which a user knows a column."""
    return _ALIASES.get(column, column)


def assumed(estimate: Estimate) -> list[tuple[str, Origin]]:
    """Return every input that was assumed and takes part in the answer, by its column, with its origin."""
    case = estimate.case
    return [
        (name, origin)
        for name, origin in case.origins.items()
        if origin.kind == "assumed"
        and (name in case.words or name in case.columns)
        and _counts(estimate, name)
    ]


def _counts(estimate: Estimate, name: str) -> bool:
    """Tell whether an input takes part in the answer: a buffer's size does where the layout has the buffer."""
    part = estimate.parts["memory"].get(_BUFFERS.get(name, ""))
    return part is None or float(part) > 0.0


def assumptions(estimate: Estimate) -> list[dict[str, Any]]:
    """List every input that was assumed, with its reason, its source and the option that changes it."""
    return [
        {
            "name": name_of(column),
            "value": assumed_value(estimate, column),
            "unit": _unit(estimate, column),
            "reason": origin.reason,
            "option": origin.option or None,
            "source": origin.figure.source.cite() if origin.figure else None,
        }
        for column, origin in assumed(estimate)
    ]


def _unit(estimate: Estimate, name: str) -> str | None:
    return estimate.amount(name).unit if name in estimate.values else None


def assumed_value(estimate: Estimate, name: str) -> str | float | None:
    """Return an assumed input: a word, or a number in the unit in which it is shown."""
    if name in estimate.case.words:
        return estimate.case.words[name]
    value = estimate.case.columns[name]
    if name in estimate.values:
        value = in_unit(value, estimate.amount(name).unit)
    return float(value) if math.isfinite(float(value)) else None


def fit_warnings(estimate: Estimate) -> list[str]:
    """Say by how much a run does not fit, that it is faster than the peak, and that it makes next to no headway."""
    return [*_beyond_the_peak(estimate), *_too_large(estimate), *_no_headway(estimate)]


# A run of which less than this is productive is none that anyone would start.
_HEADWAY = 0.1


def _no_headway(estimate: Estimate) -> list[str]:
    """Say where interruptions leave next to nothing of the time, and which of the losses is the largest."""
    parts = estimate.parts["wall_clock"]
    goodput, total = float(estimate.goodput.value), float(estimate.wall_clock.value)
    if not goodput < _HEADWAY or not math.isfinite(total):
        return []
    from .words import share

    most = max((name for name in parts if name != "productive"), key=lambda name: float(parts[name]))
    return [
        f"next to no headway: {share(goodput)} of the wall clock is productive, {share(float(parts[most]) / total)} "
        f"goes to {'losses that are not told' if most == 'not_told' else most.replace('_', ' ')}"
    ]


def _beyond_the_peak(estimate: Estimate) -> list[str]:
    """Say where a gain that is given makes more of the cards than they can do."""
    reached = float(estimate.mfu.value)
    if not reached > 1.0:
        return []
    return [
        f"an MFU of {reached * 100.0:.3g} % is more than the cards can do; give a smaller --efficiency-gain"
    ]


def _too_large(estimate: Estimate) -> list[str]:
    if bool(estimate.fits) or math.isnan(float(estimate.amount("memory_usable").value)):
        return []
    from .words import amount, digits

    need, room = float(estimate.memory.value), float(estimate.amount("memory_usable").value)
    fewest = float(estimate.values["fewest_accelerators"])
    remedy = (
        f"{digits(fewest, 6)} cards would hold it" if math.isfinite(fewest)
        else "no number of cards holds it with these degrees; `estimate memory` tells what would make it fit"
    )  # fmt: skip
    return [
        f"does not fit: a card needs {amount(need, 'byte')} of {amount(room, 'byte')}, "
        f"{amount(need - room, 'byte')} too much; {remedy}"
    ]


def sources(estimate: Estimate) -> list[Any]:
    """Return every source that the answer rests on, each once, in the order of its inputs."""
    seen: dict[str, Any] = {}
    origins: list[Origin] = list(estimate.case.origins.values())
    for origin in origins:
        for source in origin.sources():
            seen.setdefault(source.cite(), source)
    return list(seen.values())
