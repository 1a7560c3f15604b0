"""The words of verdicts: amounts in English and in Chinese, ranges, and the unit in which a claim is told."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import units
from estimator.provenance import Figure, Source
from estimator.report import chinese
from estimator.report.verdict_words import CHINESE, ENGLISH, LANGUAGES, english, own_unit, written_unit

PRESS = Source("press", "Press", "The Toy Times")
DAY = 86400.0


@pytest.mark.parametrize(
    ("value", "unit", "in_english", "in_chinese"),
    [
        (1.4e6, "USD", "1.4 million USD", "140万美元"),
        (3e10, "CNY", "30 billion CNY", "300亿元"),
        (925000 / 31556952, "USD/year", "925,000 USD/year", "92.5万美元/年"),
        (50000 / DAY, "USD/day", "50,000 USD/day", "5万美元/天"),
        (5.0079 / 3600, "USD/accelerator/hour", "5.01 USD/accelerator/hour", "5.01美元/卡/小时"),
        (0.92, "%", "92 %", "92%"),
        (30000.0, "accelerator", "30,000 accelerators", "3万张卡"),
        (1.0, "accelerator", "1 accelerator", "1张卡"),
        (4000.0, "node", "4,000 nodes", "4000台"),
        (1.0, "node", "1 node", "1台"),
        (3e11, "token", "300 billion", "3000亿个词元"),
        (1.6e12, "1", "1.6 trillion", "1.6万亿"),
        (0.92, "1", "0.92", "0.92"),
        (3.0, "s", "3 s", "3秒"),
        (90.0, "s", "90 s", "90秒"),
        (300.0, "s", "5 minutes", "5分钟"),
        (3 * 3600.0, "s", "3 hours", "3小时"),
        (30 * DAY, "s", "30 days", "30天"),
        (206 * DAY, "day", "206 days", "206天"),
        (DAY, "day", "1 day", "1天"),
        (3.5e18, "FLOP/s", "3.5 EFLOP/s", "3.5 EFLOP/s"),
        (80 * 2.0**30, "byte", "80 GiB", "80 GiB"),
        (812.5, "W", "812 W", "812 W"),
        (math.nan, "USD", "unknown", "未知"),
        (math.inf, "accelerator", "no limit", "无上限"),
    ],
)
def test_an_amount_in_both_languages(value: float, unit: str, in_english: str, in_chinese: str) -> None:
    assert english(value, unit) == in_english
    assert chinese.amount(value, unit) == in_chinese


@pytest.mark.parametrize(
    ("low", "high", "unit", "in_english", "in_chinese"),
    [
        (9.4e5, 2.88e6, "USD", "940,000 to 2.88 million USD", "94万美元至288万美元"),
        (0.804, 1.0, "%", "80.4 to 100 %", "80.4%至100%"),
        (8.0, 8.0, "accelerator", "", ""),
        (5.0001, 5.0002, "1", "", ""),  # the same as it is told
        (29.0, 116.0, "accelerator", "29 to 116 accelerators", "29张卡至116张卡"),
        (0.678, 1.65, "1", "0.678 to 1.65", "0.678至1.65"),
        (3600.0 * 20, 3600.0 * 72, "s", "20 hours to 3 days", "20小时至3天"),
    ],
)
def test_a_range_has_a_shared_unit_once(
    low: float, high: float, unit: str, in_english: str, in_chinese: str
) -> None:
    assert ENGLISH.range(low, high, unit) == in_english
    assert CHINESE.range(low, high, unit) == in_chinese


@pytest.mark.parametrize(
    ("text", "told", "own"),
    [
        ("1 day", "s", "day"),  # ours is told in a unit of its size, the claim's in its own
        ("3 month", "s", "month"),
        ("92 %", "%", "%"),
        ("3000e15 OP/s", "FLOP/s", "FLOP/s"),
        ("1.2e7 USD", "USD", "USD"),
        ("925000 USD/year", "USD/year", "USD/year"),
        ("1287 MWh", "kWh", "kWh"),
        ("10000 accelerator", "accelerator", "accelerator"),
        ("1e11", "1", "1"),
        ("1,000", "1", "1"),
    ],
)
def test_the_unit_in_which_a_claim_is_told(text: str, told: str, own: str) -> None:
    figure = Figure(1.0, text, PRESS, "line 1", "stated")
    assert (written_unit(figure), own_unit(figure)) == (told, own)


def test_both_languages_have_words_for_the_same() -> None:
    assert ENGLISH.said.keys() == CHINESE.said.keys()
    assert ENGLISH.verdicts.keys() == CHINESE.verdicts.keys()
    assert list(LANGUAGES) == ["en", "zh"]
    assert all(text.isascii() for text in ENGLISH.said.values())


@given(st.floats(1e-3, 1e17))
def test_a_chinese_number_reads_back(value: float) -> None:
    """万 is ten thousand, 亿 a hundred million, 万亿 a trillion: the number told is within half of its last digit."""
    text = chinese.number(value)
    sizes = {"万亿": 1e12, "亿": 1e8, "万": 1e4}
    word = next((word for word in sizes if text.endswith(word)), "")
    read = float(text.removesuffix(word)) * sizes.get(word, 1.0)
    assert read == pytest.approx(value, rel=5.1e-3)
    assert word == "万亿" or float(text.removesuffix(word)) < 1e4


@given(st.floats(1e-2, 1e14), st.sampled_from(["USD", "accelerator", "token", "1"]))
def test_no_amount_is_told_in_two_sizes(value: float, unit: str) -> None:
    """An English amount divided by what its words stand for is the value within half of its last digit."""
    text = english(value, unit)
    scale = {"trillion": 1e12, "billion": 1e9, "million": 1e6}
    number, *words = text.split()
    factor = next((scale[word] for word in words if word in scale), 1.0)
    assert float(number.replace(",", "")) * factor == pytest.approx(value, rel=5.1e-3)


def test_units_of_prices_have_chinese_words() -> None:
    for currency in units.CURRENCIES:
        assert chinese.unit_word(f"{currency}/accelerator/hour").endswith("/卡/小时")
