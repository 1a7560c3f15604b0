"""A question becomes a case: words and presets turn into columns, each with its origin."""

from __future__ import annotations

from ..case import Case, Draft
from ..errors import EstimatorError, QuestionError
from ..inputs import Run
from ..presets import Presets
from . import (
    layout,
    machine,
    memory,
    model,
    ownership,
    prices,
    project,
    published,
    reliability,
    routing,
    spot,
    step_time,
    training,
)
from .asked import Asked

__all__ = ["lower"]


def lower(run: Run, presets: Presets) -> Case:
    """Lower a question to columns of shape ().

    Raises
    ------
    QuestionError
        All that is wrong between the inputs, a line each; or what is wrong with the file of ``--calibration``.
    """
    asked = Asked(run, presets, Draft())
    asked.own_calibration  # noqa: B018  (a file that is none is told alone: no part could do without it)
    faults: list[str] = []
    for part in (
        model.lower,
        training.lower,
        machine.lower,
        reliability.lower,
        layout.lower,
        routing.lower,
        step_time.lower,
        memory.lower,
        prices.lower,
        spot.lower,
        ownership.lower,
        project.lower,
        published.lower,
    ):
        try:
            part(asked)
        except EstimatorError as error:
            told = error.faults if isinstance(error, QuestionError) else (str(error),)
            faults += [fault for fault in told if fault not in faults]  # a broken record may be met twice
    if faults:
        raise QuestionError(faults)
    return asked.draft.finish()
