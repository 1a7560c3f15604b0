"""What interruptions take of a run as tables for people, as JSON and as CSV."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..estimate import Estimate
from ..goodput import Help, Interrupted
from . import words
from .answer import assumption_lines, assumption_rows, between, shown, title
from .document import as_json, assumed, assumptions, fit_warnings, name_of, sources
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/goodput/1"
_PARTS = {
    "productive": "Productive",
    "checkpoints": "Checkpoints",
    "lost_work": "Lost work",
    "restarts": "Restarts",
    "rollbacks": "Rollbacks",
    "stragglers": "Stragglers",
    "waiting": "Waiting for nodes",
}
# What would help, in words, and the option that says that it is so.
_HELPS = {
    "best_interval": "checkpoints at the best interval (leave out --checkpoint-interval)",
    "checkpoints_behind": "checkpoints written behind the steps (--checkpoint-exposed 2%)",
    "checkpoints_twice_as_fast": "checkpoints written twice as fast (--checkpoint-bandwidth)",
    "restarts_in_half_the_time": "restarts in half the time (--restart-time)",
    "half_the_interruptions": "half the interruptions (--failures)",
    "no_rollbacks": "no rollbacks (--rollback-share 0)",
    "no_stragglers": "no slow nodes (--straggler-share 0)",
    "two_more_spare_nodes": "two more spare nodes (--spare-nodes)",
    "repairs_in_half_the_time": "nodes replaced in half the time (--replacement-time)",
}
# The quantities behind it, in the order in which they follow from each other.
_QUANTITIES = (
    "mtbi", "checkpoint_size", "checkpoint_time", "checkpoint_stall", "young_interval", "daly_interval",
    "checkpoint_interval", "waiting_share", "goodput", "accelerator_hours", "occupied_hours", "wall_clock",
)  # fmt: skip
# Inputs that it depends on beside time and size of the run: only these are listed as assumed.
_OWN = frozenset(
    ("failures", "node_bandwidth", "restart_time", "rollback_share", "straggler_share", "checkpoint_exposed",
     "spare_nodes", "replacement_time", "replaced_share", "optimizer", "accelerator", "within", "tokens", "shape")
)  # fmt: skip


def goodput_page(found: Interrupted, question: Mapping[str, Any], width: int = 100) -> Page:
    """Return the answer in the shapes that it is written in."""
    estimate = found.estimate
    own = [
        row
        for row, (name, _) in zip(assumption_rows(estimate), assumed(estimate), strict=True)
        if name in _OWN
    ]
    told = (verdict(estimate), interruptions(estimate), checkpoints(estimate), interval(found))
    warnings = [f"Warning: {text}" for text in (*fit_warnings(estimate), *estimate.case.notes)]
    helps = helps_grid(found.helps, estimate)
    parts = [
        "\n".join([title(estimate), *(wrapped(text, width, "", "    ") for text in warnings)]),
        parts_grid(estimate),
        "\n".join(wrapped(text, width) for text in told),
        *([helps] if helps.rows else []),
        "\n".join(["Assumed (an option changes it):", *assumption_lines(own, width)]),
    ]
    return Page(parts, rows(estimate), document(found, question))


def parts_grid(estimate: Estimate) -> Grid:
    """Return every part of the wall time, and the whole with its range."""
    wall = estimate.wall_clock
    total = float(wall.value)
    cells = [
        [label, words.amount(float(wall.parts[name]), "s"), words.share(float(wall.parts[name]) / total)]
        for name, label in _PARTS.items()
    ]
    span = between(estimate, "wall_clock")
    ranged = f"{span} (80 % range)" if span else ""
    return Grid(["", "time", "share"], [*cells, ["Wall clock", shown(estimate, "wall_clock"), ranged]])


# A gain of less than this share of the time is not worth a line.
_WORTH = 5e-4


def helps_grid(helps: Sequence[Help], estimate: Estimate) -> Grid:
    """Return what would help, the most first, each alone: the goodput with it, and the time that it gains."""
    wall = float(estimate.wall_clock.value)
    cells = [
        [_HELPS[name], words.share(goodput), words.amount(gained, "s")]
        for name, goodput, gained in helps
        if gained > _WORTH * wall
    ]
    return Grid(["What would help, each alone", "goodput", "gains"], cells)


def verdict(estimate: Estimate) -> str:
    """Give the goodput with its range."""
    span = between(estimate, "goodput")
    return f"Goodput {shown(estimate, 'goodput')}{f' (80 % range {span})' if span else ''}."


def interruptions(estimate: Estimate) -> str:
    """Say how often the job is interrupted, and how many times in all."""
    mean, wall = float(estimate.mtbi.value), float(estimate.wall_clock.value)
    busy = wall - float(estimate.wall_clock.parts["waiting"])
    return f"An interruption every {words.amount(mean, 's')}: about {words.digits(busy / mean, 2)} in the whole run."


def checkpoints(estimate: Estimate) -> str:
    """Say how large a checkpoint is, how long it takes to write, and for how much of that training stands still."""
    stall = float(estimate.checkpoint_stall.value)
    return (
        f"A checkpoint is {shown(estimate, 'checkpoint_size')} and takes {shown(estimate, 'checkpoint_time')} "
        f"to write; training stands still for {words.amount(stall, 's')} of it."
    )


def interval(found: Interrupted) -> str:
    """Say how often a checkpoint is written, and what is best."""
    estimate, best = found.estimate, found.best
    young = shown(estimate, "young_interval")
    least = words.amount(float(best.values["checkpoint_interval"]), "s")
    kept = words.share(float(best.values["goodput"]))
    text = f"The best interval is {least} (Daly 2006; {young} by Young 1974)"
    if math.isnan(float(estimate.case.columns["given_interval"])):
        return f"{text}, and is taken."
    return f"{text}, with a goodput of {kept}; {shown(estimate, 'checkpoint_interval')} are given."


def document(found: Interrupted, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as the JSON document."""
    estimate, best = found.estimate, found.best
    return {
        "schema": SCHEMA,
        "question": dict(question),
        **{name: as_json(estimate.amount(name), estimate) for name in _QUANTITIES},
        "helps": [each._asdict() for each in found.helps],
        "best": {name: float(best.values[name]) for name in ("checkpoint_interval", "goodput")},
        "assumptions": [
            each for each in assumptions(estimate) if each["name"] in {name_of(name) for name in _OWN}
        ],
        "warnings": [*fit_warnings(estimate), *estimate.case.notes],
        "sources": [source.cite() for source in sources(estimate)],
    }


def rows(estimate: Estimate) -> Grid:
    """Return every quantity and part with full precision, for CSV."""
    cells: list[list[str]] = []
    for name in _QUANTITIES:
        told = as_json(estimate.amount(name), estimate)
        cells.append([name, "", told["unit"], *(_cell(told[end]) for end in ("value", "low", "high"))])
        cells += [[name, part, told["unit"], _cell(value), "", ""] for part, value in told["parts"].items()]
    return Grid(["name", "part", "unit", "value", "low", "high"], cells)


def _cell(value: float | None) -> str:
    return "" if value is None else repr(value)
