"""From a question to its answer: lower it, find the count it leaves open, evaluate it with its range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import estimate
from .arrays import Array, array
from .case import Case
from .estimate import STEPS, Estimate
from .formulas.throughput import nodes_needed
from .inputs import Run
from .lower import lower
from .presets import Presets
from .provenance import Origin

_ROUNDS = 60
Values = np.ndarray[Any, np.dtype[np.float64]]


def ask(run: Run, presets: Presets | None = None) -> Estimate:
    """Answer one question, with a range on every quantity.

    Raises
    ------
    QuestionError
        What validation could not see: a price without an exchange rate, a precision the chip lacks ...
    """
    return with_ranges(noted(sized(lower(run, presets or Presets()))))


def evaluate(question: Run | Case) -> Estimate:
    """Compute a question or a case: a `Run` is answered with its ranges, a `Case` of any shape without.

    Examples
    --------
    >>> from estimator import Run, evaluate
    >>> f"{float(evaluate(Run(params=65e9)).flops_6nd.value):.3g}"
    '5.07e+23'
    """
    return ask(question) if isinstance(question, Run) else estimate.evaluate(question)


def sized(case: Case) -> Case:
    """Fill in the count where the question leaves it open: whole nodes, in time and large enough.

    More nodes may run less efficiently, so the count is raised until the time it gives is short enough; where
    that never happens the count stays at its last value and the note says so.
    """
    if "count" in case.columns:
        return case
    per_node, within = case.columns["per_node"], case.columns["within"]
    trial = case.with_columns({"count": per_node})
    nodes: Array = array(1.0)
    for _ in range(_ROUNDS):
        found = estimate.evaluate(trial)
        needed = nodes_needed(
            found.values["occupied_hours"], within, per_node, found.values["fewest_accelerators"]
        )
        if np.all(needed <= nodes):
            break
        nodes = np.maximum(nodes, needed)
        trial = case.with_columns({"count": nodes * per_node})
    else:
        late = "no count finishes in that time: scaling losses grow faster than the count"
        trial = replace(trial, notes=(*trial.notes, late))
    origin = Origin("derived", "whole nodes that finish in time and hold the model", option="--count")
    return replace(trial, origins={**trial.origins, "count": origin})


def noted(case: Case) -> Case:
    """Add what only the count can show: a batch too small for it, a count that nobody has."""
    columns, notes = case.columns, list(case.notes)
    count, batch = float(columns["count"]), float(columns["global_batch"])
    smallest = count * float(columns["micro_batch"])
    if batch < smallest:
        notes.append(
            f"a batch of {batch:,.0f} sequences leaves accelerators idle: the layout modelled gives each of "
            f"{count:,.0f} at least {float(columns['micro_batch']):,.0f}"
        )
    if count > float(columns["largest_run"]):
        notes.append(
            f"{count:,.0f} accelerators are more than any run on record has used "
            f"(about {float(columns['largest_run']):,.0f})"
        )
    return replace(case, notes=tuple(notes))


def with_ranges(case: Case) -> Estimate:
    """Evaluate a case and the ends of each of its unknowns in one call, on a last axis of 2 k + 1 points."""
    spread = estimate.evaluate(_spread(case))
    values = {name: value[..., 0] for name, value in _last_axis(spread.values, case).items()}
    parts = {
        name: {part: value[..., 0] for part, value in _last_axis(members, case).items()}
        for name, members in spread.parts.items()
    }
    low, high = _combined(_last_axis(spread.values, case))
    for step in (step for step in STEPS if step.whole):
        low[step.name], high[step.name] = np.floor(low[step.name]), np.ceil(high[step.name])
    return Estimate(case, values, parts, low, high)


def _spread(case: Case) -> Case:
    """Put every column on a last axis: the case itself, then each unknown at its low and its high end."""
    points = 2 * len(case.unknowns) + 1
    columns = {name: np.asarray(value)[..., None] for name, value in case.columns.items()}
    for index, unknown in enumerate(case.unknowns):
        for offset, end in ((1, unknown.low), (2, unknown.high)):
            for name, value in end.items():
                axis = np.broadcast_to(columns[name], (*columns[name].shape[:-1], points)).copy()
                axis[..., 2 * index + offset] = value
                columns[name] = axis
    return replace(case, columns=columns)


def _last_axis(values: Mapping[str, Array], case: Case) -> dict[str, Values]:
    points = 2 * len(case.unknowns) + 1
    return {name: np.broadcast_to(value, (*np.shape(value)[:-1], points)) for name, value in values.items()}


def _combined(values: Mapping[str, Values]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Combine the unknowns' deviations as independent ones, in log space, each side for itself."""
    low: dict[str, Array] = {}
    high: dict[str, Array] = {}
    for name, value in values.items():
        centre = value[..., :1]
        usable = np.isfinite(value) & (value > 0) & np.isfinite(centre) & (centre > 0)
        ratio = np.log(np.where(usable, value, 1.0) / np.where(usable, centre, 1.0))[..., 1:]
        pairs = ratio.reshape(*ratio.shape[:-1], -1, 2)
        down = np.minimum(pairs.min(axis=-1, initial=0.0), 0.0)
        up = np.maximum(pairs.max(axis=-1, initial=0.0), 0.0)
        low[name] = centre[..., 0] * np.exp(-np.sqrt((down * down).sum(axis=-1)))
        high[name] = centre[..., 0] * np.exp(np.sqrt((up * up).sum(axis=-1)))
    return low, high
