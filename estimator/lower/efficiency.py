"""Measured efficiency: of the chip at the precision, else of its relatives, with a wider range each step."""

from __future__ import annotations

import math

from ..presets import Presets, Record
from ..provenance import Figure

_SIXTEEN_BIT = ("bf16", "fp16")


def measured_efficiency(
    presets: Presets, accelerator: Record, precision: str, *, sparse: bool
) -> tuple[Figure, str]:
    """Return the MFU learnt from measured rows, and whose rows they were where not the chip's own.

    The ladder: the chip at the precision; the chip at the other 16-bit precision; its architecture; all
    chips. Models with experts look among rows of such models first.
    """
    known = set(presets.files("calibrations"))
    for place, rows in (
        (accelerator.id, ""),
        (f"architecture-{accelerator.words.get('architecture', '')}", "its architecture's"),
        ("any", "all chips'"),
    ):
        name = f"efficiency-{place}"
        record = presets.load("calibrations", name) if name in known else None
        for key in _keys(precision, sparse=sparse) if record else ():
            if record and key in record.figures:
                figure = record.figures[key]
                if not rows:
                    return figure, ""
                wider = _widened(figure, presets.load("calibrations", "efficiency-any").figures["borrowed"])
                return wider, f"no measured rows of {accelerator.id}: {rows} rows; {figure.where}; {_WIDER}"
    raise LookupError("presets/calibrations/efficiency-any.toml has no figure for any precision")


_WIDER = "widened by how far chips stray from their kin"


def _widened(figure: Figure, stray: Figure) -> Figure:
    """Widen a borrowed figure's range by how far chips stray from their kin, both in log space."""

    def end(own: float | None, kin: float | None) -> float:
        away = math.hypot(math.log((own or figure.value) / figure.value), math.log(kin or 1.0))
        return math.exp(away)

    low, high = end(figure.low, stray.low), end(figure.high, stray.high)
    return figure._replace(low=figure.value / low, high=min(1.0, figure.value * high))


def _keys(precision: str, *, sparse: bool) -> list[str]:
    twin = [name for name in _SIXTEEN_BIT if name != precision] if precision in _SIXTEEN_BIT else []
    kin = ["fp8"] if precision in ("mxfp8", "nvfp4") else []
    names = [precision, *twin, *kin, "any"]
    return [f"{name}-moe" for name in names] + names if sparse else names
