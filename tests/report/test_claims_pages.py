"""Claims as pages: their words as printed, their numbers in house units, and what else is known."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from estimator.claims import Background, Claim, load
from estimator.provenance import Figure, Source
from estimator.records import Record
from estimator.report import claims as pages
from estimator.report.verdict_list import compact, verdict_list
from estimator.report.verdict_words import LANGUAGES
from estimator.verdicts.recorded import Told, Verdict, recorded

from .questions import PRESETS

NEWS = Source("news", "Toys train", "The Toy Times")
CARDS = Figure(10_000.0, "10000 accelerator", NEWS, "paragraph 3", "stated", note="'more than'")
MONEY = Figure(12e6, "12e6 USD", NEWS, "paragraph 4", "stated", low=11e6, high=12e6)
WORDS = {
    "name": "Toys need\nten thousand cards", "about": "count", "exercise": "estimate", "relation": "at least",
    "quote": "more than ten\nthousand cards", "quote_simplified": "10,000+ cards", "article": "T1",
    "title": "Toys train", "publisher": "The Toy Times", "published": "2023-02-01", "note": "an aside",
    "background": [], "aliases": [],
}  # fmt: skip


def claim(*background: Background, **figures: Figure) -> Claim:
    return Claim(Record("claims", "T1", WORDS, figures, {"news": NEWS}, Path("T1.toml")), background)


FULL = claim(Background("they had 9,000", "Toy Review", "A"), accelerators=CARDS, cost=MONEY)
BARE = claim()


VERDICTS = recorded(PRESETS)
JUDGED = {"T1": Verdict("holds", [])}


def test_a_list_is_a_line_a_claim() -> None:
    page = verdict_list([FULL, BARE], JUDGED)
    grid, hint = page.parts
    assert grid.rows == [["T1", "holds", "count", "", ""]] * 2  # type: ignore[union-attr]
    assert str(hint).endswith("estimate claims check ID")
    assert [held["verdict"] for held in page.document["claims"]] == ["holds", "holds"]


@pytest.mark.parametrize(
    ("told", "english", "chinese"),
    [
        (Told(1.52e6, 9.4e5, 2.88e6, "USD"), "1.52 (0.94 to 2.88) million USD", "152万美元（94万至288万）"),
        (Told(0.996, 0.804, 1.0, "%"), "99.6 (80.4 to 100) %", "99.6%（80.4至100）"),
        (Told(24240.0, 17964.0, 34344.0, "s"), "6.73 (4.99 to 9.54) hours", "6.73小时（4.99至9.54）"),
        (Told(64.0, 29.0, 116.0, "accelerator"), "64 (29 to 116) cards", "64张卡（29至116）"),
        (Told(1.0, unit="accelerator"), "1 card", "1张卡"),
        (Told(30700 / 86400, 26000 / 86400, 50100 / 86400, "USD/day"), "30,700 (26,000 to 50,100) USD/day",
         "3.07万美元/天（2.6万至5.01万）"),
        (Told(67.0, 67.0, 67.0, "1"), "67", "67"),
        (Told(3.5e18, unit="FLOP/s"), "3.5 EFLOP/s", "3.5 EFLOP/s"),
        (Told(3 * 86400.0, unit="day"), "3 days", "3天"),
    ],
)  # fmt: skip
def test_a_value_and_its_range_in_one_unit(told: Told, english: str, chinese: str) -> None:
    assert compact(told, LANGUAGES["en"]) == english
    assert compact(told, LANGUAGES["zh"]) == chinese


def test_a_claim_on_its_page() -> None:
    text = pages.claims_page([FULL]).write("table")
    assert text.startswith("Toys need ten thousand cards\n\n")
    for words in (
        "more than ten thousand cards", "T1, Toys train, The Toy Times, 2023-02-01", "at least", "an aside",
        "paragraph 3 ('more than')", "- [A] they had 9,000 (Toy Review)",
    ):  # fmt: skip
        assert words in text
    (cost,) = [line for line in text.splitlines() if line.startswith("cost ")]
    assert (
        cost.split("  ", 1)[1].split() == "12e6 USD 11,000,000 to 12,000,000 USD stated paragraph 4".split()
    )


def test_a_claim_without_numbers_says_so() -> None:
    text = pages.claims_page([BARE]).write("table")
    assert "It states no number." in text
    assert "What else is known" not in text


def test_rows_have_a_line_for_each_number_and_one_where_there_is_none() -> None:
    rows = list(csv.DictReader(io.StringIO(verdict_list([FULL, BARE], JUDGED).write("csv"))))
    assert [row["figure"] for row in rows] == ["accelerators", "cost", ""]
    assert [row["value"] for row in rows] == ["10000.0", "12000000.0", ""]
    assert [row["unit"] for row in rows[:2]] == ["accelerator", "USD"]
    assert {row["quote"] for row in rows} == {"more than ten thousand cards"}


def test_the_document_keeps_words_as_printed_and_numbers_in_house_units() -> None:
    (held,) = json.loads(pages.claims_page([FULL]).write("json"))["claims"]
    assert held["quote"] == "more than ten\nthousand cards"
    assert held["note"] == "an aside"
    assert held["figures"]["cost"]["high"] == 12e6
    assert held["background"] == [{"text": "they had 9,000", "source": "Toy Review", "evidence": "A"}]


@pytest.mark.parametrize("format", ["table", "csv", "markdown", "json"])
def test_every_claim_on_record_can_be_written(format: str) -> None:
    claims = load(PRESETS)
    text = " ".join(pages.claims_page(claims).write(format).split())
    for held in claims:
        assert (
            f'"{held.id}"' in text
            if format == "json"
            else held.id in verdict_list(claims, VERDICTS).write(format)
        )
        assert format not in ("table", "markdown") or " ".join(held.record.name.split()) in text
