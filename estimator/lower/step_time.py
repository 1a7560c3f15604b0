"""The coefficients of the step time for an accelerator, a precision and a software stack, as they were fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..arrays import array
from ..case import Unknown
from ..formulas.job import Coefficients
from ..inputs.stacks import STACKS
from ..presets import Presets
from ..provenance import Figure, Origin
from ..records import Record
from ..tuples import NamedTuple
from .asked import Asked

CALIBRATION = "step-time"
# What may tell one level of a coefficient from another; the key of a figure names them: "tensor_use@stack=fsdp".
LEVELS = ("accelerator", "architecture", "precision", "stack", "experts")
# Own steps speak for steps alike in these: left-out sources stray alike within them, and not across them.
GROUPED = ("architecture", "experts")
PREFIX = "fit_"
# A layout that leaves these open is a planned one.
PLANNED = {"tp", "pp"}
# Figures of a user's own calibration: what its multipliers leave open for steps like those measured, and how far such
# steps stray from the model over how far steps usually do, as a power.
SITE, SCATTER = "stray_site", "scatter"
REPLACED = ("stack", "accelerator")
_PRACTICE = (
    "training in use takes so many times as long as the fastest layout that is found, as published runs and measured "
    "steps tell; a layout that is named is taken at its word"
)
# Years from an accelerator's launch to the software that a silent question means, and the last year on record.
_MATURE, _LATEST = "mature", "latest"


class Strayed(NamedTuple):
    """How far steps stray from the model: a factor on the time at the low and at the high end, and why."""

    name: str
    figure: Figure
    power: float = 1.0

    @property
    def ends(self) -> tuple[float, float]:
        """The factors: those of the figure, drawn to 1 by a power below 1."""
        low, high = self.figure.low or 1.0, self.figure.high or 1.0
        return low**self.power, high**self.power


def conditions(key: str) -> tuple[str, dict[str, str]]:
    """Read the name of a figure: the coefficient, and the levels for which it holds.

    Examples
    --------
    >>> conditions("slowness@architecture=ampere@precision=bf16")
    ('slowness', {'architecture': 'ampere', 'precision': 'bf16'})
    """
    name, *levels = key.split("@")
    return name, dict(level.split("=", 1) for level in levels)


def _holds(wanted: Mapping[str, str], levels: Mapping[str, str]) -> bool:
    return all(levels.get(kind) == level for kind, level in wanted.items())


def coefficients(record: Record, levels: Mapping[str, str], own: Record | None = None) -> dict[str, float]:
    """Return every coefficient at these levels: its usual value times the factors of the levels that hold.

    ``own`` is what a user's own steps taught: its factors come on top.
    """
    values = dict.fromkeys(Coefficients._fields, 1.0)
    for key, figure in (*record.figures.items(), *(own.figures.items() if own else ())):
        name, wanted = conditions(key)
        if name in values and _holds(wanted, levels):
            values[name] *= figure.value
    return values


def closest(record: Record, name: str, levels: Mapping[str, str]) -> Figure | None:
    """Return the figure of that name whose levels hold, the most special of them; nothing where there is none."""
    found = [
        (len(wanted), figure)
        for key, figure in record.figures.items()
        if (split := conditions(key))[0] == name and _holds(wanted := split[1], levels)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def strayed(
    record: Record, levels: Mapping[str, str], own: Record | None = None, *, planned: bool = False
) -> list[Strayed]:
    """Return what carries the range: the model itself, a stack that is not named, a chip without measured steps.

    Where the layout is ``planned`` instead of given, how layouts in use compare with planned ones stands for the
    first two: it was measured with both unknown. Where ``own`` steps of the same levels were measured, what they
    leave open takes the place of stack, accelerator and practice.
    """
    measured = any(conditions(key)[1].get("accelerator") == levels["accelerator"] for key in record.figures)
    alike = own is not None and closest(own, SITE, levels) is not None
    unnamed = levels["stack"] == STACKS[0] or (planned and alike)
    names = ["practice"] if planned and not alike else ["model"]
    names += ["stack"] if unnamed and names == ["model"] else []
    names += [] if measured else ["accelerator"]
    found = ((name, closest(record, f"stray_{name}", levels)) for name in names)
    return narrowed([Strayed(name, figure) for name, figure in found if figure], own, levels)


def narrowed(strays: list[Strayed], own: Record | None, levels: Mapping[str, str]) -> list[Strayed]:
    """Put what a user's own steps leave open in the place of what nobody knew of stack and accelerator.

    It is never more than what it replaces; how far steps stray from the model is scaled by how far his own did.
    """
    site, scatter = (closest(own, name, levels) if own else None for name in (SITE, SCATTER))
    if site is None or scatter is None:
        return strays
    kept = [stray._replace(power=scatter.value) if stray.name == "model" else stray for stray in strays]
    replaced = [stray for stray in kept if stray.name in REPLACED]
    if not replaced:
        return kept
    low, high = (math.hypot(*map(math.log, side)) for side in zip(*(s.ends for s in replaced), strict=True))
    left = Strayed(SITE, site)
    ends = max(left.ends[0], math.exp(-low)), min(left.ends[1], math.exp(high))
    bounded = site._replace(low=ends[0], high=ends[1])
    return [*(stray for stray in kept if stray not in replaced), Strayed(SITE, bounded)]


def unlike(own: Record, levels: Mapping[str, str]) -> Iterator[str]:
    """Yield in words how a step differs from those that a user's own calibration was learnt from."""
    groups: list[Mapping[str, Any]] = list(own.words.get("measured", ()))
    alike = [group for group in groups if all(group.get(kind) == levels[kind] for kind in GROUPED)]
    file, asked = own.path.name, _described(levels)
    if not alike:
        learnt = " and ".join(_described(group) for group in groups)
        yield f"'{file}' was learnt from {learnt} and changes nothing here: it says nothing of {asked}"
        return
    for kind, word in (("accelerator", "accelerators"), ("stack", "stacks")):
        known: list[str] = list(alike[0].get(word, ()))
        if levels[kind] not in known:
            yield f"'{file}' was learnt on {', '.join(known)}, not on {levels[kind]}: it may hold less well here"


