"""A step of round numbers to work by hand: a small model on made-up machines that reach their peaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, array
from .collectives import Machine
from .job import Coefficients, Host, Job
from .layout import Layout
from .memory_states import Method
from .parameters import Transformer
from .shapes import transformer

_MODEL = {"layers": 4, "hidden": 1000, "heads": 10, "ffn": 4000, "vocab": 0}
_LAYOUT = {
    **dict.fromkeys(Layout._fields, 1.0), "per_node": 8, "zero": 0, "shard": np.inf, "sequence_parallel": 0,
    "recompute": 0, "unfused": 0, "replicas": np.inf,
}  # fmt: skip
_MACHINE = {
    "peak": 1e14, "peak_16bit": 1e14, "memory_bandwidth": 1e12, "scaleup_bandwidth": 1e11, "scaleup_domain": 8,
    "scaleout_bandwidth": 1e10, "mesh": 0, "pod": np.inf, "oversubscription": 1,
}  # fmt: skip
# What is a share of a peak, or multiplies what theory says; of all else theory knows nothing.
_WHOLE = (
    "product_efficiency attention_efficiency expert_efficiency tensor_use context_use expert_use pipeline_use "
    "bubble_use head_imbalance sharding_use gradient_use slowness"
).split()
_STEP = {"seq": 1000, "year": 2024, "causal": 1, "ulysses": 0}
_METHOD = dict.fromkeys(Method._fields, 0.0)
_HOST = {"host_bandwidth": 1e10, "host_memory_bandwidth": 1e11}


def ideal_coefficients(**given: float | Array) -> Coefficients:
    """Return the coefficients of machines and software that lose nothing and hide nothing, but for those given.

    Peaks are reached, memory costs no time, every exchange takes what its bandwidth says and none is hidden.

    Examples
    --------
    >>> ideal = ideal_coefficients(product_efficiency=0.5)
    >>> float(ideal.product_efficiency), float(ideal.tensor_use), float(ideal.norm_traffic)
    (0.5, 1.0, 0.0)
    """
    values = {**dict.fromkeys(Coefficients._fields, 0.0), **dict.fromkeys(_WHOLE, 1.0), **given}
    return Coefficients(**_arrays(values))


def example_machine(**given: float | Array) -> Machine:
    """Return cards of 100 TFLOP/s, 1 TB/s of memory, 100 GB/s in a server of eight and 10 GB/s of network each.

    Examples
    --------
    >>> float(example_machine(peak=312e12).peak)
    312000000000000.0
    """
    return Machine(**_arrays({**_MACHINE, **given}))


def example_job(**given: float | Array) -> Job:
    """Return the step of a model of four layers of width 1,000 on one ideal card, but for what is given.

    Any field of the model, the layout, the machine, the coefficients, the method, the host or the step may be given
    by its name.

    Raises
    ------
    TypeError
        No record has a field of a name that is given.

    Examples
    --------
    >>> job = example_job(tp=2, hidden=2000)
    >>> float(job.layout.tp), float(job.model.hidden), float(job.model.head_dim)
    (2.0, 2000.0, 200.0)
    """
    records: Mapping[str, Any] = {
        "machine": Machine, "fitted": Coefficients, "layout": Layout, "model": Transformer, "method": Method,
        "host": Host,
    }  # fmt: skip
    own = {name: _named(given, record._fields) for name, record in records.items()}
    step = _named(given, tuple(_STEP))
    if unknown := given.keys() - step.keys() - {name for each in own.values() for name in each}:
        raise TypeError(f"a step has no {', '.join(sorted(unknown))}")
    return Job(
        model=transformer(**{**_MODEL, **own["model"]}),
        layout=Layout(**_arrays({**_LAYOUT, **own["layout"]})),
        machine=example_machine(**own["machine"]),
        fitted=ideal_coefficients(**own["fitted"]),
        method=Method(**_arrays({**_METHOD, **own["method"]})),
        host=Host(**_arrays({**_HOST, **own["host"]})),
        **_arrays({**_STEP, **step}),
    )


def _named(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in names}


def _arrays(values: Mapping[str, Any]) -> dict[str, Array]:
    return {name: array(value) for name, value in values.items()}
