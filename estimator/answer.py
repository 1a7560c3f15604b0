"""From a question to its answer: lower it, find the count it leaves open, evaluate it with its range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from . import estimate, ranges
from .arrays import Array
from .case import Case
from .deadline import nodes_in_time
from .estimate import STEPS, Estimate
from .idle import idle_notes
from .inputs import Run
from .lower import lower
from .lower.layout import described
from .plan import filled, planned
from .presets import Presets
from .provenance import Origin
from .ranges import Values

# What computes quantities of a case of any shape.
Evaluate = Callable[[Case, Iterable[str]], Estimate]
_LATE = "no count finishes in that time: more accelerators hardly shorten the run"
_UNEVEN = ", and a batch of {:,.0f} sequences is shared out evenly by few counts"
_WHOLE = {step.name for step in STEPS if step.whole}
# So many numbers have their ends worked out at once.
_TOGETHER = 1 << 16
# Shares of the peak and of the speed at small scale, which nothing passes.
MOST = {"mfu": 1.0, "hfu": 1.0, "scaling_efficiency": 1.0}


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
    """Fill in what the question leaves open: the count, and the layout.

    Where no count finishes in time the fastest that was tried stands for it, and a note says so.
    """
    if "count" in case.columns:
        return planned(case)
    nodes, in_time, chosen = nodes_in_time(case)
    found = filled(case.with_columns({"count": nodes * case.columns["per_node"], "in_time": in_time}), chosen)
    origin = Origin("derived", "whole nodes that finish in time and hold the model", option="--count")
    ended = Origin("derived", "1 where that count finishes in time", option="--within")
    words = found.words if np.ndim(nodes) else {**found.words, "sharding": described(found.columns)}
    notes = found.notes if np.all(in_time) else (*found.notes, _late(found))
    return replace(
        found, origins={**found.origins, "count": origin, "in_time": ended}, words=words, notes=notes
    )


def _late(case: Case) -> str:
    """Say why no count finishes in time; a batch that is given leaves few counts to choose among."""
    batch = np.asarray(case.columns["global_batch"])
    return _LATE + (_UNEVEN.format(float(batch)) if "replicas" in case.free and not batch.ndim else "")


def noted(case: Case) -> Case:
    """Add what only the count can show: idle accelerators, which are told first, and a count that nobody has."""
    columns, notes = case.columns, [*idle_notes(case), *case.notes]
    count = float(columns["count"])
    if count > float(columns["largest_run"]):
        notes.append(
            f"{count:,.0f} accelerators are more than any run on record has used "
            f"(about {float(columns['largest_run']):,.0f})"
        )
    notes += [*_beyond_the_host(case), *_beyond_the_run(case)]
    return replace(case, notes=tuple(notes))


def _beyond_the_host(case: Case) -> list[str]:
    """Tell where what stands on a node's host is more than the memory on record for it."""
    if "host_memory" not in case.columns:
        return []
    used = float(estimate.evaluate(case, ("host_memory_used",)).values["host_memory_used"])
    there = float(case.columns["host_memory"])
    if used <= there:
        return []
    return [
        f"what --offload puts on the host of a node takes {used / 2**30:,.0f} GiB, and {case.words['node']} is on "
        f"record with {there / 2**30:,.0f} GiB of memory"
    ]


def _beyond_the_run(case: Case) -> list[str]:
    """Tell where checkpoints are said to be further apart than the run is long."""
    apart = float(case.columns["given_interval"])
    if math.isnan(apart):
        return []
    hours = estimate.evaluate(case, ("accelerator_hours",)).values["accelerator_hours"]
    work = float(hours / case.columns["count"])
    if not apart > work:
        return []
    return [
        f"--checkpoint-interval: {apart / 86400.0:,.3g} days are more than the {work / 86400.0:,.3g} days of work of "
        "the run: no checkpoint is written before its end, and less is lost than this says"
    ]


def with_ranges(case: Case, wanted: Iterable[str] = (), evaluate: Evaluate = estimate.evaluate) -> Estimate:
    """Evaluate a case and the ends of each of its unknowns in one call, on a last axis of 2 k + 1 points.

    Where some quantities are wanted, those alone and what they need; a fleet is evaluated by a function of its own.
    """
    spread = evaluate(ranges.spread(case), wanted)
    points = ranges.points(spread.values, case)
    parts = {
        name: {part: value[..., 0] for part, value in ranges.points(members, case).items()}
        for name, members in spread.parts.items()
    }
    values = {name: value[..., 0] for name, value in points.items()}
    return Estimate(case, values, parts, *_all_ends(points))


def _all_ends(points: Mapping[str, Values]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the low and the high ends of quantities; few numbers of one shape take no longer together than alone."""
    low, high = dict[str, Array](), dict[str, Array]()
    for shape in dict.fromkeys(value.shape for value in points.values()):
        alike = [name for name, value in points.items() if value.shape == shape]
        step = max(_TOGETHER // max(math.prod(shape), 1), 1)
        for start in range(0, len(alike), step):
            names = alike[start : start + step]
            # The quantities lie on a first axis.
            whole, most = (
                np.array(each).reshape(-1, *[1] * (len(shape) - 1))
                for each in ([name in _WHOLE for name in names], [MOST.get(name, math.inf) for name in names])
            )
            ends = ranges.around(np.stack([points[name] for name in names]), whole=whole, most=most)
            for found, values in zip((low, high), ends, strict=True):
                found.update(zip(names, np.asarray(values), strict=True))
    return low, high


def ends_of(name: str, points: Values) -> tuple[Array, Array]:
    """Return the low and the high end of a quantity from its values on a last axis of points."""
    return ranges.around(points, whole=name in _WHOLE, most=MOST.get(name, math.inf))
