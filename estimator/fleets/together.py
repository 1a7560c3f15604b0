"""One synchronous run over all pools, on axes of any shape: the time of a step of each, shares of the batch, waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import estimate
from ..arrays import Array, array
from ..case import Case
from ..formulas import fleet as formulas
from ..formulas.memory_states import adapter_parameters
from ..formulas.parameters import Transformer, total_parameters

Values = npt.NDArray[np.float64]
# Columns of what a run costs whatever its pools: counted with the first alone.
_ONCE = ("stored", "egress", "staff", "preparation_staff")
# Columns of what is between sites.
_OF_LINK = ("link", "sync_every")
# Numbers of micro-batches at which the time of a step is looked up, and what stands for no part of the batch.
_LOOKED_UP, _LEAST = 33, 1e-9


class Together:
    """One run over the pools of a case, which are on the first axis; its other axes are whatever is asked at once.

    Of a batch that is given micro-batches are counted whole; one that is open is taken to suit the shares.
    """

    def __init__(self, case: Case) -> None:
        """Look up what a step takes each pool."""
        self.case = case
        shapes = (np.shape(column) for name, column in case.columns.items() if name not in _OF_LINK)
        self.shape = np.broadcast_shapes(*shapes)
        self.batch = self._shared("whole_batch")
        self.whole = np.asarray(case.columns["batch_given"]) > 0.0
        count, tp, pp, cp = (np.asarray(case.columns[name]) for name in ("count", "tp", "pp", "cp"))
        self.grain: Values = np.maximum(np.floor(count / (tp * pp * cp)), 1.0) * case.columns["micro_batch"]
        self.goodput = self._goodput()
        self.sizes, self.lasting = self._looked_up()

    def full(self, value: Array) -> Values:
        """Give a value all axes: of pools, and of what is asked at once but for links, which parts do not depend on."""
        return np.broadcast_to(value, np.broadcast_shapes(np.shape(value), self.shape))

    def _shared(self, name: str) -> Values:
        """Return a column that all pools share, without their axis."""
        return np.asarray(self.full(self.case.columns[name])[0])

    def _goodput(self) -> Values:
        """Return the goodput of the run: by the interruptions of all pools, or of what is given of each."""
        alone = estimate.evaluate(self.case, ("mtbi", "goodput")).values
        mtbi = formulas.joint_mtbi(self.full(alone["mtbi"]))
        joint = estimate.evaluate(self.case.with_columns({"given_mtbi": mtbi}), ("goodput",)).values
        modelled = np.min(self.full(joint["goodput"]), axis=0)
        given = formulas.joint_goodput(self.full(alone["goodput"]))
        open_ = np.all(np.isnan(self.full(self.case.columns["given_goodput"])), axis=0)
        return np.where(open_, modelled, given)

    def _looked_up(self) -> tuple[Values, Values]:
        """Return parts of the batch in whole micro-batches of each pool, and the time of a step with each.

        Of a batch that is open parts of a micro-batch count too, down to what a step takes whatever its size: a larger
        batch has room for such shares.
        """
        most = np.ceil(self.batch / np.min(self.full(self.grain), axis=0))
        numbers = np.round(np.power(np.maximum(most, 2.0)[..., None], np.linspace(0.0, 1.0, _LOOKED_UP)))
        # One and two micro-batches first: the line through them leads to a step without any.
        two = np.broadcast_to(np.array([1.0, 2.0]), (*numbers.shape[:-1], 2))
        sizes = self.grain[..., None] * np.concatenate([two, numbers], axis=-1)
        columns = {name: np.asarray(column)[..., None] for name, column in self.case.columns.items()}
        times = estimate.evaluate(Case({**columns, "global_batch": sizes}), ("step_time",)).values[
            "step_time"
        ]
        shape = (*self.shape, sizes.shape[-1])
        sizes, times = np.broadcast_to(sizes, shape), np.broadcast_to(times, shape)
        whole = self.whole[..., None]
        fixed = np.where(whole, times[..., :1], np.maximum(2.0 * times[..., :1] - times[..., 1:2], 0.0))
        least = np.where(whole, sizes[..., :1], 0.0)
        sizes = np.concatenate([np.broadcast_to(least, fixed.shape), sizes[..., 2:]], axis=-1)
        times = np.concatenate([fixed, times[..., 2:]], axis=-1)
        return sizes, np.maximum.accumulate(times, axis=-1)

    def times(self, parts: Values) -> Values:
        """Return the time of a step of each pool on its part of the batch, the others left out. [s]

        No part takes no time; where micro-batches count whole, a part of one takes as long as one.
        """
        grains = parts / self.grain
        size = np.where(self.whole, np.ceil(grains * (1.0 - _LEAST)), grains) * self.grain
        return np.where(parts > 0, formulas.time_of_part(size, self.sizes, self.lasting), 0.0)

    @property
    def equal(self) -> Values:
        """The batch in parts that give each accelerator the same."""
        count = self.full(self.case.columns["count"])
        return count / formulas.over_pools(count) * self.batch

    @property
    def matched(self) -> Values:
        """The batch in parts that all pools end together; the equal ones where those are no slower."""
        grain = np.where(self.whole, self.grain, 0.0)
        parts = np.asarray(formulas.matched_batches(self.sizes, self.lasting, self.batch, grain))
        better = np.max(self.times(parts), axis=0) < np.max(self.times(self.equal), axis=0)
        return np.where(better, parts, self.equal)

    def parts(self, name: str) -> Values:
        """Return the parts of the batch with ``equal`` or with ``matched`` shares."""
        return self.equal if name == "equal" else self.matched

    def step(self, parts: Values) -> Values:
        """Return the time of a step of the run: of the last pool, and of what the exchange adds. [s]"""
        slowest = np.max(self.times(parts), axis=0)
        hidden = np.minimum(self._shared("overlap"), 1.0)
        return np.asarray(formulas.exposed_exchange(slowest, self.exchange_time, hidden))

    @property
    def exchange_time(self) -> Array:
        """Time a step that the links between sites take. [s]"""
        sites, link, every = (self._shared(name) for name in ("sites", "link", "sync_every"))
        return formulas.site_exchange_time(self.gradients, sites, link, every)

    @property
    def gradients(self) -> Values:
        """The gradients of one whole model: of its adapters where its weights are frozen. [byte]"""
        columns = self.case.columns
        model = Transformer(**{name: columns[name] for name in Transformer._fields})
        adapters = adapter_parameters(model, columns["method_rank"])
        frozen = np.asarray(columns["method_frozen"]) > 0
        learning = np.where(frozen, adapters, total_parameters(model).total)
        return np.asarray(self.full(learning * columns["optimizer_gradients"])[0])

    def values(self, parts: Values, summed: tuple[str, ...]) -> Mapping[str, Array]:
        """Return the quantities of the run in which each pool does its part of the batch, the axis of pools gone.

        ``summed`` are those of which each pool has its own.
        """
        step = self.step(parts)
        paced = self.case.with_columns(self._paced(np.maximum(parts, _LEAST), step))
        found: Mapping[str, Array] = estimate.evaluate(paced, summed).values if summed else {}
        seq, tokens = (self._shared(each) for each in ("seq", "tokens"))
        throughput = np.asarray(self.batch * seq / step)
        own = {"throughput": throughput, "step_time": step, "goodput": self.goodput,
               "wall_clock": tokens / throughput / self.goodput}  # fmt: skip
        return own | {each: formulas.over_pools(self.full(found[each])) for each in summed}

    def waits(self, parts: Values) -> Values:
        """Return the share of the step that each pool waits. [1]"""
        return 1.0 - self.times(parts) / self.step(parts)

    def _paced(self, parts: Values, step: Values) -> dict[str, Any]:
        """Return the columns of pools that take the time of the whole run's step for their parts of its tokens."""
        case = self.case.with_columns({"global_batch": parts})
        first = np.arange(len(parts)).reshape(-1, *[1] * (len(self.shape) - 1)) == 0.0
        at_peak = estimate.evaluate(case, ("time_at_peak",)).values["time_at_peak"]
        return {
            "global_batch": parts, "tokens": parts / self.batch * self.case.columns["tokens"],
            "given_mfu": at_peak / step, "efficiency_coefficient": array(np.nan), "given_goodput": self.goodput,
            **{name: self.case.columns[name] * first for name in _ONCE},
        }  # fmt: skip
