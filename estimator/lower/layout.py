"""The layout of a question: parallel degrees and sharding, given or assumed, and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..arrays import Array
from ..errors import QuestionError
from ..inputs.run import option
from ..provenance import Origin
from .asked import Asked

DEGREES = ("tp", "pp", "vpp", "cp", "ep")
# What the layout of a question consists of beside its count and its batches.
INPUTS = (*DEGREES, "zero", "shard", "sequence_parallel")
# Dimensions of the model that a layout splits.
_SPLIT = ("layers", "heads", "kv_heads", "ffn")
_REASON = "no layout is given: data parallel, all states sharded over all accelerators"


def lower(asked: Asked) -> None:
    """Set the columns of the layout and the words that tell it.

    Raises
    ------
    QuestionError
        All that is illegal about the layout, each with the nearest legal values.
    """
    given = _given(asked)
    values = {**_defaults(given), **given}
    facts = _facts(asked, values)
    _check(asked, facts)
    for name in INPUTS:
        asked.draft.put(name, values[name], _origin(name, given))
    asked.draft.free |= {name for name in INPUTS if name not in given and name != "shard"}
    _idle(asked)
    _exchange(asked)
    asked.word("sharding", described(asked.draft.columns), "", "" if given else _REASON)
    asked.draft.notes.extend(_notes(facts))


def _idle(asked: Asked) -> None:
    """Let all replicas work; beside a batch that no layout divides the planner may leave some idle."""
    asked.draft.put("replicas", math.inf, Origin("derived", "as many as the accelerators make up"))
    if asked.run.global_batch is not None and not {*DEGREES, "shard"} & asked.run.given().keys():
        asked.draft.free.add("replicas")


def _exchange(asked: Asked) -> None:
    """Set how context ranks exchange: by a ring of keys and values unless said otherwise."""
    given = asked.run.context
    origin = Origin("given" if given else "derived", "" if given else "not asked", option="--context")
    asked.draft.put("ulysses", float(given == "ulysses"), origin)


def _check(asked: Asked, facts: Mapping[str, float]) -> None:
    """Raise all that is illegal; a question that says nothing of a layout breaks no rule."""
    if not {*INPUTS, "context", "global_batch"} & asked.run.given().keys():
        return
    from .legal import faults  # only where there is something to check

    if found := faults(facts, asked.draft.words.get("model", "this model")):
        raise QuestionError(found)


def _given(asked: Asked) -> dict[str, float]:
    """Return what the question says of the layout, as floats."""
    run = asked.run
    given: dict[str, float] = {
        name: value for name in (*DEGREES, "zero") if (value := getattr(run, name)) is not None
    }
    if run.shard is not None:
        given["shard"] = _ranks(asked, given)
    if run.sequence_parallel is not None:
        given["sequence_parallel"] = float(run.sequence_parallel == "on")
    return given


def _ranks(asked: Asked, given: Mapping[str, float]) -> float:
    """Return the ranks over which states are sharded, infinity for all of them."""
    if asked.run.shard == "node":
        from .legal import within_node

        return within_node({"tp": given.get("tp", 1.0), "per_node": _column(asked, "per_node")})
    return math.inf if asked.run.shard == "all" else float(asked.run.shard or math.inf)


def _defaults(given: Mapping[str, float]) -> dict[str, float]:
    """Return the layout that the house assumes, what is given of it being fixed."""
    split = float(given.get("tp", 1.0) > 1.0)
    return {**dict.fromkeys(DEGREES, 1.0), "zero": 3.0, "shard": math.inf, "sequence_parallel": split}


def _origin(name: str, given: Mapping[str, float]) -> Origin:
    """Tell given parts of a layout from assumed ones; a silent question assumes it in one piece, as a word."""
    if name in given:
        return Origin("given", option=option(name))
    if name == "zero" and given:
        return Origin("assumed", "the stage of sharding that holds the largest model", option="--zero")
    if name == "sequence_parallel" and given.get("tp", 1.0) > 1.0:
        return Origin("assumed", "costs nothing beside tensor parallelism", option="--sequence-parallel")
    return Origin("derived", "not given", option=option(name))


def _column(asked: Asked, name: str) -> float:
    """Return a column as a float; NaN where it is not known (yet)."""
    return float(asked.draft.columns.get(name, math.nan))


def _facts(asked: Asked, values: Mapping[str, float]) -> dict[str, float]:
    """Return what the rules of a legal layout look at; a shape or a batch that was only guessed breaks none."""
    guessed = "shape" in asked.draft.words
    names = ("count", "per_node", "experts", "seq", "micro_batch")
    flags = {
        "chosen": float(bool({*DEGREES, "shard"} & asked.run.given().keys())),
        "node_shard": float(asked.run.shard == "node"),
        "by_node": float(asked.run.nodes is not None),
        "ulysses": float(asked.run.context == "ulysses"),
    }
    model = {name: math.nan if guessed else _column(asked, name) for name in _SPLIT}
    model["layers"] += _column(asked, "encoder_layers")
    known = {name: _column(asked, name) for name in names}
    batch = math.nan if asked.run.global_batch is None else asked.run.global_batch
    return {**known, **model, "global_batch": batch, **values, **flags}


_NAMES = {"tp": "tensor", "pp": "pipeline", "vpp": "interleaved", "cp": "context", "ep": "expert"}


def described(columns: Mapping[str, Array]) -> str:
    """Tell the layout of a case of shape () in words.

    Examples
    --------
    >>> from ..arrays import array
    >>> layout = {"count": 1024, "tp": 8, "pp": 16, "vpp": 1, "cp": 1, "ep": 1, "zero": 1, "shard": math.inf}
    >>> described({name: array(value) for name, value in layout.items()})
    'tensor 8, pipeline 16, data 8, ZeRO-1'
    """
    known = {name: float(columns[name]) for name in (*DEGREES, "zero", "shard")}
    most = float(columns.get("replicas", math.inf))
    names = {**_NAMES, "cp": "all-to-all context"} if columns.get("ulysses", 0.0) > 0.0 else _NAMES
    parts = [f"{name} {known[degree]:,.0f}" for degree, name in names.items() if known[degree] > 1.0]
    stage = f"ZeRO-{known['zero']:.0f}" if known["zero"] else "not sharded"
    if known["zero"] and math.isfinite(known["shard"]):
        stage += f" over {known['shard']:,.0f}"
    if not parts and stage == "ZeRO-3":
        return "fully sharded (ZeRO-3)"
    if "count" in columns:
        whole = float(columns["count"]) // (known["tp"] * known["pp"] * known["cp"])
        parts.append(f"data {min(whole, most):,.0f}")
    return ", ".join([*parts, stage])


def _notes(facts: Mapping[str, float]) -> list[str]:
    """Say what is legal and yet slows a run: stages of unequal depth, tensor parallelism across nodes."""
    notes: list[str] = []
    if facts["layers"] % (facts["pp"] * facts["vpp"]) > 0.0:
        notes.append(_uneven(facts))
    if facts["tp"] > facts["per_node"]:
        notes.append(
            f"tensor parallelism over {facts['tp']:,.0f} accelerators reaches beyond a node of "
            f"{facts['per_node']:,.0f}: its exchange goes over the network"
        )
    return notes


def _uneven(facts: Mapping[str, float]) -> str:
    interleaved = facts["vpp"] > 1.0
    chunks = f" of {facts['vpp']:,.0f} chunks" * interleaved
    deepest = math.ceil(facts["layers"] / (facts["pp"] * facts["vpp"]))
    return (
        f"{facts['layers']:,.0f} layers do not divide evenly into {facts['pp']:,.0f} pipeline stages{chunks}: "
        f"the deepest {'chunks' if interleaved else 'stages'} hold {deepest} and set the pace"
    )
