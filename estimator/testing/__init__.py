"""For tests of your own: questions that hypothesis draws, and laws that any scenario must keep.

With hypothesis installed ``st.from_type(Run)`` draws questions that have an answer, as `runs` does; each law takes what
your code asks and raises `Broken` with the numbers where it does not hold.

>>> from estimator import Run
>>> from estimator.testing import ranges_hold_the_value
>>> ranges_hold_the_value(Run(params=7e9, count=64))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .laws import (
        Broken,
        cells_are_single_answers,
        chunks_change_nothing,
        money_follows_the_price,
        more_memory_never_unfits,
        parts_add_up,
        ranges_hold_the_value,
        weak_scaling_keeps_work,
    )
    from .strategies import prices, runs

__all__ = [
    "Broken",
    "cells_are_single_answers",
    "chunks_change_nothing",
    "money_follows_the_price",
    "more_memory_never_unfits",
    "parts_add_up",
    "prices",
    "ranges_hold_the_value",
    "runs",
    "weak_scaling_keeps_work",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: hypothesis imports this package whenever it is imported itself."""
    if name not in __all__:
        raise AttributeError(f"module 'estimator.testing' has no attribute '{name}'")
    from importlib import import_module

    return getattr(
        import_module(f".{'strategies' if name in ('prices', 'runs') else 'laws'}", __name__), name
    )
