"""Is a measured throughput normal: its place, its like, and what would explain it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from estimator import Run, ask
from estimator.check import Checked, check, culprits, percentile, read_throughput, read_time
from estimator.errors import QuestionError
from estimator.estimate import Amount, Estimate
from estimator.presets import Presets

QUESTION = {
    "model": "llama-2-7b", "on": "a100-sxm-80gb", "count": 64, "global_batch": 512, "micro_batch": 2, "tp": 1, "pp": 1,
    "zero": 3, "recompute": "full", "tokens": "1T", "stack": "fsdp",
}  # fmt: skip
AMPLE = {"model": "llama-2-7b", "on": "a100-sxm-80gb", "count": 64}


@pytest.fixture(scope="module")
def predicted() -> Estimate:
    return ask(Run(**QUESTION))


def checked(times: float, predicted: Estimate, **more: Any) -> Checked:
    speed = float(predicted.throughput_per_accelerator.value) * times
    return check(Run(**{**QUESTION, **more}), tokens_per_second=repr(speed))


def test_what_is_predicted_is_normal(predicted: Estimate) -> None:
    found = checked(1.0, predicted)
    assert (found.place, found.percentile, found.ratio) == ("inside", pytest.approx(0.5), pytest.approx(1.0))
    assert found.warnings == []


@pytest.mark.parametrize(("times", "place"), [(0.5, "below"), (2.0, "above")])
def test_what_is_far_away_is_not(predicted: Estimate, times: float, place: str) -> None:
    found = checked(times, predicted)
    assert found.place == place
    assert (found.percentile < 0.1) == (place == "below")


def test_a_step_time_is_a_throughput(predicted: Estimate) -> None:
    time = float(predicted.step_time.value)
    found = check(Run(**QUESTION), step_time=f"{time!r} s")
    assert found.measured == pytest.approx(float(predicted.throughput_per_accelerator.value))


def test_percentiles_are_those_of_two_halves_of_a_normal() -> None:
    amount = Amount("x", "1", np.float64(100.0), np.float64(80.0), np.float64(150.0), {})
    # One deviation away is where the logarithm is 1 / 1.2816 of the way to the end.
    for value, share in ((80.0, 0.1), (150.0, 0.9), (100.0, 0.5)):
        assert percentile(amount, value) == pytest.approx(share)
    assert percentile(amount, 100.0 * 1.5 ** (1 / 1.2815515655446004)) == pytest.approx(0.841345, abs=1e-6)


def test_without_a_range_all_others_are_on_one_side() -> None:
    amount = Amount("x", "1", np.float64(100.0), np.float64(100.0), np.float64(100.0), {})
    assert [percentile(amount, value) for value in (99.0, 100.0, 101.0)] == [0.0, 0.5, 1.0]


def parts(predicted: Estimate, **times: float) -> Estimate:
    """An estimate of a step of 10 s that has these parts and no others."""
    found = {name: np.float64(time) for name, time in times.items()}
    values = {
        **predicted.values,
        "step_time": np.float64(10.0),
        "throughput_per_accelerator": np.float64(100.0),
    }
    return dataclasses.replace(predicted, values=values, parts={"step_time": found})


def test_parts_that_explain_a_slow_step_by_hand(predicted: Estimate) -> None:
    step = parts(predicted, matrix_products=8.0, sharding=2.0, overhead=0.001)
    found = culprits(step, 80.0, {"matrix_products": 0.1, "sharding": 0.7, "other": 1.0})
    # 100 / 80 of 10 s are 2.5 s more: 4.5 s for 2 s, or 10.5 s for 8 s; ln 2.25 / 0.7 and ln 1.3125 / 0.1 deviations.
    assert [each.part for each in found] == ["sharding", "matrix_products"]
    assert [each.times for each in found] == pytest.approx([2.25, 1.3125])
    assert [each.deviations for each in found] == pytest.approx([1.158472, 2.719337], abs=1e-6)
    assert [each.share for each in found] == pytest.approx([0.2, 0.8])


def test_a_part_cannot_take_less_than_nothing(predicted: Estimate) -> None:
    step = parts(predicted, matrix_products=8.0, sharding=2.0)
    found = culprits(step, 150.0, {"other": 0.5})
    # 10 s in two thirds of the time are 3.33 s less, more than sharding has.
    assert [(each.part, each.times) for each in found] == [("matrix_products", pytest.approx(7.0 / 12.0))]


def test_every_part_of_a_step_has_its_own_spread(predicted: Estimate) -> None:
    spreads = Presets().load("assumptions", "own-steps").figures
    assert set(predicted.parts["step_time"]) <= set(spreads)


def test_like_rows_are_those_of_the_architecture_precision_and_sparsity(predicted: Estimate) -> None:
    found = checked(0.5, predicted).alike
    assert found.levels == {"architecture": "ampere", "precision": "bf16", "experts": "no"}
    assert len(found.ratios) > 50
    assert found.below < 0.05
    assert checked(2.0, predicted).alike.below > 0.95
    assert found.quantile(0.1) < found.quantile(0.5) < found.quantile(0.9)
    assert 0.9 < found.quantile(0.5) < 1.1


def test_where_few_rows_are_like_a_run_others_count_too() -> None:
    precision = check(Run(**{**AMPLE, "precision": "tf32"}), tokens_per_second="1500").alike
    assert precision.levels == {"architecture": "ampere", "experts": "no"}
    chip = check(Run(**{**AMPLE, "on": "mi300x"}), tokens_per_second="5000").alike
    assert chip.levels == {"experts": "no"}
    assert len(chip.ratios) > len(precision.ratios)


@pytest.mark.parametrize(
    ("factor", "what"),
    [
        (64.0, "tokens a second of the whole run"),
        (8.0, "tokens a second of a node"),
        (1 / 4096, "sequences a second of one accelerator"),
        (64 / 4096, "sequences a second of the whole run"),
    ],
)
def test_another_unit_is_suspected(predicted: Estimate, factor: float, what: str) -> None:
    (warning,) = checked(factor, predicted).warnings
    speed = float(predicted.throughput_per_accelerator.value)
    assert (
        f"times what is predicted; are these {what}? Then one accelerator reaches {speed:,.0f}: give"
        in warning
    )
    assert warning.endswith(f"--tokens-per-second {speed:.6g}")


def test_more_than_the_peak_is_told() -> None:
    run = Run(**{**AMPLE, "count": 1, "on": "b200", "params": 1e9, "model": None, "seq": 2048})
    speed = float(ask(run).throughput_per_accelerator.value)
    (warning,) = check(run, tokens_per_second=repr(speed * 40)).warnings
    assert " token/s of one accelerator would be " in warning
    assert warning.endswith(" times its peak")


def test_what_was_learnt_from_own_steps_counts(predicted: Estimate, tmp_path: Any) -> None:
    from estimator.calibrate import calibrate

    from .own_steps import file, several

    mine = tmp_path / "mine.toml"
    rows = several(6, zero_stage=3, framework="fsdp")
    mine.write_text(calibrate(file(tmp_path, rows, 0.6)).write(), encoding="utf-8")
    without, own = (checked(0.62, predicted, **more) for more in ({}, {"calibration": str(mine)}))
    assert (without.place, own.place) == ("below", "inside")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "nothing was measured: give --tokens-per-second (of one accelerator) or --step-time"),
        (
            {"tokens_per_second": "1", "step_time": "1 s"},
            "two things were measured: give --tokens-per-second (of one accelerator) or --step-time",
        ),
        (
            {"step_time": "1 s"},
            "--step-time says nothing without its sequences; give --global-batch too\n"
            "--step-time says nothing without its accelerators; give --count or --nodes too",
        ),
    ],
)
def test_one_thing_is_measured(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(QuestionError) as caught:
        check(Run(params=7e9), **given)
    assert str(caught.value) == fault


def test_the_accelerators_of_a_measured_step_are_not_guessed(predicted: Estimate) -> None:
    time = {"step_time": f"{float(predicted.step_time.value)!r} s"}
    open_ = {name: value for name, value in QUESTION.items() if name != "count"}
    with pytest.raises(QuestionError) as caught:
        check(Run(**open_), **time)
    assert (
        str(caught.value) == "--step-time says nothing without its accelerators; give --count or --nodes too"
    )
    assert check(Run(**open_, nodes=8), **time).ratio == pytest.approx(1.0)


def test_what_is_checked_is_not_given() -> None:
    with pytest.raises(QuestionError) as caught:
        check(Run(params=7e9, mfu=0.4), tokens_per_second="3200")
    assert str(caught.value) == "--mfu says how fast the run is, and that is what is checked; leave it out"


HOW = "write tokens a second of one accelerator, like 3200"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("45%", f"'45%' is a share, and an MFU is no throughput; {HOW}"),
        ("fast", f"'fast' is no throughput; {HOW}"),
        ("3200 W", f"'3200 W' is no throughput; {HOW}"),
        ("0", f"'0' is not more than zero; {HOW}"),
        ("-3200", f"'-3200' is not more than zero; {HOW}"),
        ("nan", f"'nan' is not a number; {HOW}"),
        ("1e999", f"'1e999' is more than 1e+12, the most that makes sense here; {HOW}"),
        ("1e13", f"'1e13' is more than 1e+12, the most that makes sense here; {HOW}"),
        ("1e-9", f"'1e-9' is less than 1e-06, the least that makes sense here; {HOW}"),
    ],
)
def test_what_is_no_throughput_is_told(text: str, fault: str) -> None:
    with pytest.raises(QuestionError) as caught:
        read_throughput(text)
    assert str(caught.value) == f"--tokens-per-second: {fault}"


@pytest.mark.parametrize(
    ("text", "speed"),
    [
        ("3200", 3200.0),
        ("3.2k", 3200.0),
        ("3200 tokens/s", 3200.0),
        ("3200 token/s/gpu", 3200.0),
        ("3,200", 3200.0),
    ],
)
def test_throughput_is_read_as_it_is_written(text: str, speed: float) -> None:
    assert read_throughput(text) == speed


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("12", "'12' has no unit; write it like '12 s'"),
        ("0 s", "'0 s' is not more than zero; write it like '12 s'"),
        ("100 years", "'100 years' is more than 1e+09, the most that makes sense here; write it like '12 s'"),
        ("1e-9 s", "'1e-9 s' is less than 1e-06, the least that makes sense here; write it like '12 s'"),
    ],
)
def test_what_is_no_time_is_told(text: str, fault: str) -> None:
    with pytest.raises(QuestionError) as caught:
        read_time(text)
    assert str(caught.value) == f"--step-time: {fault}"
