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
from .inputs import Run, fields
from .inputs.amounts import read_as
from .inputs.money_table import OWNER
from .inputs.run import option
from .lower import lower
from .presets import Presets

# The ways of renting that are tried where neither a plan nor a price is given.
_PLANS = ("on-demand", "reserved-1y", "reserved-3y", "spot")
# What names a model.
_MODEL = frozenset({"params", "model", "config"})
_PERIOD = fields.measured("s", "3 years", 3600.0, 100.0 * 365.25 * 86400.0)
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
    period: float | str | None = None,
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
        How long the machines are held, whatever is trained on them, in seconds or as text with its unit; the run of
        the question where it is left out. [s]
    places
        Grids at which machines of one's own are compared; the question's alone where there are none.

    Raises
    ------
    QuestionError
        All faults of the question, a line each.

    Examples
    --------
    >>> found = ask_costs({"on": "h100", "count": 1024}, period=3 * 365.25 * 86400.0)
    >>> [way.name for way in found.ways]
    ['on-demand', 'reserved-1y', 'reserved-3y', 'spot', 'own']
    """
    records = presets or Presets()
    asked = {name: value for name, value in given.items() if value is not None}
    seconds = _checked(asked, records, period, places)
    asked = _with_model(asked, records)
    owners = _owners(asked, records, seconds, places)
    used = float(owners[0].estimate.case.columns["utilisation"])
    rented: list[Way] = []
    missing: list[str] = []
    for name, question in _rented(asked, used):
        way = _way(name, question, records, seconds, used)
        if _known(way):
            rented.append(way)
        else:
            missing.append(_why(way))
    missing += [_why(way) for way in owners if not _known(way)]
    owners = [way for way in owners if _known(way)]
    even = {owner.name: [_compared(owner, way) for way in rented] for owner in owners}
    return Costing([*rented, *owners], even, missing, seconds, used)


def _checked(
    asked: Mapping[str, Any], presets: Presets, period: float | str | None, places: Sequence[str]
) -> float | None:
    """Return the period in seconds.

    Raises
    ------
    QuestionError
        Whatever is wrong with the period, the places and the inputs, all of it.
    """
    faults: list[str] = []
    seconds: list[float] = []

    def _period() -> None:
        if period is not None:
            seconds.append(float(read_as("--period", period, _PERIOD) if isinstance(period, str) else period))

    for check in (
        _period,
        lambda: _check_run(asked) if period is None else _check_machines(asked),
        lambda: _check_places(asked, presets, places),
        lambda: _check_inputs(_with_model(asked, presets), presets, further=bool(faults)),
    ):
        try:
            check()
        except EstimatorError as error:
            told = error.faults if isinstance(error, QuestionError) else (str(error),)
            faults.extend(fault for fault in told if fault not in faults)
    if faults:
        raise QuestionError(faults)
    return seconds[0] if seconds else None


def _check_run(asked: Mapping[str, Any]) -> None:
    """Hold a question without a period to name a model."""
    if not _MODEL & asked.keys():
        raise QuestionError(
            [
                "nothing says what is paid for: give a model, like --params 65e9, or --period '3 years' for machines "
                "alone"
            ]
        )


def _check_machines(asked: Mapping[str, Any]) -> None:
    """Hold a question about machines to count them, and to name no end of a run."""
    barred = [name for name in ("tokens", "tokens_per_param", "epochs", "within") if name in asked]
    faults = [f"{option(name)} and --period contradict each other: a run ends with its tokens; give one"
              for name in barred[:1]]  # fmt: skip
    if not {"count", "nodes"} & asked.keys():
        faults.append("--period: nothing says how many accelerators are held; give --count or --nodes")
    if faults:
        raise QuestionError(faults)


def _check_places(asked: Mapping[str, Any], presets: Presets, places: Sequence[str]) -> None:
    """Hold every place to be on record, and the grid to be told once."""
    faults = ["--grid and --place contradict each other; give one of them"] * bool(places and "grid" in asked)
    for place in places:
        try:
            presets.find("grids", place)
        except EstimatorError as error:
            faults.append(f"--place: {error}")
    if faults:
        raise QuestionError(faults)


def _check_inputs(asked: Mapping[str, Any], presets: Presets, *, further: bool) -> None:
    """Read the inputs; ``further`` what lowering finds too, which every way of having the machines finds by itself."""
    run = Run.read(asked, presets)
    if further:
        lower(run, presets)


def _with_model(asked: Mapping[str, Any], presets: Presets) -> dict[str, Any]:
    """Return the inputs, with a model that stands for any where none is named."""
    house = presets.load("assumptions", "ownership").words["choices"]["params"]
    return dict(asked) if _MODEL & asked.keys() else {"params": house["value"], **asked}


def _owners(
    asked: Mapping[str, Any], presets: Presets, period: float | None, places: Sequence[str]
) -> list[Way]:
    """Answer the question for machines of one's own, at each place."""
    own = {name: value for name, value in asked.items() if name not in _SPOT} | {"plan": "own"}
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
    points = ranges.points(evaluate(ranges.spread(case), ("wall_clock",)).values, case)["wall_clock"]
    still = ~np.any(ranges.moves(points), axis=-1)
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
