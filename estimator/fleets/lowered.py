"""A fleet lowered to a case of one way to use it: its pools on the first axis, and what they share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..answer import sized
from ..arrays import array
from ..case import Case, Unknown
from ..errors import QuestionError
from ..inputs.fleet import WAYS, FleetQuestion
from ..inputs.run import Run
from ..lower import lower
from ..presets import Presets
from .pools import stacked

Made = TypeVar("Made")


def lower_fleet(question: FleetQuestion, presets: Presets) -> Case:
    """Return the case of a fleet in the way that is asked for, the last of `WAYS` where none is, layouts filled in.

    Raises
    ------
    QuestionError
        What is wrong with the run of any pool, or pools whose money differs.
    """
    way = way_of(question)
    cases = apart(question, presets) if way == "separate" else joint(question, presets)
    return fleet_case(question, cases, way)


def way_of(question: FleetQuestion) -> str:
    """Return the way to use a fleet; one pool has a run of its own, whatever is asked."""
    return WAYS[0] if len(question.pools) == 1 else question.way or WAYS[-1]


def fleet_case(question: FleetQuestion, cases: Sequence[Case], way: str) -> Case:
    """Put the cases of pools together, with the batch of one run over all, and the link between sites.

    How much of the exchange computing hides is an unknown of its own.
    """
    case, given = stacked(cases), question.pools[0].run.global_batch
    own = {
        "way": WAYS.index(way), "whole_batch": given or sum(float(each.columns["global_batch"]) for each in cases),
        "batch_given": given is not None, "sites": len(question.sites), "link": question.link or math.inf,
        "sync_every": question.sync_every or 1.0, "overlap": 0.0,
    }  # fmt: skip
    unknowns = case.unknowns
    if way != "separate":
        unknowns += (Unknown("overlap", {"overlap": array(0.0)}, {"overlap": array(1.0)}),)
    columns = {**case.columns, **{name: array(float(value)) for name, value in own.items()}}
    return replace(case, columns=columns, unknowns=unknowns, words={"currency": currency_of(cases)})


def currency_of(cases: Sequence[Case]) -> str:
    """Return the currency of all pools.

    Raises
    ------
    QuestionError
        They differ.
    """
    found = list(dict.fromkeys(case.words.get("currency", "USD") for case in cases))
    if len(found) > 1:
        raise QuestionError(
            [
                f"--currency: the pools' money is in {' and '.join(found)}; give one, like --currency {found[0]}"
            ]
        )
    return found[0]


def of_each(question: FleetQuestion, make: Callable[[Run], Made]) -> list[Made]:
    """Return what is made of the run of each pool; every fault of every pool is told at once.

    Raises
    ------
    QuestionError
        At least one failed.
    """
    found: list[Made] = []
    faults: list[str] = []
    for pool in question.pools:
        try:
            found.append(make(pool.run))
        except QuestionError as error:
            faults += [f"--pool '{pool.name}': {fault}" for fault in error.faults]
    if faults:
        raise QuestionError(faults)
    return found


def apart(question: FleetQuestion, presets: Presets) -> list[Case]:
    """Return the case of each pool with a run of its own."""
    return of_each(question, lambda run: sized(lower(run, presets)))


def joint(question: FleetQuestion, presets: Presets) -> list[Case]:
    """Return the case of each pool in one run: its layout planned for its equal share of the batch.

    A batch that is given stays; of one that is open each pool takes whole micro-batches near its share of the usual.
    """
    lowered = of_each(question, lambda run: lower(run, presets))
    counts = [float(case.columns["count"]) for case in lowered]
    cases: list[Case] = []
    for pool, case, count in zip(question.pools, lowered, counts, strict=True):
        share = float(case.columns["global_batch"]) * count / sum(counts)
        cases.append(_planned(case, share if pool.run.global_batch is None else _divisible(share)))
    return cases


def _divisible(share: float) -> float:
    """Return a number near a share that many layouts divide: a prime would leave none to choose from.

    Examples
    --------
    >>> _divisible(683.0), _divisible(5.0)
    (704.0, 5.0)
    """
    grain = 2.0 ** max(math.floor(math.log2(max(share, 1.0) / 8.0)), 0)
    return round(share / grain) * grain


def _planned(case: Case, share: float) -> Case:
    """Return the case with its part of the batch, at least a sequence, and its layout, in which all replicas work."""
    part = case.with_columns({"global_batch": array(float(max(round(share), 1)))})
    unknowns = tuple(each for each in part.unknowns if "global_batch" not in each.low)
    return sized(replace(part, unknowns=unknowns, free=part.free - {"replicas"}))
