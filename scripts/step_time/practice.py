"""How layouts in use compare with the fastest one that the model finds: measured steps, their layout held back."""

from __future__ import annotations

import numpy as np

from estimator.case import Case
from estimator.estimate import evaluate
from estimator.inputs.stacks import STACKS
from estimator.layouts import FREE
from estimator.lower.step_time import PREFIX
from estimator.plan import planned

from .fitting import Fitted
from .rows import Floats, Rows
from .spread import Spread, quantiles


def planned_errors(rows: Rows, fitted: Fitted) -> Floats:
    """Return log(predicted / measured) of every row in the layout that is found for it, its stack unknown too."""
    words = {**rows.words, "stack": np.full(rows.size, STACKS[0])}
    usual = fitted.coefficients(Rows(rows.columns, rows.throughput, words))
    columns = {**rows.columns, **{PREFIX + name: value for name, value in usual._asdict().items()}}
    found = evaluate(planned(Case(columns, free=FREE - {"global_batch"})))
    tokens = columns["global_batch"] * columns["seq"] / columns["count"]
    return np.asarray(np.log(tokens / found.values["modelled_time"]) - np.log(rows.throughput))


def practice_spreads(rows: Rows, errors: Floats) -> dict[str, Spread]:
    """Return by how much steps in use are slower than planned ones: the median and the range."""
    found: dict[str, Spread] = {}
    groups = rows.words["config_group"]
    for kind in ("no", "yes"):
        mask = rows.words["experts"] == kind
        low, high = quantiles(errors[mask], groups[mask])
        size = len(np.unique(groups[mask]))
        found[f"@experts={kind}"] = Spread(*np.exp((low, high)), size, float(np.exp(np.median(errors[mask]))))
    return found
