"""Reads totals of compute like 20 EOPS, 3000 P or 3.5 EFLOP/s, and the precision without which they say nothing."""

from __future__ import annotations

import math
import re

from .. import units
from ..errors import EstimatorError, UnitError
from ..schema import PRECISIONS

# Operators write P and E alone, and the rest of the word in any case: Eops, EOPS, PFlops.
_SHORT = re.compile(
    r"(?P<number>.*\d\.?)\s*(?P<prefix>[TPEZ])(?P<word>(?:FL)?OPS?)?(?P<a_second>/s)?", re.IGNORECASE
)
_EXAMPLE = "20 EOPS"
_LEAST, _MOST = 1e9, 1e27


def read_compute(name: str, text: str) -> float:
    """Return a total of compute. [FLOP/s]

    Parameters
    ----------
    name
        How the user calls it, for the message: ``--compute``.
    text
        A number with a unit; P and E alone are 1e15 and 1e18 operations a second.

    Raises
    ------
    EstimatorError
        No number, no computing speed, or one that nobody has.

    Examples
    --------
    >>> read_compute("--compute", "20 Eops"), read_compute("--compute", "3000P"), read_compute("--compute", "1 EFLOP/s")
    (2e+19, 3e+18, 1e+18)
    """
    if fault := _misunderstood(text):
        raise EstimatorError(f"{name}: {units.shorten(text)} {fault}")
    try:
        value = units.parse(_whole(text), "FLOP/s", _EXAMPLE)
    except UnitError as error:
        raise EstimatorError(f"{name}: {error}") from None
    if math.isnan(value):
        raise EstimatorError(f"{name}: {units.shorten(text)} is not a number")
    if value <= 0:
        raise EstimatorError(f"{name}: {units.shorten(text)} must be more than zero")
    if not _LEAST <= value <= _MOST:
        bound = "less" if value < _LEAST else "more"
        raise EstimatorError(
            f"{name}: {units.shorten(text)} is {bound} than makes sense here; write it like '{_EXAMPLE}'"
        )
    return value


def _misunderstood(text: str) -> str:
    """Say what is wrong with a range, or with work in place of a speed, as press figures often have them."""
    if re.search(r"\d\s*(?:-|to|~)\s*\d", text):
        return f"is two totals; ask with each of them, like '{_EXAMPLE}'"
    if re.search(r"(?:hour|day|month|year)s?\b", text, re.IGNORECASE):
        return f"is work, a speed for a time; a total of compute is a speed, like '{_EXAMPLE}'"
    return ""


def _whole(text: str) -> str:
    """Write out a short unit; work that is not over a time stays as it is, and is refused."""
    short = _SHORT.fullmatch(text.strip())
    if short is None:
        return text
    number, prefix, word, a_second = short.groups()
    if word and not word.lower().endswith("s") and not a_second:
        return text
    return f"{number} {prefix.upper()}FLOP/s"


def read_precision(text: str) -> str:
    """Return a precision in which peaks are on record.

    Raises
    ------
    EstimatorError
        It is none.

    Examples
    --------
    >>> read_precision("INT8")
    'int8'
    """
    word = text.strip().lower()
    if word not in PRECISIONS:
        raise EstimatorError(
            f"--precision: {units.shorten(text)} is not known; choose {', '.join(PRECISIONS)}"
        )
    return word


def without_precision(text: str) -> EstimatorError:
    """Return the fault of a total that does not say in which precision it is counted."""
    return EstimatorError(
        f"--compute: '{text}' does not say at which precision, and a chip's peak in INT8 is twice that in FP16; "
        f"add --precision int8, or one of {', '.join(name for name in PRECISIONS if name != 'int8')}"
    )
