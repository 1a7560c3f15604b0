"""Accelerators that have nothing to do: how many, why, and the nearest batches and counts that set all to work."""

from __future__ import annotations

import math

import numpy as np

from .case import Case
from .enumeration import Values
from .layouts import loose
from .tuples import NamedTuple


class Nearest(NamedTuple):
    """The nearest batches and counts, below and above those asked for, at which every accelerator works."""

    batches: tuple[float, ...]
    counts: tuple[float, ...]


def nearest(case: Case, replica: Values, share: Values) -> Nearest:
    """Return the nearest batches and counts that some layout divides without leaving an accelerator idle.

    Parameters
    ----------
    case
        A question: its count, its batch and the accelerators of a node. Counts of a node and more are whole nodes.
    replica
        Accelerators of a replica of each layout. [accelerator]
    share
        Sequences of its smallest step. [1]

    Examples
    --------
    Replicas of four, a sequence each at a time: 1,000 accelerators make up 250 of them, and 256 replicas are 1,024.

    >>> from estimator.arrays import array
    >>> asked = Case({"count": array(1000), "global_batch": array(256), "per_node": array(8)})
    >>> nearest(asked, np.array([4.0]), np.array([1.0]))
    Nearest(batches=(250.0, 500.0), counts=(512.0, 1024.0))
    """
    count, batch, per_node = (float(case.columns[name]) for name in ("count", "global_batch", "per_node"))
    pairs = np.unique(np.stack([replica, share], axis=-1), axis=0)
    full = pairs[count % pairs[:, 0] == 0]
    steps = count / full[:, 0] * full[:, 1]
    batches = np.concatenate([np.floor(batch / steps) * steps, np.ceil(batch / steps) * steps])
    counts = np.array([size * each for size, each in pairs.tolist() for each in _dividing(batch, each)])
    whole = counts[counts % per_node == 0] if count >= per_node else counts
    return Nearest(_around(batches, batch), _around(whole, count))


def _dividing(batch: float, share: float) -> list[float]:
    """Return the numbers of replicas that a batch gives whole shares."""
    if batch % share:
        return []
    whole = int(batch / share)
    small = [each for each in range(1, math.isqrt(whole) + 1) if whole % each == 0]
    return [*map(float, small), *(float(whole // each) for each in small)]


def _around(values: Values, own: float) -> tuple[float, ...]:
    """Return the nearest value below and the nearest above, where there are any."""
    below, above = values[(values > 0) & (values < own)], values[values > own]
    return (*map(float, ([below.max()] if below.size else [])), *([float(above.min())] if above.size else []))


def options(case: Case, found: Nearest) -> str:
    """Write the nearest batches and counts as options.

    Examples
    --------
    >>> options(Case({}), Nearest((250.0, 500.0), (1024.0,)))
    '--global-batch 250 or 500, or --count 1024'
    """
    by_node = "count" in case.origins and case.origins["count"].option == "--nodes"
    per = float(case.columns["per_node"]) if by_node else 1.0
    counts = [each / per for each in found.counts]
    told = (("--global-batch", found.batches), ("--nodes" if by_node else "--count", counts))
    return ", or ".join(
        f"{name} {' or '.join(f'{value:.0f}' for value in values)}" for name, values in told if values
    )


def idle_notes(case: Case) -> list[str]:
    """Tell of accelerators beside whole replicas, and of a batch that no layout shares out among all of them alike."""
    columns = case.columns
    count, replica = float(columns["count"]), float(columns["tp"] * columns["pp"] * columns["cp"])
    whole, most = max(count // replica, 1.0), float(columns["replicas"])
    if math.isfinite(most):
        return [_unshared(case, min(whole, most), replica)]
    if count <= whole * replica:
        return []
    idle = count - whole * replica
    return [
        f"{idle:,.0f} of {count:,.0f} accelerators are idle: the rest make up {whole:,.0f} replicas of {replica:,.0f}"
    ]


def _unshared(case: Case, working: float, replica: float) -> str:
    """Say how many accelerators work and how many are idle, and what would set all of them to work."""
    count, batch = float(case.columns["count"]), float(case.columns["global_batch"])
    busy, mended = working * replica, options(case, nearest(case, *loose(case)))
    cards = "accelerators" if replica > 1.0 else "accelerator"
    replicas, take = ("replicas", "take") if working > 1.0 else ("replica", "takes")
    left = f"{count - busy:,.0f} {'is' if count - busy == 1.0 else 'are'} idle"
    some = f"{busy:,.0f} of {count:,.0f} accelerators work and {left}"
    every = f"some of {count:,.0f} accelerators wait for others in every step"
    parts = (
        f"{some if busy < count else every}: no layout tried shares out {batch:,.0f} sequences evenly among all",
        f"here {working:,.0f} {replicas} of {replica:,.0f} {cards} {take} up to {_most(case, working)} each",
        f"time and cost are of all {count:,.0f}",
        f"all would work with {mended}",
    )
    return "; ".join(parts if mended else parts[:-1])


def _most(case: Case, working: float) -> str:
    """Return the sequences of the fullest replica."""
    micro = float(case.columns["micro_batch"])
    return f"{math.ceil(float(case.columns['global_batch']) / (working * micro)) * micro:,.0f}"
