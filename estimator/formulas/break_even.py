"""When owning accelerators is cheaper than renting them: at which use, and after what time."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, quotient, times, where
from ..breakdown import Breakdown
from .capital import Ownership
from .ownership import computers, with_idle


def break_even_utilisation(ownership: Ownership, own_price: Breakdown, rent_price: Array) -> Array:
    r"""Share of the time in use at which owning costs what renting does; more makes owning cheaper. [1]

    Parameters
    ----------
    ownership
        What an owner pays, at any utilisation. [1]
    own_price
        Its sum at that utilisation. [currency/accelerator/s]
    rent_price
        Rent for the same time. [currency/accelerator/s]

    Returns
    -------
    More than 1 where renting is cheaper however much the machines are used; infinite where rent does not even pay
    for the power of use.

    Notes
    -----
    .. math:: u^* = \frac{u \, (p - B)}{r - B}, \quad B = p_E \frac{E}{T} (1 - h)

    All that does not grow with use, :math:`u (p - B)`, over what each hour of use saves.

    References
    ----------
    W. Short, D. Packey and T. Holt, 1995, NREL/TP-462-5173, Section 3: `own_price` set equal to the rent.

    Examples
    --------
    7,500 a year of use at four fifths are 6,000 a year; a rent of 12,000 a year is as much at half the time.

    >>> none = np.float64(0)
    >>> owned = Ownership(**dict.fromkeys(Ownership._fields, none) | {"utilisation": np.float64(0.8)})
    >>> price = Breakdown({"accelerators": np.float64(7_500)})
    >>> float(break_even_utilisation(owned, price, np.float64(12_000)))
    0.5
    """
    drawn = sum((own_price.parts.get(name, 0.0) for name in ("power", "cooling")), np.float64(0.0))
    with_use = drawn / with_idle(ownership) * (1.0 - ownership.idle_power)
    fixed = ownership.utilisation * (own_price.total - with_use)
    saved = rent_price - with_use
    return where(saved > 0.0, quotient(fixed, np.maximum(saved, 0.0)), np.inf) + 0.0 * saved


def break_even_time(
    ownership: Ownership, investment: Breakdown, own_price: Breakdown, rent_price: Array, count: Array
) -> Array:
    r"""Time until the rent that is saved has paid for the machines. [s]

    Parameters
    ----------
    ownership
        What an owner pays. [1]
    investment
        Price of machines and building. [currency]
    own_price
        What an accelerator costs its owner while it is in use. [currency/accelerator/s]
    rent_price
        Rent for the same time. [currency/accelerator/s]
    count
        Accelerators. [accelerator]

    Returns
    -------
    Infinite where it never does. At the utilisation of `break_even_utilisation` it is the life of the machines.

    Notes
    -----
    .. math:: t^* = - Y \frac{\ln(1 - i K / (s Y))}{\ln(1 + i)}

    with s what is saved in a time by not renting, less all that an owner pays but for the machines; the building,
    which outlives them, is paid by its annuity. Without interest it is :math:`K / s`.

    References
    ----------
    W. Short, D. Packey and T. Holt, 1995, NREL/TP-462-5173, Section 3, discounted payback period:
    `capital_recovery` solved for the life.

    Examples
    --------
    A card of 30,000 that saves 12,000 a year: two and a half years; with 10 % interest, 3.02.

    >>> from estimator.formulas.capital import capital_recovery
    >>> one, none = np.float64(1), np.float64(0)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {"utilisation": one, "interest_period": one, "life": 5 * one}
    >>> bought = Breakdown({"accelerators": np.float64(30_000)})
    >>> rates = np.array([0.0, 0.1])
    >>> owned = Ownership(**fields | {"cost_of_capital": rates})
    >>> price = Breakdown({"accelerators": 30_000 * capital_recovery(rates, one, 5 * one)})
    >>> break_even_time(owned, bought, price, np.float64(12_000), one).round(2).tolist()
    [2.5, 3.02]
    """
    running = own_price.total - computers(own_price)
    price = quotient(computers(investment), count)
    saved = ownership.utilisation * (rent_price - running) * ownership.interest_period
    periods = quotient(price, np.maximum(saved, 0.0))
    growth = np.log1p(ownership.cost_of_capital)
    left = 1.0 - np.minimum(times(ownership.cost_of_capital, periods), 1.0)
    with_interest = quotient(-np.log(where(left > 0.0, left, 1.0)), growth)
    paid = where(growth == 0.0, periods, where(left > 0.0, with_interest, np.inf))
    return paid * ownership.interest_period + 0.0 * saved
