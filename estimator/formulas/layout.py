"""How a run is spread over its accelerators: parallel degrees, sharding and what follows from them."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from ..once import once
from ..tuples import NamedTuple
from .parameters import Transformer

# What the quotient of whole numbers, scaled to another count, may stray from a whole one.
_ROUNDING = 1e-9


class _Layout(NamedTuple):
    count: Array  # pyright: ignore[reportIncompatibleMethodOverride]
    per_node: Array
    tp: Array
    pp: Array
    vpp: Array
    cp: Array
    ep: Array
    zero: Array
    shard: Array
    sequence_parallel: Array
    micro_batch: Array
    global_batch: Array
    recompute: Array
    unfused: Array
    expert_imbalance: Array
    replicas: Array


class Layout(_Layout):
    """Parallel degrees and batches, each an array that broadcasts with the others. [1]

    ``count`` accelerators, ``per_node`` in a node; degrees of tensor (``tp``), pipeline (``pp``), context
    (``cp``) and expert (``ep``) parallelism; ``vpp`` model chunks a stage holds (1 is not interleaved);
    ``zero`` the stage of sharding, 0 to 3; ``shard`` the data-parallel ranks over which states are sharded
    (infinity: over all); ``sequence_parallel`` 0 or 1; ``micro_batch`` sequences at a time on one replica and
    ``global_batch`` sequences in a step; ``recompute`` the code of the mode; ``unfused`` 1 where attention
    scores are written to memory; ``expert_imbalance`` tokens of the fullest expert rank over their mean;
    ``replicas`` of the model that work at most (infinity: as many as the accelerators make up).

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, for p, t, d, v, b and B; S. Rajbhandari et al.,
    SC20, arXiv:1910.02054, Section 5, for the stages.
    """


@once
def data_parallel(layout: Layout) -> Array:
    r"""Replicas of the model. [1]

    Notes
    -----
    .. math:: d = \min\left(\left\lfloor \frac{n}{t p c} \right\rfloor, d_{most}\right)

    Accelerators that make up no whole replica are idle, and so are those of replicas that the batch has no work for.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, with context parallelism c as one more factor.

    Examples
    --------
    The model of 1,008 billion parameters of their Table 1: 3,072 GPUs, tensor 8, pipeline 64:

    >>> from estimator.formulas.example import example_job
    >>> float(data_parallel(example_job(count=3072, tp=8, pp=64).layout))
    6.0
    """
    whole = np.floor(layout.count / (layout.tp * layout.pp * layout.cp))
    working = either(np.isinf(layout.replicas), whole, lambda: np.minimum(whole, layout.replicas))
    return np.maximum(working, 1.0)


@once
def most_working(layout: Layout) -> Array:
    r"""Accelerators that the layout sets to work at most: all, unless it leaves whole replicas idle. [accelerator]

    Parameters
    ----------
    layout
        Degrees, and the replicas that work. [1]

    Notes
    -----
    .. math:: \min(n, d_{most} t p c)

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, with context parallelism c as one more factor.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(most_working(example_job(count=64, tp=4, replicas=most).layout)) for most in (10, np.inf)]
    [40.0, 64.0]
    """
    cards = layout.count
    return either(
        np.isinf(layout.replicas),
        cards,
        lambda: np.minimum(cards, layout.replicas * layout.tp * layout.pp * layout.cp),
    )


@once
def expert_split(layout: Layout) -> Array:
    r"""Cards over which one copy of a layer's routed experts is spread. [1]

    Notes
    -----
    .. math:: \min(t e, t c d)

    Expert ranks each split their experts as tensor ranks split all else, unless that took more cards than a pipeline
    stage has: then expert ranks lie across tensor ranks too.

    References
    ----------
    D. Lepikhin et al., "GShard", 2020, arXiv:2006.16668, Section 3.2; D. Liu et al., "MoE Parallel Folding", 2025,
    arXiv:2504.14960, Section 3, for expert ranks across the other degrees.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(expert_split(example_job(count=count, tp=4, ep=8).layout)) for count in (64, 8)]
    [32.0, 8.0]
    """
    stage = layout.tp * layout.cp * data_parallel(layout)
    return np.minimum(layout.tp * layout.ep, stage)


@once
def fullest_load(layout: Layout, model: Transformer) -> Array:
    r"""Tokens of the fullest expert rank over the mean of all. [1]

    Parameters
    ----------
    layout
        Degrees, batches and the imbalance of routing. [1]
    model
        Dimensions. [1]

    Notes
    -----
    .. math:: \min\left(\iota_x, \max\left(\frac{X}{k}, 1\right)\right)

    No expert sees a token twice: the load of one is at most X / k times the mean. The coefficients of the step time
    were fitted to steps most of which force an even load.

    References
    ----------
    N. Shazeer et al., "Outrageously Large Neural Networks", 2017, arXiv:1701.06538, Table 6: max(Load) / mean(Load);
    L. Wang et al., "Auxiliary-Loss-Free Load Balancing", 2024, arXiv:2408.15664, Eq. 4 (MaxVio: this less 1).

    Examples
    --------
    Two of eight experts a token: the fullest has at most four times the mean:

    >>> from estimator.formulas.example import example_job
    >>> jobs = [example_job(experts=8, experts_per_token=2, expert_imbalance=ratio) for ratio in (1, 1.5, 9)]
    >>> [float(fullest_load(job.layout, job.model)) for job in jobs]
    [1.0, 1.5, 4.0]
    """
    most = model.experts / np.maximum(model.experts_per_token, 1.0)
    return np.minimum(layout.expert_imbalance, np.maximum(most, 1.0))


@once
def micro_batches(layout: Layout) -> Array:
    r"""Micro-batches that a replica runs in one step. [1]

    Notes
    -----
    .. math:: m = \frac{B}{b d}

    Where only some replicas are set to work, because no number of them divides the batch, the fullest one counts: all
    others wait for it, :math:`m = \lceil B / b d \rceil`.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(micro_batches(example_job(count=3072, tp=8, pp=64, global_batch=3072).layout))
    512.0

    Seven sequences on four replicas: one has one, the others have two.

    >>> float(micro_batches(example_job(count=4, replicas=4, global_batch=7).layout))
    2.0
    """
    share = layout.global_batch / (layout.micro_batch * data_parallel(layout))
    # What division leaves beyond a whole number is no further micro-batch.
    return np.maximum(either(np.isinf(layout.replicas), share, lambda: np.ceil(share - _ROUNDING)), 1.0)


@once
def tokens_of(layout: Layout, seq: Array) -> Array:
    r"""Tokens of a micro-batch on one card. [token]

    Notes
    -----
    .. math:: \frac{s b}{c}

    References
    ----------
    H. Liu et al., "Ring Attention", 2023, arXiv:2310.01889, Section 3, for the sequence over c cards.
    """
    return seq * layout.micro_batch / layout.cp


@once
def replication(layout: Layout) -> Array:
    r"""Share that a card holds of what tensor parallelism alone does not split. [1]

    Notes
    -----
    .. math:: \frac{1}{t} \text{ with sequence parallelism, else } 1

    References
    ----------
    V. Korthikanti et al., 2022, arXiv:2205.05198, Eq. 2 and Eq. 4.
    """
    return where(layout.sequence_parallel > 0, 1.0 / layout.tp, 1.0)


def replicas_in_step(tp: Array, cp: Array, ep: Array) -> Array:
    r"""Replicas of which a run takes a multiple, so that no group of experts is left in parts. [1]

    Parameters
    ----------
    tp, cp, ep
        Degrees of tensor, context and expert parallelism, whole numbers. [1]

    Notes
    -----
    .. math:: \frac{\operatorname{lcm}(t c, e)}{t c}

    The e ranks of an expert group lie within one pipeline stage, of which each replica has t c.

    References
    ----------
    D. Liu et al., "MoE Parallel Folding", 2025, arXiv:2504.14960, for expert groups across the other degrees.

    Examples
    --------
    >>> float(replicas_in_step(*map(np.float64, (4, 1, 8))))
    2.0
    """
    ranks, group = (np.nan_to_num(degree, nan=1.0).astype(np.int64) for degree in (tp * cp, ep))
    return np.lcm(ranks, group) / (tp * cp) + 0.0 * ep


def nodes_in_step(per_node: Array, tp: Array, pp: Array, cp: Array, ep: Array) -> Array:
    r"""Nodes of which a run takes a multiple, so that no replica and no group of experts is left in parts. [1]

    Parameters
    ----------
    per_node
        Accelerators in a node. [accelerator]
    tp, pp, cp, ep
        Degrees of tensor, pipeline, context and expert parallelism, whole numbers. [1]

    Notes
    -----
    .. math:: \frac{\operatorname{lcm}(g, p \operatorname{lcm}(t c, e))}{g}

    with g accelerators in a node: a replica takes t p c accelerators, and groups of experts whole replicas.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, for replicas.

    Examples
    --------
    >>> float(nodes_in_step(*map(np.float64, (8, 8, 16, 1, 1))))
    16.0
    """
    whole = np.asarray(tp * pp * cp * replicas_in_step(tp, cp, ep), dtype=np.int64)
    return np.lcm(whole, np.asarray(per_node, dtype=np.int64)) / per_node
