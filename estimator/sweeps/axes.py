"""The dimensions of a sweep: inputs that run on their own, inputs that are linked, and samples of a large grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EstimatorError, QuestionError
from ..inputs.axes import read_axis
from ..inputs.fields import Field
from ..inputs.run import FIELDS, option
from ..presets import Presets
from ..tuples import NamedTuple

Places = npt.NDArray[np.intp]


class Axis(NamedTuple):
    """One dimension: the inputs that run along it together, each with as many values."""

    values: Mapping[str, Sequence[Any]]

    @property
    def size(self) -> int:
        """How many values each input has."""
        return len(next(iter(self.values.values())))

    @property
    def name(self) -> str:
        """What the dimension is called: its inputs, joined."""
        return "+".join(self.values)

    def take(self, places: Places) -> Axis:
        """Return the axis at some of its places."""
        return Axis({name: [values[place] for place in places] for name, values in self.values.items()})


class Vary(NamedTuple):
    """What varies, where there is more to say of it than the values.

    Attributes
    ----------
    values
        Inputs with their values: a list, an array, or text like ``512:8192:x2`` or ``h100,a100``.
    linked
        Groups of inputs that run together instead of each with all of the other.
    thin
        How many cells of a large grid to answer, spread evenly over it, on one axis.
    """

    values: Mapping[str, Any]
    linked: Sequence[Sequence[str]] = ()
    thin: float | None = None


def axes_of(
    vary: Vary, given: Mapping[str, Any], presets: Presets, fields: Mapping[str, Field] = FIELDS
) -> tuple[Axis, ...]:
    """Read the axes of a sweep among some inputs, those that are linked put together in the place of their first.

    A price without a unit is money of the answer, per card and hour.

    Raises
    ------
    QuestionError
        All that is wrong with them.
    """
    faults = [
        f"--vary {name}: {option(name)} is given too; leave one of them out"
        for name in vary.values
        if given.get(name) is not None
    ]
    unit = f"{given.get('currency') or 'USD'}/gpu/hour"
    values: dict[str, Sequence[Any]] = {}
    for name, spec in vary.values.items():
        try:
            values[name] = read_axis(name, spec, presets, unit, fields)
        except EstimatorError as error:
            faults.append(str(error))
    faults += _unlinked(values, vary.linked) if len(values) == len(vary.values) else []
    if not vary.values:
        faults.append("nothing varies: give --vary, like --vary count=512:8192:x2")
    if faults:
        raise QuestionError(faults)
    return tuple(_joined(values, vary.linked))


def _unlinked(values: Mapping[str, Sequence[Any]], linked: Sequence[Sequence[str]]) -> list[str]:
    """Tell what keeps axes from being linked."""
    faults: list[str] = []
    named = [name for group in linked for name in group]
    for name in dict.fromkeys(named):
        if name not in values:
            faults.append(f"--zip: '{name}' is no axis; the axes are {', '.join(values)}")
        if named.count(name) > 1:
            faults.append(f"--zip: '{name}' is linked twice")
    for group in linked:
        sizes = {name: len(values[name]) for name in group if name in values}
        if len(group) < 2:
            faults.append(f"--zip: '{','.join(group)}' links nothing; name two axes or more, like on,price")
        if len(set(sizes.values())) > 1:
            counted = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
            faults.append(f"--zip: linked axes need as many values each, and these have {counted}")
    return faults


def _joined(values: Mapping[str, Sequence[Any]], linked: Sequence[Sequence[str]]) -> list[Axis]:
    groups = {name: tuple(group) for group in linked for name in group}
    found = dict.fromkeys(groups.get(name, (name,)) for name in values)
    return [Axis({name: values[name] for name in group}) for group in found]


def cells_of(axes: Sequence[Axis]) -> int:
    """Return how many cells a grid has."""
    return math.prod(axis.size for axis in axes)


def thinned(axes: Sequence[Axis], cells: int) -> tuple[Axis, ...]:
    """Return one axis of so many cells of a grid, spread evenly over it; the whole grid where it has no more.

    The same cells for the same axes: a sequence that is spread evenly in as many dimensions (M. Roberts, "The
    Unreasonable Effectiveness of Quasirandom Sequences", 2018), the cells in the order of the grid.
    """
    sizes = tuple(axis.size for axis in axes)
    if cells >= math.prod(sizes):
        return tuple(axes)
    steps = _steps(len(sizes))
    chosen: dict[tuple[int, ...], None] = {}
    first = 0
    while len(chosen) < cells:
        place = np.arange(first, first + 2 * cells)[:, None]
        shares = np.mod(0.5 + place * steps, 1.0)
        found = np.floor(shares * np.array(sizes)).astype(np.intp)
        chosen.update(dict.fromkeys(map(tuple, found.tolist())))
        first += 2 * cells
    kept = np.array(sorted(list(chosen)[:cells]), dtype=np.intp)
    picked = (axis.take(kept[:, place]).values for place, axis in enumerate(axes))
    return (Axis({name: values for axis in picked for name, values in axis.items()}),)


def _steps(dimensions: int) -> npt.NDArray[np.float64]:
    """Return the steps of the sequence: powers of the root of x**(d + 1) = x + 1."""
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    return np.power(root, -np.arange(1.0, dimensions + 1.0))
