"""A layout in words: its parts as options take them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..formulas.activations import RECOMPUTE
from ..formulas.memory_states import OFFLOADS
from ..searches.question import INPUTS
from ..searches.search import Found
from ..searches.space import PARTS
from . import words


def data_of(parts: Mapping[str, float], found: Found) -> float:
    """Return the data-parallel replicas of a layout."""
    return float(found.case.columns["count"]) // (parts["tp"] * parts["pp"] * parts["cp"])


def part_of(name: str, parts: Mapping[str, float]) -> str:
    """Write a part; that of sharding with the ranks over which it spreads."""
    value = parts[name]
    if name == "zero":
        return f"{value:.0f} over {parts['shard']:,.0f}" if math.isfinite(parts["shard"]) else f"{value:.0f}"
    return word_of(name, value)


def word_of(name: str, value: float) -> str:
    """Write a part as its option takes it."""
    if name == "recompute":
        return RECOMPUTE[int(value)]
    if name == "method_offload":
        return OFFLOADS[int(value)]
    if name == "sequence_parallel":
        return "on" if value > 0 else "off"
    return words.digits(value, 12).replace(",", "")


def degrees_of(found: Found) -> str:
    """Write the degrees of the fastest layout in a few letters, for a row of a table.

    Examples
    --------
    >>> from estimator import search
    >>> asked = {"model": "gpt3-125m", "on": "h100", "count": 8, "global_batch": 8, "tp": 2, "pp": 1, "cp": 1}
    >>> degrees_of(search(asked).found[0])
    'tp2 dp4'
    """
    parts = found.fastest[0].parts
    told = [f"{name}{parts[name]:.0f}" for name in ("tp", "pp", "cp", "ep") if parts[name] > 1.0]
    return " ".join([*told, f"dp{data_of(parts, found):.0f}"])


def options_of(parts: Mapping[str, float], found: Found) -> str:
    """Write a layout as options; what says nothing is left out."""
    usual = {**dict.fromkeys(("cp", "ep", "vpp"), 1.0), "method_offload": 0.0}
    told = [
        f"--{INPUTS.get(name, name).replace('_', '-')} {word_of(name, parts[name])}"
        for name in PARTS
        if math.isfinite(parts[name]) and parts[name] != usual.get(name, math.nan)
    ]
    return " ".join([*told, f"--global-batch {float(found.case.columns['global_batch']):.0f}"])
