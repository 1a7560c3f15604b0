"""Ranks that share out the states of a model by ZeRO or FSDP, and where they gather and reduce them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, either
from ..once import once
from .layout import Layout, data_parallel


@once
def sharding_ranks(layout: Layout) -> Array:
    """Ranks over which ZeRO or FSDP spreads states: data and context parallel ones, or fewer where said. [1]

    References
    ----------
    S. Rajbhandari et al., SC20, arXiv:1910.02054, Section 5; Y. Zhao et al., "PyTorch FSDP", 2023,
    arXiv:2304.11277, Section 3.2.2, for sharding within a smaller group.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> layout = example_job(count=64, tp=2, cp=4).layout
    >>> float(sharding_ranks(layout)), float(sharding_ranks(layout._replace(shard=np.float64(8))))
    (32.0, 8.0)
    """
    return np.minimum(data_parallel(layout) * layout.cp, layout.shard)


@once
def sharers(layout: Layout, least: float) -> Array:
    """Ranks that share one copy of states which ZeRO shards from stage ``least`` on; 1 where each holds its own. [1]

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5: optimizer states from stage 1 on,
    gradients from 2, weights at 3.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [float(sharers(example_job(count=8, zero=zero).layout, 2.0)) for zero in (1, 2)]
    [1.0, 8.0]
    """
    return either(layout.zero >= least, lambda: sharding_ranks(layout), np.float64(1.0))


@once
def sharding_groups(layout: Layout) -> Array:
    r"""Groups of ranks that each hold a whole copy of the sharded states. [1]

    Notes
    -----
    .. math:: R = \frac{d c}{z}

    References
    ----------
    Y. Zhao et al., "PyTorch FSDP", 2023, arXiv:2304.11277, Section 3.2.2: W / F groups of sharding factor F.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> float(sharding_groups(example_job(count=64, tp=2, shard=8).layout))
    4.0
    """
    return data_parallel(layout) * layout.cp / sharding_ranks(layout)


@once
def buffered(layout: Layout, offload: Array) -> tuple[Any, Any]:
    """Tell where weights are gathered into a buffer, and where gradients are reduced in one. [1]

    Parameters
    ----------
    layout
        Degrees and sharding. [1]
    offload
        Code of what stands on the host. [1]

    References
    ----------
    S. Rajbhandari et al., "ZeRO", SC20, arXiv:1910.02054, Section 5.

    Examples
    --------
    >>> from estimator.formulas.example import example_job
    >>> [bool(each) for each in buffered(example_job(count=8, zero=2).layout, np.float64(0))]
    [False, True]
    """
    several = sharding_ranks(layout) > 1
    gathers, reduces = (layout.zero >= 3) & several, (layout.zero >= 1) & several
    return gathers | (offload >= 2), reduces | (offload >= 1)
