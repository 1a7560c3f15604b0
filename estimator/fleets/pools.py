"""Pools as one axis of a case: their columns stacked, and the unknowns that they share moved together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..arrays import Array, array
from ..case import Case, Unknown
from ..inputs.letters import letter
from ..provenance import Origin
from ..tuples import NamedTuple


class _Met(NamedTuple):
    """An unknown with the pools that have it, at their places."""

    unknown: Unknown
    places: list[int]


def stacked(cases: Sequence[Case]) -> Case:
    """Put cases of shape () on a first axis, with the columns that all of them have.

    An unknown of one name and the same ends in several pools, like the shape of their model, is one; any other is of
    its pool alone. The origin of a column is that of the first pool in which it is not known, else of the first.

    Examples
    --------
    >>> one = Case({"count": array(8), "pue": array(1.1)}, unknowns=(Unknown("pue", {"pue": array(1.0)}, {}),))
    >>> both = stacked([one, one.with_columns({"count": array(4)})])
    >>> both.columns["count"].tolist(), len(both.unknowns)
    ([8.0, 4.0], 1)
    """
    common = [name for name in cases[0].columns if all(name in case.columns for case in cases)]
    columns = {name: array([float(case.columns[name]) for case in cases]) for name in common}
    unknowns = tuple(_placed(met, columns, len(cases)) for met in _met(cases))
    origins = {name: _origin(cases, name) for name in common if name in cases[0].origins}
    return Case(columns, origins, unknowns)


def _origin(cases: Sequence[Case], name: str) -> Origin:
    lacking = (case for case in cases if np.isnan(case.columns[name]))
    return next(lacking, cases[0]).origins[name]


def _met(cases: Iterable[Case]) -> list[_Met]:
    found: list[_Met] = []
    for place, case in enumerate(cases):
        for unknown in case.unknowns:
            twin = next(
                (met for met in found if place not in met.places and same(met.unknown, unknown)), None
            )
            if twin is None:
                found.append(_Met(unknown, [place]))
            else:
                twin.places.append(place)
    return found


def same(one: Unknown, other: Unknown) -> bool:
    """Tell whether two unknowns have one name and the same ends, and so are one."""
    pairs = ((one.low, other.low), (one.high, other.high))
    return one.name == other.name and all(
        mine.keys() == yours.keys() and all(np.array_equal(mine[key], yours[key]) for key in mine)
        for mine, yours in pairs
    )


def _placed(met: _Met, columns: Mapping[str, Array], pools: int) -> Unknown:
    """Return an unknown whose ends replace the columns of its pools alone; its name says which, unless all."""

    def _ends(side: Mapping[str, Array]) -> dict[str, Array]:
        ends: dict[str, Array] = {}
        for name in side.keys() & columns.keys():
            column = np.array(columns[name])
            column[met.places] = float(side[name])
            ends[name] = column
        return ends

    whose = " of " + " and ".join(map(letter, met.places)) if len(met.places) < pools else ""
    return Unknown(met.unknown.name + whose, _ends(met.unknown.low), _ends(met.unknown.high))
