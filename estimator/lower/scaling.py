"""Scaling efficiency of a question: as given, by the platform named, or nothing lost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from ..arrays import Array, array
from ..errors import PresetError
from ..formulas.scaling import scaling_efficiency
from ..provenance import Figure, Origin
from ..records import Record
from ..tuples import NamedTuple
from .asked import Asked

_STATED = re.compile(r"efficiency_(\d+)")


def lower(asked: Asked) -> None:
    """Set coefficient and exponent of the power law of scaling efficiency, and how far a modelled one strays."""
    draft = asked.draft
    _law(asked)
    stray = asked.presets.load("calibrations", "scaling").figures["scaling_stray"]
    draft.put("scaling_stray", stray.value, Origin("preset", stray.where, stray))
    if np.isnan(draft.columns["efficiency_coefficient"]) and stray.low is not None and stray.high is not None:
        draft.unknown("scaling_stray", stray.low, stray.high)


def _law(asked: Asked) -> None:
    platform = _platform(asked)
    stated = stated_efficiencies(platform) if platform else {}
    if platform and stated:
        (_fit if len(stated) > 1 else _single)(asked, platform.name, stated)
        return
    if platform and "oversubscription" not in platform.figures:
        asked.draft.notes.append(f"{platform.name} states no scaling efficiency; give --scaling-efficiency")
    given = asked.run.scaling_efficiency
    origin = Origin(
        "derived" if given is None else "given", "" if given else "modelled", option="--scaling-efficiency"
    )
    asked.draft.put("efficiency_coefficient", math.nan if given is None else given, origin)
    asked.draft.put("efficiency_exponent", 0.0, Origin("derived", "the same at every count"))


def _platform(asked: Asked) -> Record | None:
    if asked.run.platform is None:
        return None
    match = asked.presets.find("platforms", asked.run.platform)
    asked.word("platform", match.record.id, "platform", match.reason)
    return match.record


def stated_efficiencies(platform: Record) -> dict[float, Figure]:
    """Return the figures called efficiency_1000 and the like by their count, the smallest first.

    Raises
    ------
    PresetError
        A count of zero, or an efficiency that is no share of one.
    """
    found: dict[float, Figure] = {}
    for name, figure in platform.figures.items():
        if not (match := _STATED.fullmatch(name)):
            continue
        if float(match[1]) < 1.0 or not 0.0 < figure.value <= 1.0:
            raise PresetError(
                f"{platform.path}: figure '{name}': {figure.text!r} is no efficiency at a count; "
                "write it like efficiency_1000 and 0.92 or 92 %"
            )
        found[float(match[1])] = figure
    return dict(sorted(found.items()))


def _single(asked: Asked, name: str, stated: Mapping[float, Figure]) -> None:
    """Take the one efficiency that a platform states for every count."""
    (count, figure), *_ = stated.items()
    reason = f"the one efficiency that {name} states, at {count:,.0f} accelerators"
    _put(asked, figure.value, 0.0, Origin("preset", reason, figure, "--platform"))
    if figure.low is not None or figure.high is not None:
        low, high = figure.low or figure.value, figure.high or figure.value
        asked.draft.unknown("efficiency_coefficient", low, high)


def _fit(asked: Asked, name: str, stated: Mapping[float, Figure]) -> None:
    """Fit the power law to the efficiencies of a platform; how far other laws stray from it is the range."""
    counts, figures = list(stated), list(stated.values())
    wanted = asked.draft.columns.get("count")
    law = power_law(array(counts), array([figure.value for figure in figures]), wanted)
    span = f"{counts[0]:,.0f} to {counts[-1]:,.0f} accelerators"
    reason = (
        f"power law fitted to the {len(counts)} efficiencies that {name} states, {span}; "
        "range: the spread between laws of scaling"
    )
    _put(asked, law.coefficient, law.exponent, Origin("preset", reason, figures[0], "--platform"))
    asked.draft.unknown("efficiency_coefficient", law.low, law.high)
    if wanted is not None and not counts[0] <= float(wanted) <= counts[-1]:
        asked.draft.notes.append(
            f"the scaling efficiency at {float(wanted):,.0f} accelerators is extrapolated: "
            f"{name} states it for {span}"
        )


def _put(asked: Asked, coefficient: float, exponent: float, origin: Origin) -> None:
    asked.draft.put("efficiency_coefficient", coefficient, origin)
    asked.draft.put("efficiency_exponent", exponent, origin)


class PowerLaw(NamedTuple):
    """Coefficient and exponent of a fitted power law, and the ends of its coefficient. [1]"""

    coefficient: float
    exponent: float
    low: float
    high: float


def power_law(counts: Array, efficiencies: Array, wanted: Array | None) -> PowerLaw:
    """Fit the power law; the ends of its coefficient hold the other laws at the count wanted.

    Between the points only laws that follow them count, beyond them every law. Where no count is wanted yet the
    ends hold at the points.

    Parameters
    ----------
    counts
        Accelerators of each point. [accelerator]
    efficiencies
        Efficiency at each point. [1]
    wanted
        The count that is asked about, where it is known. [accelerator]
    """
    from ..formulas.fits import curves, fitted, sound  # only where a platform states several

    fits = fitted(counts, efficiencies)
    coefficient, exponent = next(map(float, fit) for law, fit in fits.items() if law.name == "power")
    reached = counts if wanted is None else np.atleast_1d(wanted)
    inside = wanted is None or float(np.min(counts)) <= float(wanted) <= float(np.max(counts))
    followed = sound(fits, counts, efficiencies) if inside else fits
    # The power law's own ratio is 1: the ends enclose it whether or not it is among the laws that count.
    ratios = np.vstack(
        [curves(followed, reached), scaling_efficiency(reached, array(coefficient), array(exponent))]
    )
    ratios = ratios / scaling_efficiency(reached, array(coefficient), array(exponent))
    low, high = coefficient * float(np.min(ratios)), coefficient * float(np.max(ratios))
    return PowerLaw(coefficient, exponent, low, high)
