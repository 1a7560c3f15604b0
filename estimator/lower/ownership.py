"""Machines of one's own: what they cost, how long they last, and what running them takes."""

from __future__ import annotations

import math

from ..case import Unknown
from ..formulas.capital import Ownership
from ..inputs.money_table import OWNER
from ..provenance import Figure, Origin
from ..tuples import NamedTuple
from . import local
from .asked import Asked
from .exchange import converted
from .money import Purse

_YEAR = 365.25 * 86400.0


class _Split(NamedTuple):
    """The price of an accelerator and of its share of the server."""

    card: float
    server: float


def lower(asked: Asked) -> None:
    """Set the columns of ownership; all but what is given stay unknown where the machines are rented."""
    if "currency" not in asked.draft.words or "price" not in asked.draft.columns:
        return
    purse = Purse(asked)
    owned = purse.draft.words.get("plan") == "own"
    purse.draft.put("owned", float(owned), Origin("given", option="--plan"))
    reserved = str(purse.draft.words.get("plan", "")).startswith("reserved")
    if not owned:
        counted = {"life"} if asked.run.embodied is not None else set[str]()
        purse.useless([name for name in OWNER if name not in counted], "--plan own")
        purse.leave([name for name in Ownership._fields if name not in ("utilisation", "tariff")])
        _utilisation_of_rent(purse, reserved)
        local.tariff(purse) if asked.run.tariff else purse.leave(["tariff"])
        return
    purse.leave(["paid_utilisation"], 1.0)
    purse.leave(["interest_period"], _YEAR)
    _machines(purse)
    for name in ("network_share", "storage_share", "building_price", "building_life", "idle_power"):
        purse.put(name)
    purse.put("accelerators_per_operator")
    for name in ("life", "cost_of_capital", "utilisation", "maintenance"):
        purse.put(name, name)
    local.pay(purse, "operator_pay")
    local.tariff(purse)


def _utilisation_of_rent(purse: Purse, reserved: bool) -> None:
    """Set the share of paid time that is used: what is reserved is paid for whether it is used or not."""
    if purse.run.utilisation is None:
        purse.leave(["utilisation"])
        purse.leave(["paid_utilisation"], 1.0)
        return
    purse.put("utilisation", "utilisation")
    origin = Origin("given", "what is reserved is paid for used or not", option="--utilisation")
    purse.draft.put("paid_utilisation", purse.run.utilisation if reserved else 1.0, origin)
    if not reserved and purse.run.embodied is None:
        purse.useless(["utilisation"], "--plan own or reserved")


def _machines(purse: Purse) -> None:
    """Set the price of an accelerator and of its share of the server, as given or as on record."""
    given, draft = purse.run.purchase_price, purse.draft
    card, server = _on_record(purse)
    share = purse.house.figures["server_share"]
    if given is not None:
        from .exchange import exchange

        rate = given.rate * exchange(purse.asked, given.currency, purse.currency)
        origin = Origin("given", given.write(), option="--purchase-price")
        if given.per == "node":
            _put(purse, _of_server(rate / float(draft.columns["per_node"]), card, share.value), origin)
        elif card and server:
            _put(purse, _Split(rate, max(server.value - card.value, 0.0)), origin)
        else:
            _put(purse, _Split(rate, rate * share.value), origin)
            draft.unknown("server_price", rate * (share.low or 0.0), rate * (share.high or 0.0))
        return
    if server:
        _recorded(purse, server, [_of_server(price, card, share.value) for price in _ends(purse, server)])
    elif card:
        prices = _ends(purse, card)
        _recorded(purse, card, [_Split(price, price * share.value) for price in prices])
        rests = [card.value * (end or 0.0) for end in (share.low, share.high)]
        draft.unknown("server_price", *rests)
    else:
        missing = (
            f"no purchase price of {draft.words['accelerator']} is on record: no cost; give --purchase-price"
        )
        origin = Origin("assumed", missing, option="--purchase-price")
        _put(purse, _Split(math.nan, math.nan), origin)
        draft.notes.append(missing)


def _on_record(purse: Purse) -> tuple[Figure | None, Figure | None]:
    """Return the recorded price of an accelerator, and of its share of a server with all its cards."""
    asked, draft = purse.asked, purse.draft
    card = asked.presets.load("accelerators", draft.words["accelerator"]).figures.get("purchase_price")
    node = asked.presets.load("nodes", draft.words["node"]) if "node" in draft.words else None
    whole = node.figures.get("purchase_price") if node else None
    per_node = float(draft.columns["per_node"])
    server = whole and whole._replace(
        value=whole.value / per_node,
        low=None if whole.low is None else whole.low / per_node,
        high=None if whole.high is None else whole.high / per_node,
    )
    found = [figure and converted(asked, figure, purse.currency) for figure in (card, server)]
    return found[0], found[1]


def _of_server(price: float, card: Figure | None, share: float) -> _Split:
    """Divide an accelerator's share of the price of a server into the accelerator and the rest."""
    own = card.value if card else price / (1.0 + share)
    return _Split(min(own, price), max(price - own, 0.0))


def _ends(purse: Purse, figure: Figure) -> list[float]:
    """Return a recorded price with its low and high end, the usual ones of quotes where it has none."""
    if figure.low is not None or figure.high is not None:
        return [figure.value if end is None else end for end in (figure.value, figure.low, figure.high)]
    usual = purse.house.figures["purchase_spread"]
    return [figure.value * (end or 1.0) for end in (1.0, usual.low, usual.high)]


def _recorded(purse: Purse, figure: Figure, splits: list[_Split]) -> None:
    """Set both prices from a record, with its ends as one unknown."""
    dated = f"{figure.where}{f' ({figure.note})' if figure.note else ''}"
    _put(purse, splits[0], Origin("assumed", dated, figure, "--purchase-price"))
    low, high = ({"accelerator_price": split.card, "server_price": split.server} for split in splits[1:])
    from ..arrays import array

    ends = [{name: array(value) for name, value in end.items()} for end in (low, high)]
    purse.draft.unknowns.append(Unknown("purchase_price", ends[0], ends[1]))


def _put(purse: Purse, split: _Split, origin: Origin) -> None:
    purse.draft.put("accelerator_price", split.card, origin)
    purse.draft.put("server_price", split.server, origin)
