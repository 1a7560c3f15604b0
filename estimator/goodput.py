"""What interruptions take of a run, and what the best interval between checkpoints would leave of it."""

from __future__ import annotations

import math
from typing import NamedTuple

from . import estimate
from .answer import ask
from .arrays import array
from .errors import QuestionError
from .estimate import Estimate
from .inputs import Run
from .presets import Presets


class Interrupted(NamedTuple):
    """An answer, and what it would be with checkpoints as often as loses the least."""

    estimate: Estimate
    best: Estimate


def interrupted(run: Run, presets: Presets | None = None) -> Interrupted:
    """Answer what interruptions take of a run.

    Raises
    ------
    QuestionError
        The question gives the goodput that is asked for, or has a fault of its own.
    """
    if run.goodput is not None:
        raise QuestionError(["--goodput: this is what is asked for; leave it out, or ask `estimate train`"])
    found = ask(run, presets)
    best = found.case.with_columns({"given_interval": array(math.nan)})
    return Interrupted(found, estimate.evaluate(best, ("goodput", "checkpoint_interval")))
