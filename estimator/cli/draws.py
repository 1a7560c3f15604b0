"""`--draws`, `--seed` and `--sensitivity`: how sure an answer is, by drawing its unknowns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import EstimatorError
from ..estimate import Estimate
from ..tuples import NamedTuple
from .options import merged

if TYPE_CHECKING:
    from ..report.sample import Drawn

_USUAL = "4096"
# Methods whose samples are those of a data set.
_TUNING = ("lora", "qlora")


class Asked(NamedTuple):
    """How many draws are asked for, as they are written, from which seed, and whether to split their variance."""

    draws: str
    seed: str
    sensitivity: bool

    @property
    def numbers(self) -> tuple[float, float]:
        """How many draws, and the seed."""
        return _draws(self.draws), _seed(self.seed)


def draw_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a sample."""
    options = (
        click.option("--draws", metavar="NUMBER", help="Draw all unknowns so often and tell percentiles, like 4096."),
        click.option("--seed", metavar="NUMBER", help="A whole number that the draws follow from; 0 unless given."),
        click.option("--sensitivity", is_flag=True, help="Tell which unknown each range comes from (needs scipy)."),
    )  # fmt: skip
    for add in reversed(options):
        function = add(function)
    return function


def taken(question: str | None, given: dict[str, Any]) -> tuple[Asked | None, str]:
    """Take the options of a sample out of those of a question; with a note where --samples is meant for one."""
    note = ""
    if given["draws"] is None and _means_draws(question, given):
        draws = given["draws"] = given.pop("samples")
        note = f"--samples {draws} without --epochs is taken as --draws {draws}; a data set has both"
    return asked_draws(given), note


def asked_draws(given: dict[str, Any]) -> Asked | None:
    """Take the options of a sample out of those of a question."""
    draws, seed, sensitivity = (given.pop(name) for name in ("draws", "seed", "sensitivity"))
    if draws is None and seed is None and not sensitivity:
        return None
    return Asked(_USUAL if draws is None else draws, seed or "0", sensitivity)


def _means_draws(question: str | None, given: Mapping[str, Any]) -> bool:
    """Tell whether --samples is a number of draws: it is no data set, which has --epochs or a method of fine-tuning."""
    if given["samples"] is None:
        return False
    stored: Mapping[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question

        stored = read_question(Path(question))
    asked = merged(stored, {**given, "samples": None})
    return "epochs" not in asked and asked.get("method") not in _TUNING


def drawn(estimate: Estimate, asked: Asked) -> Drawn:
    """Draw the unknowns of an answer.

    Raises
    ------
    EstimatorError
        A number of draws or a seed that is none, or no scipy where it is needed.
    """
    from ..report.sample import Drawn
    from ..samples.sample import sample

    found = sample(estimate.case, *asked.numbers)
    return Drawn(estimate, found, found.sensitivity() if asked.sensitivity else None)


def _draws(text: str) -> float:
    from ..units import parse_count, shorten

    try:
        return parse_count(text)
    except EstimatorError:
        raise EstimatorError(
            f"--draws: {shorten(text)} is not a number of draws; write it like 4096"
        ) from None


def _seed(text: str) -> float:
    from ..units import shorten

    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise EstimatorError(
            f"--seed: {shorten(text)} is not a whole number of 0 or more; write it like 7"
        ) from None
