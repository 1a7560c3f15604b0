"""Draws of all unknowns of a question at once, evaluated together: quantiles of every quantity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..answer import ask
from ..arrays import Array
from ..case import Case
from ..errors import EstimatorError, near_misses
from ..estimate import UNITS, Amount
from ..formulas.lattice import POINTS
from ..inputs import Run
from ..kinds import FLEET, Kind
from ..presets import Presets
from ..ranges import Values
from .draws import CHUNK, Draws, behind
from .sensitivity import Sensitivity, sensitivity

if TYPE_CHECKING:
    from ..inputs.fleet import FleetQuestion

# Percentiles that are told; the ends of a range are the 10th and the 90th.
PERCENTS = (5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0)
_FITS = ("memory", "memory_usable")


def sample(
    question: Run | FleetQuestion | Case,
    samples: float = 4096,
    seed: float = 0,
    *,
    wanted: Iterable[str] = (),
    presets: Presets | None = None,
    chunk: int = CHUNK,
) -> Sample:
    """Draw every unknown of a question from its distribution, and evaluate all draws together.

    The layout and the count that the answer found stay as they are, and so does every other choice.

    Parameters
    ----------
    question
        A `Run`, a `FleetQuestion` in its way, or a `Case` of any shape whose layout is filled in, such as that of an
        `Estimate`.
    samples
        How many draws, up to 2^20; powers of two from 1,024 on are spread most evenly. [1]
    seed
        A whole number of 0 or more; the same one gives the same draws. [1]
    wanted
        Names of quantities; all of them where it is empty.
    presets
        Records to answer a `Run` from.
    chunk
        How many numbers a column has at a time; no draw depends on it. [1]

    Raises
    ------
    EstimatorError
        A number of draws or a seed that is none, an unknown quantity, or more unknowns than can be drawn.

    Notes
    -----
    Each unknown is two halves of a normal distribution in log space, whose 10th and 90th percentile are its ends; the
    draws are points of a rank-1 lattice with a random shift: see `estimator.formulas.lattice`.

    Examples
    --------
    >>> from estimator import Run, sample
    >>> found = sample(Run(model="llama-65b", on="a100", count=2048), samples=1024, seed=7)
    >>> low, high = found.amount("wall_clock").range
    >>> bool(low < found.amount("wall_clock").quantity < high)
    True
    """
    size, start = whole_samples(samples), whole_seed(seed)
    draws = Draws(_case(question, presets), size, start, chunk)
    names = _known(wanted, draws.kind)
    return Sample(draws, draws.values((*dict.fromkeys((*names, *_FITS, "wall_clock")),)))


def _case(question: Run | FleetQuestion | Case, presets: Presets | None) -> Case:
    """Return what is drawn of a question, its layout and count as the answer has them."""
    if isinstance(question, Case):
        return question
    if isinstance(question, Run):
        return ask(question, presets).case
    return FLEET.lower(question, presets or Presets())


def whole_seed(seed: float) -> int:
    """Return a seed.

    Raises
    ------
    EstimatorError
        It is not a whole number of 0 or more.

    Examples
    --------
    >>> whole_seed(7.0)
    7
    """
    if not (math.isfinite(seed) and seed >= 0 and seed == int(seed)):
        raise EstimatorError(f"--seed: {seed:g} is not a whole number of 0 or more; write it like 7")
    return int(seed)


def whole_samples(samples: float) -> int:
    """Return how many draws are asked for.

    Raises
    ------
    EstimatorError
        It is no whole number, none at all, or more than the lattice has points.

    Examples
    --------
    >>> whole_samples(4096)
    4096
    """
    if not (1 <= samples <= POINTS and samples == int(samples)):
        raise EstimatorError(
            f"--draws: {samples:g} is not a whole number of draws from 1 to {POINTS:,}; write it like 4096"
        )
    return int(samples)


@dataclass(frozen=True)
class Sample:
    """Every quantity at each draw of the unknowns of a case, in house units: the last axis is that of draws."""

    draws: Draws
    values: Mapping[str, Values]

    def percentiles(self, name: str, percents: Sequence[float] = PERCENTS) -> Values:
        """Return percentiles of one quantity on a last axis, in house units.

        Each is the least draw that so many do not exceed: a count stays whole, what has no limit has none.

        Examples
        --------
        >>> draws = Draws(Case({}), 5, 0)
        >>> Sample(draws, {"cost": np.array([5.0, 1.0, np.inf, 2.0, 3.0])}).percentiles("cost", (10, 50, 90)).tolist()
        [1.0, 3.0, inf]
        """
        shares = np.asarray(percents, dtype=np.float64) / 100.0
        return np.moveaxis(
            np.quantile(np.asarray(self.values[name]), shares, axis=-1, method="inverted_cdf"), 0, -1
        )

    @cached_property
    def quantiles(self) -> dict[str, Values]:
        """The `PERCENTS` of every quantity on a last axis, in house units."""
        return {name: self.percentiles(name) for name in self.values}

    def amount(self, name: str) -> Amount:
        """Return one quantity: its median, between the 10th and the 90th percentile."""
        low, middle, high = np.moveaxis(self.percentiles(name, (10.0, 50.0, 90.0)), -1, 0)
        unit = UNITS[name].replace("currency", self.draws.case.words.get("currency", "USD"))
        return Amount(name, unit, middle, low, high, {})

    @property
    def fits(self) -> Array:
        """Share of the draws in which a card's memory is enough; NaN where that is not known."""
        return _share(*(self.values[name] for name in _FITS))

    @property
    def in_time(self) -> Array:
        """Share of the draws that finish in the time that was given; NaN where none was."""
        return _share(self.values["wall_clock"], behind(self.draws.case.columns.get("within", math.nan)))

    def sensitivity(self, names: Iterable[str] = ()) -> Sensitivity:
        """Tell which unknown the range of each quantity comes from.

        Raises
        ------
        EstimatorError
            scipy is not installed, a quantity that there is not, or too many unknowns.
        """
        known = self.draws.kind.quantities
        kept = (
            _known(names, self.draws.kind) if names else tuple(name for name in self.values if name in known)
        )
        return sensitivity(self.draws, kept)


def _known(names: Iterable[str], kind: Kind) -> tuple[str, ...]:
    """Return the quantities that are named; all where none is."""
    named = tuple(names)
    for name in named:
        if name not in kind.quantities:
            raise EstimatorError(f"there is no quantity '{name}'{near_misses(name, kind.quantities)}")
    return named or kind.quantities


def _share(less: Array, most: Array) -> Array:
    """Return the share of the draws in which one is at most the other."""
    known = ~np.isnan(less) & ~np.isnan(most)
    return np.where(known, less <= most, np.nan).mean(axis=-1)
