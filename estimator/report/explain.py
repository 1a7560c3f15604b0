"""For each number the formula, its reference and the inputs with their sources, from the formulas' own docstrings."""

from __future__ import annotations

import inspect
import re

from ..estimate import SHOWN_INPUTS, STEPS, UNITS, Estimate, Step
from ..provenance import Origin
from . import words
from .answer import plain, shown

_EQUATION = re.compile(r"\.\. math:: (.+)")
_RECORDS = {"transformer": "the model's dimensions", "optimizer": "the optimizer's bytes a parameter"}


def explain(estimate: Estimate) -> str:
    """Return every quantity with its formula, reference and inputs, then every input with its source."""
    steps = [_step(estimate, step) for step in STEPS]
    inputs = [_input(estimate, name, origin) for name, origin in estimate.case.origins.items()]
    return (
        "How each number came about\n\n"
        + "\n\n".join(steps)
        + "\n\nInputs\n\n"
        + "\n".join(filter(None, inputs))
    )


def _step(estimate: Estimate, step: Step) -> str:
    doc = inspect.getdoc(step.formula) or ""
    lines = [f"{step.name} = {shown(estimate, step.name)}", f"  {doc.splitlines()[0]}"]
    lines += [f"  formula: {equation}" for equation in _EQUATION.findall(doc)[:1]]
    lines += [f"  from: {', '.join(_named(estimate, name) for name in step.inputs)}"]
    lines += [f"  reference: {text}" if (text := reference(doc)) else "  reference: by definition"]
    parts = estimate.parts.get(step.name, {})
    lines += [
        f"    {part}: {words.amount(float(value), estimate.amount(step.name).unit)}"
        for part, value in parts.items()
    ]
    return "\n".join(lines)


def reference(doc: str) -> str:
    """Return the References section of a numpydoc docstring as one line.

    Examples
    --------
    >>> reference("Sum.\\n\\nReferences\\n----------\\nA. Author, 2020,\\nEq. 2.\\n\\nExamples\\n--------\\nx")
    'A. Author, 2020, Eq. 2.'
    """
    match = re.search(r"References\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", doc, re.DOTALL)
    return " ".join(match[1].split()) if match else ""


def _named(estimate: Estimate, name: str) -> str:
    if name in _RECORDS:
        return _RECORDS[name]
    return f"{name} = {shown(estimate, name)}" if name in UNITS else name


def _input(estimate: Estimate, name: str, origin: Origin) -> str:
    if name in SHOWN_INPUTS:
        value = shown(estimate, name)
    elif name in estimate.case.words:
        value = estimate.case.words[name]
    else:
        value = plain(estimate, name, 12)
    figure = origin.figure
    cited = (
        f"; {figure.cite()} [{figure.kind}{'' if figure.verified else ', not verified'}]" if figure else ""
    )
    reason = f": {origin.reason}" if origin.reason and not (figure and origin.reason == figure.where) else ""
    return f"  {name} = {value} ({origin.kind}{reason}{cited})"
