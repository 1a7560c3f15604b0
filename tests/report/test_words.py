"""Numbers as people read them: what is written reads back, and a range has one unit."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import units
from estimator.report import words

few = settings(deadline=None, max_examples=100)
UNITS = (
    "s", "byte", "kg", "W", "FLOP/s", "kWh", "FLOP", "token", "token/s", "hour", "USD", "CNY", "accelerator", "1",
    "USD/accelerator/hour", "g/kWh",
)  # fmt: skip
_NUMBERS = {" million": 1e6, " billion": 1e9, " trillion": 1e12}
# Over all that an answer can hold: a second's price of a card to the FLOPs of the largest run.
magnitudes = st.builds(
    lambda mantissa, exponent: mantissa * 10.0**exponent, st.floats(1.0, 9.999), st.integers(-12, 28)
)


def read(text: str) -> float:
    return float(text.replace(",", ""))


def read_amount(text: str, unit: str) -> float:
    """Read an amount back into house units, through the units that users may write."""
    match = re.fullmatch(r"(-?[\d.,]+(?:e-?\d+)?)( million| billion| trillion)?(?: (.+))?", text)
    assert match, text
    plural = {"days": "day", "hours": "hour", "minutes": "minute", "years": "year"}
    bare = unit if unit in ("hour",) else "1"  # hours are written as a bare count
    word = plural.get(match[3], match[3]) if match[3] else bare
    return read(match[1]) * _NUMBERS.get(match[2] or "", 1.0) * units.unit_bases(word)[0]


def close(value: float, found: float, keep: int = 3) -> bool:
    """Whether a value was rounded to so many digits: off by half a unit of the last at most."""
    last = 10.0 ** (math.floor(math.log10(abs(value))) - keep + 1)
    return abs(found - value) <= 0.5 * last * (1 + 1e-9)


# Digits.


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (4096.0, "4,096"),
        (999_999.0, "999,999"),  # whole and below a million: in full
        (1_000_000.0, "1,000,000"),
        (1_234_567.0, "1,230,000"),  # whole, a million and more: three digits
        (1051803.6, "1,050,000"),
        (123456.7, "123,000"),
        (12.345, "12.3"),
        (0.5, "0.5"),
        (0.44117, "0.441"),
        (2.0004, "2"),  # no zeros that say nothing
        (9.999, "10"),  # rounded up into the next place
        (999.96, "1,000"),
        (-1234.5, "-1,230"),
        (-0.25, "-0.25"),
        (0.00012345, "0.000123"),
        (0.000012345, "1.23e-5"),
        (0.0000999999, "1e-4"),
        (9.99e14, "999,000,000,000,000"),
        (1e15, "1e15"),
        (5.4e23, "5.4e23"),
        (5.4e-23, "5.4e-23"),
        (1.5e300, "1.5e300"),
        (math.nan, "unknown"),
        (math.inf, "no limit"),
    ],
)
def test_digits(value: float, text: str) -> None:
    assert words.digits(value) == text


@few
@given(magnitudes, st.sampled_from([1.0, -1.0]), st.integers(2, 9))
def test_digits_read_back_within_the_digits_shown(size: float, sign: float, keep: int) -> None:
    value = sign * size
    assert close(value, read(words.digits(value, keep)), keep)


@few
@given(st.integers(-999_999, 999_999))
def test_a_whole_number_below_a_million_is_written_in_full(value: int) -> None:
    assert read(words.digits(float(value))) == value


@few
@given(magnitudes, magnitudes)
def test_a_larger_number_never_reads_smaller(one: float, other: float) -> None:
    low, high = sorted((one, other))
    # Whole numbers are written in full, so that only numbers of three digits and more apart are compared.
    if high > low * 1.01:
        assert read(words.digits(low)) <= read(words.digits(high))


@few
@given(magnitudes)
def test_no_number_ends_in_zeros_that_say_nothing(value: float) -> None:
    mantissa = words.digits(value).split("e")[0]
    assert not ("." in mantissa and mantissa.endswith(("0", ".")))


# Amounts.


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        # Times: a unit is taken from two of it on.
        (119.0, "s", "119 s"),
        (120.0, "s", "2 minutes"),
        (7199.0, "s", "120 minutes"),
        (7200.0, "s", "2 hours"),
        (2 * 86400.0 - 1, "s", "48 hours"),
        (2 * 86400.0, "s", "2 days"),
        (30 * 86400.0, "s", "30 days"),
        (2 * 365.25 * 86400.0, "s", "2 years"),
        (0.25, "s", "0.25 s"),
        # Bytes in binary steps.
        (1023.0, "byte", "1,023 B"),
        (1024.0, "byte", "1 KiB"),
        (2.0**20 - 1024, "byte", "1,023 KiB"),
        (5.0 * 2**20, "byte", "5 MiB"),
        (80.0 * 2**30, "byte", "80 GiB"),
        (1.5 * 2**40, "byte", "1.5 TiB"),
        (3.0 * 2**50, "byte", "3 PiB"),
        # Mass, power, speed, energy.
        (999.0, "kg", "999 kg"),
        (1000.0, "kg", "1 t"),
        (0.4, "kg", "0.4 kg"),
        (999.0, "W", "999 W"),
        (1000.0, "W", "1 kW"),
        (16.8e6, "W", "16.8 MW"),
        (312e12, "FLOP/s", "312 TFLOP/s"),
        (3.6e6, "kWh", "1 kWh"),
        (3600.0, "kWh", "1 Wh"),
        (449 * 3.6e9, "kWh", "449 MWh"),
        (2.0 * 3.6e12, "kWh", "2 GWh"),
        # Counts and money by words.
        (512.0, "1", "512"),
        (999_999.0, "token", "999,999"),
        (1e6, "token", "1 million"),
        (65e9, "1", "65 billion"),
        (1.4e12, "token", "1.4 trillion"),
        (999e12, "1", "999 trillion"),
        (1e15, "1", "1e15"),
        (3e15, "USD", "3e15 USD"),
        (1_022_362 * 3600.0, "hour", "1.02 million"),
        (900.0 * 3600.0, "hour", "900"),
        (2e12 * 3600.0, "hour", "2 trillion"),
        (15_200.0, "USD", "15,200 USD"),
        (1.46e6, "CNY", "1.46 million CNY"),
        # What has no steps keeps its unit.
        (5.4e23, "FLOP", "5.4e23 FLOP"),
        (504_000.0, "token/s", "504,000 token/s"),
        (16.0, "accelerator", "16"),
        (2 / 3600, "USD/accelerator/hour", "2 USD/accelerator/hour"),
        (math.nan, "USD", "unknown"),
        (math.inf, "accelerator", "no limit"),
        (math.nan, "s", "unknown"),
    ],
)
def test_amounts(value: float, unit: str, text: str) -> None:
    assert words.amount(value, unit) == text


@few
@given(st.sampled_from(UNITS), magnitudes)
def test_an_amount_reads_back_within_the_digits_shown(unit: str, size: float) -> None:
    found = read_amount(words.amount(size, unit), unit)
    divisor, _ = words.scale(size, unit)
    assert close(size / divisor, found / divisor)


@few
@given(st.sampled_from(UNITS), magnitudes)
def test_a_scale_is_the_unit_behind_the_number(unit: str, size: float) -> None:
    """What the number is divided by is what the words behind it mean."""
    divisor, word = words.scale(size, unit)
    assert read_amount(f"1{word}", unit) == pytest.approx(divisor, rel=1e-12)


@pytest.mark.parametrize("unit", ["s", "byte", "kg", "W", "FLOP/s", "kWh", "USD", "1"])
def test_a_larger_quantity_never_has_a_smaller_unit(unit: str) -> None:
    divisors = [words.scale(10.0**exponent, unit)[0] for exponent in range(-9, 15)]
    assert divisors == sorted(divisors)
    assert len(set(divisors)) > 1


def test_a_loss_is_written_like_a_gain() -> None:
    assert words.amount(-1.2e6, "USD") == "-1.2 million USD"
    assert words.amount(-3 * 86400.0, "s") == "-3 days"


# Spans.


@pytest.mark.parametrize(
    ("low", "high", "value", "unit", "text"),
    [
        (1.9 * 86400, 3.2 * 86400, 2.4 * 86400, "s", "1.9 to 3.2 days"),
        (0.5 * 86400, 300 * 86400, 2.4 * 86400, "s", "0.5 to 300 days"),  # not hours, not months
        (0.9e6, 2.1e9, 1.5e6, "USD", "0.9 to 2,100 million USD"),
        (16.9 * 2**30, 2000 * 2**30, 17.0 * 2**30, "byte", "16.9 to 2,000 GiB"),
        (5.0, 5.0, 5.0, "s", ""),
        (1.00001e6, 1.00002e6, 1.00001e6, "USD", ""),  # the same as written
        (8.0, math.inf, 16.0, "accelerator", "8 to no limit"),
        (2 * 86400.0, math.inf, 3 * 86400.0, "s", "2 days to no limit"),
        (40.0, math.inf, math.inf, "accelerator", "40 to no limit"),
        (1.0, 3.0, 2.0, "1", "1 to 3"),
    ],
)
def test_spans(low: float, high: float, value: float, unit: str, text: str) -> None:
    assert words.span(low, high, value, unit) == text


@few
@given(st.sampled_from(UNITS), magnitudes, st.floats(1e-3, 1.0), st.floats(1.0, 1e3))
def test_both_ends_of_a_span_are_in_the_unit_of_its_value(
    unit: str, value: float, below: float, above: float
) -> None:
    low, high = value * below, value * above
    text = words.span(low, high, value, unit)
    divisor, word = words.scale(value, unit)
    if not text:
        assert words.digits(low / divisor) == words.digits(high / divisor)
        return
    one, other = text.removesuffix(word).split(" to ") if word else text.split(" to ")
    assert close(low / divisor, read(one))
    assert close(high / divisor, read(other))
    assert text.endswith(word)
    assert words.amount(value, unit).endswith(word)


# Shares and counts.


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 %"), (1.0, "100 %"), (0.4412, "44.1 %"), (0.5, "50 %"), (0.00001, "0.001 %"), (math.nan, "unknown"),
        (math.inf, "no limit"),
    ],
)  # fmt: skip
def test_shares(value: float, text: str) -> None:
    assert words.share(value) == text


@few
@given(st.floats(1e-6, 1.0))
def test_a_share_reads_back_as_an_option_takes_it(value: float) -> None:
    assert close(value * 100, 100 * units.parse_share(words.share(value)))


@few
@given(st.integers(1, 999_999))
def test_a_count_below_a_million_is_written_in_full(value: int) -> None:
    assert read(words.counted(float(value))) == value
