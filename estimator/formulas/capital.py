"""What an owner pays, and what of it falls due each year."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, where
from ..tuples import NamedTuple


class Ownership(NamedTuple):
    """What an owner pays; arrays that broadcast. [in brackets the unit]

    Prices of accelerator and server are those of one accelerator [currency/accelerator], shares are of the two
    together [1]; ``building_price`` is that of the facility for the power of its computers [currency*s/J].
    ``cost_of_capital`` is charged once in each ``interest_period`` [1, s]; ``life`` is that of the computers and
    ``building_life`` that of the facility [s]; ``maintenance`` the share of the price that repairs take in that
    period [1]; ``accelerators_per_operator`` those that one person looks after [accelerator], ``operator_pay`` the
    pay [currency/s]; ``utilisation`` the share of the time in which runs hold the machines [1], ``idle_power`` what
    they draw in the rest, over what they draw then [1]; ``tariff`` the price of electricity [currency/J].
    """

    accelerator_price: Array
    server_price: Array
    network_share: Array
    storage_share: Array
    building_price: Array
    cost_of_capital: Array
    interest_period: Array
    life: Array
    building_life: Array
    maintenance: Array
    accelerators_per_operator: Array
    operator_pay: Array
    utilisation: Array
    idle_power: Array
    tariff: Array


def capital_recovery(cost_of_capital: Array, interest_period: Array, life: Array) -> Array:
    r"""Share of a price to be earned in a time, so that it is paid back with interest when its life ends. [1/s]

    Parameters
    ----------
    cost_of_capital
        Interest of one period. [1]
    interest_period
        After which it is charged: a year. [s]
    life
        Time in which the price is paid back. [s]

    Notes
    -----
    .. math:: \mathrm{CRF} = \frac{1}{Y} \cdot \frac{i}{1 - (1 + i)^{-L/Y}}

    The capital recovery factor, or annuity: equal payments at the end of each period. Without interest it is the
    straight line :math:`1/L`.

    References
    ----------
    W. Short, D. Packey and T. Holt, "A Manual for the Economic Evaluation of Energy Efficiency and Renewable Energy
    Technologies", NREL/TP-462-5173, 1995, Section 2, uniform capital recovery factor.

    Examples
    --------
    A price at 10 % over five years: 0.1 / (1 - 1.1^-5) = 26.38 % of it each year; 20 % without interest.

    >>> import numpy as np
    >>> year = np.float64(1)
    >>> [round(float(capital_recovery(np.float64(rate), year, np.float64(5))), 4) for rate in (0.1, 0.0)]
    [0.2638, 0.2]
    """
    growth = np.log1p(cost_of_capital)
    paid = -np.expm1(-growth * life / interest_period)
    straight = paid == 0.0
    rate = cost_of_capital / where(straight, 1.0, paid) / interest_period
    return where(straight, 1.0 / life, rate)
