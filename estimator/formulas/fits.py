"""Fits of the laws of scaling to points: least squares with parameters that cannot be negative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ..arrays import Array, array
from ..tuples import NamedTuple
from . import scaling

# Arrays with an axis of points, of parameters or of laws.
Floats = npt.NDArray[np.float64]
# A power of a billion accelerators beyond this is no float, and no cluster loses by it.
_STEEPEST = 32.0


class Law(NamedTuple):
    """One law: efficiency from a relative count and parameters, and how it is fitted.

    ``through_base`` is true where the law is 1 at the base whatever its parameters are; then points at the
    base say nothing about them.
    """

    name: str
    label: str
    efficiency: Callable[..., Array]
    parameters: tuple[str, ...]
    fit: Callable[[Array, Array], Floats]
    through_base: bool = True

    def points_that_count(self, relative_count: Array) -> int:
        """Return how many different counts say something about the parameters."""
        different = np.unique(np.asarray(relative_count))
        return int((different > 1.0).sum()) if self.through_base else different.size

    def curve(self, relative_count: Array, values: Floats) -> Array:
        """Return the efficiency at relative counts for fitted parameters."""
        return self.efficiency(array(relative_count), *(array(value) for value in values))


def nonnegative_least_squares(design: Floats, target: Floats) -> Floats:
    r"""Least squares whose unknowns are 0 or more, for a handful of unknowns.

    The best solution is an ordinary one on the unknowns that are not 0, so each choice of these is solved
    and the best without a negative is taken.

    Parameters
    ----------
    design
        One row a point, one column an unknown.
    target
        One value a point.

    Returns
    -------
    One value an unknown.

    Notes
    -----
    .. math:: \min_{x \ge 0} \lVert A x - y \rVert^2

    References
    ----------
    C. Lawson and R. Hanson, "Solving Least Squares Problems", Prentice-Hall, 1974, Chapter 23.

    Examples
    --------
    >>> nonnegative_least_squares(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, -1.0])).tolist()
    [2.0, 0.0]
    """
    supports = np.ndindex(*(2,) * design.shape[1])
    solutions = np.array(
        [_solved(design, target, np.array(support, dtype=np.float64)) for support in supports]
    )
    misfit = np.square(solutions @ design.T - target).sum(axis=1)
    allowed = (solutions >= 0.0).all(axis=1)
    return solutions[np.argmin(np.where(allowed, misfit, np.inf))]


def _solved(design: Floats, target: Floats, support: Floats) -> Floats:
    """Solve for the unknowns marked 1; columns are scaled first, since n squared dwarfs n."""
    size = np.sqrt(np.square(design).sum(axis=0))
    scale = np.where(size > 0.0, size, 1.0)
    return support * np.linalg.lstsq(design / scale * support, target, rcond=None)[0] / scale


def _excess(efficiency: Array) -> Floats:
    """Return the time that scale adds, over the time without it: what most laws are linear in."""
    return np.asarray(1.0 / efficiency - 1.0)


def fit_amdahl(relative_count: Array, efficiency: Array) -> Floats:
    """Fit Amdahl's serial share, in 1/E - 1; a share is at most 1."""
    design = np.stack([relative_count - 1.0], axis=1)
    return np.minimum(1.0, nonnegative_least_squares(design, _excess(efficiency)))


def fit_gustafson(relative_count: Array, efficiency: Array) -> Floats:
    """Fit Gustafson's serial share, in 1 - E; a share is at most 1."""
    design = np.stack([(relative_count - 1.0) / relative_count], axis=1)
    return np.minimum(1.0, nonnegative_least_squares(design, np.asarray(1.0 - efficiency)))


def fit_universal(relative_count: Array, efficiency: Array) -> Floats:
    """Fit contention and coherency, in 1/E - 1."""
    others = relative_count - 1.0
    return nonnegative_least_squares(np.stack([others, relative_count * others], axis=1), _excess(efficiency))


def fit_all_reduce(relative_count: Array, efficiency: Array) -> Floats:
    """Fit the shares of bandwidth and latency, in 1/E - 1."""
    columns = [(relative_count - 1.0) / relative_count, np.log2(relative_count)]
    return nonnegative_least_squares(np.stack(columns, axis=1), _excess(efficiency))


