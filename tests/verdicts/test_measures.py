"""What a check measures and solves for: each kind beside the same asked in another way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Presets, Run, ask
from estimator.claims import Claim, load
from estimator.inputs.scaling import ScalingQuestion
from estimator.scaling import ask_scaling
from estimator.solving.search import Points
from estimator.solving.solve import solve
from estimator.verdicts.bench import Asked, Bench
from estimator.verdicts.measures import measure, measure_each
from estimator.verdicts.relations import RELATIONS, bounds
from estimator.verdicts.solves import by_power, meet

PRESETS = Presets()
QUESTION = {"params": "7B", "tokens": "1T", "on": "nvidia-h100-sxm-80gb", "count": 256}


def bench(presets: Presets = PRESETS) -> Bench:
    claim: Claim = next(each for each in load(presets) if each.id == "C4")
    return Bench(claim, presets, Asked({}, {}, {}))


def test_a_question_is_what_anybody_is_answered() -> None:
    found = measure("here", {"question": QUESTION, "quantity": "cost"}, bench())
    answer = ask(Run(**QUESTION)).cost
    assert (found.value, found.low, found.high, found.unit) == pytest.approx(
        (float(answer.value), float(answer.low), float(answer.high), "USD")
    )
    assert found.run == Run(**QUESTION)


def test_a_question_is_asked_once() -> None:
    desk = bench()
    first = measure("here", {"question": QUESTION, "quantity": "cost"}, desk)
    second = measure("here", {"question": {**QUESTION, "params": 7e9}, "quantity": "energy"}, desk)
    assert second.estimate is first.estimate


def test_a_ratio_of_two_answers_shares_what_both_do_not_know() -> None:
    asks = {"question": QUESTION, "quantity": "wall_clock", "against": {"tokens": "500B"}}
    found = measure("here", asks, bench())
    assert found.value == pytest.approx(2.0)
    assert found.high / found.low < 1.01


def test_a_question_may_be_fitted_to_a_recorded_figure() -> None:
    asks = {"question": QUESTION, "quantity": "tokens",
            "fit": {"input": "tokens", "flops": "runs/gpt-3-175b-davinci-epoch:training_compute"}}  # fmt: skip
    desk = bench()
    found = measure("here", asks, desk)
    flops = measure("here", {**asks, "quantity": "flops"}, desk)
    assert flops.value == pytest.approx(3.14e23, rel=1e-6)
    assert found.value == pytest.approx(
        solve({**QUESTION, "tokens": None}, "tokens", flops="3.14e23 FLOP").value, rel=1e-5
    )


def test_a_scaling_law_is_that_of_scale() -> None:
    asks = {
        "scaling": {
            "point": [["claims/A1:accelerators", "claims/A1:efficiency"]],
            "at": "claims/A2:accelerators",
        }
    }
    answer = ask_scaling(ScalingQuestion.read({"point": ["1000:0.92"], "at": ["10000"]})).efficiency
    found = measure("here", asks, bench())
    assert (found.value, found.low, found.high) == pytest.approx(
        (float(answer.value[0]), float(answer.low[0]), float(answer.high[0]))
    )


def test_a_formula_takes_the_ends_of_its_figures() -> None:
    """20e18 over 256e12, and over the 320e12 that others give for the same chip."""
    asks = {
        "formula": "compute_totals.accelerators_for_compute",
        "given": {"total": "20e18 OP/s", "peak": "accelerators/huawei-ascend-910:peak_fp16"},
    }
    found = measure("here", asks, bench())
    assert found.unit == "accelerator"
    assert (found.value, found.low, found.high) == pytest.approx((78125.0, 62500.0, 78125.0))


def test_factors_carry_their_units_and_ranges() -> None:
    asks = {"value": "nodes/nvidia-dgx-a100-640:purchase_price", "times": ["rates/CNY:2022", "2 node"]}
    found = measure("here", asks, bench())
    assert found.unit == "CNY"
    assert found.value == pytest.approx(2 * 167_000 * 6.734739)
    assert (found.low / found.value, found.high / found.value) == pytest.approx((1.0, 300 / 167))


@pytest.mark.parametrize(
    ("name", "aim"),
    [
        ("price", {"cost": "1e5 USD"}),
        ("mfu", {"cost": "1e5 USD"}),
        ("goodput", {"wall_clock": "30 days"}),
        ("tokens", {"wall_clock": "30 days"}),
        ("power", {"energy": "100 MWh"}),
        ("global_batch", {"step_time": "20 s"}),
    ],
)
def test_a_value_is_that_of_solve(name: str, aim: dict[str, str]) -> None:
    question = {key: value for key, value in QUESTION.items() if key != name}
    found = meet(question, name, PRESETS, aim)
    slow = solve(question, name, presets=PRESETS, **aim)
    assert found.found == (slow.status == "found")
    assert found.unit == slow.unit
    assert (found.value, found.low, found.high) == pytest.approx(
        (slow.value, *slow.range), rel=3e-4, nan_ok=True
    )


def made_of(law: Callable[[Any], Any]) -> Callable[[Any], Points]:
    """A quantity of which the ends are half and double, asked at any values."""
    return lambda values: Points(
        law(values), law(values) / 2.0, law(values) * 2.0, values, np.zeros(len(values))
    )


def test_a_power_is_solved_for_at_once() -> None:
    """x^2 = 36 at 6; its low end x^2 / 2 at 6 sqrt 2, its high end 2 x^2 at 6 / sqrt 2."""
    asked: list[int] = []

    def law(values: Any) -> Any:
        asked.append(len(values))
        return values * values

    found = by_power(made_of(law), 100.0, 36.0, (1.0, 1e4))
    assert found == pytest.approx((6.0, 6.0 / np.sqrt(2.0), 6.0 * np.sqrt(2.0)), rel=1e-12)
    assert asked == [2] * 3 + [3] * 3  # value, low and high of two looks


def test_a_power_that_changes_a_little_is_taken_anew() -> None:
    """x + x^2 / 1000 = 110 at 100."""
    found = by_power(made_of(lambda values: values + values * values / 1000.0), 300.0, 110.0, (1.0, 1e4))
    assert found
    assert found[0] == pytest.approx(100.0, rel=1e-6)


@pytest.mark.parametrize(
    "law",
    [
        lambda values: 0.0 * values + 7.0,  # it does not depend on the input
        lambda values: np.where(values > 50.0, 200.0, 20.0),  # a jump meets nothing
        lambda values: np.nan * values,
        lambda values: values * 1e9,  # it is met far below the bounds
    ],
)
def test_what_is_no_power_is_left_to_solve(law: Any) -> None:
    assert by_power(made_of(law), 100.0, 36.0, (1.0, 1e4)) is None


def test_numbers_in_place_of_a_figure_are_measured_as_one_by_one() -> None:
    name = "evidence/chatgpt-demand:answer"
    asks = {"serving": {"model": "gpt3-175b", "on": "nvidia-a100-sxm-80gb", "answer": name,
                        "visits_per_day": "evidence/guosheng-2023:visits",
                        "prompt": "evidence/chatgpt-demand:prompt"}, "quantity": "accelerators"}  # fmt: skip
    several = measure_each("here", asks, bench(), name, [100.0, 1000.0, 0.5])
    assert several[2] is None  # half a token is no answer
    assert several[:2] == [measure("here", asks, bench(), "", {name: each}) for each in (100.0, 1000.0)]


def test_a_value_out_of_bounds_is_none_as_in_solve() -> None:
    found = meet({**QUESTION}, "mfu", PRESETS, {"wall_clock": "1 hour"})
    assert not found.found
    assert np.isnan(found.value)


positive = st.floats(1e-6, 1e12)


@given(st.sampled_from(sorted(RELATIONS)), positive, st.floats(1.0, 10.0), st.floats(0.0, 0.5))
@settings(deadline=None)
def test_what_is_stated_agrees_with_itself(relation: str, stated: float, wider: float, within: float) -> None:
    found = bounds(relation, [stated, stated * wider], within)
    assert found.hold(stated) == (relation not in ("over", "under"))
    assert found.reach(stated / 2.0, stated * 2.0)


@given(st.sampled_from(sorted(RELATIONS)), positive, positive, st.floats(0.0, 0.5))
@settings(deadline=None)
def test_a_value_that_agrees_is_in_every_range_around_it(
    relation: str, stated: float, value: float, within: float
) -> None:
    found = bounds(relation, [stated], within)
    if found.hold(value):
        assert found.reach(value / 3.0, value * 2.0)
    assert bounds(relation, [stated * 1e3], within).hold(value * 1e3) == found.hold(value)


def test_an_own_folder_is_looked_up_before_ours(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "guosheng-2023.toml").write_text(
        'name = "mine"\n[sources.a]\ntitle = "t"\npublisher = "p"\n[figures]\n'
        'servers = { value = "10 node", source = "a", where = "x", kind = "stated" }\n',
        encoding="utf-8",
    )
    found = measure("here", {"value": "evidence/guosheng-2023:servers"}, bench(Presets((tmp_path,))))
    assert found.value == 10.0
