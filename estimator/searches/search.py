"""The best layout of a question, on one accelerator and count or over several: by time or by cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ..answer import ask, noted, with_ranges
from ..arrays import Array, array
from ..case import Case
from ..errors import EstimatorError, QuestionError
from ..estimate import Estimate
from ..inputs import Run
from ..inputs.axes import read_axis
from ..presets import Presets
from ..tuples import NamedTuple
from ..workers import Given, opened, read
from .fronts import front
from .question import laid_out, lowered
from .space import PARTS
from .tried import Counts, Tried, tried

# What is sought, and the quantity that it is the least of.
BY: Mapping[str, str] = {"time": "wall_clock", "cost": "cost"}
# So many questions, of an accelerator and a count each, are searched.
MOST_QUESTIONS = 1000
# Called with what is done, how many of it, and of how many.
Told = Callable[[str, int, int], None]


class Layout(NamedTuple):
    """One layout: its parts by name, the time of a step and the memory of a card. [s], [byte]"""

    parts: Mapping[str, float]
    time: float
    memory: float


class Found(NamedTuple):
    """What came of one accelerator and count: the answer for the fastest layout that fits, where one does.

    ``usual`` asks the question itself, as `ask` answers it where no layout is named; None where it is illegal then.
    """

    case: Case
    tried: Tried
    estimate: Estimate | None
    usual: Callable[[], Estimate | None] = lambda: None

    @property
    def counts(self) -> Counts:
        """How many layouts are legal, fit, were evaluated, and ruled out by a bound."""
        return self.tried.counts

    @property
    def fastest(self) -> list[Layout]:
        """The fastest layouts that fit."""
        return _layouts(self.tried.fastest)

    @property
    def front(self) -> list[Layout]:
        """Layouts that no other beats in both time and memory, the fastest first."""
        return _layouts(self.tried.front)

    @property
    def fell_out(self) -> Mapping[str, int]:
        """Why the other legal layouts fell out, and of how many candidates a part does not divide."""
        counts = self.counts
        return {
            "does not divide": sum(self.tried.refused.values()),
            "does not fit": counts.legal - counts.fit,
            "dominated": counts.fit - len(self.tried.front.time),
        }

    def amount(self, name: str) -> float:
        """Return a quantity of the answer; NaN where no layout fits."""
        return math.nan if self.estimate is None else float(self.estimate.values[name])

    def answer(self, layout: Layout) -> Estimate:
        """Return the whole answer for one of the layouts, as if it were given."""
        return answer_of(self.case, layout.parts, "found by a search")


class Search(NamedTuple):
    """Answers of a search, a question each, in the order asked; ``within`` is the time allowed. [s]"""

    found: Sequence[Found]
    by: str
    within: float | None

    def in_time(self, found: Found) -> bool:
        """Tell whether an answer is there and keeps to the time allowed."""
        time = found.amount("wall_clock")
        return time <= (math.inf if self.within is None else self.within)

    @property
    def best(self) -> Found | None:
        """The least in what is sought of those in time of which it is known; of those alike the first."""
        name = BY[self.by]
        some = [found for found in self.found if self.in_time(found) and not math.isnan(found.amount(name))]
        return min(some, key=lambda found: found.amount(name), default=None)

    @property
    def front(self) -> list[Found]:
        """Those that no other beats in both time and cost, the fastest first."""
        time, cost = (array([_known(each.amount(name)) for each in self.found]) for name in BY.values())
        return [self.found[place] for place in front(np.asarray(time), np.asarray(cost)).tolist()]


def _known(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _layouts(some: Any) -> list[Layout]:
    rows = zip(some.layouts.tolist(), some.time.tolist(), some.memory.tolist(), strict=True)
    return [Layout(dict(zip(PARTS, row, strict=True)), time, memory) for row, time, memory in rows]


def search(
    question: Run | Mapping[str, Any],
    *,
    by: str = "time",
    presets: Presets | None = None,
    cluster: Given = None,
    told: Told | None = None,
) -> Search:
    """Try every legal layout of a question and return the best, on each of several accelerators and counts.

    Parameters
    ----------
    question
        A `Run`, or inputs by name. What it gives of the layout is fixed, all else is open. Accelerators (``on``) and
        counts may be several, each a list or text like ``h100,a100`` or ``512:4096:x2``. With ``within`` beside
        counts, only those in time are sought.
    by
        What is sought, ``time`` or ``cost``.
    presets
        Where names are looked up.
    cluster
        Where to compute, if not here: a number of processes, ``local:2`` or ``tcp://head-node:8786`` for Dask, or a
        ``dask.distributed.Client``. What is found is the same.
    told
        Called with how far the work is.

    Returns
    -------
    The fastest layout of each accelerator and count with what came of all others, and the best of them.

    Raises
    ------
    EstimatorError
        What is wrong with the question, or more layouts or questions than can be tried.

    Examples
    --------
    >>> asked = {"model": "gpt3-6.7b", "on": "nvidia-a100-sxm-80gb", "global_batch": 64, "zero": 3, "pp": 1}
    >>> found = search({**asked, "count": [8, 16]})
    >>> [float(each.case.columns["count"]) for each in found.found], found.best is found.found[1]
    ([8.0, 16.0], True)
    """
    if by not in BY:
        raise EstimatorError(f"--by: '{by}' is neither time nor cost")
    records, where = presets or Presets(), read(cluster)
    inputs = dict(question.write() if isinstance(question, Run) else question)
    within = _taken(inputs, records)
    runs = list(_runs(inputs, records))
    cases = [lowered(run, records) for run in runs]

    def _told(place: int, done: int, of: int) -> None:
        if told is not None:
            told(
                "layouts" if len(cases) == 1 else f"layouts of question {place + 1} of {len(cases)}", done, of
            )

    with opened(where, told) as team:
        every = tried(cases, team, _told)
    found = [
        _found(case, came, partial(_usual, run, records))
        for run, case, came in zip(runs, cases, every, strict=True)
    ]
    return Search(found, by, within)


def _taken(inputs: dict[str, Any], presets: Presets) -> float | None:
    """Take the deadline out of the inputs, for a count is searched and not followed from it."""
    given = inputs.pop("within", None)
    if given is None:
        return None
    if inputs.get("count") is None and inputs.get("nodes") is None:
        raise EstimatorError("--within: say which counts to search, like --count 512:4096:x2")
    return read_values("within", [given], presets)[0]


def read_values(name: str, given: Any, presets: Presets) -> list[Any]:
    """Return every value of an input that is searched over, each checked as the input itself is."""
    values = [given] if isinstance(given, (int, float)) else given
    try:
        return read_axis(name, values, presets)
    except EstimatorError as error:
        raise EstimatorError(str(error).replace(f"--vary {name}:", f"--{name}:")) from None


def _runs(inputs: Mapping[str, Any], presets: Presets) -> Iterator[Run]:
    """Yield the question of each accelerator and count."""
    values = {
        name: read_values(name, inputs[name], presets)
        for name in ("on", "count")
        if inputs.get(name) is not None
    }
    size = math.prod(len(each) for each in values.values())
    if size > MOST_QUESTIONS:
        counted = " x ".join(f"{len(each):,} of --{name}" for name, each in values.items() if len(each) > 1)
        raise EstimatorError(
            f"{size:,} questions ({counted}) are more than the {MOST_QUESTIONS:,} that can be searched; take wider "
            "steps, like --count 512:4096:x2"
        )
    for some in product(*values.values()):
        yield Run.read({**inputs, **dict(zip(values, some, strict=True))}, presets)


def _usual(run: Run, presets: Presets) -> Estimate | None:
    try:
        return ask(run, presets)
    except QuestionError:  # what is only legal beside a layout that is found
        return None


def _found(case: Case, came: Tried, usual: Callable[[], Estimate | None]) -> Found:
    """Return what came of one question."""
    best = _layouts(came.fastest)[:1]
    reason = f"the fastest that fits, of {came.counts.legal:,} legal layouts"
    return Found(case, came, answer_of(case, best[0].parts, reason) if best else None, usual)


def answer_of(case: Case, parts: Mapping[str, float], reason: str) -> Estimate:
    """Return the answer to a question with one layout, as if it were given."""
    columns: dict[str, Array] = {name: array(value) for name, value in parts.items()}
    return with_ranges(noted(laid_out(case, columns, reason)))
