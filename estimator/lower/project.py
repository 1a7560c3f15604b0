"""What a run costs beside its machines, each only where it is asked for: storage, egress, people, development."""

from __future__ import annotations

from . import local
from .asked import Asked
from .money import Purse


def lower(asked: Asked) -> None:
    """Set the columns of the project around a run."""
    if "currency" not in asked.draft.words:
        return
    purse, run = Purse(asked), asked.run
    for amount, price in (("stored", "storage_price"), ("egress", "egress_price")):
        if getattr(run, amount) is None:
            purse.useless([price], f"--{amount}")
            purse.leave([amount, price], 0.0)
        else:
            purse.put(amount, amount)
            purse.put(price, price)
    _people(purse)
    for name in ("development", "applications"):
        if getattr(run, name) is None:
            purse.leave([name], 1.0)
        else:
            purse.put(name, name)
    if run.adaptation is None:
        purse.leave(["adaptation"], 0.0)
    else:
        purse.put("adaptation", "adaptation")


def _people(purse: Purse) -> None:
    """Set people by phase and what they are paid; the pay matters only where there are some."""
    counts = ("staff", "preparation_staff", "preparation_time")
    some = False
    for name in counts:
        if getattr(purse.run, name) is None:
            purse.leave([name], 0.0)
        else:
            purse.put(name, name)
            some = True
    if some:
        local.pay(purse, "pay")
    else:
        if purse.draft.words.get("plan") != "own":
            purse.useless(["pay"], "--staff or --preparation-staff")
        purse.leave(["pay"], 0.0)
