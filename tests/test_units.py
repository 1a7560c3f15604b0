"""Units at the wall: exact factors, dimensions kept apart, and messages that tell the fix."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

import estimator
from estimator import units
from estimator.errors import UnitError
from estimator.unit_factors import FACTORS
from estimator.units import Price

REGISTRY = pint.UnitRegistry(Path(estimator.__file__).with_name("units.txt"))


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_the_table_agrees_with_pint(name: str) -> None:
    factor, bases = FACTORS[name]
    expected = REGISTRY.Quantity(1.0, name).to_base_units()
    assert factor == pytest.approx(float(expected.magnitude), rel=1e-15)
    assert len(bases) == len(expected.unit_items())


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("400 W", "W", 400.0),
        ("400W", "W", 400.0),
        ("0.4 kW", "W", 400.0),
        ("30 days", "s", 2_592_000.0),
        ("1 month", "s", 2_629_800.0),
        ("80 GiB", "byte", 85_899_345_920.0),
        ("3 PiB", "byte", 3.0 * 2**50),  # which an answer writes
        ("80 GB", "byte", 80e9),
        ("400 Gbit/s", "byte/s", 50e9),
        ("312 TFLOP/s", "FLOP/s", 312e12),
        ("312 TFLOPS", "FLOP/s", 312e12),
        ("312 TFLOPs", "FLOP/s", 312e12),
        ("3.14e23 FLOPs", "FLOP", 3.14e23),
        ("449 MWh", "J", 449 * 3.6e9),
        ("369 g/kWh", "kg/J", 0.369 / 3.6e6),
        ("1,022,362 gpu*hour", "accelerator*s", 1_022_362 * 3600.0),
        ("2 W*s", "J", 2.0),
        ("2 watt**1", "W", 2.0),  # by pint: no such spelling in the table
    ],
)
def test_parse(text: str, unit: str, value: float) -> None:
    assert units.parse(text, unit, "x") == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("65e9", 65e9),
        ("65B", 65e9),
        ("1.4T", 1.4e12),
        ("7M", 7e6),
        ("50k", 5e4),
        ("1,000,000", 1e6),
        ("2_048", 2048),
        ("65b", 65e9),
        ("65 billion", 65e9),
        ("1.4 Trillion", 1.4e12),
    ],
)
def test_parse_count(text: str, value: float) -> None:
    assert units.parse_count(text) == value


@pytest.mark.parametrize(
    "text", ["65GB", "65 milliards", "", "B", "1e9e9", "0x10", "65,00", "1.4TT", "9" * 500]
)
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(UnitError, match=r"is not a count; write it like 65e9, 65B or 1\.4T$"):
        units.parse_count(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3 GB", "'3 GB' measures memory, but power is asked for, like '400 W'"),
        ("400", "'400' has no unit; write it like '400 W'"),
        ("400 foo", "'foo' is not a unit of this house; write it like '400 W'"),
        ("much", "'much' is not a number with a unit; write it like '400 W'"),
        ("3 TFLOPS", "'TFLOPS' may be work or speed; write 'TFLOP' or 'TFLOP/s'; write it like '400 W'"),
        ("3 kWh", "'3 kWh' measures energy, but power is asked for, like '400 W'"),
    ],
)
def test_messages_of_a_wrong_power(text: str, message: str) -> None:
    with pytest.raises(UnitError) as raised:
        units.parse(text, "W", "400 W")
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2 XYZ/gpu/hour",
            "'XYZ/gpu/hour' is not a unit of this house; write it like '2 USD/gpu/hour', money in USD, CNY, EUR, GBP, "
            "JPY, KRW, INR, AUD, CAD, CHF, HKD, SEK, SGD",
        ),
        ("2 USD/hour", "'2 USD/hour' does not say what it is per; write '2 USD/gpu/hour' or '16 USD/node/hour'"),
        ("2 USD", "'2 USD' measures money, but a price is money per accelerator and time, like '2 USD/gpu/hour'"),
        ("2", "'2' has no unit; write it like '2 USD/gpu/hour'"),
        ("2 W/gpu/hour", "'2 W/gpu/hour' measures J/accelerator/s/s, but a price is money per accelerator and time, "
         "like '2 USD/gpu/hour'"),
    ],
)  # fmt: skip
def test_messages_of_a_wrong_price(text: str, message: str) -> None:
    with pytest.raises(UnitError) as raised:
        units.parse_price(text)
    assert str(raised.value) == message


@pytest.mark.parametrize("word", ["gpu", "card", "chip", "npu", "accelerator", "GPU"])
def test_a_price_per_any_word_for_an_accelerator(word: str) -> None:
    assert units.parse_price(f"3.6 USD/{word}/hour") == Price(0.001, "USD")


def test_a_price_per_node() -> None:
    assert units.parse_price("16 CNY/node/hour").per == "node"


def test_a_byte_is_a_dimension() -> None:
    assert units.unit_bases("GB") == (1e9, {"byte": 1})
    with pytest.raises(UnitError):
        units.parse("65B", "1", "65B")


@given(st.floats(1e-6, 1e12))
def test_a_price_survives_writing(amount: float) -> None:
    price = Price(amount, "USD")
    assert units.parse_price(price.write()) == price


@given(st.floats(1e-300, 1e300))
def test_counts_survive_writing(value: float) -> None:
    assert units.parse_count(repr(value)) == value


@given(st.text(max_size=60))
def test_any_text_gives_a_number_or_one_error(text: str) -> None:
    for read in (units.parse_count, units.parse_share, units.parse_price, units.parse_any):
        with suppress(UnitError):
            read(text)


def test_percent_is_a_share() -> None:
    assert units.parse_share("45 %") == units.parse_share("45%") == units.parse_share("0.45") == 0.45
    with pytest.raises(UnitError, match=r"^'45 W' is not a share; write it like 0\.45 or 45%$"):
        units.parse_share("45 W")


def test_quantities_come_back_in_any_unit() -> None:
    assert units.quantity(3.6e9, "kWh").to("MWh").magnitude == pytest.approx(1.0)
    assert math.isclose(units.to_unit(86400.0, "day"), 1.0)
