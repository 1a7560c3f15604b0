"""Solving a fleet for one of its inputs: the value meets the target in the fleet's own answer."""

from __future__ import annotations

from typing import Any

import pytest

from estimator import FleetQuestion, QuestionError, ask_fleet, solve

# Speeds that are given: no layout is planned, no coefficient read.
FAST, SLOW = "64 x a100-sxm-80gb, mfu=0.5, price=2 USD/gpu/hour", "64 x a100-sxm-80gb, mfu=0.25"
PLAIN: dict[str, Any] = {"params": 7e9, "tokens": 1e12, "goodput": 1.0}
SITES = ("64 x a100-sxm-80gb, site=a", "32 x h100, site=b")


def way(given: dict[str, Any], name: str = "matched") -> Any:
    return ask_fleet(FleetQuestion.read(given)).ways[name].values


def fault(given: dict[str, Any], name: str, **target: Any) -> tuple[str, ...]:
    with pytest.raises(QuestionError) as found:
        solve(given, name, **target)
    return found.value.faults


def test_the_price_of_a_pool_that_a_budget_leaves() -> None:
    given = {**PLAIN, "pools": [FAST, SLOW]}
    seconds = way({**given, "B.price": "1 USD/gpu/hour"})["wall_clock"].value
    found = solve(given, "B.price", cost="200000 USD")
    # Both pools are held for the whole run: 64 cards at 2 USD and 64 at the price that is asked for.
    assert found.value * 3600.0 == pytest.approx(2e5 * 3600.0 / (64 * seconds) - 2.0)
    assert found.unit == "USD/accelerator/hour"
    assert found.fleet is not None
    assert found.fleet.ways["matched"].values["cost"].value == pytest.approx(2e5)


def test_the_link_that_loses_one_part_in_twenty() -> None:
    given = {"params": 7e9, "tokens": 1e12, "pools": SITES}
    free = ask_fleet(FleetQuestion.read(given))
    assert free.exchange is not None
    rate = free.ways["matched"].values["throughput"].value
    found = solve(given, "link", throughput=f"{0.95 * rate!r} token/s")
    # The bandwidth that the answer itself tells to lose as much with nothing hidden.
    assert found.value == pytest.approx(free.exchange.enough, rel=1e-5)
    assert found.unit == "Gbit/s"


@pytest.mark.parametrize("name", ["separate", "equal", "matched"])
def test_tokens_that_a_date_allows_in_each_way(name: str) -> None:
    given = {"params": 7e9, "pools": SITES, "link": "100 Gbit/s", "way": name, "global_batch": 1024}
    found = solve(given, "tokens", within="10 days")
    assert found.status == "found"
    assert way({**given, "tokens": found.value}, name)["wall_clock"].value == pytest.approx(
        864000.0, rel=1e-6
    )


def test_a_count_is_the_fewest_whole_nodes_in_time() -> None:
    given = {"params": 7e9, "tokens": 1e12, "pools": SITES, "way": "separate"}
    found = solve(given, "A.count", within="20 days")
    assert found.value % 8 == 0
    days = [
        way({**given, "A.count": count}, "separate")["wall_clock"].value / 86400.0
        for count in (found.value, found.value - 8)
    ]
    assert days[0] <= 20.0 < days[1]
    assert found.fleet is not None
    assert [pool.run.count for pool in found.fleet.question.pools] == [found.value, 32.0]


def test_a_model_by_the_money_with_the_tokens_of_a_law() -> None:
    found = solve({"pools": ["64 x a100", "64 x h100"]}, "params", cost="1e5 USD")
    assert found.fleet is not None
    tokens = float(found.fleet.alone[0].values["tokens"])
    assert tokens == pytest.approx(found.laws[0].tokens(found.value))
    assert found.fleet.ways["matched"].values["cost"].value == pytest.approx(1e5, rel=1e-5)


def test_faults() -> None:
    given = {**PLAIN, "pools": SITES}
    assert fault(given, "C.count", cost="1 USD") == (
        "there is no pool 'C', which 'C.count' names; the pools are A, B",
    )
    assert fault(given, "count", cost="1 USD") == (
        "there is no input 'count'; did you mean 'B.count' or 'A.count'?",
    )
    assert fault(given, "tokens", cost="1 USD") == ("--tokens is what is asked for; leave it out",)
    assert fault(given, "A.count", mfu=0.4) == ("a fleet has no quantity 'mfu' to reach",)
    assert fault(given, "A.count", cost="1 USD", within="1 day") == (
        "--cost and --within are 2 targets; give one",
    )
    assert fault(given, "A.grid", cost="1 USD")[0].startswith(
        "'A.grid' cannot be solved for; these can be solved for: link,"
    )
    assert fault({**PLAIN, "pools": ["8 x a100", "8 x h100"]}, "link", within="1 day") == (
        "--link: every pool is at the same site; give each its own, like --pool '8 x a100, site=beijing'",
    )
    assert fault(PLAIN, "link", within="1 day") == (
        "one run has no 'link'; name the pools of a fleet, like --pool '64 x a100, site=beijing'",
    )
