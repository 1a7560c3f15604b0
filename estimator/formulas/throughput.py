"""From peak speed and efficiency to tokens a second, accelerator-time and wall clock."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, where
from ..breakdown import Breakdown


def time_at_peak(flops_per_token: Array, global_batch: Array, seq: Array, count: Array, peak: Array) -> Array:
    r"""Time that the model FLOPs of one step would take at the dense peak of all accelerators. [s]

    Parameters
    ----------
    flops_per_token
        Model FLOPs of a token, forward and backward. [FLOP/token]
    global_batch
        Sequences in a step. [1]
    seq
        Sequence length. [token]
    count
        Accelerators. [accelerator]
    peak
        Dense peak at the training precision. [FLOP/s/accelerator]

    Returns
    -------
    Seconds. [s]

    Notes
    -----
    .. math:: t_P = \frac{B s F}{n P}

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B.

    Examples
    --------
    >>> float(time_at_peak(*map(np.float64, (390e9, 1024, 2048, 2048, 312e12))))
    1.28
    """
    return quotient(global_batch * seq * flops_per_token, count * peak)


def step_time(
    modelled_time: Breakdown,
    small_scale_time: Array,
    time_at_peak: Array,
    given_mfu: Array,
    given_efficiency: Array,
    efficiency_gain: Array = 1.0,
) -> Breakdown:
    r"""Time of one optimizer step, by part: as modelled, unless an MFU or a scaling efficiency is given. [s]

    Parameters
    ----------
    modelled_time
        Time of the step by the model, by part. [s]
    small_scale_time
        Time of the step at the smallest scale by the model. [s]
    time_at_peak
        Time of the step's model FLOPs at the peak. [s]
    given_mfu
        MFU before the loss by scale; NaN where none is given. [1]
    given_efficiency
        Share of it that is kept at this scale; NaN where none is given. [1]
    efficiency_gain
        Factor on the speed of the model; an MFU that is given holds it already. [1]

    Returns
    -------
    The parts of the model, stretched alike so that the total is what was given; without limit where there is no
    accelerator. [s]

    Notes
    -----
    .. math:: t = \frac{t_P}{\mathrm{MFU} \cdot E}, \quad \frac{t_{small}}{g E}, \quad \frac{t_{model}}{g}

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B, solved for the time.
    """
    modelled, free = modelled_time.total, np.isnan(given_efficiency)
    kept = where(free, 1.0, given_efficiency)
    share = where(np.isnan(given_mfu), 1.0, given_mfu) * kept
    scaled = where(free, modelled, small_scale_time / kept) / efficiency_gain
    known = where(np.isnan(given_mfu), scaled, time_at_peak / share)
    stretch = where(np.isposinf(time_at_peak), np.inf, known) / modelled
    parts = modelled_time.parts.items()
    return Breakdown({name: part * where(part == 0.0, 0.0, stretch) for name, part in parts})


def throughput(global_batch: Array, seq: Array, step_time: Array) -> Array:
    """Training throughput of the whole run. [token/s]

    Parameters
    ----------
    global_batch
        Sequences in a step. [1]
    seq
        Sequence length. [token]
    step_time
        Time of one step. [s]

    Returns
    -------
    Tokens a second. [token/s]
    """
    return global_batch * seq / step_time


def throughput_per_accelerator(throughput: Array, count: Array) -> Array:
    """Training throughput of one accelerator. [token/s/accelerator]

    Parameters
    ----------
    throughput
        Of the whole run. [token/s]
    count
        Accelerators. [accelerator]

    Returns
    -------
    Tokens a second. [token/s/accelerator]
    """
    return quotient(throughput, count)


def mfu(time_at_peak: Array, step_time: Array) -> Array:
    r"""Model FLOPs utilisation: the time at the peak over the time of the step. [1]

    Parameters
    ----------
    time_at_peak
        Time of the step's model FLOPs at the peak. [s]
    step_time
        Time of the step. [s]

    Returns
    -------
    Share of the peak. [1]

    Notes
    -----
    .. math:: \mathrm{MFU} = t_P / t

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B.

    Examples
    --------
    >>> float(mfu(np.float64(1.28), np.float64(2.56)))
    0.5
    """
    return time_at_peak / where(np.isposinf(step_time), np.nan, step_time)


def hfu(mfu: Array, flops_per_token: Breakdown, recompute: Array, method_frozen: Array) -> Array:
    r"""Hardware FLOPs utilisation: the MFU with the FLOPs counted in that are computed a second time. [1]

    Parameters
    ----------
    mfu
        Model FLOPs utilisation. [1]
    flops_per_token
        Model FLOPs of a token, forward and backward, by part. [FLOP/token]
    recompute
        Code of what is recomputed: 0 nothing, 1 attention, 2 every layer, 3 norms and activation functions. [1]
    method_frozen
        1 where weights are frozen, and a pass over them is half of their FLOPs instead of a third. [1]

    Returns
    -------
    Share of the peak. [1]

    Notes
    -----
    .. math:: \mathrm{HFU} = \mathrm{MFU} \left(1 + \frac{F_{again}}{F}\right)

    One more forward pass, a third of the FLOPs: of the attention scores, or of the layers without the head. Norms and
    activation functions have no products.

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B; D. Narayanan et al., SC21, arXiv:2104.04473,
    Appendix, Eq. 3, for the recomputed layers; V. Korthikanti et al., 2022, arXiv:2205.05198, Section 5, for the
    recomputed scores, of which its Appendix A counts three passes.

    Examples
    --------
    >>> flops = Breakdown({"attention_scores": np.float64(30), "feed_forward": np.float64(270)})
    >>> round(float(hfu(np.float64(0.3), flops, np.float64(2), np.float64(0))), 9)
    0.4
    """
    whole = flops_per_token.total
    parts = flops_per_token.parts
    scores = parts.get("attention_scores", 0.0) / 3.0
    learning = parts.get("adapters", 0.0)
    products = whole - parts.get("logits", 0.0) - 3.0 * scores - learning
    layers = products / (3.0 - method_frozen) + learning / 3.0 + scores
    again = where(recompute == 2.0, layers, where(recompute == 1.0, scores, 0.0))
    return mfu * (1.0 + again / whole)


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
    held = where(np.isfinite(fewest), fewest, 1.0)
    return np.ceil(np.maximum(quotient(occupied_hours, within), held) / per_node)
