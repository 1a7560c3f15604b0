"""An answer as a table for people: what it takes, with its range, and what was assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..arrays import Array
from ..estimate import UNITS, Amount, Estimate
from ..formulas.stages import KINDS
from ..provenance import Origin
from . import words
from .dates import prices_of
from .document import assumed, fit_warnings, name_of
from .grid import Grid, wrapped

LABELS = {
    "flops": "Compute (model FLOPs)",
    "flops_6nd": "  by the 6ND short form",
    "state_memory": "Memory of the states",
    "memory": "Memory of a card",
    "memory_total": "  allocated on all cards",
    "fewest_accelerators": "Fewest cards that hold it",
    "throughput": "Throughput",
    "throughput_per_accelerator": "  of one accelerator",
    "step_time": "Step time",
    "mfu": "MFU",
    "hfu": "  with what is recomputed",
    "scaling_efficiency": "Scaling efficiency",
    "goodput": "Goodput",
    "accelerator_hours": "Accelerator-hours",
    "occupied_hours": "  occupied",
    "wall_clock": "Wall clock",
    "power": "Power",
    "energy": "Energy",
    "carbon": "Carbon (CO2e)",
    "cost": "Cost",
    "cost_per_hour": "  of an accelerator-hour",
    "cost_per_application": "  of an application",
    "investment": "To be bought",
    "break_even_utilisation": "Owning is cheaper from",
    "break_even_time": "  and is paid back in",
}
# Shares, shown in percent.
SHARES = (
    "efficiency_coefficient", "given_efficiency", "given_mfu", "mfu", "hfu", "scaling_efficiency", "goodput",
    "given_goodput", "rollback_share", "straggler_share", "checkpoint_exposed", "waiting_share",
    "network_share", "storage_share", "cost_of_capital", "maintenance", "utilisation", "idle_power", "spot_share",
    "spot_loss", "break_even_utilisation",
)  # fmt: skip
# Dates, which no comma divides.
YEARS = ("stack_year", "year")


def title(estimate: Estimate) -> str:
    """Say in a line what is asked: model, tokens, machine, precision and optimizer."""
    columns, case = estimate.case.columns, estimate.case
    nodes = math.ceil(float(columns["count"] / columns["per_node"]))
    count = words.digits(float(columns["count"]), 12)
    model = f"{case.words['model']}, " if "model" in case.words else ""
    return (
        f"{model}{words.counted(float(estimate.parameters.value))} parameters, "
        f"{words.counted(float(columns['tokens']))} tokens, {count} x {case.words['accelerator']} "
        f"({nodes:,} node{'s' * (nodes != 1)}), {case.words['precision']}, {case.words['optimizer']}"
    )


def rows(estimate: Estimate) -> list[list[str]]:
    """Return label, value, range and note of every quantity that is known."""
    return [
        [label, shown(estimate, name), between(estimate, name), _note(estimate, name)]
        for name, label in LABELS.items()
        if not math.isnan(float(estimate.amount(name).value)) and not repeats(estimate, name)
    ]


# Rows that may say what another one says.
_SAME = {
    "occupied_hours": "accelerator_hours", "memory_total": "memory", "hfu": "mfu", "cost_per_hour": "price",
    "cost_per_application": "cost",
}  # fmt: skip


def repeats(estimate: Estimate, name: str) -> bool:
    """Tell whether a row only says again what another does: nothing is lost, on one card, nothing recomputed."""
    same = _SAME.get(name)
    if same is None or same not in estimate.values:
        return False
    return math.isclose(estimate.values[name], estimate.values[same], rel_tol=1e-12)


def shown(estimate: Estimate, name: str) -> str:
    """Write a quantity or a shown input as people read it."""
    amount = estimate.amount(name)
    value = float(amount.value)
    if name == "fewest_accelerators" and math.isinf(value):
        return "none does"
    if value > _never(estimate, name):
        return "never"
    return words.share(value) if name in SHARES else words.amount(value, amount.unit)


def between(estimate: Estimate, name: str) -> str:
    """Write the range of a quantity or a shown input; nothing where its ends read alike."""
    amount = estimate.amount(name)
    low, high, value = float(amount.low), float(amount.high), float(amount.value)
    if high > (most := _never(estimate, name)):
        least = words.share(low) if name in SHARES else words.amount(low, amount.unit)
        return "" if low > most else f"{least} to never"
    if name not in SHARES:
        return words.span(low, high, value, amount.unit)
    text = words.span(low * 100, high * 100, value * 100, "1")
    return f"{text} %" if text else ""


def _never(estimate: Estimate, name: str) -> float:
    """Return beyond what a break-even is none: more use than all of the time, or than the life of the machines."""
    if name == "break_even_time":
        return float(estimate.case.columns["life"]) * (1.0 + 1e-9)  # at the edge rounding decides
    return 1.0 if name == "break_even_utilisation" else math.inf


def _note(estimate: Estimate, name: str) -> str:
    if name == "memory":
        room = words.amount(float(estimate.memory_usable.value), "byte")
        if math.isnan(float(estimate.memory_usable.value)):
            return "the card's memory is not on record"
        return f"of {room}: {'fits' if bool(estimate.fits) else 'does not fit'}{_stage(estimate)}"
    if name == "mfu":
        return f"model FLOPs over the dense {estimate.case.words['precision']} peak{_basis(estimate)}"
    return prices_of(estimate) if name == "cost" else _NOTES.get(name, "")


_NOTES = {
    "break_even_utilisation": "of the time, at the rent below",
    "investment": "machines, network, storage and building",
}


def _basis(estimate: Estimate) -> str:
    """Say what the MFU rests on: the model, or what is given and loses by scale."""
    given = float(estimate.given_mfu.value)
    if math.isnan(given):
        return "; modelled, fitted to measured steps"
    kept = float(estimate.scaling_efficiency.value)
    lost = not math.isnan(float(estimate.given_efficiency.value)) and kept < 1.0
    return f"; {words.share(given)} given, {words.share(kept)} of it kept at this scale" if lost else ""


# A part that takes less than this share of it is not worth a word.
_WORTH_TELLING = 0.005


def step_line(estimate: Estimate) -> str:
    """Tell where the time of a step goes, the largest part first; nothing where the time is not known."""
    time = estimate.step_time
    told = _shares(time, time.parts, _WORTH_TELLING)
    return f"A step of {words.amount(float(time.value), 's')} goes to: {told}." if told else ""


def wall_line(estimate: Estimate) -> str:
    """Tell what the wall clock loses and to what, the most first; nothing where the goodput is given or not known."""
    lost = {part: value for part, value in estimate.wall_clock.parts.items() if part != "productive"}
    told = _shares(estimate.wall_clock, lost, _WORTH_TELLING / 10.0)
    given = not math.isnan(float(estimate.given_goodput.value))
    return "" if given or not told else f"Of the wall clock are lost: {told}."


def _shares(time: Amount, parts: Mapping[str, Array], least: float) -> str:
    """Write parts of a time as shares of it, the largest first; nothing where it is not known."""
    total = float(time.value)
    if not math.isfinite(total) or total <= 0.0:
        return ""
    shares = {part: float(value) / total for part, value in parts.items()}
    return ", ".join(
        f"{part.replace('_', ' ')} {words.digits(share * 100.0, 2)} %"
        for part, share in sorted(shares.items(), key=lambda pair: -pair[1])
        if share >= least
    )


def cost_line(estimate: Estimate) -> str:
    """Tell where the cost goes, the largest part first; nothing where it is rent alone."""
    cost = estimate.cost
    told = _shares(cost, cost.parts, _WORTH_TELLING)
    return (
        f"The cost of {words.amount(float(cost.value), cost.unit)} goes to: {told}."
        if told.count("%") > 1 else ""
    )  # fmt: skip


def _stage(estimate: Estimate) -> str:
    """Name the fullest pipeline stage, where there is more than one."""
    if float(estimate.case.columns["pp"]) <= 1.0:
        return ""
    return f"; the {KINDS[int(float(estimate.worst_stage.value))]} stage is the fullest"


def assumption_rows(estimate: Estimate) -> list[list[str]]:
    """Return name, value, option and reason of every assumption."""
    return [
        [name_of(column), _assumed(estimate, column), origin.option, reason_of(origin)]
        for column, origin in assumed(estimate)
    ]


def reason_of(origin: Origin) -> str:
    """Give the reason of an assumption, and who says so where that is not this house."""
    source = origin.figure.source if origin.figure else None
    return (
        f"{origin.reason} ({source.publisher}, {source.locator})"
        if source and source.locator
        else origin.reason
    )


def _assumed(estimate: Estimate, name: str) -> str:
    return estimate.case.words[name] if name in estimate.case.words else plain(estimate, name)


def plain(estimate: Estimate, name: str, keep: int = 3) -> str:
    """Write an input: as an answer shows it, else its number to so many digits."""
    if name in UNITS:
        return shown(estimate, name)
    value = float(estimate.case.columns[name])
    return f"{value:g}" if name in YEARS and math.isfinite(value) else words.digits(value, keep)


def grid(estimate: Estimate) -> Grid:
    """Return the quantities of an answer for a table or Markdown."""
    return Grid(["", "estimate", "80 % range", ""], rows(estimate))


def table(estimate: Estimate, width: int = 100) -> str:
    """Return the whole answer as text; the assumptions are wrapped to ``width`` columns."""
    warnings = [f"Warning: {text}" for text in (*fit_warnings(estimate), *estimate.case.notes)]
    lines = assumption_lines(assumption_rows(estimate), width)
    head = "\n".join([title(estimate), *(wrapped(text, width, "", "    ") for text in warnings)])
    step = wrapped(step_line(estimate), width, "", "    ")
    wall = wrapped(wall_line(estimate), width, "", "    ")
    money = wrapped(cost_line(estimate), width, "", "    ")
    known = wrapped(_on_record(estimate), width, "", "    ")
    parts = [head, grid(estimate).table(), step, wall, money, known, "\n".join([ASSUMED, *lines])]
    return "\n\n".join(part for part in parts if part)


def _on_record(estimate: Estimate) -> str:
    """Say what a run like the one asked for is on record to have taken; nothing where none is."""
    told = estimate.case.words.get("published")
    return f"On record: {told}." if told else ""


ASSUMED = "Assumed (an option changes it):"


def assumption_lines(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Write assumptions as wrapped lines, those of one reason together.

    Examples
    --------
    >>> rows = [["tp", "2", "--tp", "the fastest"], ["pue", "1.15", "--pue", "AWS"], ["pp", "4", "", "the fastest"]]
    >>> print(*assumption_lines(rows, 80), sep="\\n")
      tp = 2 (--tp), pp = 4: the fastest
      pue = 1.15 (--pue): AWS
    """
    heads: dict[str, list[str]] = {}
    for name, value, option, reason in rows:
        heads.setdefault(reason, []).append(f"{name} = {value} ({option})" if option else f"{name} = {value}")
    return [wrapped(f"{', '.join(own)}: {reason}", width, "  ", "      ") for reason, own in heads.items()]


def markdown(estimate: Estimate) -> str:
    """Return the whole answer as Markdown."""
    warnings = [f"- {text}" for text in (*fit_warnings(estimate), *estimate.case.notes)]
    listed = Grid(["assumed", "value", "change with", "because"], assumption_rows(estimate))
    head = f"**{title(estimate)}**"
    parts = [
        head,
        grid(estimate).markdown(),
        step_line(estimate),
        wall_line(estimate),
        cost_line(estimate),
        "\n".join(warnings),
        listed.markdown(),
    ]
    return "\n\n".join(part for part in parts if part)
