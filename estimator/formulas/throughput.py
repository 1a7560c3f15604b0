"""From peak speed and efficiency to tokens a second, accelerator-time and wall clock."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient


def throughput_per_accelerator(
    peak: Array, mfu: Array, scaling_efficiency: Array, flops_per_token: Array
) -> Array:
    r"""Training throughput of one accelerator. [token/s/accelerator]

    Parameters
    ----------
    peak
        Dense peak at the training precision. [FLOP/s/accelerator]
    mfu
        Model FLOPs utilisation before the loss by scale. [1]
    scaling_efficiency
        Share of it that is kept at this many accelerators. [1]
    flops_per_token
        Model FLOPs of a token, forward and backward. [FLOP/token]

    Returns
    -------
    Tokens a second. [token/s/accelerator]

    Notes
    -----
    .. math:: R = \frac{P \cdot \mathrm{MFU} \cdot E}{F}

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B, solved for the throughput.

    Examples
    --------
    >>> float(throughput_per_accelerator(np.float64(312e12), np.float64(0.5), np.float64(1), np.float64(390e9)))
    400.0
    """
    return peak * mfu * scaling_efficiency / flops_per_token


def throughput(throughput_per_accelerator: Array, count: Array) -> Array:
    """Training throughput of the whole run. [token/s]

    Parameters
    ----------
    throughput_per_accelerator
        Of one accelerator. [token/s/accelerator]
    count
        Accelerators. [accelerator]

    Returns
    -------
    Tokens a second. [token/s]
    """
    return throughput_per_accelerator * count


def step_time(global_batch: Array, seq: Array, throughput: Array) -> Array:
    """Time of one optimizer step. [s]

    Parameters
    ----------
    global_batch
        Sequences in a step. [1]
    seq
        Sequence length. [token]
    throughput
        Of the whole run. [token/s]

    Returns
    -------
    Seconds a step. [s]
    """
    return quotient(global_batch * seq, throughput)


def accelerator_hours(tokens: Array, throughput_per_accelerator: Array) -> Array:
    r"""Productive accelerator-time: tokens over throughput, nothing lost. [accelerator*s]

    Parameters
    ----------
    tokens
        Training tokens. [token]
    throughput_per_accelerator
        Of one accelerator. [token/s/accelerator]

    Returns
    -------
    Accelerator-time. [accelerator*s]

    Notes
    -----
    .. math:: T = \frac{D}{R}

    References
    ----------
    H. Touvron et al., "LLaMA", 2023, arXiv:2302.13971, Section 2.4: 1.4e12 tokens at 380 tokens/s/GPU take
    21 days on 2,048 A100s.

    Examples
    --------
    >>> round(float(accelerator_hours(np.float64(1.4e12), np.float64(380)) / 3600))
    1023392
    """
    return tokens / throughput_per_accelerator


def occupied_hours(accelerator_hours: Array, goodput: Array) -> Array:
    r"""Accelerator-time that the run holds its machines: productive time over goodput. [accelerator*s]

    Parameters
    ----------
    accelerator_hours
        Productive accelerator-time. [accelerator*s]
    goodput
        Share of the time that is productive. [1]

    Returns
    -------
    Accelerator-time. [accelerator*s]

    Notes
    -----
    .. math:: T_{occupied} = T / G
    """
    return accelerator_hours / goodput


def wall_clock(occupied_hours: Array, count: Array) -> Array:
    """Time from start to end. [s]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    count
        Accelerators. [accelerator]

    Returns
    -------
    Seconds. [s]
    """
    return quotient(occupied_hours, count)


def nodes_needed(occupied_hours: Array, within: Array, per_node: Array, fewest: Array) -> Array:
    """Whole nodes that finish in time and hold the model. [node]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the run takes. [accelerator*s]
    within
        Time allowed. [s]
    per_node
        Accelerators in a node. [accelerator/node]
    fewest
        Accelerators that memory needs; infinite where no number is enough. [accelerator]

    Returns
    -------
    Nodes, at least one. [node]

    Examples
    --------
    >>> float(nodes_needed(np.float64(100 * 3600), np.float64(10 * 3600), np.float64(8), np.float64(1)))
    2.0
    """
    held = np.where(np.isfinite(fewest), fewest, 1.0)
    return np.ceil(np.maximum(quotient(occupied_hours, within), held) / per_node)
