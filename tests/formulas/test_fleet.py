"""Fleets: totals of compute, and an MFU for a ratio, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.formulas.fleet import accelerators_for_compute, compute_of_accelerators, mfu_for_ratio


def test_totals_broadcast() -> None:
    totals, peaks = np.array([1e18, 2e18])[:, None], np.array([1e14, 2e14, 4e14])
    assert np.asarray(accelerators_for_compute(totals, peaks)).tolist() == [
        [10000, 5000, 2500],
        [20000, 10000, 5000],
    ]
    assert float(compute_of_accelerators(np.float64(8), np.float64(312e12))) == 2.496e15


def test_no_peak_is_no_number_of_accelerators() -> None:
    assert float(accelerators_for_compute(np.float64(1e18), np.float64(0))) == np.inf


def test_a_ratio_of_three_needs_an_mfu_2_46_times_lower() -> None:
    # 312 / 256 = 1.219 of the three is in the peaks: 3 / 1.219 = 2.46 is left for the MFU.
    found = float(mfu_for_ratio(np.float64(0.4), np.float64(312e12), np.float64(256e12), np.float64(3)))
    assert 0.4 / found == pytest.approx(2.46, abs=0.005)
