"""Power, energy and carbon of a run, by who draws it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import Array, where
from ..breakdown import Breakdown
from ..tuples import NamedTuple

# The parts of the wall clock in which accelerators work: what is lost and done again, and all work.
_AGAIN = ("lost_work", "rollbacks")
_AT_WORK = ("productive", *_AGAIN)
# The part in which they wait within a step, for a slow node.
_IN_STEP = ("stragglers",)


class Draw(NamedTuple):
    """What an accelerator and its surroundings draw, beside how hard it works.

    Parameters
    ----------
    power_per_accelerator
        The most that an accelerator draws: its nameplate, or a limit that is set. [W/accelerator]
    floor_share
        Share of that which it draws in training that does next to nothing; 1 where power does not depend on work. [1]
    full_use
        Hardware FLOPs utilisation from which on it draws all it can. [1]
    host_share
        Power of hosts and fans as a share of the most that the accelerators draw. [1]
    switch_share
        Power of the switches between nodes, as a share of the same. [1]
    idle_share
        Share of its most that an accelerator draws in time that is held, not productive and outside of steps. [1]
    """

    power_per_accelerator: Array
    floor_share: Array
    full_use: Array
    host_share: Array
    switch_share: Array
    idle_share: Array


def power_share(hfu: Array, floor_share: Array, full_use: Array) -> Array:
    r"""Share of its most that an accelerator draws while it trains. [1]

    Parameters
    ----------
    hfu
        Hardware FLOPs utilisation; NaN, as of a step that never ends, is taken as full. [1]
    floor_share
        Share drawn by training that does next to nothing. [1]
    full_use
        Utilisation from which on all is drawn. [1]

    Returns
    -------
    Between the floor and 1. [1]

    Notes
    -----
    .. math:: a + (1 - a) \min\left(1, \frac{u}{u_1}\right)

    References
    ----------
    X. Fan, W.-D. Weber and L. Barroso, "Power Provisioning for a Warehouse-sized Computer", ISCA 2007, Section 3.2:
    power linear in utilisation between idle and busy. The ceiling is the power limit that accelerators hold by
    lowering their clock. Floor and ceiling are fitted to measured powers (`scripts/fit_power.py`).

    Examples
    --------
    Half way to the utilisation at which the limit holds:

    >>> round(float(power_share(np.float64(0.25), np.float64(0.4), np.float64(0.5))), 3)
    0.7
    """
    return floor_share + (1.0 - floor_share) * np.fmin(hfu / full_use, 1.0)


def system_power(count: Array, per_node: Array, hfu: Array, draw: Draw) -> Breakdown:
    r"""Power of an accelerator that trains, with its share of host and network. [W/accelerator]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    per_node
        Accelerators in a node. [accelerator/node]
    hfu
        Hardware FLOPs utilisation. [1]
    draw
        What accelerators, hosts and network draw. [1]

    Returns
    -------
    Accelerators, hosts and the network between nodes, which one node alone has not. [W/accelerator]

    Notes
    -----
    .. math:: p = P_1 \left(a + (1 - a) \min(1, u / u_1) + o + w\right)

    Hosts, fans and switches draw about the same whatever the accelerators do.

    References
    ----------
    D. Patterson et al., "Carbon Emissions and Large Neural Network Training", 2021, arXiv:2104.10350, Table 4, who
    measured it as "system average power per accelerator".

    Examples
    --------
    Eight H100 of 700 W at full power with a quarter of that for hosts are a node of 7 kW:

    >>> draw = Draw(*map(np.float64, (700, 0.4, 0.5, 0.25, 0.05, 0.5)))
    >>> {name: round(float(part)) for name, part in system_power(*map(np.float64, (8, 8, 0.5)), draw).parts.items()}
    {'accelerators': 700, 'hosts': 175, 'network': 0}
    """
    most = draw.power_per_accelerator
    return Breakdown(
        {
            "accelerators": most * power_share(hfu, draw.floor_share, draw.full_use),
            "hosts": most * draw.host_share,
            "network": most * where(count > per_node, draw.switch_share, 0.0),
        }
    )


def facility_power(count: Array, system_power: Breakdown, pue: Array) -> Breakdown:
    r"""Power that the run draws from the grid while it trains. [W]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    system_power
        Of an accelerator with its share of host and network, by part. [W/accelerator]
    pue
        Power usage effectiveness: power of the facility over that of its computers. [1]

    Returns
    -------
    Accelerators, hosts, network and facility. [W]

    Notes
    -----
    .. math:: P = n p \cdot \mathrm{PUE}

    References
    ----------
    D. Patterson et al., 2021, arXiv:2104.10350, Section 2.

    Examples
    --------
    >>> parts = Breakdown({"accelerators": np.float64(700), "hosts": np.float64(175)})
    >>> round(float(facility_power(np.float64(8), parts, np.float64(1.1)).total))
    7700
    """
    return _with_facility({name: count * part for name, part in system_power.parts.items()}, pue)


def facility_energy(
    count: Array, wall_clock: Breakdown, system_power: Breakdown, draw: Draw, pue: Array
) -> Breakdown:
    r"""Energy that the run takes from the grid. [J]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    wall_clock
        Time from start to end, by what it goes to. [s]
    system_power
        Of an accelerator that trains, with its share of host and network, by part. [W/accelerator]
    draw
        What accelerators, hosts and network draw. [1]
    pue
        Power usage effectiveness. [1]

    Returns
    -------
    Accelerators in productive time, in work that is lost and done again, and idle; hosts, network and facility. [J]

    Notes
    -----
    .. math:: E = n \left((t + t_{again}) p_{acc} + t_{idle} P_1 i + t_{slow} P_1 a
        + t_{wall} (p_{hosts} + p_{network})\right) \mathrm{PUE}

    Lost work and rollbacks are work like any other; checkpoints, restarts, waiting for nodes, and what a given goodput
    loses in ways not told, are idle time. Cards that wait for a slow node do so within a step, spinning in an exchange:
    they draw the floor of training that does next to nothing, a. The slow node works on; it is one of many.

    References
    ----------
    D. Patterson et al., 2021, arXiv:2104.10350, Section 2; H. Touvron et al., "LLaMA", 2023,
    arXiv:2302.13971, Section 6, with nothing for hosts and the nameplate power. That idle machines are told apart:
    A. Luccioni et al., "Estimating the Carbon Footprint of BLOOM", 2022, arXiv:2211.02001, Section 4.

    Examples
    --------
    LLaMA-65B, Table 15: 1,022,362 hours at 400 W and PUE 1.1 are 449 MWh.

    >>> count, draw = np.float64(2048), Draw(*map(np.float64, (400, 1, 1, 0, 0, 1)))
    >>> power = system_power(count, np.float64(8), np.float64(0.4), draw)
    >>> time = Breakdown({"productive": np.float64(1_022_362 * 3600.0) / count})
    >>> round(float(facility_energy(count, time, power, draw, np.float64(1.1)).total) / 3.6e9, 1)
    449.8
    """
    cards = where(count == 0.0, 1.0, count)  # none take for ever
    held = {name: cards * part for name, part in wall_clock.parts.items()}
    again = Breakdown({name: held[name] for name in _AGAIN if name in held}).total
    idle = Breakdown({name: part for name, part in held.items() if name not in (*_AT_WORK, *_IN_STEP)}).total
    slow = Breakdown({name: held[name] for name in _IN_STEP if name in held}).total
    working = system_power.parts["accelerators"]
    around = {name: part for name, part in system_power.parts.items() if name != "accelerators"}
    parts = {
        "accelerators": held["productive"] * working,
        "repeated_work": again * working,
        "idle_accelerators": _times(idle, draw.power_per_accelerator * draw.idle_share)
        + _times(slow, draw.power_per_accelerator * draw.floor_share),
        **{name: _times(cards * wall_clock.total, part) for name, part in around.items()},
    }
    return _with_facility(parts, pue)


def carbon(
    energy: Array, carbon_intensity: Array, occupied_hours: Array, embodied: Array, embodied_time: Array
) -> Breakdown:
    r"""Carbon dioxide equivalent of the energy used, and of making the machines. [kg]

    Parameters
    ----------
    energy
        Taken from the grid. [J]
    carbon_intensity
        Of the grid. [kg/J]
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    embodied
        Of making an accelerator with its share of the server; 0 leaves it out. [kg/accelerator]
    embodied_time
        Time of use over which that is spread: life times utilisation. [s]

    Returns
    -------
    Mass of CO2 equivalent of operation, and the run's share of what is embodied. [kg]

    Notes
    -----
    .. math:: m = E I + T_{occupied} \frac{c}{L u}

    References
    ----------
    D. Patterson et al., 2021, arXiv:2104.10350, Section 2; A. Luccioni et al., 2022, arXiv:2211.02001, Section 4.1, for
    what is embodied.

    Examples
    --------
    BLOOM: 1,082,990 hours of cards of 462.5 kg with their share of the server, which last six years and are used for
    85 % of them, are 11.2 t, what the paper prints:

    >>> year, hours = 365 * 86400.0, np.float64(1_082_990 * 3600.0)
    >>> parts = carbon(np.float64(0), np.float64(0), hours, np.float64(462.5), np.float64(6 * year * 0.85)).parts
    >>> round(float(parts["embodied"]) / 1000, 1)
    11.2
    """
    made = occupied_hours / embodied_time
    return Breakdown({"operation": energy * carbon_intensity, "embodied": _times(made, embodied)})


def _times(time: Array, power: Array) -> Array:
    """Return time times power; of no power in time without end, none."""
    return where(power == 0.0, 0.0, time) * power


def _with_facility(parts: Mapping[str, Array], pue: Array) -> Breakdown:
    """Return what computers draw with what the facility adds to it."""
    return Breakdown({**parts, "facility": _times(Breakdown(parts).total, pue - 1.0)})
