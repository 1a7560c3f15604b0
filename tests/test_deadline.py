"""The count that a deadline needs where the layout is open too: fewest nodes, whole batches, and no way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from estimator import Case, Estimate, Presets, Run, ask, evaluate
from estimator.answer import sized
from estimator.arrays import array
from estimator.deadline import nodes_in_time
from estimator.lower import lower
from estimator.plan import Plan, plan, planned

PRESETS = Presets()
DAY = 86400.0
QUESTIONS: dict[str, dict[str, Any]] = {
    "bare count": {"params": 65e9, "within": "30 days"},
    "small": {"params": 7e9, "within": "3 days"},
    "mixture": {"model": "mixtral-8x7b", "within": "20 days", "tokens": "5T"},
    "degrees given": {"model": "llama-65b", "within": "30 days", "tp": 8, "pp": 5, "zero": 1},
    "much memory": {"params": 1e12, "tokens": "1B", "within": "300 days", "on": "nvidia-a100-sxm-40gb"},
}


def enough(question: dict[str, Any], count: float) -> bool:
    """Tell whether a run finishes in time and fits on so many accelerators, in the layout that is found there."""
    case = lower(Run.read(question, PRESETS), PRESETS)
    found = evaluate(sized(case.with_columns({"count": array(count)})))
    fits = bool(found.fits) or np.isinf(float(found.fewest_accelerators.value))
    return fits and bool(found.wall_clock.value <= case.columns["within"])


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_count_found_is_enough_and_a_step_less_is_not(name: str) -> None:
    question = QUESTIONS[name]
    case = lower(Run.read(question, PRESETS), PRESETS)
    nodes, in_time, _ = nodes_in_time(case)
    count, step = float(nodes) * 8, 8 * (5 if "pp" in question else 1)
    assert bool(in_time)
    assert count % step == 0
    assert enough(question, count)
    assert count == step or not enough(question, count - step)


def asked(**question: Any) -> Estimate:
    return ask(Run.read({"params": 70e9, "within": "30 days", **question}, PRESETS), PRESETS)


@pytest.mark.parametrize("batch", [1024, 1536, 1000, 960])
def test_a_batch_that_is_given_divides_over_the_count_that_is_found(batch: int) -> None:
    found = asked(global_batch=batch)
    replicas = float(found.count.value / (found.tp.value * found.pp.value * found.cp.value))
    assert batch % (replicas * float(found.micro_batch.value)) == 0
    assert found.wall_clock.value <= 30 * DAY
    assert found.case.notes == ()


def test_a_batch_that_is_too_small_for_the_time_is_told_and_the_count_stays_within_bounds() -> None:
    found = asked(global_batch=8, tokens="10T")
    late = "no count finishes in that time: more accelerators hardly shorten the run"
    assert f"{late}, and a batch of 8 sequences is shared out evenly by few counts" in found.case.notes
    assert found.wall_clock.value > 30 * DAY
    assert (
        found.count.value <= 8 * 8 * 32 * 8
    )  # eight sequences, and at most tensor 8 and pipeline 32 for each


def test_the_range_of_the_count_is_none() -> None:
    """The count is what is asked for, and the time strays about the deadline."""
    found = asked()
    assert (
        float(found.wall_clock.low) < float(found.wall_clock.value) <= 30 * DAY < float(found.wall_clock.high)
    )
    assert found.case.origins["count"].kind == "derived"


def test_questions_in_a_row_get_each_the_count_it_gets_alone() -> None:
    """One has no way out and ends early, while others go on."""
    case = lower(
        Run.read({"params": 70e9, "within": "30 days", "global_batch": 8, "tokens": "10T"}, PRESETS), PRESETS
    )
    tokens = np.array([1e9, 1e10, 1e11, 1e13, 3e12])
    together = nodes_in_time(case.with_columns({"tokens": tokens, "within": np.full(5, 30 * DAY)}))
    for place, each in enumerate(tokens):
        alone = nodes_in_time(case.with_columns({"tokens": array(each)}))
        assert [float(np.asarray(column)[place]) for column in together[:2]] == [
            float(value) for value in alone[:2]
        ]
    assert 0.0 < np.mean(together.in_time) < 1.0


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_layout_of_the_count_found_is_that_of_the_count_when_asked_for(name: str) -> None:
    case = lower(Run.read(QUESTIONS[name], PRESETS), PRESETS)
    found = sized(case)
    again = planned(case.with_columns({"count": found.columns["count"]}))
    assert {name: float(again.columns[name]) for name in case.free} == {
        name: float(found.columns[name]) for name in case.free
    }
    assert (again.words["sharding"], again.unknowns) == (found.words["sharding"], found.unknowns)
    assert {each: again.origins[each] for each in case.free} == {
        each: found.origins[each] for each in case.free
    }


def test_questions_in_a_row_get_each_the_layout_it_gets_alone() -> None:
    case = lower(Run.read({"params": 70e9, "within": "30 days"}, PRESETS), PRESETS)
    tokens = np.array([1e9, 3e12, 1e11])
    together = sized(case.with_columns({"tokens": tokens}))
    for place, each in enumerate(tokens):
        alone = sized(case.with_columns({"tokens": array(each)}))
        for name in ("count", *case.free):
            assert np.broadcast_to(together.columns[name], 3)[place] == alone.columns[name], name


def test_a_batch_beyond_those_on_record_is_no_way_to_meet_a_deadline() -> None:
    case = lower(Run.read({"params": 70e9, "within": "6 hours", "goodput": 1}, PRESETS), PRESETS)
    usual = float(case.columns["global_batch"])
    found = sized(case)
    assert "no count finishes in that time: more accelerators hardly shorten the run" in found.notes
    assert usual < float(found.columns["global_batch"]) <= 8 * usual
    # With sixteen times the batch there are cards enough.
    large = sized(
        lower(
            Run.read({"params": 70e9, "within": "6 hours", "global_batch": 16384, "goodput": 1}, PRESETS),
            PRESETS,
        )
    )
    assert float(evaluate(large).values["wall_clock"]) <= 6 * 3600
    assert not any("no count" in note for note in large.notes)


@pytest.mark.parametrize("name", QUESTIONS)
def test_few_rounds_are_enough(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round evaluates all legal layouts of the counts tried, which is most of the time of an answer."""
    rounds: list[int] = []

    def _counted(case: Case) -> Plan:
        rounds.append(np.size(case.columns["count"]))
        return plan(case)

    monkeypatch.setattr("estimator.deadline.plan", _counted)
    nodes_in_time(lower(Run.read(QUESTIONS[name], PRESETS), PRESETS))
    assert len(rounds) <= 4
    assert max(rounds) <= 4


