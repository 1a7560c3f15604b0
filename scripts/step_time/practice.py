"""How training in use compares with the fastest layout that the model finds: measured steps, and published runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from estimator.case import Case
from estimator.estimate import evaluate
from estimator.inputs.stacks import STACKS
from estimator.layouts import FREE
from estimator.lower.step_time import PREFIX
from estimator.measured import Table
from estimator.measured.runs import lower_runs, row_of
from estimator.plan import planned
from estimator.presets import Presets
from estimator.records import Record

from .fitting import Fitted
from .rows import Floats, Rows, Words
from .spread import HALF, Spread, quantiles


class Runs(NamedTuple):
    """Published runs: log(measured / predicted) time in the layout found for them, and words about them."""

    errors: Floats
    documents: Words
    experts: Words

    def take(self, mask: np.ndarray) -> Runs:
        """Return some of the runs."""
        return Runs(*(each[mask] for each in self))

    def without(self, document: str) -> Runs:
        """Return the runs of all other documents."""
        return self.take(self.documents != document)


def planned_errors(rows: Rows, fitted: Fitted) -> Floats:
    """Return log(predicted / measured) of every row in the layout that is found for it, its stack unknown too."""
    words = {**rows.words, "stack": np.full(rows.size, STACKS[0])}
    usual = fitted.coefficients(Rows(rows.columns, rows.throughput, words))
    columns = {**rows.columns, **{PREFIX + name: value for name, value in usual._asdict().items()}}
    found = evaluate(planned(Case(columns, free=FREE - {"global_batch"})))
    tokens = columns["global_batch"] * columns["seq"] / columns["count"]
    return np.asarray(np.log(tokens / found.values["modelled_time"]) - np.log(rows.throughput))


def planned_spreads(rows: Rows, errors: Floats) -> dict[str, Spread]:
    """Return by how much measured steps are slower than planned ones: the median and the range."""
    found: dict[str, Spread] = {}
    groups = rows.words["config_group"]
    for kind in ("no", "yes"):
        mask = rows.words["experts"] == kind
        found[f"@experts={kind}"] = _spread(errors[mask], groups[mask])
    return found


def _spread(errors: Floats, groups: Words) -> Spread:
    low, middle, high = quantiles(errors, groups, (0.1, 0.5, 0.9))
    return Spread(*np.exp((low, high)), len(np.unique(groups)), float(np.exp(middle)))


def document_of(record: Record) -> str:
    """Return the document that tells the hours of a run: what one publisher tells is alike."""
    return record.figures["accelerator_hours"].source.title


def planned_of(record: Record) -> dict[str, Spread]:
    """Return by how much measured steps are slower than planned ones, as a calibration holds it."""
    return {
        key.removeprefix("stray_planned"): Spread(figure.low or 1.0, figure.high or 1.0, 0, figure.value)
        for key, figure in record.figures.items()
        if key.startswith("stray_planned@")
    }


def published_runs(presets: Presets) -> Runs:
    """Foretell every run that counts with presets that know nothing of practice."""
    records = [record for record in presets.all("runs") if record.words["scored"]]
    lowered = lower_runs(Table.of([row_of(record) for record in records]), presets)
    found = evaluate(planned(lowered.case), ("occupied_hours",)).values["occupied_hours"]
    hours = [records[place].figures["accelerator_hours"] for place in lowered.kept]
    return Runs(
        np.log([figure.value for figure in hours]) - np.log(found),
        np.array([document_of(records[place]) for place in lowered.kept]),
        np.array([lowered.levels[place]["experts"] for place in lowered.kept]),
    )


def practice_spreads(steps: Mapping[str, Spread], runs: Runs) -> dict[str, Spread]:
    """Return by how much runs are slower than planned ones: what steps tell, drawn to what published runs do.

    A question that names no layout asks for a run, and measured steps are mostly those of benchmarks.

    Not by accelerator: runs on older ones are those of older software, and two accelerators that a user compares are
    to be judged alike.
    """
    found = dict(steps)
    for kind in ("no", "yes"):
        own = runs.take(runs.experts == kind)
        if own.errors.size:
            found[f"@experts={kind}"] = _drawn(steps[f"@experts={kind}"], own)
    return found


def _drawn(usual: Spread, runs: Runs) -> Spread:
    own = _spread(runs.errors, runs.documents)
    share = own.configurations / (own.configurations + HALF)
    low, high, middle = (
        mine**share * all_ ** (1.0 - share)
        for mine, all_ in ((own.low, usual.low), (own.high, usual.high), (own.middle, usual.middle))
    )
    return Spread(low, high, usual.configurations + own.configurations, middle)
