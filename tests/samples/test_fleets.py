"""Draws of a fleet: the unknowns of all pools at once, in the way that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from estimator import EstimatorError, FleetQuestion, Presets, ask, ask_fleet, sample
from estimator.inputs import Run

PRESETS = Presets()
SITES = ["64 x a100-sxm-80gb, site=a", "32 x ascend-910b, site=b, price=1.5 USD/gpu/hour"]


def asked(**more: Any) -> FleetQuestion:
    return FleetQuestion.read(
        {"params": 7e9, "tokens": 1e12, "pools": SITES, "link": "1 Tbit/s", **more}, PRESETS
    )


def test_draws_of_separate_runs_agree_with_the_range_that_is_told() -> None:
    question = asked(way="separate")
    told = ask_fleet(question, PRESETS).ways["separate"].values
    found = sample(question, 2048, wanted=["wall_clock", "cost", "energy"], presets=PRESETS)
    for name in ("wall_clock", "cost", "energy"):
        low, middle, high = found.percentiles(name, (10.0, 50.0, 90.0))
        width = told[name].high - told[name].low
        expected = (told[name].low, told[name].value, told[name].high)
        assert (low, middle, high) == pytest.approx(expected, abs=0.1 * width)


def test_one_pool_is_drawn_as_a_run() -> None:
    pool = {"on": "a100-sxm-80gb", "count": 64.0}
    fleet = sample(
        FleetQuestion.read({"params": 7e9, "pools": [pool]}), 512, 3, wanted=["cost", "wall_clock"]
    )
    run = sample(ask(Run(params=7e9, **pool)).case, 512, 3, wanted=["cost", "wall_clock"])
    for name in ("cost", "wall_clock"):
        assert np.asarray(fleet.values[name]) == pytest.approx(np.asarray(run.values[name]), rel=1e-12)


def test_no_draw_depends_on_how_many_are_made_at_once() -> None:
    one, other = (
        sample(asked(), 64, wanted=["cost"], presets=PRESETS, chunk=chunk) for chunk in (1 << 14, 6)
    )
    assert np.array_equal(one.values["cost"], other.values["cost"])


def test_what_computing_hides_is_never_more_than_all() -> None:
    # Beyond the end of its range a draw hides no more than all: no step is shorter than the longer of its two parts.
    narrow = asked(link="1 Gbit/s", way="matched")
    exchange = ask_fleet(narrow, PRESETS).exchange
    assert exchange is not None
    found = sample(narrow, 1024, wanted=["step_time"], presets=PRESETS)
    assert np.min(found.values["step_time"]) >= exchange.time * (1.0 - 1e-12)


def test_the_sensitivity_names_the_pool_of_an_unknown() -> None:
    pytest.importorskip("scipy")
    found = sample(asked(), 256, wanted=["cost"], presets=PRESETS).sensitivity(["cost"])
    assert "price of A" in found.unknowns
    assert "overlap" in found.unknowns
    assert "shape" in found.unknowns


def test_faults() -> None:
    with pytest.raises(EstimatorError, match="there is no quantity 'mfu'"):
        sample(asked(), 64, wanted=["mfu"], presets=PRESETS)
