"""Questions side by side: what differs, every quantity with its range, and which is cheaper and faster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..compare import Comparison, Ratio
from ..estimate import Estimate
from ..inputs.letters import letter
from . import answer, words
from .document import QUANTITIES, document, fit_warnings, in_unit, name_of
from .grid import Grid
from .page import Page, one_line

SCHEMA = "estimator/compare/1"
# The quantities of which a sentence tells the order, and the words for less and for more of each.
_VERDICTS = {"cost": ("cheaper", "dearer"), "wall_clock": ("faster", "slower")}
_CSV = ("question", "name", "value", "unit", "low", "high", "ratio", "ratio_low", "ratio_high")


def comparison_page(comparison: Comparison, names: Sequence[str]) -> Page:
    """Return questions side by side; ``names`` say where each came from."""
    titles = [one_line(answer.title(estimate)) for estimate in comparison.estimates]
    asked = [[letter(index), *each] for index, each in enumerate(zip(names, titles, strict=True))]
    parts = [
        Grid(["", "question", "asks"], asked),
        _differences("differs as given", comparison, followed=False),
        _differences("and so differs", comparison, followed=True),
        _quantities(comparison),
        "\n".join(f"{sentence}." for sentence in sentences(comparison)),
        "\n".join(_warnings(comparison)),
    ]
    return Page([part for part in parts if not isinstance(part, Grid) or part.rows], _rows(comparison),
                _document(comparison, names))  # fmt: skip


def _differences(title: str, comparison: Comparison, *, followed: bool) -> Grid:
    values = comparison.followed if followed else comparison.given
    letters = [letter(index) for index in range(len(comparison.runs))]
    rows = [[name_of(name), *(_input(comparison, name, index, each[index]) for index in range(len(each)))]
            for name, each in values.items()]  # fmt: skip
    return Grid([title, *letters], rows)


def _input(comparison: Comparison, name: str, index: int, value: str | float | None) -> str:
    """Return an input as text; one that was left out with what was taken in its place, where that has its name."""
    estimate = comparison.estimates[index]
    if isinstance(value, str):
        return one_line(value)
    if value is None:
        known = math.isfinite(float({**estimate.case.columns, **estimate.values}.get(name, math.nan)))
        return f"{answer.plain(estimate, name, 12)}, {_kind(estimate, name)}" if known else "-"
    column = _COLUMNS.get(name, name)
    return answer.plain(estimate, column, 12) if column in estimate.case.columns else words.digits(value, 12)


# Inputs whose columns have another name, since the answer has a quantity of theirs.
_COLUMNS = {"mfu": "given_mfu", "scaling_efficiency": "efficiency_coefficient"}


def _kind(estimate: Estimate, name: str) -> str:
    """Tell where an input came from that was left out; one that is a quantity too may come from the model."""
    if name in estimate.case.origins:
        return estimate.case.origins[name].kind
    origin = estimate.case.origins.get(_COLUMNS.get(name, ""))
    return origin.kind if origin and origin.kind != "derived" else "modelled"


def _known(comparison: Comparison) -> list[str]:
    """Return the quantities that at least one answer knows."""
    return [
        name
        for name in QUANTITIES
        if any(
            name in each.values and math.isfinite(float(each.values[name])) for each in comparison.estimates
        )
    ]


def _quantities(comparison: Comparison) -> Grid:
    letters = [letter(index) for index in range(1, len(comparison.estimates))]
    headers = [
        "quantity (range, 80 %)",
        letter(0),
        *(name for each in letters for name in (each, f"{each} / A")),
    ]
    rows = [[name.replace("_", " "), *_cells(comparison, name)] for name in _known(comparison)]
    return Grid(headers, rows)


def _cells(comparison: Comparison, name: str) -> list[str]:
    cells: list[str] = []
    for index in range(len(comparison.estimates)):
        cells.append(_with_range(comparison, name, index))
        if index:
            ratio = comparison.ratio(index, name)
            cells.append(_ratio_text(ratio) if ratio else "-")
    return cells


def _ratio_text(ratio: Ratio) -> str:
    span = words.span(ratio.low, ratio.high, ratio.value, "1")
    return words.digits(ratio.value) + (f" ({span})" if span else "")


def _with_range(comparison: Comparison, name: str, index: int) -> str:
    estimate = comparison.estimates[index]
    if name not in estimate.values:
        return "unknown"
    span = answer.between(estimate, name)
    return answer.shown(estimate, name) + (f" ({span})" if span else "")


def sentences(comparison: Comparison) -> list[str]:
    """Return, for each question after the first, whether it is cheaper and faster, and how sure that is."""
    return [
        _sentence(comparison, index, name) for index in range(1, len(comparison.runs)) for name in _VERDICTS
    ]


def _sentence(comparison: Comparison, index: int, name: str) -> str:
    label, other = name.replace("_", " "), letter(index)
    ratio = comparison.ratio(index, name)
    if ratio is None:
        return f"{label}: no ratio of {other} to A, {_reason(comparison, index, name)}"
    if math.isclose(ratio.value, 1.0, rel_tol=1e-9):
        fixed = math.isclose(ratio.low, ratio.high, rel_tol=1e-9)
        return f"{label}: {other} is the same as A" + (
            "" if fixed else " at the estimate, but may be more or less"
        )
    less, more = _VERDICTS[name]
    order = less if ratio.value < 1 else more
    return f"{label}: {other} is {words.digits(ratio.value)} of A ({order}); {_sureness(ratio, other, order)}"


def _sureness(ratio: Ratio, other: str, order: str) -> str:
    if not ratio.overlap:
        return "the ranges do not overlap"
    if ratio.sure:
        return f"the ranges overlap, but what is unknown moves both alike: {other} stays {order}"
    return "the ranges overlap, so this may turn round"


def _reason(comparison: Comparison, index: int, name: str) -> str:
    if name == "cost" and not comparison.same_currency(index):
        first, other = (comparison.estimates[place].case.words.get("currency") for place in (0, index))
        return f"as A is in {first} and {letter(index)} in {other}; give both the same --currency"
    return "as it is not known for both"


def _warnings(comparison: Comparison) -> list[str]:
    return [
        f"Warning, {letter(index)}: {one_line(text)}"
        for index, estimate in enumerate(comparison.estimates)
        for text in (*fit_warnings(estimate), *estimate.case.notes)
    ]


def _rows(comparison: Comparison) -> Grid:
    """Return one row a question and quantity with full precision, for CSV."""
    rows: list[list[str]] = []
    for index, estimate in enumerate(comparison.estimates):
        for name in _known(comparison):
            amount, ratio = estimate.amount(name), comparison.ratio(index, name)
            ends = [
                _cell(float(in_unit(end, amount.unit))) for end in (amount.value, amount.low, amount.high)
            ]
            ratios = [_cell(number) for number in ratio[:3]] if ratio else [""] * 3
            rows.append([letter(index), name, ends[0], amount.unit, *ends[1:], *ratios])
    return Grid(_CSV, rows)


def _cell(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""


def _document(comparison: Comparison, names: Sequence[str]) -> dict[str, Any]:
    places = range(len(comparison.runs))
    ratios = [{name: comparison.ratio(index, name) for name in _known(comparison)} for index in places]
    return {
        "schema": SCHEMA,
        "names": list(names),
        "questions": [
            document(estimate, run.write())
            for run, estimate in zip(comparison.runs, comparison.estimates, strict=True)
        ],
        "differences": {"given": comparison.given, "followed": _finite(comparison.followed)},
        "ratios": [{name: each and each.value for name, each in found.items()} for found in ratios],
        "ratio_ranges": [
            {name: each and [each.low, each.high] for name, each in found.items()} for found in ratios
        ],
        "verdicts": sentences(comparison),
    }


def _finite(values: dict[str, list[str | float | None]]) -> dict[str, list[str | float | None]]:
    """Return values that JSON can hold: one that is not known is null."""
    return {name: [None if isinstance(value, float) and not math.isfinite(value) else value for value in each]
            for name, each in values.items()}  # fmt: skip
