"""Cases: frozen columns of floats, and the draft that lets none in without its origin."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from estimator import Case, Presets, Run
from estimator.arrays import array
from estimator.case import Draft, Unknown
from estimator.lower import lower
from estimator.provenance import GIVEN, Figure, Kind, Origin, Source

SHEET = Source("sheet", "Sheet", "Toys")


def figure(
    value: float, kind: Kind = "stated", low: float | None = None, high: float | None = None
) -> Figure:
    return Figure(value, str(value), SHEET, "p. 1", kind, low, high)


def test_replacing_a_column_leaves_the_case_as_it_was() -> None:
    case = Case({"count": array(8), "seq": array(2048)}, notes=("note",), words={"model": "toy"})
    other = case.with_columns({"count": array([1, 2])})
    assert float(case.columns["count"]) == 8
    assert other.columns["count"].tolist() == [1, 2]
    assert other.columns["seq"] is case.columns["seq"]
    assert (other.notes, other.words) == (case.notes, case.words)


def test_a_column_may_be_added() -> None:
    assert set(Case({"seq": array(1)}).with_columns({"count": array(2)}).columns) == {"seq", "count"}


def test_a_case_does_not_change() -> None:
    case = Case({})
    with pytest.raises(FrozenInstanceError):
        case.notes = ("more",)  # type: ignore[misc]


def test_cases_do_not_share_what_they_start_with() -> None:
    one, other = Case({}), Case({})
    assert one.origins is not other.origins
    assert (one.unknowns, one.notes) == ((), ())


# Drafts.


def test_a_draft_puts_float64_with_its_origin() -> None:
    draft = Draft()
    draft.put("count", 8, GIVEN)
    draft.put("seq", np.array([1, 2], dtype=np.int32), Origin("assumed", "usual"))
    case = draft.finish()
    assert {np.asarray(column).dtype for column in case.columns.values()} == {np.dtype(np.float64)}
    assert np.shape(case.columns["count"]) == ()
    assert case.columns["seq"].tolist() == [1, 2]
    assert set(case.origins) == set(case.columns)
    assert case.origins["seq"].reason == "usual"


def test_a_column_that_is_put_twice_has_the_last_value_and_origin() -> None:
    draft = Draft()
    draft.put("count", 8, GIVEN)
    draft.put("count", 16, Origin("derived", "whole nodes"))
    case = draft.finish()
    assert (float(case.columns["count"]), case.origins["count"].kind) == (16, "derived")


@pytest.mark.parametrize(
    ("made", "reason", "kind"),
    [
        (figure(5), "", "preset"),
        (figure(5, "measured"), "", "preset"),
        (figure(5, "assumed"), "", "assumed"),
        (figure(5), "nobody said", "assumed"),  # what the house chooses for a reason is assumed
    ],
)
def test_a_figure_of_a_record_is_a_preset_unless_the_house_assumed_it(
    made: Figure, reason: str, kind: str
) -> None:
    draft = Draft()
    draft.figure("power", made, reason=reason, option="--power")
    origin = draft.origins["power"]
    assert (origin.kind, origin.reason, origin.option) == (kind, reason or "p. 1", "--power")
    assert origin.sources() == (SHEET,)
    assert draft.unknowns == []


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [(4.0, 7.0, (4, 7)), (4.0, None, (4, 5)), (None, 7.0, (5, 7)), (0.0, None, (0, 5))],
)
def test_the_range_of_a_figure_becomes_an_unknown(
    low: float | None, high: float | None, ends: tuple[float, float]
) -> None:
    draft = Draft()
    draft.figure("power", figure(5, low=low, high=high))
    (unknown,) = draft.finish().unknowns
    assert unknown.name == "power"
    assert (dict(unknown.low), dict(unknown.high)) == ({"power": ends[0]}, {"power": ends[1]})


def test_unknowns_words_and_notes_keep_their_order() -> None:
    draft = Draft()
    draft.unknown("mfu", 0.3, 0.5)
    draft.unknown("price", np.array([1.0, 2.0]), 3.0)
    draft.words["model"] = "toy"
    draft.notes += ["first", "second"]
    case = draft.finish()
    assert [unknown.name for unknown in case.unknowns] == ["mfu", "price"]
    assert isinstance(case.unknowns[0], Unknown)
    assert case.unknowns[1].low["price"].tolist() == [1, 2]
    assert case.notes == ("first", "second")
    assert case.words == {"model": "toy"}


# Origins and sources.


def test_an_origin_without_a_figure_cites_nothing() -> None:
    assert GIVEN.sources() == ()
    assert Origin("derived", "counted").sources() == ()


def test_citations_leave_out_what_is_not_known() -> None:
    assert SHEET.cite() == 'Toys, "Sheet"'
    assert Source("x", "Title", "Them", "arXiv:1", "v2").cite() == 'Them, "Title", arXiv:1, v2'
    assert figure(5).cite() == 'Toys, "Sheet": p. 1'


# Cases of real questions.


@pytest.mark.parametrize(
    "question",
    [
        {"params": 65e9},
        {"model": "mixtral-8x7b", "on": "h100", "nodes": 4, "optimizer": "galore", "global_batch": 1024},
        {"model": "deepseek-v3", "count": 2048, "currency": "CNY", "platform": "cfff"},
    ],
)
def test_every_column_of_a_question_is_a_float_with_an_origin(question: dict[str, object]) -> None:
    presets = Presets()
    case = lower(Run.read(question, presets), presets)
    assert set(case.columns) <= set(case.origins)
    for name, column in case.columns.items():
        assert (np.asarray(column).dtype, np.shape(column)) == (np.float64, ()), name
    for unknown in case.unknowns:
        assert set(unknown.low) == set(unknown.high) <= set(case.columns), unknown.name
        for name in unknown.low:
            assert math.isfinite(float(unknown.low[name])), name
            assert math.isfinite(float(unknown.high[name])), name
    names = [unknown.name for unknown in case.unknowns]
    assert len(names) == len(set(names))
