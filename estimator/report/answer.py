"""An answer as a table for people: what it takes, with its range, and what was assumed."""

from __future__ import annotations

import math

from ..estimate import Estimate
from . import words
from .document import assumptions, fit_warnings
from .grid import Grid

_LABELS = {
    "flops": "Compute (model FLOPs)",
    "flops_6nd": "  by the 6ND short form",
    "state_memory": "Memory of the states",
    "memory": "Memory of a card",
    "fewest_accelerators": "Fewest cards that hold it",
    "throughput": "Throughput",
    "throughput_per_accelerator": "  of one accelerator",
    "step_time": "Step time",
    "mfu": "MFU",
    "scaling_efficiency": "Scaling efficiency",
    "goodput": "Goodput",
    "accelerator_hours": "Accelerator-hours",
    "occupied_hours": "  occupied",
    "wall_clock": "Wall clock",
    "power": "Power",
    "energy": "Energy",
    "carbon": "Carbon (CO2e)",
    "cost": "Cost",
}
_SHARES = ("mfu", "scaling_efficiency", "goodput")


def title(estimate: Estimate) -> str:
    """Say in a line what is asked: model, tokens, machine, precision and optimizer."""
    columns, case = estimate.case.columns, estimate.case
    nodes = math.ceil(float(columns["count"] / columns["per_node"]))
    count = words.digits(float(columns["count"]), 12)
    return (
        f"{words.counted(float(estimate.parameters.value))} parameters ({case.words['model']}), "
        f"{words.counted(float(columns['tokens']))} tokens, {count} x {case.words['accelerator']} "
        f"({nodes} node{'s' * (nodes != 1)}), {case.words['precision']}, {case.words['optimizer']}"
    )


def rows(estimate: Estimate) -> list[list[str]]:
    """Return label, value and range of every quantity that is known."""
    return [
        [label, shown(estimate, name, "value"), _range(estimate, name), _note(estimate, name)]
        for name, label in _LABELS.items()
        if not math.isnan(float(estimate.amount(name).value))
    ]


def shown(estimate: Estimate, name: str, end: str) -> str:
    """Write one end of a quantity as people read it."""
    amount = estimate.amount(name)
    value = float(getattr(amount, end))
    if name in _SHARES:
        return words.share(value)
    if name == "throughput_per_accelerator" or name == "throughput":
        return f"{words.digits(value)} tokens/s"
    return words.amount(value, amount.unit)


def _range(estimate: Estimate, name: str) -> str:
    low, high = shown(estimate, name, "low"), shown(estimate, name, "high")
    return "" if low == high else f"{low} to {high}"


def _note(estimate: Estimate, name: str) -> str:
    if name == "memory":
        room = words.amount(float(estimate.memory_usable.value), "byte")
        return f"of {room}: {'fits' if bool(estimate.fits) else 'does not fit'}"
    if name == "mfu":
        return f"model FLOPs over the dense {estimate.case.words['precision']} peak"
    return ""


def assumption_rows(estimate: Estimate) -> list[list[str]]:
    """Return name, value, option and reason of every assumption."""
    found: list[list[str]] = []
    for item in assumptions(estimate):
        value = item["value"]
        unit = "" if item["unit"] in (None, "1") else f" {item['unit']}"
        text = "unknown" if value is None else value if isinstance(value, str) else words.digits(value) + unit
        found.append([item["name"], text, item["option"] or "", item["reason"]])
    return found


def grid(estimate: Estimate) -> Grid:
    """Return the quantities of an answer for a table or Markdown."""
    return Grid(["", "estimate", "range (80 %)", ""], rows(estimate))


def table(estimate: Estimate) -> str:
    """Return the whole answer as text."""
    warnings = [f"Warning: {text}" for text in (*fit_warnings(estimate), *estimate.case.notes)]
    assumed = Grid(["Assumed", "", "change with", "because"], assumption_rows(estimate))
    parts = [title(estimate), grid(estimate).table(), "\n".join(warnings), assumed.table()]
    return "\n\n".join(part for part in parts if part)


def markdown(estimate: Estimate) -> str:
    """Return the whole answer as Markdown."""
    warnings = [f"- {text}" for text in (*fit_warnings(estimate), *estimate.case.notes)]
    assumed = Grid(["assumed", "value", "change with", "because"], assumption_rows(estimate))
    parts = [f"**{title(estimate)}**", grid(estimate).markdown(), "\n".join(warnings), assumed.markdown()]
    return "\n\n".join(part for part in parts if part)
