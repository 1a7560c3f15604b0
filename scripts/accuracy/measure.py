"""The slow part of the page: rows, scaling series and published runs foretold by fits that have not seen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from step_time.fitting import Fitted, fit
from step_time.left_out import quarters
from step_time.record import presets_of
from step_time.rows import Floats, Rows, Words, once, scorable_rows
from step_time.spread import model_spreads

from estimator import Presets
from estimator.measured import Cells

from . import constant, one_step, runs, series
from .learnt import Errors, foretell, record_text, spread_of
from .store import Foretold

KINDS = ("quarter", "source", "accelerator")
# What was left out of nothing: the house's own calibration.
HOUSE = "house"


class Part(NamedTuple):
    """What is left out together: a quarter of the configurations, sources or an accelerator."""

    kind: str
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name under which it is stored."""
        return "+".join(self.names)

    def left(self, rows: Rows) -> np.ndarray:
        """Tell which rows belong to it."""
        return np.isin(labels(rows, self.kind), self.names)


def labels(rows: Rows, kind: str) -> Words:
    """Return what each row is left out with."""
    return quarters(rows) if kind == "quarter" else rows.words[kind]


def parts_of(rows: Rows, kind: str) -> list[Part]:
    """Return every part of a kind."""
    return [Part(kind, (name,)) for name in sorted(set(labels(rows, kind).tolist()))]


def learn(rows: Rows, part: Part) -> Fitted:
    """Fit to all but a part, from the priors on: nothing of what is left out enters, not even as a start."""
    return fit(once(rows.take(~part.left(rows))))


def errors_of(rows: Rows, fits: Mapping[Part, Fitted]) -> dict[str, Floats]:
    """Return log(predicted / measured) of every row by kind, each by the fit that has not seen it."""
    found = {kind: np.full(rows.size, np.nan) for kind in KINDS}
    for part, fitted in fits.items():
        if len(part.names) == 1:
            left = part.left(rows)
            rest = rows.take(left)
            found[part.kind][left] = fitted.log_throughput(rest) - np.log(rest.throughput)
    return found


def baseline_errors(rows: Rows) -> Floats:
    """Return log(predicted / measured) of the baseline, each quarter left out in turn."""
    found = np.full(rows.size, np.nan)
    for part in parts_of(rows, "quarter"):
        left = part.left(rows)
        rest = rows.take(left)
        found[left] = np.log(constant.throughput(rows.take(~left), rest) / rest.throughput)
    return found


def without(
    rows: Rows, errors: Errors, kin: Mapping[str, Part], part: Part, fitted: Fitted
) -> list[Foretold]:
    """Foretell what belongs to a part: its rows, its series, and the runs of which it has kin."""
    seen = ~part.left(rows)
    text = record_text(rows.take(seen), fitted, {kind: error[seen] for kind, error in errors.items()})
    with presets_of(text) as presets:
        own = _rows_of(rows, part, presets) if len(part.names) == 1 else []
        if part.kind == "source":
            own += _given(rows, part, presets)
            own += series.foretold(part.name, [part.name], presets)
            own += runs.foretold(part.name, [name for name, of in kin.items() if of == part], presets)
        return own


def _rows_of(rows: Rows, part: Part, presets: Presets) -> list[Foretold]:
    left = part.left(rows)
    asked, seen = rows.take(left), rows.take(~left)
    cells = _cells(presets)
    ours = foretell([cells[name] for name in asked.words["id"].tolist()], presets)
    plain = constant.throughput(seen, asked)
    low, high = spread_of(model_spreads(seen, baseline_errors(rows)[~left]), asked)
    ends = zip(plain, plain / high, plain / low, strict=True)
    return [
        Foretold(part.kind, part.name, name, *ours[name], *map(float, own))
        for name, own in zip(asked.words["id"].tolist(), ends, strict=True)
    ]


def _given(rows: Rows, part: Part, presets: Presets) -> list[Foretold]:
    """Foretell the configurations of a source once one of them was given."""
    own = once(rows.take(part.left(rows)))
    return one_step.foretold(own, _cells(presets), presets) if len(part.names) == 1 and own.size > 1 else []


def _cells(presets: Presets) -> dict[str, Cells]:
    return {row.cells["id"]: row.cells for row in presets.rows("measurements/throughput")}


def measure() -> list[Foretold]:
    """Fit without each part and foretell it."""
    presets = Presets()
    rows = scorable_rows(presets)
    parts = [part for kind in KINDS for part in parts_of(rows, kind)]
    kin = {run: Part("source", sources) for run, sources in runs.sources_of_kin(rows, presets).items()}
    parts += sorted(set(kin.values()) - set(parts))
    with ProcessPoolExecutor() as pool:
        fits = dict(zip(parts, pool.map(partial(learn, rows), parts), strict=True))
        found = pool.map(partial(without, rows, errors_of(rows, fits), kin), fits, fits.values())
        return [*(row for own in found for row in own), *of_the_house(rows, presets)]


def of_the_house(rows: Rows, presets: Presets) -> list[Foretold]:
    """Foretell the series of sources without measured rows, which the house has not seen."""
    seen = set(rows.words["source"].tolist())
    chosen = {each.source for each in series.all_series(presets)} - seen
    return series.foretold(HOUSE, chosen, presets)


def again(stored: Sequence[Foretold]) -> list[Foretold]:
    """Measure anew what is cheap: one quarter, and what has never been seen."""
    presets = Presets()
    rows = scorable_rows(presets)
    part = parts_of(rows, "quarter")[0]
    errors = {kind: _stored_errors(rows, stored, kind) for kind in KINDS}
    return [*without(rows, errors, {}, part, learn(rows, part)), *of_the_house(rows, presets)]


def _stored_errors(rows: Rows, stored: Sequence[Foretold], kind: str) -> Floats:
    known = {row.id: row.value for row in stored if row.kind == kind}
    return np.log(np.array([known[name] for name in rows.words["id"].tolist()]) / rows.throughput)
