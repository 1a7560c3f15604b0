"""A gain in efficiency that is given: the speed of the model times it, and nothing else."""

from __future__ import annotations

import pytest

from estimator import QuestionError, Run, ask
from estimator.compare import compare
from estimator.report.document import fit_warnings

QUESTION = {"params": 65e9, "on": "huawei-ascend-910b2", "count": 1024}


def test_operators_twice_as_good_halve_the_time_of_the_same_layout() -> None:
    plain, doubled = ask(Run(**QUESTION)), ask(Run(**QUESTION, efficiency_gain=2))
    assert doubled.step_time.value == pytest.approx(plain.step_time.value / 2, rel=1e-12)
    assert doubled.mfu.value == pytest.approx(2 * plain.mfu.value, rel=1e-12)
    for name in ("tp", "pp", "zero", "recompute", "global_batch"):
        assert doubled.case.columns[name] == plain.case.columns[name]
    assert sum(doubled.step_time.parts.values()) == pytest.approx(float(doubled.step_time.value))
    assert doubled.memory.value == plain.memory.value
    assert doubled.scaling_efficiency.value == pytest.approx(plain.scaling_efficiency.value)


def test_the_ratio_to_the_same_question_without_it_is_sure() -> None:
    found = compare([QUESTION, {**QUESTION, "efficiency_gain": 3}]).ratio(1, "throughput")
    assert found is not None
    assert [found.value, found.low, found.high] == pytest.approx([3.0, 3.0, 3.0])


def test_a_scaling_efficiency_that_is_given_stays() -> None:
    plain, doubled = (ask(Run(**QUESTION, scaling_efficiency=0.5, efficiency_gain=gain)) for gain in (1, 2))
    assert doubled.throughput.value == pytest.approx(2 * plain.throughput.value)
    assert doubled.scaling_efficiency.value == pytest.approx(0.5)


def test_an_mfu_that_is_given_holds_it_already() -> None:
    with pytest.raises(QuestionError) as found:
        Run(**QUESTION, mfu=0.3, efficiency_gain=2)
    assert str(found.value) == "--mfu and --efficiency-gain contradict each other; give one of them"


def test_more_than_the_cards_can_do_is_told() -> None:
    found = ask(Run(**QUESTION, efficiency_gain=4))
    assert fit_warnings(found) == [
        f"an MFU of {float(found.mfu.value) * 100:.3g} % is more than the cards can do; give a smaller "
        "--efficiency-gain"
    ]
    assert fit_warnings(ask(Run(**QUESTION, efficiency_gain=1.5))) == []


@pytest.mark.parametrize("given", ["0", "-1", "twice", "50%"])
def test_what_is_no_gain_is_refused(given: str) -> None:
    with pytest.raises(QuestionError, match=r"^--efficiency-gain: "):
        Run(**QUESTION, efficiency_gain=given)
