"""Writes an input as a question file holds it."""

from __future__ import annotations

from typing import Any

from .. import units
from ..units import Price
from .money import Money

# Inputs with a unit: the one in which a question file holds them where that loses nothing, and that of the house.
_WRITTEN = {
    "within": ("day", "s"), "power": ("W", "W"), "embodied": ("kg", "kg"),
    "failures": ("1/node/day", "1/node/s"), "mtbi": ("hour", "s"),
    "checkpoint_interval": ("minute", "s"), "checkpoint_bandwidth": ("GB/s", "byte/s"),
    "restart_time": ("minute", "s"), "replacement_time": ("hour", "s"),
    "spot_interruptions": ("1/node/month", "1/node/s"), "spot_lost_time": ("hour", "s"), "life": ("year", "s"),
    "preparation_time": ("day", "s"), "stored": ("GB", "byte"), "egress": ("GB", "byte"),
    "scaleout_bandwidth": ("Gbit/s/gpu", "byte/s/accelerator"), "link": ("Gbit/s", "byte/s"),
}  # fmt: skip

# Inputs that are written with a unit, which a list or a range of a sweep may give once, with any of its numbers.
WITH_UNIT = frozenset({
    *_WRITTEN, "price", "spot_price", "purchase_price", "tariff", "storage_price", "egress_price", "pay", "adaptation",
})  # fmt: skip


def write_input(name: str, value: Any) -> str | float:
    """Return one input as a question file holds it: units where it has them, else a plain number.

    Examples
    --------
    >>> write_input("link", 1.25e9), write_input("B.mtbi", 7200.0), write_input("A.count", 64.0)
    ('10 Gbit/s', '2 hour', 64.0)
    """
    name = name.rpartition(".")[2]  # of a pool of a fleet
    if isinstance(value, (Price, Money)):
        return value.write()
    if name not in _WRITTEN or isinstance(value, str):
        return value
    unit, house = _WRITTEN[name]
    short = f"{value / units.unit_bases(unit)[0]:.12g} {unit}"
    return short if units.parse(short, house, short) == value else f"{value!r} {house}"
