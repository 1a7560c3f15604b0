"""The inputs that can be solved for: between which bounds they are looked for, and which of several values is meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import QuestionError
from ..inputs.axes import unknown_input
from ..inputs.fields import Field
from ..inputs.letters import letter
from ..inputs.run import FIELDS, option, rivals_of
from ..kinds import kind_of
from ..tuples import NamedTuple

Values = npt.NDArray[np.float64]


class Unknown(NamedTuple):
    """An input to be solved for.

    It is looked for from ``low`` to ``high``, in house units, first at so many ``points`` of equal factors. Where a
    target is met by values in between alone, the largest is meant if ``most``, else the smallest. Money that is no
    rent says what it is ``per``, in base units.
    """

    name: str
    low: float
    high: float
    points: int
    unit: str = "1"
    most: bool = False
    whole: bool = False
    per: str | None = None

    @property
    def base(self) -> str:
        """The name without the letter of a pool."""
        return self.name.rpartition(".")[2]

    @property
    def grid(self) -> Values:
        """The values that are looked at first; they do not depend on the target."""
        spread = np.geomspace(self.low, self.high, self.points)
        spread[[0, -1]] = self.low, self.high
        return np.unique(np.round(spread)) if self.whole else spread


_HOUR, _DAY, _YEAR = 3600.0, 86400.0, 365.25 * 86400.0
_MONTH = _YEAR / 12.0
# Wider than any question of today by some orders, and within what the inputs themselves allow.
UNKNOWNS: Mapping[str, Unknown] = {
    unknown.name: unknown
    for unknown in (
        Unknown("params", 1e6, 1e14, 17, most=True),
        Unknown("tokens", 1e6, 1e17, 23, "token", most=True),
        Unknown("tokens_per_param", 1e-3, 1e7, 21, most=True),
        Unknown("epochs", 1e-3, 1e6, 19, most=True),
        Unknown("dataset_tokens", 1e3, 1e17, 29, "token", most=True),
        Unknown("samples", 1.0, 1e13, 27, most=True, whole=True),
        Unknown("seq", 1.0, 2.0**24, 25, "token", most=True, whole=True),
        Unknown("global_batch", 1.0, 2.0**20, 21, most=True, whole=True),
        Unknown("count", 1.0, 2.0**17, 18, "accelerator", most=True, whole=True),
        Unknown("nodes", 1.0, 2.0**17, 18, most=True, whole=True),
        Unknown("within", 600.0, 1e10, 16, "s"),
        Unknown("mfu", 1e-4, 1.0, 17),
        Unknown("efficiency_gain", 1e-3, 1e3, 25),
        Unknown("scaling_efficiency", 1e-4, 1.0, 17),
        Unknown("goodput", 1e-4, 1.0, 17),
        Unknown("failures", 1e-6 / _DAY, 1e3 / _DAY, 19, "1/node/day", most=True),
        Unknown("mtbi", 60.0, 1e9, 17, "s"),
        Unknown("checkpoint_interval", 1.0, 1e8, 17, "s", most=True),
        Unknown("checkpoint_bandwidth", 1e6, 1e16, 21, "byte/s"),
        Unknown("restart_time", 0.1, 1e7, 17, "s", most=True),
        Unknown("scaleout_bandwidth", 1e6, 1e13, 15, "byte/accelerator/s"),
        Unknown("oversubscription", 1.0, 1e4, 14, most=True),
        Unknown("price", 1e-4 / _HOUR, 1e6 / _HOUR, 21, "currency/accelerator/hour", most=True),
        Unknown("power", 1e-2, 1e6, 17, "W", most=True),
        Unknown("pue", 1.0, 10.0, 11, most=True),
        Unknown("utilisation", 1e-3, 1.0, 13),
        Unknown("checkpoint_exposed", 1e-4, 1.0, 13, most=True),
        Unknown("rollback_share", 1e-4, 0.99, 13, most=True),
        Unknown("straggler_share", 1e-4, 0.99, 13, most=True),
        Unknown("replacement_time", 0.1, 1e9, 21, "s", most=True),
        Unknown("embodied", 1e-3, 1e6, 19, "kg", most=True),
        Unknown("spot_share", 1e-4, 1.0, 13, most=True),
        Unknown("spot_price", 1e-4 / _HOUR, 1e6 / _HOUR, 21, "currency/accelerator/hour", most=True),
        Unknown("spot_interruptions", 1e-6 / _MONTH, 1e3 / _MONTH, 19, "1/node/month", most=True),
        Unknown("spot_lost_time", 0.1, 1e9, 21, "s", most=True),
        Unknown("purchase_price", 1e-2, 1e9, 23, "currency/accelerator", most=True, per="accelerator"),
        Unknown("life", _DAY, 100.0 * _YEAR, 17, "s"),
        Unknown("cost_of_capital", 1e-4, 1.0, 13, most=True),
        Unknown("maintenance", 1e-4, 1.0, 13, most=True),
        Unknown("tariff", 1e-5 / 3.6e6, 1e3 / 3.6e6, 17, "currency/kWh", most=True, per="J"),
        Unknown("stored", 1e6, 1e20, 29, "byte", most=True),
        Unknown(
            "storage_price", 1e-15 / _MONTH, 1e-3 / _MONTH, 25, "currency/GB/month", most=True, per="byte*s"
        ),
        Unknown("egress", 1e6, 1e20, 29, "byte", most=True),
        Unknown("egress_price", 1e-15, 1e-3, 25, "currency/GB", most=True, per="byte"),
        Unknown("staff", 1e-2, 1e6, 17, most=True),
        Unknown("preparation_staff", 1e-2, 1e6, 17, most=True),
        Unknown("preparation_time", _HOUR, 100.0 * _YEAR, 17, "s", most=True),
        Unknown("pay", 1.0 / _YEAR, 1e9 / _YEAR, 19, "currency/year", most=True, per="s"),
        Unknown("development", 1.0, 1e3, 13, most=True),
        Unknown("applications", 1.0, 1e9, 19),
        Unknown("adaptation", 1e-2, 1e12, 29, "currency", most=True, per=""),
        Unknown("link", 1e3, 1e16, 27, "Gbit/s"),
        Unknown("sync_every", 1.0, 1e7, 15, whole=True),
    )
}


def unknown_of(name: str, given: Mapping[str, Any]) -> Unknown:
    """Return the input that is asked for.

    Raises
    ------
    QuestionError
        It cannot be solved for, or it is given, or another input settles it.
    """
    fields = kind_of(given).fields(given)
    whose, dot, base = name.rpartition(".")
    if base not in UNKNOWNS or name not in fields:
        raise QuestionError([_refused(name, fields)])
    named = {key for key, value in given.items() if value is not None}
    faults = [f"{option(name)} is what is asked for; leave it out"] if name in named else []
    faults += [
        f"{option(rival)} settles {option(name)}, which is asked for; leave it out"
        for rival in FIELDS
        if rival in rivals_of(name, given) & named
    ]
    if faults:
        raise QuestionError(faults)
    return UNKNOWNS[base]._replace(name=whose + dot + base)


def _refused(name: str, fields: Mapping[str, Field]) -> str:
    """Say why an input cannot be asked for."""
    known = [each for each in fields if each.rpartition(".")[2] in UNKNOWNS]
    if name in fields:
        told = [each for each in known if "." not in each or each.startswith(letter(0))]
        return f"'{name}' cannot be solved for; these can be solved for: {', '.join(told)}"
    return unknown_input(name, fields, known)
