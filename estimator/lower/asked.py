"""What every part of lowering works on: the question, the records and the draft of the case."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..case import Draft
from ..inputs import Run
from ..inputs.run import option
from ..presets import Presets
from ..provenance import GIVEN, Origin
from ..records import Record

_OWN = "that of your own measured steps"


class Asked:
    """A question, the records it may name, and the case in the making."""

    def __init__(self, run: Run, presets: Presets, draft: Draft) -> None:
        """Hold the three."""
        self.run, self.presets, self.draft = run, presets, draft

    @cached_property
    def defaults(self) -> Record:
        """What the house assumes where a question is silent."""
        return self.presets.load("assumptions", "defaults")

    @cached_property
    def calibration(self) -> Record:
        """Coefficients of the step time, fitted to measured steps."""
        return self.presets.load("calibrations", "step-time")

    @cached_property
    def own_calibration(self) -> Record | None:
        """What the user's own measured steps taught, where the question names it."""
        if self.run.calibration is None:
            return self.presets.calibration
        from ..inputs.calibrations import (
            own_calibration,  # with hashes and JSON, which hardly a question needs
        )

        return own_calibration(self.run.calibration, self.calibration)

    @property
    def stack(self) -> tuple[str, str]:
        """The software stack and why it was taken: as given, else that of the user's own measured steps."""
        choice = self.choice("stack")
        own: Any = self.own_calibration.words.get("stack") if self.own_calibration else None
        if self.run.stack:
            return self.run.stack, ""
        return (str(own), _OWN) if own else (str(choice["value"]), str(choice["reason"]))

    @property
    def stack_year(self) -> tuple[float, Origin] | None:
        """The year of the software and where it is from; nothing where neither the user nor his steps tell it."""
        if self.run.stack_year is not None:
            return self.run.stack_year, Origin("given", option="--stack-year")
        own: Any = self.own_calibration.words.get("stack_year") if self.own_calibration else None
        if self.run.stack or not own:
            return None
        return float(own), Origin("assumed", _OWN, option="--stack-year")

    def chosen(self, name: str, field: str) -> Record:
        """Return the record that an input names or the house chooses; list it when it is the house's choice."""
        kind = {"accelerator": "accelerators", "optimizer": "optimizers", "grid": "grids"}[name]
        given: str | None = getattr(self.run, field)
        match = self.presets.find(kind, given or self.choice(name)["value"])
        reason = match.reason if given else str(self.choice(name)["reason"])
        self.word(name, match.record.id, field, reason)
        return match.record

    def choice(self, name: str) -> Mapping[str, Any]:
        """Return a choice of the house: its value and the reason for it."""
        return self.defaults.words["choices"][name]

    def word(self, name: str, value: str, field: str, reason: str = "") -> None:
        """Set a word of the case; with a reason it is listed as an assumption."""
        self.draft.words[name] = value
        self.draft.origins[name] = (
            Origin("assumed", reason, None, field and option(field)) if reason else GIVEN
        )

    def word_or_default(self, name: str, field: str) -> str:
        """Set a word from its input, or from the house's choice with its reason."""
        given: str | None = getattr(self.run, field)
        choice = self.choice(name)
        self.word(name, given or str(choice["value"]), field, "" if given else str(choice["reason"]))
        return self.draft.words[name]

    def number(self, name: str, field: str, default: str = "", *, ranged: bool = False) -> None:
        """Set a column from an input, or from a default figure; its range counts only where ``ranged``."""
        value: float | None = getattr(self.run, field)
        if value is not None:
            self.draft.put(name, value, Origin("given", option=option(field)))
            return
        figure = self.defaults.figures[default or name]
        if ranged:
            self.draft.figure(name, figure, reason=figure.where, option=option(field))
        else:
            self.draft.put(name, figure.value, Origin("assumed", figure.where, figure, option(field)))
