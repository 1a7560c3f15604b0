"""What several formulas need of the same record is worked out once: the record keeps it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
# Arguments that are known by their value.
_PLAIN = (np.float64, float, str)


def once(formula: Callable[P, R]) -> Callable[P, R]:
    """Let the first argument of a formula keep what is worked out of it, for the same other arguments in their order.

    The first argument is a record whose class has room for it: a subclass of a named tuple, which has a dictionary.
    What is kept lives as long as the record and is never changed, so that nothing but time depends on it.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> from estimator.formulas.layout import data_parallel
    >>> layout = example_job(count=8).layout
    >>> data_parallel(layout) is data_parallel(layout)
    True
    """

    @wraps(formula)
    def _once(*arguments: P.args, **named: P.kwargs) -> R:
        kept: dict[Any, tuple[R, Any]] = arguments[0].__dict__
        # Most formulas have no other argument: they are known by themselves.
        key: Any = formula
        if len(arguments) > 1:
            # A value stands in a tuple, which is never mistaken for an identity.
            key = (formula, *[(each,) if type(each) in _PLAIN else id(each) for each in arguments[1:]])
        if key not in kept:
            # The others are kept too, so that no later object can have the same identity.
            kept[key] = formula(*arguments, **named), arguments[1:]
        return kept[key][0]

    return _once
