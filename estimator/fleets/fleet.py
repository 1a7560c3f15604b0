"""What a fleet delivers: each pool alone, separate runs, and one synchronous run with equal or matched shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..answer import ask
from ..arrays import array
from ..compare import Comparison
from ..estimate import Estimate
from ..formulas.compute_totals import mfu_for_ratio
from ..inputs.fleet import WAYS, FleetQuestion
from ..presets import Presets
from ..totals import Ends
from .lowered import currency_of, fleet_case, joint, of_each, way_of
from .ways import Exchange, Way, exchange, way_of_points


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

    @property
    def way(self) -> str:
        """The way that is asked for: the last of `WAYS` where none is named, of one pool a run of its own."""
        return way_of(self.question)

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
    alone = of_each(question, lambda run: ask(run, records))
    cases = [each.case for each in alone]
    currency, tokens = currency_of(cases), float(cases[0].columns["tokens"])
    ways = {"separate": way_of_points(fleet_case(question, cases, "separate"))}
    between, joined = None, joint(question, records)
    if len(alone) > 1:
        one = {name: fleet_case(question, joined, name) for name in WAYS if name != "separate"}
        ways |= {name: way_of_points(case) for name, case in one.items()}
        between = exchange(one["matched"]) if len(question.sites) > 1 else None
    batch = float(fleet_case(question, joined, "separate").columns["whole_batch"])
    notes = tuple(_notes(question, alone, ways))
    return Fleet(question, tuple(alone), ways, batch, tokens, currency, between, notes)


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
