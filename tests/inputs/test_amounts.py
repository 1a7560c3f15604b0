"""Amounts that are to be reached: money, quantities with units and numbers, and one message for each fault."""

from __future__ import annotations

import math

import pytest

from estimator import units
from estimator.errors import EstimatorError
from estimator.inputs.amounts import read_amount
from estimator.solving.targets import QUANTITIES


@pytest.mark.parametrize(
    ("given", "unit", "value", "currency"),
    [
        ("2e6 USD", "currency", 2e6, "USD"),
        ("2 million USD", "currency", 2e6, "USD"),
        ("1.5  billion CNY", "currency", 1.5e9, "CNY"),
        ("2,000,000 EUR", "currency", 2e6, "EUR"),
        ("30 days", "s", 30 * 86400.0, ""),
        ("1e6 hour", "hour", 3.6e9, ""),
        ("1e6 gpu*hour", "hour", 3.6e9, ""),
        ("500 MWh", "kWh", 500 * 3.6e9, ""),
        ("100 t", "kg", 1e5, ""),
        ("80 GiB", "byte", 80 * 2.0**30, ""),
        ("45%", "1", 0.45, ""),
        (0.45, "1", 0.45, ""),
        ("70B", "1", 7e10, ""),
        ("1e24 FLOPs", "FLOP", 1e24, ""),
        (units.quantity(2e6, "USD"), "currency", 2e6, "USD"),
        (units.quantity(86400.0, "day"), "s", 86400.0, ""),
    ],
)
def test_what_is_read(given: object, unit: str, value: float, currency: str) -> None:
    found = read_amount("--x", given, unit)
    assert found[0] == pytest.approx(value, rel=1e-12)
    assert found[1] == currency


@pytest.mark.parametrize(
    ("given", "unit", "words"),
    [
        ("2 kWh", "currency", "'2 kWh' measures energy, but money is asked for, like '2e6 USD'"),
        ("2", "currency", "'2' has no unit; write it like '2e6 USD'"),
        ("-2 USD", "currency", "'-2 USD' must be more than zero"),
        ("0 USD", "currency", "'0 USD' must be more than zero"),
        ("nan USD", "currency", "'nan USD' is not a number"),
        ("much", "currency", "'much' is not a number with a unit; write it like '2e6 USD'"),
        ("2 USD/s", "currency", "'2 USD/s' measures USD/s, but money is asked for, like '2e6 USD'"),
        ("2 USD", "s", "'2 USD' measures money, but time is asked for, like '30 days'"),
        ("3 gpu*hour", "s", "'3 gpu*hour' measures accelerator time, but time is asked for, like '30 days'"),
        ("many", "1", "'many' is not a count; write it like 65e9, 65B or 1.4T"),
        ("inf", "1", "'inf' is more than 1e+60, the most that makes sense here"),
        (True, "1", "'True' is neither text nor a number"),
        (math.nan, "1", "'nan' is not a number"),
    ],
)  # fmt: skip
def test_what_is_refused(given: object, unit: str, words: str) -> None:
    with pytest.raises(EstimatorError) as raised:
        read_amount("--x", given, unit)
    assert str(raised.value) == f"--x: {words}"


@pytest.mark.parametrize("unit", sorted(set(QUANTITIES.values()) - {"1"}))
def test_every_quantity_that_can_be_aimed_at_says_how_it_is_written(unit: str) -> None:
    with pytest.raises(EstimatorError, match="write it like '"):
        read_amount("--aim", "nothing", unit)


def test_money_a_day_and_a_price_are_read_in_their_currency() -> None:
    assert read_amount("--electricity", "86400 CNY/day", "currency/day") == (1.0, "CNY")
    assert read_amount("--own-price", "7200 USD/gpu/hour", "currency/accelerator/hour") == (2.0, "USD")
