"""A batch that no layout shares out among all accelerators: how many work, why, and what would set all to work."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Estimate, Presets, Run, ask, search, solve, sweep
from estimator.case import Case
from estimator.idle import Nearest, nearest, options
from estimator.lower import lower
from estimator.report.layout import layout_page
from estimator.sweeps.cells import IDLE

PRESETS = Presets()


def asked(**question: Any) -> Estimate:
    return ask(Run.read({"model": "llama-7b", "tokens": "1T", "on": "h100", **question}, PRESETS), PRESETS)


def column(found: Estimate, name: str) -> float:
    return float(found.case.columns[name])


def working(found: Estimate) -> float:
    """Accelerators of the replicas that work."""
    size = column(found, "tp") * column(found, "pp") * column(found, "cp")
    return min(column(found, "count") // size, column(found, "replicas")) * size


def test_how_many_work_and_how_many_are_idle_is_told_first() -> None:
    # 1,000 is 8 * 125, and 125 divides no power of two: 64 replicas of 8 are the fastest of what is left.
    found = asked(count=1000, global_batch=256)
    assert found.case.notes == (
        "512 of 1,000 accelerators work and 488 are idle: no layout tried shares out 256 sequences evenly among all; "
        "here 64 replicas of 8 accelerators take up to 4 each; time and cost are of all 1,000; all would work with "
        "--global-batch 250 or 375, or --count 544 or 1024",
    )
    assert working(found) == 512
    assert found.case.words["sharding"] == "tensor 2, pipeline 4, interleaved 8, data 64, ZeRO-1"


def test_accelerators_that_wait_for_others_are_told() -> None:
    # 64 sequences on 13 cards: twelve take five and one takes four.
    found = asked(count=13, global_batch=64)
    assert found.case.notes == (
        "some of 13 accelerators wait for others in every step: no layout tried shares out 64 sequences evenly among "
        "all; here 13 replicas of 1 accelerator take up to 5 each; time and cost are of all 13; all would work with "
        "--global-batch 52 or 65, or --count 8 or 16",
    )
    # A step takes as long as one of 65 sequences, five for each.
    full = asked(count=13, global_batch=65)
    assert column(full, "tp") == column(found, "tp") == 1
    assert float(found.step_time.value) == pytest.approx(float(full.step_time.value), rel=1e-12)


def test_money_and_hours_are_of_all() -> None:
    found = asked(count=1000, global_batch=256)
    hours, wall = float(found.occupied_hours.value), float(found.wall_clock.value)
    assert hours == pytest.approx(1000 * wall, rel=1e-12)
    # What 512 cards with this batch would take, the 488 beside them being of no use.
    alone = asked(count=512, global_batch=256, tp=2, pp=4, vpp=8, zero=1, micro_batch=1, recompute="none",
                  sequence_parallel="on")  # fmt: skip
    ratio = float(found.step_time.value / alone.step_time.value)
    assert ratio == pytest.approx(float(found.case.columns["practice"]), rel=1e-9)
    assert float(found.memory.value) == pytest.approx(float(alone.memory.value), rel=1e-12)


def test_nodes_are_answered_in_nodes() -> None:
    (note,) = asked(nodes=125, count=None, global_batch=256).case.notes
    assert note.endswith("all would work with --global-batch 250 or 375, or --nodes 68 or 128")


@pytest.mark.parametrize("question", [{"count": 1024, "global_batch": 256}, {"count": 1000}, {"count": 13}])
def test_a_batch_that_divides_leaves_none_idle(question: dict[str, Any]) -> None:
    found = asked(**question)
    assert np.isinf(column(found, "replicas"))
    assert not any("idle" in note or "wait" in note for note in found.case.notes)


@given(st.integers(1, 2000), st.integers(1, 3000))
@settings(max_examples=12, deadline=None)
def test_what_is_proposed_sets_all_to_work(count: int, batch: int) -> None:
    found = asked(count=count, global_batch=batch)
    assert 0 < working(found) <= count
    note = next((note for note in found.case.notes if "all would work" in note), "")
    for name, text in re.findall(r"--(global-batch|count) (\d+(?: or \d+)?)", note):
        for value in map(int, text.split(" or ")):
            other = {"count": count, "global_batch": batch, name.replace("-", "_"): value}
            again = asked(**other)
            assert np.isinf(column(again, "replicas"))
            assert working(again) >= 0.99 * column(again, "count")


def test_a_deadline_is_met_by_a_count_that_works() -> None:
    found = ask(Run(params=70e9, on="h100", within="30 days", global_batch=1000))
    assert np.isinf(float(found.case.columns["replicas"]))
    assert working(found) == column(found, "count")


@pytest.mark.parametrize(
    ("name", "given_", "aim"),
    [
        ("count", {"global_batch": 1000}, {"wall_clock": "3 days"}),
        ("global_batch", {"count": 1024}, {"throughput": "8e6 token/s"}),
    ],
)
def test_what_is_solved_for_sets_all_to_work(name: str, given_: dict[str, Any], aim: dict[str, Any]) -> None:
    found = solve({"model": "llama-7b", "tokens": "1T", "on": "h100", **given_}, name, **aim)
    assert found.status == "found"
    assert found.estimate is not None
    assert working(found.estimate) == column(found.estimate, "count")
    assert column(found.estimate, "global_batch") % (working(found.estimate) / column(found.estimate, "tp") /
                                                     column(found.estimate, "pp")) == 0  # fmt: skip


def test_reasons_of_a_cell_stand_together() -> None:
    question = {"model": "llama-7b", "tokens": "1T", "on": "ascend-910b", "global_batch": 256}
    found = sweep(question, {"count": "1000,1024"}, wanted=["cost", "wall_clock"])
    price = "no on-demand price of huawei-ascend-910b2 is on record: no cost; give --price"
    assert list(found.table()["reason"]) == [f"{price}; {IDLE}", price]


def test_a_deadline_that_few_counts_can_meet_says_so() -> None:
    found = ask(Run(params=7e9, tokens=1e12, on="h100", global_batch=8, within="10 days"))
    assert (
        "no count finishes in that time: more accelerators hardly shorten the run, and a batch of 8 sequences is "
        "shared out evenly by few counts"
    ) in found.case.notes


@pytest.mark.parametrize(("batch", "days"), [(1021, 10.0), (1500, 2.0), (251, 4.4)])
def test_a_deadline_that_no_count_meets_with_all_at_work_is_met_with_some_idle(
    batch: int, days: float
) -> None:
    found = ask(Run(params=7e9, tokens=1e12, on="h100", global_batch=batch, within=f"{days} days"))
    assert float(found.wall_clock.value) <= days * 86400.0
    assert not [note for note in found.case.notes if note.startswith("no count finishes")]
    assert np.isfinite(column(found, "replicas"))


def test_a_cell_of_a_sweep_is_the_single_answer() -> None:
    found = sweep(
        {"model": "llama-7b", "tokens": "1T", "on": "h100", "global_batch": 256}, {"count": "512,1000,1024"}
    )
    told = list(found.table()["reason"])
    assert told == ["", IDLE, ""]
    times = found.table()["wall_clock"].tolist()
    assert times == [
        float(asked(count=count, global_batch=256).wall_clock.value) for count in (512, 1000, 1024)
    ]


def test_a_layout_that_is_named_is_never_thinned() -> None:
    assert "replicas" not in lower(Run(params=7e9, count=16, global_batch=32, tp=2), PRESETS).free


@pytest.mark.parametrize(("count", "batch"), [(40, 77), (24, 5)])
def test_a_search_proposes_what_has_legal_layouts(count: int, batch: int) -> None:
    question = {"model": "gpt3-125m", "tp": 1, "cp": 1, "on": "h100", "count": count, "global_batch": batch}
    found = search(question)
    assert found.best is None
    said = layout_page(found, question).write("table")
    assert said.startswith(
        f"No layout is legal on {count} x nvidia-h100-sxm-80gb: none shares out a batch of {batch} "
    )
    proposed = re.findall(
        r"--(global-batch|count) (\d+(?: or \d+)?)", " ".join(said.split("\n\n")[0].split())
    )
    assert {name for name, _ in proposed} == {"global-batch", "count"}
    for name, text in proposed:
        for value in map(int, text.split(" or ")):
            again = search({**question, name.replace("-", "_"): value})
            assert again.found[0].counts.legal > 0, (name, value)


def test_nothing_is_proposed_where_nothing_is_near() -> None:
    # One card, one sequence: there is nothing below, and seven replicas divide none of what is above but by ones.
    case = Case(
        {name: np.array(float(value)) for name, value in (("count", 4), ("global_batch", 1), ("per_node", 8))}
    )
    found = nearest(case, np.array([2.0]), np.array([1.0]))
    # Two replicas of two take two sequences; one sequence takes one replica of two.
    assert found == Nearest((2.0,), (2.0,))
    assert options(case, found) == "--global-batch 2, or --count 2"
