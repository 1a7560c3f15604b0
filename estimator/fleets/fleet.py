"""What a fleet delivers: each pool alone, separate runs, and one synchronous run with equal or matched shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..answer import ask, sized
from ..arrays import array
from ..case import Case
from ..compare import Comparison
from ..errors import QuestionError
from ..estimate import Estimate
from ..formulas.compute_totals import mfu_for_ratio
from ..inputs.fleet import FleetQuestion
from ..lower import lower
from ..presets import Presets
from ..totals import Ends
from .pools import stacked
from .ways import Exchange, Link, Together, Way, separate


@dataclass(frozen=True)
class Fleet:
    """The answer about a fleet: its pools alone, in the order asked, the ways, and the exchange between sites.

    ``batch`` is that of a run over all pools [1], ``tokens`` those of one run [token].
    """

    question: FleetQuestion
    alone: tuple[Estimate, ...]
    ways: Mapping[str, Way]
    batch: float
    tokens: float
    currency: str
    exchange: Exchange | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def ratios(self) -> tuple[Ends, ...]:
        """One accelerator of each pool over one of the first, by what it trains alone; with what is unknown of both."""
        compared = Comparison([pool.run for pool in self.question.pools], self.alone)
        found = (compared.ratio(place, "throughput_per_accelerator") for place in range(len(self.alone)))
        return tuple(Ends(*each[:3]) if each else Ends(math.nan, math.nan, math.nan) for each in found)

    def mfu_for(self, ratio: float) -> tuple[float, ...]:
        """Return the MFU at which a pool takes so many times as long as the first with as many accelerators. [1]

        One month against three is a ratio of 3; an MFU beyond 1 cannot be.
        """
        peaks = array([float(each.case.columns["peak"]) for each in self.alone])
        first = array(float(self.alone[0].values["mfu"]))
        found = mfu_for_ratio(first, array(float(self.alone[0].case.columns["peak"])), peaks, array(ratio))
        return tuple(np.asarray(found).tolist())

    def loss(self, name: str) -> float:
        """Return the share of the separate runs' throughput that a way loses. [1]"""
        rate, most = (self.ways[way].values["throughput"].value for way in (name, "separate"))
        return 0.0 if math.isclose(rate, most, rel_tol=1e-12) else 1.0 - rate / most


def ask_fleet(question: FleetQuestion, presets: Presets | None = None) -> Fleet:
    """Answer what a fleet delivers in each way.

    Raises
    ------
    QuestionError
        What is wrong with a pool's run, or pools whose money differs.

    Examples
    --------
    >>> asked = FleetQuestion.read({"params": "7B", "pools": ["64 x a100-sxm-80gb", "64 x h100-sxm-80gb"]})
    >>> found = ask_fleet(asked)
    >>> 0.0 < found.loss("matched") < found.loss("equal") < 0.5
    True
    """
    records = presets or Presets()
    alone = tuple(_each(question, records))
    currency, tokens = _currency(alone), float(alone[0].case.columns["tokens"])
    cases = _joint_cases(question, alone, records)
    given = question.pools[0].run.global_batch
    batch = given or sum(float(case.columns["global_batch"]) for case in cases)
    ways = {"separate": separate(stacked([each.case for each in alone]))}
    exchange = None
    if len(alone) > 1:
        link = Link(len(question.sites), question.link or math.inf, question.sync_every or 1.0)
        together = Together(stacked(cases), batch, link, whole=given is not None)
        ways |= {name: together.way(name, parts) for name, parts in (("equal", together.equal), ("matched",
                 together.matched))}  # fmt: skip
        exchange = together.exchange() if len(question.sites) > 1 else None
    notes = tuple(_notes(question, alone, ways))
    return Fleet(question, alone, ways, batch, tokens, currency, exchange, notes)


def _each(question: FleetQuestion, presets: Presets) -> list[Estimate]:
    """Answer the run of each pool alone; every fault of every pool is told at once."""
    found: list[Estimate] = []
    faults: list[str] = []
    for pool in question.pools:
        try:
            found.append(ask(pool.run, presets))
        except QuestionError as error:
            faults += [f"--pool '{pool.name}': {fault}" for fault in error.faults]
    if faults:
        raise QuestionError(faults)
    return found


def _currency(alone: Sequence[Estimate]) -> str:
    found = list(dict.fromkeys(each.case.words.get("currency", "USD") for each in alone))
    if len(found) > 1:
        raise QuestionError(
            [
                f"--currency: the pools' money is in {' and '.join(found)}; give one, like --currency {found[0]}"
            ]
        )
    return found[0]


def _joint_cases(question: FleetQuestion, alone: Sequence[Estimate], presets: Presets) -> list[Case]:
    """Return the case of each pool in one run: its layout planned for its equal share of the batch.

    A batch that is given stays; of one that is open each pool takes whole micro-batches near its share of the usual.
    """
    counts = [float(each.case.columns["count"]) for each in alone]
    cases: list[Case] = []
    for pool, count in zip(question.pools, counts, strict=True):
        case = lower(pool.run, presets)
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
    """Return the case with its part of the batch, at least a sequence, and its layout."""
    part = case.with_columns({"global_batch": array(float(max(round(share), 1)))})
    return sized(
        replace(part, unknowns=tuple(each for each in part.unknowns if "global_batch" not in each.low))
    )


def _notes(question: FleetQuestion, alone: Sequence[Estimate], ways: Mapping[str, Way]) -> list[str]:
    notes: list[str] = []
    precisions = list(dict.fromkeys(each.case.words["precision"] for each in alone))
    if len(alone) > 1 and len(precisions) > 1:
        notes.append(
            f"the pools compute in {' and '.join(precisions)}: one run over all needs one precision, or care for what "
            "mixing them does to the loss; give --precision"
        )
    if len(question.sites) > 1 and question.link is None:
        notes.append(
            "the link between the sites is taken as without limit in a run over all pools; give --link"
        )
    if question.sync_every and question.sync_every > 1:
        notes.append(
            f"an exchange every {question.sync_every:,.0f} steps is another algorithm (DiLoCo, A. Douillard et al., "
            "2023, arXiv:2311.08105): its steps are as fast as told, what it does to the loss is not modelled"
        )
    if "matched" in ways:
        rates = [float(each.values["throughput"]) for each in alone]
        fastest = rates.index(max(rates))
        if rates[fastest] >= ways["matched"].values["throughput"].value:
            notes.append(f"{question.pools[fastest].name} alone is faster than all pools in one run")
    return notes
