"""The laws that users' scenarios are held to: they hold for every question, and tell where they would not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import estimator.testing
from estimator import EstimatorError, Presets, Run, Sweep, ask, sweep
from estimator.sweeps import cells
from estimator.testing import (
    Broken,
    cells_are_single_answers,
    chunks_change_nothing,
    laws,
    money_follows_the_price,
    more_memory_never_unfits,
    parts_add_up,
    ranges_hold_the_value,
    runs,
    weak_scaling_keeps_work,
)

PRESETS = Presets()
few = settings(deadline=None, max_examples=20)


@few
@given(st.from_type(Run))
def test_laws_of_any_answer(run: Run) -> None:
    answer = ask(run, PRESETS)
    parts_add_up(answer)
    ranges_hold_the_value(answer)


@few
@given(runs(PRESETS), st.floats(1.0, 100.0))
def test_more_memory_never_makes_a_fitting_layout_unfit(run: Run, factor: float) -> None:
    more_memory_never_unfits(run, factor, PRESETS)


@few
@given(runs(PRESETS), st.floats(0.01, 100.0))
def test_the_cost_follows_the_price(run: Run, factor: float) -> None:
    money_follows_the_price(run, factor, PRESETS)


GIVEN = {
    "zero": 0,
    "vpp": 1,
    "cp": 1,
    "ep": 1,
    "recompute": "full",
    "micro_batch": 1,
    "sequence_parallel": "off",
}


@few
@given(st.data(), st.sampled_from([2, 3, 8, 64]))
def test_at_constant_work_a_card_work_and_memory_stay_and_no_exchange_becomes_shorter(
    data: st.DataObject, factor: int
) -> None:
    degrees = {"tp": data.draw(st.sampled_from([1, 2, 4, 8])), "pp": data.draw(st.sampled_from([1, 2, 4]))}
    run = data.draw(runs(PRESETS, **degrees, **GIVEN, count=64, global_batch=512))
    weak_scaling_keeps_work(run, factor, PRESETS)


VARIED: dict[str, st.SearchStrategy[Any]] = {
    "count": st.lists(st.integers(1, 4096), min_size=1, max_size=3, unique=True),
    "price": st.lists(st.floats(0.5, 9.0).map(lambda rate: f"{rate!r} USD/gpu/hour"), min_size=1, max_size=3),
    "goodput": st.lists(st.floats(0.1, 1.0), min_size=1, max_size=3),
    "mfu": st.lists(st.floats(0.1, 0.7), min_size=1, max_size=2),
    "on": st.lists(st.sampled_from(["h100", "a100", "910b"]), min_size=1, max_size=2, unique=True),
    "pue": st.lists(st.floats(1.0, 2.0), min_size=1, max_size=2),
    "seq": st.lists(st.sampled_from([1024, 4096]), min_size=1, max_size=2, unique=True),
}


@st.composite
def sweeps(draw: st.DrawFn) -> Sweep:
    """Sweeps of any question over one to three inputs."""
    names = draw(st.lists(st.sampled_from(list(VARIED)), min_size=1, max_size=3, unique=True))
    run = draw(runs(PRESETS))
    rivals = {"count": {"count", "nodes", "within"}, "price": {"price", "plan"}, "on": {"on", "precision"}}
    left = {other for name in names for other in rivals.get(name, {name})}
    given_ = {name: value for name, value in run.write().items() if name not in left}
    try:
        found = sweep(given_, {name: draw(VARIED[name]) for name in names}, presets=PRESETS)
        found.questions()
    except EstimatorError:  # not one cell has an answer
        assume(False)
        raise
    return found


@settings(deadline=None, max_examples=10)
@given(sweeps())
def test_a_cell_is_the_single_answer(found: Sweep) -> None:
    cells_are_single_answers(found, 4)


@settings(deadline=None, max_examples=10)
@given(sweeps(), st.integers(1, 7))
def test_the_size_of_a_chunk_changes_nothing(found: Sweep, most: int) -> None:
    chunks_change_nothing(found, most)


# Each law where it is broken on purpose.


def test_parts_that_do_not_add_up_are_told() -> None:
    answer = ask(Run(params=7e9, count=8), PRESETS)
    cost = {name: 2.0 * np.asarray(part) for name, part in answer.parts["cost"].items()}
    with pytest.raises(Broken, match=r"^the parts of cost add up to \d+\.\d+ and not to \d+\.\d+$"):
        parts_add_up(replace(answer, parts={**answer.parts, "cost": cost}))


def test_a_value_outside_its_range_is_told() -> None:
    answer = ask(Run(params=7e9, count=8, mfu=0.4), PRESETS)
    low = {**answer.low, "mfu": np.float64(0.5)}
    with pytest.raises(Broken, match=r"^mfu is 0\.\d+, outside its range of 0\.5 to 0\.\d+$"):
        ranges_hold_the_value(replace(answer, low=low))


def test_a_cost_that_does_not_follow_the_price_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = laws.evaluate

    def _dear(case: Any, wanted: Any = ()) -> Any:
        found = evaluate(case, wanted)
        return replace(found, values={**found.values, "cost": np.sqrt(found.values["cost"])})

    monkeypatch.setattr(laws, "evaluate", _dear)
    with pytest.raises(Broken, match=r"^at 2 times the price cost is \d+\.\d+ and not \d+\.\d+$"):
        money_follows_the_price(Run(params=7e9, count=8, price="2 USD/gpu/hour"))


def test_a_layout_that_no_longer_fits_is_told() -> None:
    with pytest.raises(Broken, match=r"^it fits a card, and not one with 0\.1 times its memory$"):
        more_memory_never_unfits(Run(params=7e9, count=8), 0.1, PRESETS)


LAID = {"params": "7B", "on": "h100", "count": 64, "tp": 2, "pp": 1, "global_batch": 512, **GIVEN}


def test_work_that_changes_with_the_count_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    weak_scaling_keeps_work(Run(**LAID))
    monkeypatch.setattr(laws, "EXCHANGES", ())
    with pytest.raises(Broken, match=r"^gradient_exchange is \d\.\d+ on few cards and \d\.\d+ on many$"):
        weak_scaling_keeps_work(Run(**LAID))


@pytest.mark.parametrize("left", ["count", "global_batch", "zero"])
def test_weak_scaling_of_a_question_that_leaves_it_open_is_refused(left: str) -> None:
    with pytest.raises(EstimatorError) as caught:
        weak_scaling_keeps_work(Run(**{name: value for name, value in LAID.items() if name != left}))
    assert str(caught.value) == "weak scaling needs --count, --global-batch, and --zero 0 or --shard"


def test_a_cell_that_differs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep({"params": "7B", "count": 8}, {"price": "1,2 USD/gpu/hour"}, presets=PRESETS)
    centre = cells.centre

    def _off(*args: Any) -> Any:
        return {
            name: np.nextafter(value, np.inf) if name == "cost" else value
            for name, value in centre(*args).items()
        }

    monkeypatch.setattr(cells, "centre", _off)
    with pytest.raises(
        Broken, match=r"^\{'params': '7B', .*\}: cost is \d+\.\d+ in the cell and \d+\.\d+ alone$"
    ):
        cells_are_single_answers(found)


def test_a_cell_with_the_wrong_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep({"params": "7B", "tp": 4}, {"count": [8, 30]}, presets=PRESETS)
    cells_are_single_answers(found)
    monkeypatch.setattr(found, "_questions", found.questions()._replace(reasons=("", "something else")))
    with pytest.raises(
        Broken, match=r"the answer alone is '--count: 30 .*', and the cell says 'something else'$"
    ):
        cells_are_single_answers(found)


def test_chunks_that_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep({"params": "7B", "count": 8}, {"price": "1,2 USD/gpu/hour"}, presets=PRESETS)
    centre = cells.centre

    def _off(case: Any, *args: Any) -> Any:
        alone = np.size(case.columns["price"]) == 1
        return {name: value + (alone and name == "mfu") for name, value in centre(case, *args).items()}

    monkeypatch.setattr(cells, "centre", _off)
    with pytest.raises(Broken, match=r"^in chunks of 1 cells mfu differs$"):
        chunks_change_nothing(found, 1)


def test_the_names_of_the_package_are_there() -> None:
    assert all(callable(getattr(estimator.testing, name)) for name in estimator.testing.__all__)
    with pytest.raises(AttributeError, match=r"^module 'estimator.testing' has no attribute 'nothing'$"):
        _ = estimator.testing.nothing
