"""Time of one optimizer step, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..arrays import Array, either, nothing, of_some, plus, times, where
from ..breakdown import Breakdown
from .exchange_time import pipeline_transfer_time
from .job import Job
from .layer_time import head_time
from .layout import Layout, expert_split, micro_batches, most_working
from .offload_time import fetched_weights_time, offload_time
from .sharding_time import (
    Shares,
    among_experts,
    gradient_exchange_time,
    group_exchange_time,
    held_parameters,
    sharded_weights_time,
)
from .stage_time import bubble_share, deepest_stage, exposed, head_share, layers_time
from .tuning_time import gathered_parameters, learning_parameters
from .update_time import accumulation_time, clipping_time, optimizer_time, own_states


def software_gain(job: Job) -> Array:
    r"""What software of a year takes of the time of software of 2024. [1]

    Notes
    -----
    .. math:: e^{-g (y - 2024)}

    References
    ----------
    Fitted; A. Karpathy, "llm.c" and MLCommons' rounds show the same recipe faster with each release.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> round(float(software_gain(example_job(software_gain=0.05, year=2026))), 3)
    0.905
    """
    return np.exp(-job.fitted.software_gain * job.newer)


def misfit_slowness(job: Job) -> Array:
    """Slowness of head dimensions that are no multiple of 8: kernels fall back to unaligned loads. [1]

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", Section 2.1 (alignment of dimensions).

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(misfit_slowness(example_job(misfit=0.25, head_dim=width))) for width in (80, 100)]
    [1.0, 1.25]
    """
    width = job.model.head_dim + job.model.rope_dim
    return 1.0 + where(np.mod(width, 8.0) > 0, job.fitted.misfit, 0.0)


def scale_slowness(job: Job) -> Array:
    r"""Slowness of many accelerators that wait for the slowest of them. [1]

    Notes
    -----
    .. math:: 1 + \lambda \ln n

    References
    ----------
    Fitted; the expected maximum of n alike delays with an exponential tail grows as ln n (E. Gumbel, "Statistics of
    Extremes", 1958, Section 4.2).

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> round(float(scale_slowness(example_job(straggling=0.01, count=1024))), 3)
    1.069
    """
    return 1.0 + job.fitted.straggling * np.log(np.maximum(most_working(job.layout), 1.0))


def parts_time(job: Job) -> Mapping[str, Array]:
    r"""Time of one step by part, before what slows all of it. [s]

    Notes
    -----
    .. math:: m \left(\delta t_{stage} + \iota t_{head} + t_{wait} + t_{send}\right)
        + b \left(t_{stage} + t_{head} / p + t_{wait}' + t_{send}\right) + t_{gradients} + t_{optimizer} + t_0

    with m micro-batches, the deepest stage :math:`\delta` times as deep as the mean, the bubble b, and
    :math:`t_{wait}'` what the mean stage waits for sharded weights: it has less time to hide them in than the deepest.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Sections 2.2 and 3.

    Examples
    --------
    Eight micro-batches in a pipeline of two stages: one of 1.58 ms stands for the bubble:

    >>> from estimator.formulas.example import example_job
    >>> job = example_job(count=2, pp=2, global_batch=8, pipeline_use=0, memory_bandwidth=np.inf)
    >>> {name: float(part.round(9)) for name, part in parts_time(job).items() if part > 0}
    {'matrix_products': 0.01152, 'attention': 0.00112, 'pipeline_bubble': 0.00158}
    """
    layout, count = job.layout, micro_batches(job.layout)
    stage = {name: part if nothing(part) else part / layout.pp for name, part in layers_time(job).items()}
    head = head_time(job)
    held = held_parameters(job)
    learning = _learning(job, held)
    own, on_card = _over(own_states, job, learning), job.method.offload < 1
    stage["gradient_accumulation"] = _over(accumulation_time, job, learning)
    body, deep, share = Breakdown(stage).total, deepest_stage(job), head_share(job)
    slowest = body * deep + share * head
    gathered = _over(sharded_weights_time, job, _gathered(job, held, learning))
    wait = exposed(slowest, gathered)
    fetched = _over(fetched_weights_time, job, held)
    brought = plus(gathered, fetched)
    fetch = of_some(fetched, lambda: exposed(slowest, brought) - wait)
    transfer, mean = pipeline_transfer_time(job), body + head / layout.pp
    idle = bubble_share(job) * (mean + exposed(mean, brought) + transfer)
    return {
        **_each(stage, count),
        "logits": count * head / layout.pp,
        "stage_imbalance": count * ((deep - 1.0) * body + (share - 1.0 / layout.pp) * head),
        "sharding": count * wait,
        "pipeline_transfer": count * transfer,
        "pipeline_bubble": idle,
        "gradient_exchange": _over(gradient_exchange_time, job, learning)
        + _over(group_exchange_time, job, learning),
        "gradient_clipping": either(on_card, lambda: clipping_time(job, own), np.float64(0.0)),
        "optimizer": either(on_card, lambda: _over(optimizer_time, job, learning), np.float64(0.0)),
        "offload": count * fetch + offload_time(job, own, count * slowest),
        "overhead": job.fitted.step_overhead + 0.0 * layout.count,
    }


def _over(formula: Callable[[Job, Array], Array], job: Job, shares: Shares) -> Array:
    """Sum what a formula gives of the dense part and of experts, each among the ranks that hold it."""
    dense = formula(job, shares.dense)
    return dense if nothing(shares.experts) else dense + formula(among_experts(job), shares.experts)


def _each(parts: Mapping[str, Array], factor: Array) -> dict[str, Array]:
    """Multiply every part; one that is nothing stays so, whatever a factor that is not known or without limit says."""
    if np.all(np.isfinite(factor)):
        return {name: part if nothing(part) else part * factor for name, part in parts.items()}
    return {name: times(part, factor) for name, part in parts.items()}


def _learning(job: Job, held: Shares) -> Shares:
    """Parameters that learn: beside adapters, which count as dense, no expert does. [1]"""
    experts = either(job.method.frozen, np.float64(0.0), held.experts)
    return Shares(learning_parameters(job, held.dense), experts)


def _gathered(job: Job, held: Shares, learning: Shares) -> Shares:
    """Weights in 16 bit whose sharded training moves as much. [1]"""
    pairs = zip(held, learning, strict=True)
    return Shares(*(gathered_parameters(job, whole, part) for whole, part in pairs))


def modelled_step_time(job: Job) -> Breakdown:
    r"""Time of one optimizer step. [s]

    Parameters
    ----------
    job
        Model, layout, machine, method and fitted coefficients. [1]

    Returns
    -------
    Matrix products, attention, element-wise work, experts, exchanges, bubble, optimizer and overhead. [s]

    Notes
    -----
    .. math:: \left( (m + b) \, t_{stage} + t_{exchange} + t_{optimizer} + t_0 \right) \sigma

    with m micro-batches, the bubble b, and the slowness :math:`\sigma` of software, shape and scale, which lengthens
    every part alike.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> round(float(modelled_step_time(example_job(step_overhead=0.01, slowness=2, memory_bandwidth=np.inf)).total), 5)
    0.02632
    """
    slow = job.fitted.slowness * software_gain(job) * misfit_slowness(job) * scale_slowness(job)
    return Breakdown(_each(parts_time(job), slow))


def smallest_layout(layout: Layout) -> Layout:
    """The same layout on the fewest accelerators that run it in whole nodes, with the same work for each of them. [1]

    Parameters
    ----------
    layout
        Degrees and batches. [1]

    Notes
    -----
    Each of them holds as many experts as before: whole replicas, and as many as a copy of the experts is spread over.

    References
    ----------
    J. Gustafson, "Reevaluating Amdahl's law", CACM 31(5), 1988: the work grows with the machine.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> small = smallest_layout(example_job(count=1024, tp=2, global_batch=2048).layout)
    >>> float(small.count), float(small.global_batch)
    (8.0, 16.0)
    """
    replica = layout.tp * layout.cp * layout.pp
    spread = replica * np.ceil(expert_split(layout) / (layout.tp * layout.cp))
    smallest = spread * np.maximum(np.floor(layout.per_node / spread), 1.0)
    working = most_working(layout)
    count = np.minimum(smallest, working)
    share = count / np.maximum(working, 1.0)
    return layout._replace(count=count, global_batch=layout.global_batch * share)


def scale_growth(job: Job) -> Array:
    """Accelerators that work over the fewest that run the layout in whole nodes. [1]

    Parameters
    ----------
    job
        Model, layout, machine, method and fitted coefficients. [1]

    References
    ----------
    J. Gustafson, 1988, as above.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(scale_growth(example_job(count=16, global_batch=16)))
    2.0
    """
    return most_working(job.layout) / np.maximum(smallest_layout(job.layout).count, 1.0)


def small_scale_time(job: Job) -> Array:
    """Time of the step at the smallest scale: what it would take if more accelerators cost nothing. [s]

    Parameters
    ----------
    job
        Model, layout, machine, method and fitted coefficients. [1]

    References
    ----------
    J. Gustafson, 1988, as above.

    Examples
    --------
    Sixteen accelerators exchange gradients over the network, the eight of a server over the fast link:

    >>> from estimator.formulas.example import example_job
    >>> job = example_job(count=16, global_batch=16, memory_bandwidth=np.inf)
    >>> round(float(modelled_step_time(job).total), 6), round(float(small_scale_time(job)), 6)
    (0.00766, 0.00652)
    """
    return modelled_step_time(job._replace(layout=smallest_layout(job.layout))).total
