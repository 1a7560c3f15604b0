"""Questions side by side: ratios and their ranges by hand, and sentences that claim no more than they know."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimator import Run
from estimator.answer import with_ranges
from estimator.arrays import array
from estimator.case import Unknown
from estimator.compare import Comparison
from estimator.formulas.ranges import combined_ends
from estimator.report.comparison import comparison_page, letter, sentences

from .questions import GIVEN, PRESETS, answer


def question(mfu: tuple[float, float, float] = (0.4, 0.4, 0.4), **changed: Any) -> tuple[Run, Any]:
    """A run and its answer, of which the efficiency alone is unknown, at low, value and high."""
    low, value, high = mfu
    run = Run.read({**GIVEN, **changed, "mfu": value}, PRESETS)
    case = answer(**changed, mfu=value).case
    unknown = Unknown("mfu", {"given_mfu": array(low)}, {"given_mfu": array(high)})
    return run, with_ranges(replace(case, unknowns=() if low == high else (unknown,)))


def side_by_side(*questions: tuple[Run, Any]) -> Comparison:
    runs, estimates = zip(*questions, strict=True)
    return Comparison(runs, estimates)


SURE = (0.4, 0.4, 0.4)
WIDE = (0.2, 0.4, 0.8)
OTHER = (0.1, 0.4, 0.8)  # an unknown of its own: another low end


@pytest.mark.parametrize(
    ("first", "other", "changed", "told"),
    [
        (SURE, SURE, {}, "wall clock: B is the same as A"),
        (SURE, WIDE, {}, "wall clock: B is the same as A at the estimate, but may be more or less"),
        (SURE, SURE, {"tokens": "2T"}, "wall clock: B is 2 of A (slower); the ranges do not overlap"),
        (SURE, SURE, {"tokens": "500B"}, "wall clock: B is 0.5 of A (faster); the ranges do not overlap"),
        # The unknown that both share moves both alike: twice the tokens stay twice the time.
        (WIDE, WIDE, {"tokens": "2T"},
         "wall clock: B is 2 of A (slower); the ranges overlap, but what is unknown moves both alike: B stays slower"),
        # An unknown of its own may turn it round: 1.5 times, each up or down by 2 and more.
        (WIDE, OTHER, {"tokens": "1.5T"},
         "wall clock: B is 1.5 of A (slower); the ranges overlap, so this may turn round"),
        (WIDE, OTHER, {"tokens": "100T"}, "wall clock: B is 100 of A (slower); the ranges do not overlap"),
    ],
)  # fmt: skip
def test_sentences_about_the_time(
    first: tuple[float, float, float], other: tuple[float, float, float], changed: dict[str, Any], told: str
) -> None:
    assert sentences(side_by_side(question(first), question(other, **changed)))[1] == told


def test_the_range_of_a_ratio_by_hand() -> None:
    # A may take half or twice the time, B by an unknown of its own half or 4 times: in doublings the ratio is the sum
    # of one that moves 1 down and 1 up and one that moves 1 down and 2 up.
    low, high = combined_ends(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    ratio = side_by_side(question(WIDE), question(OTHER)).ratio(1, "wall_clock")
    assert ratio is not None
    assert ratio.value == pytest.approx(1.0)
    assert (ratio.low, ratio.high) == pytest.approx((2**-low, 2**high))
    # By the root of the sum of squares 1.41 and 2.24; but the second leans upwards.
    assert (low, high) == pytest.approx((1.38, 2.26), abs=0.01)


def test_an_unknown_of_one_question_alone_is_the_range_of_the_ratio() -> None:
    for pair, ends in (((SURE, WIDE), (0.5, 2.0)), ((WIDE, SURE), (0.5, 2.0)), ((SURE, OTHER), (0.5, 4.0)),
                       ((OTHER, SURE), (0.25, 2.0))):  # fmt: skip
        ratio = side_by_side(*(question(mfu) for mfu in pair)).ratio(1, "cost")
        assert ratio is not None
        assert (ratio.low, ratio.high) == pytest.approx(ends), pair


def test_a_ratio_is_sure_where_its_range_leaves_out_one() -> None:
    comparison = side_by_side(question(SURE), question(WIDE, tokens="1.9T"), question(WIDE, tokens="2.1T"))
    first, other = (comparison.ratio(index, "cost") for index in (1, 2))
    assert first is not None
    assert other is not None
    assert (first.sure, other.sure) == (False, True)


def test_three_questions_are_each_held_against_the_first() -> None:
    comparison = side_by_side(question(), question(tokens="2T"), question(tokens="4T"))
    assert len(sentences(comparison)) == 4
    assert [comparison.ratio(index, "cost").value for index in range(3)] == pytest.approx([1, 2, 4])  # type: ignore[union-attr]
    page = comparison_page(comparison, ["one", "two", "three"])
    assert "quantity (range, 80 %)" in page.write("table")
    assert "| A | B | B / A | C | C / A |" in page.write("markdown")


def test_what_differs_as_given_and_what_follows() -> None:
    text = comparison_page(side_by_side(question(), question(on="nvidia-h100-sxm-80gb")), ["a", "b"]).write(
        "table"
    )
    given, followed = text.split("differs as given")[1].split("and so differs")
    assert given.splitlines()[1].split() == ["on", "nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb"]
    (peak,) = [line for line in followed.splitlines() if line.startswith("peak ")]
    assert "312 TFLOP/s" in peak
    assert "989 TFLOP/s" in peak


def test_an_input_that_one_question_left_out_shows_what_was_taken() -> None:
    first, other = question(), (Run.read({**GIVEN, "goodput": None}, PRESETS), answer(goodput=None))
    text = comparison_page(side_by_side(first, other), ["a", "b"]).write("table")
    (line,) = [line for line in text.splitlines() if line.startswith("goodput ") and "modelled" in line]
    assert line.split()[1:] == ["0.9", "99.7", "%,", "modelled"]


def test_rows_and_document_agree() -> None:
    comparison = side_by_side(question(WIDE), question(OTHER, tokens="2T"))
    page = comparison_page(comparison, ["a", "b"])
    document = json.loads(page.write("json"))
    for row in csv.DictReader(io.StringIO(page.write("csv"))):
        index = "AB".index(row["question"])
        told = document["questions"][index][row["name"]]
        assert float(row["value"]) == told["value"]
        assert row["unit"] == told["unit"]
        if row["ratio"]:
            assert float(row["ratio"]) == document["ratios"][index][row["name"]]
            ends = [float(row["ratio_low"]), float(row["ratio_high"])]
            assert ends == document["ratio_ranges"][index][row["name"]]
    assert document["verdicts"] == sentences(comparison)
    assert document["names"] == ["a", "b"]


def test_warnings_name_their_question() -> None:
    text = comparison_page(side_by_side(question(), question(count=1)), ["a", "b"]).write("table")
    assert "Warning, B: does not fit" in text
    assert "Warning, A" not in text


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (27, "BB"), (52, "AAA")])
def test_letters(index: int, name: str) -> None:
    assert letter(index) == name
