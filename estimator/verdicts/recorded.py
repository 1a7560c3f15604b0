"""Verdicts as they are recorded with a version, so that a list of claims need not judge them anew."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..claims import Claim
from ..presets import Presets
from ..tuples import NamedTuple
from .outcomes import OPEN
from .table import VERDICTS

if TYPE_CHECKING:
    from .judge import Judged, Judgement

_HEAD = '''"""Verdicts on the recorded claims; written by scripts/make_docs.py, not by hand."""

from math import nan

# The verdict on each claim; of each statement of it our value, its low and high end in house units, and their unit.
# fmt: off
VERDICTS: dict[str, tuple[str, list[tuple[float, float, float, str]]]] = {
'''


class Told(NamedTuple):
    """What one statement comes to here, in house units; NaN where nothing compares with it."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    unit: str = "1"


class Verdict(NamedTuple):
    """The verdict on a claim, and what each of its statements comes to."""

    verdict: str
    told: Sequence[Told]


def verdict_of(judged: Judged) -> Verdict:
    """Return the verdict on a claim without what led to it."""
    return Verdict(judged.verdict, [_told(each) for each in judged.judgements])


def _told(judgement: Judgement) -> Told:
    main = judgement.main
    if main is None or main.agrees == OPEN:
        return Told()
    found = main.measured
    return Told(found.value, found.low, found.high, found.unit)


def recorded(presets: Presets) -> Mapping[str, Verdict]:
    """Return the recorded verdicts by the id of the claim; none where own records might make them others.

    Examples
    --------
    >>> recorded(Presets())["C4"].verdict
    'holds if'
    """
    if presets.own or presets.calibration:
        return {}
    return {id: Verdict(verdict, [Told(*each) for each in told]) for id, (verdict, told) in VERDICTS.items()}


def written(judged: Iterable[Judged]) -> str:
    """Return the module `table` that holds verdicts: numbers to six digits."""
    lines = [_HEAD.rstrip()]
    for each in judged:
        verdict, told = verdict_of(each)
        lines.append(f'    "{each.claim.id}": ("{verdict}", [')
        lines += [
            f'        ({", ".join(f"{number:.6g}" for number in one[:3])}, "{one.unit}"),' for one in told
        ]
        lines.append("    ]),")
    return "\n".join([*lines, "}", ""])


def short_of(claim: Claim, language: str) -> str:
    """Return a claim in few words: its own, else what it is about."""
    ending = "_zh" if language == "zh" else ""
    words = (claim.word(name) for name in (f"short{ending}", "short", f"about{ending}", "about"))
    return next(filter(None, words), "")
