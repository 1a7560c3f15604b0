"""Solves a question on each of several accelerators, and tells how sure a solution is by drawing its unknowns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..errors import EstimatorError, QuestionError
from ..inputs import Run
from ..presets import Presets
from ..samples.sample import Sample, sample
from ..searches.search import read_values
from .solve import Solution, solve


class Sure(NamedTuple):
    """Draws of a solution, and the shares of them that keep the target, finish in time, and do both.

    The last two are NaN where no deadline beside the target was given.
    """

    sample: Sample
    kept: float
    in_time: float
    both: float


class Each(NamedTuple):
    """What came of one accelerator: the solution, or why there is none."""

    on: str
    solution: Solution | None
    fault: str = ""


def sure_of(solution: Solution, samples: float = 4096, seed: float = 0) -> Sure:
    """Draw the unknowns of a solution, its value, layout and count as they were found.

    Raises
    ------
    EstimatorError
        A number of draws or a seed that is none.

    Examples
    --------
    >>> found = solve({"params": "7B", "on": "h100", "count": 256, "price": "2 USD/gpu/hour"}, "tokens", cost="1e5 USD")
    >>> 0.4 < sure_of(found, 1024).kept < 0.6
    True
    """
    drawn, target = sample(solution.estimate.case, samples, seed), solution.target
    values = np.asarray(drawn.values[target.quantity])
    kept = values <= target.value if target.most else values >= target.value
    if target.quantity == "wall_clock" or "within" not in solution.estimate.case.columns:
        return Sure(drawn, float(kept.mean()), np.nan, np.nan)
    early = np.asarray(drawn.values["wall_clock"]) <= solution.estimate.case.columns["within"]
    return Sure(drawn, float(kept.mean()), float(early.mean()), float((kept & early).mean()))


def solve_each(
    question: Run | Mapping[str, Any], name: str, *, presets: Presets | None = None, **target: Any
) -> list[Each]:
    """Do as `solve` on each of several accelerators, ``on`` being a list or text like ``h100,ascend-910b``.

    Prices may be as many, in the same order. An accelerator without an answer tells why; the others have theirs.

    Raises
    ------
    QuestionError
        There is no answer for any of them, or prices are not as many.

    Examples
    --------
    >>> asked = {"params": "7B", "on": "h100,a100", "count": 256, "price": "3,2 USD/gpu/hour"}
    >>> h100, a100 = (each.solution.value for each in solve_each(asked, "tokens", cost="1e5 USD") if each.solution)
    >>> h100 > a100
    True
    """
    records = presets or Presets()
    given = question.write() if isinstance(question, Run) else dict(question)
    if given.get("on") is None:
        raise QuestionError(["--on: no accelerator is named; give several, like --on h100,ascend-910b"])
    names = read_values("on", given["on"], records)
    found = [
        _solved({**given, "on": on, **price}, name, records, target)
        for on, price in zip(names, _prices(given, len(names), records), strict=True)
    ]
    if all(each.solution is None for each in found):
        raise QuestionError(list(dict.fromkeys(each.fault for each in found)))
    return found


def _solved(given: Mapping[str, Any], name: str, presets: Presets, target: Mapping[str, Any]) -> Each:
    try:
        return Each(str(given["on"]), solve(given, name, presets=presets, **target))
    except EstimatorError as error:
        return Each(str(given["on"]), None, str(error))


def _prices(given: Mapping[str, Any], number: int, presets: Presets) -> list[dict[str, Any]]:
    """Return the price of each accelerator, as an input; none where none is given."""
    said = given.get("price")
    if said is None or (isinstance(said, str) and "," not in said):
        return [{}] * number
    values = read_values("price", said, presets)
    if len(values) not in (1, number):
        raise QuestionError(
            [
                f"--price: {len(values)} prices for {number} accelerators of --on; give one, or one for each in the "
                "same order"
            ]
        )
    return [{"price": value} for value in (values if len(values) == number else values * number)]
