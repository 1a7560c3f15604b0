"""Ask many questions in one evaluation, as a user would ask each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from estimator import Presets, Run
from estimator.answer import sized, with_ranges
from estimator.arrays import Array, array
from estimator.case import Case, Unknown
from estimator.estimate import Estimate
from estimator.lower import lower
from estimator.records import Record


def is_scored(record: Record) -> bool:
    return bool(record.words["scored"])


def question(record: Record, *, stated_precision: bool = True) -> dict[str, object]:
    """What a user would ask about a run: model, tokens and chip, the rest only where the record states it."""
    words, figures = record.words, record.figures
    asked: dict[str, object] = {"on": words["accelerator_id"], "tokens": figures["tokens"].value}
    asked |= {"model": words["model_id"]} if "model_id" in words else {"params": figures["parameters"].value}
    asked |= {"count": figures["accelerators"].value} if "accelerators" in figures else {}
    asked |= {"seq": figures["seq"].value} if "seq" in figures else {}
    return asked | ({"precision": words["precision"]} if stated_precision and "precision" in words else {})


def lowered(questions: Sequence[Mapping[str, object]], presets: Presets) -> list[Case]:
    """Return the case of each question, its count and layout found where it leaves them open."""
    return [sized(lower(Run.read(asked, presets), presets)) for asked in questions]


def together(cases: Sequence[Case]) -> Estimate:
    """Answer many cases in one evaluation: their columns stand one below the other."""
    return with_ranges(stacked(cases))


def stacked(cases: Sequence[Case]) -> Case:
    """Put cases below each other; what one lacks is not a number, an unknown it lacks does not move it."""
    names = dict.fromkeys(name for case in cases for name in case.columns)
    columns = {name: array([case.columns.get(name, np.nan) for case in cases]) for name in names}
    moved: dict[str, dict[str, None]] = defaultdict(dict)
    for case in cases:
        for unknown in case.unknowns:
            moved[unknown.name] |= dict.fromkeys(unknown.low)

    def end(case: Case, unknown: str, column: str, side: str) -> Array:
        own = next((item for item in case.unknowns if item.name == unknown), None)
        ends: Mapping[str, Array] = getattr(own, side) if own else {}
        return ends.get(column, case.columns[column])

    def ends(unknown: str, side: str) -> dict[str, Array]:
        return {name: array([end(case, unknown, name, side) for case in cases]) for name in moved[unknown]}

    unknowns = tuple(Unknown(name, ends(name, "low"), ends(name, "high")) for name in moved)
    return Case(columns, unknowns=unknowns)
