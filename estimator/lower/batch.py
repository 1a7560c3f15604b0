"""The batch of a training whose batch nobody named, and a warning of one beyond the critical batch size."""

from __future__ import annotations

from collections.abc import Mapping

from ..arrays import Array, array
from ..formulas.batch import critical_batch_size, loss, usual_batch
from ..formulas.flops import short_form_flops
from ..formulas.parameters import Transformer, active_parameters, layer_matrices
from ..formulas.shapes import DIMENSIONS
from ..records import Record
from .asked import Asked


def usual_tokens(defaults: Record, columns: Mapping[str, Array]) -> Array:
    """Return the tokens of a step that are usual at the compute of a training: of each, in columns. [token]"""
    model = Transformer(**{name: columns[name] for name in DIMENSIONS})
    compute = short_form_flops(active_parameters(model), columns["tokens"])
    law = (array(defaults.value(name)) for name in ("batch_tokens", "batch_flops", "batch_growth"))
    return usual_batch(compute, *law)


def warn(asked: Asked) -> None:
    """Note it where the batch given is larger than the critical one at the loss the run should reach."""
    columns = asked.draft.columns
    if asked.run.global_batch is None or not {"layers", "tokens", "seq"} <= columns.keys():
        return
    law = asked.presets.load("assumptions", "critical-batch")
    reached = expected_loss(law, columns)
    critical = critical_batch_size(reached, _constant(law, "batch_scale"), _constant(law, "batch_exponent"))
    batch = columns["global_batch"] * columns["seq"]
    if batch > critical:
        asked.draft.notes.append(_sentence(law, batch, critical, reached))


def expected_loss(law: Record, columns: Mapping[str, Array]) -> Array:
    """Return the loss of a model of these dimensions after these tokens, in nats a token. [1]

    The law counts parameters without embeddings; of experts those that a token passes count.
    """
    model = Transformer(**{name: columns[name] for name in DIMENSIONS})
    names = ("parameter_scale", "token_scale", "parameter_exponent", "token_exponent")
    inner = layer_matrices(model, model.experts_per_token)
    return loss(inner, columns["tokens"], *(_constant(law, name) for name in names))


def _constant(law: Record, name: str) -> Array:
    return array(law.figures[name].value)


def _sentence(law: Record, batch: Array, critical: Array, reached: Array) -> str:
    from ..formulas.batch import batch_overhead

    source, more = law.sources["kaplan"], float(batch_overhead(batch, critical))
    return (
        f"a step of {_rounded(batch)} tokens is larger than the critical batch size of about "
        f"{_rounded(critical)} tokens at the loss of {float(reached):.2f} that this run should reach: "
        f"for the same loss it needs about {more:.1f} times the tokens of a small batch, which is not "
        f"counted here ({source.publisher}, {source.locator}, Eqs. 1.4 and 1.5)"
    )


def _rounded(value: Array) -> str:
    """Write a count of tokens to three significant digits.

    Examples
    --------
    >>> _rounded(array(16777216))
    '16,800,000'
    """
    return f"{float(f'{float(value):.3g}'):,.0f}"
