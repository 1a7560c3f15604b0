"""Whatever legal question of money and interruptions, however absurd: shares are shares, ranges hold, parts add up."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from estimator import EstimatorError, Presets, Run, ask
from estimator.testing import laws

PRESETS = Presets()
MACHINE: dict[str, Any] = {
    "params": 7e9, "on": "h100", "tp": 1, "pp": 1, "cp": 1, "micro_batch": 1, "zero": 3, "recompute": "full",
    "mfu": 0.4,
}  # fmt: skip
# What always has a number, whoever owns the machines.
KNOWN = (
    "goodput", "wall_clock", "occupied_hours", "power", "energy", "carbon", "cost", "cost_per_hour",
    "cost_per_application", "checkpoint_interval", "mtbi",
)  # fmt: skip


def sizes(low: float, high: float, unit: str) -> st.SearchStrategy[str]:
    """Draw amounts over the whole of what an input takes, each order of magnitude as likely."""
    return st.floats(math.log10(low), math.log10(high)).map(lambda power: f"{10.0**power:.6g} {unit}")


def shares(low: float = 0.0, high: float = 1.0) -> st.SearchStrategy[float]:
    return st.floats(low, high)


LOST = {
    "mtbi": sizes(1, 1e12, "s"), "checkpoint_interval": sizes(1, 1e9, "s"), "checkpoint_exposed": shares(),
    "checkpoint_bandwidth": sizes(1e3, 1e18, "byte/s"), "restart_time": sizes(1e-3, 1e9, "s"),
    "rollback_share": shares(0.0, 0.99), "straggler_share": shares(0.0, 0.99),
    "spare_nodes": st.sampled_from([0, 1, 100]),
    "spot_interruptions": sizes(1e-15, 1, "1/node/s"), "spot_lost_time": sizes(1e-3, 1e9, "s"),
}  # fmt: skip
PAID = {
    "plan": st.sampled_from(["own", "spot", "on-demand", "reserved-3y"]), "utilisation": shares(1e-6),
    "life": sizes(86400, 3e9, "s"), "cost_of_capital": shares(), "maintenance": shares(),
    "tariff": sizes(1e-6, 1e6, "USD/kWh"), "purchase_price": sizes(1e-3, 1e9, "USD/gpu"), "pue": st.floats(1, 10),
    "development": st.floats(1, 1e3), "applications": st.integers(1, 10**9), "staff": st.floats(1e-3, 1e6),
    "pay": sizes(1e-3, 1e9, "USD/year"), "stored": sizes(1, 1e21, "byte"), "power": sizes(1e-3, 1e6, "W"),
    "grid": st.sampled_from(["fra", "usa", "gcp-us-east4", "texas", "chn"]), "year": st.integers(2018, 2027),
}  # fmt: skip
QUESTIONS = st.fixed_dictionaries(
    {"tokens": st.sampled_from([1e6, 1e12, 1e15]), "count": st.sampled_from([1, 8, 1024, 100_000])},
    optional={**LOST, **PAID},
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(QUESTIONS)
def test_no_question_of_money_has_an_absurd_answer(asked: dict[str, Any]) -> None:
    try:
        run = Run.read({**MACHINE, **asked}, PRESETS)
        found = ask(run, PRESETS)
    except EstimatorError as error:
        if "on record" not in str(error):  # a year without a rate or a mix of sources
            raise
        reject()
    laws.parts_add_up(found)
    laws.ranges_hold_the_value(found)
    for name in KNOWN:
        amount = found.amount(name)
        value, low, high = float(amount.value), float(amount.low), float(amount.high)
        assert 0.0 <= low <= high < math.inf, name
        assert math.isfinite(value), name
    goodput = found.goodput
    assert 0.0 < float(goodput.low) <= float(goodput.high) <= 1.0 + 1e-12
    assert 0.0 <= float(found.waiting_share.high) <= 1.0
    even = found.break_even_utilisation
    if asked.get("plan") == "own":
        assert float(even.low) <= float(even.value) <= float(even.high)
