"""A cell of a sweep asked alone: the very question, through the front door."""

from __future__ import annotations

from typing import Any

import numpy as np

from estimator import EstimatorError, Presets, Run, Sweep, ask
from estimator.inputs.run import write_input
from estimator.sweeps.cells import FITS, Chunk


def question(found: Sweep, cell: tuple[int, ...]) -> dict[str, Any]:
    """What a cell asks."""
    varied = {
        name: write_input(name, values[place])
        for axis, place in zip(found.axes, cell, strict=True)
        for name, values in axis.values.items()
    }
    return {**found.given, **varied}


def same(one: float, other: float) -> bool:
    """Tell whether two numbers are the same to the last bit; NaN is NaN."""
    return np.float64(one).tobytes() == np.float64(other).tobytes() or bool(np.isnan(one) and np.isnan(other))


def differences(found: Sweep, chunk: Chunk, cell: tuple[int, ...], presets: Presets) -> list[str]:
    """Return what of a cell is not what its question alone is answered with, to the last bit."""
    local = tuple(place - span.start for place, span in zip(cell, chunk.box, strict=True))
    asked = question(found, cell)
    try:
        alone = ask(Run.read(asked, presets), presets)
    except EstimatorError as error:
        told = chunk.reasons[chunk.reason[local]] == "; ".join(str(error).splitlines())
        numbers = [*chunk.values.values(), *chunk.low.values(), *chunk.high.values()]
        return [] if told and all(np.isnan(each[local]) for each in numbers) else [f"{asked}: {error}"]
    expected = {name: alone.values[name] for name in chunk.values if name != FITS}
    pairs = [(name, chunk.values[name][local], value) for name, value in expected.items()]
    pairs += [(f"low {name}", low[local], alone.low[name]) for name, low in chunk.low.items()]
    pairs += [(f"high {name}", high[local], alone.high[name]) for name, high in chunk.high.items()]
    if FITS in chunk.values:
        pairs.append((FITS, chunk.values[FITS][local], alone.fits))
    return [
        f"{asked}: {name} {one!r} {other!r}"
        for name, one, other in pairs
        if not same(float(one), float(other))
    ]
