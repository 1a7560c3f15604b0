"""Pools of a fleet as they are written: texts, tables of a file, and single inputs by the letter of their pool."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from .. import units
from ..errors import EstimatorError, QuestionError
from .letters import letter
from .run import option

_POOL = re.compile(r"\s*(?P<count>[^\s,x×*]*(?:,\d{3})*)\s*[x×*]\s*(?P<on>[^,]+?)\s*(?:,(?P<rest>.*))?")
_HOW = "write it like '1024 x a100-sxm-80gb' or '1024 x a100-sxm-80gb, site=beijing, price=2 USD/gpu/hour'"
_MOST = 1e8  # accelerators, as of --count
# What every pool says for itself.
OF_POOL = ("on", "count")
_LIKE = {"on": "a100-sxm-80gb", "site": "beijing"}


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
    for name in OF_POOL:
        if name not in pool:
            raise EstimatorError(f"a pool lacks '{name}'; write on = \"a100-sxm-80gb\" and count = 1024")
    for name in ("on", "site"):
        if not isinstance(pool.get(name, ""), str):
            given = units.shorten(pool[name])
            raise EstimatorError(f'{name} = {given} is no name; write it like {name} = "{_LIKE[name]}"')
    return {**pool, "count": _count(str(pool["count"]), f"{pool['count']} x {pool['on']}")}


def called(pool: Mapping[str, Any]) -> str:
    """Name a pool by its accelerators.

    Examples
    --------
    >>> called({"count": 64.0, "on": "a100"})
    '64 x a100'
    """
    return f"{pool['count']:g} x {pool['on']}"


def put_by_letter(named: dict[str, Any], pools: list[dict[str, Any]]) -> list[str]:
    """Take inputs like ``A.count`` out of those of a question and put them into their pool; return every fault.

    Examples
    --------
    >>> named, pools = {"A.count": 8, "C.mfu": 0.4, "tokens": 1}, [{"count": 4.0, "on": "a100"}]
    >>> put_by_letter(named, pools), named, pools
    (['--C.mfu: there is no pool C; there is A (8 x a100)'], {'tokens': 1}, [{'count': 8.0, 'on': 'a100'}])
    """
    places = {letter(place): place for place in range(len(pools))}
    faults: list[str] = []
    unknown: list[tuple[str, str]] = []
    for full in [name for name in named if "." in name]:
        whose, _, name = full.rpartition(".")
        value, place = named.pop(full), places.get(whose.upper())
        if place is None:
            unknown.append((full, whose))
            continue
        try:
            pools[place] = _changed(pools[place], name, value)
        except EstimatorError as error:
            faults.append(f"{option(full)}: {error}")
    there = ", ".join(f"{name} ({called(pools[place])})" for name, place in places.items())
    return faults + [f"{option(full)}: there is no pool {whose}; there is {there}" for full, whose in unknown]


def _changed(pool: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**pool, name: _count(str(value), f"{value} x {pool['on']}") if name == "count" else value}
