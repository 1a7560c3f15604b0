"""Numbers and units as a Chinese reader writes them: ten thousands and hundred millions, 卡, 天, 美元."""

from __future__ import annotations

import math

from .. import units
from .words import digits, scale

_STEPS = ((1e12, "万亿"), (1e8, "亿"), (1e4, "万"), (1.0, ""))
_WORDS = {
    "USD": "美元", "CNY": "元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "KRW": "韩元", "INR": "卢比",
    "AUD": "澳元", "CAD": "加元", "CHF": "瑞郎", "HKD": "港元", "SEK": "瑞典克朗", "SGD": "新元",
    "accelerator": "张卡", "node": "台", "token": "个词元", "s": "秒",
    "minute": "分钟", "hour": "小时", "day": "天", "month": "个月", "year": "年", "kWh": "千瓦时", "1": "", "%": "%",
}  # fmt: skip
# Behind a stroke nothing is counted: 美元/卡/小时.
_PER = {"accelerator": "卡", "node": "台", "token": "词元", "month": "月", "year": "年"}
_TIMES = {" days": "天", " years": "年", " hours": "小时", " minutes": "分钟", " s": "秒"}
# Units whose numbers are written with ten thousands.
_COUNTED = ("1", "accelerator", "node", "token", "hour", *units.CURRENCIES)


def unit_word(unit: str) -> str:
    """Return the Chinese of a unit; of one that has none, the unit itself.

    Examples
    --------
    >>> unit_word("USD/accelerator/hour"), unit_word("USD/kWh"), unit_word("TFLOP/s")
    ('美元/卡/小时', '美元/千瓦时', 'TFLOP/s')
    """
    first, *rest = unit.split("/")
    if first not in _WORDS:
        return unit
    return "/".join([_WORDS[first], *(_PER.get(word, _WORDS.get(word, word)) for word in rest)])


def number(value: float) -> str:
    """Write a number with 万, 亿 or 万亿.

    Examples
    --------
    >>> number(1.4e6), number(8e8), number(312.0), number(0.92)
    ('140万', '8亿', '312', '0.92')
    """
    if not math.isfinite(value):
        return "未知" if math.isnan(value) else "无上限"
    size, word = next((step for step in _STEPS if abs(value) >= step[0]), _STEPS[-1])
    return digits(value / size).replace(",", "") + word


def amount(value: float, unit: str) -> str:
    """Write a value in house units with a Chinese unit.

    Examples
    --------
    >>> amount(1.4e6, "USD"), amount(30000.0, "accelerator"), amount(86400 * 30.0, "s"), amount(0.92, "%")
    ('140万美元', '3万张卡', '30天', '92%')
    """
    if not math.isfinite(value):
        return number(value)
    if unit == "%":
        return f"{digits(value * 100.0)}%"
    if unit == "s":
        divisor, word = scale(value, unit)
        return digits(value / divisor) + _TIMES[word]
    head = unit.split("/")[0]
    if head in _COUNTED:
        return number(units.to_unit(value, unit)) + unit_word(unit)
    if unit in ("byte", "W", "FLOP/s", "kWh"):
        divisor, word = scale(value, unit)
        return digits(value / divisor) + word
    space = "" if head in _WORDS else " "
    return digits(units.to_unit(value, unit)).replace(",", "") + space + unit_word(unit)
