"""The coefficients of the step time for an accelerator, a precision and a software stack, as they were fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..arrays import array
from ..case import Unknown
from ..formulas.job import Coefficients
from ..inputs.stacks import STACKS
from ..presets import Presets
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked

CALIBRATION = "step-time"
# What may tell one level of a coefficient from another; the key of a figure names them: "tensor_use@stack=fsdp".
LEVELS = ("accelerator", "architecture", "precision", "stack", "experts")
PREFIX = "fit_"
# A layout that leaves these open is a planned one.
PLANNED = {"tp", "pp"}
# Years from an accelerator's launch to the software that a silent question means, and the last year on record.
_MATURE, _LATEST = "mature", "latest"


class Strayed(NamedTuple):
    """How far steps stray from the model: a factor on the time at the low and at the high end, and why."""

    name: str
    figure: Figure

    @property
    def ends(self) -> tuple[float, float]:
        """The factors."""
        return self.figure.low or 1.0, self.figure.high or 1.0


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


def coefficients(record: Record, levels: Mapping[str, str]) -> dict[str, float]:
    """Return every coefficient at these levels: its usual value times the factors of the levels that hold."""
    values = dict.fromkeys(Coefficients._fields, 1.0)
    for key, figure in record.figures.items():
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


def strayed(record: Record, levels: Mapping[str, str], *, planned: bool = False) -> list[Strayed]:
    """Return what carries the range: the model itself, a stack that is not named, a chip without measured steps.

    Where the layout is ``planned`` instead of given, how layouts in use compare with planned ones stands for the
    first two: it was measured with both unknown.
    """
    measured = any(conditions(key)[1].get("accelerator") == levels["accelerator"] for key in record.figures)
    unnamed = levels["stack"] == STACKS[0]
    names = ["practice"] if planned else ["model"]
    names += ["stack"] if unnamed and not planned else []
    names += [] if measured else ["accelerator"]
    found = ((name, closest(record, f"stray_{name}", levels)) for name in names)
    return [Strayed(name, figure) for name, figure in found if figure]


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
        "stack": asked.run.stack or STACKS[0],
        "experts": "yes" if draft.columns.get("experts", 0.0) > 0 else "no",
    }
    origin = Origin("preset", f"fitted to measured steps ({record.name})", option="--stack")
    for name, value in coefficients(record, levels).items():
        draft.put(PREFIX + name, value, origin)
    _year(asked, accelerator)
    if asked.run.mfu is None:
        _stray(asked, strayed(record, levels, planned=PLANNED <= draft.free))


def _stray(asked: Asked, strays: list[Strayed]) -> None:
    """Set what carries the range, and by how much steps in use are slower than planned ones."""
    name, draft = PREFIX + "slowness", asked.draft
    usual = draft.columns[name]
    for stray in strays:
        low, high = (array(usual * end) for end in stray.ends)
        draft.unknowns.append(Unknown(stray.name, {name: low}, {name: high}))
        if stray.name == "practice":
            draft.put(name, usual * stray.figure.value, Origin("preset", stray.figure.where, stray.figure))


def _year(asked: Asked, accelerator: Record) -> None:
    """Set the year of the software: as given, else what is usual on the accelerator."""
    if asked.run.stack_year is not None:
        return
    year, figure = usual_year(asked.presets, accelerator)
    asked.draft.put("stack_year", year, Origin("assumed", figure.where, figure, "--stack-year"))
