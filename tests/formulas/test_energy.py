"""Power, energy and carbon: published tables, the parts by hand, and what no part may do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import energy

HOUR, KWH, MWH = 3600.0, 3.6e6, 3.6e9
few = settings(deadline=None, max_examples=50)
shares = st.floats(0.0, 3.0)


def power(count: float, each: float, host: float, pue: float) -> dict[str, float]:
    return {
        name: float(part)
        for name, part in energy.facility_power(*map(array, (count, each, host, pue))).parts.items()
    }


def test_the_parts_by_hand() -> None:
    # 8 cards of 500 W; hosts a quarter of that; the facility a fifth of both.
    assert power(8, 500, 0.25, 1.2) == pytest.approx(
        {"accelerators": 4000, "hosts": 1000, "facility": 1000}, rel=1e-12
    )


def test_a_facility_that_takes_nothing_and_cards_without_hosts() -> None:
    assert power(8, 500, 0, 1) == {"accelerators": 4000, "hosts": 0, "facility": 0}


@pytest.mark.parametrize(
    ("hours", "megawatt_hours"),
    [(82_432, 36), (135_168, 59), (530_432, 233), (1_022_362, 449)],
)
def test_table_15_of_llama(hours: float, megawatt_hours: float) -> None:
    # Touvron et al. 2023: hours x 400 W x PUE 1.1, printed in whole MWh; half of one is 1.4 % of 36.
    found = energy.facility_energy(*map(array, (hours * HOUR, 400, 0, 1.1)))
    assert float(found.total) / MWH == pytest.approx(megawatt_hours, abs=1.0)


def test_table_4_of_patterson_for_gpt3() -> None:
    # Patterson et al. 2021, Table 4: 10,000 V100s of 330 W on average, 14.8 days, PUE 1.10: 1,287 MWh;
    # at 0.429 kg a kWh 552 t.
    hours = 10_000 * 14.8 * 24
    found = energy.facility_energy(*map(array, (hours * HOUR, 330, 0, 1.10)))
    assert float(found.total) / MWH == pytest.approx(1287, rel=0.003)
    assert float(energy.carbon(array(1287 * MWH), array(0.429 / KWH))) / 1000 == pytest.approx(552.1, abs=0.1)


def test_table_15_of_llama_in_carbon() -> None:
    # The same table: 0.385 kg a kWh, 449 MWh are 173 t.
    assert float(energy.carbon(array(449 * MWH), array(0.385 / KWH))) / 1000 == pytest.approx(173, abs=0.5)


@few
@given(st.floats(1e-3, 1e9), st.floats(1e-3, 1e6), shares, st.floats(1.0, 5.0))
def test_the_total_is_the_product_and_no_part_is_negative(
    count: float, each: float, host: float, pue: float
) -> None:
    found = power(count, each, host, pue)
    assert sum(found.values()) == pytest.approx(count * each * (1 + host) * pue, rel=1e-12)
    assert min(found.values()) >= 0


@few
@given(st.floats(1.0, 1e9), st.floats(1.0, 1e5), shares, st.floats(1.0, 5.0))
def test_energy_is_power_for_as_long_as_it_is_drawn(
    seconds: float, each: float, host: float, pue: float
) -> None:
    drawn = energy.facility_power(*map(array, (64, each, host, pue)))
    taken = energy.facility_energy(*map(array, (64 * seconds, each, host, pue)))
    assert float(taken.total) == pytest.approx(float(drawn.total) * seconds, rel=1e-12)
    assert list(taken.parts) == list(drawn.parts)


@few
@given(shares, shares, st.floats(1.0, 5.0), st.floats(1.0, 5.0))
def test_worse_hosts_and_facilities_take_more(one: float, other: float, good: float, bad: float) -> None:
    (low, high), (better, worse) = sorted((one, other)), sorted((good, bad))
    assert sum(power(8, 500, low, better).values()) <= sum(power(8, 500, high, worse).values()) * (1 + 1e-12)


def test_a_grid_without_carbon_gives_none() -> None:
    assert float(energy.carbon(array(5 * MWH), array(0.0))) == 0.0


def test_grids_equal_their_points_to_the_last_bit() -> None:
    counts, pue = np.array([[8.0], [64.0], [4096.0]]), np.array([1.08, 1.5])
    found = energy.facility_power(counts, array(700), array(0.3), pue)
    assert (found.total.shape, found.total.dtype) == ((3, 2), np.float64)
    for row, column in np.ndindex(3, 2):
        alone = energy.facility_power(array(counts[row, 0]), array(700), array(0.3), array(pue[column]))
        assert np.shape(alone.total) == ()
        assert found.total[row, column] == alone.total
        for name, part in alone.parts.items():
            assert np.broadcast_to(found.parts[name], (3, 2))[row, column] == part


def test_an_unknown_power_makes_the_energy_unknown() -> None:
    assert np.isnan(energy.facility_energy(*map(array, (HOUR, np.nan, 0.2, 1.1))).total)
