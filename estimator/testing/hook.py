"""What hypothesis calls when it is imported: it makes the public types of questions known to ``st.from_type``."""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Register the types; their strategies are imported when the first is drawn from."""
    from hypothesis import strategies as st

    from ..inputs import Run
    from ..units import Price

    st.register_type_strategy(Run, lambda _: _strategies().runs())
    st.register_type_strategy(Price, lambda _: _strategies().prices())


def _strategies() -> Any:
    from . import strategies

    return strategies
