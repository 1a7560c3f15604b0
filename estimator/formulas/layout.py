"""How a run is spread over its accelerators: parallel degrees, sharding and what follows from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array


class Layout(NamedTuple):
    """Parallel degrees and batches, each an array that broadcasts with the others. [1]

    ``count`` accelerators, ``per_node`` in a node; degrees of tensor (``tp``), pipeline (``pp``), context
    (``cp``) and expert (``ep``) parallelism; ``vpp`` model chunks a stage holds (1 is not interleaved);
    ``zero`` the stage of sharding, 0 to 3; ``shard`` the data-parallel ranks over which states are sharded
    (infinity: over all); ``sequence_parallel`` 0 or 1; ``micro_batch`` sequences at a time on one replica and
    ``global_batch`` sequences in a step; ``recompute`` the code of the mode; ``unfused`` 1 where attention
    scores are written to memory.

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, for p, t, d, v, b and B; S. Rajbhandari et al.,
    SC20, arXiv:1910.02054, Section 5, for the stages.
    """

    count: Array
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


def data_parallel(layout: Layout) -> Array:
    r"""Replicas of the model. [1]

    Notes
    -----
    .. math:: d = \frac{n}{t p c}

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3, with context parallelism c as one more factor.
    """
    return np.maximum(layout.count / (layout.tp * layout.pp * layout.cp), 1.0)


def sharding_ranks(layout: Layout) -> Array:
    """Ranks over which ZeRO or FSDP spreads states: data and context parallel ones, or fewer where said. [1]

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 5; Y. Zhao et al., "PyTorch FSDP", 2023,
    arXiv:2304.11277, Section 3.2.2, for sharding within a smaller group.
    """
    return np.minimum(data_parallel(layout) * layout.cp, layout.shard)


def micro_batches(layout: Layout) -> Array:
    r"""Micro-batches that a replica runs in one step. [1]

    Notes
    -----
    .. math:: m = \frac{B}{b d}

    References
    ----------
    D. Narayanan et al., SC21, arXiv:2104.04473, Section 3.
    """
    return np.maximum(layout.global_batch / (layout.micro_batch * data_parallel(layout)), 1.0)
