"""The network of a question: the bandwidth of a card where it is given, pods and the spine between them."""

from __future__ import annotations

import math

from ..provenance import Origin
from .asked import Asked
from .links import network_reached


def lower(asked: Asked) -> None:
    """Set what is given of the network, and the columns of its spine."""
    given = asked.run.scaleout_bandwidth
    if given is not None:
        reached = network_reached(asked.presets)
        reason = f"of which collectives reach {reached.value:.0%}"
        asked.draft.put(
            "scaleout_bandwidth",
            given * reached.value,
            Origin("given", reason, option="--scaleout-bandwidth"),
        )
    _oversubscription(asked)
    _pod(asked)


def _oversubscription(asked: Asked) -> None:
    """Set by how much the spine takes less than pods can send: not at all unless it is given, or the platform's."""
    whole = Origin("derived", "the network loses nothing to its spine", option="--oversubscription")
    if not _given(asked, "oversubscription"):
        asked.draft.put("oversubscription", 1.0, whole)


def _pod(asked: Asked) -> None:
    """Set the cards of a pod; without a spine that loses anything, all of them."""
    if _given(asked, "pod"):
        return
    if float(asked.draft.columns["oversubscription"]) > 1.0:
        asked.number("pod", "pod")
    else:
        asked.draft.put("pod", math.inf, Origin("derived", "no spine that loses anything", option="--pod"))


def _given(asked: Asked, name: str) -> bool:
    """Set a column from its input, else from the platform that is named; tell whether one of them has it."""
    value: float | None = getattr(asked.run, name)
    if value is not None:
        asked.draft.put(name, value, Origin("given", option=f"--{name}"))
        return True
    platform = asked.presets.find("platforms", asked.run.platform).record if asked.run.platform else None
    figure = platform.figures.get(name) if platform else None
    if platform is None or figure is None:
        return False
    asked.draft.put(
        name, figure.value, Origin("preset", f"{platform.name}: {figure.where}", figure, f"--{name}")
    )
    return True
