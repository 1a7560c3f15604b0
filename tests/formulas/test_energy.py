"""Power, energy and carbon: published tables, the parts by hand, and what no part may do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.breakdown import Breakdown
from estimator.formulas import energy

HOUR, KWH, MWH = 3600.0, 3.6e6, 3.6e9
few = settings(deadline=None, max_examples=50)
shares = st.floats(0.0, 3.0)


# What a given power says: it is drawn whatever the utilisation, hosts and all, in lost time too.
FIXED = (1.0, 1.0, 0.0, 0.0, 1.0)


def draw_of(most: float, *shares: float) -> energy.Draw:
    return energy.Draw(*map(array, (most, *(shares or FIXED))))


def system(count: float, per_node: float, hfu: float, draw: energy.Draw) -> dict[str, float]:
    parts = energy.system_power(*map(array, (count, per_node, hfu)), draw).parts
    return {name: float(part) for name, part in parts.items()}


def taken(productive: float, draw: energy.Draw, pue: float = 1.0, **lost: float) -> dict[str, float]:
    """Energy by part of 16 cards in two nodes at an HFU of 0.3, of times in seconds."""
    each = energy.system_power(*map(array, (16, 8, 0.3)), draw)
    time = Breakdown({"productive": array(productive), **{name: array(part) for name, part in lost.items()}})
    found = energy.facility_energy(array(16), time, each, draw, array(pue))
    return {name: float(part) for name, part in found.parts.items()}


def operation(joules: float, intensity: float) -> float:
    """Carbon of energy alone, nothing embodied."""
    return float(energy.carbon(*map(array, (joules, intensity, 1e9, 0.0, 1.0))).total)


def test_the_parts_by_hand() -> None:
    # Two nodes of 8 cards of 500 W, at half of the use at which they draw all: 0.4 + 0.6 / 2 = 0.7 of 500 W.
    draw = draw_of(500, 0.4, 0.6, 0.25, 0.1, 0.5)
    assert system(16, 8, 0.3, draw) == pytest.approx(
        {"accelerators": 350, "hosts": 125, "network": 50}, rel=1e-12
    )
    # One node has no network between nodes; beyond full use no more is drawn; a step without end is taken as full.
    assert system(8, 8, 0.9, draw) == pytest.approx(
        {"accelerators": 500, "hosts": 125, "network": 0}, rel=1e-12
    )
    assert system(8, 8, np.nan, draw)["accelerators"] == 500
    # 16 of 525 W, and the facility a fifth of it.
    each = energy.system_power(*map(array, (16, 8, 0.3)), draw)
    found = energy.facility_power(array(16), each, array(1.2)).parts
    assert {name: float(part) for name, part in found.items()} == pytest.approx(
        {"accelerators": 5600, "hosts": 2000, "network": 800, "facility": 1680}, rel=1e-12
    )


def test_time_lost_by_hand() -> None:
    # 16 cards: 100 s of work at 350 W; 7 s of it done again and 3 s rolled back; 20 s idle at half of 500 W; hosts and
    # network 175 W for 130 s; a tenth for the facility.
    draw = draw_of(500, 0.4, 0.6, 0.25, 0.1, 0.5)
    found = taken(100, draw, 1.1, lost_work=7, rollbacks=3, checkpoints=4, restarts=5, waiting=6, not_told=5)
    by_hand = {"accelerators": 35_000, "repeated_work": 3_500, "idle_accelerators": 5_000, "hosts": 16_250,
               "network": 6_500, "facility": 6_625}  # fmt: skip
    assert found == pytest.approx({name: 16 * part for name, part in by_hand.items()}, rel=1e-12)


def test_cards_that_wait_for_a_slow_node_draw_the_floor_of_training() -> None:
    # 10 s of waiting within steps at 0.4 of 500 W, beside 20 s idle at 0.1 of it: 2,000 + 1,000 J a card.
    found = taken(100, draw_of(500, 0.4, 0.6, 0.25, 0.1, 0.1), 1.0, stragglers=10, restarts=20)
    assert found["idle_accelerators"] == pytest.approx(16 * 3_000)
    # A power that is given is drawn all the time.
    given = draw_of(500, 1, 1, 0, 0, 1)
    assert sum(taken(100, given, 1.0, stragglers=10).values()) == pytest.approx(16 * 110 * 500)


@pytest.mark.parametrize(
    ("hours", "megawatt_hours"),
    [(82_432, 36), (135_168, 59), (530_432, 233), (1_022_362, 449)],
)
def test_table_15_of_llama(hours: float, megawatt_hours: float) -> None:
    # Touvron et al. 2023: hours x 400 W x PUE 1.1, printed in whole MWh; half of one is 1.4 % of 36.
    found = taken(hours * HOUR / 16, draw_of(400), 1.1)
    assert sum(found.values()) / MWH == pytest.approx(megawatt_hours, abs=1.0)


def test_table_4_of_patterson_for_gpt3() -> None:
    # Patterson et al. 2021, Table 4: 10,000 V100s of 330 W on average, 14.8 days, PUE 1.10: 1,287 MWh;
    # at 0.429 kg a kWh 552 t.
    seconds = 10_000 * 14.8 * 24 * HOUR / 16
    assert sum(taken(seconds, draw_of(330), 1.10).values()) / MWH == pytest.approx(1287, rel=0.003)
    assert operation(1287 * MWH, 0.429 / KWH) / 1000 == pytest.approx(552.1, abs=0.1)


def test_table_15_of_llama_in_carbon() -> None:
    # The same table: 0.385 kg a kWh, 449 MWh are 173 t.
    assert operation(449 * MWH, 0.385 / KWH) / 1000 == pytest.approx(173, abs=0.5)


uses, draws = st.floats(0.0, 1.0), st.builds(
    draw_of, st.floats(1e-3, 1e6), st.floats(0.0, 1.0), st.floats(0.05, 1.0), shares, shares, st.floats(0.0, 1.0)
)  # fmt: skip


@few
@given(uses, uses, draws)
def test_power_lies_between_the_floor_and_the_most_and_rises_with_use(
    one: float, other: float, draw: energy.Draw
) -> None:
    less, more = (
        float(energy.power_share(array(u), draw.floor_share, draw.full_use)) for u in sorted((one, other))
    )
    assert float(draw.floor_share) <= less <= more <= 1.0 + 1e-12


@few
@given(st.floats(1.0, 1e9), st.floats(1.0, 1e9), draws, st.floats(1.0, 5.0))
def test_no_part_is_negative_and_the_facility_takes_its_share(
    productive: float, lost: float, draw: energy.Draw, pue: float
) -> None:
    found = taken(productive, draw, pue, restarts=lost)
    assert min(found.values()) >= 0
    computers = sum(found.values()) - found["facility"]
    assert sum(found.values()) == pytest.approx(computers * pue, rel=1e-12)


@few
@given(st.floats(1.0, 1e6), draws, st.floats(1.0, 5.0))
def test_energy_without_loss_is_power_for_as_long_as_it_is_drawn(
    seconds: float, draw: energy.Draw, pue: float
) -> None:
    each = energy.system_power(*map(array, (16, 8, 0.3)), draw)
    drawn = energy.facility_power(array(16), each, array(pue))
    found = taken(seconds, draw, pue)
    assert sum(found.values()) == pytest.approx(float(drawn.total) * seconds, rel=1e-9)
    assert found["idle_accelerators"] == 0


@few
@given(st.floats(1.0, 1e6), st.floats(0.0, 1e6), draws)
def test_an_hour_more_that_is_held_takes_more_and_never_more_than_one_at_the_most(
    productive: float, lost: float, draw: energy.Draw
) -> None:
    without, with_ = (sum(taken(productive, draw, waiting=each).values()) for each in (0.0, lost))
    most = float(draw.power_per_accelerator * (1 + draw.host_share + draw.switch_share))
    assert without <= with_ <= (without + 16 * lost * most) * (1 + 1e-9)


def test_a_grid_without_carbon_gives_none() -> None:
    assert operation(5 * MWH, 0.0) == 0.0


def test_grids_equal_their_points_to_the_last_bit() -> None:
    counts, uses = np.array([[8.0], [64.0], [4096.0]]), np.array([0.1, 0.5])
    draw = draw_of(700, 0.4, 0.6, 0.25, 0.1, 0.5)
    found = energy.system_power(counts, array(8), uses, draw)
    assert (found.total.shape, found.total.dtype) == ((3, 2), np.float64)
    for row, column in np.ndindex(3, 2):
        alone = energy.system_power(array(counts[row, 0]), array(8), array(uses[column]), draw)
        assert np.shape(alone.total) == ()
        assert found.total[row, column] == alone.total


def test_an_unknown_power_makes_the_energy_unknown() -> None:
    assert np.isnan(sum(taken(HOUR, draw_of(np.nan)).values()))


def test_a_run_without_end_takes_energy_without_end() -> None:
    assert taken(np.inf, draw_of(700, 0.4, 0.6, 0.25, 0.1, 0.5))["accelerators"] == np.inf


def test_bloom_embodies_what_its_paper_prints() -> None:
    # Luccioni et al. 2022: 50.5 t in all, 24.7 t of dynamic and 14.6 t of idle power: 11.2 t are left.
    # 150 kg of a card and an eighth of a server of 2,500 kg, over six years of 85 %: 462.5 kg / 44,676 h = 10.35 g/h.
    used = 6 * 365 * 24 * HOUR * 0.85
    found = energy.carbon(*map(array, (0.0, 0.0, 1_082_990 * HOUR, 150 + 2500 / 8, used)))
    assert float(found.parts["embodied"]) / 1000 == pytest.approx(50.5 - 24.7 - 14.6, abs=0.05)
    assert float(found.parts["operation"]) == 0


@few
@given(st.floats(0.0, 1e6), st.floats(1.0, 1e9), st.floats(1.0, 1e9))
def test_longer_use_embodies_less_of_the_same(mass: float, one: float, other: float) -> None:
    short, long = sorted((one, other))
    of_long, of_short = (
        float(energy.carbon(*map(array, (1.0, 1.0, 1e6, mass, time))).parts["embodied"])
        for time in (long, short)
    )
    assert 0 <= of_long <= of_short
