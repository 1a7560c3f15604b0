"""What stands in the memory of a host where states are offloaded."""

from __future__ import annotations

import numpy as np

from ..arrays import where
from ..breakdown import Breakdown
from .layout import Layout
from .memory import Optimizer
from .memory_states import Method, optimizer_share, own_of, weight_memory
from .parameters import Transformer
from .stages import held_share, stage


def host_memory_used(
    transformer: Transformer, optimizer: Optimizer, method: Method, layout: Layout
) -> Breakdown:
    r"""States in the memory of the host of one node, of the first pipeline stage. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns, and where states stand. [1]
    layout
        Parallel degrees and sharding. [1]

    Returns
    -------
    Weights, gradients and optimizer states; nothing where all is on the cards. [byte]

    Notes
    -----
    .. math:: g \left( \frac{w N}{n_3} + \frac{g N}{n_1} + \frac{k N}{n_1} \right)

    over the g cards of a node, weights only where they stand on the host too.

    References
    ----------
    J. Ren et al., "ZeRO-Offload", 2021, arXiv:2101.06840, Section 4.1; S. Rajbhandari et al., "ZeRO-Infinity", 2021,
    arXiv:2104.07857, Section 5.1.

    Examples
    --------
    Adam on 6.7 billion parameters keeps 14 bytes of each on the host:

    >>> from estimator.formulas.example import example_job
    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> none, one, two, four, eight = map(np.float64, (0, 1, 2, 4, 8))
    >>> adamw = Optimizer(two, two, four, eight, eight, none, none, none, none)
    >>> layout = example_job().layout
    >>> found = host_memory_used(llama, adamw, Method(none, none, none, none, none, one), layout)
    >>> {name: round(float(part) / 2**30, 1) for name, part in found.parts.items()}
    {'weights': 0.0, 'gradients': 12.6, 'optimizer_states': 75.3}
    """
    own = own_of(transformer, stage(transformer, layout, "first"), optimizer, method, layout)
    cards = np.minimum(layout.count, layout.per_node)
    kept = weight_memory(own, optimizer, method._replace(offload=np.float64(0.0)), layout)
    gradients = optimizer.gradients * held_share(own.learning, layout, 1.0).total
    states = cards * where(method.offload >= 1, 1.0, 0.0)
    return Breakdown(
        {
            "weights": cards * where(method.offload >= 2, kept, 0.0),
            "gradients": states * gradients,
            "optimizer_states": states * optimizer_share(own, optimizer, layout),
        }
    )
