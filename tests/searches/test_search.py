"""A search finds what trying one layout after the other finds, and its answers are those of the layout given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Estimate, EstimatorError, Presets, Run, ask, search
from estimator.estimate import evaluate
from estimator.formulas.activations import RECOMPUTE
from estimator.formulas.memory_states import OFFLOADS
from estimator.lower import lower
from estimator.plan import FILLED, planned
from estimator.searches import tried as trying
from estimator.searches.fronts import front
from estimator.searches.question import lowered
from estimator.searches.search import Layout
from estimator.searches.space import PARTS, pieces, size_of
from estimator.searches.tried import Tried, tried

PRESETS = Presets()
SMALL: dict[str, Any] = {"model": "gpt3-6.7b", "on": "a100-sxm-80gb", "count": 8, "global_batch": 16}


def given_layout(layout: Layout) -> dict[str, Any]:
    """A layout as inputs of a question."""
    parts = dict(layout.parts)
    words: dict[str, Any] = {
        "recompute": RECOMPUTE[int(parts.pop("recompute"))],
        "offload": OFFLOADS[int(parts.pop("method_offload"))],
        "sequence_parallel": "on" if parts.pop("sequence_parallel") else "off",
    }
    return {**words, **{name: value for name, value in parts.items() if math.isfinite(value)}}


def brute_force(question: dict[str, Any]) -> list[tuple[float, float]]:
    """Time and memory of every layout that fits: all of them in one flat list, nothing left out and nothing shared."""
    case = lowered(Run(**question), PRESETS)
    flat: dict[str, list[Any]] = {name: [] for name in PARTS if name in case.free}
    for piece in pieces(case):
        shape = np.broadcast_shapes(*(np.shape(column) for column in piece.values()))
        for name, columns in flat.items():
            columns.append(np.broadcast_to(piece[name], shape).ravel())
    every = case.with_columns({name: np.concatenate(columns) for name, columns in flat.items()})
    names = ("modelled_time", "memory", "memory_usable", "host_memory_used")
    values = evaluate(every, names).values
    time, memory, room, hosted = (values[name] for name in names)
    fits = (hosted <= case.columns.get("host_memory", np.inf)) & (memory <= room * FILLED)
    return list(zip(np.asarray(time)[fits].tolist(), np.asarray(memory)[fits].tolist(), strict=True))


DEGREES: tuple[dict[str, Any], ...] = ({"tp": 2, "cp": 1}, {"pp": 2}, {"vpp": 1, "zero": 1}, {})
KNOBS: tuple[dict[str, Any], ...] = ({"offload": "none"}, {"shard": "all"}, {"recompute": "full"}, {})


@st.composite
def small_questions(draw: st.DrawFn) -> dict[str, Any]:
    """Questions of some hundreds or thousands of layouts."""
    return {
        "model": draw(st.sampled_from(("gpt3-125m", "gpt3-6.7b", "llama-2-7b", "mixtral-8x7b"))),
        "on": draw(st.sampled_from(("a100-sxm-80gb", "rtx-3090"))),
        "count": draw(st.sampled_from((2, 4, 8))),
        "global_batch": draw(st.sampled_from((8, 24))),
        **draw(st.sampled_from(DEGREES)),
        **draw(st.sampled_from(KNOBS)),
    }


@given(small_questions())
@settings(max_examples=5, deadline=None)
def test_a_search_finds_what_brute_force_finds(question: dict[str, Any]) -> None:
    every, case = brute_force(question), lowered(Run(**question), PRESETS)
    (found,) = tried([case])
    assert found.counts.fit == len(every)
    assert found.fastest.time.tolist() == sorted(time for time, _ in every)[: trying.TOLD]
    if every:
        time, memory = (np.array([each[place] for each in every]) for place in (0, 1))
        kept: list[tuple[float, float]] = [every[place] for place in front(time, memory).tolist()]
        ours = zip(found.front.time.tolist(), found.front.memory.tolist(), strict=True)
        assert list(ours) == kept
        assert found.alike == np.count_nonzero(time <= time.min() * trying.spread_of(case))


@given(
    st.sampled_from(("gpt3-6.7b", "llama-2-7b", "mixtral-8x7b", "llama-65b")),
    st.sampled_from(("a100-sxm-80gb", "h100")),
    st.sampled_from((16, 24, 40)),
    st.sampled_from((None, 48, 80)),
)
@settings(max_examples=5, deadline=None)
def test_what_is_planned_is_never_better_than_what_is_found(
    model: str, on: str, count: int, batch: int | None
) -> None:
    run = Run(
        **{"model": model, "on": on, "count": count, **({} if batch is None else {"global_batch": batch})}
    )
    plan = planned(lower(run, PRESETS))
    found = search(run)
    values = evaluate(plan, ("modelled_time", "memory", "memory_usable")).values
    # Where no legal layout that fits is known, each replica is taken to work on an even share: that is none.
    columns = {name: float(column) for name, column in plan.columns.items()}
    share = columns["global_batch"] % (count // (columns["tp"] * columns["pp"] * columns["cp"]))
    if share > 0 or not float(values["memory"]) <= float(values["memory_usable"]) * FILLED:
        return
    best = found.found[0].fastest[0]
    # The plan has the slowness of practice in it, which a layout that is named has not.
    assert best.time <= float(values["modelled_time"]) / float(plan.columns["practice"]) * (1.0 + 1e-12)


def same(one: Estimate, other: Estimate) -> bool:
    return all(
        np.array_equal(getattr(one, side)[name], getattr(other, side)[name], equal_nan=True)
        for side in ("values", "low", "high")
        for name in one.values
    )


MORE: tuple[dict[str, Any], ...] = (
    {}, {"recompute": "full", "offload": "optimizer"}, {"stack": "megatron"}, {"model": "mixtral-8x7b"},
)  # fmt: skip


@pytest.mark.parametrize("more", MORE)
def test_an_answer_is_that_of_the_layout_given(more: dict[str, Any]) -> None:
    question = {**SMALL, **more}
    found = search(question)
    for own in (found.found[0].fastest[0], found.found[0].front[-1]):
        answer = found.found[0].answer(own)
        assert same(answer, ask(Run(**{**question, **given_layout(own)})))
        assert (float(answer.modelled_time.value), float(answer.memory.value)) == (own.time, own.memory)
    best = found.best
    assert best is not None
    assert best.amount("step_time") == best.fastest[0].time


def test_counts_and_why_others_fell_out() -> None:
    (found,) = search(SMALL).found
    every = brute_force(SMALL | {"cp": 1, "vpp": 1, "zero": 1})
    (few,) = search(SMALL | {"cp": 1, "vpp": 1, "zero": 1}).found
    assert few.counts.fit == len(every) <= few.counts.evaluated <= few.counts.legal < found.counts.legal
    assert few.counts.bounded == 0
    assert few.fell_out["does not fit"] == few.counts.legal - len(every)
    assert few.fell_out["dominated"] == len(every) - len(few.front)
    assert few.fell_out["does not divide"] == sum(few.tried.refused.values()) > 0


def told_of(found: Tried) -> list[Any]:
    """Everything that is told of a search, layouts and their order to the last bit included."""
    some = [column.tobytes() for part in (found.fastest, found.front) for column in part]
    return [*some, found.counts, found.alike, found.refused, found.least]


@given(
    small_questions(),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 300),
)
@settings(max_examples=5, deadline=None)
def test_neither_pieces_nor_their_size_change_what_is_found(
    question: dict[str, Any], rows: int, at_once: int, share: int
) -> None:
    case = lowered(Run(**question), PRESETS)
    (whole,) = tried([case])
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("_ROWS", rows), ("_AT_ONCE", at_once), ("_SHARE", share)):
            patch.setattr(f"estimator.searches.space.{name}", size)
        (parts,) = tried([case])
        assert sum(each.layouts for each in size_of(case).shares) == whole.counts.legal
    assert told_of(parts) == told_of(whole)


def test_the_cheapest_in_time_over_chips_and_counts() -> None:
    asked = {
        "model": "gpt3-6.7b", "global_batch": 64, "tokens": "1e11", "offload": "none", "cp": 1, "within": "10 days",
        "on": "h100,a100-sxm-80gb", "count": "8:32:x2",
    }  # fmt: skip
    found = search(asked, by="cost")
    assert [(each.case.words["accelerator"], float(each.case.columns["count"])) for each in found.found] == [
        (chip, count) for chip in ("nvidia-h100-sxm-80gb", "nvidia-a100-sxm-80gb") for count in (8.0, 16.0, 32.0)
    ]  # fmt: skip
    in_time = [each for each in found.found if each.amount("wall_clock") <= 10 * 86400]
    assert 0 < len(in_time) < len(found.found)
    assert found.best is min(in_time, key=lambda each: each.amount("cost"))
    fastest = search(asked)
    assert fastest.best is min(fastest.found, key=lambda each: each.amount("wall_clock"))
    points = [(each.amount("wall_clock"), each.amount("cost")) for each in found.front]
    assert points == sorted(points)
    assert [cost for _, cost in points] == sorted((cost for _, cost in points), reverse=True)
    for each in found.found:
        beaten = any(
            time <= each.amount("wall_clock") and cost <= each.amount("cost") for time, cost in points
        )
        assert beaten


def test_nothing_fits_and_nothing_is_in_time() -> None:
    found = search({"model": "gpt3-175b", "on": "rtx-3090", "count": 8, "global_batch": 8, "offload": "none"})
    assert found.best is None
    assert found.found[0].estimate is None
    assert found.front == []
    assert found.found[0].tried.least > 24 * 2**30
    late = search({**SMALL, "within": "1 hour"})
    assert late.best is None
    assert late.found[0].estimate is not None


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    search(SMALL | {"count": [4, 8]}, told=lambda what, done, of: told.append((what, done, of)))
    assert told[0][0] == "layouts of question 1 of 2"
    assert told[-1][0] == "layouts of question 2 of 2"
    assert told[-1][1] == told[-1][2] > 0


WHOLE: dict[str, Any] = {
    "tp": 2, "pp": 1, "vpp": 1, "cp": 1, "ep": 1, "zero": 1, "shard": "all", "sequence_parallel": "on",
    "micro_batch": 1, "recompute": "full", "offload": "none",
}  # fmt: skip
BAD: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    (SMALL, {"by": "speed"}, "--by: 'speed' is neither time nor cost"),
    (
        {"model": "gpt3-6.7b", "within": "30 days"}, {},
        "--within: say which counts to search, like --count 512:4096:x2",
    ),
    (
        SMALL | {"count": "8:4096:0"}, {},
        "--count: '8:4096:0' never comes to its end; write it like 512:8192:512, 512:8192:x2 or 512,1024,4096",
    ),
    (
        SMALL | {"count": "1:2000:1"}, {},
        "2,000 questions (2,000 of --count) are more than the 1,000 that can be searched; take wider steps, like "
        "--count 512:4096:x2",
    ),
    (SMALL | WHOLE, {}, "every part of the layout is given and there is none to search; leave out --tp or another"),
    (
        SMALL | {"shard": "node"}, {},
        "--shard: 'node' is another number for each --tp; give --tp too, or a number of ranks",
    ),
    (SMALL | {"nodes": 2}, {}, "--count and --nodes contradict each other; give one of them"),
    (
        SMALL | {"tp": 16, "pp": 3}, {},
        "--count: 8 accelerators do not divide into replicas of 48 (tensor 16 x pipeline 3 x context 1); the nearest "
        "legal one is 48",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("question", "axes", "words"), BAD)
def test_bad_input_is_told(question: dict[str, Any], axes: dict[str, Any], words: str) -> None:
    with pytest.raises(EstimatorError) as raised:
        search(question, **axes)
    assert str(raised.value) == words


def test_a_degree_is_fixed_though_the_batch_does_not_divide_over_all_cards_left() -> None:
    # 8 replicas of one card do not share out 12 sequences; pipelines of two do.
    found = search(SMALL | {"global_batch": 12, "tp": 1, "cp": 1})
    assert {each.parts["pp"] for each in found.found[0].front} <= {2.0, 4.0, 8.0}
    chunked = search(SMALL | {"vpp": 2, "cp": 1})
    assert {each.parts["vpp"] for each in chunked.found[0].fastest} == {2.0}


def test_an_unknown_chip_among_several_is_told() -> None:
    with pytest.raises(EstimatorError) as raised:
        search(SMALL | {"on": "h100,h1000"})
    assert str(raised.value).startswith("--on: ")
