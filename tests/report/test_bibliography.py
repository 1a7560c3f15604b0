"""The bibliography of an answer: every work once, with all that rests on it, and references parted well."""

from __future__ import annotations

import csv
import io
import math
import re

import pytest

from estimator import Estimate
from estimator.estimate import STEPS
from estimator.provenance import Source
from estimator.report import bibliography
from estimator.report.bibliography import Cited, Use, Work, single_references

from .questions import answer


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    return answer(mfu=None, price=None, pue=None, power=None)


@pytest.fixture(scope="module")
def found(estimate: Estimate) -> list[Work]:
    return bibliography.works(estimate)


def test_every_work_is_named_once(found: list[Work]) -> None:
    citations = [work.citation for work in found]
    assert len(citations) == len(set(citations))
    papers = [paper[0] for citation in citations if (paper := re.search(r"arXiv:\d{4}\.\d{4,5}", citation))]
    assert len(papers) == len(set(papers))


def test_every_input_with_a_source_is_listed(estimate: Estimate, found: list[Work]) -> None:
    sourced = [name for name, origin in estimate.case.origins.items() if origin.sources()]
    assert sorted(use.name for work in found for use in work.of("input")) == sorted(sourced)


def test_every_formula_that_gave_a_number_is_listed_or_by_definition(
    estimate: Estimate, found: list[Work]
) -> None:
    listed = {use.name for work in found for use in work.of("formula")}
    used = {step.name for step in STEPS if not math.isnan(float(estimate.values[step.name]))}
    assert listed | set(bibliography.by_definition(estimate)) == used
    assert not listed & set(bibliography.by_definition(estimate))


def test_a_formula_that_gave_nothing_is_not_listed() -> None:
    for estimate, gave in ((answer(), True), (answer(scaling_efficiency=None), False)):
        listed = {use.name for work in bibliography.works(estimate) for use in work.uses}
        assert ("given_efficiency" in listed) is gave
        assert "step_time" in listed
        assert "given_efficiency" not in bibliography.by_definition(estimate)


def test_a_paper_that_a_record_and_a_formula_cite_keeps_the_record(found: list[Work]) -> None:
    (zero,) = [work for work in found if "arXiv:1910.02054" in work.citation]
    assert zero.source is not None
    assert zero.of("input")
    assert zero.of("formula")
    assert "ZeRO: Memory Optimizations" in zero.citation


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("", []),
        ("A. Author, 2020.", [("A. Author, 2020", "")]),
        ("A. Author, arXiv:2001.08361, Eq. 2.", [("A. Author, arXiv:2001.08361", "Eq. 2")]),
        (
            "A, arXiv:2001.08361, Eq. 2; B, arXiv:2104.04473, Table 1.",
            [("A, arXiv:2001.08361", "Eq. 2"), ("B, arXiv:2104.04473", "Table 1")],
        ),
        # A semicolon inside a sentence parts nothing, nor does one before a work without a number.
        ("A, arXiv:2001.08361, Eq. 2; with a sign more.", [("A, arXiv:2001.08361", "Eq. 2; with a sign more")]),
        ("A Book, 2007, Chapter 4; B, arXiv:2104.04473.", [("A Book, 2007, Chapter 4; B, arXiv:2104.04473", "")]),
        # Numbered lists are lists of works.
        (".. [1] A, arXiv:2001.08361. .. [2] B, arXiv:2104.04473, Eq. 3.",
         [("A, arXiv:2001.08361", ""), ("B, arXiv:2104.04473", "Eq. 3")]),
        ("``stage3`` of the documentation.", [("stage3 of the documentation", "")]),
    ],
)  # fmt: skip
def test_references_are_parted_into_works_and_places(text: str, parted: list[tuple[str, str]]) -> None:
    assert single_references(text) == parted


def test_an_answers_page(estimate: Estimate, found: list[Work]) -> None:
    page = bibliography.answer_page(estimate, {"params": 1})
    text = page.write("table")
    for number, work in enumerate(found, start=1):
        assert f"{number}. {' '.join(work.citation.split())}" in text
    rows = list(csv.DictReader(io.StringIO(page.write("csv"))))
    assert len(rows) == sum(len(work.uses) for work in found)
    assert {row["carries"] for row in rows} == {"input", "formula"}
    assert page.document["question"] == {"params": 1}
    assert [source["citation"] for source in page.document["sources"]] == [work.citation for work in found]
    assert page.document["by_definition"] == bibliography.by_definition(estimate)


def test_uses_of_one_place_stand_on_one_line() -> None:
    work = Work(
        "Toys", None, [Use("input", "a", "p. 1"), Use("input", "b", "p. 1"), Use("input", "c", "p.\n2")]
    )
    work.uses.append(Use("formula", "d", ""))
    listed = bibliography._listed(3, work)
    assert listed == "3. Toys\n   - inputs a, b: p. 1\n   - input c: p. 2\n   - formula d"


def test_a_source_that_only_a_formula_names_has_no_fields() -> None:
    assert set(bibliography.source_document(None).values()) == {None}
    known = bibliography.source_document(Source("k", "Title", "Them", licence="MIT"))
    assert (known["title"], known["licence"], known["locator"]) == ("Title", "MIT", None)


def test_a_list_of_all_sources_adds_up() -> None:
    listed = [
        Cited(Source("a", "A", "X", licence="MIT"), 1200, 3, ("models", "prices")),
        Cited(Source("b", "B", "Y"), 0, 40, ("prices",)),
    ]
    page = bibliography.cited_page(listed)
    assert page.parts[1] == "2 sources carry 1,200 figures and 43 rows."
    assert page.rows.rows[0] == ["1200", "3", 'X, "A"', "models, prices", "MIT"]
    assert [each["rows"] for each in page.document["sources"]] == [3, 40]


def test_sources_of_all_presets_are_counted_once_each_and_the_largest_first() -> None:
    from .questions import PRESETS

    listed = bibliography.cited(PRESETS)
    carried = [each.figures + each.rows for each in listed]
    assert carried == sorted(carried, reverse=True)
    assert min(carried) > 0
    citations = [each.source.cite() for each in listed]
    assert len(citations) == len(set(citations))
    figures = sum(len(record.figures) for record in PRESETS.all("models"))
    assert figures <= sum(each.figures for each in listed)
    # One paper is one source, whoever cites it.
    (llama,) = [each for each in listed if each.source.cite().startswith('Meta AI, "LLaMA: Open')]
    assert {"assumptions", "models"} <= set(llama.kinds)
