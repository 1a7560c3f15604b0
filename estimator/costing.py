"""What the same work costs on machines that are rented by every plan, and on machines of one's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import ranges
from .answer import noted, sized, with_ranges
from .arrays import array
from .case import Case
from .errors import EstimatorError, QuestionError
from .estimate import Estimate, evaluate
from .inputs import Run
from .inputs.money_table import OWNER
from .inputs.run import option
from .lower import lower
from .presets import Presets

# The ways of renting that are tried where neither a plan nor a price is given.
_PLANS = ("on-demand", "reserved-1y", "reserved-3y", "spot")
_SPOT = ("spot_share", "spot_price", "spot_interruptions", "spot_lost_time")
# The columns by which two ways of renting differ.
_RENT = ("price", "paid_utilisation", *_SPOT)
QUANTITIES = (
    "parameters", "accelerator_hours", "occupied_hours", "wall_clock", "power", "energy", "carbon", "cost",
    "cost_per_hour", "cost_per_application", "investment", "rent_price", "break_even_utilisation", "break_even_time",
)  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One way to have the machines: its name, the question, the answer, and the same to be compared with."""

    name: str
    run: Run
    estimate: Estimate

    @property
    def owned(self) -> bool:
        """Whether the machines are one's own."""
        return float(self.estimate.case.columns["owned"]) > 0.0


@dataclass(frozen=True)
class Costing:
    """All ways side by side.

    ``even`` holds for each owner, and each way of renting in the order of ``rented``, the owner's answer with that
    rent to compare with; ``missing`` says why a way has no cost; ``period`` is how long machines are held [s], where
    they are asked about and not a run; ``used`` the share of the time in which what is owned or reserved is in use.
    """

    ways: Sequence[Way]
    even: Mapping[str, Sequence[Estimate]]
    missing: Sequence[str]
    period: float | None
    used: float

    @property
    def rented(self) -> list[Way]:
        """The ways of renting."""
        return [way for way in self.ways if not way.owned]

    @property
    def owners(self) -> list[Way]:
        """Machines of one's own, by place."""
        return [way for way in self.ways if way.owned]


def ask_costs(
    given: Mapping[str, Any],
    presets: Presets | None = None,
    period: float | None = None,
    places: Sequence[str] = (),
) -> Costing:
    """Answer a question for every way to have the machines.

    Parameters
    ----------
    given
        Inputs of a `Run`; with a price or a plan that one way of renting is compared with owning, else every plan.
    presets
        The records.
    period
        How long the machines are held, whatever is trained on them; the run of the question where it is left out. [s]
    places
        Grids at which machines of one's own are compared; the question's alone where there are none.

    Raises
    ------
    QuestionError
        Any fault of the question.

    Examples
    --------
    >>> found = ask_costs({"on": "h100", "count": 1024}, period=3 * 365.25 * 86400.0)
    >>> [way.name for way in found.ways]
    ['on-demand', 'reserved-1y', 'reserved-3y', 'spot', 'own']
    """
    records = presets or Presets()
    asked = {name: value for name, value in given.items() if value is not None}
    asked |= _machines_alone(asked, records) if period is not None else _of_a_run(asked)
    owners = _owners(asked, records, period, places)
    used = float(owners[0].estimate.case.columns["utilisation"])
    rented: list[Way] = []
    missing: list[str] = []
    for name, question in _rented(asked, used):
        way = _way(name, question, records, period, used)
        if _known(way):
            rented.append(way)
        else:
            missing.append(_why(way))
    missing += [_why(way) for way in owners if not _known(way)]
    owners = [way for way in owners if _known(way)]
    even = {owner.name: [_compared(owner, way) for way in rented] for owner in owners}
    return Costing([*rented, *owners], even, missing, period, used)


