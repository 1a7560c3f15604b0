"""Checkpoints: what is written, how long that takes, and how often it is worth while."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where
from .memory import Optimizer
from .memory_states import Method, whole_states
from .parameters import Transformer


def checkpoint_size(transformer: Transformer, optimizer: Optimizer, method: Method) -> Array:
    r"""Bytes of one checkpoint: weights that are trained and optimizer states, each once. [byte]

    Parameters
    ----------
    transformer
        Dimensions. [1]
    optimizer
        Bytes that it keeps. [byte]
    method
        What learns. [1]

    Notes
    -----
    .. math:: S = (w + k) N

    with w and k bytes a parameter, 2 + 12 for Adam in mixed precision; gradients are not kept, and of adapters only
    these are written.

    References
    ----------
    BigScience, ``train/tr11-176B-ml/README.md``, 2022: 14 bytes a parameter, 8 for the optimizer and
    4 + 2 for the weights.

    Examples
    --------
    >>> from estimator.formulas.shapes import transformer
    >>> llama = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
    >>> none, two, four, eight = map(np.float64, (0, 2, 4, 8))
    >>> adamw = Optimizer(two, two, four, eight, eight, none, none, none, none)
    >>> full = Method(none, none, none, none, none, none)
    >>> round(float(checkpoint_size(llama, adamw, full)) / 6_738_415_616, 3)
    14.0
    """
    learnt = method._replace(base=np.float64(0.0), base_outer=np.float64(0.0))
    parts = whole_states(transformer, optimizer, learnt).parts
    return parts["weights"] + parts["optimizer_states"]


def checkpoint_time(
    checkpoint_size: Array, checkpoint_bandwidth: Array, node_bandwidth: Array, count: Array, per_node: Array
) -> Array:
    r"""Time to write one checkpoint. [s]

    Parameters
    ----------
    checkpoint_size
        What is written. [byte]
    checkpoint_bandwidth
        Of the storage, where it is known, else NaN. [byte/s]
    node_bandwidth
        That one node writes with, where that of the storage is not known. [byte/s/node]
    count
        Accelerators. [accelerator]
    per_node
        Accelerators in a node. [accelerator/node]

    Notes
    -----
    .. math:: t = \frac{S}{B}, \quad B = b n

    References
    ----------
    BigScience, ``train/tr11-176B-ml/README.md``, 2022: 2.3 TB in about 40 s from 48 nodes.

    Examples
    --------
    >>> import numpy as np
    >>> size, unknown, node = np.float64(176e9 * 14), np.float64(np.nan), np.float64(1.28e9)
    >>> round(float(checkpoint_time(size, unknown, node, np.float64(384), np.float64(8))))
    40
    """
    nodes = where(count > 0, count, 1.0) / per_node  # none at all are no job: as one
    unknown = np.isnan(checkpoint_bandwidth)
    return checkpoint_size / where(unknown, node_bandwidth * nodes, checkpoint_bandwidth)


def checkpoint_stall(checkpoint_time: Array, checkpoint_exposed: Array) -> Array:
    r"""Time that training stands still for one checkpoint. [s]

    Parameters
    ----------
    checkpoint_time
        To write one checkpoint. [s]
    checkpoint_exposed
        Share of it that training does not go on beside: 1 for a synchronous write. [1]

    Notes
    -----
    .. math:: \delta = e t

    References
    ----------
    J. Mohan et al., "CheckFreq: Frequent, Fine-Grained DNN Checkpointing", FAST 2021, Section 4, for writing in the
    background of the following steps.
    """
    return checkpoint_time * checkpoint_exposed


def young_interval(checkpoint_stall: Array, mtbi: Array) -> Array:
    r"""Time of work between checkpoints that loses the least, to first order. [s]

    Parameters
    ----------
    checkpoint_stall
        Time that training stands still for one checkpoint. [s]
    mtbi
        Mean time between interruptions of the job. [s]

    Notes
    -----
    .. math:: \tau = \sqrt{2 \delta M}

    References
    ----------
    J. W. Young, "A first order approximation to the optimum checkpoint interval", Communications of the ACM 17 (9),
    1974, pp. 530-531.

    Examples
    --------
    >>> import numpy as np
    >>> float(young_interval(np.float64(50), np.float64(10_000)))
    1000.0
    """
    return np.sqrt(2.0 * checkpoint_stall * mtbi)


def daly_interval(checkpoint_stall: Array, mtbi: Array) -> Array:
    r"""Time of work between checkpoints that loses the least, to higher order. [s]

    Parameters
    ----------
    checkpoint_stall
        Time that training stands still for one checkpoint. [s]
    mtbi
        Mean time between interruptions of the job. [s]

    Notes
    -----
    .. math:: \tau = \sqrt{2 \delta M} \left[ 1 + \frac{1}{3} \sqrt{\delta / 2M} + \delta / 18M \right] - \delta

    and M where a checkpoint takes 2 M or more.

    References
    ----------
    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
    Computer Systems 22, 2006, pp. 303-312, Eq. 37.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(daly_interval(np.float64(50), np.float64(10_000))), 1)
    966.9
    """
    ratio = quotient(checkpoint_stall, 2.0 * mtbi)
    higher = young_interval(checkpoint_stall, mtbi) * (1.0 + np.sqrt(ratio) / 3.0 + ratio / 9.0)
    return where(ratio < 1.0, higher - checkpoint_stall, mtbi)


def checkpoint_interval(
    given_interval: Array, daly_interval: Array, checkpoint_stall: Array, checkpoint_time: Array
) -> Array:
    r"""Time of work between checkpoints: as given, else the one that loses the least. [s]

    Parameters
    ----------
    given_interval
        Where it is known, else NaN. [s]
    daly_interval
        The one that loses the least. [s]
    checkpoint_stall
        Time that training stands still for one checkpoint. [s]
    checkpoint_time
        To write one checkpoint: the next cannot begin before. [s]

    Notes
    -----
    .. math:: \max(\tau_{Daly}, t - \delta)

    References
    ----------
    J. T. Daly, 2006, Eq. 37.

    Examples
    --------
    >>> import numpy as np
    >>> unknown, best, stall, time = map(np.float64, (np.nan, 120, 5, 300))
    >>> float(checkpoint_interval(unknown, best, stall, time))
    295.0
    """
    best = np.maximum(daly_interval, checkpoint_time - checkpoint_stall)
    return where(np.isnan(given_interval), best, given_interval)
