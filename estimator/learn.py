"""Multipliers of the step time learnt from measured steps, drawn to the recorded calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from . import ranges
from .case import Case
from .estimate import evaluate
from .lower.step_time import PREFIX, REPLACED, closest, conditions
from .records import Record
from .tuples import NamedTuple

Floats = np.ndarray[Any, np.dtype[np.float64]]

# What may be learnt: the time of the whole step, and of the parts that software and network move most.
NAMES = ("slowness", "sharding_use", "tensor_use", "attention_efficiency")
# The ninetieth percentile of a standard normal: the ends of an 80 % range are this many deviations away.
NINETIETH = 1.2815515655446004
# Steps of the finite difference, linearisations, and re-weightings of the rows in each of them.
_STEP, _LINEAR, _WEIGHTS = 0.01, 3, 100
# Logarithms that move by less than this do so no more.
_SETTLED = 1e-12
# Rows that are evaluated at a time.
_PIECE = 1024


class Fit(NamedTuple):
    """Where multipliers lie after n rows: logarithms, their covariance, and the weights of the rows.

    ``covariance`` of shape (k, k); a row that strays weighs less than 1.
    """

    logs: Floats
    covariance: Floats
    weights: Floats


class Learnt(NamedTuple):
    """What n measured steps teach: the logarithms of multipliers by name, and how well they are known.

    ``slopes`` tell how a multiplier's logarithm moves that of each row's time, ``before`` and ``after`` are
    log(measured time / predicted time) without and with what was learnt, and ``alone`` that of each row by what the
    other rows teach.
    """

    names: tuple[str, ...]
    fit: Fit
    spreads: Floats
    noise: Floats
    slopes: Floats
    before: Floats
    after: Floats

    @property
    def multipliers(self) -> dict[str, float]:
        """The factors, by name of the coefficient."""
        return dict(zip(self.names, np.exp(self.fit.logs).tolist(), strict=True))

    @property
    def deviations(self) -> Floats:
        """Standard deviation of each logarithm."""
        return np.sqrt(np.diagonal(self.fit.covariance))

    @property
    def _leverage(self) -> Floats:
        """How much of each row's prediction is its own measurement."""
        moved = np.einsum("ij,jk,ik->i", self.slopes, self.fit.covariance, self.slopes)
        return moved * self.fit.weights / self.noise**2

    @property
    def alone(self) -> Floats:
        """What is left of each row where it is predicted from the others."""
        return self.after / (1.0 - self._leverage)

    @property
    def left_open(self) -> float:
        """Standard deviation, over steps like those measured, of what the multipliers together leave open."""
        moved = np.einsum("ij,jk,ik->i", self.slopes, self.fit.covariance, self.slopes)
        return float(np.sqrt(moved.mean()))

    def scatter(self, half: float) -> float:
        """Return how far the rows stray over how far steps usually do, drawn to 1 as by ``half`` usual rows."""
        strays = np.minimum((self.after / self.noise) ** 2, _FAR)
        free = max(len(strays) - float(self._leverage.sum()), 0.0)
        return float(np.sqrt((half + strays.sum()) / (half + free)))

    def applied(self, case: Case) -> Case:
        """Return a case whose coefficients are multiplied, and the ends of its unknowns with them."""
        return multiplied(case, self.multipliers)


# A row more than three deviations away tells of its own fault, not of scatter.
_FAR = 9.0


def multiplied(case: Case, factors: Mapping[str, float]) -> Case:
    """Return a case with coefficients of the step time multiplied, wherever they stand."""
    named = {PREFIX + name: factor for name, factor in factors.items()}

    def _times(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value * named.get(name, 1.0) for name, value in columns.items()}

    unknowns = tuple(
        unknown._replace(low=_times(unknown.low), high=_times(unknown.high)) for unknown in case.unknowns
    )
    return replace(case, columns=_times(case.columns), unknowns=unknowns)


def learn(case: Case, throughput: Floats, noise: Floats, spreads: Mapping[str, float]) -> Learnt:
    """Learn multipliers of the step time's coefficients from measured steps, drawn to 1.

    Parameters
    ----------
    case
        Columns of shape (n,), the coefficients (``fit_*``) among them, one row a configuration: repeats of one
        configuration share what the model misses in it, and count once, by their mean logarithm.
    throughput
        Tokens a second of an accelerator, as measured. [token/s]
    noise
        Standard deviation of log(measured / predicted) of each row, its source being known: see `noise_of`. [1]
    spreads
        Standard deviation of the logarithm of each multiplier before any row is seen: see `spreads_of`. [1]

    Returns
    -------
    Multipliers with their covariance. The order of the rows does not matter.

    Notes
    -----
    With r the logarithm of measured over predicted time and J its derivatives, the logarithms minimise

    .. math:: \\sum_i 2 \\left(\\sqrt{1 + z_i^2} - 1\\right) + \\sum_k (\\theta_k / \\tau_k)^2,
        \\quad z = (r - J \\theta) / \\sigma

    by Gauss-Newton steps, each solved with weights :math:`1 / \\sqrt{1 + z^2}`.

    References
    ----------
    A. Hoerl and R. Kennard, "Ridge Regression", Technometrics 12(1), 1970; P. Huber, "Robust Estimation of a Location
    Parameter", Ann. Math. Stat. 35(1), 1964, in the smooth form of P. Charbonnier et al., IEEE TIP 6(2), 1997.
    """
    names = tuple(spreads)
    widths = np.array(list(spreads.values()))
    target = -np.log(throughput)
    slopes, times = linearised(case, names, np.zeros(len(names)))
    before = target - times
    fit = posterior(before, slopes, noise, widths)
    for _ in range(_LINEAR - 1):
        slopes, times = linearised(case, names, fit.logs)
        fit = posterior(target - times + slopes @ fit.logs, slopes, noise, widths)
    slopes, times = linearised(case, names, fit.logs)
    return Learnt(names, fit, widths, noise, slopes, before, target - times)