def _described(levels: Mapping[str, Any]) -> str:
    kind = "mixture-of-experts" if levels["experts"] == "yes" else "dense"
    return f"{kind} models on {levels['architecture'] or 'accelerators without an architecture on record'}"


def usual_year(presets: Presets, accelerator: Record) -> tuple[float, Figure]:
    """Return the year of the software that is usual on an accelerator: some years after its launch."""
    figures = presets.load("assumptions", "software").figures
    launch = float(accelerator.words.get("launch", figures[_LATEST].value))
    return min(launch + figures[_MATURE].value, figures[_LATEST].value), figures[_MATURE]


def lower(asked: Asked) -> None:
    """Set the coefficients, the year of the software, and what carries the range of the step time."""
    draft, words = asked.draft, asked.draft.words
    if not {"accelerator", "precision"} <= words.keys():
        return
    accelerator = asked.presets.load("accelerators", words["accelerator"])
    record = asked.calibration
    levels = {
        "accelerator": accelerator.id,
        "architecture": str(accelerator.words.get("architecture", "")),
        "precision": words["precision"],
        "stack": asked.stack[0],
        "experts": "yes" if draft.columns.get("experts", 0.0) > 0 else "no",
    }
    own = asked.own_calibration
    reason = f"fitted to measured steps ({record.name}{' and your own' if own else ''})"
    origin = Origin("preset", reason, option="--stack")
    for name, value in coefficients(record, levels, own).items():
        draft.put(PREFIX + name, value, origin)
    _year(asked, accelerator)
    draft.put("practice", 1.0, Origin("derived", "a layout or an MFU is named, or own steps were measured"))
    if asked.run.mfu is None:
        named = {
            **levels,
            "stack": asked.run.stack or STACKS[0],
        }  # a stack taken from own steps is theirs to range
        _stray(asked, strayed(record, named, own, planned=draft.free >= PLANNED))
    if own:
        draft.notes += unlike(own, levels)


def _stray(asked: Asked, strays: list[Strayed]) -> None:
    """Set what carries the range, and by how much steps in use are slower than planned ones."""
    name, draft = PREFIX + "slowness", asked.draft
    usual = draft.columns[name]
    for stray in strays:
        low, high = (array(usual * end) for end in stray.ends)
        draft.unknowns.append(Unknown(stray.name, {name: low}, {name: high}))
        if stray.name == "practice":
            draft.put(name, usual * stray.figure.value, Origin("preset", stray.figure.where, stray.figure))
            draft.put("practice", stray.figure.value, Origin("assumed", _PRACTICE, stray.figure, "--tp"))


def _year(asked: Asked, accelerator: Record) -> None:
    """Set the year of the software: as given, else what is usual on the accelerator."""
    if asked.stack_year:
        return
    year, figure = usual_year(asked.presets, accelerator)
    asked.draft.put("stack_year", year, Origin("assumed", figure.where, figure, "--stack-year"))
