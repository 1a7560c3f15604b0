"""The part of a run that is rented at spot: its share, price and interruptions."""

from __future__ import annotations

import math

from ..errors import EstimatorError
from ..provenance import Origin
from .asked import Asked
from .exchange import exchange
from .money import Purse
from .offers import median_offer, offers

_FIELDS = ("spot_price", "spot_interruptions", "spot_lost_time")


def lower(asked: Asked) -> None:
    """Set the columns of spot.

    Raises
    ------
    EstimatorError
        A share at spot of what is owned, or of what is at spot altogether.
    """
    draft, run, plan = asked.draft, asked.run, asked.draft.words.get("plan")
    if not {"currency", "plan"} & draft.words.keys() or "price" not in draft.columns:
        return
    purse = Purse(asked)
    if run.spot_share is not None and plan in ("spot", "own"):
        whose = "rents all of it at spot" if plan == "spot" else "rents nothing"
        raise EstimatorError(f"--spot-share: --plan {plan} {whose}; leave one of them out")
    share = 1.0 if plan == "spot" else run.spot_share or 0.0
    origin = Origin("given", f"--plan {plan}" * (plan == "spot"), option="--spot-share")
    draft.put("spot_share", share, origin)
    if share == 0.0:
        purse.useless(_FIELDS, "--spot-share or --plan spot")
        purse.leave(["spot_price"])
        purse.leave(["spot_interruptions", "spot_lost_time"], 0.0)
        return
    _price(purse, plan)
    if run.goodput is not None:
        purse.useless(_FIELDS[1:], "a goodput that is modelled; --goodput holds what spot loses")
    purse.put("spot_interruptions", "spot_interruptions")
    purse.put("spot_lost_time", "spot_lost_time")


def _price(purse: Purse, plan: str | None) -> None:
    """Set the price at spot: as given, that of the plan, or the median of the recorded offers."""
    asked, draft, given = purse.asked, purse.draft, purse.run.spot_price
    if given is not None:
        share = 1.0 if given.per == "accelerator" else float(draft.columns["per_node"])
        rate = given.rate / share * exchange(asked, given.currency, purse.currency)
        draft.put("spot_price", rate, Origin("given", given.write(), option="--spot-price"))
        return
    rows, reason = offers(asked, "spot")
    if rows:
        offer = median_offer(asked, rows, purse.currency)
        draft.figure("spot_price", offer, reason=reason, option="--spot-price")
        return
    missing = f"no spot price of {draft.words['accelerator']} is on record: no cost; give --spot-price"
    draft.put("spot_price", math.nan, Origin("assumed", missing, option="--spot-price"))
    if plan != "spot":
        draft.notes.append(missing)
