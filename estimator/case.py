"""A question lowered to columns of floats: what `evaluate` takes, whatever its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .arrays import Array, array
from .provenance import Figure, Origin
from .tuples import NamedTuple


class Unknown(NamedTuple):
    """An input that is not known exactly: the columns it replaces at its low and at its high end."""

    name: str
    low: Mapping[str, Array]
    high: Mapping[str, Array]


@dataclass(frozen=True)
class Case:
    """Columns of float64 arrays, of shape () for one question or any shapes that broadcast.

    ``origins`` tells where each column came from, ``unknowns`` which of them carry the range, ``words``
    the names behind them (accelerator, precision ...), ``notes`` what to show beside them, ``free`` the columns
    of the layout that the question leaves open. `evaluate` reads the columns alone.
    """

    columns: Mapping[str, Array]
    origins: Mapping[str, Origin] = field(default_factory=dict[str, Origin])
    unknowns: tuple[Unknown, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[str, ...] = ()
    free: frozenset[str] = frozenset()

    def with_columns(self, columns: Mapping[str, Array]) -> Case:
        """Return the same case with some columns replaced."""
        return replace(self, columns={**self.columns, **columns})


class Draft:
    """A case in the making: every column is put in with its origin, so that none can lack one."""

    def __init__(self) -> None:
        """Start empty."""
        self.columns: dict[str, Array] = {}
        self.origins: dict[str, Origin] = {}
        self.unknowns: list[Unknown] = []
        self.words: dict[str, str] = {}
        self.notes: list[str] = []
        self.free: set[str] = set()

    def put(self, name: str, value: float | Array, origin: Origin) -> None:
        """Set one column and say where it came from."""
        self.columns[name] = array(value)
        self.origins[name] = origin

    def figure(self, name: str, figure: Figure, *, reason: str = "", option: str = "") -> None:
        """Set one column from a figure of a record; a range of the figure becomes an unknown."""
        kind = "assumed" if figure.kind == "assumed" or reason else "preset"
        self.put(name, figure.value, Origin(kind, reason or figure.where, figure, option))
        if figure.low is not None or figure.high is not None:
            low = figure.value if figure.low is None else figure.low
            high = figure.value if figure.high is None else figure.high
            self.unknown(name, low, high)

    def unknown(self, name: str, low: float | Array, high: float | Array) -> None:
        """Say between which ends one column lies."""
        self.unknowns.append(Unknown(name, {name: array(low)}, {name: array(high)}))

    def finish(self) -> Case:
        """Return the case."""
        notes, free = tuple(self.notes), frozenset(self.free)
        return Case(self.columns, self.origins, tuple(self.unknowns), self.words, notes, free)
