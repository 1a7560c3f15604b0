"""How far steps stray from the model: quantiles of errors on rows left out, drawn to those of all alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .rows import Floats, Rows

LOW, HIGH = 0.1, 0.9
# Configurations at which the own quantiles of an architecture weigh as much as those of all.
HALF = 20.0


class Spread(NamedTuple):
    """Factors on the time at the low and the high end, over how many configurations they were learnt, and in the middle."""

    low: float
    high: float
    configurations: int
    middle: float = 1.0


def quantiles(errors: Floats, groups: np.ndarray, shares: Sequence[float] = (LOW, HIGH)) -> tuple[float, ...]:
    """Return quantiles of errors, each group counting once: the 10th and the 90th percentile, or others."""
    _, first, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[first]
    order = np.argsort(errors)
    reached = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    return tuple(np.interp(shares, reached, errors[order]).tolist())


def _count(rows: Rows, mask: np.ndarray) -> int:
    return len(np.unique(rows.words["config_group"][mask]))


def model_spreads(rows: Rows, errors: Floats) -> dict[str, Spread]:
    """Return the spread of the model by the levels for which it holds: of dense models and of experts, and of
    each architecture among them."""
    found: dict[str, Spread] = {}
    groups = rows.words["config_group"]
    for kind in ("no", "yes"):
        mask = rows.words["experts"] == kind
        alike = quantiles(errors[mask], groups[mask])
        found[f"@experts={kind}"] = Spread(*np.exp(alike), _count(rows, mask))
        for architecture in np.unique(rows.words["architecture"][mask]):
            own = mask & (rows.words["architecture"] == architecture)
            size = _count(rows, own)
            share = size / (size + HALF)
            ends = (
                share * mine + (1.0 - share) * all_
                for mine, all_ in zip(quantiles(errors[own], groups[own]), alike, strict=True)
            )
            found[f"@experts={kind}@architecture={architecture}"] = Spread(*np.exp(list(ends)), size)
    return found


def beyond(rows: Rows, wide: Floats, narrow: Floats) -> dict[str, Spread]:
    """Return what whole sources (or chips) left out stray more than configurations do, as a spread of its own."""
    found: dict[str, Spread] = {}
    groups = rows.words["config_group"]
    for kind in ("no", "yes"):
        mask = rows.words["experts"] == kind
        far, near = quantiles(wide[mask], groups[mask]), quantiles(narrow[mask], groups[mask])
        more = [np.sqrt(max(a * a - b * b, 0.0)) for a, b in zip(far, near, strict=True)]
        found[f"@experts={kind}"] = Spread(
            float(np.exp(-more[0])), float(np.exp(more[1])), _count(rows, mask)
        )
    return found


def strays_of(rows: Rows, errors: Mapping[str, Floats]) -> dict[str, dict[str, Spread]]:
    """Return what steps stray by what was not known of them, from errors on these rows by kind of what was left out."""
    return {
        "model": model_spreads(rows, errors["quarter"]),
        "stack": beyond(rows, errors["source"], errors["quarter"]),
        "accelerator": beyond(rows, errors["accelerator"], errors["quarter"]),
    }
