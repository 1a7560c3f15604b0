"""The layouts that a search tries are all that are legal, each once, and no other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Case, EstimatorError, Presets, Run
from estimator.layouts import layouts
from estimator.lower import legal as rules
from estimator.lower import lower
from estimator.searches import space
from estimator.searches.question import lowered
from estimator.searches.space import PARTS, pieces, size_of

PRESETS = Presets()


def rows_of(case: Case) -> list[tuple[float, ...]]:
    """Every layout that is tried, its parts in their order."""
    return [row for table in tables_of(case, PARTS) for row in map(tuple, table.tolist())]


def tables_of(case: Case, names: Sequence[str]) -> Iterator[Any]:
    """Some parts of every layout that is tried, a row a layout, piece by piece."""
    for piece in pieces(case):
        shape = np.broadcast_shapes(*(np.shape(column) for column in piece.values()))
        columns = [np.broadcast_to(piece.get(name, case.columns[name]), shape).ravel() for name in names]
        yield np.stack(columns, axis=-1)


def distinct(rows: Any) -> set[bytes]:
    """The rows of a table that differ."""
    numbers = np.ascontiguousarray(rows, dtype=np.float64) + 0.0  # no zero is less than none
    return set(numbers.view(f"V{numbers.shape[1] * 8}").ravel().tolist())


def legal_of(case: Case, most: int) -> Iterator[tuple[float, ...]]:
    """Every combination of numbers up to ``most`` that the rules of a given layout let pass, one by one."""
    one = {name: float(column) for name, column in case.columns.items()}
    one |= {"chosen": 1.0, "node_shard": 0.0, "by_node": 0.0}
    numbers = [float(number) for number in range(1, most + 1)]
    for degrees in itertools.product(numbers, repeat=4):
        tp, pp, cp, ep = degrees
        if one["count"] % (tp * pp * cp):
            continue
        others = itertools.product(numbers, range(4), [*numbers[1:], math.inf], (0, 1), numbers)
        for vpp, zero, shard, split, micro in others:
            alike = vpp == 1 or one["layers"] % (pp * vpp) == 0 or (one["layers"] + 2) % (pp * vpp) == 0
            # What says the same twice is tried once: a group of all ranks, and groups of what shares nothing.
            if not alike or (split and tp == 1) or (zero == 0 and math.isfinite(shard)):
                continue
            layout = {"tp": tp, "pp": pp, "cp": cp, "ep": ep, "vpp": vpp, "zero": zero, "shard": shard}
            facts = rules.derived({**one, **layout, "micro_batch": micro})
            again = math.isfinite(shard) and shard >= facts["group"]
            if again or not all(rule.kept(facts) for rule in rules.RULES):
                continue
            for recompute, offload in itertools.product(range(4), range(3)):
                yield tp, pp, vpp, cp, ep, zero, shard, split, micro, recompute, offload


@pytest.mark.parametrize(
    ("model", "count", "batch"),
    [("gpt3-125m", 4, 8), ("gpt3-125m", 6, 6), ("mixtral-8x7b", 4, 4)],
)
def test_every_legal_layout_is_tried_once_and_no_other(model: str, count: int, batch: int) -> None:
    case = lowered(Run(model=model, on="h100", count=count, global_batch=batch), PRESETS)
    found = rows_of(case)
    assert len(found) == len(set(found)) == size_of(case).layouts
    # More chunks than eight are not gone through one by one. Pipelines whose stages are no power of two are tried only
    # where they divide the accelerators, as here all do.
    assert {row for row in found if row[2] <= 8} == set(legal_of(case, 8))


def test_what_the_question_gives_is_fixed() -> None:
    run = Run(
        model="gpt3-125m", on="h100", count=8, global_batch=8, tp=2, zero=1, recompute="full", offload="none"
    )
    found = rows_of(lowered(run, PRESETS))
    fixed = {(row[0], row[5], row[9], row[10]) for row in found}
    assert fixed == {(2.0, 1.0, 2.0, 0.0)}
    assert {row[1] for row in found} == {1.0, 2.0, 4.0}


MODELS = ("gpt3-125m", "gpt3-6.7b", "llama-2-7b", "mixtral-8x7b", "gpt3-175b")


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    given_ = {
        "model": draw(st.sampled_from(MODELS)), "on": draw(st.sampled_from(("h100", "a100-sxm-80gb", "b200"))),
        "count": 8 * draw(st.sampled_from((1, 2, 3, 5))),
    }  # fmt: skip
    batch = draw(st.sampled_from((None, 48, 80)))
    return given_ if batch is None else {**given_, "global_batch": batch}


@given(questions())
@settings(max_examples=10, deadline=None)
def test_what_is_planned_is_among_what_is_searched(question: dict[str, Any]) -> None:
    run = Run(**question)
    plain, case = lower(run, PRESETS), lowered(run, PRESETS)
    # A search compares layouts of one batch: that of the question, or of the layout planned.
    batch = float(case.columns["global_batch"])
    fixed = Case(
        {**plain.columns, "global_batch": np.asarray(batch)}, free=plain.free - {"global_batch", "replicas"}
    )
    # A search leaves none idle where the batch divides over no layout that is planned.
    tried = layouts(fixed)
    names = [name for name in PARTS if name in tried.columns]
    searched = set[bytes]().union(*map(distinct, tables_of(case, names)))
    planned = distinct(np.stack([np.asarray(tried.columns[name]) for name in names], axis=-1))
    # A batch that does not divide over the cards has no planned layout.
    assert planned or "global_batch" in question
    assert planned <= searched


def test_more_layouts_than_can_be_tried_are_refused_before_any_is(monkeypatch: pytest.MonkeyPatch) -> None:
    case = lowered(Run(model="gpt3-125m", on="h100", count=8, global_batch=8), PRESETS)
    size = size_of(case).layouts
    monkeypatch.setattr(space, "MOST", size)
    assert size_of(case).layouts == size
    monkeypatch.setattr(space, "MOST", size - 1)
    with pytest.raises(EstimatorError) as raised:
        size_of(case)
    assert str(raised.value) == (
        f"on 8 accelerators more than {size - 1:,} layouts are legal; give some of their parts, like --tp 8, --zero 1 "
        "or --offload none"
    )


def test_pieces_do_not_depend_on_how_many_are_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    case = lowered(Run(model="gpt3-125m", on="h100", count=8, global_batch=8), PRESETS)
    whole = rows_of(case)
    monkeypatch.setattr(space, "_AT_ONCE", 7)
    monkeypatch.setattr(space, "_ROWS", 5)
    assert sorted(rows_of(case)) == sorted(whole)
