"""How evenly a question's tokens spread over its experts."""

from __future__ import annotations

from ..errors import EstimatorError
from ..provenance import Origin
from .asked import Asked

_OPTION = "--expert-imbalance"


def lower(asked: Asked) -> None:
    """Set the load of the fullest expert rank over the mean.

    Raises
    ------
    EstimatorError
        A load of experts is given for a model without any, or more than all tokens.
    """
    columns, given = asked.draft.columns, asked.run.expert_imbalance
    if "experts" not in columns:
        return  # what is wrong with the model is told already
    if float(columns["experts"]) > 0.0:
        _check(asked)
        asked.number("expert_imbalance", "expert_imbalance", ranged=True)
    elif given is None:
        asked.draft.put("expert_imbalance", 1.0, Origin("derived", "no experts", option=_OPTION))
    else:
        model = asked.draft.words.get("model", "this model")
        raise EstimatorError(f"{_OPTION}: {model} has no experts whose load could be uneven; leave it out")


def _check(asked: Asked) -> None:
    """Raise where the fullest expert were to see more tokens than there are."""
    experts, each = (float(asked.draft.columns[name]) for name in ("experts", "experts_per_token"))
    given, most = asked.run.expert_imbalance, experts / each
    if given is not None and given > most:
        raise EstimatorError(
            f"{_OPTION}: {given:g} is more than {most:g}: with {each:g} of {experts:g} experts a token, the fullest "
            f"expert has at most {most:g} times the mean"
        )
