"""Speed, time and nodes: by hand, their identities, and the edges of whole nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array, quotient
from estimator.formulas import throughput

HOUR, DAY = 3600.0, 86400.0
few = settings(deadline=None, max_examples=50)
sizes = st.floats(1e-3, 1e20)


def test_the_throughput_of_a_card_by_hand() -> None:
    # 312 TFLOP/s at 40 %, 90 % of it kept at scale, 400 GFLOP a token: 124.8e12 * 0.9 / 400e9.
    found = throughput.throughput_per_accelerator(*map(array, (312e12, 0.4, 0.9, 400e9)))
    assert float(found) == pytest.approx(280.8)


def test_palm_at_its_reported_utilisation() -> None:
    # Chowdhery et al. 2022, Table 3: 238.3 thousand tokens a second on 6,144 TPU v4 of 275 TFLOP/s at an MFU of
    # 46.2 %; Appendix B: 6 FLOPs for each of 540.35e9 parameters and 12 x 118 x 48 x 256 x 2048 of attention.
    per_token = 6 * 540.35e9 + 12 * 118 * 48 * 256 * 2048
    one = throughput.throughput_per_accelerator(*map(array, (275e12, 0.462, 1.0, per_token)))
    assert float(throughput.throughput(one, array(6144))) == pytest.approx(238.3e3, rel=0.002)


def test_llama_65b_in_three_weeks() -> None:
    # Touvron et al. 2023, Section 2.4: 380 tokens/s/GPU on 2,048 A100s, 1.4e12 tokens in "approximately 21 days".
    time = throughput.accelerator_hours(array(1.4e12), array(380))
    assert float(time) == 1.4e12 / 380
    assert float(throughput.wall_clock(time, array(2048))) / DAY == pytest.approx(21, abs=0.2)


def test_a_step_by_hand() -> None:
    # 1,024 sequences of 4,096 tokens at 2 million tokens a second.
    assert float(throughput.step_time(array(1024), array(4096), array(2**21))) == 2.0


def test_goodput_lengthens_what_the_machines_are_held() -> None:
    assert float(throughput.occupied_hours(array(90 * HOUR), array(0.9))) == pytest.approx(100 * HOUR)
    assert float(throughput.occupied_hours(array(90 * HOUR), array(1.0))) == 90 * HOUR


@few
@given(sizes, sizes, st.integers(1, 10**6))
def test_a_run_at_its_throughput_processes_its_tokens(tokens: float, speed: float, count: int) -> None:
    time = throughput.wall_clock(throughput.accelerator_hours(array(tokens), array(speed)), array(count))
    whole = throughput.throughput(array(speed), array(count))
    assert float(time * whole) == pytest.approx(tokens, rel=1e-12)


@few
@given(sizes, st.integers(1, 10**6), st.integers(1, 10**5), st.floats(1e-3, 1e9))
def test_steps_of_a_run_take_as_long_as_the_run(tokens: float, batch: int, seq: int, speed: float) -> None:
    steps = tokens / (batch * seq)
    step = throughput.step_time(array(batch), array(seq), array(speed))
    assert float(step) * steps == pytest.approx(tokens / speed, rel=1e-12)


# Whole nodes.


def nodes(occupied: float, within: float, per_node: float, fewest: float) -> float:
    return float(throughput.nodes_needed(*map(array, (occupied, within, per_node, fewest))))


@pytest.mark.parametrize(
    ("asked", "needed"),
    [
        pytest.param((80 * HOUR, 10 * HOUR, 8, 1), 1, id="exactly one node"),
        pytest.param((80 * HOUR + 1, 10 * HOUR, 8, 1), 2, id="a second too long for one"),
        pytest.param((800 * HOUR, 10 * HOUR, 8, 1), 10, id="exactly ten"),
        pytest.param((1.0, 10 * HOUR, 8, 1), 1, id="never less than one"),
        pytest.param((1.0, 10 * HOUR, 8, 8), 1, id="memory asks for one whole node"),
        pytest.param((1.0, 10 * HOUR, 8, 9), 2, id="memory asks for one card more"),
        pytest.param((800 * HOUR, 10 * HOUR, 8, 16), 10, id="time asks for more than memory"),
        pytest.param((800 * HOUR, 10 * HOUR, 8, math.inf), 10, id="no number holds it: time alone"),
        pytest.param((1.0, 10 * HOUR, 8, math.inf), 1, id="no number holds it, and time asks for none"),
        pytest.param((20 * HOUR, 10 * HOUR, 1, 1), 2, id="nodes of one card"),
        pytest.param(
            (1.0, 10 * HOUR, 1, math.inf), 1, id="no number holds it: one card, if time asks for no more"
        ),
        pytest.param((1.0, 0.0, 8, 1), math.inf, id="no time at all"),
    ],
)
def test_nodes_needed(asked: tuple[float, ...], needed: float) -> None:
    assert nodes(*asked) == needed


@few
@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 64), st.integers(1, 10**5))
def test_so_many_nodes_finish_and_hold_it_and_one_less_does_not(
    occupied: int, within: int, per_node: int, fewest: int
) -> None:
    found = int(nodes(occupied, within, per_node, fewest))
    assert found >= 1

    def enough(count: int) -> bool:
        return count * per_node >= fewest and occupied <= within * count * per_node * (1 + 1e-12)

    assert enough(found)
    assert found == 1 or not enough(found - 1) or occupied / within / per_node == pytest.approx(found - 1)


def test_dividing_by_nothing_gives_no_limit_and_no_warning() -> None:
    found = quotient(np.array([1.0, 0.0, 6.0]), np.array([0.0, 0.0, 3.0]))
    assert found.tolist() == [math.inf, math.inf, 2.0]


# Arrays.

ARGUMENTS = {
    "throughput_per_accelerator": 4, "throughput": 2, "step_time": 3, "accelerator_hours": 2, "occupied_hours": 2,
    "wall_clock": 2, "nodes_needed": 4,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_formula_takes_grids_and_equals_its_points_to_the_last_bit(name: str) -> None:
    formula, count = getattr(throughput, name), ARGUMENTS[name]
    generator = np.random.default_rng(1)
    for shape in ((5,), (2, 3)):
        columns = [generator.uniform(0.1, 1e6, shape) for _ in range(count)]
        found = formula(*columns)
        assert (found.shape, found.dtype) == (shape, np.float64)
        for place in np.ndindex(shape):
            alone = formula(*(array(column[place]) for column in columns))
            assert np.shape(alone) == ()
            assert np.asarray(alone).dtype == np.float64
            assert found[place] == alone
        mixed = formula(columns[0][..., None], *(array(column[(0,) * len(shape)]) for column in columns[1:]))
        assert mixed.shape == (*shape, 1)


def test_an_unknown_goes_through_every_formula() -> None:
    for name, count in ARGUMENTS.items():
        for place in range(count):
            given = [array(math.nan if index == place else 2.0) for index in range(count)]
            # Memory that is not known asks for no number of cards.
            known = name == "nodes_needed" and place == 3
            assert math.isnan(float(getattr(throughput, name)(*given))) is not known, (name, place)
