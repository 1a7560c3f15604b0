"""The average MFU of measured rows, which the model must beat: of the chip at the precision, else of its relatives."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..presets import Presets
from ..provenance import Figure
from ..records import Record

_SIXTEEN_BIT = ("bf16", "fp16")


def average_mfu(
    presets: Presets, accelerator: Record, precision: str, *, sparse: bool
) -> tuple[Figure, bool]:
    """Return the MFU learnt from measured rows, and whether the rows were the chip's own at the precision.

    The ladder: the chip at the precision, at a kindred precision, at any; then the same of its
    architecture; then of all chips. Models with experts look among rows of such models first. What is borrowed
    is widened by how far chips stray from their kin.
    """
    for place, key in _ladder(presets, accelerator, precision, sparse=sparse):
        record = presets.load("calibrations", place)
        figure = record.figures.get(key)
        if figure:
            break
    else:
        raise LookupError("presets/calibrations/efficiency-any.toml has no figure for any precision")
    if (place, key) == (f"efficiency-{accelerator.id}", f"{precision}{'-moe' * sparse}"):
        return figure, True
    anything = presets.load("calibrations", "efficiency-any")
    return _widened(figure, anything.figures["borrowed"], anything.value("highest")), False


def _ladder(
    presets: Presets, accelerator: Record, precision: str, *, sparse: bool
) -> Iterator[tuple[str, str]]:
    """Yield every record and key to look under, the nearest relative first."""
    known = presets.files("calibrations")
    for place in (accelerator.id, f"architecture-{accelerator.words.get('architecture', '')}", "any"):
        for key in _keys(precision, sparse=sparse):
            if f"efficiency-{place}" in known:
                yield f"efficiency-{place}", key


def _keys(precision: str, *, sparse: bool) -> list[str]:
    twin = [name for name in _SIXTEEN_BIT if name != precision] if precision in _SIXTEEN_BIT else []
    kin = ["fp8"] if precision in ("mxfp8", "nvfp4") else []
    names = [precision, *twin, *kin, "any"]
    return [f"{name}-moe" for name in names] + names if sparse else names


def _widened(figure: Figure, stray: Figure, highest: float) -> Figure:
    """Widen a borrowed figure's range by how far chips stray from their kin, both in log space.

    The high end stays below the highest MFU that was ever measured.
    """

    def _away(own: float | None, kin: float | None) -> float:
        return math.exp(math.hypot(math.log((own or figure.value) / figure.value), math.log(kin or 1.0)))

    low = figure.value / _away(figure.low, stray.low)
    high = figure.value * _away(figure.high, stray.high)
    return figure._replace(low=low, high=max(figure.value, min(highest, high)))
