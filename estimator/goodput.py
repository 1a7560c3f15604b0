"""What interruptions take of a run, what the best interval would leave of it, and what would help the most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from . import estimate
from .answer import ask
from .arrays import Array, array
from .case import Case
from .errors import QuestionError
from .estimate import Estimate
from .inputs import Run
from .presets import Presets
from .tuples import NamedTuple

Columns = Mapping[str, Array]
# A write of which training waits for so little is one in the background, as in presets/assumptions/reliability.toml.
_BEHIND = 0.02


class Help(NamedTuple):
    """What a run would be with one thing better: which thing, its goodput, and what it gains of the wall time. [s]"""

    name: str
    goodput: float
    gained: float


class Interrupted(NamedTuple):
    """An answer, what it would be with checkpoints as often as loses the least, and what would help, the most first."""

    estimate: Estimate
    best: Estimate
    helps: tuple[Help, ...]


# What could be better, each with the columns that it changes.
_BETTER: Mapping[str, Callable[[Columns], Columns]] = {
    "best_interval": lambda now: {"given_interval": array(math.nan)},
    "checkpoints_behind": lambda now: {"checkpoint_exposed": array(min(_BEHIND, float(now["checkpoint_exposed"])))},
    "checkpoints_twice_as_fast": lambda now: {
        "checkpoint_bandwidth": now["checkpoint_bandwidth"] * 2.0, "node_bandwidth": now["node_bandwidth"] * 2.0,
    },
    "restarts_in_half_the_time": lambda now: {"restart_time": now["restart_time"] / 2.0},
    "half_the_interruptions": lambda now: {
        "failures": now["failures"] / 2.0, "given_mtbi": now["given_mtbi"] * 2.0,
    },
    "no_rollbacks": lambda now: {"rollback_share": array(0.0)},
    "no_stragglers": lambda now: {"straggler_share": array(0.0)},
    "two_more_spare_nodes": lambda now: {"spare_nodes": now["spare_nodes"] + 2.0},
    "repairs_in_half_the_time": lambda now: {"replacement_time": now["replacement_time"] / 2.0},
}  # fmt: skip


def interrupted(run: Run, presets: Presets | None = None) -> Interrupted:
    """Answer what interruptions take of a run, and what would help.

    Raises
    ------
    QuestionError
        The question gives the goodput that is asked for, or has a fault of its own.
    """
    if run.goodput is not None:
        raise QuestionError(["--goodput: this is what is asked for; leave it out, or ask `estimate train`"])
    found = ask(run, presets)
    best = found.case.with_columns(_BETTER["best_interval"](found.case.columns))
    return Interrupted(found, estimate.evaluate(best, ("goodput", "checkpoint_interval")), helps(found))


def helps(found: Estimate) -> tuple[Help, ...]:
    """Return what would raise the goodput of an answer, the most first."""
    tried = (_with(found, name, change(found.case.columns)) for name, change in _BETTER.items())
    return tuple(sorted((each for each in tried if each.gained > 0.0), key=lambda each: -each.gained))


def _with(found: Estimate, name: str, change: Columns) -> Help:
    """Evaluate an answer with some columns changed; layout and count stay."""
    case: Case = found.case.with_columns(change)
    values = estimate.evaluate(case, ("goodput", "wall_clock")).values
    return Help(name, float(values["goodput"]), float(found.values["wall_clock"] - values["wall_clock"]))
