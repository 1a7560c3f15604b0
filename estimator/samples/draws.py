"""Cases with their unknowns drawn: the columns that they touch get a last axis of draws, no other does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..answer import MOST
from ..arrays import Array
from ..case import Case, Unknown
from ..errors import EstimatorError
from ..formulas.lattice import DIMENSIONS, VECTOR, lattice_points
from ..formulas.parameters import Transformer, total_parameters
from ..formulas.percentiles import moved, normal_percentile
from ..kinds import kind_of_case
from ..ranges import Values

# So many numbers of a column at a time: what is worked out of them stays in a processor's cache or near it.
CHUNK = 1 << 14
# So many draws of a fleet at a time: each looks up the steps of its pools at many sizes.
_HEAVY = 1 << 9
# The column that holds what a model has beside its shape.
_REST = "extra"


class Draws:
    """Draws of the unknowns of a case, evaluated so many numbers of a column at a time."""

    def __init__(self, case: Case, size: int, seed: int, chunk: int = CHUNK) -> None:
        """Hold what is drawn; nothing is computed yet."""
        self.case, self.size, self.seed, self.chunk = case, size, seed, chunk
        self.kind = kind_of_case(case)
        whole = np.broadcast_shapes(*(np.shape(value) for value in case.columns.values()))
        self.shape = whole[self.kind.axes :]
        step = max(1, chunk // max(1, math.prod(whole)))
        self._step = step if self.kind.heavy is None else min(step, _HEAVY)
        self._touched = {name for unknown in case.unknowns for name in unknown.low}

    def values(self, names: Sequence[str], rows: Sequence[int] = ()) -> dict[str, Values]:
        """Evaluate quantities at every draw, on a last axis; one that no unknown touches is held once.

        ``rows`` are the dimensions of the lattice that the unknowns take; the first ones where it is empty.
        """
        rows = rows or range(len(self.case.unknowns))
        parts = [self._part(names, rows, first) for first in range(0, self.size, self._step)]
        most = self._most([name for name in names if name in MOST])
        found = {name: self._joined(name, [part[name] for part in parts]) for name in names}
        return {
            name: np.minimum(value, most[name]) if name in most else value for name, value in found.items()
        }

    def _part(self, names: Sequence[str], rows: Sequence[int], first: int) -> Mapping[str, Array]:
        """Evaluate the draws of one step."""
        index = np.arange(first, min(first + self._step, self.size), dtype=np.float64)
        return self.kind.evaluate(drawn(self.case, normal_draws(index, rows, self.seed)), names).values

    def _most(self, names: Sequence[str]) -> dict[str, Array]:
        """Return what shares of the peak can be at most: all of it, unless the estimate itself is more."""
        if not names:
            return {}
        values = self.kind.evaluate(self.case, names).values
        return {name: behind(np.maximum(MOST[name], values[name])) for name in names}

    def _joined(self, name: str, parts: Sequence[Array]) -> Values:
        if not self._touched & self.kind.reads((name,)):
            return np.broadcast_to(parts[0], (*self.shape, self.size))
        sizes = [min(self._step, self.size - first) for first in range(0, self.size, self._step)]
        wide = [np.broadcast_to(part, (*self.shape, size)) for part, size in zip(parts, sizes, strict=True)]
        return np.concatenate(wide, axis=-1)


def normal_draws(index: Array, rows: Sequence[int], seed: int) -> Values:
    """Return standard normal draws: a row for each dimension of the lattice named, a column for each index.

    Raises
    ------
    EstimatorError
        The lattice has fewer dimensions.
    """
    if max(rows, default=0) >= DIMENSIONS:
        raise EstimatorError(
            f"{max(rows) + 1} dimensions are more than the {DIMENSIONS} that can be drawn together; "
            "a case may have that many unknowns, half as many for their sensitivity"
        )
    shift = np.random.Generator(np.random.PCG64(seed)).random(DIMENSIONS)
    chosen = np.array(rows, dtype=np.intp)
    points = lattice_points(index, np.array(VECTOR, dtype=np.float64)[chosen], shift[chosen])
    return np.asarray(normal_percentile(points))


def drawn(case: Case, normal: Values) -> Case:
    """Return a case whose unknowns are as drawn, without unknowns; ``normal`` has a row for each of them."""
    estimates = {name: behind(value) for name, value in case.columns.items()}
    columns = dict(estimates)
    for unknown, row in zip(case.unknowns, normal, strict=True):
        columns.update(_moved(unknown, row, estimates, columns))
    return replace(case, columns=columns, unknowns=())


def _moved(
    unknown: Unknown, normal: Values, estimates: Mapping[str, Array], columns: Mapping[str, Array]
) -> dict[str, Array]:
    """Return the columns that one unknown touches, as it and the unknowns before it are drawn."""
    found: dict[str, Array] = {}
    for name in unknown.low:
        low, centre, high = behind(unknown.low[name]), estimates[name], behind(unknown.high[name])
        if np.any(low != centre) or np.any(high != centre):
            found[name] = moved(columns[name], normal, low, centre, high)
    if _REST in unknown.low:
        found[_REST] = estimates[_REST]
        found[_REST] = estimates[_REST] + (_size(estimates) - _size({**estimates, **found}))
    return found


def _size(columns: Mapping[str, Array]) -> Array:
    """Count parameters: a model of which only the size is known has that size in whatever shape."""
    return total_parameters(Transformer(**{name: columns[name] for name in Transformer._fields})).total


def behind(value: Array) -> Array:
    """Put an axis of draws behind those of a column; a single number goes with any draw as it is."""
    return np.asarray(value)[..., None] if np.ndim(value) else value
