"""The words of a verdict in English and in Chinese, and how each writes an amount."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from .. import units
from ..errors import UnitError
from ..provenance import Figure
from ..tuples import NamedTuple
from ..verdicts.checks import Words
from ..verdicts.outcomes import HOLDS, IF, MAYBE, NO, NOT, OPEN, UNKNOWN, YES
from . import chinese, words

# Units in which English writes an amount with a prefix or a word for its size.
_SCALED = ("s", "byte", "kg", "W", "FLOP/s", "kWh", "hour", "token", "1", "accelerator", *units.CURRENCIES)

_PLURAL = ("node", "day", "month", "year")


def english(value: float, unit: str) -> str:
    """Write a value in house units.

    Examples
    --------
    >>> english(1.4e6, "USD"), english(0.92, "%"), english(50000 / 86400, "USD/day")
    ('1.4 million USD', '92 %', '50,000 USD/day')
    >>> english(206 * 86400.0, "day"), english(1.0, "accelerator")
    ('206 days', '1 accelerator')
    """
    if unit == "%":
        return words.share(value)
    if unit == "accelerator" and math.isfinite(value):
        return f"{words.counted(value)} accelerator{'s' * (value != 1.0)}"
    if unit in _SCALED or not math.isfinite(value):
        return words.amount(value, unit)
    number = words.digits(units.to_unit(value, unit))
    return f"{number} {unit}{'s' * (unit in _PLURAL and number != '1')}"


class Language(NamedTuple):
    """How one language writes a verdict."""

    code: str
    place: int
    write: Callable[[float, str], str]
    verdicts: Mapping[str, str]
    said: Mapping[str, str]

    def text(self, both: Words) -> str:
        """Return the text of this language."""
        return both[self.place]

    def range(self, low: float, high: float, unit: str) -> str:
        """Write a range, in English with a unit that both ends share once; nothing where it has no width."""
        ends = [self.write(end, unit) for end in (low, high)]
        if ends[0] == ends[1]:
            return ""
        number, _, word = ends[0].rpartition(" ")
        shared = number and self.code == "en" and ends[1].endswith(f" {word}")
        return f"{number if shared else ends[0]}{self.said['to']}{ends[1]}"

    def joined(self, texts: list[str], by: str) -> str:
        """Join texts by a word of this language."""
        return self.said[by].join(texts)


ENGLISH = Language(
    "en", 0, english,
    {HOLDS: "holds", IF: "holds if ", NOT: "does not hold", UNKNOWN: "cannot be judged", YES: "yes",
     MAYBE: "within its range", NO: "no", OPEN: ""},
    {"to": " to ", "or": "; or if ", "and": "; ", "because": " because ", "is": " is ", "colon": ": ", "comma": ", ",
     "reading": "reading", "value": "our value", "range": "range", "agrees": "agrees",
     "condition": "what would have to be true", "exact": "exact at", "known": "What else is known", "said": "said",
     "in": "in", "stated": "stated", "verdict": "verdict", "if": "if ", "as stated": "as stated", "beside": "beside: ",
     "remark": "remark", "none": "no value makes it exact", "reach": "the truth lies at an end of our range",
     "within": " (within our range)", "conditional": "holds if", "id": "id", "why": "why",
     "about": "about", "no number": "no number", "claim": "claim", "chip": "chip",
     "price": "price an hour", "MFU": "MFU",
     "hours": "hours paid", "FLOPs": "FLOPs", "apart": "What separates the claims on", "ours": "we find ",
     "peak hour": "at full speed",
     "others": "Other claims speak of {subject} too; side by side: estimate claims check {ids}",
     "range of ours": "ours (range)", "cannot judge": "cannot judge",
     "unchecked": "its record does not say how to check it", "open": " (", "close": ")", "semicolon": "; "},
)  # fmt: skip
CHINESE = Language(
    "zh", 1, chinese.amount,
    {HOLDS: "成立", IF: "在以下条件下成立：", NOT: "不成立", UNKNOWN: "无法判断", YES: "是", MAYBE: "在其范围内",
     NO: "否", OPEN: ""},
    {"to": "至", "or": "；或", "and": "；", "because": "：", "is": "为", "colon": "：", "comma": "，",
     "reading": "解读", "value": "本工具的值", "range": "范围", "agrees": "是否相符", "condition": "要使说法成立，须有",
     "exact": "恰好成立的条件", "known": "已知背景", "said": "原文", "in": "出处", "stated": "所述数字",
     "verdict": "结论", "if": "若", "as stated": "按原文", "beside": "另：", "remark": "说明",
     "none": "没有任何值能使其恰好成立",
     "reach": "真值位于本工具范围的一端", "within": "（在本工具的范围内）", "conditional": "有条件成立",
     "peak hour": "满速一小时",
     "others": "另有说法也谈到{subject}，并列比较：estimate claims check {ids} --language zh",
     "range of ours": "本工具的值（范围）", "cannot judge": "无法判断",
     "why": "理由或条件", "id": "编号",
     "about": "内容",
     "no number": "没有数字", "claim": "说法", "chip": "芯片", "price": "每卡时价格", "MFU": "MFU", "hours": "付费卡时",
     "FLOPs": "计算量", "apart": "各说法之间的差别：", "ours": "本工具得 ", "unchecked": "记录中没有写明如何核查",
     "open": "（", "close": "）", "semicolon": "；"},
)  # fmt: skip
LANGUAGES: Mapping[str, Language] = {each.code: each for each in (ENGLISH, CHINESE)}
# What an input is called where a record does not say.
INPUTS: Mapping[str, Words] = {
    "price": Words("the price", "单价"), "mfu": Words("the MFU", "MFU"),
    "tokens": Words("the number of tokens", "训练词元数"), "params": Words("the number of parameters", "参数量"),
    "count": Words("the number of accelerators", "卡数"), "nodes": Words("the number of nodes", "节点数"),
    "goodput": Words("the goodput", "有效时间占比"), "pue": Words("the PUE", "PUE"),
    "power": Words("the power", "功率"), "within": Words("the time", "时间"),
    "scaling_efficiency": Words("the scaling efficiency", "扩展效率"),
    "global_batch": Words("the batch", "批大小"), "seq": Words("the sequence length", "序列长度"),
}  # fmt: skip
# Inputs that are shares, and so are written in percent.
SHARES = ("mfu", "goodput", "scaling_efficiency")


def written_unit(figure: Figure) -> str:
    """Return the unit in which a claim's numbers are told: its own, or the one in which its kind is always told."""
    try:
        unit = units.split(figure.text)[1] or "1"
    except UnitError:
        return "1"
    house = units.write_bases(units.unit_bases(unit)[1])
    if house in ("FLOP/s", "s", "J") and unit != "%":
        return {"J": "kWh"}.get(house, house)
    return unit if "/" in unit or unit == "%" else house


def own_unit(figure: Figure) -> str:
    """Return the unit in which a claim's own number is told: of a time that in which it is stated."""
    unit = written_unit(figure)
    return units.split(figure.text)[1] if unit == "s" else unit
