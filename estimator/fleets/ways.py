"""The ways to use a fleet: separate runs, whose throughputs add up, and one synchronous run that the slowest paces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from .. import estimate, ranges
from ..answer import ends_of
from ..arrays import Array, array
from ..case import Case
from ..estimate import Estimate
from ..formulas import fleet as formulas
from ..inputs.fleet import WAYS
from ..totals import Ends
from ..tuples import NamedTuple
from .together import Together, Values

# What is told of each way; all but the throughput are of the tokens of one run.
UNITS: Mapping[str, str] = {
    "throughput": "token/s", "wall_clock": "s", "occupied_hours": "hour", "energy": "kWh", "carbon": "kg",
    "cost": "currency",
}  # fmt: skip
_SUMMED = ("occupied_hours", "energy", "carbon", "cost")
_ROOM = ("memory", "memory_usable")
# Every quantity of a way: besides those told the step and the goodput of one run, and the memory of the fullest cards.
QUANTITIES = (*UNITS, "step_time", "goodput", "memory")
# A loss at which a link is told to be wide enough, and the steps between exchanges of the paper that is cited.
KEPT_LOSS, DILOCO = 0.05, 500.0


class Way(NamedTuple):
    """One way to use the fleet: its quantities, and of each pool the share of the batch and of the step it waits."""

    name: str
    values: Mapping[str, Ends]
    shares: tuple[Ends, ...] = ()
    waits: tuple[Ends, ...] = ()


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


def evaluate_fleet(case: Case, wanted: Iterable[str] = ()) -> Estimate:
    """Compute the quantities of a fleet in its way, or those that are wanted.

    Parameters
    ----------
    case
        As `lower_fleet` makes it, all of one way: pools on the first axis, further axes of any shape behind it.
    wanted
        Names of `QUANTITIES`; all of them where it is empty.

    Returns
    -------
    Values in house units, without ranges, on the axes behind that of pools.
    """
    names = tuple(wanted) or QUANTITIES
    summed = tuple(name for name in _SUMMED if name in names)
    name = WAYS[int(np.max(case.columns["way"]))]
    if name == "separate":
        found = _separate(case, summed)
    else:
        together = Together(case)
        found = together.values(together.parts(name), summed)
    room = _room(case) if {*_ROOM} & {*names} else {}
    return Estimate(case, {**found, **room}, {}, {}, {})


def _separate(case: Case, summed: tuple[str, ...]) -> Mapping[str, Array]:
    """Each pool trains runs of its own: throughputs add up, and a run takes its part of each pool's time."""
    shape = np.broadcast_shapes(*(np.shape(column) for column in case.columns.values()))
    found = estimate.evaluate(case, ("throughput", "wall_clock", *summed)).values
    full = {name: np.broadcast_to(value, shape) for name, value in found.items()}
    lasting = full["wall_clock"]
    rate = formulas.over_pools(1.0 / lasting)
    unknown = np.full(shape[1:], np.nan)  # the steps of several runs are not one
    own = {"throughput": formulas.over_pools(full["throughput"]), "wall_clock": 1.0 / rate, "step_time": unknown,
           "goodput": unknown}  # fmt: skip
    return own | {name: formulas.over_pools(full[name] / lasting) / rate for name in summed}


def _room(case: Case) -> dict[str, Array]:
    """Return what is taken of the memory of the pool that is fullest, and what there is."""
    shape = np.broadcast_shapes(*(np.shape(column) for column in case.columns.values()))
    found = estimate.evaluate(case, _ROOM).values
    memory, usable = (np.broadcast_to(found[name], shape) for name in _ROOM)
    fullest = np.argmax(memory / usable, axis=0)[None]
    return {
        name: np.take_along_axis(value, fullest, axis=0)[0]
        for name, value in zip(_ROOM, (memory, usable), strict=True)
    }


def way_of_points(case: Case) -> Way:
    """Return the answer to a case of shape (pools,), with the ranges of everything."""
    spread = ranges.spread(case)
    name = WAYS[int(np.max(case.columns["way"]))]
    values = evaluate_fleet(spread, tuple(UNITS)).values
    told = {each: _ends(each, case, values[each]) for each in UNITS}
    if name == "separate":
        return Way(name, told)
    together = Together(spread)
    parts = together.parts(name)
    shares = (parts / together.batch, together.waits(parts))
    return Way(name, told, *(tuple(_share(row) for row in rows) for rows in shares))


def _ends(name: str, case: Case, points: Array) -> Ends:
    """Return value, low and high end of a quantity on an axis of points."""
    value = ranges.points({name: points}, case)[name]
    low, high = ends_of(name, value)
    return Ends(float(value[..., 0]), float(low), float(high))


def _share(points: Values) -> Ends:
    low, high = ranges.around(points, most=1.0)
    return Ends(float(points[0]), float(low), float(high))


def exchange(case: Case) -> Exchange:
    """Return what crosses the links between sites of a case of shape (pools,), by the steps of matched shares."""
    together = Together(ranges.spread(Case(case.columns)))
    step, size = np.max(together.times(together.matched), axis=0)[0], together.gradients[0]
    sites, every = (np.asarray(case.columns[name]) for name in ("sites", "sync_every"))
    wide = formulas.link_for_loss(size, sites, step, every, array([0.5, KEPT_LOSS]))
    seldom = formulas.link_for_loss(size, sites, step, array(DILOCO), array(KEPT_LOSS))
    hideable, enough = np.asarray(wide).tolist()
    time = float(np.asarray(together.exchange_time)[0])
    return Exchange(float(size), float(step), time, hideable, enough, float(seldom))
