"""Speed, time and nodes: by hand, their identities, and the edges of whole nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array, quotient
from estimator.breakdown import Breakdown
from estimator.formulas import throughput

HOUR, DAY = 3600.0, 86400.0
few = settings(deadline=None, max_examples=50)
sizes = st.floats(1e-3, 1e20)


def test_time_at_the_peak_by_hand() -> None:
    # 1,024 sequences of 4,096 tokens at 400 GFLOP a token on 512 cards of 312 TFLOP/s.
    found = throughput.time_at_peak(*map(array, (400e9, 1024, 4096, 512, 312e12)))
    assert float(found) == pytest.approx(1024 * 4096 * 400e9 / (512 * 312e12))
    assert float(found) == pytest.approx(10.503, abs=5e-4)


def test_palm_at_its_reported_utilisation() -> None:
    # Chowdhery et al. 2022, Table 3: 238.3 thousand tokens a second on 6,144 TPU v4 of 275 TFLOP/s at an MFU of
    # 46.2 %; Appendix B: 6 FLOPs for each of 540.35e9 parameters and 12 x 118 x 48 x 256 x 2048 of attention.
    per_token = 6 * 540.35e9 + 12 * 118 * 48 * 256 * 2048
    peak = throughput.time_at_peak(*map(array, (per_token, 2048, 2048, 6144, 275e12)))
    step = throughput.step_time(parts(1.0, 2.0), array(3.0), peak, array(0.462), array(1.0))
    assert float(throughput.throughput(array(2048), array(2048), step.total)) == pytest.approx(
        238.3e3, rel=0.002
    )
    assert float(throughput.mfu(peak, step.total)) == pytest.approx(0.462)


def test_llama_65b_in_three_weeks() -> None:
    # Touvron et al. 2023, Section 2.4: 380 tokens/s/GPU on 2,048 A100s, 1.4e12 tokens in "approximately 21 days".
    time = throughput.accelerator_hours(array(1.4e12), array(380))
    assert float(time) == 1.4e12 / 380
    assert float(time) / 2048 / DAY == pytest.approx(21, abs=0.2)


def parts(*each: float) -> Breakdown:
    return Breakdown({f"part {place}": array(value) for place, value in enumerate(each)})


UNKNOWN = math.nan


@pytest.mark.parametrize(
    ("given_mfu", "given_efficiency", "total"),
    [
        (UNKNOWN, UNKNOWN, 10.0),  # as modelled
        (UNKNOWN, 0.8, 9.0 / 0.8),  # what is modelled at the smallest scale, and the loss that is given
        (0.5, UNKNOWN, 4.0 / 0.5),  # as given, at any scale
        (0.5, 0.8, 4.0 / (0.5 * 0.8)),  # given before the loss by scale
    ],
)
def test_a_step_by_hand(given_mfu: float, given_efficiency: float, total: float) -> None:
    """Modelled at 10 s, 9 s of them at the smallest scale; 4 s at the peak."""
    found = throughput.step_time(parts(7, 2, 0, 1), *map(array, (9, 4, given_mfu, given_efficiency)))
    assert float(found.total) == pytest.approx(total, rel=1e-12)
    # Whatever stretches the step stretches each of its parts.
    assert [float(part) for part in found.parts.values()] == pytest.approx(
        [total * share for share in (0.7, 0.2, 0.0, 0.1)]
    )


def test_a_modelled_step_is_as_modelled_to_the_last_bit() -> None:
    modelled = parts(0.1, 0.2, 0.3)
    found = throughput.step_time(modelled, *map(array, (0.5, 0.3, UNKNOWN, UNKNOWN)))
    assert found.parts == modelled.parts


def test_without_accelerators_a_step_takes_for_ever_and_nothing_is_used() -> None:
    peak = throughput.time_at_peak(*map(array, (400e9, 1024, 4096, 0, 312e12)))
    step = throughput.step_time(parts(7, 0, 3), array(9), peak, array(UNKNOWN), array(UNKNOWN))
    assert float(step.total) == float(peak) == math.inf
    assert [float(part) for part in step.parts.values()] == [math.inf, 0, math.inf]
    assert float(throughput.throughput(array(1024), array(4096), step.total)) == 0
    assert math.isnan(float(throughput.mfu(peak, step.total)))


SHARES = {"attention_projections": 200.0, "attention_scores": 60.0, "feed_forward": 340.0, "logits": 30.0}
FLOPS = Breakdown({name: array(value) for name, value in SHARES.items()})


@pytest.mark.parametrize(("recompute", "again"), [(0, 0.0), (1, 60 / 3), (2, 600 / 3), (3, 0.0)])
def test_what_is_recomputed_is_one_more_forward_pass(recompute: float, again: float) -> None:
    found = throughput.hfu(array(0.4), FLOPS, array(recompute), array(0))
    assert float(found) == pytest.approx(0.4 * (630 + again) / 630)


def test_a_forward_pass_over_frozen_weights_is_half_of_their_flops() -> None:
    # 200 + 340 of frozen matrices in two passes, 60 of scores and 12 of adapters in three.
    parts = Breakdown({**FLOPS.parts, "adapters": array(12)})
    found = throughput.hfu(array(0.4), parts, array(2), array(1))
    assert float(found) == pytest.approx(0.4 * (642 + 540 / 2 + 60 / 3 + 12 / 3) / 642)


def test_recomputed_layers_are_counted_as_megatron_counts_them() -> None:
    # Narayanan et al. 2021, Eq. 3: 96 B s l h^2 (1 + s / (6 h) + V / (16 l h)) with every layer recomputed, against
    # 72 B s l h^2 (1 + s / (6 h) + V / (12 l h)) without; the 530B model of its Table 1.
    layers, hidden, seq, vocab = 105.0, 20480.0, 2048.0, 51200.0
    flops = {"feed_forward": 72 * layers * hidden**2, "attention_scores": 12 * layers * hidden * seq,
             "logits": 6 * vocab * hidden}  # fmt: skip
    counted = 96 * (1 + seq / (6 * hidden) + vocab / (16 * layers * hidden))
    model = 72 * (1 + seq / (6 * hidden) + vocab / (12 * layers * hidden))
    found = throughput.hfu(
        array(0.4), Breakdown({name: array(value) for name, value in flops.items()}), array(2), array(0)
    )
    assert float(found) == pytest.approx(0.4 * counted / model, rel=1e-12)


def test_goodput_lengthens_what_the_machines_are_held() -> None:
    assert float(throughput.occupied_hours(array(90 * HOUR), array(0.9))) == pytest.approx(100 * HOUR)
    assert float(throughput.occupied_hours(array(90 * HOUR), array(1.0))) == 90 * HOUR


@few
@given(sizes, sizes, st.integers(1, 10**6))
def test_a_run_at_its_throughput_processes_its_tokens(tokens: float, speed: float, count: int) -> None:
    one = throughput.throughput_per_accelerator(array(speed), array(count))
    time = throughput.accelerator_hours(array(tokens), one) / count
    assert float(time) * speed == pytest.approx(tokens, rel=1e-12)


@few
@given(sizes, st.integers(1, 10**6), st.integers(1, 10**5), st.floats(1e-3, 1e9))
def test_steps_of_a_run_take_as_long_as_the_run(tokens: float, batch: int, seq: int, step: float) -> None:
    speed = throughput.throughput(array(batch), array(seq), array(step))
    steps = tokens / (batch * seq)
    assert step * steps == pytest.approx(tokens / float(speed), rel=1e-12)


@few
@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_the_mfu_is_what_was_given_of_it(given_mfu: float, kept: float, peak: float, modelled: float) -> None:
    step = throughput.step_time(parts(modelled), *map(array, (modelled, peak, given_mfu, kept)))
    assert float(throughput.mfu(array(peak), step.total)) == pytest.approx(given_mfu * kept, rel=1e-12)


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
    "time_at_peak": 5, "throughput": 3, "throughput_per_accelerator": 2, "mfu": 2, "accelerator_hours": 2,
    "occupied_hours": 2, "nodes_needed": 4,
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


def test_a_step_goes_by_cells() -> None:
    """Modelled, stretched to an MFU, to an efficiency, and without accelerators, in one array."""
    modelled = Breakdown({"work": np.array([8.0, 4.0, 2.0, 1.0]), "rest": array(2.0)})
    columns = (array(3.0), np.array([1.0, 1.0, 1.0, math.inf]), np.array([UNKNOWN, 0.5, UNKNOWN, 0.5]),
               np.array([UNKNOWN, UNKNOWN, 0.75, UNKNOWN]))  # fmt: skip
    found = throughput.step_time(modelled, *columns)
    assert np.asarray(found.total).tolist() == [10.0, 2.0, 4.0, math.inf]
    for place in range(4):
        alone = throughput.step_time(
            Breakdown({"work": array(np.asarray(modelled.parts["work"])[place]), "rest": array(2.0)}),
            *(array(np.broadcast_to(column, 4)[place]) for column in columns),
        )
        assert {name: float(part) for name, part in alone.parts.items()} == {
            name: float(np.broadcast_to(part, 4)[place]) for name, part in found.parts.items()
        }


def test_a_model_that_is_not_known_gives_no_step() -> None:
    found = throughput.step_time(parts(UNKNOWN, 1.0), *map(array, (1.0, 1.0, UNKNOWN, UNKNOWN)))
    assert math.isnan(float(found.total))
