"""The count that a deadline needs: the fewest whole nodes and replicas that finish in time and hold the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from .arrays import Array, array, quotient
from .case import Case
from .estimate import evaluate
from .formulas.layout import Layout, data_parallel, nodes_in_step
from .formulas.throughput import nodes_needed
from .layouts import GROWTH, Places, Values
from .plan import Chosen, plan
from .tuples import NamedTuple

_ROUNDS = 40
# After so many larger counts in turn whose time is not less than this share of the least, no count finishes.
_PATIENCE, _SHORTER = 9, 0.95
# A low MFU, so that the first count tried is likely to be enough.
_FIRST_MFU = 0.4
# So many counts are tried at once; those about the one that the speed so far promises lie this share of it apart.
_AT_ONCE, _APART = 4, 0.015
# The count grows at most so many times from one trial to the next.
_LEAP = 1024.0


class _Search(NamedTuple):
    """Nodes known to be too few and to be enough; the fastest tried, its time, and counts since then in vain.

    ``wanted`` are the nodes that would finish at the speed of the last ones tried.
    """

    few: Array
    enough: Array
    fastest: Array
    time: Array
    vain: Array
    wanted: Array


class _Trial(NamedTuple):
    """Layouts found in a trial, and the nodes of each."""

    nodes: Values
    chosen: Chosen


class InTime(NamedTuple):
    """The nodes that a case needs, 1 where they finish in time, and the layouts that were found for them."""

    nodes: Array
    in_time: Array
    chosen: Chosen | None


def nodes_in_time(case: Case) -> InTime:
    """Return the nodes that a case needs, and 1 where they finish in time; else the fastest that were tried.

    The time of a step falls in leaps, as batches and layouts divide: with one step of nodes less the run would
    take too long, but far fewer nodes may happen to be enough. An assumed batch that had to grow beyond those on
    record does not count as in time.

    Parameters
    ----------
    case
        Columns of any shape without ``count``, with ``within``, the time allowed. [s]
    """
    shape = np.broadcast_shapes(*(np.shape(column) for column in case.columns.values()))
    step = nodes_in_step(*(case.columns[name] for name in ("per_node", "tp", "pp", "cp", "ep")))
    step = np.broadcast_to(step, shape).ravel()
    flat = _each(case, shape)
    trials: list[_Trial] = []
    nodes, found = _searched(flat, step, trials, True)
    if not np.all(found) and "global_batch" not in case.free:
        # No count at which all work finishes, or none was tried that divides the batch: some may be idle.
        others, late = _searched(flat, step, trials, False)
        nodes, found = np.where(found, nodes, others), found | late
    chosen = _taken(trials, np.asarray(nodes))
    return InTime(array(nodes.reshape(shape)), array(found.reshape(shape)), chosen)


def _searched(flat: Case, step: Values, trials: list[_Trial], shared: bool) -> tuple[Values, Places]:
    """Return the nodes that are found, and which of them finish; ``shared``: where all of them share out the batch."""
    tried = _first(flat, step)
    search = _Search(0.0 * step, step + np.inf, tried[:, 0], step + np.inf, 0.0 * step, tried[:, 0])
    for _ in range(_ROUNDS):
        search = _learnt(flat, search, tried, trials, shared)
        open_ = (search.enough - search.few > step) & (search.vain <= _PATIENCE)
        if not np.any(open_):
            break
        # What is settled is not tried again: an answer does not depend on the questions beside it.
        tried = np.where(open_[:, np.newaxis], _next(search, step), 0.0)
    found = np.isfinite(search.enough)
    return np.where(found, search.enough, search.fastest), found


def _taken(trials: list[_Trial], nodes: Values) -> Chosen | None:
    """Return the layouts found for the nodes that are taken of each question: all of them were tried."""
    if not trials:
        return None
    asked, fits, legal = (
        np.concatenate([getattr(each.chosen, name) for each in trials]) for name in ("asked", "fits", "legal")
    )
    places = np.flatnonzero(np.concatenate([each.nodes for each in trials]) == nodes[asked])
    places = places[np.unique(asked[places], return_index=True)[1]]
    parts = {
        name: np.concatenate([each.chosen.parts[name] for each in trials])[places]
        for name in trials[0].chosen.parts
    }
    return Chosen(asked[places], parts, fits[places], legal[places])


def _each(case: Case, shape: tuple[int, ...]) -> Case:
    """Return the case with one question after the other."""
    columns = {
        name: np.broadcast_to(column, shape).ravel() if np.ndim(column) else column
        for name, column in case.columns.items()
    }
    return replace(case, columns=columns)


def _first(case: Case, step: Values) -> Values:
    """Return the nodes to begin with: those that finish at a usual share of the peak. One count a question."""
    columns = case.columns
    found = evaluate(case.with_columns({"count": columns["per_node"]}), ("time_at_peak",))
    steps = columns["tokens"] / (columns["global_batch"] * columns["seq"])
    given, kept = columns["given_mfu"], columns["given_goodput"]
    share = np.where(np.isnan(given), _FIRST_MFU, given) * np.where(np.isnan(kept), 1.0, kept)
    nodes = quotient(found.values["time_at_peak"] * steps, share * columns["within"])
    nodes = np.minimum(np.where(np.isfinite(nodes), nodes, 1.0), _worth_while(columns))
    whole = np.maximum(np.ceil(nodes / step), 1.0)
    if "global_batch" not in case.free:  # hardly any other number divides the batch
        whole = np.exp2(np.ceil(np.log2(whole)))
    return (whole * step)[:, np.newaxis]


def _worth_while(columns: Mapping[str, Array]) -> Array:
    """Return the nodes beyond which interruptions take more than further nodes give: one in each restart."""
    most = quotient(np.ones(()), columns["failures"] * columns["restart_time"])
    modelled = np.isnan(columns["given_goodput"]) & np.isnan(columns["given_mtbi"])
    return np.where(modelled, most, np.inf)


def _learnt(case: Case, search: _Search, tried: Values, trials: list[_Trial], shared: bool) -> _Search:
    """Try nodes, of each question some in rising order, learn from each, and keep the layouts found."""
    fresh = np.diff(tried, axis=1, prepend=0.0) > 0
    asked = np.nonzero(fresh)[0]
    wanted, time = (np.full(tried.shape, np.nan) for _ in range(2))
    wanted[fresh], time[fresh] = _needed(case, asked, tried[fresh], trials, shared)
    for nodes, needed, each, new in zip(tried.T, wanted.T, time.T, fresh.T, strict=True):
        learnt = _narrowed(search, nodes, needed, each)
        search = _Search(*(np.where(new, *pair) for pair in zip(learnt, search, strict=True)))
    return search


def _needed(
    case: Case, asked: Places, nodes: Values, trials: list[_Trial], shared: bool
) -> tuple[Array, Array]:
    """Return the nodes that would finish in time at the speed of so many nodes, and the time that these take.

    It is no time at all where the batch that is asked for has to be ``shared`` and does not divide over so many, or
    the assumed one had to grow too far.
    """
    columns = {
        name: np.asarray(column)[asked] if np.ndim(column) else column
        for name, column in case.columns.items()
    }
    per_node, within = columns["per_node"], columns["within"]
    trial, fits, chosen = plan(replace(case, columns={**columns, "count": nodes * per_node}))
    if chosen is not None:
        trials.append(_Trial(nodes[chosen.asked], chosen._replace(asked=asked[chosen.asked])))
    memory = () if np.all(fits) else ("fewest_accelerators",)
    found = evaluate(trial, ("occupied_hours", "wall_clock", *memory)).values
    fewest = np.where(fits, 1.0, found.get("fewest_accelerators", 1.0))
    wanted = nodes_needed(found["occupied_hours"], within, per_node, fewest)
    if "global_batch" in case.free:
        whole = _usual(trial, columns["global_batch"])
    else:
        whole = _divides(trial) if shared else np.ones(())
    return np.where(whole > 0, wanted, np.maximum(wanted, nodes + 1.0)), np.where(
        whole > 0, found["wall_clock"], np.inf
    )


def _usual(trial: Case, batch: Array) -> Array:
    """Tell whether an assumed ``batch`` stays within bounds, as 1 or 0; one node and a given MFU are let pass."""
    columns = trial.columns
    most = np.maximum(GROWTH * batch, columns["per_node"] * columns["micro_batch"])
    return array((columns["global_batch"] <= most) | ~np.isnan(columns["given_mfu"]))


def _divides(case: Case) -> Array:
    """Tell whether all replicas of a case work, on whole micro-batches each, as 1 or 0."""
    layout = Layout(**{name: case.columns[name] for name in Layout._fields})
    whole = np.mod(layout.global_batch, layout.micro_batch * data_parallel(layout)) == 0.0
    return array(whole & np.isinf(layout.replicas))


def _narrowed(search: _Search, tried: Array, wanted: Array, time: Array) -> _Search:
    """Learn from a trial."""
    fine, faster = wanted <= tried, time < search.time * _SHORTER
    enough = np.where(fine, np.minimum(tried, search.enough), search.enough)
    return _Search(
        np.where(fine | (tried >= enough), search.few, np.maximum(tried, search.few)),
        enough,
        np.where(faster, tried, search.fastest),
        np.where(faster, time, search.time),
        np.where(faster | np.isfinite(enough), 0.0, search.vain + 1.0),
        np.where(tried <= enough, wanted, search.wanted),
    )


def _next(search: _Search, step: Values) -> Values:
    """Choose the nodes to try next, of each question some in rising order: first about what the speed so far promises,
    then between those too few and those enough. A power of two is among them: it suits the most layouts and batches.
    """
    few, enough, wanted = (
        (each / step)[:, np.newaxis] for each in (search.few, search.enough, search.wanted)
    )
    most = np.minimum(np.maximum(few, 1.0) * _LEAP, enough)
    wanted = np.ceil(np.clip(np.where(np.isnan(wanted), few, wanted), few + 1.0, most))
    apart, power = np.maximum(np.round(wanted * _APART), 1.0), np.exp2(np.ceil(np.log2(wanted)))
    about = np.concatenate([wanted - apart, wanted, wanted + apart, power], axis=1)
    beyond = np.concatenate([wanted, wanted + apart, power, 2.0 * power], axis=1)
    between = np.where(few > 0, _between(few, np.where(np.isinf(enough), few, enough)), about)
    nodes = np.where(np.isinf(enough), beyond, np.clip(between, few + 1.0, enough - 1.0))
    return np.sort(nodes, axis=1) * step[:, np.newaxis]


def _between(few: Values, enough: Values) -> Values:
    """Spread trials between two ends, on multiples of powers of two."""
    apart = (enough - few) / (_AT_ONCE + 1.0)
    power = np.exp2(np.floor(np.log2(np.maximum(apart, 1.0))))
    return np.ceil((few + apart * np.arange(1.0, _AT_ONCE + 1.0)) / power) * power
