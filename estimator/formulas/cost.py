"""What a run costs."""

from __future__ import annotations

from ..arrays import Array
from ..breakdown import Breakdown


def rental_cost(occupied_hours: Array, price: Array) -> Breakdown:
    r"""Money for rented accelerators. [currency]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    price
        Rent. [currency/accelerator/s]

    Returns
    -------
    Rent. [currency]

    Notes
    -----
    .. math:: K = T_{occupied} \cdot p

    References
    ----------
    DeepSeek-AI, "DeepSeek-V3 Technical Report", 2024, arXiv:2412.19437, Table 1: 2.788 million H800-hours
    at 2 USD are 5.576 million USD.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(rental_cost(np.float64(2.788e6 * 3600), np.float64(2 / 3600)).total))
    5576000
    """
    return Breakdown({"rent": occupied_hours * price})