def fit_power(relative_count: Array, efficiency: Array) -> Floats:
    """Fit coefficient and exponent of the power law, in the logarithm of E; the exponent is 0 or more."""
    size, kept = np.log(relative_count), np.log(efficiency)
    away = size - size.mean()
    spread = np.square(away).sum()
    slope = -(away * kept).sum() / np.where(spread > 0.0, spread, 1.0)
    exponent = np.clip(slope, 0.0, _STEEPEST)
    return np.array([np.exp(kept.mean() + exponent * size.mean()), exponent])


_SHARES = ("bandwidth_share", "latency_share")
# Relative counts at which curves are compared.
_PROBES = np.geomspace(2.0, 1e6, 13)
LAWS: tuple[Law, ...] = (
    Law("amdahl", "Amdahl", scaling.amdahl_efficiency, ("serial_share",), fit_amdahl),
    Law("gustafson", "Gustafson", scaling.gustafson_efficiency, ("serial_share",), fit_gustafson),
    Law("universal", "universal", scaling.universal_efficiency, ("contention", "coherency"), fit_universal),
    Law("all_reduce", "all-reduce", scaling.all_reduce_efficiency, _SHARES, fit_all_reduce),
    Law("power", "power", scaling.scaling_efficiency, ("coefficient", "exponent"), fit_power, False),
)


def fitted(relative_count: Array, efficiency: Array, laws: Sequence[Law] = LAWS) -> dict[Law, Floats]:
    """Fit every law that has no more parameters than there are points to fit them to.

    Parameters
    ----------
    relative_count
        Accelerators over the base, 1 or more, one a point. [1]
    efficiency
        Efficiency at each point. [1]
    laws
        The laws to try.

    Returns
    -------
    Parameters of each law, in the order of its ``parameters``.

    Examples
    --------
    >>> fits = fitted(np.array([101.0]), np.array([0.5]))
    >>> {law.name: values.round(4).tolist() for law, values in fits.items()}
    {'amdahl': [0.01], 'gustafson': [0.505]}
    """
    return {
        law: law.fit(relative_count, efficiency)
        for law in laws
        if law.points_that_count(relative_count) >= len(law.parameters)
    }


def curves(fits: Mapping[Law, Floats], relative_count: Array) -> Floats:
    """Return the efficiency by every fitted law, one row a law, one column a count. [1]"""
    size = np.shape(relative_count)
    return np.stack([np.broadcast_to(law.curve(relative_count, fit), size) for law, fit in fits.items()])


# Efficiencies closer than this are the same.
_SAME = 1e-9


def sound(fits: Mapping[Law, Floats], relative_count: Array, efficiency: Array) -> dict[Law, Floats]:
    """Keep the laws that follow the points better than a constant would; all of them where none does. [1]

    A law that a constant beats at the points themselves has nothing to say beyond them.

    Examples
    --------
    >>> counts, seen = np.array([1000.0, 10000.0]), np.array([0.92, 0.90])
    >>> [law.name for law in sound(fitted(counts, seen), counts, seen)]
    ['gustafson', 'all_reduce', 'power']
    """
    misfit = np.sqrt(np.square(curves(fits, relative_count) - efficiency).mean(axis=1))
    kept = misfit <= np.std(efficiency) + _SAME
    followed = dict(fit for fit, follows in zip(fits.items(), kept, strict=True) if follows)
    return followed or dict(fits)


def distinct(fits: Mapping[Law, Floats]) -> dict[Law, Floats]:
    """Leave out laws whose parameters make them the same curve as one before them.

    Examples
    --------
    >>> points = np.array([11.0, 21.0]), np.array([0.5, 1 / 3])
    >>> [law.name for law in fitted(*points)]
    ['amdahl', 'gustafson', 'universal', 'all_reduce', 'power']
    >>> [law.name for law in distinct(fitted(*points))]
    ['amdahl', 'gustafson', 'all_reduce', 'power']
    """
    _, first = np.unique(curves(fits, _PROBES).round(6), axis=0, return_index=True)
    return {law: fit for place, (law, fit) in enumerate(fits.items()) if place in first}


def spread(fits: Mapping[Law, Floats], relative_count: Array) -> tuple[Floats, Floats, Floats]:
    """Return the lowest, the median and the highest of the laws; those that coincide count once. [1]

    Examples
    --------
    >>> fits = fitted(np.array([101.0]), np.array([0.5]))
    >>> [end.round(4).tolist() for end in spread(fits, np.array([201.0]))]
    [[0.3333], [0.4154], [0.4975]]
    """
    every = curves(fits, relative_count)
    median = np.median(curves(distinct(fits), relative_count), axis=0)
    return every.min(axis=0), median, every.max(axis=0)
