"""What accelerators cost their owner: capital, power, maintenance and people, and when that is less than rent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Array, quotient
from ..breakdown import Breakdown


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


# What wears out together; the building outlives it.
COMPUTERS = ("accelerators", "servers", "network", "storage")


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
    rate = cost_of_capital / np.where(straight, 1.0, paid) / interest_period
    return np.where(straight, 1.0 / life, rate)


def investment(ownership: Ownership, count: Array, power: Array, pue: Array) -> Breakdown:
    r"""Price of the machines and of the facility that holds them. [currency]

    Parameters
    ----------
    ownership
        Prices and shares. [currency/accelerator]
    count
        Accelerators. [accelerator]
    power
        Drawn from the grid. [W]
    pue
        Power of the facility over that of its computers. [1]

    Returns
    -------
    Accelerators, servers, network, storage and building. [currency]

    Notes
    -----
    .. math:: K_0 = n (p_a + p_s)(1 + f_n + f_s) + \frac{P}{\mathrm{PUE}} p_b

    References
    ----------
    L. A. Barroso, U. Hölzle and P. Ranganathan, "The Datacenter as a Computer", 3rd edition, 2018, chapter 6: the
    building is priced by the critical power of the computers in it.

    Examples
    --------
    32,000 A100s in servers of eight at 199,000 USD each, as a brokerage counted for ChatGPT: 796 million USD.

    >>> none, some = np.float64(0), np.float64(24_875)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {"accelerator_price": some}
    >>> round(float(investment(Ownership(**fields), np.float64(32_000), none, np.float64(1)).total) / 1e6)
    796
    """
    machines = count * (ownership.accelerator_price + ownership.server_price)
    return Breakdown(
        {
            "accelerators": count * ownership.accelerator_price,
            "servers": count * ownership.server_price,
            "network": machines * ownership.network_share,
            "storage": machines * ownership.storage_share,
            "building": power / pue * ownership.building_price,
        }
    )


def electricity(power: Array, tariff: Array) -> Array:
    r"""Money for power while the run draws it. [currency/s]

    Parameters
    ----------
    power
        Drawn from the grid. [W]
    tariff
        Price of electricity. [currency/J]

    Notes
    -----
    .. math:: k = P \cdot p_E

    References
    ----------
    Guosheng Securities, "ChatGPT需要多少算力", 12 February 2023: 4,000 servers at 6.5 kW and 0.08 USD/kWh are
    50,000 USD a day.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(electricity(np.float64(4000 * 6500), np.float64(0.08 / 3.6e6))) * 86400)
    49920
    """
    return power * tariff


def _computers(priced: Breakdown) -> Array:
    """Return what of a price goes to all that the building holds."""
    return Breakdown({name: part for name, part in priced.parts.items() if name in COMPUTERS}).total


def own_price(
    ownership: Ownership, investment: Breakdown, count: Array, power: Array, pue: Array
) -> Breakdown:
    r"""What an accelerator costs its owner for a time in which a run holds it. [currency/accelerator/s]

    Parameters
    ----------
    ownership
        What an owner pays. [1]
    investment
        Price of machines and building. [currency]
    count
        Accelerators. [accelerator]
    power
        Drawn from the grid while they run. [W]
    pue
        Power of the facility over that of its computers: cooling and losses are in it and counted once. [1]

    Returns
    -------
    Accelerators, servers, network, storage, building, power, cooling, maintenance and operations.
    [currency/accelerator/s]

    Notes
    -----
    .. math:: p = \frac{1}{u} \left( \sum_j \mathrm{CRF}_j \frac{K_j}{n} + \frac{m K}{Y n} + \frac{w}{g} \right)
              + p_E \frac{P}{n} \left( 1 + h \frac{1 - u}{u} \right)

    Machines earn only while a run holds them, a share u of the time; idle ones draw a share h of the power.

    References
    ----------
    L. A. Barroso, U. Hölzle and P. Ranganathan, "The Datacenter as a Computer", 3rd edition, 2018, chapter 6.

    Examples
    --------
    A card of 30,000 over five years without interest, in use four fifths of the time: 7,500 a year of use.

    >>> year, one, none = np.float64(1), np.float64(1), np.float64(0)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {
    ...     "accelerator_price": np.float64(30_000), "interest_period": year, "life": 5 * year,
    ...     "building_life": 20 * year, "utilisation": np.float64(0.8), "accelerators_per_operator": np.float64(np.inf)}
    >>> owned = Ownership(**fields)
    >>> round(float(own_price(owned, investment(owned, one, none, one), one, none, one).total))
    7500
    """
    used = ownership.utilisation
    lives = {"building": ownership.building_life}
    interest, held = (ownership.cost_of_capital, ownership.interest_period), count * used
    capital = {
        name: quotient(price * capital_recovery(*interest, lives.get(name, ownership.life)), held)
        for name, price in investment.parts.items()
    }
    kept = quotient(_computers(investment) * ownership.maintenance / ownership.interest_period, held)
    drawn = (
        quotient(power / pue, count) * ownership.tariff * (1.0 + ownership.idle_power * (1.0 - used) / used)
    )
    return Breakdown(
        {
            **capital,
            "power": drawn,
            "cooling": drawn * (pue - 1.0),
            "maintenance": kept,
            "operations": quotient(ownership.operator_pay, ownership.accelerators_per_operator * used),
        }
    )


def own_cost(occupied_hours: Array, own_price: Breakdown) -> Breakdown:
    r"""Money for accelerators of one's own while a run holds them. [currency]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    own_price
        What an accelerator costs its owner for that time. [currency/accelerator/s]

    Returns
    -------
    The parts of the price. [currency]

    Notes
    -----
    .. math:: K = T_{occupied} \cdot p

    References
    ----------
    L. A. Barroso, U. Hölzle and P. Ranganathan, 2018, chapter 6, as `own_price`.
    """
    return Breakdown({name: occupied_hours * part for name, part in own_price.parts.items()})


def break_even_utilisation(
    ownership: Ownership, own_price: Breakdown, rent_price: Array, power: Array, count: Array
) -> Array:
    r"""Share of the time in use at which owning costs what renting does; more makes owning cheaper. [1]

    Parameters
    ----------
    ownership
        What an owner pays, at any utilisation. [1]
    own_price
        Its sum at that utilisation. [currency/accelerator/s]
    rent_price
        Rent for the same time. [currency/accelerator/s]
    power
        Drawn from the grid while they run. [W]
    count
        Accelerators. [accelerator]

    Returns
    -------
    More than 1 where renting is cheaper however much the machines are used; infinite where rent does not even pay
    for the power of use.

    Notes
    -----
    .. math:: u^* = \frac{u \, (p - B)}{r - B}, \quad B = p_E \frac{P}{n} (1 - h)

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
    >>> float(break_even_utilisation(owned, price, np.float64(12_000), none, np.float64(1)))
    0.5
    """
    with_use = quotient(power, count) * ownership.tariff * (1.0 - ownership.idle_power)
    fixed = ownership.utilisation * (own_price.total - with_use)
    saved = rent_price - with_use
    return np.where(saved > 0.0, quotient(fixed, np.maximum(saved, 0.0)), np.inf) + 0.0 * saved


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

    >>> one, none = np.float64(1), np.float64(0)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {"utilisation": one, "interest_period": one, "life": 5 * one}
    >>> bought = Breakdown({"accelerators": np.float64(30_000)})
    >>> rates = np.array([0.0, 0.1])
    >>> owned = Ownership(**fields | {"cost_of_capital": rates})
    >>> price = Breakdown({"accelerators": 30_000 * capital_recovery(rates, one, 5 * one)})
    >>> break_even_time(owned, bought, price, np.float64(12_000), one).round(2).tolist()
    [2.5, 3.02]
    """
    running = own_price.total - _computers(own_price)
    price = quotient(_computers(investment), count)
    saved = ownership.utilisation * (rent_price - running) * ownership.interest_period
    periods = quotient(price, np.maximum(saved, 0.0))
    growth = np.log1p(ownership.cost_of_capital)
    left = 1.0 - np.minimum(ownership.cost_of_capital * periods, 1.0)
    with_interest = quotient(-np.log(np.where(left > 0.0, left, 1.0)), growth)
    paid = np.where(growth == 0.0, periods, np.where(left > 0.0, with_interest, np.inf))
    return paid * ownership.interest_period + 0.0 * saved
