"""The fit: penalised robust least squares on the logarithm of the throughput, one row a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from estimator.formulas.job import Coefficients

from .effects import EFFECTS, PRIORS, Effect
from .rows import Floats, Rows

# Repeats of one configuration differ by about this much, as a standard deviation of the log.
NOISE = 0.06
# A source of n configurations weighs as n to this power: a large one shall not rule alone.
WEIGHT_POWER = 0.75


@dataclass(frozen=True)
class Fitted:
    """Logarithms of coefficients and of the deviations of levels."""

    globals: dict[str, float]
    deviations: dict[tuple[str, str], float]
    effects: Sequence[Effect] = field(default=EFFECTS)

    def coefficients(self, rows: Rows) -> Coefficients:
        """Return the coefficients of every row; a level that the fit has not seen deviates by nothing."""
        logs = {name: np.full(rows.size, value) for name, value in self.globals.items()}
        logs["slowness"] = np.zeros(rows.size)
        for effect in self.effects:
            levels = effect.levels(rows)
            found = {
                level: self.deviations.get((effect.coefficient, level), 0.0) for level in set(levels.tolist())
            }
            logs[effect.coefficient] = logs[effect.coefficient] + np.array(
                [found[level] for level in levels.tolist()]
            )
        return Coefficients(**{name: np.exp(value) for name, value in logs.items()})

    def log_throughput(self, rows: Rows) -> Floats:
        """Return the logarithm of the predicted throughput of every row."""
        return rows.log_throughput(self.coefficients(rows))


class Problem:
    """One fit: the rows, the places of their levels among the unknowns, and the penalties."""

    def __init__(self, rows: Rows, effects: Sequence[Effect] = EFFECTS) -> None:
        """Index the levels of the rows."""
        self.rows, self.effects = rows, effects
        self.target = np.log(rows.throughput)
        self.names: list[Any] = list(PRIORS)
        self.spreads = [prior.spread for prior in PRIORS.values()]
        self.places: list[np.ndarray] = []
        for effect in effects:
            self._index(effect)
        self.start = np.array([np.log(PRIORS[n].value) if n in PRIORS else 0.0 for n in self.names])
        self.weights = np.sqrt(_weights(rows))

    def _index(self, effect: Effect) -> None:
        levels = effect.levels(self.rows)
        known = sorted(set(levels.tolist()) - {""})
        place = {level: len(self.names) + index for index, level in enumerate(known)}
        self.places.append(np.array([place.get(level, -1) for level in levels.tolist()]))
        self.names += [(effect.coefficient, level) for level in known]
        self.spreads += [effect.spread] * len(known)

    def predicted(self, logs: Floats) -> Floats:
        """Return the logarithm of every row's throughput."""
        padded = np.append(logs, 0.0)
        found = {name: logs[index] for index, name in enumerate(PRIORS)} | {"slowness": np.float64(0.0)}
        for effect, places in zip(self.effects, self.places, strict=True):
            found[effect.coefficient] = found[effect.coefficient] + padded[places]
        return self.rows.log_throughput(
            Coefficients(**{name: np.exp(value) for name, value in found.items()})
        )

    def residuals(self, logs: Floats) -> Floats:
        """Return weighted pseudo-Huber residuals of the rows, then the penalties of what strays from its prior."""
        plain = (self.predicted(logs) - self.target) / NOISE * self.weights
        robust = np.sign(plain) * np.sqrt(2.0 * (np.sqrt(1.0 + plain * plain) - 1.0))
        return np.concatenate([robust, (logs - self.start) / np.array(self.spreads)])


def _weights(rows: Rows) -> Floats:
    sources = rows.words["source"]
    sizes = {source: int(np.sum(sources == source)) for source in np.unique(sources)}
    weights = np.array([sizes[source] ** (WEIGHT_POWER - 1.0) for source in sources])
    return weights / weights.mean()


def fit(rows: Rows, near: Fitted | None = None, effects: Sequence[Effect] = EFFECTS) -> Fitted:
    """Fit all coefficients and deviations; ``near`` is where the search starts."""
    from scipy.optimize import least_squares  # slow to import, and wanted by scripts alone

    problem = Problem(rows, effects)
    known = {**near.globals, **near.deviations} if near else {}
    begin = np.array(
        [known.get(name, start) for name, start in zip(problem.names, problem.start, strict=True)]
    )
    found = least_squares(problem.residuals, begin, max_nfev=40, ftol=1e-5, xtol=1e-5).x
    logs = dict(zip(problem.names, map(float, found), strict=True))
    size = len(PRIORS)
    names = problem.names
    return Fitted({n: logs[n] for n in names[:size]}, {n: logs[n] for n in names[size:]}, effects)
