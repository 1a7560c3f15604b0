"""Questions about scaling: fits, extrapolation, losses, recorded series, and every fault in its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator.errors import EstimatorError, QuestionError
from estimator.inputs.scaling import ScalingQuestion
from estimator.presets import Presets
from estimator.scaling import ScalingAnswer, ask_scaling, recorded_series, series_points

CFFF = ("1000:0.92", "10000:0.90")


def ask(*points: str, **given: Any) -> ScalingAnswer:
    return ask_scaling(ScalingQuestion.read({"point": points, **given}))


def by_law(answer: ScalingAnswer, place: int = 0) -> dict[str, float]:
    return {fit.law.name: float(fit.efficiency[place]) for fit in answer.laws}


def faults(given: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(QuestionError) as caught:
        ScalingQuestion.read(given)
    return caught.value.faults


def test_cfff_at_4000_and_20000() -> None:
    answer = ask(*CFFF, at=("4000", "20000"))
    assert by_law(answer) == pytest.approx(
        {"amdahl": 0.9547, "gustafson": 0.9100, "universal": 0.9547, "all_reduce": 0.9079, "power": 0.9079},
        abs=5e-5,
    )
    assert by_law(answer, 1) == pytest.approx(
        {"amdahl": 0.8082, "gustafson": 0.9100, "universal": 0.8082, "all_reduce": 0.8942, "power": 0.8941},
        abs=5e-5,
    )
    np.testing.assert_allclose(answer.efficiency.value, [0.9079, 0.8942], atol=5e-5)
    assert answer.extrapolated.tolist() == [False, True]
    assert any(
        "(1,000 to 10,000 accelerators) the range is the spread between laws" in n for n in answer.notes
    )


def test_residuals_are_fit_minus_point_and_their_rms() -> None:
    fit = next(fit for fit in ask(*CFFF).laws if fit.law.name == "gustafson")
    share = fit.parameters["serial_share"]
    expected = np.array([1 - share * 999 / 1000 - 0.92, 1 - share * 9999 / 10000 - 0.90])
    np.testing.assert_allclose(fit.residuals, expected, atol=1e-12)
    assert fit.residual == pytest.approx(np.sqrt(np.mean(expected**2)))


def test_the_loss_in_cards_and_money() -> None:
    answer = ask("1000:0.92", at="1000", price="2 USD/gpu/hour", wall_clock="10 days")
    loss = answer.loss
    assert loss.per_hour
    assert loss.in_all
    assert loss.currency == "USD"
    assert float(loss.accelerators.value[0]) == pytest.approx(80)
    assert float(loss.per_hour.value[0]) == pytest.approx(160)
    assert float(loss.in_all.value[0]) == pytest.approx(160 * 240)


def test_the_most_is_lost_where_the_least_is_kept() -> None:
    answer = ask(*CFFF, at="20000", price="2 USD/gpu/hour")
    assert answer.loss.per_hour
    assert answer.loss.in_all is None
    for ends in (answer.loss.accelerators, answer.loss.per_hour):
        assert ends.low[0] < ends.value[0] < ends.high[0]
    assert float(answer.loss.accelerators.high[0]) == pytest.approx(
        20000 * (1 - float(answer.efficiency.low[0]))
    )


def test_without_a_price_no_money() -> None:
    assert ask("1000:0.92").loss.per_hour is None


def test_a_mode_leaves_out_the_law_that_is_not_for_it() -> None:
    strong, weak = ask(*CFFF, mode="strong"), ask(*CFFF, mode="Weak")
    assert "gustafson" not in by_law(strong)
    assert strong.left_out == {
        "gustafson": "is for work that grows with the accelerators, and --mode strong was given"
    }
    assert "amdahl" not in by_law(weak)
    assert weak.left_out == {"amdahl": "is for fixed work, and --mode weak was given"}


def test_laws_with_too_many_parameters_are_left_out_and_said_so() -> None:
    answer = ask("1000:0.92", at="4000")
    assert set(by_law(answer)) == {"amdahl", "gustafson"}
    assert answer.left_out == {
        "universal": "needs points at 2 counts beyond the base, and there is 1",
        "all_reduce": "needs points at 2 counts beyond the base, and there is 1",
        "power": "needs points at 2 counts, and there is 1",
    }


def test_without_counts_the_answer_is_at_the_points() -> None:
    assert ask("10000:0.90", "1000:0.92", "1000:0.91").at.tolist() == [1000, 10000]


def test_a_count_may_be_measured_twice() -> None:
    fit = ask("1000:0.92", "1000:0.90", at="1000")
    assert float(fit.efficiency.value[0]) == pytest.approx(0.91, abs=1e-3)


def test_the_base_is_where_nothing_is_lost() -> None:
    answer = ask("64:0.9", base="8", at="8")
    assert float(answer.efficiency.value[0]) == 1
    # By hand: 64 are 8 times the base, so 1 / 0.9 - 1 = 7 f.
    assert answer.laws[0].parameters["serial_share"] == pytest.approx((1 / 0.9 - 1) / 7)
    assert not any("--base" in note for note in answer.notes)
    assert (
        "the base, where the efficiency is 1, is 1 accelerator here; change it with --base"
        in ask("64:0.9").notes
    )


def test_rising_efficiency_is_said() -> None:
    rising = ask("1000:0.8", "10000:0.9")
    assert rising.notes[1] == (
        "the efficiency rises with the accelerators in these points; every law here falls or stays, so a fit "
        "takes the rise for scatter"
    )
    assert "the fits show no loss at all" in ask("1000:1", "2000:1").notes


def test_laws_worse_than_a_constant_are_named() -> None:
    assert (
        "worse than a constant at the points themselves: Amdahl, universal; "
        "counted only in the range beyond the points" in ask(*CFFF).notes
    )


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("1000:92", "--point: in '1000:92', an efficiency of 92 is more than 1; write 1000:0.92 or 1000:92%"),
        (
            "1000:1.2",
            "--point: in '1000:1.2', an efficiency of 1.2 is more than 1; "
            "write accelerators:efficiency, like 1000:0.92 or 1000:92%",
        ),
        ("1000", "--point: '1000' is not a point; write accelerators:efficiency, like 1000:0.92 or 1000:92%"),
        ("nan", "--point: 'nan' is not a point; write accelerators:efficiency, like 1000:0.92 or 1000:92%"),
        ("1:2:3", "--point: '1:2:3' is not a point; write accelerators:efficiency, like 1000:0.92 or 1000:92%"),
        ("0:0.9", "--point: in '0:0.9', '0' must be more than zero"),
        ("nan:0.9", "--point: in 'nan:0.9', 'nan' is not a number"),
        ("1000:nan", "--point: in '1000:nan', 'nan' is not a number"),
        ("1000:0", "--point: in '1000:0', '0' must be more than zero"),
        ("1000:1e-320", "--point: in '1000:1e-320', an efficiency of 9.99989e-321 is less than makes sense here"),
        ("1.5:0.9", "--point: in '1.5:0.9', '1.5' is not a whole number of accelerators"),
        ("1e9:0.9", "--point: in '1e9:0.9', '1e9' is more than makes sense here"),
        ("inf:0.9", "--point: in 'inf:0.9', 'inf' is more than makes sense here"),
        (":0.9", "--point: in ':0.9', '' is not a count; write it like 65e9, 65B or 1.4T"),
        ("1000:x", "--point: in '1000:x', 'x' is not a share; write it like 0.45 or 45%"),
        ("1:0.9", "--point: 1 accelerators are the base, where the efficiency is 1 and not 0.9; "
                  "leave the point out or set a smaller --base"),
        ("1:1", "--point: every point is at the base of 1; give one at more accelerators"),
    ],
)  # fmt: skip
def test_faults_of_a_point(given: str, fault: str) -> None:
    assert faults({"point": (given,)}) == (fault,)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"at": ("0",)}, "--at: '0' must be more than zero"),
        ({"at": ("many",)}, "--at: 'many' is not a count; write it like 65e9, 65B or 1.4T"),
        ({"base": "-1"}, "--base: '-1' must be more than zero"),
        (
            {"mode": "medium"},
            "--mode: 'medium' is not known; choose strong (a fixed batch) or weak (a growing one)",
        ),
        (
            {"price": "16 USD/node/hour"},
            "--price: '16 USD/node/hour' is not per accelerator, in which a loss is counted; "
            "write it like '2 USD/gpu/hour'",
        ),
        (
            {"price": "2 USD/hour"},
            "--price: '2 USD/hour' does not say what it is per; write '2 USD/gpu/hour' or '16 USD/node/hour'",
        ),
        ({"price": "0 USD/gpu/hour"}, "--price: '0 USD/gpu/hour' must be more than zero"),
        (
            {"price": "2 USD/gpu/hour", "wall_clock": "30"},
            "--wall-clock: '30' has no unit; write it like '30 days'",
        ),
        (
            {"wall_clock": "30 days"},
            '--wall-clock: a time alone gives no money; give --price too, like "2 USD/gpu/hour"',
        ),
        ({"series": "x"}, "--point and --series contradict each other; give one of them"),
        (
            {"base": "2000"},
            "--point: 1,000 accelerators are fewer than the base of 2,000; set a smaller --base",
        ),
        (
            {"base": "100", "at": ("50",)},
            "--at: 50 accelerators are fewer than the base of 100, below which no law holds",
        ),
        ({"points": "x"}, "there is no input 'points'; did you mean 'point'?"),
    ],
)
def test_faults_beside_a_point(given: dict[str, Any], fault: str) -> None:
    assert faults({"point": ("1000:0.92",), **given}) == (fault,)


def test_nothing_to_fit() -> None:
    assert faults({}) == (
        "nothing to fit: give points like --point 1000:0.92, or --series (see: estimate scale --list)",
    )


def test_all_faults_at_once() -> None:
    assert len(faults({"point": ("1000:92", "nan"), "at": ("0",), "price": "2", "mode": "x"})) == 5


def test_a_question_reads_back() -> None:
    given = {"point": ("1000:92%",), "at": ("4k",), "base": "8", "mode": "weak", "price": "2 CNY/gpu/hour",
             "wall_clock": "30 days"}  # fmt: skip
    question = ScalingQuestion.read(given)
    assert ScalingQuestion.read(question.write()) == question


def test_a_recorded_series_has_its_base_and_source() -> None:
    answer = ask_scaling(ScalingQuestion.read({"series": "internevo_7b_tp1_zero1-1", "at": ("4096",)}))
    assert answer.points.base == 8
    assert answer.points.count.tolist() == [8, 16, 32, 64, 128, 256, 512, 1024]
    assert answer.points.source
    assert "InternEvo" in answer.points.source.title
    # Amdahl's law by hand: the sum of (1/E - 1)(n - 1) over that of (n - 1) squared, n over the base.
    others = answer.points.count / 8 - 1
    share = np.sum((1 / answer.points.efficiency - 1) * others) / np.sum(others**2)
    assert answer.laws[0].parameters["serial_share"] == pytest.approx(float(share))


def series_fault(name: str, **given: Any) -> str:
    with pytest.raises(EstimatorError) as caught:
        ask_scaling(ScalingQuestion.read({"series": name, **given}))
    return str(caught.value)


def test_an_unknown_series_names_the_near_misses() -> None:
    fault = series_fault("palm_540b_pod")
    assert fault == "--series: no recorded series is called 'palm_540b_pod'; did you mean 'palm_540b_pods'?"
    assert series_fault("zzz") == "--series: no recorded series is called 'zzz'; see: estimate scale --list"


def test_a_series_that_says_nothing_beyond_its_base() -> None:
    assert series_fault("megascale_175b") == (
        "--series: 'megascale_175b' records no efficiency beyond a base; see: estimate scale --list"
    )


def test_a_series_has_a_base_of_its_own() -> None:
    assert faults({"series": "palm_540b_pods", "base": "8"}) == (
        "--base: a recorded series has a base of its own; leave --base out",
    )
    assert series_fault("palm_540b_pods", at=("100",)) == (
        "--at: 100 accelerators are fewer than the base of 3,072, below which no law holds"
    )


def test_a_series_above_one_is_said() -> None:
    answer = ask_scaling(ScalingQuestion.read({"series": "mpt_70b_2048_h100_80gb_amp_bf16"}))
    assert any("4 of 5 points lie above 1" in note for note in answer.notes)
    assert "the fits show no loss at all" in answer.notes


@pytest.mark.parametrize("name", sorted(recorded_series(Presets())))
def test_every_recorded_series_fits_or_says_that_it_cannot(name: str) -> None:
    if series_points(recorded_series(Presets())[name]) is None:
        assert "records no efficiency" in series_fault(name)
        return
    answer = ask_scaling(ScalingQuestion.read({"series": name}))
    assert np.all((answer.efficiency.low > 0) & (answer.efficiency.high <= 1))


def test_a_series_of_ones_own(tmp_path: Path) -> None:
    table = tmp_path / "measurements" / "scaling.csv"
    table.parent.mkdir()
    table.write_text(
        "series_id,source,n,efficiency_vs_base,base_n\nours,us,8,1,8\nours,us,64,0.9,8\nours,us,,,\n"
    )
    (table.parent / "sources.toml").write_text('[sources.us]\ntitle = "Our runs"\npublisher = "us"\n')
    answer = ask_scaling(ScalingQuestion.read({"series": "ours"}), Presets((tmp_path,)))
    assert answer.points.count.tolist() == [8, 64]
