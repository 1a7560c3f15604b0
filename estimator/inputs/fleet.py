"""The question about a fleet: pools of accelerators, each a run of its own inputs, and how they are used together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import QuestionError, near_misses
from ..presets import Presets
from .beside import read_beside, write_beside
from .fields import Field, measured, one_of, whole
from .letters import letter
from .pools import OF_POOL, called, pool_inputs, put_by_letter
from .run import Run, option
from .table import FIELDS

# The ways to use a fleet: runs of their own, one run with equal shares a card, one with shares like speeds.
WAYS = ("separate", "equal", "matched")
_BARRED = ("nodes", "within", "node")
# What all pools train: given once, beside them.
_COMMON = ("params", "model", "config", "tokens", "tokens_per_param", "epochs", "dataset_tokens", "samples", "seq",
           "global_batch", "method", "rank", "currency", "stored", "egress", "staff", "preparation_staff",
           "preparation_time", "applications", "adaptation")  # fmt: skip
FLEET_FIELDS: Mapping[str, Field] = {
    "link": Field(measured("byte/s", "10 Gbit/s", 1e3, 1e16), "Of each site to the others, one way, like "
                  '"10 Gbit/s".', "BANDWIDTH"),
    "sync_every": Field(whole(1, 1e7), "Steps between exchanges over the link; 1 is synchronous training."),
    "way": Field(one_of(*WAYS), "How pools are used: separate (a run each), equal (one run, equal shares a card) or "
                 "matched (one run, shares like speeds).", "NAME"),
}  # fmt: skip


def fleet_fields(pools: int) -> dict[str, Field]:
    """Return every input that a fleet of so many pools may be given or varied in: those of a pool by its letter.

    Examples
    --------
    >>> {"tokens", "link", "mfu", "B.count", "B.mfu"} <= fleet_fields(2).keys(), "B.tokens" in fleet_fields(2)
    (True, False)
    """
    barred = {*_BARRED, *OF_POOL}
    common = {name: field for name, field in FIELDS.items() if name not in barred}
    own = {name: field for name, field in FIELDS.items() if name not in {*_BARRED, *_COMMON}}
    lettered = {f"{letter(place)}.{name}": field for place in range(pools) for name, field in own.items()}
    return {**FLEET_FIELDS, **common, **lettered}


@dataclass(frozen=True, slots=True)
class Pool:
    """Accelerators of one kind at one place: a run on them alone, and the site; empty where none is named."""

    run: Run
    site: str = ""

    @property
    def name(self) -> str:
        """What the pool is called."""
        place = f" ({self.site})" if self.site else ""
        return f"{self.run.count:,.0f} x {self.run.on}{place}"


@dataclass(frozen=True, slots=True)
class FleetQuestion:
    """What is asked about a fleet, checked: pools, the link between sites [byte/s], steps between exchanges, the way.

    Where no way is named `estimate fleet` tells all, and whoever needs one takes the last of `WAYS`.
    """

    pools: tuple[Pool, ...]
    link: float | None = None
    sync_every: float | None = None
    way: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], presets: Presets | None = None) -> FleetQuestion:
        """Make a question from the common inputs of its runs and ``pools``: texts, or tables as files have them.

        An input like ``A.count`` is one of the first pool, and replaces what the pool says.

        Raises
        ------
        QuestionError
            Every fault of the inputs, a line each.

        Examples
        --------
        >>> asked = FleetQuestion.read({"params": "7B", "pools": ["16 x a100", "8 x h100, site=b, mfu=40%"]})
        >>> [(pool.run.count, pool.run.on, pool.site, pool.run.mfu) for pool in asked.pools]
        [(16.0, 'a100', '', None), (8.0, 'h100', 'b', 0.4)]
        """
        records = presets or Presets()
        named = {name: value for name, value in given.items() if value is not None}
        pools = pool_inputs(named.pop("pools", ()))
        own = {name: named.pop(name) for name in FLEET_FIELDS if name in named}
        faults = _without_effect(named, pools)
        faults += [*put_by_letter(named, pools), *_misplaced(named), *_uncommon(pools)]
        values, faulty = read_beside(own, FLEET_FIELDS, records)
        faults += faulty
        runs = _runs(named, pools, records, faults)
        sites = {pool.get("site", "") for pool in pools}
        if "link" in own and len(sites) < 2:
            faults.append(
                "--link: every pool is at the same site; give each its own, like --pool '8 x a100, site=beijing'"
            )
        if faults:
            raise QuestionError(faults)
        return cls(
            tuple(Pool(run, pool.get("site", "")) for run, pool in zip(runs, pools, strict=True)), **values
        )

    @property
    def sites(self) -> tuple[str, ...]:
        """The places, each once."""
        return tuple(dict.fromkeys(pool.site for pool in self.pools))

    def write(self) -> dict[str, Any]:
        """Return the inputs as a file holds them, to read back as this very question."""
        written = [pool.run.write() for pool in self.pools]
        # What all pools have alike stands beside them, so that it can be asked again with another value of it.
        common = {
            name: value
            for name, value in written[0].items()
            if name in _COMMON or (name not in OF_POOL and all(run.get(name) == value for run in written))
        }
        pools = [
            {name: value for name, value in run.items() if name not in common}
            | ({"site": pool.site} if pool.site else {})
            for run, pool in zip(written, self.pools, strict=True)
        ]
        return common | write_beside(self, FLEET_FIELDS) | {"pools": pools}


def _misplaced(named: Mapping[str, Any]) -> list[str]:
    """Tell which common inputs belong to a pool, or to no fleet."""
    faults = [f"{option(name)}: each pool has its own; leave it out" for name in OF_POOL if name in named]
    return faults + [
        f"{option(name)}: a fleet is told in pools of accelerators; leave it out"
        for name in _BARRED
        if name in named
    ]


def _without_effect(named: Mapping[str, Any], pools: Iterable[Mapping[str, Any]]) -> list[str]:
    """Tell which inputs beside the pools are of none of them, as every pool has its own."""
    own = set[str].intersection(*(set(pool) for pool in pools))
    return [
        f"{option(name)}: every pool has its own; give {letter(0)}.{name} for one of them, or leave it out"
        for name in named
        if name in own and name not in OF_POOL
    ]


def _uncommon(pools: Iterable[Mapping[str, Any]]) -> list[str]:
    """Tell which inputs of a pool belong to all of them."""
    return [
        f"--pool '{called(pool)}': {option(name)} is of the whole fleet; give it once, beside the pools"
        for pool in pools
        for name in pool
        if name in (*_COMMON, *FLEET_FIELDS)
    ]


def _runs(
    common: Mapping[str, Any], pools: list[dict[str, Any]], presets: Presets, faults: list[str]
) -> list[Run]:
    """Return the run of each pool; a fault of a common input is told once, one of a pool with the pool."""
    shared = {name: value for name, value in common.items() if name not in (*OF_POOL, *_BARRED)}
    runs: list[Run] = []
    for pool in pools:
        inputs = {
            **shared,
            **{name: value for name, value in pool.items() if name not in ("site", *_COMMON, *FLEET_FIELDS)},
        }
        try:
            runs.append(Run.read(inputs, presets))
        except QuestionError as error:
            told = [_of_pool(fault, pool) for fault in error.faults]
            faults += [fault for fault in told if fault not in faults]
    return runs


def _of_pool(fault: str, pool: Mapping[str, Any]) -> str:
    """Say in which pool a fault lies, where it is about an input of the pool's own."""
    found = re.match(r"--([\w-]+)|there is no input '(\w+)'", fault)
    name = (found[1] or found[2]).replace("-", "_") if found else ""
    if name not in pool:
        return fault
    if found and found[2]:
        fault = f"there is no input '{name}'{near_misses(name, ['site', *FIELDS])}"
    return f"--pool '{called(pool)}': {fault}"
