"""The range of a scaling efficiency is learnt from the series on the accuracy page."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimator import Presets, Run, ask
from estimator.ranges import swings

from . import by_hand  # noqa: F401  (puts scripts on the path)

import make_accuracy  # isort: skip
from accuracy import store  # isort: skip
from accuracy.series import Series, all_series, within, ends, strays  # isort: skip


def series(name: str, source: str, counts: tuple[int, int], speeds: tuple[float, float]) -> Series:
    cells = (
        {"n": str(n), "per_accel_value": str(v), "source": source}
        for n, v in zip(counts, speeds, strict=True)
    )
    return Series(name, list(cells))


def test_a_stray_is_that_of_accelerators_that_grow_e_fold() -> None:
    # Over a growth of e^4 an efficiency of 0.81 where 1 was foretold strays by 0.81 ** (1 / sqrt(4)) = 0.9.
    grown = series("a", "one", (1000, round(1000 * math.exp(4.0))), (1.0, 0.81))
    assert strays([grown], [1.0]) == pytest.approx([0.9], rel=1e-5)
    assert strays([grown], [0.81]) == pytest.approx([1.0])


def test_a_series_is_held_against_the_ends_of_other_sources() -> None:
    near = [series(f"n{i}", f"s{i}", (8, 64), (1.0, 1.0)) for i in range(10)]
    far = series("far", "alone", (8, 64), (1.0, 0.5))
    found = strays([*near, far], [1.0] * 11)
    assert found[:10] == [1.0] * 10
    assert within([*near, far], found) == 10


def test_the_record_has_the_ends_of_the_series_on_the_page() -> None:
    presets = Presets()
    foretold = {row.id: row.value for row in store.read(make_accuracy.DATA) if row.kind == "series"}
    known = [each for each in all_series(presets) if each.id in foretold]
    low, high = ends(strays(known, [foretold[each.id] for each in known]))
    figure = presets.load("calibrations", "scaling").figures["scaling_stray"]
    assert len(known) == 43
    assert (figure.low, figure.high) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_a_modelled_efficiency_has_the_range_of_the_series_and_a_given_one_has_none() -> None:
    # 256 servers of eight: the layout fits one server, and sqrt(ln 256) = 2.3548.
    modelled = ask(Run(params=7e9, on="h100", count=2048, tp=1, pp=1)).scaling_efficiency
    figure = Presets().load("calibrations", "scaling").figures["scaling_stray"]
    assert figure.low is not None
    assert float(modelled.low / modelled.value) <= figure.low**2.3548 * 1.001
    assert float(modelled.value) < float(modelled.high) <= 1.0
    given = ask(Run(params=7e9, on="h100", count=2048, tp=1, pp=1, scaling_efficiency=0.9)).scaling_efficiency
    assert (float(given.low), float(given.high)) == (0.9, 0.9)


def test_the_range_of_time_and_money_counts_the_stray_not_a_second_time() -> None:
    case = ask(Run(params=7e9, on="h100", count=2048, tp=1, pp=1)).case
    place = [each.name for each in case.unknowns].index("scaling_stray")
    moved = {name for name, ends in swings(case).items() if np.any(ends[place])}
    assert moved == {"scaling_efficiency"}
