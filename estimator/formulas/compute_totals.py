"""Totals of compute in accelerators and back, and what efficiency makes two of them alike."""

from __future__ import annotations

from ..arrays import Array, quotient


def accelerators_for_compute(total: Array, peak: Array) -> Array:
    r"""Accelerators whose dense peaks add up to a total of compute; no whole number. [accelerator]

    Parameters
    ----------
    total
        Of the peaks, at some precision. [FLOP/s]
    peak
        Dense peak of one accelerator at the same precision. [FLOP/s/accelerator]

    Notes
    -----
    .. math:: n = C / P

    References
    ----------
    The unit is that in which operators state what they have: P for 1e15 and E for 1e18 operations a second.

    Examples
    --------
    20 EOPS are 39,063 cards of 512 TOP/s (INT8) and 78,125 of 256 TFLOP/s (FP16):

    >>> import numpy as np
    >>> accelerators_for_compute(np.float64(20e18), np.array([512e12, 256e12])).tolist()
    [39062.5, 78125.0]
    """
    return quotient(total, peak)


def compute_of_accelerators(count: Array, peak: Array) -> Array:
    r"""Total of the dense peaks of so many accelerators. [FLOP/s]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    peak
        Dense peak of one at some precision. [FLOP/s/accelerator]

    Notes
    -----
    .. math:: C = n P

    Examples
    --------
    Ten thousand A100s in BF16 are 3.12 EFLOP/s, the "3,000 to 4,000 P" of ten thousand cards:

    >>> import numpy as np
    >>> float(compute_of_accelerators(np.float64(10000), np.float64(312e12)))
    3.12e+18
    """
    return count * peak


def mfu_for_ratio(mfu: Array, peak: Array, other_peak: Array, ratio: Array) -> Array:
    r"""MFU at which another platform takes so many times as long with as many accelerators. [1]

    Parameters
    ----------
    mfu
        Of the first platform. [1]
    peak
        Dense peak of one of its accelerators. [FLOP/s/accelerator]
    other_peak
        Of one of the other's. [FLOP/s/accelerator]
    ratio
        Time on the other over time on the first. [1]

    Notes
    -----
    .. math:: \mathrm{MFU}_2 = \frac{\mathrm{MFU}_1 P_1}{r P_2}

    from the time of the same work, :math:`C / (n P \, \mathrm{MFU})`, on both.

    References
    ----------
    A. Chowdhery et al., "PaLM", 2022, arXiv:2204.02311, Appendix B, for MFU.

    Examples
    --------
    One month on A100s at 45 % (312 TFLOP/s) and three on 256 TFLOP/s: 18.3 %; with operators twice as good, 36.6 %.

    >>> import numpy as np
    >>> a100, other = np.float64(312e12), np.float64(256e12)
    >>> mfu_for_ratio(np.float64(0.45), a100, other, np.array([3.0, 1.5])).round(3).tolist()
    [0.183, 0.366]
    """
    return quotient(mfu * peak, ratio * other_peak)
