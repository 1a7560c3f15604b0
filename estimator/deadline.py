"""The count that a deadline needs: the fewest whole nodes and replicas that finish in time and hold the model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Array, array
from .case import Case
from .estimate import evaluate
from .formulas.layout import Layout, data_parallel, nodes_in_step
from .formulas.throughput import nodes_needed
from .plan import planned

_ROUNDS = 80
# After so many larger counts in turn whose time is not less than this share of the least, no count finishes.
_PATIENCE, _SHORTER = 6, 0.95
# The count grows at most so many times from one trial to the next.
_LEAP = 1024.0


class _Search(NamedTuple):
    """Nodes known to be too few and to be enough; the fastest tried, its time, and counts since then in vain."""

    few: Array
    enough: Array
    fastest: Array
    time: Array
    vain: Array


def nodes_in_time(case: Case) -> tuple[Array, Array]:
    """Return the nodes that a case needs, and 1 where they finish in time; else the fastest that were tried.

    The time of a step falls in leaps, as batches and layouts divide: with one step of nodes less the run would
    take too long, but far fewer nodes may happen to be enough.

    Parameters
    ----------
    case
        Columns of any shape without ``count``, with ``within``, the time allowed. [s]
    """
    step = nodes_in_step(*(case.columns[name] for name in ("per_node", "tp", "pp", "cp", "ep")))
    start = array(step + 0.0 * case.columns["within"])
    search = _Search(0.0 * start, start + np.inf, start, start + np.inf, 0.0 * start)
    tried = start
    ended = start < 0.0
    for _ in range(_ROUNDS):
        wanted, time = _needed(case, tried)
        found = _narrowed(search, tried, wanted, time)
        # What has ended learns no more, however long others beside it go on: each is answered as alone.
        search = _Search(*(np.where(ended, old, new) for old, new in zip(search, found, strict=True)))
        ended = (search.enough - search.few <= step) | (search.vain > _PATIENCE)
        if np.all(ended):
            break
        tried = _next(search, wanted, step)
    in_time = np.isfinite(search.enough)
    return np.where(in_time, search.enough, search.fastest), array(in_time)


def _needed(case: Case, nodes: Array) -> tuple[Array, Array]:
    """Return the nodes that would finish in time at the speed of so many nodes, and the time that these take.

    It is no time at all where the batch that is asked for does not divide over so many.
    """
    per_node, within = case.columns["per_node"], case.columns["within"]
    trial = planned(case.with_columns({"count": nodes * per_node}))
    found = evaluate(trial, ("occupied_hours", "wall_clock", "fewest_accelerators")).values
    wanted = nodes_needed(found["occupied_hours"], within, per_node, found["fewest_accelerators"])
    whole = _divides(trial) if "global_batch" not in case.free else np.isfinite(wanted)
    return np.where(whole, wanted, np.maximum(wanted, nodes + 1.0)), np.where(
        whole, found["wall_clock"], np.inf
    )


def _divides(case: Case) -> Array:
    """Tell whether every replica of a case has whole micro-batches, as 1 or 0."""
    layout = Layout(**{name: case.columns[name] for name in Layout._fields})
    return array(np.mod(layout.global_batch, layout.micro_batch * data_parallel(layout)) == 0.0)


def _narrowed(search: _Search, tried: Array, wanted: Array, time: Array) -> _Search:
    """Learn from a trial."""
    fine, faster = wanted <= tried, time < search.time * _SHORTER
    enough = np.where(fine, tried, search.enough)
    return _Search(
        np.where(fine, search.few, tried),
        enough,
        np.where(faster, tried, search.fastest),
        np.where(faster, time, search.time),
        np.where(faster | np.isfinite(enough), 0.0, search.vain + 1.0),
    )


def _next(search: _Search, wanted: Array, step: Array) -> Array:
    """Choose the nodes to try: doublings until they are enough, then about the middle.

    Steps are counted in powers of two as large as fit, since a number of many divisors suits the most layouts.
    """
    few, enough = search.few / step, search.enough / step
    least = np.maximum(few, 1.0)
    doubled = np.exp2(np.ceil(np.log2(np.clip(wanted / step, 2.0 * least, _LEAP * least))))
    half = np.where(np.isfinite(enough), enough - few, 2.0) / 2.0
    power = np.exp2(np.floor(np.log2(np.maximum(half, 1.0))))
    middle = np.floor((few + half) / power) * power
    return step * np.where(np.isposinf(enough), doubled, np.where(enough - few <= 1.0, enough, middle))
