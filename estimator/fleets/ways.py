"""The ways to use a fleet: separate runs, whose throughputs add up, and one synchronous run that the slowest paces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import estimate, ranges
from ..arrays import Array, array
from ..case import Case, Unknown
from ..formulas import fleet as formulas
from ..formulas.memory_states import adapter_parameters
from ..formulas.parameters import Transformer, total_parameters
from ..totals import Ends

Values = npt.NDArray[np.float64]
# What is told of each way; all but the throughput are of the tokens of one run.
UNITS: Mapping[str, str] = {
    "throughput": "token/s", "wall_clock": "s", "occupied_hours": "hour", "energy": "kWh", "carbon": "kg",
    "cost": "currency",
}  # fmt: skip
_SUMMED = ("occupied_hours", "energy", "carbon", "cost")
# Columns of what a run costs whatever its pools: counted with the first alone.
_ONCE = ("stored", "egress", "staff", "preparation_staff")
# Numbers of micro-batches at which the time of a step is looked up, and what stands for no part of the batch.
_LOOKED_UP, _LEAST = 33, 1e-9
# A loss at which a link is told to be wide enough, and the steps between exchanges of the paper that is cited.
KEPT_LOSS, DILOCO = 0.05, 500.0


class Way(NamedTuple):
    """One way to use the fleet: its quantities, and of each pool the share of the batch and of the step it waits."""

    name: str
    values: Mapping[str, Ends]
    shares: tuple[Ends, ...] = ()
    waits: tuple[Ends, ...] = ()


class Link(NamedTuple):
    """How the sites exchange: how many there are, their bandwidth to each other [byte/s], steps between exchanges.

    The bandwidth is infinite where none is given.
    """

    sites: float
    bandwidth: float = np.inf
    every: float = 1.0


class Exchange(NamedTuple):
    """What crosses the link between sites: bytes, time a step, and the bandwidths that would do. [byte, s, byte/s]

    ``hideable`` could be hidden behind computing at best; ``enough`` loses `KEPT_LOSS` at most with nothing hidden;
    ``seldom`` is enough for an exchange every `DILOCO` steps.
    """

    size: float
    step: float
    time: float
    hideable: float
    enough: float
    seldom: float


def ends(points: Values, most: float = np.inf) -> Ends:
    """Return value, low and high end of a quantity on an axis of points; NaN is its own range.

    ``most`` is what it can be at most.

    Examples
    --------
    >>> ends(np.array([2.0, 1.0, 4.0]))
    Ends(value=2.0, low=1.0, high=4.0)
    """
    value = float(points[0])
    if not np.isfinite(value):
        return Ends(value, value, value)
    low, high = ranges.around(points, most=most)
    return Ends(value, float(low), float(high))


def full(value: Array, case: Case) -> Values:
    """Give a value of a spread case its axes of pools and of points."""
    return np.broadcast_to(value, (np.size(case.columns["count"]), 2 * len(case.unknowns) + 1))


def separate(case: Case) -> Way:
    """Each pool trains runs of its own: throughputs add up, and a run takes its part of each pool's time."""
    found = estimate.evaluate(ranges.spread(case), ("throughput", "wall_clock", *_SUMMED)).values
    lasting = full(found["wall_clock"], case)
    rate = np.sum(1.0 / lasting, axis=0)
    values = {"throughput": np.sum(full(found["throughput"], case), axis=0), "wall_clock": 1.0 / rate}
    values |= {name: np.sum(full(found[name], case) / lasting, axis=0) / rate for name in _SUMMED}
    return Way("separate", {name: ends(value) for name, value in values.items()})


