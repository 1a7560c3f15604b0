"""Published energies and costs: the fit of the law of power, what is left out of it, and that its pages are current."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import fit_power  # noqa: E402
import make_bills  # noqa: E402
from bills import costs, energies  # noqa: E402

from estimator import Presets  # noqa: E402

PRESETS = Presets()


def planted(floor: float, full: float, host: float) -> list[fit_power.Point]:
    """Forty powers of four documents that obey a law."""
    uses = np.linspace(0.05, 0.9, 40)
    shares = fit_power.Law(floor, full, host).foretold(uses)
    return [
        fit_power.Point(str(place), f"document {place % 4}", float(share), float(use))
        for place, (use, share) in enumerate(zip(uses, np.asarray(shares), strict=True))
    ]


def test_the_fit_finds_a_law_that_was_planted() -> None:
    # Three times as far from what is believed as its width, so that the rows alone can have told it.
    law = fit_power.fitted(planted(0.25, 0.7, 0.2) * 50)
    assert [float(value) for value in law] == pytest.approx([0.25, 0.7, 0.2], abs=0.015)


def test_a_document_left_out_does_not_move_the_fit() -> None:
    points = planted(0.4, 0.5, 0.3)
    wild = [point._replace(document="wild", share=5.0) for point in points]
    assert fit_power.without([*points, *wild], "wild") == fit_power.fitted(points)
    assert fit_power.fitted([*points, *wild]) != fit_power.fitted(points)


def test_every_measured_power_is_a_point_of_its_document() -> None:
    points = {point.run: point for point in fit_power.points_of(PRESETS)}
    # PaLM: 378.5 W with the host over 192 W of a TPU v4; MLPerf: a node of 6,848 W over 8 cards of 700 W.
    assert points["palm-540b"].share == pytest.approx(378.5 / 192)
    assert points["mlperf-gpt3-64-nodes-h100"].share == pytest.approx(6848 / 5600)
    assert not any("llama-65b" in run for run in points)  # hours x nameplate are no measurement


def test_energy_of_hours_by_hand() -> None:
    # 8,404,992 chip-hours of 378.5 W at PUE 1.08 are 3,436 MWh (PaLM, Appendix B).
    assert energies.of_hours(8_404_992 * 3600.0, 378.5, 1.08) == pytest.approx(3435.7, rel=1e-4)


def test_a_cost_that_is_hours_times_a_stated_price_is_circular() -> None:
    found = {each.record.id: each.circular for each in costs.bills(PRESETS)}
    assert found["mpt-7b"]
    assert found["olmo-3-32b-base-post"]
    assert not found["glm-130b"]
    assert not found["open-sora-2.0-11b-video"]
    assert not any("epoch" in id for id in found)


def test_the_record_of_the_law_is_current() -> None:
    assert fit_power.main(["--check"]) == 0


def test_the_page_is_current() -> None:
    assert make_bills.main(["--check"]) == 0
