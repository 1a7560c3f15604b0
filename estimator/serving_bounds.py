"""Every bound on serving from the columns of a case: what a replica holds and how long its passes take at least."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .arrays import Array, array
from .formulas import serving, serving_memory
from .formulas.parameters import Transformer, active_parameters, total_parameters
from .formulas.serving import Replica
from .formulas.serving_memory import Elements

# Every quantity of the answer and its unit, in the order of the table.
UNITS: Mapping[str, str] = {
    "parameters": "1", "active_parameters": "1", "weights": "byte", "cache": "byte", "memory": "byte",
    "fewest_accelerators": "accelerator", "flops_per_token": "FLOP", "flops_short": "FLOP", "parity": "token",
    "prefill_time": "s", "token_time": "s", "token_rate": "token/s", "batch": "1", "batch_time": "s",
    "batch_rate": "token/s", "rate_per_accelerator": "token/s", "accelerators": "accelerator",
}  # fmt: skip
WHOLE = {"fewest_accelerators", "accelerators"}


def bounds(columns: Mapping[str, Array], settled: Mapping[str, Array]) -> dict[str, Array]:
    """Return every bound in `UNITS` from the columns of a case and what was settled, whatever their shape."""
    model, count = model_of(columns), settled["count"]
    elements = Elements(settled["weight"], settled["cached"])
    replica = Replica(count * columns["peak"], count * columns["memory_bandwidth"])
    context, one = settled["context"], array(1.0)
    weights, cache = (
        serving_memory.weights_size(model, elements),
        serving_memory.cache_size(model, context, elements),
    )
    room = count * columns["memory_usable"]
    held = np.maximum(serving_memory.sequences_held(room, weights, cache), 1.0)
    batch = np.where(np.isnan(settled["batch"]), held, settled["batch"])
    single = serving.decoding_time(model, context, one, elements, replica)
    together = serving.decoding_time(model, context, batch, elements, replica)
    prefill = serving.prefill_time(model, settled["prompt"], columns["causal"], elements, replica)
    answered = settled["answer"] * together / batch
    return {
        "parameters": total_parameters(model).total, "active_parameters": active_parameters(model),
        "weights": weights, "cache": cache, "memory": room,
        "fewest_accelerators": serving_memory.fewest_that_hold(columns["memory_usable"], weights, cache),
        "flops_per_token": serving.forward_flops(model, context).total,
        "flops_short": serving.short_forward_flops(active_parameters(model), one),
        "parity": serving.served_at_parity(columns["tokens"]),
        "prefill_time": np.where(settled["prompt"] > 0, prefill, np.nan),
        "token_time": single, "token_rate": 1.0 / single,
        "batch": batch, "batch_time": together, "batch_rate": batch / together,
        "rate_per_accelerator": batch / together / count,
        "accelerators": serving.accelerators_for_demand(
            settled["requests"], prefill, answered, count, settled["load"]
        ),
    }  # fmt: skip


def model_of(columns: Mapping[str, Array]) -> Transformer:
    """Return the model of a case."""
    return Transformer(**{name: columns[name] for name in Transformer._fields})
