"""The question about a fleet: pools of accelerators, each a run of its own inputs, and the link between sites."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import PydanticCustomError

from .. import units
from ..errors import EstimatorError, QuestionError, near_misses
from ..presets import Presets
from .fields import Field, measured, whole
from .run import Run, option
from .table import FIELDS

_POOL = re.compile(r"\s*(?P<count>[^\s,x×*]*(?:,\d{3})*)\s*[x×*]\s*(?P<on>[^,]+?)\s*(?:,(?P<rest>.*))?")
_HOW = "write it like '1024 x a100-sxm-80gb' or '1024 x a100-sxm-80gb, site=beijing, price=2 USD/gpu/hour'"
_MOST = 1e8  # accelerators, as of --count
# What every pool says for itself, or nobody does.
_OF_POOL = ("on", "count")
_BARRED = ("nodes", "within", "node")
# What all pools train: given once, beside them.
_COMMON = ("params", "model", "config", "tokens", "tokens_per_param", "epochs", "dataset_tokens", "samples", "seq",
           "global_batch", "method", "rank", "currency", "stored", "egress", "staff", "preparation_staff",
           "preparation_time", "applications", "adaptation")  # fmt: skip
FLEET_FIELDS: Mapping[str, Field] = {
    "link": Field(measured("byte/s", "10 Gbit/s", 1e3, 1e16), "Of each site to the others, one way, like "
                  '"10 Gbit/s".', "BANDWIDTH"),
    "sync_every": Field(whole(1, 1e7), "Steps between exchanges over the link; 1 is synchronous training."),
}  # fmt: skip


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
    """What is asked about a fleet, checked: its pools, the link between sites [byte/s], steps between exchanges."""

    pools: tuple[Pool, ...]
    link: float | None = None
    sync_every: float | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], presets: Presets | None = None) -> FleetQuestion:
        """Make a question from the common inputs of its runs and ``pools``: texts, or tables as files have them.

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
        faults = [*_misplaced(named), *_uncommon(pools)]
        values = {name: _read(name, value, records, faults) for name, value in own.items()}
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
        common = {name: value for name, value in written[0].items() if name in _COMMON}
        pools = [
            {name: value for name, value in run.items() if name not in common}
            | ({"site": pool.site} if pool.site else {})
            for run, pool in zip(written, self.pools, strict=True)
        ]
        own = {
            "link": None if self.link is None else f"{self.link!r} byte/s",
            "sync_every": self.sync_every,
        }
        return common | {name: value for name, value in own.items() if value is not None} | {"pools": pools}


def pool_inputs(given: object) -> list[dict[str, Any]]:
    """Return the inputs of each pool, from texts or tables.

    Raises
    ------
    QuestionError
        There is none, or a text that is no pool.
    """
    several = isinstance(given, (list, tuple))
    pools = list(cast("Iterable[object]", given)) if several else [given]
    if not pools:
        raise QuestionError([f"nothing says which accelerators: give --pool once or more; {_HOW}"])
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    for pool in pools:
        try:
            found.append(
                _table(cast("Mapping[str, Any]", pool)) if isinstance(pool, Mapping) else read_pool(str(pool))
            )
        except EstimatorError as error:
            faults.append(f"--pool: {error}")
    if faults:
        raise QuestionError(faults)
    return found


def read_pool(text: str) -> dict[str, Any]:
    """Read accelerators and further inputs of a pool.

    Raises
    ------
    EstimatorError
        It is none, or one of no accelerators.

    Examples
    --------
    >>> read_pool("1,024 x a100, site=beijing, price=2 USD/gpu/hour")
    {'count': 1024.0, 'on': 'a100', 'site': 'beijing', 'price': '2 USD/gpu/hour'}
    """
    match = _POOL.fullmatch(text)
    if match is None:
        raise EstimatorError(f"{units.shorten(text)} is not a pool; {_HOW}")
    found: dict[str, Any] = {"count": _count(match["count"], text), "on": match["on"]}
    for part in filter(None, (part.strip() for part in (match["rest"] or "").split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        name = name.removeprefix("--").replace("-", "_")
        if not equals or not name or not value:
            raise EstimatorError(f"{units.shorten(part)} in {units.shorten(text)} is not NAME=VALUE; {_HOW}")
        if name in found:
            raise EstimatorError(f"'{name}' is given twice in {units.shorten(text)}; {_HOW}")
        found[name] = value
    return found


def _count(text: str, pool: str) -> float:
    try:
        count = units.parse_count(text)
    except EstimatorError as error:
        raise EstimatorError(f"in {units.shorten(pool)}, {error}") from None
    if count == 0:
        raise EstimatorError(
            f"{units.shorten(pool)} is a pool of no accelerators; give it one or more, or leave it out"
        )
    # Totals have no run that would refuse it, and half a card or infinitely many would be answered.
    if not 1 <= count <= _MOST or count != math.floor(count):
        raise EstimatorError(
            f"in {units.shorten(pool)}, {units.shorten(text)} is no whole number of accelerators from 1 to {_MOST:,.0f}"
        )
    return count


def _table(pool: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pool as a question file writes it."""
    for name in _OF_POOL:
        if name not in pool:
            raise EstimatorError(f"a pool lacks '{name}'; write on = \"a100-sxm-80gb\" and count = 1024")
    return {**pool, "count": _count(str(pool["count"]), f"{pool['count']} x {pool['on']}")}


def _misplaced(named: Mapping[str, Any]) -> list[str]:
    """Tell which common inputs belong to a pool, or to no fleet."""
    faults = [f"{option(name)}: each pool has its own; leave it out" for name in _OF_POOL if name in named]
    return faults + [
        f"{option(name)}: a fleet is told in pools of accelerators; leave it out"
        for name in _BARRED
        if name in named
    ]


def _uncommon(pools: Iterable[Mapping[str, Any]]) -> list[str]:
    """Tell which inputs of a pool belong to all of them."""
    return [
        f"--pool '{pool['count']:g} x {pool['on']}': {option(name)} is of the whole fleet; give it once, beside the "
        "pools"
        for pool in pools
        for name in pool
        if name in (*_COMMON, *FLEET_FIELDS)
    ]


def _read(name: str, value: Any, presets: Presets, faults: list[str]) -> Any:
    try:
        return FLEET_FIELDS[name].read(value, presets)
    except PydanticCustomError as error:
        faults.append(f"{option(name)}: {error.message()}")
        return None


def _runs(
    common: Mapping[str, Any], pools: list[dict[str, Any]], presets: Presets, faults: list[str]
) -> list[Run]:
    """Return the run of each pool; a fault of a common input is told once, one of a pool with the pool."""
    shared = {name: value for name, value in common.items() if name not in (*_OF_POOL, *_BARRED)}
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
    return f"--pool '{pool['count']:g} x {pool['on']}': {fault}"
