"""The grid that feeds a run: its carbon intensity and PUE in the year asked, and the carbon of making the machines."""

from __future__ import annotations

import math

from ..errors import EstimatorError
from ..provenance import Figure, Origin
from ..records import Record, Row
from .asked import Asked
from .dated import country, figure_of, nearest, period, rows_of, years_off

_TABLE, _PUES = "intensities/grids", "intensities/pue"


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
    rows = rows_of(asked, _TABLE, grid.id, "grid")
    if not rows:
        return figure, ""
    found = nearest(rows, year)
    off, near = years_off(found, year), asked.defaults.figures["grid_years"].value
    if off > near and (stood_in := _of_country(asked, grid, near)):
        return stood_in
    if off > near and asked.run.grid is not None:
        known = ", ".join(dict.fromkeys(period(row) for row in rows))
        raise EstimatorError(
            f"--grid: {grid.id} has no carbon intensity of {year:.0f} on record, nor of {near:.0f} years round it; it "
            f"has {known}: give such a --year, or leave it out"
        )
    return _dated(found), f"of {period(found)} (none of {year:.0f} on record)" if off else ""


def _dated(row: Row) -> Figure:
    figure = figure_of(row, "carbon_intensity")
    return figure._replace(where=f"{figure.where}, {period(row)}")


def _of_country(asked: Asked, grid: Record, near: float) -> tuple[Figure, str] | None:
    """Return the intensity of a region's country, where it is on record near the year asked, and a word on it."""
    year, nation = asked.run.year or 0.0, country(asked, grid)
    rows = rows_of(asked, _TABLE, nation.id, "grid") if nation else []
    found = nearest(rows, year) if rows else None
    if nation is None or found is None or years_off(found, year) > near:
        return None
    return _dated(
        found
    ), f"that of {nation.name} of {period(found)} (none near {year:.0f} of {grid.name} on record)"


def pue(asked: Asked, grid: Record) -> None:
    """Set the PUE: as given, of the operator named, of the region or of its provider, else the usual."""
    given = asked.run.pue
    found = _pue_of(asked, asked.presets.find("pue", given).record) if isinstance(given, str) else None
    if found is None and given is None:
        found = _pue_of(asked, grid) or _pue_of(asked, _provider(asked, grid))
    if found is None:
        asked.number("pue", "pue", ranged=True)
        return
    figure, missed = found
    asked.draft.figure("pue", figure, reason=missed, option="--pue")


def _provider(asked: Asked, grid: Record) -> Record | None:
    """Return what a region's provider reports for all of its sites, where that is on record."""
    id = str(grid.words.get("provider", "")).lower().replace(" ", "-")
    return asked.presets.load("pue", id) if id in asked.presets.files("pue") else None


def _pue_of(asked: Asked, place: Record | None) -> tuple[Figure, str] | None:
    """Return the PUE of a region or an operator, of the year asked or of the nearest, and a word on its year."""
    figure = place.figures.get("pue") if place else None
    rows = rows_of(asked, _PUES, place.id) if place else []
    if place is None or figure is None or asked.run.year is None or not rows:
        return figure and (figure, "")
    found = nearest(rows, asked.run.year)
    missed = f"no PUE of {asked.run.year:.0f} for {place.name} on record: that of {period(found)}"
    return figure_of(found, "pue"), missed if years_off(found, asked.run.year) else ""


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
