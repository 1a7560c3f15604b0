"""`--explain`: every step with formula, inputs and reference, every input with its source."""

from __future__ import annotations

import inspect
import re

import pytest

from estimator import Estimate
from estimator.estimate import STEPS, Step
from estimator.report.answer import shown
from estimator.report.explain import explain, reference

from .questions import answer

by_name = pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    return answer(mfu=None, price=None, pue=None, power=None, goodput=None)


@pytest.fixture(scope="module")
def text(estimate: Estimate) -> str:
    return explain(estimate)


def paragraph(text: str, step: Step) -> list[str]:
    """The lines about one step."""
    found = [part for part in text.split("\n\n") if part.startswith(f"{step.name} = ")]
    assert len(found) == 1, f"{step.name} is told {len(found)} times"
    return found[0].splitlines()


def doc_of(step: Step) -> str:
    return inspect.getdoc(step.formula) or ""


@by_name
def test_every_step_is_told_once_with_its_value(estimate: Estimate, text: str, step: Step) -> None:
    lines = paragraph(text, step)
    assert lines[0] == f"{step.name} = {shown(estimate, step.name)}"
    assert lines[1].strip() == doc_of(step).splitlines()[0]


@by_name
def test_a_references_section_is_found(text: str, step: Step) -> None:
    (told,) = [line.strip() for line in paragraph(text, step) if line.startswith("  reference: ")]
    if "References\n-------" in doc_of(step):
        found = reference(doc_of(step))
        assert found
        assert told == f"reference: {found}"
        assert re.search(r"\b(19|20)\d\d\b|arXiv|documentation|of this house", found), found
        assert "Examples" not in found
        assert ">>>" not in found
    else:
        assert told == "reference: by definition"


@by_name
def test_an_equation_is_shown_where_the_formula_has_one(text: str, step: Step) -> None:
    told = [line for line in paragraph(text, step) if line.startswith("  formula: ")]
    assert len(told) == (".. math::" in doc_of(step))


@by_name
def test_every_input_of_a_step_is_named(estimate: Estimate, text: str, step: Step) -> None:
    (told,) = [line for line in paragraph(text, step) if line.startswith("  from: ")]
    for name in step.inputs:
        if name == "transformer":
            assert "the model's dimensions" in told
        elif name == "optimizer":
            assert "the optimizer's bytes a parameter" in told
        elif name in estimate.values:
            assert f"{name} = {shown(estimate, name)}" in told
        else:
            assert name in told


@by_name
def test_every_part_of_a_step_is_told(estimate: Estimate, text: str, step: Step) -> None:
    told = [line.strip().split(":")[0] for line in paragraph(text, step) if line.startswith("    ")]
    assert told == list(estimate.parts.get(step.name, {}))


def test_the_steps_stand_in_the_order_in_which_they_are_computed(text: str) -> None:
    places = [text.index(f"\n{step.name} = ") for step in STEPS]
    assert places == sorted(places)


def test_every_input_has_a_line_with_where_it_came_from(estimate: Estimate, text: str) -> None:
    inputs = text.split("\n\nInputs\n\n")[1].splitlines()
    assert len(inputs) == len(estimate.case.origins)
    for line, (name, origin) in zip(inputs, estimate.case.origins.items(), strict=True):
        assert line.startswith(f"  {name} = ")
        assert f"({origin.kind}" in line
        if origin.figure:
            assert origin.figure.cite() in line
            assert f"[{origin.figure.kind}" in line


def test_a_figure_that_nobody_checked_says_so(estimate: Estimate, text: str) -> None:
    inputs = text.split("\n\nInputs\n\n")[1].splitlines()
    for line, origin in zip(inputs, estimate.case.origins.values(), strict=True):
        unchecked = origin.figure is not None and not origin.figure.verified
        assert (", not verified]" in line) is unchecked


def test_numbers_that_are_not_shown_elsewhere_keep_their_digits() -> None:
    assert "  hidden = 4,096 (" in explain(answer())
    assert "  live = 1,000,000,000 (" in explain(answer())


@pytest.mark.parametrize(
    ("doc", "found"),
    [
        ("Sum.", ""),
        ("Sum.\n\nReferences\n----------\nA. Author, 2020.", "A. Author, 2020."),
        (
            "Sum.\n\nReferences\n----------\nOne,\nEq. 2;\ntwo.\n\nExamples\n--------\n>>> 1",
            "One, Eq. 2; two.",
        ),
        ("Sum.\n\nNotes\n-----\nReferences are below.\n\nReferences\n----------\nB.", "B."),
    ],
)
def test_the_references_of_a_docstring(doc: str, found: str) -> None:
    assert reference(doc) == found
