"""Rank layouts of one model on one machine: the sweeps of the BigScience workshop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from step_time.rows import Floats, Rows

from .left import Left

SOURCE, COUNT = "bigscience-workshop-bigscience", 384
# Pairs of layouts nearer to each other than this are a matter of noise.
APART = 1.1
_SHAPE = ("count", "layers", "hidden", "heads", "ffn", "vocab", "seq", "global_batch")
_LAYOUT = ("tp", "pp", "vpp", "cp", "zero", "micro_batch", "recompute")
_DRAWS = 200


class Sweep(NamedTuple):
    """Layouts of one shape and batch: what was foretold of each, and every measurement of it."""

    foretold: Floats
    repeats: Sequence[Floats]

    @property
    def measured(self) -> Floats:
        """Median of the measurements of each layout."""
        return np.array([np.median(each) for each in self.repeats])


class Ranking(NamedTuple):
    """Pairs ordered rightly, of how many; and by how much the layouts picked are slower than the best."""

    right: float
    pairs: int
    losses: Floats


def sweeps_of(left: Left, count: float = COUNT) -> list[Sweep]:
    """Return every shape and batch that was measured in two layouts at least."""
    own = left.of("source", SOURCE)
    own = own.pick(own.rows.columns["count"] == count)
    found: dict[tuple[object, ...], dict[tuple[object, ...], list[int]]] = {}
    for place, (shape, layout) in enumerate(
        zip(_keys(own.rows, _SHAPE), _keys(own.rows, _LAYOUT), strict=True)
    ):
        found.setdefault(shape, {}).setdefault(layout, []).append(place)
    return [_sweep(own, list(layouts.values())) for layouts in found.values() if len(layouts) > 1]


def _keys(rows: Rows, names: Iterable[str]) -> list[tuple[object, ...]]:
    words = (rows.words["accelerator"], rows.words["precision"])
    return list(zip(*words, *(rows.columns[name].tolist() for name in names), strict=True))


def _sweep(left: Left, places: Sequence[list[int]]) -> Sweep:
    value, truth = left.ours.value, left.ours.truth
    return Sweep(np.array([np.median(value[each]) for each in places]), [truth[each] for each in places])


def ranking(pairs: Iterable[tuple[Floats, Floats]]) -> Ranking:
    """Rank the layouts of every sweep by the first of two columns, and look at the second."""
    right, total = 0.0, 0
    losses: list[float] = []
    for guessed, measured in pairs:
        first, second = np.triu_indices(len(measured), 1)
        apart = np.abs(np.log(measured[first] / measured[second])) >= np.log(APART)
        order = np.sign(guessed[first] - guessed[second]) * np.sign(measured[first] - measured[second])
        right, total = right + float(np.sum((order[apart] + 1.0) / 2.0)), total + int(apart.sum())
        losses.append(1.0 - float(measured[np.argmax(guessed)] / measured.max()))
    return Ranking(right, total, np.array(losses))


def ours(sweeps: Iterable[Sweep]) -> Ranking:
    """Rank by what was foretold."""
    return ranking((sweep.foretold, sweep.measured) for sweep in sweeps)


def by_chance(sweeps: Iterable[Sweep]) -> Ranking:
    """Tell what one MFU gives, which is the same for every layout of a sweep: no order, and any of them."""
    sweeps = list(sweeps)
    losses = [1.0 - float(np.mean(sweep.measured) / sweep.measured.max()) for sweep in sweeps]
    blind = ranking((np.ones(len(sweep.measured)), sweep.measured) for sweep in sweeps)
    return Ranking(blind.right, blind.pairs, np.array(losses))


def by_repeats(sweeps: Sequence[Sweep]) -> Ranking:
    """Rank by one more measurement of every layout, which strays as the repeats of layouts do about their mean."""
    noise, random = np.concatenate([_strays(each) for sweep in sweeps for each in sweep.repeats]), _seeded()
    measured = [sweep.measured for sweep in sweeps]
    drawn = [
        ranking((each * np.exp(random.choice(noise, len(each))), each) for each in measured)
        for _ in range(_DRAWS)
    ]
    losses = np.mean([each.losses for each in drawn], axis=0)
    return Ranking(float(np.mean([each.right for each in drawn])), drawn[0].pairs, losses)


def _strays(repeats: Floats) -> Floats:
    """Return how far repeats lie from their mean, as logarithms, made up for the mean being theirs."""
    logs, size = np.log(repeats), len(repeats)
    return (logs - logs.mean()) * np.sqrt(size / (size - 1.0)) if size > 1 else np.zeros(0)


def _seeded() -> np.random.RandomState:
    return np.random.RandomState(0)
