"""What can be wrong with a question, each as one class with words that tell the fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EstimatorError(Exception):
    """Base of every error that a user's input can cause; its text is the whole message."""


class UnitError(EstimatorError):
    """A text that is no quantity, or one of the wrong dimension."""


class UnknownPreset(EstimatorError):
    """A name that no record carries."""


class AmbiguousPreset(EstimatorError):
    """A name that several records could mean, none of them declared the default."""


class PresetError(EstimatorError):
    """A preset file that breaks the schema."""


class ConfigError(EstimatorError):
    """A model configuration file that cannot be read as one."""


class QuestionError(EstimatorError):
    """Every fault of one question, a line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the single faults beside the joined message."""
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle from the faults: from the joined message, each of its letters would be one."""
        return type(self), (self.faults,), self.__dict__


def near_misses(word: str, known: Sequence[str]) -> str:
    """Say which known words are spelt like ``word``, or how to list them all.

    Examples
    --------
    >>> near_misses("a100-smx", ["a100-sxm", "h100-sxm"])
    "; did you mean 'a100-sxm' or 'h100-sxm'?"
    >>> near_misses("c44", ["A1", "C4"])
    "; did you mean 'C4'?"
    >>> near_misses("zzz", ["a100-sxm"])
    ''
    """
    from difflib import get_close_matches

    written = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), list(written), n=3, cutoff=0.6)
    if not close:
        return ""
    return "; did you mean " + " or ".join(f"'{written[name]}'" for name in close) + "?"
