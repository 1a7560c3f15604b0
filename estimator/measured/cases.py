"""Measured rows as one case, whose columns have a place for every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..case import Case
from ..errors import EstimatorError
from ..presets import Presets
from ..tuples import NamedTuple
from .columns import RowDraft
from .layouts import check_layout, put_layout
from .machines import put_machines
from .models import put_models
from .neutral import put_neutral
from .software import put_software
from .steps import Levels, levels_of, put_step_time
from .table import Fault, Mask, Places, Table
from .training import put_training


class Lowered(NamedTuple):
    """Rows as a case of those that can be estimated, and why the others cannot.

    ``kept`` holds the places of the rows of the case, ``faults`` a reason or nothing for every row, ``assumed``
    which rows each input was assumed for, ``chips`` accelerator and architecture of every row, ``levels`` what tells
    the coefficients of its step time.
    """

    case: Case
    kept: Places
    faults: Sequence[Fault | None]
    assumed: Mapping[str, Mask]
    chips: Sequence[tuple[str, str]]
    levels: Sequence[Levels]

    def assumptions(self, place: int) -> list[str]:
        """Return the inputs that were assumed for one row."""
        return [name for name, mask in self.assumed.items() if mask[place]]


def throughput_case(rows: Sequence[Mapping[str, str]], presets: Presets) -> Case:
    """Return measured rows of throughput as one case with columns of shape (n,).

    Raises
    ------
    EstimatorError
        A row that cannot be estimated.
    """
    lowered = lower_rows(Table.of(rows), presets)
    for row, fault in zip(rows, lowered.faults, strict=True):
        if fault:
            raise EstimatorError(f"row {row.get('id') or '?'}: {fault.write()}")
    return lowered.case


def lower_rows(
    table: Table, presets: Presets, more: Callable[[RowDraft, Presets], None] | None = None
) -> Lowered:
    """Lower rows; one that cannot be estimated is left out of the case with its reason.

    ``more`` sets further columns, or other ones, from what a kind of rows has beside the usual cells.
    """
    draft = RowDraft(table)
    put_models(draft, presets)
    chips = put_machines(draft, presets, draft.columns["experts"] > 0.0)
    put_software(draft, presets)
    put_layout(draft, presets)
    put_training(draft, presets)
    if more:
        more(draft, presets)
    put_neutral(draft, presets)
    levels = levels_of(draft, presets, chips)
    put_step_time(draft, presets, chips, levels)
    check_layout(draft)
    kept = np.array([place for place, fault in enumerate(table.faults) if fault is None], dtype=np.intp)
    return Lowered(draft.case(kept, {"currency": "USD"}), kept, table.faults, draft.assumed, chips, levels)
