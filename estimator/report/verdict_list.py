"""Claims one a line: in few words, as stated, what it comes to here, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .. import units
from ..claims import Claim
from ..verdicts.checks import Check, checks_of
from ..verdicts.outcomes import IF, UNKNOWN
from ..verdicts.recorded import Told, Verdict, short_of
from . import words
from .claims import list_document, list_rows
from .grid import Grid
from .page import Page, one_line
from .verdict_words import ENGLISH, Language, own_unit, written_unit

# How a number is meant, where a claim says it of the one that it states.
_MEANT = {
    "en": {"over": "over ", "at least": "at least ", "at most": "up to ", "about": "about "},
    "zh": {"over": "超过", "at least": "至少", "at most": "至多", "about": "约"},
}
# What stands before the unit of a Chinese number.
_DIGITS = "0123456789.e万亿"
_HINT = {
    "en": "What would have to be true, and what else is known: estimate claims check {id}",
    "zh": "要使说法成立须有什么、已知背景：estimate claims check {id} --language zh",
}


def verdict_list(
    claims: Sequence[Claim], verdicts: Mapping[str, Verdict], language: Language = ENGLISH
) -> Page:
    """Return claims with their verdicts, no wider than a hundred columns; a statement a line."""
    said = language.said
    headers = [said["id"], said["verdict"], said["claim"], said["stated"], said["range of ours"]]
    rows = [row for claim in claims for row in _rows(claim, verdicts[claim.id], language)]
    shown = Grid(headers, rows)
    hint = _HINT[language.code].format(id=claims[0].id if len(claims) == 1 else "ID")
    by_id = {claim.id: verdicts[claim.id].verdict for claim in claims}
    return Page([shown, hint], list_rows(claims, by_id), list_document(claims, by_id))


def _rows(claim: Claim, found: Verdict, language: Language) -> list[list[str]]:
    """Return a line for each statement; those after the first stand below it."""
    verdict = language.said["conditional"] if found.verdict == IF else language.verdicts[found.verdict]
    open_ = language.said["cannot judge"] if found.verdict == UNKNOWN else verdict
    first = [claim.id, open_, one_line(short_of(claim, language.code))]
    checks = checks_of(claim)
    cells = [
        [_stated(claim, check, len(checks) == 1, language), _ours(check, told, language)]
        for check, told in zip(checks, found.told, strict=True)
    ]
    shown = list(dict.fromkeys(map(tuple, cells))) or [("", "")]
    return [[*(first if number == 0 else [""] * 3), *each] for number, each in enumerate(shown)]


def _stated(claim: Claim, check: Check, alone: bool, language: Language) -> str:
    figures = list(check.figures.values())
    if not figures or "reads_as" in check.figures:
        return language.said["no number"]
    meant = _MEANT[language.code].get(claim.word("relation"), "") if alone else ""
    if len(figures) == 1:
        return meant + compact(Told(figures[0].value, math.nan, math.nan, own_unit(figures[0])), language)
    low, high, unit = figures[0].value, figures[-1].value, own_unit(figures[0])
    if language.code != "en":
        return language.range(low, high, unit)
    divisor, word = _scale(high, unit)
    return f"{words.digits(low / divisor)} to {words.digits(high / divisor)}{word}"


def _ours(check: Check, told: Told, language: Language) -> str:
    """Return our value and range in the unit of the claim; nothing where nothing compares with what it states."""
    figures = list(check.figures.values())
    if math.isnan(told.value) or not figures or "reads_as" in check.figures:
        return ""
    return compact(told._replace(unit=written_unit(figures[0])), language)


def compact(told: Told, language: Language) -> str:
    """Write a value with its range behind it, in one unit.

    Examples
    --------
    >>> compact(Told(1.52e6, 9.4e5, 2.88e6, "USD"), ENGLISH), compact(Told(0.92, unit="%"), ENGLISH)
    ('1.52 (0.94 to 2.88) million USD', '92 %')
    """
    said = language.said
    value, ends, unit = told.value, (told.low, told.high), told.unit
    ranged = all(map(math.isfinite, ends)) and ends[0] < ends[1]
    if language.code != "en":
        own, *limits = (language.write(each, unit) for each in (value, *ends))
        word = own.lstrip(_DIGITS)
        shown = said["to"].join(limit.removesuffix(word) for limit in limits)
        return own + (f"{said['open']}{shown}{said['close']}" if ranged else "")
    divisor, word = _scale(value, unit)
    number, *limits = (words.digits(each / divisor) for each in (value, *ends))
    bracket = f" ({limits[0]} to {limits[1]})" if ranged and limits[0] != limits[1] else ""
    return f"{number}{bracket}{word}"


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return what to divide a value by, and the words behind it."""
    if unit == "%":
        return 0.01, " %"
    if unit == "accelerator":
        return 1.0, " cards" if value != 1.0 else " card"
    divisor, word = words.scale(value, unit)
    if word.strip() != unit:
        return divisor, word
    number = words.digits(units.to_unit(value, unit))
    return divisor, f" {unit}{'s' * (unit in ('node', 'day', 'month', 'year') and number != '1')}"
