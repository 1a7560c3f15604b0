"""What fine-tuning adds to a step and what it spares: adapters, frozen weights, and weights of few bits."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from .job import HALF, Job
from .layer_time import product_time
from .layout import expert_split
from .memory import layer_edges
from .memory_states import adapter_parameters
from .parameters import Transformer, feed_forward_matrices, layer_matrices


def passed_experts(model: Transformer) -> Transformer:
    """Return the dimensions of what a token passes: of the routed experts only the chosen ones.

    Parameters
    ----------
    model
        Dimensions. [1]

    References
    ----------
    N. Shazeer et al., "Outrageously Large Neural Networks", 2017, arXiv:1701.06538, Section 2.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(passed_experts(example_job(experts=8, experts_per_token=2).model).experts)
    2.0
    """
    return model._replace(experts=model.experts_per_token)


def adapters_time(job: Job, passed: Array) -> Array:
    r"""Time of the products of all layers' adapters for one micro-batch, forward and backward. [s]

    Parameters
    ----------
    job
        The step.
    passed
        Share of the layers that a token passes. [1]

    Notes
    -----
    .. math:: 3 \left(\frac{2 T r e}{t \eta P} + \kappa \frac{2 (r + T) e}{t \beta}\right), \quad e = \sum (m + n)

    over the matrices of m by n that a token passes: each adapter reads its matrix's input and adds to its output.

    References
    ----------
    E. Hu et al., "LoRA", 2021, arXiv:2106.09685, Eq. 3 and Section 4.2.

    Examples
    --------
    Rank 10 on four layers of 18,000 rows and columns each, 1,000 tokens, at 100 TFLOP/s:

    >>> from estimator.formulas.example import example_job
    >>> float(adapters_time(example_job(frozen=1, rank=10), np.float64(1)).round(9))
    4.32e-05
    """
    return either(job.method.frozen, lambda: _adapters_time(job, passed), np.float64(0.0))


def _adapters_time(job: Job, passed: Array) -> Array:
    model, ranks = passed_experts(job.model), job.layout.tp
    weights = adapter_parameters(model, job.method.rank) / ranks
    # An adapter's few outputs fill no wave: it is bound by what it moves, and loses nothing that others fill.
    inner = 0.0 * passed
    return 3.0 * product_time(job, passed * weights, passed * layer_edges(model) / ranks, inner)


def dequantisation_time(job: Job, repeated: Array) -> Array:
    r"""Time to bring all frozen weights of few bits back to 16, for one micro-batch, bound by memory. [s]

    Parameters
    ----------
    job
        The step.
    repeated
        Forward passes that are repeated. [1]

    Notes
    -----
    .. math:: (2 + n) \frac{(w_b + 4) N}{t \beta}

    forward, backward and once more where the forward pass is repeated: the packed weights are read, those in 16 bit
    written, and read by the product, which cannot begin before.

    References
    ----------
    T. Dettmers et al., "QLoRA", 2023, arXiv:2305.14314, Section 3, Eqs. 5-6: weights are dequantised for the forward
    and for the backward pass.

    Examples
    --------
    48 million weights of half a byte, 4.5 bytes each, twice, at 1 TB/s:

    >>> from estimator.formulas.example import example_job
    >>> job = example_job(frozen=1, base=0.5)
    >>> float(dequantisation_time(job, np.float64(0)).round(9))
    0.000432
    """
    packed = (job.method.frozen > 0) & (job.method.base < HALF)
    return either(packed, lambda: _dequantisation_time(job, repeated), np.float64(0.0))


def _dequantisation_time(job: Job, repeated: Array) -> Array:
    model = job.model
    experts = model.moe_layers * model.experts * feed_forward_matrices(model, model.expert_ffn)
    weights = layer_matrices(model, 0.0 * model.experts) / job.layout.tp + experts / expert_split(job.layout)
    moved = (job.method.base + 2.0 * HALF) * weights
    return (2.0 + repeated) * moved / job.machine.memory_bandwidth


def learning_parameters(job: Job, held: Array) -> Array:
    r"""Parameters of a rank that learn, whose gradients are exchanged and whose states are updated. [1]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model. [1]

    Notes
    -----
    .. math:: \frac{r \sum (m + n) + o (2 - t) V h}{t p}

    for adapters, and embedding and head where they learn beside them (o); else all that the rank holds.

    References
    ----------
    E. Hu et al., "LoRA", 2021, arXiv:2106.09685, Section 4.2: no gradients and no states of frozen parameters.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(learning_parameters(example_job(), np.float64(5)))
    5.0
    >>> float(learning_parameters(example_job(frozen=1, rank=10), np.float64(48e6)))
    720000.0
    """
    return either(job.method.frozen, lambda: _learning_adapters(job), held)


def _learning_adapters(job: Job) -> Array:
    model, method, layout = job.model, job.method, job.layout
    outer = method.outer * (2.0 - model.tied) * model.vocab * model.hidden
    return (adapter_parameters(model, method.rank) + outer) / (layout.tp * layout.pp)


def frozen_bytes(job: Job) -> Array:
    """Bytes in which a weight of the model is kept: its own where it is frozen, else 16 bits. [byte]

    Parameters
    ----------
    job
        The step.

    References
    ----------
    T. Dettmers et al., "QLoRA", 2023, arXiv:2305.14314, Section 3.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(frozen_bytes(example_job())), float(frozen_bytes(example_job(frozen=1, base=0.5)))
    (2.0, 0.5)
    """
    return where(job.method.frozen > 0, job.method.base, HALF)


def gathered_parameters(job: Job, held: Array, learning: Array) -> Array:
    r"""Weights in 16 bit whose sharded training moves as much as this one does: gathered twice, spread once. [1]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model before sharding. [1]
    learning
        Those of them, or of its adapters, that learn. [1]

    Notes
    -----
    .. math:: \frac{2 \left(w_b N / 2 + N_a\right) + N_a}{3}

    for adapters: frozen weights are gathered as they are kept and have no gradients.

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 7.2.2, for what is moved; E. Hu et al., 2021,
    arXiv:2106.09685, Section 4.2.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(gathered_parameters(example_job(frozen=1, base=2), np.float64(6e6), np.float64(1e6)))
    5000000.0
    """

    def _moved() -> Array:
        return (2.0 * (frozen_bytes(job) / HALF * held + learning) + learning) / 3.0

    return either(job.method.frozen, _moved, held)
