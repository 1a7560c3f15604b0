"""Whether a run fits on its cards, and what is the cheapest change that makes it fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from . import estimate
from .answer import ask, sized
from .arrays import Array, array
from .case import Case
from .errors import EstimatorError
from .estimate import Estimate
from .inputs import Run
from .inputs.run import rivals_of
from .lower import lower
from .presets import Presets
from .tuples import NamedTuple

Inputs = Mapping[str, str | float]

# Optimizers that keep less than most, and methods that train less, tried in this order.
_OPTIMIZERS = ("adam-8bit", "adamw-bf16", "adafactor", "lomo")
_METHODS = ("lora", "qlora")
_OFFLOADS = ("optimizer", "all")
_DEGREES = ("tp", "pp", "cp")
# So many doublings of a degree, of the nodes, and halvings of a micro-batch are tried.
_DOUBLINGS, _NODES = 6, 12
# Where no change alone is enough, pairs of so many of the most helpful ones are tried.
_PAIRED = 6


class Change(NamedTuple):
    """Inputs that are changed or added, and what comes of it: memory of a card, speed of one accelerator."""

    inputs: Inputs
    memory: float
    throughput: float
    fits: bool


class Advice(NamedTuple):
    """An answer about memory, and the changes that make it fit, the cheapest first; none where it fits."""

    estimate: Estimate
    changes: Sequence[Change]


def advise(run: Run, presets: Presets | None = None) -> Advice:
    """Answer whether a question fits, and where it does not, rank the changes that make it fit.

    Each change is the same question with one input changed, or two where one is not enough. They are ranked by
    the tokens a second that an accelerator is left with, then by how few they are.

    Raises
    ------
    QuestionError
        What is wrong with the question itself; a change that is not legal is left out.
    """
    presets = presets or Presets()
    found = ask(run, presets)
    if bool(found.fits) or math.isnan(float(found.amount("memory_usable").value)):
        return Advice(found, ())
    alone = _tried(run, presets, list(_singles(run, found)))
    fitting = [change for change in alone if change.fits]
    if not fitting:
        fitting = [change for change in _tried(run, presets, _pairs(alone)) if change.fits]
    return Advice(found, _ranked(fitting + _more_cards(run, presets, found)))


def changed(run: Run, inputs: Inputs, presets: Presets) -> Run:
    """Return the same question with inputs changed; what contradicts them is left out.

    Examples
    --------
    >>> changed(Run(params=7e9, nodes=2), {"count": 32.0}, Presets()).write()
    {'params': 7000000000.0, 'count': 32.0}
    """
    rivals = {rival for name in inputs for rival in rivals_of(name)}
    kept = {name: value for name, value in run.write().items() if name not in rivals}
    return Run.read({**kept, **inputs}, presets)


def _singles(run: Run, found: Estimate) -> Iterator[Inputs]:
    """Yield every change of one input; what the question leaves open of a layout is chosen anew for each."""
    columns = found.case.columns
    yield from _of_layout(run, columns)
    yield from ({"offload": place} for place in _OFFLOADS if place != run.offload)
    if run.method in (None, "full"):
        yield from ({"optimizer": name} for name in _OPTIMIZERS if name != run.optimizer)
    yield from ({"method": name} for name in _METHODS if name != run.method)


def _of_layout(run: Run, columns: Mapping[str, Array]) -> Iterator[Inputs]:
    """Yield changes of what the question gives of its layout: more of each degree, less at a time."""
    modes = {
        "none": ("full", "selective", "modules"),
        "selective": ("full",),
        "modules": ("full", "selective"),
    }
    yield from ({"recompute": mode} for mode in modes.get(run.recompute or "", ()))
    if run.attention == "unfused":
        yield {"attention": "fused"}
    if run.sequence_parallel == "off" and (run.tp or 1.0) > 1.0:
        yield {"sequence_parallel": "on"}
    yield from ({"zero": float(stage)} for stage in (1, 2, 3) if run.zero is not None and stage > run.zero)
    most = {"tp": float(array(columns["per_node"]))}
    for name in _DEGREES:
        degree: float | None = getattr(run, name)
        more = [degree * 2.0**power for power in range(1, _DOUBLINGS + 1)] if degree is not None else []
        yield from ({name: value} for value in more if value <= most.get(name, math.inf))
    batch = run.micro_batch
    while batch is not None and batch > 1.0:
        batch = math.floor(batch / 2.0)
        yield {"micro_batch": float(batch)}


def _pairs(alone: Sequence[Change]) -> list[Inputs]:
    """Return pairs of the changes of different inputs that leave the least memory, one an input."""
    least: dict[frozenset[str], Change] = {}
    for change in sorted(alone, key=lambda change: change.memory):
        least.setdefault(frozenset(change.inputs), change)
    helpful = list(least.values())[:_PAIRED]
    return [{**one.inputs, **other.inputs} for one, other in combinations(helpful, 2)]


def _more_cards(run: Run, presets: Presets, found: Estimate) -> list[Change]:
    """Return the change to the fewest nodes that hold the run, where more of them do."""
    per_node, count = (float(found.case.columns[name]) for name in ("per_node", "count"))
    fewest = float(found.values["fewest_accelerators"])
    if math.isfinite(fewest):
        counts = [math.ceil(max(fewest, count) / per_node) * per_node]
    else:
        counts = [per_node * 2.0**power for power in range(_NODES)]
    for more in (more for more in counts if more > count):
        tried = [change for change in _tried(run, presets, [{"count": more}]) if change.fits]
        if tried:
            return tried
    return []


def _tried(run: Run, presets: Presets, changes: Sequence[Inputs]) -> list[Change]:
    """Evaluate the same question with each of the changes, all in one call on a last axis."""
    legal: list[tuple[Inputs, Case]] = []
    for inputs in changes:
        try:
            legal.append((inputs, sized(lower(changed(run, inputs, presets), presets))))
        except EstimatorError:  # a degree that does not divide, a method without that input
            continue
    if not legal:
        return []
    found = estimate.evaluate(_stacked([case for _, case in legal]))
    memory, speed, fits = (
        np.broadcast_to(value, len(legal)).tolist()
        for value in (found.values["memory"], found.values["throughput_per_accelerator"], found.fits)
    )
    return [
        Change(inputs, memory[place], speed[place], bool(fits[place]))
        for place, (inputs, _) in enumerate(legal)
    ]


def _stacked(cases: Sequence[Case]) -> Case:
    """Put cases of shape () on a last axis, with the columns that all of them have."""
    common = [name for name in cases[0].columns if all(name in case.columns for case in cases)]
    return Case({name: array([float(case.columns[name]) for case in cases]) for name in common})


def _ranked(changes: Sequence[Change]) -> list[Change]:
    """Order changes by speed, then by how few inputs they change; of one input's values keep the best.

    Each optimizer, method and place of states is a choice of its own and stays.
    """
    ordered = sorted(changes, key=lambda change: (-_speed(change), len(change.inputs), change.memory))
    seen: set[tuple[object, ...]] = set()
    kept: list[Change] = []
    for change in ordered:
        key = tuple(
            value if isinstance(value, str) else name for name, value in sorted(change.inputs.items())
        )
        if key not in seen:
            seen.add(key)
            kept.append(change)
    return kept


def _speed(change: Change) -> float:
    """Speed for ranking: one that is not known is the last."""
    return change.throughput if math.isfinite(change.throughput) else -math.inf
