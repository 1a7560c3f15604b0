"""What interrupts a run, and what it loses each time: given, or as fleets on record had it."""

from __future__ import annotations

import math

from ..arrays import Array, array
from ..case import Unknown
from ..errors import EstimatorError
from ..inputs.run import option
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked

_ALWAYS = "a spare is always at hand: a restart takes no longer for a node that is gone"


def lower(asked: Asked) -> None:
    """Set the columns of interruptions, checkpoints, restarts, rollbacks and spare nodes."""
    rules = asked.presets.load("assumptions", "reliability")
    _given_or_modelled(asked, "given_goodput", "goodput")
    _given_or_modelled(asked, "given_mtbi", "mtbi")
    _given_or_modelled(asked, "given_interval", "checkpoint_interval")
    _given_or_modelled(asked, "checkpoint_bandwidth", "checkpoint_bandwidth")
    _failures(asked, rules)
    _assumed(asked, rules, "node_bandwidth", "checkpoint_bandwidth", asked.run.checkpoint_bandwidth is None)
    _assumed(asked, rules, "restart_time", "restart_time", True)
    _joined(asked)
    _assumed(asked, rules, "rollback_share", "rollback_share", True)
    _assumed(asked, rules, "straggler_share", "straggler_share", True)
    _exposed(asked, rules)
    _spares(asked, rules)


def _given_or_modelled(asked: Asked, name: str, field: str) -> None:
    """Set a column from an input; NaN where it is left to the model."""
    value: float | None = getattr(asked.run, field)
    origin = Origin(
        "derived" if value is None else "given", "" if value else "modelled", option=option(field)
    )
    asked.draft.put(name, math.nan if value is None else value, origin)


def _origin(asked: Asked, figure: Figure, field: str, used: bool) -> Origin:
    """Say where an assumed figure is from, or that it takes no part."""
    if asked.run.goodput is not None:
        return Origin("derived", "--goodput is given", figure)
    changed = option(field) if field else ""
    return Origin("assumed", figure.where, figure, changed) if used else Origin("derived", "not used", figure)


def _assumed(asked: Asked, rules: Record, name: str, field: str, used: bool, factor: float = 1.0) -> None:
    """Set a column from its input, else from a figure whose range counts where it takes part."""
    value: float | None = getattr(asked.run, field)
    if value is not None and field == name:
        asked.draft.put(name, value, Origin("given", option=option(field)))
        return
    figure = rules.figures[name]
    origin = _origin(asked, figure, field, used)
    asked.draft.put(name, figure.value * factor, origin)
    if origin.kind == "assumed" and figure.low is not None and figure.high is not None:
        asked.draft.unknown(name, figure.low * factor, figure.high * factor)


def _exposed(asked: Asked, rules: Record) -> None:
    """Set the share of a checkpoint's write that training waits for: a choice, whose range does not count."""
    figure, given = rules.figures["checkpoint_exposed"], asked.run.checkpoint_exposed
    told = Origin("given", option="--checkpoint-exposed")
    origin = _origin(asked, figure, "checkpoint_exposed", True) if given is None else told
    asked.draft.put("checkpoint_exposed", figure.value if given is None else given, origin)


def _failures(asked: Asked, rules: Record) -> None:
    """Set the interruptions of a node: those of its accelerators; none are asked for where the job's are given."""
    columns, fleet = asked.draft.columns, asked.run.failures
    if "per_node" not in columns:
        return
    per_node = float(columns["per_node"])
    if isinstance(fleet, str):
        _of_a_fleet(asked, fleet, per_node)
        return
    _assumed(asked, rules, "failures", "failures", asked.run.mtbi is None, per_node)


def _of_a_fleet(asked: Asked, fleet: str, per_node: float) -> None:
    """Set the interruptions of a node as a fleet on record had them; the range is that of its record."""
    record = asked.presets.find("failures", fleet).record
    figure = record.figures["failures"]
    asked.draft.put(
        "failures", figure.value * per_node, Origin("preset", figure.where, figure, option("failures"))
    )
    if figure.low is not None and figure.high is not None:
        asked.draft.unknown("failures", figure.low * per_node, figure.high * per_node)


def _joined(asked: Asked) -> None:
    """Let rate and restart time stray together, each less far: what is lost is their product.

    Logarithms of independent factors add as sides of a right angle; one factor that moves both goes as far.
    """
    unknowns = asked.draft.unknowns
    both = [unknown for unknown in unknowns if unknown.name in ("failures", "restart_time")]
    if len(both) < 2:
        return
    low = {each.name: _part_way(asked, each.name, each.low[each.name]) for each in both}
    high = {each.name: _part_way(asked, each.name, each.high[each.name]) for each in both}
    joined = Unknown("interruptions", low, high)
    asked.draft.unknowns = [*(each for each in unknowns if each.name not in low), joined]


def _part_way(asked: Asked, name: str, end: Array) -> Array:
    """Go from a column's value to an end of its range by the square root of a half of the way, in logarithms."""
    value = asked.draft.columns[name]
    return array(value * (end / value) ** math.sqrt(0.5))


def _spares(asked: Asked, rules: Record) -> None:
    """Set the nodes held in reserve, and how long a node that is gone is missed."""
    spares, draft = asked.run.spare_nodes, asked.draft
    if spares is None and asked.run.replacement_time is not None:
        raise EstimatorError(
            "--replacement-time: nothing waits for a node while spares are at hand; give --spare-nodes too, like 0"
        )
    _assumed(asked, rules, "replacement_time", "replacement_time", spares is not None)
    share = rules.figures["replaced_share"]
    draft.put("replaced_share", share.value, _origin(asked, share, "", spares is not None))
    if spares is None:
        kind = "derived" if asked.run.goodput is not None else "assumed"
        draft.put("spare_nodes", math.inf, Origin(kind, _ALWAYS, option="--spare-nodes"))
        return
    draft.put("spare_nodes", spares, Origin("given", option="--spare-nodes"))
    if spares > 0:
        draft.notes.append(
            f"{spares:,.0f} spare {'nodes stand' if spares > 1 else 'node stands'} beside the run: its hours, energy "
            "and cost leave them out"
        )
