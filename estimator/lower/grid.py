"""The grid that feeds a run: its carbon intensity in the year asked, and the carbon of making the machines."""

from __future__ import annotations

import math

from .. import units
from ..errors import EstimatorError
from ..provenance import Figure, Origin
from ..records import Record, Row, cell_number
from .asked import Asked

_TABLE = "intensities/grids"


def lower(asked: Asked, grid: Record) -> None:
    """Set the carbon intensity, of the year asked where the question names one; a range of its own, or the usual."""
    figure, missed = grid.figures.get("carbon_intensity"), ""
    if figure is None:
        reason = f"{grid.id} has no carbon intensity on record"
        asked.draft.put("carbon_intensity", math.nan, Origin("assumed", reason, option="--grid"))
        return
    if asked.run.year is not None:
        figure, missed = _of_year(asked, grid, figure)
    asked.draft.figure("carbon_intensity", figure, reason=missed, option="--grid")
    if figure.low is None and figure.high is None:
        usual = asked.defaults.figures["grid_spread"]
        low, high = figure.value * (usual.low or 1.0), figure.value * (usual.high or 1.0)
        asked.draft.unknown("carbon_intensity", low, high)


def _of_year(asked: Asked, grid: Record, figure: Figure) -> tuple[Figure, str]:
    """Return the intensity of the year asked, or of the nearest on record and a word on it.

    Raises
    ------
    EstimatorError
        A grid that the question names has none of near that year.
    """
    year = asked.run.year or 0.0
    rows = [row for row in asked.presets.rows(_TABLE) if row.cells["grid"] == grid.id]
    if not rows:
        return figure, ""
    found = min(rows, key=lambda row: (_off(row, year), -cell_number(row, "last_year")))
    off, near = _off(found, year), asked.defaults.figures["grid_years"].value
    if off > near and asked.run.grid is not None:
        known = ", ".join(dict.fromkeys(_period(row) for row in rows))
        raise EstimatorError(
            f"--grid: {grid.id} has no carbon intensity of {year:.0f} on record, nor of {near:.0f} years round it; it "
            f"has {known}: give such a --year, or leave it out"
        )
    dated = f"of {_period(found)} (none of {year:.0f} on record)" if off else ""
    return _figure(found), dated


def _off(row: Row, year: float) -> float:
    """Return how many years lie between a row and a year."""
    return max(cell_number(row, "first_year") - year, year - cell_number(row, "last_year"), 0.0)


def _period(row: Row) -> str:
    first, last = row.cells["first_year"], row.cells["last_year"]
    return first if first == last else f"{first}-{last}"


def _figure(row: Row) -> Figure:
    text = f"{cell_number(row, 'carbon_intensity')!r} {row.cells['unit']}"
    where = f"{row.cells['where']}, {_period(row)}"
    return Figure(units.parse_any(text)[0], text, row.source, where, "stated")


def embodied(asked: Asked) -> None:
    """Set the carbon of making an accelerator with its share of the server, and the use over which it is spread."""
    given, usual, draft, run = asked.run.embodied, asked.defaults.figures, asked.draft, asked.run
    if given is None:
        draft.put("embodied", 0.0, Origin("derived", "not asked for", option="--embodied"))
    elif isinstance(given, str):
        draft.figure("embodied", usual["embodied"], reason=usual["embodied"].where, option="--embodied")
    else:
        draft.put("embodied", given, Origin("given", option="--embodied"))
    life, use = usual["embodied_life"], usual["embodied_use"]
    spread = (run.life or life.value) * (run.utilisation or use.value)
    if given is None or (run.life and run.utilisation):
        draft.put("embodied_time", spread, Origin("derived", "life x utilisation", option="--life"))
        return
    draft.put("embodied_time", spread, Origin("assumed", f"{life.where}; {use.where}", life, "--life"))
    ends = [
        (run.life or end_life or 0.0) * (run.utilisation or end_use or 0.0)
        for end_life, end_use in ((life.low, use.low), (life.high, use.high))
    ]
    draft.unknown("embodied_time", *ends)
