"""What accelerators cost their owner: capital, power, maintenance and people."""

from __future__ import annotations

from ..arrays import Array, quotient
from ..breakdown import Breakdown
from .capital import Ownership, capital_recovery
from .energy import Draw

# What wears out together; the building outlives it.
COMPUTERS = ("accelerators", "servers", "network", "storage")


def investment(ownership: Ownership, count: Array, draw: Draw) -> Breakdown:
    r"""Price of the machines and of the facility that holds them. [currency]

    Parameters
    ----------
    ownership
        Prices and shares. [currency/accelerator]
    count
        Accelerators. [accelerator]
    draw
        The most that accelerators and what surrounds them draw: the building must feed and cool it. [W/accelerator]

    Returns
    -------
    Accelerators, servers, network, storage and building. [currency]

    Notes
    -----
    .. math:: K_0 = n (p_a + p_s)(1 + f_n + f_s) + n P_1 (1 + o + w) \, p_b

    References
    ----------
    L. A. Barroso, U. Hölzle and P. Ranganathan, "The Datacenter as a Computer", 3rd edition, 2018, chapter 6: the
    building is priced by the critical power of the computers in it.

    Examples
    --------
    32,000 A100s in servers of eight at 199,000 USD each, as a brokerage counted for ChatGPT: 796 million USD.

    >>> import numpy as np
    >>> none, some = np.float64(0), np.float64(24_875)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {"accelerator_price": some}
    >>> draw = Draw(*[none] * len(Draw._fields))
    >>> round(float(investment(Ownership(**fields), np.float64(32_000), draw).total) / 1e6)
    796
    """
    most = draw.power_per_accelerator * (1.0 + draw.host_share + draw.switch_share)
    machines = count * (ownership.accelerator_price + ownership.server_price)
    return Breakdown(
        {
            "accelerators": count * ownership.accelerator_price,
            "servers": count * ownership.server_price,
            "network": machines * ownership.network_share,
            "storage": machines * ownership.storage_share,
            "building": count * most * ownership.building_price,
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


def computers(priced: Breakdown) -> Array:
    """Return what of a price goes to all that the building holds."""
    return Breakdown({name: part for name, part in priced.parts.items() if name in COMPUTERS}).total


def with_idle(ownership: Ownership) -> Array:
    """Return the energy of machines over that in use, with what they draw between runs."""
    return 1.0 + ownership.idle_power * (1.0 - ownership.utilisation) / ownership.utilisation


def own_price(
    ownership: Ownership,
    investment: Breakdown,
    count: Array,
    energy: Array,
    occupied_hours: Array,
    pue: Array,
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
    energy
        That the run takes from the grid. [J]
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    pue
        Power of the facility over that of its computers: cooling and losses are in it and counted once. [1]

    Returns
    -------
    Accelerators, servers, network, storage, building, power, cooling, maintenance and operations.
    [currency/accelerator/s]

    Notes
    -----
    .. math:: p = \frac{1}{u} \left( \sum_j \mathrm{CRF}_j \frac{K_j}{n} + \frac{m K}{Y n} + \frac{w}{g} \right)
              + p_E \frac{E}{T} \left( 1 + h \frac{1 - u}{u} \right)

    Machines earn only while a run holds them, a share u of the time; idle ones draw a share h of the power.

    References
    ----------
    L. A. Barroso, U. Hölzle and P. Ranganathan, "The Datacenter as a Computer", 3rd edition, 2018, chapter 6.

    Examples
    --------
    A card of 30,000 over five years without interest, in use four fifths of the time: 7,500 a year of use.

    >>> import numpy as np
    >>> year, one, none = np.float64(1), np.float64(1), np.float64(0)
    >>> fields = dict.fromkeys(Ownership._fields, none) | {
    ...     "accelerator_price": np.float64(30_000), "interest_period": year, "life": 5 * year,
    ...     "building_life": 20 * year, "utilisation": np.float64(0.8), "accelerators_per_operator": np.float64(np.inf)}
    >>> owned = Ownership(**fields)
    >>> bought = investment(owned, one, Draw(*[none] * len(Draw._fields)))
    >>> round(float(own_price(owned, bought, one, none, one, one).total))
    7500
    """
    used = ownership.utilisation
    lives = {"building": ownership.building_life}
    interest, held = (ownership.cost_of_capital, ownership.interest_period), count * used
    capital = {
        name: quotient(price * capital_recovery(*interest, lives.get(name, ownership.life)), held)
        for name, price in investment.parts.items()
    }
    kept = quotient(computers(investment) * ownership.maintenance / ownership.interest_period, held)
    drawn = quotient(energy / pue, occupied_hours) * ownership.tariff * with_idle(ownership)
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
