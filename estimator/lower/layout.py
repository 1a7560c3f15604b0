"""The layout of a question: parallel degrees and sharding, given or assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..inputs.run import option
from ..provenance import Origin
from .asked import Asked

# What the layout of a question consists of, in the order of the record `Layout`.
DEGREES = ("tp", "pp", "vpp", "cp", "ep")
INPUTS = (*DEGREES, "zero", "shard", "sequence_parallel")
_REASON = "no layout is given: data parallel, all states sharded over all accelerators"


def lower(asked: Asked) -> None:
    """Set the columns of the layout and the words that tell it."""
    if "per_node" not in asked.draft.columns:  # the machine is faulty, and that is told
        return
    given = _given(asked)
    values = {**_defaults(given), **given}
    for name in INPUTS:
        kind = "given" if name in given else "derived"
        reason = "" if name in given else "not given: part of the layout assumed"
        asked.draft.put(name, values[name], Origin(kind, reason, option=option(name)))
    asked.word("sharding", _words(values, asked), "", "" if given else _REASON)


def _given(asked: Asked) -> dict[str, float]:
    """Return what the question says of the layout, as floats."""
    run = asked.run
    given: dict[str, float] = {
        name: value for name in (*DEGREES, "zero") if (value := getattr(run, name)) is not None
    }
    if run.shard is not None:
        per_node = float(asked.draft.columns["per_node"])
        given["shard"] = {"all": math.inf, "node": per_node}.get(str(run.shard)) or float(run.shard)
    if run.sequence_parallel is not None:
        given["sequence_parallel"] = float(run.sequence_parallel == "on")
    return given


def _defaults(given: Mapping[str, float]) -> dict[str, float]:
    """Return the layout of a silent question, what is given of it being fixed."""
    split = float(given.get("tp", 1.0) > 1.0)
    return {**dict.fromkeys(DEGREES, 1.0), "zero": 3.0, "shard": math.inf, "sequence_parallel": split}


_NAMES = {"tp": "tensor", "pp": "pipeline", "vpp": "interleaved", "cp": "context", "ep": "expert"}


def _words(layout: Mapping[str, float], asked: Asked) -> str:
    """Tell a layout in words, like: tensor 8, pipeline 16, data 8, ZeRO-1."""
    parts = [f"{name} {layout[degree]:g}" for degree, name in _NAMES.items() if layout[degree] > 1.0]
    stage = f"ZeRO-{layout['zero']:g}" if layout["zero"] else "not sharded"
    if math.isfinite(layout["shard"]):
        stage += f" over {layout['shard']:g}"
    if not parts and stage == "ZeRO-3":
        return "fully sharded (ZeRO-3)"
    if "count" in asked.draft.columns:
        replicas = float(asked.draft.columns["count"]) / (layout["tp"] * layout["pp"] * layout["cp"])
        parts.append(f"data {replicas:g}")
    return ", ".join([*parts, stage])
