"""Time that data-parallel ranks take to exchange sharded weights and gradients."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, of_some, only, where
from ..once import once
from ..tuples import NamedTuple
from .collectives import ring_rate, ring_time
from .job import HALF, Job
from .layout import data_parallel, expert_split
from .parameters import feed_forward_matrices, layer_matrices
from .sharding import sharding_groups, sharding_ranks

# Bytes of a gradient in 32 bit.
_GRADIENT = 4.0


class Shares(NamedTuple):
    """Parameters of one rank: the ``dense`` part, and routed ``experts``, which fewer ranks hold. [1]"""

    dense: Array
    experts: Array


def held_parameters(job: Job) -> Shares:
    r"""Parameters that one rank holds before sharding: a stage's share, experts split over their ranks. [1]

    Notes
    -----
    .. math:: \frac{w_{dense} + (2 - t') V h}{t p}, \quad \frac{w_{experts}}{p \, c_x}

    with :math:`c_x` the cards over which a copy of the experts is spread (``layout.expert_split``).

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3; D. Lepikhin et al., 2020, arXiv:2006.16668, Section 3.

    Examples
    --------
    Four layers of 12 million weights over two tensor ranks and two stages; a layer of 8 experts of 8 million and a
    router of 8,000, over four expert ranks, of which one card alone holds all:

    >>> from estimator.formulas.example import example_job
    >>> float(held_parameters(example_job(tp=2, pp=2)).dense)
    12000000.0
    >>> sparse = {"layers": 1, "moe_layers": 1, "experts": 8, "expert_ffn": 4000, "ep": 4}
    >>> [tuple(map(float, held_parameters(example_job(**sparse, count=count)))) for count in (4, 1)]
    [(4008000.0, 16000000.0), (4008000.0, 64000000.0)]
    """
    model, layout = job.model, job.layout
    split = layout.tp * layout.pp
    inner = layer_matrices(model, 0.0 * model.experts) + model.vocab * model.hidden * (2.0 - model.tied)
    experts = model.moe_layers * model.experts * feed_forward_matrices(model, model.expert_ffn)
    return Shares(inner / split, of_some(experts, lambda: experts / (layout.pp * expert_split(layout))))


@once
def among_experts(job: Job) -> Job:
    """Return the step as the ranks see it that hold the same experts: expert ranks stand where tensor ranks do.

    Such ranks are fewer than those of the dense part by the degree of expert parallelism, and as much further apart.

    Parameters
    ----------
    job
        The step.

    References
    ----------
    D. Lepikhin et al., 2020, arXiv:2006.16668, Section 3.3 (expert weights are sharded, all others replicated).

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> job = example_job(count=64, tp=2, ep=8)
    >>> [float(sharding_ranks(each.layout)) for each in (job, among_experts(job))]
    [32.0, 4.0]
    """
    layout = job.layout
    return job._replace(layout=layout._replace(tp=expert_split(layout), cp=0.0 * layout.cp + 1.0))


def _sharding_rate(job: Job, ranks: Array) -> Array:
    """Bandwidth of the ring over ranks that follow each other after the tensor ranks. [byte/s]"""
    return ring_rate(job.machine, job.group(ranks, job.layout.tp))


def hops_time(job: Job, ranks: Array, held: Array) -> Array:
    r"""Time that messages take from rank to rank of a ring, for one collective of each layer of a stage. [s]

    Parameters
    ----------
    job
        The step.
    ranks
        Members of the ring. [1]
    held
        Parameters that the collectives move; without any there are none. [1]

    Notes
    -----
    .. math:: t_{hops} = \frac{L}{p} (d - 1) \tau

    A gather or a scatter passes every rank in turn, however little it moves: the more ranks share the states, the
    longer it takes.

    References
    ----------
    R. Thakur et al., "Optimization of Collective Communication Operations in MPICH", 2005, Section 4.1:
    :math:`(p - 1) \alpha` of a ring against :math:`\alpha \lg p` of a tree; Y. Zhao et al., 2023,
    arXiv:2304.11277, Section 3.2.1, for collectives by layer.

    Examples
    --------
    Four layers on 1,001 ranks, 2 microseconds from each to the next:

    >>> from estimator.formulas.example import example_job
    >>> float(hops_time(example_job(ring_latency=2e-6), np.float64(1001), np.float64(1e9)))
    0.008
    """
    collectives = where(held > 0, job.model.layers / job.layout.pp, 0.0)
    return collectives * (ranks - 1.0) * job.fitted.ring_latency


def sharded_weights_time(job: Job, held: Array) -> Array:
    r"""Time to gather weights twice and to spread gradients once, in one micro-batch of ZeRO-3 or FSDP. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model before sharding. [1]

    Notes
    -----
    .. math:: 3 \left(\kappa_z \frac{d - 1}{d} \frac{2 w}{\beta} + t_{hops}\right)

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 7.2.2; Y. Zhao et al., 2023, arXiv:2304.11277, Section 3.2.

    Examples
    --------
    A billion weights over the eight ranks of a server at 100 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> round(float(sharded_weights_time(example_job(count=8, zero=3), np.float64(1e9))), 9)
    0.0525
    """
    ranks = sharding_ranks(job.layout)

    def _time() -> Array:
        once = ring_time(HALF * held, ranks, _sharding_rate(job, ranks))
        return 3.0 * (job.fitted.sharding_use * once + hops_time(job, ranks, held))

    return either((job.layout.zero >= 3) & (ranks > 1), _time, np.float64(0.0))


def gradient_exchange_time(job: Job, held: Array) -> Array:
    r"""Time of the step's exchange of gradients (and of weights, where states are sharded) that stays exposed. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model. [1]

    Notes
    -----
    .. math:: \kappa_g \frac{d - 1}{d} \frac{6 w}{\beta} + 2 t_{hops}

    over the d ranks that share the states, and 8 w over all ranks where none do: gradients in 32 bit are handed back
    then, not weights in 16, and by a tree, whose hops are few.

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 7.2.1; S. Li et al., "PyTorch Distributed", 2020,
    arXiv:2006.15704, Section 3.2.3, for the overlap with the backward pass.

    Examples
    --------
    A billion parameters on sixteen ranks of two servers, whose rings pass 80 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> [float(gradient_exchange_time(example_job(count=16, zero=zero), np.float64(1e9))) for zero in (0, 1)]
    [0.09375, 0.0703125]
    """
    layout = job.layout
    sharded = layout.zero > 0
    ranks = where(sharded, sharding_ranks(layout), data_parallel(layout) * layout.cp)
    size = where(sharded, _GRADIENT + HALF, _GRADIENT + _GRADIENT) * held
    once = ring_time(size, ranks, _sharding_rate(job, ranks))
    apart = (layout.zero < 3) & (ranks > 1)
    hops = only(sharded, lambda: 2.0 * hops_time(job, ranks, held))
    return where(apart, job.fitted.gradient_use * once + hops, 0.0)


def group_exchange_time(job: Job, held: Array) -> Array:
    r"""Time to sum gradients over groups that each hold sharded weights of their own, once a step. [s]

    Parameters
    ----------
    job
        The step.
    held
        Parameters of one rank's share of the model before sharding. [1]

    Returns
    -------
    Seconds that stay exposed; nothing where one group holds all ranks. [s]

    Notes
    -----
    .. math:: \kappa_g \, 2 \frac{R - 1}{R} \frac{b w}{z \, \beta}

    Sharding within groups: each of R groups of z ranks spreads gradients and gathers weights within itself, and ranks
    that hold the same shard all-reduce their gradients between the groups, of b bytes: 2 where weights are sharded
    too, else 4. Such ranks lie t z apart.

    References
    ----------
    Y. Zhao et al., "PyTorch FSDP", 2023, arXiv:2304.11277, Section 3.2.2; Z. Zhang et al., "MiCS", 2022,
    arXiv:2205.00119 (2-hop gradient synchronisation), for doing so once a step and not once a micro-batch.

    Examples
    --------
    A billion parameters sharded within each of two servers: every card all-reduces its eighth over 10 GB/s:

    >>> from estimator.formulas.example import example_job
    >>> float(group_exchange_time(example_job(count=16, zero=3, shard=8), np.float64(1e9)))
    0.025
    """
    shards, groups = sharding_ranks(job.layout), sharding_groups(job.layout)

    def _time() -> Array:
        rate = ring_rate(job.machine, job.group(groups, job.layout.tp * shards))
        size = where(job.layout.zero >= 3, HALF, _GRADIENT) * held / shards
        return job.fitted.gradient_use * (2.0 * ring_time(size, groups, rate))

    return either((job.layout.zero >= 1) & (groups > 1), _time, np.float64(0.0))
