"""Power of an accelerator by how hard it works, and of the hosts and the network around it."""

from __future__ import annotations

import math

from ..arrays import array
from ..case import Unknown
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked

# What a given power leaves to the law: it is drawn whatever the utilisation, hosts and all.
_GIVEN = {"floor_share": 1.0, "full_use": 1.0, "host_share": 0.0, "switch_share": 0.0, "idle_share": 1.0}
_OPTION = "--power"


def lower(asked: Asked, accelerator: Record) -> None:
    """Set what an accelerator draws at most, and the shares of it; a given power is taken to hold the host's."""
    draft, figure = asked.draft, accelerator.figures.get("power")
    if asked.run.power is not None:
        draft.put("power_per_accelerator", asked.run.power, Origin("given", option=_OPTION))
        for name, value in _GIVEN.items():
            reason = "--power is what is drawn, the host's share and all, whatever the utilisation"
            draft.put(name, value, Origin("given", reason, option=_OPTION))
        return
    if figure is None:
        reason = f"{accelerator.id} has no power on record: no energy, carbon or power; give --power"
        draft.put("power_per_accelerator", math.nan, Origin("assumed", reason, option=_OPTION))
        draft.notes.append(reason)
    else:
        draft.figure("power_per_accelerator", figure, option=_OPTION)
    _shares(asked)


def _shares(asked: Asked) -> None:
    """Set the fitted shares: floor and full use lie high or low together, and so do host and network."""
    fitted, usual = asked.presets.load("calibrations", "power").figures, asked.defaults.figures
    figures = {
        **{name: fitted[name] for name in ("floor_share", "full_use", "host_share")},
        **{name: usual[name] for name in ("switch_share", "idle_share")},
    }
    for name, figure in figures.items():
        asked.draft.put(name, figure.value, Origin("assumed", figure.where, figure, _OPTION))
    _unknown(asked, {"floor_share": figures["floor_share"]}, {"full_use": figures["full_use"]})
    _unknown(asked, {name: figures[name] for name in ("host_share", "switch_share")})
    _unknown(asked, {"idle_share": figures["idle_share"]})


def _unknown(asked: Asked, rising: dict[str, Figure], falling: dict[str, Figure] | None = None) -> None:
    """Let figures vary together, between the ends at which power is least and at which it is most."""
    falling = falling or {}
    low = {name: figure.low for name, figure in rising.items()}
    high = {name: figure.high for name, figure in rising.items()}
    low |= {name: figure.high for name, figure in falling.items()}
    high |= {name: figure.low for name, figure in falling.items()}
    ends = ({name: array(value) for name, value in end.items() if value is not None} for end in (low, high))
    asked.draft.unknowns.append(Unknown(next(iter(rising)), *ends))