def _of_a_run(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Hold a question without a period to name a model."""
    if {"params", "model", "config"} & asked.keys():
        return {}
    raise QuestionError(
        [
            "nothing says what is paid for: give a model, like --params 65e9, or --period '3 years' for machines alone"
        ]
    )


def _machines_alone(asked: Mapping[str, Any], presets: Presets) -> dict[str, Any]:
    """Return the model that stands for any where machines are asked about; they need a count."""
    if not {"count", "nodes"} & asked.keys():
        raise QuestionError(
            ["--period: nothing says how many accelerators are held; give --count or --nodes"]
        )
    barred = [name for name in ("tokens", "tokens_per_param", "epochs", "within") if name in asked]
    if barred:
        raise QuestionError(
            [f"{option(barred[0])} and --period contradict each other: a run ends with its tokens; give one"]
        )
    if {"params", "model", "config"} & asked.keys():
        return {}
    house = presets.load("assumptions", "ownership").words["choices"]["params"]
    return {"params": house["value"]}


def _owners(
    asked: Mapping[str, Any], presets: Presets, period: float | None, places: Sequence[str]
) -> list[Way]:
    """Answer the question for machines of one's own, at each place."""
    own = {name: value for name, value in asked.items() if name not in _SPOT} | {"plan": "own"}
    if places and "grid" in own:
        raise QuestionError(["--grid and --place contradict each other; give one of them"])
    for place in places:
        try:
            presets.find("grids", place)
        except EstimatorError as error:
            raise QuestionError([f"--place: {error}"]) from None
    named = [(f"own, {place}", {**own, "grid": place}) for place in places] or [("own", own)]
    return [_way(name, question, presets, period, None) for name, question in named]


def _rented(asked: Mapping[str, Any], used: float) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the question of every way of renting; what is reserved is used as the owner's is."""
    plan = asked.get("plan")
    base = {name: value for name, value in asked.items() if name not in (*OWNER, "plan")}
    if plan is not None and str(plan).strip().lower() != "own":
        plans = [str(plan)]
    else:
        plans = [] if "price" in asked else list(_PLANS)
    if not plans:
        base.pop("utilisation", None)
        return [("rented", base)]
    return [(plan, _by_plan({**base, "plan": plan}, used)) for plan in plans]


def _by_plan(question: dict[str, Any], used: float) -> dict[str, Any]:
    """Return the question of a plan without what means nothing in it."""
    reserved = question["plan"].strip().lower().startswith("reserved")
    spot = question["plan"].strip().lower() == "spot"
    left_out = {"spot_share"} if spot else set[str]()
    kept = {name: value for name, value in question.items() if name not in {*left_out, "utilisation"}}
    return kept | ({"utilisation": used} if reserved else {})


def _way(
    name: str, question: Mapping[str, Any], presets: Presets, period: float | None, used: float | None
) -> Way:
    run = Run.read(question, presets)
    case = noted(sized(lower(run, presets)))
    if period is not None:
        case = _held(case, period, float(case.columns["utilisation"]) if used is None else used)
    return Way(name, run, with_ranges(case, (*QUANTITIES, "memory", "fewest_accelerators")))


def _held(case: Case, period: float, used: float) -> Case:
    """Let the run take all of the time in which the machines are in use: its tokens follow, in proportion.

    People and data are paid for all of the period. What the run takes on other tokens is no matter, so that
    what is unknown of its speed is not either.
    """
    wall = float(evaluate(case, ("wall_clock",)).values["wall_clock"])
    columns = {"tokens": array(case.columns["tokens"] * period * used / wall)}
    columns |= {name: array(case.columns[name] / used) for name in ("staff", "stored")}
    spread = evaluate(ranges.spread(case), ("wall_clock",)).values["wall_clock"]
    still = ~np.any(ranges.moves(np.asarray(spread)), axis=-1)
    kept = tuple(
        unknown
        for unknown, same in zip(case.unknowns, still, strict=True)
        if same and unknown.name != "utilisation"
    )
    return replace(case.with_columns(columns), unknowns=kept)


def _known(way: Way) -> bool:
    return not math.isnan(float(way.estimate.cost.value))


def _why(way: Way) -> str:
    """Say why a way has no cost."""
    columns, origins = way.estimate.case.columns, way.estimate.case.origins
    paid = ("accelerator_price",) if way.owned else ("price", "spot_price")
    reasons = [
        origins[name].reason.partition(":")[0]
        for name in paid
        if math.isnan(float(columns[name])) and origins[name].kind == "assumed"
    ]
    return f"{way.name}: {'; '.join(dict.fromkeys(reasons)) or 'an input of its cost is not known'}"


def _compared(owner: Way, rented: Way) -> Estimate:
    """Answer the owner's question with the rent of another way to compare with."""
    case, rent = owner.estimate.case, rented.estimate.case
    unknowns = (
        *(unknown for unknown in case.unknowns if not set(_RENT) & unknown.low.keys()),
        *(unknown for unknown in rent.unknowns if set(_RENT) & unknown.low.keys()),
    )
    found = case.with_columns({name: rent.columns[name] for name in _RENT})
    return with_ranges(
        replace(found, unknowns=unknowns), ("rent_price", "break_even_utilisation", "break_even_time")
    )
