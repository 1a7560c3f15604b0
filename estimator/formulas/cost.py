"""What a run costs: its machines, rented or owned, and what the project around it adds."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, of_some, quotient, times
from ..breakdown import Breakdown
from ..tuples import NamedTuple
from .spot import Spot


class Project(NamedTuple):
    """What a run costs beside its machines; arrays that broadcast. [in brackets the unit]

    ``staff`` people while it trains and ``preparation_staff`` for the ``preparation_time`` before [1, 1, s], each at
    ``pay`` [currency/s]; ``stored`` bytes while it trains and bytes of ``egress`` [byte] at ``storage_price``
    [currency/byte/s] and ``egress_price`` [currency/byte]; ``development``: the machines of all runs that were needed,
    over those of the last one [1].
    """

    staff: Array
    preparation_staff: Array
    preparation_time: Array
    pay: Array
    stored: Array
    storage_price: Array
    egress: Array
    egress_price: Array
    development: Array


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


def rent_cost(
    occupied_hours: Array, price: Array, paid_utilisation: Array, spot: Spot, spot_loss: Array
) -> Breakdown:
    r"""Money for rented accelerators of one plan, or of one with a share at spot. [currency]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the machines are held by the run. [accelerator*s]
    price
        Rent by the plan. [currency/accelerator/s]
    paid_utilisation
        Share of the time paid for in which the machines are held: 1 on demand, less where a reservation is paid for
        whether it is used or not. [1]
    spot
        The share that may be taken back, and its price. [1]
    spot_loss
        Time lost by that, over the time without. [1]

    Returns
    -------
    Rent, what is reserved and not used, spot, and the rent of the time that interruptions take. [currency]

    Notes
    -----
    .. math:: K = T_{occupied} \left( (1 - q) \frac{p}{u} + q p_s \right)

    of which the interruptions take :math:`l / (1 + l)`.

    References
    ----------
    DeepSeek-AI, 2024, arXiv:2412.19437, Table 1, for the rent alone.

    Examples
    --------
    110 hours of which 10 were lost, at 2, half of them at spot for 1: 100 + 50, and 15 more.

    >>> spot = Spot(np.float64(0.5), np.float64(1), np.float64(0), np.float64(0))
    >>> found = rent_cost(np.float64(110), np.float64(2), np.float64(1), spot, np.float64(0.1))
    >>> {name: round(float(part), 6) for name, part in found.parts.items()}
    {'rent': 100.0, 'unused': 0.0, 'spot': 50.0, 'interruptions': 15.0}
    """
    kept, held = 1.0 - spot.share, occupied_hours / (1.0 + spot_loss)
    rent = rental_cost(times(kept, held), of_some(kept, price)).total
    unused = times(1.0 / paid_utilisation - 1.0, rent)
    at_spot = rental_cost(times(spot.share, held), of_some(spot.share, spot.price)).total
    lost = times(spot_loss, rent + unused + at_spot)
    return Breakdown({"rent": rent, "unused": unused, "spot": at_spot, "interruptions": lost})


def rent_price(rent_cost: Array, occupied_hours: Array, spot_loss: Array) -> Array:
    r"""Rent of an accelerator for a time that is not lost by renting at spot. [currency/accelerator/s]

    Parameters
    ----------
    rent_cost
        Of the run. [currency]
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    spot_loss
        Time lost to spot nodes that are taken away, over the time without. [1]

    Notes
    -----
    .. math:: r = (1 + l) K / T_{occupied}

    References
    ----------
    A definition of this house.
    """
    return quotient(rent_cost * (1.0 + spot_loss), occupied_hours)


def run_cost(
    rent_cost: Breakdown, own_cost: Breakdown, owned: Array, wall_clock: Array, project: Project
) -> Breakdown:
    r"""Money for a run: machines as they are had, storage, egress, people, and the runs before the last. [currency]

    Parameters
    ----------
    rent_cost
        Of the machines where they are rented. [currency]
    own_cost
        Of the machines where they are owned. [currency]
    owned
        1 where they are, 0 where they are rented. [1]
    wall_clock
        From start to end. [s]
    project
        What the run costs beside. [1]

    Returns
    -------
    The parts of renting, those of owning (0 where the other holds), development, data storage, egress, people who
    prepare and people who train. [currency]

    Notes
    -----
    .. math:: K = d K_m + s_b p_b t + e p_e + (w_p t_p + w t) k

    References
    ----------
    H. Touvron et al., "LLaMA", 2023, arXiv:2302.13971, Section 6 and Table 15, for d: developing the four models took
    2,638 MWh, their last runs 777 MWh, so that d = 3.4.

    Examples
    --------
    A rent of 100 with development three times that of the last run: 200 more.

    >>> none = dict.fromkeys(Project._fields, np.float64(0))
    >>> project = Project(**none | {"development": np.float64(3)})
    >>> rent, own = Breakdown({"rent": np.float64(100)}), Breakdown({"accelerators": np.float64(np.nan)})
    >>> found = run_cost(rent, own, np.float64(0), np.float64(1), project)
    >>> float(found.total), float(found.parts["development"])
    (300.0, 200.0)
    """
    none = np.float64(0.0)
    rented = {name: either(owned, none, part) for name, part in rent_cost.parts.items()}
    bought = {name: either(owned, part, none) for name, part in own_cost.parts.items()}
    machines = Breakdown({**rented, **bought})
    return machines.beside(
        {
            "development": times(project.development - 1.0, machines.total),
            "data_storage": times(project.stored * project.storage_price, wall_clock),
            "egress": project.egress * project.egress_price,
            "preparation_staff": project.preparation_staff * project.preparation_time * project.pay,
            "training_staff": times(project.staff * project.pay, wall_clock),
        }
    )


def cost_per_hour(cost: Breakdown, occupied_hours: Array) -> Breakdown:
    r"""Cost of a run for each accelerator and time that it holds. [currency/accelerator/s]

    Parameters
    ----------
    cost
        Of the run, with all that is counted. [currency]
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]

    Returns
    -------
    The parts of the cost. [currency/accelerator/s]

    Notes
    -----
    .. math:: k = K / T_{occupied}

    References
    ----------
    A definition of this house.
    """
    return Breakdown({name: quotient(part, occupied_hours) for name, part in cost.parts.items()})


def cost_per_application(cost: Array, applications: Array, adaptation: Array) -> Breakdown:
    r"""What each of several applications of one base model bears. [currency]

    Parameters
    ----------
    cost
        Of the base model. [currency]
    applications
        Built on it; NaN where that is not asked. [1]
    adaptation
        Of each to its use: the marginal cost of one more. [currency]

    Returns
    -------
    Share of the base model, and adaptation. [currency]

    Notes
    -----
    .. math:: k = \frac{K}{a} + m

    One application more costs m alone; it relieves each of the others by :math:`K / (a (a + 1))`.

    References
    ----------
    A definition of this house: average and marginal cost of a good with a fixed cost.

    Examples
    --------
    >>> found = cost_per_application(np.float64(1.4e6), np.array([1.0, 10.0, 100.0]), np.float64(20_000))
    >>> found.total.tolist()
    [1420000.0, 160000.0, 34000.0]
    """
    return Breakdown({"base_model": cost / applications, "adaptation": adaptation + 0.0 * applications})
