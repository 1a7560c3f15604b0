"""docs/accuracy.md: its words, and the tables put between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from step_time.rows import Rows, scorable_rows

from estimator import Presets

from . import figures, ranges_tables, row_tables, run_tables
from .left import Left, left_of
from .one_step import Given, given_one
from .peaks import lomo, peaks
from .runs import published, run_groups
from .scores import BASELINE, OURS, Scores
from .series import all_series
from .statistics import summary, verdicts
from .store import Foretold
from .template import PAGE


class Measured(NamedTuple):
    """What the page is made of: the rows, and what was foretold of them by kind of what was left out."""

    presets: Presets
    rows: Rows
    stored: Sequence[Foretold]
    quarter: Left
    source: Left
    accelerator: Left
    given: Given


def measured(stored: Sequence[Foretold]) -> Measured:
    """Put what is stored beside the rows of today."""
    presets = Presets()
    rows = scorable_rows(presets)
    quarter, source, accelerator = (
        left_of(rows, stored, kind) for kind in ("quarter", "source", "accelerator")
    )
    return Measured(presets, rows, stored, quarter, source, accelerator, given_one(source.once, stored))


def page(stored: Sequence[Foretold]) -> str:
    """Return the page that stored figures and the records give."""
    data = measured(stored)
    tables = {**row_sections(data), **other_sections(data), **run_sections(data)}
    return PAGE.format(
        rows=data.rows.size, configurations=data.quarter.configurations,
        sources=len(np.unique(data.rows.words["source"])), chips=len(np.unique(data.rows.words["accelerator"])),
        **{name: "\n".join(lines) for name, lines in tables.items()},
    )  # fmt: skip


def row_sections(data: Measured) -> dict[str, list[str]]:
    """Tables about the throughput of measured rows."""
    groups = {
        f"{way}, {kind}": _methods(left.of("experts", level))
        for way, left in (
            ("quarters", data.quarter), ("source left out", data.source), ("accelerator left out", data.accelerator)
        )
        for kind, level in (("dense", "no"), ("mixture of experts", "yes"))
    }  # fmt: skip
    return {
        "row_verdicts": verdicts(groups),
        "by_source": row_tables.parts_table(data.source, "source"),
        "given": row_tables.given_table(data.given),
        "by_accelerator": row_tables.parts_table(data.accelerator, "accelerator"),
        "ranges": ranges_tables.pooled(data.quarter),
        "ranges_by_accelerator": ranges_tables.by_accelerator(data.quarter),
        "noise": row_tables.noise_table(data.rows, data.quarter),
        "worst": row_tables.worst_configurations(data.quarter),
    }


def _methods(left: Left) -> dict[str, Scores]:
    return {OURS: left.once.ours, BASELINE: left.once.baseline}


def other_sections(data: Measured) -> dict[str, list[str]]:
    """The first table, and those about layouts, scaling and memory."""
    found = {row.id: row.value for row in data.stored if row.kind == "series"}
    series = [each for each in all_series(data.presets) if each.id in found]
    ours = [found[each.id] for each in series]
    top, parts = peaks(data.presets), lomo(data.presets)
    lines = [
        *figures.step_lines(data.quarter, data.source, data.accelerator, data.given),
        *figures.ranking_lines((("source left out", data.source), ("quarters left out", data.quarter))),
        figures.points_line(np.array([each.measured for each in series]), np.array(ours)),
        *figures.memory_lines(top, parts),
    ]
    return {
        "figures": figures.written(lines), "ranking": row_tables.ranking_table(data.source),
        "series": row_tables.series_table(series, ours),
        "series_range": row_tables.series_range(series, ours), "memory": row_tables.memory_table(top),
        "lomo": row_tables.lomo_table(parts),
    }  # fmt: skip


def run_sections(data: Measured) -> dict[str, list[str]]:
    """Tables about published runs."""
    found = published(data.presets, data.rows, data.stored)
    groups = run_groups(found)
    return {
        "runs": summary(groups), "run_verdicts": verdicts(groups), "run_table": run_tables.run_table(found),
        "kin_table": run_tables.kin_table(found), "help_table": run_tables.help_table(found),
        "worst_runs": run_tables.worst_runs(found),
        "left_out_runs": run_tables.left_out_runs(data.presets.all("runs")),
    }  # fmt: skip
