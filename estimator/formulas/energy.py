"""Power, energy and carbon of a run, by who draws it."""

from __future__ import annotations

from ..arrays import Array
from ..breakdown import Breakdown


def facility_power(count: Array, power_per_accelerator: Array, host_share: Array, pue: Array) -> Breakdown:
    r"""Power that the run draws from the grid. [W]

    Parameters
    ----------
    count
        Accelerators. [accelerator]
    power_per_accelerator
        Of an accelerator while training. [W/accelerator]
    host_share
        Power of hosts, fans and network as a share of the accelerators'. [1]
    pue
        Power usage effectiveness: power of the facility over that of its computers. [1]

    Returns
    -------
    Accelerators, hosts and facility. [W]

    Notes
    -----
    .. math:: P = n p (1 + o) \cdot \mathrm{PUE}

    References
    ----------
    D. Patterson et al., "Carbon Emissions and Large Neural Network Training", 2021, arXiv:2104.10350,
    Section 2.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(facility_power(np.float64(8), np.float64(700), np.float64(0.25), np.float64(1.1)).total))
    7700
    """
    accelerators = count * power_per_accelerator
    hosts = accelerators * host_share
    return Breakdown(
        {"accelerators": accelerators, "hosts": hosts, "facility": (accelerators + hosts) * (pue - 1.0)}
    )


def facility_energy(
    occupied_hours: Array, power_per_accelerator: Array, host_share: Array, pue: Array
) -> Breakdown:
    r"""Energy that the run takes from the grid. [J]

    Parameters
    ----------
    occupied_hours
        Accelerator-time that the machines are held. [accelerator*s]
    power_per_accelerator
        Of an accelerator while training. [W/accelerator]
    host_share
        Power of hosts, fans and network as a share of the accelerators'. [1]
    pue
        Power usage effectiveness. [1]

    Returns
    -------
    Accelerators, hosts and facility. [J]

    Notes
    -----
    .. math:: E = T_{occupied} \, p (1 + o) \cdot \mathrm{PUE}

    References
    ----------
    D. Patterson et al., 2021, arXiv:2104.10350, Section 2; H. Touvron et al., "LLaMA", 2023,
    arXiv:2302.13971, Section 6, with o = 0 and the nameplate power.

    Examples
    --------
    LLaMA-65B, Table 15: 1,022,362 hours at 400 W and PUE 1.1 are 449 MWh.

    >>> import numpy as np
    >>> hours = np.float64(1_022_362 * 3600.0)
    >>> energy = facility_energy(hours, np.float64(400), np.float64(0), np.float64(1.1))
    >>> round(float(energy.total) / 3.6e9, 1)
    449.8
    """
    return facility_power(occupied_hours, power_per_accelerator, host_share, pue)


def carbon(energy: Array, carbon_intensity: Array) -> Array:
    r"""Carbon dioxide equivalent of the energy used. [kg]

    Parameters
    ----------
    energy
        Taken from the grid. [J]
    carbon_intensity
        Of the grid. [kg/J]

    Returns
    -------
    Mass of CO2 equivalent. [kg]

    Notes
    -----
    .. math:: m = E \cdot I

    References
    ----------
    D. Patterson et al., 2021, arXiv:2104.10350, Section 2.
    """
    return energy * carbon_intensity
