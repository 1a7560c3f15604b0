"""The question about serving: a model, accelerators, a precision, lengths of requests and a demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import QuestionError, near_misses
from ..presets import Presets
from ..schema import PEAK_OF, PRECISIONS
from .beside import read_beside, write_beside
from .fields import Field, count, one_of, share, whole
from .run import Run
from .table import FIELDS

_SERVED = (*PRECISIONS, *PEAK_OF, "int4")
# Inputs of a training question that say which model is served, and on what.
_OF_RUN = ("params", "model", "config", "tokens", "on", "node", "count")
_OWN: Mapping[str, Field] = {
    "precision": Field(one_of(*_SERVED), f"Of the weights as served: {', '.join(_SERVED)}.", "NAME"),
    "cache_precision": Field(one_of(*_SERVED), "Of keys and values, 16 bit where not given.", "NAME"),
    "prompt": Field(count(1, 1e9), "Tokens that a request brings; of a model that writes none, those of its input."),
    "answer": Field(count(1, 1e9), "Tokens that are written for a request."),
    "context": Field(count(1, 1e9), "Tokens that a sequence holds on average while it is decoded."),
    "batch": Field(whole(1, 1e8), "Sequences decoded together; the most that memory holds where not given."),
    "tokens_per_day": Field(count(1, 1e19), "Demand: tokens to be written a day, like 10B."),
    "visits_per_day": Field(count(1, 1e15), "Demand: requests a day, like 25M, with --answer."),
    "load": Field(share(), "Share of the bound that machines reach, idle hours counted in; 1 is the bound.", "SHARE"),
}  # fmt: skip
SERVING_FIELDS: Mapping[str, Field] = {**{name: FIELDS[name] for name in _OF_RUN}, **_OWN}


@dataclass(frozen=True, slots=True)
class ServingQuestion:
    """What is asked about serving, checked.

    ``run`` holds model and accelerators; lengths count tokens, ``load`` is a share, demands are a day's.
    """

    run: Run
    precision: str | None = None
    cache_precision: str | None = None
    prompt: float | None = None
    answer: float | None = None
    context: float | None = None
    batch: float | None = None
    tokens_per_day: float | None = None
    visits_per_day: float | None = None
    load: float | None = None

    @classmethod
    def read(cls, given: Mapping[str, Any], presets: Presets | None = None) -> ServingQuestion:
        """Make a question from names and values, as options or a file give them.

        Raises
        ------
        QuestionError
            Every fault of the inputs, a line each.

        Examples
        --------
        >>> ServingQuestion.read({"params": "7B", "answer": 200}).answer
        200.0
        """
        records = presets or Presets()
        named = {name: value for name, value in given.items() if value is not None}
        faults = [
            f"there is no input '{name}'{near_misses(name, list(SERVING_FIELDS))}"
            for name in named
            if name not in SERVING_FIELDS
        ]
        own, faulty = read_beside(named, _OWN, records)
        faults += [*faulty, *_contradictions(named)]
        of_run = {name: value for name, value in named.items() if name in _OF_RUN}
        try:
            run = Run.read(of_run, records)
        except QuestionError as error:
            raise QuestionError([*error.faults, *faults]) from None
        if faults:
            raise QuestionError(faults)
        return cls(run, **own)

    def write(self) -> dict[str, str | float]:
        """Return the inputs as texts and numbers that read back as this very question."""
        return {**self.run.write(), **write_beside(self, _OWN)}


def _contradictions(named: Mapping[str, Any]) -> list[str]:
    faults: list[str] = []
    if {"tokens_per_day", "visits_per_day"} <= named.keys():
        faults.append("--tokens-per-day and --visits-per-day contradict each other; give one of them")
    if "visits_per_day" in named and "answer" not in named:
        faults.append(
            "--visits-per-day: a visit without its length is no demand; give --answer too, the tokens written for "
            "each, like --answer 500"
        )
    return faults
