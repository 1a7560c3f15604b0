"""Where the questions and figures of a claim are looked up: each question is asked once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .. import units
from ..answer import ask
from ..claims import Claim
from ..errors import PresetError, UnitError, near_misses
from ..estimate import Estimate
from ..inputs import Run
from ..inputs.serving import ServingQuestion
from ..presets import Presets
from ..provenance import Figure
from ..serving import Bound, ask_bound
from ..tuples import NamedTuple

_REFERENCE = re.compile(r"(?P<kind>[a-z]+)/(?P<id>[^:\s]+):(?P<figure>\w+)")
# A recorded figure in these is an input without a unit.
_PLAIN = ("1", "accelerator", "token", "node")


class Number(NamedTuple):
    """A number with its ends, in house units."""

    value: float
    low: float
    high: float
    unit: str


class Asked(NamedTuple):
    """Every answer so far, and every question that was fitted, by what was asked."""

    answers: dict[str, Estimate]
    fitted: dict[str, dict[str, Any]]
    bounds: dict[str, Bound]


class Bench:
    """Where the questions of one claim are asked: its records, and every answer so far.

    ``asked`` is shared by all claims that are judged together, so that nothing is asked twice.
    """

    def __init__(self, claim: Claim, presets: Presets, asked: Asked) -> None:
        """Keep what is needed; nothing is asked yet."""
        self.claim, self.presets, self.asked = claim, presets, asked

    def number(self, text: object, replaced: Mapping[str, float]) -> Number:
        """Return what a text stands for: a figure of the claim, of a record, or a number with its unit."""
        if isinstance(text, (int, float)):
            return Number(float(text), float(text), float(text), "1")
        name = str(text)
        figure = self.figure(name)
        if figure is None:
            value, unit = units.parse_any(name)
            found = Number(value, value, value, unit)
        else:
            unit = units.parse_any(figure.text)[1]
            low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
            found = Number(figure.value, low, high, unit)
        if name in replaced:
            value = replaced[name]
            return Number(value, value, value, found.unit)
        return found

    def figure(self, name: str) -> Figure | None:
        """Return the figure that a name means, like ``cost`` or ``nodes/nvidia-dgx-a100-320:power``; else None."""
        if name in self.claim.figures:
            return self.claim.figures[name]
        match = _REFERENCE.fullmatch(name)
        if match is None:
            return None
        if match["kind"] == "rates":
            return self._rate(match["id"], match["figure"])
        record = self.presets.find(match["kind"], match["id"]).record
        if match["figure"] not in record.figures:
            hint = near_misses(match["figure"], list(record.figures))
            raise PresetError(f"{match['kind']}/{record.id} has no figure '{match['figure']}'{hint}")
        return record.figures[match["figure"]]

    def unit(self, name: str) -> str:
        """Return the unit in which a figure, or a number with its unit, is written."""
        figure = self.figure(name)
        try:
            return units.split(figure.text if figure else name)[1] or "1"
        except UnitError:
            return "1"

    def _rate(self, currency: str, year: str) -> Figure:
        """Return the mean exchange rate of a year, like that of ``rates/CNY:2022``, as a figure."""
        rows = [
            row for row in self.presets.rows("prices/exchange-rates") if row.cells["currency"] == currency
        ]
        for row in rows:
            if row.cells["year"] == year:
                text = f"{row.cells['per_usd']} {currency}/USD"
                value = units.parse_any(text)[0]
                return Figure(value, text, row.source, f"mean of {year}", "measured")
        years = [row.cells["year"] for row in rows]
        known = f"; there are {years[0]} to {years[-1]}" if years else ""
        raise PresetError(f"there is no exchange rate of {currency} in {year}{known}")

    def inputs(self, question: Mapping[str, Any], currency: str = "") -> dict[str, Any]:
        """Return a question with the figures that it names as text, in the currency of the claim."""
        found = {name: self._input(value) for name, value in question.items()}
        return {"currency": currency, **found} if currency and "currency" not in found else found

    def _input(self, value: Any) -> Any:
        figure = self.figure(value) if isinstance(value, str) else None
        if figure is None:
            return value
        return figure.value if units.parse_any(figure.text)[1] in _PLAIN else figure.text

    def answer(self, question: Mapping[str, Any]) -> tuple[Run, Estimate]:
        """Ask a question, once."""
        run = Run.read(question, self.presets)
        key = repr(run)
        if key not in self.asked.answers:
            self.asked.answers[key] = ask(run, self.presets)
        return run, self.asked.answers[key]

    def bounds(self, questions: Sequence[ServingQuestion], name: str) -> list[Bound]:
        """Return one bound on serving of several questions, each asked once."""
        keys = [f"{name} {question!r}" for question in questions]
        known = self.asked.bounds
        new = {key: question for key, question in zip(keys, questions, strict=True) if key not in known}
        known.update(zip(new, ask_bound(list(new.values()), name, self.presets), strict=True))
        return [known[key] for key in keys]
