"""Money and the grid: the rent of an accelerator, the currency of the answer, PUE and carbon."""

from __future__ import annotations

import math

from ..provenance import Origin
from . import grid
from .asked import Asked
from .exchange import exchange
from .offers import median_offer, offers


def lower(asked: Asked) -> None:
    """Set price, currency, PUE and the grid's carbon intensity."""
    _pue_and_carbon(asked)
    currency = asked.word_or_default("currency", "currency")
    # Without an accelerator or a node's size the machine was refused already: its fault is told, not ours.
    if {"accelerator", "per_node"} <= {*asked.draft.words, *asked.draft.columns}:
        _price(asked, currency)


def _pue_and_carbon(asked: Asked) -> None:
    record = asked.chosen("grid", "grid")
    grid.pue(asked, record)
    grid.lower(asked, record)
    grid.embodied(asked)


def _price(asked: Asked, currency: str) -> None:
    """Set the rent: as given, or the median of the recorded offers; unknown where there are none."""
    price, draft = asked.run.price, asked.draft
    if price is not None:
        share = 1.0 if price.per == "accelerator" else float(draft.columns["per_node"])
        rate = price.rate / share * exchange(asked, price.currency, currency)
        draft.put("price", rate, Origin("given", price.write(), option="--price"))
        if asked.run.plan is not None:
            asked.word("plan", asked.run.plan, "plan")
        elif asked.run.year is not None and price.currency == currency:
            draft.notes.append(f"--year changes nothing: the price is given, in {currency} like the answer")
        return
    plan = asked.word_or_default("plan", "plan")
    owned = plan == "own"
    plan = str(asked.choice("plan")["value"]) if owned else plan
    rows, reason = offers(asked, plan)
    if rows:
        told = f"rent to compare with, {reason}" if owned else reason
        draft.figure("price", median_offer(asked, rows, currency), reason=told, option="--price")
        return
    lost = "nothing to compare with" if owned else "no cost"
    missing = f"no {plan} price of {draft.words['accelerator']} is on record: {lost}; give --price"
    draft.put("price", math.nan, Origin("assumed", missing, option="--price"))
    draft.notes.append(missing)