def linearised(case: Case, names: tuple[str, ...], logs: Floats) -> tuple[Floats, Floats]:
    """Return derivatives (n, k) of the logarithm of each row's time a token, and that logarithm (n,)."""
    found = [_times(part, names, logs) for part in _pieces(case)]
    times = np.concatenate(found)
    return (times[:, 1:] - times[:, :1]) / _STEP, times[:, 0]


def _times(case: Case, names: tuple[str, ...], logs: Floats) -> Floats:
    """Return the logarithm of time a token with the multipliers, then with each of them a step farther: (n, 1 + k)."""
    columns = {name: np.asarray(value)[..., None] for name, value in case.columns.items()}
    for place, name in enumerate(names):
        steps = np.zeros(len(names) + 1)
        steps[place + 1] = _STEP
        columns[PREFIX + name] = columns[PREFIX + name] * np.exp(logs[place] + steps)
    speed = evaluate(Case(columns)).values["throughput_per_accelerator"]
    return np.broadcast_to(-np.log(speed), (*np.shape(speed)[:-1], len(names) + 1))


def _pieces(case: Case) -> list[Case]:
    size = max(np.size(column) for column in case.columns.values())
    cuts = [slice(start, start + _PIECE) for start in range(0, size, _PIECE)]
    return [Case({name: np.asarray(value)[cut] for name, value in case.columns.items()}) for cut in cuts]


def posterior(target: Floats, slopes: Floats, noise: Floats, spreads: Floats) -> Fit:
    """Return where k multipliers lie after n rows of a linear model.

    Parameters
    ----------
    target
        Logarithm of measured over predicted time, of shape (n,). [1]
    slopes
        Derivatives by the logarithms of the multipliers, of shape (n, k). [1]
    noise
        Standard deviation of each row, of shape (n,). [1]
    spreads
        Standard deviation of each logarithm beforehand, of shape (k,). [1]

    Examples
    --------
    One row as uncertain as what is learnt moves less than half its way; a hundred move nearly all of it.

    >>> one = posterior(np.array([0.1]), np.ones((1, 1)), np.array([0.1]), np.array([0.1]))
    >>> many = posterior(np.full(100, 0.1), np.ones((100, 1)), np.full(100, 0.1), np.array([0.1]))
    >>> round(float(one.logs[0]), 3), round(float(many.logs[0]), 3)
    (0.047, 0.099)
    """
    weights = np.ones(len(target))
    logs, precision = np.zeros(len(spreads)), np.diag(spreads**-2.0)
    for _ in range(_WEIGHTS):
        scaled = (weights / noise**2)[:, None] * slopes
        precision = np.diag(spreads**-2.0) + slopes.T @ scaled
        before, logs = logs, np.asarray(np.linalg.solve(precision, scaled.T @ target), dtype=np.float64)
        strays = (target - slopes @ logs) / noise
        weights = 1.0 / np.sqrt(1.0 + strays * strays)
        if np.all(np.abs(logs - before) < _SETTLED):
            break
    return Fit(logs, np.asarray(np.linalg.inv(precision), dtype=np.float64), weights)


def noise_of(case: Case) -> Floats:
    """Return how uncertain the time of each row is, stack and accelerator being known, as a deviation of its log.

    That is how far steps stray from the model, and what the row's blanks leave open.
    """
    column = PREFIX + "slowness"
    known = tuple(
        unknown._replace(**{side: _without(getattr(unknown, side), column) for side in ("low", "high")})
        if unknown.name in REPLACED
        else unknown
        for unknown in case.unknowns
    )
    bare = replace(case, unknowns=known)
    found = evaluate(ranges.spread(bare)).values
    speed = ranges.points({"speed": found["throughput_per_accelerator"]}, bare)["speed"]
    low, high = ranges.around(speed)
    return np.log(high / low) / (2.0 * NINETIETH)


def _without(columns: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in columns.items() if each != name}


def spreads_of(record: Record, levels: Mapping[str, str], *, chip_known: bool = True) -> dict[str, float]:
    """Return how far each multiplier strays from 1 before a row is seen, as a deviation of its logarithm.

    A whole step's is what sources left out stray beyond the model (and accelerators, where the chip has no measured
    rows); the others' is how far the recorded factors of software stacks lie from 1.
    """
    strays = ["stray_stack", *([] if chip_known else ["stray_accelerator"])]
    sites = [deviation(record, name, levels) for name in strays]
    return {
        NAMES[0]: float(np.hypot.reduce(sites)),
        **{name: _between_stacks(record, name) for name in NAMES[1:]},
    }


def deviation(record: Record, name: str, levels: Mapping[str, str]) -> float:
    """Return the standard deviation whose range has the ends of a figure, as the root of the mean of both squares."""
    figure = closest(record, name, levels)
    ends = np.log([figure.low or 1.0, figure.high or 1.0]) if figure else np.zeros(2)
    return max(float(np.sqrt(np.mean(ends * ends))) / NINETIETH, _LEAST)


def _between_stacks(record: Record, name: str) -> float:
    split = {key: conditions(key) for key in record.figures}
    logs = [
        float(np.log(record.figures[key].value))
        for key, (coefficient, levels) in split.items()
        if coefficient == name and levels.keys() == {"stack"}
    ]
    return max(float(np.sqrt(np.mean(np.square(logs)))) if logs else 0.0, _LEAST)


# A spread below this is none, and would make the equations singular.
_LEAST = 1e-4
