"""Puts money into columns: as given, else as the records of the house have it, in the currency of the answer."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..inputs.money import Money
from ..inputs.run import option
from ..provenance import Figure, Origin
from ..records import Record
from .asked import Asked
from .exchange import converted, exchange

# Why a column has no value where a question does not ask for what it is about.
NOT_ASKED = Origin("derived", "not asked")


class Purse:
    """What lowering of money works with: the question, the currency, and what the house assumes of owning."""

    def __init__(self, asked: Asked) -> None:
        """Hold the three."""
        self.asked, self.run, self.draft = asked, asked.run, asked.draft
        self.currency = asked.draft.words["currency"]

    @property
    def house(self) -> Record:
        """What the house assumes of owning, of spot and of what a project adds."""
        return self.asked.presets.load("assumptions", "ownership")

    def put(self, column: str, field: str = "", default: str = "") -> None:
        """Set a column from its input, or from the house's figure with its range."""
        given: float | Money | None = getattr(self.run, field) if field else None
        if given is None:
            figure = converted_if_money(self.asked, self.house.figures[default or column], self.currency)
            self.draft.figure(column, figure, reason=figure.where, option=field and option(field))
            return
        if isinstance(given, Money):
            written = Origin("given", given.write(), option=option(field))
            self.draft.put(column, given.rate * exchange(self.asked, given.currency, self.currency), written)
            return
        self.draft.put(column, given, Origin("given", option=option(field)))

    def leave(self, columns: Iterable[str], value: float = math.nan) -> None:
        """Set columns that the question does not ask for."""
        for column in columns:
            self.draft.put(column, value, NOT_ASKED)

    def useless(self, fields: Iterable[str], without: str) -> None:
        """Note inputs that are given and change nothing."""
        given = [option(field) for field in fields if getattr(self.run, field) is not None]
        if given:
            verb = "changes" if len(given) == 1 else "change"
            self.draft.notes.append(f"{', '.join(given)} {verb} nothing without {without}")


def converted_if_money(asked: Asked, figure: Figure, currency: str) -> Figure:
    """Return a figure in the currency of the answer, if it is one of money."""
    from ..units import CURRENCIES

    return converted(asked, figure, currency) if any(name in figure.text for name in CURRENCIES) else figure
