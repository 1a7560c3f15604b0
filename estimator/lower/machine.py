"""The machine of a question: accelerator, node, count, precision, efficiency and power."""

from __future__ import annotations

import math

from ..errors import EstimatorError, UnknownPreset
from ..provenance import Figure, Origin
from ..records import Record
from ..schema import PEAK_OF, peak_name
from . import network, power, scaling
from .asked import Asked
from .links import machine_columns

_DEFAULT_PRECISIONS = ("bf16", "fp16", "fp32")


def lower(asked: Asked) -> None:
    """Set the columns of the machine."""
    node = asked.presets.find("nodes", asked.run.node).record if asked.run.node else None
    accelerator = _accelerator(asked, node)
    node = node or _default_node(asked, accelerator)
    _count(asked, node)
    _memory(asked, accelerator)
    _links(asked, accelerator, node)
    network.lower(asked)
    precision = _precision(asked, accelerator)
    _efficiency(asked, accelerator, precision)
    power.lower(asked, accelerator)
    if accelerator.words.get("architecture") == "cpu" and asked.run.mfu is None:
        asked.draft.notes.append(
            f"{accelerator.id} is a CPU: no step of one is on record, and what software reaches of its peak is taken "
            "from GPUs; give --mfu if you have measured it"
        )


def _accelerator(asked: Asked, node: Record | None) -> Record:
    """Return the accelerator named, the node's, or the house's choice."""
    if node is None:
        return asked.chosen("accelerator", "on")
    inside = str(node.words["accelerator"])
    if asked.run.on is None or _may_be(asked, asked.run.on, inside):
        asked.word("accelerator", inside, "on", f"the accelerator of {node.id}")
        return asked.presets.load("accelerators", inside)
    record = asked.chosen("accelerator", "on")
    # A server that is sold with several bins of a chip is the default node of each.
    if record.id != inside and record.words.get("default_node") != node.id:
        raise EstimatorError(f"--node: {node.id} holds {inside}, but --on says {record.id}; give one of them")
    return record


def _may_be(asked: Asked, name: str, member: str) -> bool:
    """Tell whether a name is that of a family which leaves open that this member is meant."""
    try:
        return member in asked.presets.find("families", name).record.words["members"]
    except UnknownPreset:
        return False


def _default_node(asked: Asked, accelerator: Record) -> Record | None:
    name = accelerator.words.get("default_node")
    return asked.presets.load("nodes", str(name)) if name else None


def _count(asked: Asked, node: Record | None) -> None:
    """Set accelerators a node, and the count where the question fixes it; else the time to finish in."""
    run, draft = asked.run, asked.draft
    figure = node.figures["accelerators"] if node else asked.defaults.figures["accelerators_per_node"]
    kind = "preset" if node else "assumed"
    draft.put("per_node", figure.value, Origin(kind, node.name if node else figure.where, figure, "--node"))
    if node:
        draft.words["node"] = node.id
    largest = asked.defaults.figures["largest_run"]
    draft.put("largest_run", largest.value, Origin("preset", largest.where, largest))
    if run.count is not None:
        draft.put("count", run.count, Origin("given", option="--count"))
    elif run.nodes is not None:
        draft.put(
            "count", run.nodes * figure.value, Origin("given", f"{run.nodes:g} nodes", option="--nodes")
        )
    else:
        asked.number("within", "within")


def _memory(asked: Asked, accelerator: Record) -> None:
    """Set the memory a run can use: the record's own figure, or the usual share of the nominal one."""
    usable, nominal = accelerator.figures.get("memory_usable"), accelerator.figures.get("memory")
    if usable:
        asked.draft.figure("memory_usable", usable)
        return
    if nominal is None:
        asked.draft.put(
            "memory_usable", math.nan, Origin("assumed", f"{accelerator.id} has no memory on record")
        )
        return
    share = asked.defaults.figures["usable_share"]
    asked.draft.put("memory_usable", nominal.value * share.value, Origin("assumed", share.where, nominal))
    asked.draft.unknown(
        "memory_usable", nominal.value * (share.low or 1.0), nominal.value * (share.high or 1.0)
    )


def _links(asked: Asked, accelerator: Record, node: Record | None) -> None:
    """Set memory bandwidth and links; what is uncertain in them is in the range.

    A peak's uncertainty is not: efficiencies were learnt against the recorded peak, so that it cancels.
    """
    draft, per_node = asked.draft, float(asked.draft.columns["per_node"])
    for name, column in machine_columns(asked.presets, accelerator, node, per_node).items():
        draft.put(name, column.value, column.origin)
        if column.low < column.high and not name.startswith("peak"):
            draft.unknown(name, column.low, column.high)


def peak_figure(accelerator: Record, precision: str) -> Figure | None:
    """Return the dense peak on record at a precision: that of the units it uses."""
    return accelerator.figures.get(peak_name(precision))


def _precision(asked: Asked, accelerator: Record) -> str:
    """Choose the precision and set its dense peak."""
    known = [name.removeprefix("peak_") for name in accelerator.figures if name.startswith("peak_")]
    given = asked.run.precision
    precision = given or next((name for name in _DEFAULT_PRECISIONS if name in known), "")
    figure = peak_figure(accelerator, precision)
    if figure is None:
        raise EstimatorError(
            f"--precision: {accelerator.id} has no recorded peak in {precision or 'any'}; "
            f"it has {', '.join(known) or 'none'}"
        )
    reason = "" if given else "the first of bf16, fp16, fp32 that the chip has"
    asked.word("precision", precision, "precision", reason)
    if precision in PEAK_OF:
        asked.draft.notes.append(
            f"{precision} is answered at the {PEAK_OF[precision]} peak of {accelerator.id}; "
            "whether the chip has it is not on record"
        )
    kind = "assumed" if figure.kind == "assumed" else "preset"
    asked.draft.put("peak", figure.value, Origin(kind, figure.where, figure))
    return precision


def _efficiency(asked: Asked, accelerator: Record, precision: str) -> None:
    """Set the MFU and what scale takes from it, where they are given.

    The chip's own rows were fitted with the recorded peak: what is uncertain in it cancels, and only where the
    chip has no measured steps does the peak's range count.
    """
    draft, given = asked.draft, asked.run.mfu
    origin = Origin("derived" if given is None else "given", "" if given else "modelled", option="--mfu")
    draft.put("given_mfu", math.nan if given is None else given, origin)
    gain = asked.run.efficiency_gain
    origin = Origin(
        "derived" if gain is None else "given", "" if gain else "none", option="--efficiency-gain"
    )
    draft.put("efficiency_gain", gain or 1.0, origin)
    peak = peak_figure(accelerator, precision)
    measured = any(level.endswith(f"accelerator={accelerator.id}") for level in asked.calibration.figures)
    if not measured and peak and peak.low is not None and peak.high is not None:
        draft.unknown("peak", peak.low, peak.high)
    scaling.lower(asked)
