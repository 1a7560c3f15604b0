"""The software that a row ran on: its stack, and the year of its release."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..inputs.stacks import STACKS, stack_of
from ..presets import Presets
from .columns import RowDraft
from .table import distinct

# Where a release stands, most telling first; a row may lack any of these columns.
_PLACES = ("framework", "where", "source_locator", "notes", "source_version", "version", "source")
_RELEASE = re.compile(
    r"(?:\bv|NeMo ?|release v?|ngc|container )(2\d)\.(0[1-9]|1[0-2])(?!\d)"
    r"|(?<![\d.])(2\d)\.(0[1-9]|1[0-2])(?:\.\d+)? (?:NeMo|table|container)",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\.? (20[12]\d)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<![\d.-])(20[12]\d)(?![\d.])")
_MLPERF = re.compile(r"(?:mlperf|training_results)\D{0,20}?v?(\d)[.-](\d)", re.IGNORECASE)


def put_software(draft: RowDraft, presets: Presets) -> None:
    """Set the columns of the stack, as its code, and of the year of the software, NaN where it is not known."""
    table = draft.table
    rounds = presets.load("assumptions", "measured")
    frameworks, of_stack = distinct(table.text("framework"))
    draft.put("stack", np.array([float(STACKS.index(stack_of(text))) for (text,) in frameworks])[of_stack])
    draft.note("stack", draft.columns["stack"] == 0.0)
    keys, which = distinct(*(table.text(name) for name in _PLACES))
    known = {name: figure.value for name, figure in rounds.figures.items() if name.startswith("mlperf_")}
    draft.put("stack_year", np.array([year_of(key, known) for key in keys])[which])


def year_of(texts: Sequence[str], rounds: dict[str, float]) -> float:
    """Return the year of the software that texts tell of, the first of them first; NaN where none does.

    ``rounds`` gives the year of MLPerf rounds, like ``{"mlperf_3_0": 2023.5}``.

    Examples
    --------
    >>> round(year_of(["NeMo 24.07 (Megatron-Core)"], {}), 2), year_of(["Megatron-LM 2021", ""], {})
    (2024.5, 2021.5)
    """
    told = (_told(text, plain=not place) for place, text in enumerate(texts) if text)
    years = (rounds.get(year, math.nan) if isinstance(year, str) else year for year in told)
    return next((year for year in years if not math.isnan(year)), math.nan)


@lru_cache(maxsize=1 << 14)
def _told(text: str, *, plain: bool) -> float | str:
    """Read one text: a year, or the name of a round of MLPerf.

    A plain year counts only in the name of the framework, where it is its own.
    """
    if release := _RELEASE.search(text):
        year, month = release[1] or release[3], release[2] or release[4]
        return 2000.0 + int(year) + (int(month) - 1) / 12.0
    if month := _MONTH.search(text):
        return int(month[2]) + _MONTHS.index(month[1].lower()) / 12.0
    if plain and (year := _YEAR.search(text)):
        return int(year[1]) + 0.5
    if listed := _MLPERF.search(text):
        return f"mlperf_{listed[1]}_{listed[2]}"
    return math.nan
