"""Which unknown a range comes from: shares of the variance, and how far each moves a quantity alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .. import ranges
from ..errors import EstimatorError
from ..ranges import Values
from .draws import Draws

# Logarithms that differ by less are those of one number: what rounding leaves is no variance.
_NOISE = 1e-9
# All sets of draws are held at once; with a quarter of this the shares are right to a hundredth.
_MOST = 1 << 14


@dataclass(frozen=True)
class Sensitivity:
    """Sobol indices of the logarithm of each quantity, and the ends to which each unknown alone moves it.

    Attributes
    ----------
    unknowns
        Names of the unknowns: the last axis of the indices.
    first_order, total_order
        Share of the variance that is gone when an unknown is known, alone, and with all that it does together with
        others. Of a quantity that does not vary they are 0, of one that is not known at each draw NaN. [1]
    swings
        Logarithm of the quantity at the low and at the high end of an unknown over the estimate. The last axes are
        unknown and end. [1]
    """

    unknowns: tuple[str, ...]
    first_order: Mapping[str, Values]
    total_order: Mapping[str, Values]
    swings: Mapping[str, Values]


def sensitivity(draws: Draws, names: Sequence[str]) -> Sensitivity:
    """Split the variance of quantities among the unknowns of a case, by the method of Saltelli.

    Two sets of draws are made, and one more for each unknown that takes it alone from the second set; of as many draws
    as there are, or the power of two below, at most 16,384.

    Raises
    ------
    EstimatorError
        scipy is not installed, or more unknowns than half the dimensions of the lattice.

    References
    ----------
    A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and estimator for the total
    sensitivity index", Computer Physics Communications 181, 2010, 259-270, as `scipy.stats.sobol_indices` has it.
    """
    compute = _sobol_indices()
    count = len(draws.case.unknowns)
    moves = ranges.swings(draws.case, draws.kind.evaluate)
    if count:
        first, total = _indices(draws, names, compute)
    else:
        first = total = np.zeros((len(names), *draws.shape, 0))
    return Sensitivity(
        tuple(unknown.name for unknown in draws.case.unknowns),
        dict(zip(names, first, strict=True)),
        dict(zip(names, total, strict=True)),
        {name: np.broadcast_to(moves[name], (*draws.shape, count, 2)) for name in names},
    )


def _indices(draws: Draws, names: Sequence[str], compute: Any) -> tuple[Values, Values]:
    """Return first-order and total indices: quantities on the first axis, unknowns on the last."""
    sets = _sets(draws, names)
    known = np.asarray(np.isfinite(sets).all(axis=(0, -1)), dtype=np.bool_)
    varies = known & (np.ptp(np.where(known[:, None], sets, 0.0), axis=(0, -1)) > _NOISE)
    sets = np.where(varies[:, None], sets, 0.0)
    found = compute(func={"f_A": sets[0], "f_B": sets[1], "f_AB": sets[2:]}, n=sets.shape[-1])
    shape = (len(names), *draws.shape, len(draws.case.unknowns))
    # An unknown that alone moves a quantity at every draw has all of its variance, whatever the draws' chance.
    whole = varies[:, None] & (sets[2:] == sets[1]).all(axis=-1).T
    first, total = (
        np.where(known[:, None], np.where(whole, 1.0, np.reshape(index, whole.shape)), np.nan).reshape(shape)
        for index in (found.first_order, found.total_order)
    )
    return first, total


def _sets(draws: Draws, names: Sequence[str]) -> Values:
    """Return logarithms of the two sets of draws, then of the first with one unknown at a time from the second.

    The axes are sets, quantities of each cell, and draws.
    """
    case, count = draws.case, len(draws.case.unknowns)
    whole = Draws(case, min(_MOST, 1 << (draws.size.bit_length() - 1)), draws.seed, draws.chunk)
    own, other = list(range(count)), list(range(count, 2 * count))
    one, two = whole.values(names, own), whole.values(names, other)
    sets = [_logarithms(one, names), _logarithms(two, names)]
    for place, unknown in enumerate(case.unknowns):
        rows = [*own[:place], other[place], *own[place + 1 :]]
        touched = [name for name in names if unknown.low.keys() & draws.kind.reads((name,))]
        sets.append(_logarithms({**one, **whole.values(touched, rows)}, names))
    return np.stack(sets)


def _logarithms(values: Mapping[str, Values], names: Sequence[str]) -> Values:
    """Return quantities of each cell on the first axis, draws on the last; NaN where there is no logarithm."""
    stacked = np.concatenate([np.reshape(values[name], (-1, np.shape(values[name])[-1])) for name in names])
    usable = np.isfinite(stacked) & (stacked > 0.0)
    return np.log(stacked, out=np.full(stacked.shape, np.nan), where=usable)


def _sobol_indices() -> Any:
    """Import scipy's function, which takes more than a second: only where it is asked for."""
    try:
        stats: Any = import_module("scipy.stats")
    except ImportError:
        raise EstimatorError(
            "sensitivity needs scipy; install it with: pip install 'train-estimator[sensitivity]'"
        ) from None
    return stats.sobol_indices
