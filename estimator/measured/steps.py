"""Coefficients of the step time for every row, by its accelerator, precision and software stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..inputs.stacks import STACKS
from ..inputs.table import PRECISIONS
from ..lower.step_time import CALIBRATION, LEVELS, PLANNED, PREFIX, Strayed, coefficients, strayed, usual_year
from ..presets import Presets
from ..records import Record
from .columns import RowDraft
from .table import Places, distinct

Levels = Mapping[str, str]


def levels_of(draft: RowDraft, presets: Presets, chips: Sequence[tuple[str, str]]) -> list[Levels]:
    """Return what tells the coefficients of each row: accelerator, architecture, precision, stack and experts.

    A family stands for its usual member, a precision for the one in which its chip runs.
    """
    usual = {chip: _member(presets, chip) for chip, _ in chips}
    stacks = draft.columns["stack"].astype(np.intp)
    precisions = (PRECISIONS[int(code)] for code in draft.columns["precision"])
    sparse = draft.columns["experts"] > 0.0
    rows = zip(chips, precisions, map(int, stacks), map(bool, sparse), strict=True)
    return [
        {
            "accelerator": usual[chip], "architecture": architecture, "precision": precision,
            "stack": STACKS[stack], "experts": "yes" if experts else "no",
        }
        for (chip, architecture), precision, stack, experts in rows
    ]  # fmt: skip


def put_step_time(
    draft: RowDraft, presets: Presets, chips: Sequence[tuple[str, str]], rows: Sequence[Levels]
) -> None:
    """Set the coefficients of every row, the year of its software, and how far steps stray from the model."""
    _years(draft, presets, chips)
    if CALIBRATION not in presets.files("calibrations"):
        return  # before the first fit, which learns them from these very rows
    record = presets.load("calibrations", CALIBRATION)
    keys, which = distinct(*([level[kind] for level in rows] for kind in LEVELS))
    levels: list[Levels] = [dict(zip(LEVELS, key, strict=True)) for key in keys]
    own = presets.calibration
    each = [coefficients(record, level, own) for level in levels]
    for name in each[0] if each else ():
        draft.put(PREFIX + name, np.array([values[name] for values in each])[which])
    planned = draft.free >= PLANNED
    strays = [
        {stray.name: stray for stray in strayed(record, level, own, planned=planned)} for level in levels
    ]
    _strays(draft, strays, which)


def _strays(draft: RowDraft, each: Sequence[Mapping[str, Strayed]], which: Places) -> None:
    usual = draft.columns[PREFIX + "slowness"]
    practice = [strays["practice"].figure.value if "practice" in strays else 1.0 for strays in each]
    draft.put(PREFIX + "slowness", usual * np.array(practice)[which])
    for name in dict.fromkeys(name for strays in each for name in strays):
        ends = np.array([strays[name].ends if name in strays else (1.0, 1.0) for strays in each])[which]
        draft.between(name, PREFIX + "slowness", usual * ends[:, 0], usual * ends[:, 1])


def _years(draft: RowDraft, presets: Presets, chips: Sequence[tuple[str, str]]) -> None:
    """Set the year of the software where a row does not tell it."""
    usual: dict[str, float] = {}
    for chip in {chip for chip, _ in chips}:
        usual[chip] = _usual(presets, chip)
    years = draft.columns["stack_year"]
    blank = np.isnan(years)
    draft.put("stack_year", np.where(blank, np.array([usual[chip] for chip, _ in chips]), years))
    draft.note("stack_year", blank)


def _usual(presets: Presets, chip: str) -> float:
    """Return the usual year of a chip, of a family that of its usual member; of an unknown one the newest on record."""
    chip = _member(presets, chip)
    record: Record | None = (
        presets.load("accelerators", chip) if chip in presets.files("accelerators") else None
    )
    if record is None:
        return presets.load("assumptions", "software").value("latest")
    return usual_year(presets, record)[0]


def _member(presets: Presets, chip: str) -> str:
    """Return the accelerator that a family stands for; a name that is no family's stays."""
    if chip not in presets.files("families"):
        return chip
    words = presets.load("families", chip).words
    return str(words.get("default") or words["members"][0])
