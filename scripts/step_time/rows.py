"""Measured rows as the records that the step time takes, and the columns by which they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimator.formulas.collectives import Machine
from estimator.formulas.job import Coefficients, Host, Job
from estimator.formulas.layout import Layout
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import Transformer
from estimator.formulas.step_time import modelled_step_time
from estimator.measured import Table, lower_rows, scorable, throughput_of
from estimator.presets import Presets

Floats = np.ndarray[Any, np.dtype[np.float64]]
Words = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True)
class Rows:
    """Measured rows: columns of their case, throughput, and words (source, group, levels ...), all of one length."""

    columns: Mapping[str, Floats]
    throughput: Floats
    words: Mapping[str, Words]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.throughput)

    def take(self, which: Any) -> Rows:
        """Return some of the rows, by mask or places."""
        return Rows(
            {name: column[which] for name, column in self.columns.items()},
            self.throughput[which],
            {name: column[which] for name, column in self.words.items()},
        )

    def job(self, fitted: Coefficients) -> Job:
        """Return the step of every row with these coefficients."""
        model, layout, machine = (
            record(*(self.columns[name] for name in record._fields))
            for record in (Transformer, Layout, Machine)
        )
        columns = self.columns
        method = Method(*(columns[f"method_{name}"] for name in Method._fields))
        host = Host(*(columns[name] for name in Host._fields))
        seq, year, causal, ulysses = (columns[name] for name in ("seq", "stack_year", "causal", "ulysses"))
        return Job(model, layout, machine, fitted, seq, year, method, host, causal, ulysses)

    def log_throughput(self, fitted: Coefficients) -> Floats:
        """Return the logarithm of the throughput that the model gives, in tokens a second and accelerator."""
        columns = self.columns
        tokens = columns["global_batch"] * columns["seq"] / columns["count"]
        return np.asarray(np.log(tokens / modelled_step_time(self.job(fitted)).total))


def scorable_rows(presets: Presets) -> Rows:
    """Return every row that counts and can be estimated."""
    cells = [row.cells for row in presets.rows("measurements/throughput") if scorable(row.cells)]
    lowered = lower_rows(Table.of(cells), presets)
    kept = [cells[place] for place in lowered.kept]
    words = {
        name: np.array([row[name] for row in kept]) for name in ("id", "source", "config_group", "model")
    }
    levels = [lowered.levels[place] for place in lowered.kept]
    words |= {kind: np.array([level[kind] for level in levels]) for kind in levels[0]}
    return Rows(
        {name: np.asarray(column) for name, column in lowered.case.columns.items()},
        np.asarray(throughput_of(kept)),
        words,
    )


def once(rows: Rows) -> Rows:
    """Return one row of each configuration: the one whose throughput is the median of its repeats."""
    places: list[int] = []
    for group in np.unique(rows.words["config_group"]):
        members = np.flatnonzero(rows.words["config_group"] == group)
        order = members[np.argsort(rows.throughput[members])]
        places.append(int(order[len(order) // 2]))
    return rows.take(np.array(sorted(places)))
