"""Goodput of published runs from the fleets' own interruptions, intervals and restarts: within the aim of 5 points."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from estimator import Presets, Run, ask
from estimator.presets import read_rows

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import make_goodput  # isort: skip

PRESETS = Presets()
COMPARED = {row.record.id: row for row in make_goodput.compared(PRESETS)}
_POINTS = 0.05


def goodput(**inputs: object) -> float:
    return float(ask(Run.read(inputs, PRESETS), PRESETS).goodput.value)


def test_the_runs_that_the_issue_names_are_compared() -> None:
    assert set(COMPARED) == {"bloom-176b", "llama-3", "megascale", "opt-175b"}


@pytest.mark.parametrize("name", ["llama-3", "megascale"])
def test_more_than_nine_tenths_is_held(name: str) -> None:
    row = COMPARED[name]
    assert row.at_least
    assert row.ours > row.record.value("goodput") == 0.9
    # Nor is it far more: the published word would hardly be "over 90 %" of 97 %.
    assert row.ours < 0.97


@pytest.mark.parametrize("name", ["bloom-176b", "opt-175b"])
def test_a_goodput_on_record_is_met_within_the_aim(name: str) -> None:
    assert abs(COMPARED[name].apart[0]) < _POINTS


def test_megascale_holds_at_both_ends_of_the_weeks_it_may_have_run() -> None:
    ends = COMPARED["megascale"].ends
    assert ends
    assert min(ends) > 0.9


def test_the_calm_half_of_opt_needs_no_rollbacks() -> None:
    """From 3 December 73 % of 34 days of work took 34 days, of which the cluster was deleted for three: 0.80.

    This half gives no part of the rollback share; the interval between checkpoints is BLOOM's.
    """
    found = goodput(
        model="opt-175b", on="nvidia-a100-sxm-80gb", count=992, tokens="300B", failures="opt-175b",
        restart_time="35 minutes", checkpoint_interval="3 hours", spare_nodes=12,
    )  # fmt: skip
    assert found == pytest.approx(0.73 * 34 / 31, abs=_POINTS)


def test_what_opt_threw_away_follows_from_its_progress() -> None:
    """27 % of 34 days of work in 22 days, 73 % in 31: at that pace the 22 would have done 17.6, not 9.2."""
    thrown = 0.73 * 34 / 31 * 22 - 0.27 * 34
    assert thrown == pytest.approx(8.4, abs=0.05)
    assert PRESETS.load("failures", "opt-175b").value("rollback_share") == pytest.approx(
        thrown / (34 + thrown), abs=0.005
    )


def test_restarts_of_opt_and_bloom_are_those_of_their_rows() -> None:
    """61,000 GPU-hours of 992 cards and 72 hours without a cluster, over 106; 24 hours of hangs over 118.24 / 7."""
    opt, bloom = (
        PRESETS.load("failures", name).value("restart_time") / 3600 for name in ("opt-175b", "bloom-176b")
    )
    assert opt == pytest.approx((61_000 / 992 + 72) / 106, rel=5e-3)
    assert bloom == pytest.approx((18 + 6) / (118.24 / 7), rel=5e-3)


def test_recorded_rates_of_fleets_are_those_of_the_rows() -> None:
    rows = {row.cells["id"]: row.cells["value"] for row in read_rows(PRESETS, "measurements/failures")}
    value = {
        number: float(rows[f"failure{number}"].lstrip("~")) for number in ("002", "034", "042", "061", "062")
    }
    expected = {
        "llama-3": value["002"] / (54 * 16384),
        "opt-175b": value["034"] / 992,
        "bloom-176b": 1 / (value["042"] * 384),
        "rsc-1": value["061"] / 8000,
        "rsc-2": value["062"] / 8000,
        "crusoe-h200": 24 / 14 / 1600,
        "megascale": 100 / 21 / 12288,
    }
    a_day = {record.id: record.value("failures") * 86400 for record in PRESETS.all("failures")}
    assert a_day == pytest.approx(expected, rel=1e-3)
    jobs = PRESETS.load("failures", "rsc-1").figures["failures"].high
    assert jobs is not None
    assert jobs * 86400 == pytest.approx(24 / float(rows["failure064"]) / 1024, rel=1e-3)


def test_the_default_rate_is_the_median_of_the_fleets_that_are_counted_and_its_range_theirs() -> None:
    counted = [
        record.value("failures")
        for record in PRESETS.all("failures")
        if record.figures["failures"].kind != "assumed"
    ]
    usual = PRESETS.load("assumptions", "reliability").figures["failures"]
    assert len(counted) == 6
    assert usual.value == pytest.approx(np.median(counted), rel=0.01)
    assert (usual.low, usual.high) == pytest.approx((min(counted), max(counted)), rel=0.01)


def test_a_fleet_stands_for_its_rate() -> None:
    run = {"model": "llama-3.1-405b", "on": "nvidia-h100-sxm-80gb", "count": 16384, "tokens": "1T"}
    # 419 in 54 days on 2,048 nodes of eight
    assert goodput(**run, failures="Llama-3") == pytest.approx(
        goodput(**run, failures=f"{419 / 54 / 2048!r} 1/node/day"), rel=1e-5
    )


def test_the_page_is_current() -> None:
    assert make_goodput.page(PRESETS) == make_goodput.TARGET.read_text(encoding="utf-8")
