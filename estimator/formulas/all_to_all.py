"""Time of all-to-alls over a hierarchy of links: tokens to their experts, and equal shares to everyone."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from .collectives import Group, Machine, scaleup_rate


def domains_reached(ranks: Array, domain: Array, chosen: Array) -> Array:
    r"""Domains that hold one of ``chosen`` ranks drawn at random of ``ranks``: copies of a token that are sent. [1]

    Parameters
    ----------
    ranks
        Members of the group. [1]
    domain
        Ranks in each fast domain. [1]
    chosen
        Ranks that a token goes to. [1]

    Notes
    -----
    .. math:: D \left(1 - (1 - 1/D)^k\right), \quad D = g / N

    References
    ----------
    DeepSeek-AI, "DeepSeek-V3", 2024, arXiv:2412.19437, Section 3.2.2: a token crosses the network once a node
    and is handed on there over the fast link.

    Examples
    --------
    >>> float(domains_reached(np.float64(16), np.float64(8), np.float64(1)))
    1.0
    """
    domains = np.maximum(ranks / domain, 1.0)
    return domains * (1.0 - np.power(1.0 - 1.0 / domains, chosen))


def all_to_all_time(machine: Machine, size: Array, group: Group, chosen: Array) -> Array:
    r"""Time to hand tokens of ``size`` bytes a copy to ``chosen`` of ``ranks`` ranks. [s]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    size
        One copy of all tokens of a rank. [byte]
    group
        Members of the group. [1]
    chosen
        Ranks that a token goes to. [1]

    Notes
    -----
    .. math:: \frac{k S (g - 1)/g}{\beta} + \max\left(D', o D''\right) \frac{S}{\nu}

    with :math:`D'` the domains reached but the token's own, :math:`D''` of them in other pods.

    References
    ----------
    DeepSeek-AI, 2024, arXiv:2412.19437, Section 3.2.2; D. Lepikhin et al., "GShard", 2020, arXiv:2006.16668,
    Section 3.2, for the all-to-all of experts.

    Examples
    --------
    Eight ranks of one server exchange 100 MB a copy, two copies of a token, at 100 GB/s:

    >>> from estimator.formulas.example import example_machine
    >>> size, chosen, *group = map(np.float64, (100e6, 2, 8, 8, 8))
    >>> round(float(all_to_all_time(example_machine(), size, Group(*group), chosen)), 6)
    0.00175
    """
    ranks, domain, near = group
    fast = chosen * size * (ranks - 1.0) / ranks / scaleup_rate(machine, np.minimum(ranks, domain))
    domains, together = np.maximum(ranks / domain, 1.0), np.maximum(near / domain, 1.0)
    reached = domains_reached(ranks, domain, chosen) / domains
    spine = np.maximum(domains - together, 0.0) * machine.oversubscription
    return fast + reached * np.maximum(domains - 1.0, spine) * size / machine.scaleout_bandwidth


def even_exchange_time(machine: Machine, size: Array, group: Group) -> Array:
    r"""Time of an all-to-all in which every rank hands an equal share of ``size`` bytes to each other rank. [s]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    size
        What one rank holds before and after. [byte]
    group
        Members of the group. [1]

    Returns
    -------
    Seconds. [s]

    Notes
    -----
    .. math:: \frac{S}{g} \left(\frac{i - 1}{\beta} + \frac{\max(g - i, o (g - g_p))}{\nu}\right),
        \quad i = \min(g, N)

    with :math:`g_p` members in a pod.

    References
    ----------
    R. Thakur et al., 2005, Section 4.3 (pairwise exchange); S. Jacobs et al., "DeepSpeed Ulysses", 2023,
    arXiv:2309.14509, Section 3.2.

    Examples
    --------
    Sixteen ranks on two servers with 16 MB each: seven shares go over 100 GB/s, eight over 10 GB/s:

    >>> from estimator.formulas.example import example_machine
    >>> group = Group(*map(np.float64, (16, 8, 16)))
    >>> float(even_exchange_time(example_machine(), np.float64(16e6), group))
    0.00087
    """
    ranks = group.ranks
    inside = group.within
    fast = (inside - 1.0) / scaleup_rate(machine, inside)
    spine = np.maximum(ranks - np.maximum(group.near, 1.0), 0.0) * machine.oversubscription
    return size / ranks * (fast + np.maximum(ranks - inside, spine) / machine.scaleout_bandwidth)