def test_a_chip_whose_peak_is_not_known_ends_the_search() -> None:
    case = lower(Run.read({"params": 7e9, "within": "3 days"}, PRESETS), PRESETS)
    nodes, in_time, _ = nodes_in_time(case.with_columns({"peak": array(np.nan)}))
    assert (float(nodes), bool(in_time)) == (1.0, False)


def test_more_nodes_than_interruptions_leave_time_for_are_not_taken() -> None:
    """Beyond one interruption in each restart the run takes longer: 1 / (0.00512 a day x 10 minutes) nodes."""
    case = lower(Run.read({"params": 1e13, "tokens": "200T", "within": "30 days"}, PRESETS), PRESETS)
    found = sized(case)
    assert float(found.columns["in_time"]) == 0.0
    nodes = float(found.columns["count"]) / 8
    assert nodes == pytest.approx(1 / (0.00512 / 86400 * 600), rel=0.2)
    fewer, more = (found.columns["count"] * factor for factor in (0.25, 8.0))
    time = {
        float(count): float(evaluate(found.with_columns({"count": count})).values["wall_clock"])
        for count in (fewer, found.columns["count"], more)
    }
    assert min(time, key=time.__getitem__) == float(found.columns["count"])


def test_a_deadline_is_met_with_what_interruptions_take() -> None:
    question = {"params": 70e9, "tokens": "15T", "within": "30 days", "mfu": 0.4}
    plain, often = (
        sized(lower(Run.read({**question, **more}, PRESETS), PRESETS))
        for more in ({"goodput": 1}, {"failures": "0.01 1/node/day", "restart_time": "20 minutes"})
    )
    assert float(often.columns["count"]) > float(plain.columns["count"])
    assert float(evaluate(often).values["wall_clock"]) <= 30 * 86400
    assert float(evaluate(often).values["goodput"]) < 0.95
