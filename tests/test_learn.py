"""Multipliers learnt from measured steps: drawn to 1, the less the more rows agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.case import Case, Unknown
from estimator.estimate import evaluate
from estimator.learn import (
    NAMES,
    Fit,
    Floats,
    Learnt,
    deviation,
    learn,
    linearised,
    multiplied,
    noise_of,
    posterior,
    spreads_of,
)
from estimator.lower.step_time import CALIBRATION
from estimator.measured import Table, lower_rows
from estimator.presets import Presets

from .own_steps import Rows, row, several

RESIDUALS = st.floats(-1.0, 1.0).filter(lambda value: abs(value) > 1e-3)
WIDTHS = st.floats(0.02, 0.5)
RECORD = Presets().load("calibrations", CALIBRATION)


def shift(residuals: list[float], noise: float, spread: float) -> float:
    """Where one multiplier of the whole step goes."""
    size = len(residuals)
    fit = posterior(np.array(residuals), np.ones((size, 1)), np.full(size, noise), np.array([spread]))
    return float(fit.logs[0])


@settings(deadline=None, max_examples=25)
@given(RESIDUALS, WIDTHS, WIDTHS)
def test_one_row_moves_less_than_its_residual_and_its_way(
    residual: float, noise: float, spread: float
) -> None:
    moved = shift([residual], noise, spread) / residual
    assert 0.0 < moved < 1.0


@settings(deadline=None, max_examples=25)
@given(RESIDUALS, WIDTHS, WIDTHS)
def test_rows_that_agree_approach_their_residual(residual: float, noise: float, spread: float) -> None:
    moved = [shift([residual] * size, noise, spread) / residual for size in (1, 4, 16)]
    assert moved[0] < moved[1] < moved[2] < 1.0
    assert shift([residual] * 5000, 0.1, 0.1) == pytest.approx(residual, rel=0.01)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(residuals: list[float], random: object) -> None:
    mixed = list(residuals)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert shift(mixed, 0.1, 0.1) == pytest.approx(shift(residuals, 0.1, 0.1), abs=1e-9)


def test_a_small_residual_is_shrunk_as_by_ridge() -> None:
    # tau^2 / (tau^2 + sigma^2 / n): 1/2 of one row that is as uncertain as what is learnt, 3/4 of three.
    assert shift([0.001], 0.1, 0.1) == pytest.approx(0.0005, rel=1e-3)
    assert shift([0.001] * 3, 0.1, 0.1) == pytest.approx(0.00075, rel=1e-3)


def test_one_row_does_not_overrule_many() -> None:
    alone, among = shift([1.0], 0.07, 0.1), shift([1.0] + [0.0] * 20, 0.07, 0.1)
    assert alone > 0.1
    assert 0.0 < among < alone / 10.0


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 30))
def test_what_is_learnt_is_known_better_the_more_rows_there_are(size: int) -> None:
    widths = [
        float(posterior(np.zeros(n), np.ones((n, 1)), np.full(n, 0.1), np.array([0.1])).covariance[0, 0])
        for n in (size, size + 1)
    ]
    assert widths[1] < widths[0] < 0.01


def lowered(rows: Rows) -> Case:
    return lower_rows(Table.of(rows), Presets()).case


def speeds(case: Case) -> Floats:
    return np.asarray(evaluate(case).values["throughput_per_accelerator"])


def widths(**own: float) -> dict[str, float]:
    return {**spreads_of(RECORD, {"experts": "no"}), **own}


def test_rows_as_predicted_change_nothing_but_the_range() -> None:
    case = lowered(several(4))
    found = learn(case, speeds(case), noise_of(case), widths())
    assert found.fit.logs == pytest.approx(np.zeros(len(NAMES)), abs=1e-9)
    assert np.all(found.deviations <= found.spreads * (1.0 + 1e-9))
    assert found.deviations[0] < 0.8 * found.spreads[0]
    assert found.scatter(20.0) < 1.0


def test_slow_rows_are_a_slow_step() -> None:
    case = lowered(several(60))
    found = learn(case, speeds(case) / 1.1, noise_of(case), widths(attention_efficiency=1e-3))
    assert found.multipliers["slowness"] == pytest.approx(1.1, rel=0.02)
    assert speeds(found.applied(case)) == pytest.approx(speeds(case) / 1.1, rel=0.02)
    assert found.before == pytest.approx(np.log(np.full(60, 1.1)))
    assert np.all(np.abs(found.after) < 0.02)
    assert np.all(np.abs(found.alone) >= np.abs(found.after))


def test_what_differs_between_rows_tells_which_part_is_slow() -> None:
    sharded = [
        row(
            f"s{n}",
            zero_stage=3,
            micro_batch=size,
            n_accelerators=count,
            global_batch_seqs=1024,
            framework="fsdp",
        )
        for n, (size, count) in enumerate((s, c) for s in (1, 2, 4) for c in (16, 64, 256))
    ]
    case = lowered(sharded)
    truth = speeds(multiplied(case, {"sharding_use": 1.6}))
    found = learn(case, truth, noise_of(case) / 10.0, widths()).multipliers
    assert found["sharding_use"] == pytest.approx(1.6, rel=0.1)
    assert found["slowness"] == pytest.approx(1.0, abs=0.05)
    assert found["tensor_use"] == pytest.approx(1.0)


def test_slopes_are_those_of_the_time() -> None:
    case = lowered(several(3))
    slopes, times = linearised(case, ("slowness", "tensor_use"), np.zeros(2))
    assert slopes == pytest.approx(np.array([[1.0, 0.0]] * 3))
    assert times == pytest.approx(-np.log(speeds(case)))


def test_many_rows_are_evaluated_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    case = lowered(several(5))
    whole = linearised(case, ("slowness",), np.zeros(1))
    monkeypatch.setattr("estimator.learn._PIECE", 2)
    for one, other in zip(linearised(case, ("slowness",), np.zeros(1)), whole, strict=True):
        assert np.array_equal(one, other)


def test_noise_leaves_out_what_own_steps_tell() -> None:
    case = lowered(several(2))
    slowness = case.columns["fit_slowness"]
    wide = Unknown("stack", {"fit_slowness": slowness * 0.5}, {"fit_slowness": slowness * 2.0})
    more = case.__class__(case.columns, unknowns=(*case.unknowns, wide))
    assert noise_of(more) == pytest.approx(noise_of(case))
    assert np.all(noise_of(case) > 0.0)


def test_blanks_make_a_row_less_certain() -> None:
    full, blank = row("a"), row("b", recompute="", global_batch_seqs="", micro_batch="")
    noise = noise_of(lowered([full, blank]))
    assert noise[1] > noise[0]


def test_an_unknown_chip_is_believed_to_stray_farther() -> None:
    known, unknown = (spreads_of(RECORD, {"experts": "no"}, chip_known=chip) for chip in (True, False))
    assert unknown["slowness"] > known["slowness"] >= deviation(RECORD, "stray_stack", {"experts": "no"})
    assert list(known) == list(NAMES)
    assert all(width > 0.0 for width in known.values())


@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_multiplying_moves_value_and_ends_alike(factor: float) -> None:
    case = lowered([row("a")])
    found = multiplied(case, {"slowness": factor})
    assert speeds(found) == pytest.approx(speeds(case) / factor)
    for one, other in zip(case.unknowns, found.unknowns, strict=True):
        for name, value in one.low.items():
            share = factor if name == "fit_slowness" else 1.0
            assert np.asarray(other.low[name]) == pytest.approx(np.asarray(value) * share)


def by_hand(after: float, variance: float) -> Learnt:
    """Four rows of noise 0.1 that one multiplier of the whole step left this far off."""
    size = np.ones(4)
    fit = Fit(np.zeros(1), np.array([[variance]]), size)
    return Learnt(
        ("slowness",), fit, np.array([0.1]), 0.1 * size, np.ones((4, 1)), after * size, after * size
    )


@pytest.mark.parametrize(
    ("after", "scatter"),
    [
        # (20 + 4 z^2) / (20 + 4): as far as usual; twice as far; a row three deviations off or more counts as three.
        (0.1, 1.0),
        (0.2, (36 / 24) ** 0.5),
        (5.0, (56 / 24) ** 0.5),
    ],
)
def test_scatter_is_drawn_to_the_usual_one(after: float, scatter: float) -> None:
    assert by_hand(after, 0.0).scatter(20.0) == pytest.approx(scatter)


def test_scatter_counts_the_rows_that_are_left_free() -> None:
    # Each of four rows is 0.002 / 0.1^2 = 0.2 of its own prediction: 3.2 of them are free.
    assert by_hand(0.0, 0.002).scatter(20.0) == pytest.approx((20 / 23.2) ** 0.5)


def test_what_is_left_of_a_row_without_itself_by_hand() -> None:
    found = by_hand(0.1, 0.002)
    assert found.alone == pytest.approx(np.full(4, 0.1 / 0.8))
    assert found.left_open == pytest.approx(0.002**0.5)
    assert found.deviations == pytest.approx([0.002**0.5])