class Together:
    """One synchronous run over all pools, on axes of pools and of points.

    ``whole`` says that the batch is given, so that micro-batches are counted whole; a batch that is open is taken to
    suit the shares.
    """

    def __init__(self, case: Case, batch: float, link: Link, *, whole: bool) -> None:
        """Spread the pools; how much of the exchange computing hides is an unknown of its own."""
        overlap = Unknown("overlap", {"overlap": array(0.0)}, {"overlap": array(1.0)})
        columns = {**case.columns, "overlap": array(0.0)}
        self.case = Case(columns, unknowns=(*case.unknowns, overlap))
        self.spread = ranges.spread(self.case)
        self.batch, self.link = array(batch), Link(*map(float, link))
        count, tp, pp, cp = (np.asarray(case.columns[name]) for name in ("count", "tp", "pp", "cp"))
        replicas = np.maximum(np.floor(count / (tp * pp * cp)), 1.0)
        self.grain: Values = (replicas * case.columns["micro_batch"])[:, None]
        self.whole = whole
        self.size = float(_gradients(case.columns)[0])
        self.goodput = self._goodput()
        self.sizes, self.lasting = self._looked_up()

    def _goodput(self) -> Array:
        """Return the goodput of the run: by the interruptions of all pools, or of what is given of each."""
        alone = estimate.evaluate(self.spread, ("mtbi", "goodput")).values
        mtbi = formulas.joint_mtbi(full(alone["mtbi"], self.case))
        joint = estimate.evaluate(self.spread.with_columns({"given_mtbi": mtbi}), ("goodput",)).values
        modelled = np.min(full(joint["goodput"], self.case), axis=0)
        given = formulas.joint_goodput(full(alone["goodput"], self.case))
        return np.where(np.all(np.isnan(self.case.columns["given_goodput"])), modelled, given)

    def _looked_up(self) -> tuple[Values, Values]:
        """Return parts of the batch in whole micro-batches of each pool, and the time of a step with each.

        Of a batch that is open parts of a micro-batch count too, down to what a step takes whatever its size: a larger
        batch has room for such shares.
        """
        most = np.ceil(float(self.batch) / float(np.min(self.grain)))
        spaced: Values = np.asarray(np.geomspace(1.0, max(most, 2.0), _LOOKED_UP), dtype=np.float64)
        numbers: Values = np.unique(np.round(spaced))
        sizes = (self.grain * numbers)[:, None, :]
        columns = {name: np.asarray(column)[..., None] for name, column in self.spread.columns.items()}
        found = estimate.evaluate(Case({**columns, "global_batch": sizes}), ("step_time",)).values[
            "step_time"
        ]
        shape = (*full(array(0.0), self.case).shape, len(numbers))
        sizes, times = np.broadcast_to(sizes, shape), np.broadcast_to(found, shape)
        if not self.whole:
            fixed = np.maximum(2.0 * times[..., :1] - times[..., 1:2], 0.0)
            sizes, times = (np.concatenate(pair, axis=-1) for pair in ((0.0 * fixed, sizes), (fixed, times)))
        return sizes, np.maximum.accumulate(times, axis=-1)

    def times(self, parts: Values) -> Values:
        """Return the time of a step of each pool on its part of the batch, the others left out. [s]

        No part takes no time; where micro-batches count whole, a part of one takes as long as one.
        """
        grains = parts / self.grain
        size = (np.ceil(grains * (1.0 - _LEAST)) if self.whole else grains) * self.grain
        found = np.empty(parts.shape)
        for place in np.ndindex(parts.shape):
            found[place] = np.interp(size[place], self.sizes[place], self.lasting[place])
        return np.where(parts > 0, found, 0.0)

    @property
    def equal(self) -> Values:
        """The batch in parts that give each accelerator the same."""
        count = self.case.columns["count"]
        return full((count / np.sum(count) * self.batch)[:, None], self.case)

    @property
    def matched(self) -> Values:
        """The batch in parts that all pools end together; the equal ones where those are no slower."""
        grain = self.grain if self.whole else np.zeros(self.grain.shape)
        parts = np.asarray(formulas.matched_batches(self.sizes, self.lasting, self.batch, grain))
        better = np.max(self.times(parts), axis=0) < np.max(self.times(self.equal), axis=0)
        return np.where(better, parts, self.equal)

    def step(self, parts: Values) -> Values:
        """Return the time of a step of the run: of the last pool, and of what the exchange adds. [s]"""
        slowest = np.max(self.times(parts), axis=0)
        overlap = full(self.spread.columns["overlap"], self.case)[0]
        return np.asarray(formulas.exposed_exchange(slowest, self._exchange_time(), overlap))

    def _exchange_time(self) -> Array:
        sites, bandwidth, every = map(array, self.link)
        return formulas.site_exchange_time(array(self.size), sites, bandwidth, every)

    def way(self, name: str, parts: Values) -> Way:
        """Return the run in which each pool does its part of the batch."""
        step = self.step(parts)
        paced = self.spread.with_columns(self._paced(np.maximum(parts, _LEAST), step))
        found = estimate.evaluate(paced, _SUMMED).values
        seq, tokens = (full(self.spread.columns[each], self.case)[0] for each in ("seq", "tokens"))
        throughput = np.asarray(self.batch * seq / step)
        values = {"throughput": throughput, "wall_clock": tokens / throughput / self.goodput}
        values |= {each: np.sum(full(found[each], self.case), axis=0) for each in _SUMMED}
        waits = 1.0 - self.times(parts) / step
        shares = (tuple(ends(row, 1.0) for row in rows) for rows in (parts / self.batch, waits))
        return Way(name, {each: ends(value) for each, value in values.items()}, *shares)

    def _paced(self, parts: Values, step: Values) -> dict[str, Any]:
        """Return the columns of pools that take the time of the whole run's step for their parts of its tokens."""
        case = self.spread.with_columns({"global_batch": parts})
        first = (np.arange(len(parts)) == 0.0)[:, None]
        at_peak = estimate.evaluate(case, ("time_at_peak",)).values["time_at_peak"]
        return {
            "global_batch": parts, "tokens": parts / self.batch * self.spread.columns["tokens"],
            "given_mfu": at_peak / step, "efficiency_coefficient": array(np.nan), "given_goodput": self.goodput,
            **{name: self.spread.columns[name] * first for name in _ONCE},
        }  # fmt: skip

    def exchange(self) -> Exchange:
        """Return what crosses the links between sites, by the steps of matched shares."""
        step = array(float(np.max(self.times(self.matched), axis=0)[0]))
        size, sites = array(self.size), array(self.link.sites)
        lost = array([0.5, KEPT_LOSS])
        wide = formulas.link_for_loss(size, sites, step, array(self.link.every), lost)
        seldom = formulas.link_for_loss(size, sites, step, array(DILOCO), array(KEPT_LOSS))
        hideable, enough = np.asarray(wide).tolist()
        return Exchange(self.size, float(step), float(self._exchange_time()), hideable, enough, float(seldom))


def _gradients(columns: Mapping[str, Array]) -> Values:
    """Return the bytes of the gradients of one whole model: of its adapters where its weights are frozen."""
    model = Transformer(**{name: columns[name] for name in Transformer._fields})
    adapters = adapter_parameters(model, columns["method_rank"])
    learning = np.where(np.asarray(columns["method_frozen"]) > 0, adapters, total_parameters(model).total)
    return learning * columns["optimizer_gradients"]
