"""Time of collectives over a hierarchy of links: a fast domain of cards, the network between domains, its spine."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, either, where
from ..once import once
from ..tuples import NamedTuple


class _Machine(NamedTuple):
    peak: Array
    peak_16bit: Array
    memory_bandwidth: Array
    scaleup_bandwidth: Array
    scaleup_domain: Array
    scaleout_bandwidth: Array
    mesh: Array
    pod: Array
    oversubscription: Array


class Machine(_Machine):
    """Figures of one accelerator and its links, each an array that broadcasts with the others.

    ``peak`` dense peak at the training precision and ``peak_16bit`` in 16 bit [FLOP/s]; ``memory_bandwidth``
    [byte/s]; ``scaleup_bandwidth`` one way inside the fast domain of ``scaleup_domain`` cards, and
    ``scaleout_bandwidth`` one way of a card's share of the network [byte/s]; ``mesh`` 1 where every pair of
    cards has a link of its own [1]; ``pod`` cards whose network loses nothing between them (infinity: all), and
    ``oversubscription`` what they may send at once over what the spine between pods takes [1].
    """


class _Group(NamedTuple):
    ranks: Array
    inside: Array
    near: Array


class Group(_Group):
    """Ranks of a collective, and how many of them lie together; less than one where they are further apart. [1]

    ``ranks`` members, ``inside`` of them in one fast domain and ``near`` in one pod.
    """

    @property
    @once
    def within(self) -> Array:
        """Members in one fast domain: at least one, and no more than there are."""
        return np.minimum(np.maximum(self.inside, 1.0), self.ranks)


@once
def fast_domain(machine: Machine, per_node: Array) -> Array:
    """Cards that share the fast link: those of a rack-wide domain, else those of the node. [accelerator]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    per_node
        Accelerators in a node. [accelerator]

    References
    ----------
    NVIDIA, "GB200 NVL72" data sheet: 72 accelerators in one NVLink domain, four of them in a node.

    Examples
    --------
    >>> from estimator.formulas.example import example_machine
    >>> float(fast_domain(example_machine(scaleup_domain=72), np.float64(4)))
    72.0
    """
    return where(machine.scaleup_domain > per_node, machine.scaleup_domain, per_node)


@once
def scaleup_rate(machine: Machine, ranks: Array) -> Array:
    r"""One-way bandwidth of a card towards the other ranks of a group inside the fast domain. [byte/s]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    ranks
        Members of the group. [1]

    Notes
    -----
    .. math:: \beta \frac{g - 1}{N - 1}

    in a full mesh of N cards, where a group of g cards uses the links among its own members only;
    :math:`\beta` behind a switch.

    References
    ----------
    AMD, "Instinct MI300X platform data sheet": seven xGMI links join each of 8 cards to every other.

    Examples
    --------
    Four of eight cards in a full mesh have three of seven links to each other:

    >>> from estimator.formulas.example import example_machine
    >>> float(scaleup_rate(example_machine(scaleup_bandwidth=350e9, mesh=1), np.float64(4)))
    150000000000.0
    """
    others = np.maximum(machine.scaleup_domain - 1.0, 1.0)
    share = either(machine.mesh, lambda: np.clip((ranks - 1.0) / others, 1.0 / others, 1.0), np.float64(1.0))
    return machine.scaleup_bandwidth * share


@once
def network_rate(machine: Machine, group: Group) -> Array:
    r"""Bandwidth at which a ring passes data from one fast domain to the next. [byte/s]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    group
        Members of the ring, in the order of the cards. [1]

    Notes
    -----
    .. math:: \min\left(g \nu, \frac{g_p \nu}{o}\right)

    The g members in a domain have as many network cards of bandwidth :math:`\nu` to share. From pod to pod the ring
    passes once for all its :math:`g_p` members of a pod, whose share of the spine is :math:`g_p \nu / o`; where it
    stays in one pod there is no spine.

    References
    ----------
    C. Leiserson, "Fat-Trees", IEEE Trans. Comput. C-34(10), 1985, Section II (the capacity of a channel set by the
    leaves below it); A. Grattafiori et al., "The Llama 3 Herd of Models", 2024, arXiv:2407.21783, Section 3.3.1: pods
    of 3,072 GPUs with full bisection bandwidth, and an oversubscription of 1:7 between them.

    Examples
    --------
    Two of sixteen ranks lie in a server, eight in a pod, whose spine takes an eighth of what its cards can send:

    >>> from estimator.formulas.example import example_machine
    >>> group = Group(*map(np.float64, (16, 2, 8)))
    >>> [float(network_rate(example_machine(oversubscription=ratio), group)) for ratio in (1, 8)]
    [20000000000.0, 10000000000.0]
    """
    near = np.maximum(group.near, 1.0)
    # Where all cards are one pod there is no spine to be looked at.
    members = either(
        np.isfinite(near),
        lambda: where(
            group.ranks > near, np.minimum(group.within, near / machine.oversubscription), group.within
        ),
        group.within,
    )
    return machine.scaleout_bandwidth * members


@once
def ring_rate(machine: Machine, group: Group) -> Array:
    r"""Bandwidth at which a ring passes data through all its members. [byte/s]

    Parameters
    ----------
    machine
        Figures of the accelerators and their links.
    group
        Members of the ring. [1]

    Notes
    -----
    .. math:: \min(\beta, \nu_g)

    of the fast link and of what the g ranks of a domain have of the network (``network_rate``); the fast link alone
    where the whole group fits into one domain, the network alone where each member lies in its own.

    References
    ----------
    R. Thakur et al., "Optimization of Collective Communication Operations in MPICH", 2005, Section 4.1 (ring);
    NVIDIA, nccl-tests, PERFORMANCE.md, "Bus bandwidth".

    Examples
    --------
    Sixteen ranks on two servers of eight, whose cards have 10 GB/s of network each:

    >>> from estimator.formulas.example import example_machine
    >>> float(ring_rate(example_machine(), Group(*map(np.float64, (16, 8, 16)))))
    80000000000.0
    """
    within = group.within
    fast, out = scaleup_rate(machine, within), network_rate(machine, group)
    across = where(within > 1.0, np.minimum(fast, out), out)
    return where(group.ranks <= within, fast, across)


def ring_time(size: Array, ranks: Array, rate: Array) -> Array:
    r"""Time of an all-gather or a reduce-scatter of ``size`` bytes over ``ranks`` ranks. [s]

    Parameters
    ----------
    size
        The whole of what is gathered or reduced. [byte]
    ranks
        Members of the group. [1]
    rate
        Bandwidth of the ring. [byte/s]

    Returns
    -------
    Seconds. [s]

    Notes
    -----
    .. math:: \frac{g - 1}{g} \frac{S}{\beta}

    An all-reduce is one of each.

    References
    ----------
    R. Thakur et al., 2005, Section 4.1; NVIDIA, nccl-tests, PERFORMANCE.md.

    Examples
    --------
    >>> float(ring_time(np.float64(8e9), np.float64(8), np.float64(100e9)))
    0.07
    """
    return (ranks - 1.0) / ranks * size / rate
