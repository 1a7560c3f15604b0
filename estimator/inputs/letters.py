"""Letters that name what is asked side by side: questions, and pools of a fleet."""

from __future__ import annotations

import string


def letter(index: int) -> str:
    """Name one of several by its place.

    Examples
    --------
    >>> letter(0), letter(1), letter(27)
    ('A', 'B', 'BB')
    """
    alphabet = string.ascii_uppercase
    return alphabet[index % len(alphabet)] * (index // len(alphabet) + 1)
