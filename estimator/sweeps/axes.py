"""The dimensions of a sweep: inputs that run on their own, inputs that are linked, and samples of a large grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import EstimatorError, QuestionError
from ..inputs.axes import axis_items, read_items
from ..inputs.fields import Field
from ..inputs.run import FIELDS, option
from ..presets import Presets
from ..tuples import NamedTuple

Places = npt.NDArray[np.intp]
# A sweep of more cells than this would fill a disk, and one of more questions would take hours to read.
MOST_CELLS, MOST_QUESTIONS = 1_000_000_000, 200_000
# So many values are read in a tenth of a second.
_FEW = 10_000


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
        All that is wrong with them, or that they have too many cells.
    """
    faults = [
        f"--vary {name}: {option(name)} is given too; leave one of them out"
        for name in vary.values
        if given.get(name) is not None
    ]
    unit = f"{given.get('currency') or 'USD'}/gpu/hour"
    written, wrong = _each(vary.values, lambda name, spec: axis_items(name, spec, presets, unit, fields))
    if not wrong:
        faults += _unlinked(written, vary.linked)
    if not faults and not wrong:
        bounded(_joined(written, vary.linked), vary.thin)
    if wrong:  # what else is wrong is told too, where it is soon found
        written = {name: items for name, items in written.items() if len(items) <= _FEW}
    values, unread = _each(written, lambda name, items: read_items(name, items, presets, fields))
    wrong |= unread
    faults += [wrong[name] for name in vary.values if name in wrong]
    if not vary.values:
        faults.append("nothing varies: give --vary, like --vary count=512:8192:x2")
    if faults:
        raise QuestionError(faults)
    return tuple(_joined(values, vary.linked))


def _each(
    given: Mapping[str, Any], read: Callable[[str, Any], Sequence[Any]]
) -> tuple[dict[str, Sequence[Any]], dict[str, str]]:
    """Return what comes of each input, and what is wrong with the others."""
    found: dict[str, Sequence[Any]] = {}
    wrong: dict[str, str] = {}
    for name, each in given.items():
        try:
            found[name] = read(name, each)
        except EstimatorError as error:
            wrong[name] = str(error)
    return found, wrong


def bounded(axes: Sequence[Axis], thin: float | None) -> None:
    """Refuse a grid that nobody can wait for, before its values are read.

    Raises
    ------
    EstimatorError
        With the count, and how to thin it.
    """
    cells = cells_of(axes)
    if thin is not None and not 1.0 <= thin <= MOST_QUESTIONS:
        raise EstimatorError(f"--thin: {thin:g} is not a number of cells from 1 to {MOST_QUESTIONS:,}")
    if thin is None and cells > MOST_CELLS:
        counted = " x ".join(f"{axis.name} {axis.size:,}" for axis in axes)
        raise EstimatorError(
            f"--vary: {cells:,} cells ({counted}) are more than the {MOST_CELLS:,} of a sweep; take wider steps, "
            f"link axes with --zip, or answer a sample that is spread over them with --thin 100000"
        )


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
