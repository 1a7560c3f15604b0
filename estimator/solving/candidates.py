"""The questions of a search: a question at values of the input that is asked for, answered as a sweep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..answer import ask
from ..case import Case
from ..estimate import Estimate
from ..inputs import Run
from ..inputs.run import option, write_input
from ..presets import Presets
from ..provenance import Origin
from ..sweeps import Vary, Wanted, sweep
from ..sweeps.cells import FITS, LATE
from ..units import Price
from .laws import Chosen
from .search import Points
from .targets import AT_LEAST
from .unknowns import Unknown, Values

# Quantities of which a run that does not fit on its cards may be asked all the same.
_ROOM = frozenset({"memory", "memory_total", "memory_allocated", "state_memory", "fewest_accelerators"})
_IN_TIME, _FITS, _IDLE = 1.0, 2.0, 3.0
# Inputs whose values are only those at which a layout sets every accelerator to work, where there are any.
_WORKING = frozenset({"count", "nodes", "global_batch"})
# Inputs that are written with a unit.
_WITH_UNIT = frozenset({
    "within", "power", "scaleout_bandwidth", "failures", "mtbi", "checkpoint_interval", "checkpoint_bandwidth",
    "restart_time",
})  # fmt: skip


class Candidates:
    """A question that is open in one input."""

    def __init__(
        self, given: Mapping[str, Any], unknown: Unknown, quantity: str, law: Chosen | None, presets: Presets
    ) -> None:
        """Hold the question without the input, the quantity that is looked at, and the law of its tokens, if any."""
        self.given, self.unknown, self.quantity, self.law, self.presets = (
            given,
            unknown,
            quantity,
            law,
            presets,
        )
        # A count is tried in whole nodes.
        self.axis = "nodes" if unknown.name == "count" else unknown.name
        self._reasons: tuple[str, ...] = ()
        self._bars: bool | None = None
        self._works: bool | None = None

    def in_time(self) -> Candidates:
        """Return the same question open in its deadline, which finds the count."""
        found = Candidates(self.given, self.unknown, self.quantity, self.law, self.presets)
        found.axis = "within"
        return found

    def inputs(self, values: Values) -> dict[str, Sequence[Any]]:
        """Return what varies: the input, and with a law of the loss the tokens that go with it."""
        if self.axis == "price":
            currency = self.given.get("currency") or "USD"
            return {"price": [Price(float(value), currency) for value in values]}
        found: dict[str, Sequence[Any]] = {self.axis: values.tolist()}
        if self.axis in _WITH_UNIT:
            found = {self.axis: [write_input(self.axis, float(value)) for value in values]}
        if self.law:
            found["tokens"] = self.law.tokens(values).tolist()
        return found

    def at(self, values: Values) -> Points:
        """Return the quantity, with its range, at some values of the input.

        Raises
        ------
        QuestionError
            Not one of them has an answer.
        """
        vary = self.inputs(values)
        linked = [list(vary)] if len(vary) > 1 else []
        works = ("replicas",) if self.unknown.name in _WORKING else ()
        wanted = Wanted((self.quantity, "count", "per_node", FITS, *works), (self.quantity,))
        found = sweep(self.given, Vary(vary, linked), wanted=wanted, presets=self.presets)
        chunks = list(found.chunks())
        self._reasons = chunks[0].reasons
        late = np.array([LATE in reason for reason in self._reasons])
        columns = {
            name: np.concatenate([chunk.values[name] for chunk in chunks]) for name in wanted.quantities
        }
        low, high = (
            np.concatenate([side[self.quantity] for side in sides])
            for sides in ([chunk.low for chunk in chunks], [chunk.high for chunk in chunks])
        )
        barred = self._barred(columns, late[np.concatenate([chunk.reason for chunk in chunks])])
        worst = -np.inf if self.quantity in AT_LEAST else np.inf
        value, low, high = (
            np.where((barred > 0.0) & ~np.isnan(each), worst, each)
            for each in (columns[self.quantity], low, high)
        )
        return Points(value, low, high, self._shown(values, columns), barred)

    def _barred(self, columns: Mapping[str, Values], late: Any) -> Values:
        """Tell which values are none: too late, too large for the cards, or such that some cards have nothing to do.

        The last two only where any value that was tried fits, or sets all to work.
        """
        fits, works = columns[FITS], np.isinf(columns.get("replicas", np.full_like(columns[FITS], np.inf)))
        if self._bars is None:
            self._bars = bool(np.any(fits == 1.0)) and self.quantity not in _ROOM
            self._works = bool(np.any(works))
        unfit, idle = (fits == 0.0) & self._bars, ~works & bool(self._works)
        return np.where(late, _IN_TIME, np.where(unfit, _FITS, np.where(idle, _IDLE, 0.0)))

    def _shown(self, values: Values, columns: Mapping[str, Values]) -> Values:
        """Return the input as it is told, which for a count is not what was tried."""
        if self.unknown.name == self.axis:
            return values
        return columns["count"] / (columns["per_node"] if self.unknown.name == "nodes" else 1.0)

    def unanswered(self) -> str:
        """Say why no value has an answer."""
        own = [reason.removesuffix(LATE).removesuffix("; ") for reason in self._reasons]
        why = "; ".join(dict.fromkeys(filter(None, own))) or "it has no answer"
        return f"{option(self.quantity)} is not known at any {option(self.unknown.name)}: {why}"

    def run(self, value: float) -> Run:
        """Return the question with a value of the input."""
        own = {name: values[0] for name, values in self.inputs(np.array([value])).items()}
        return Run.read({**self.given, **own}, self.presets)

    def estimate(self, value: float) -> Estimate:
        """Return the answer to the question with a value, which is told to be derived and not given."""
        found = ask(self.run(value), self.presets)
        solved = Origin("derived", f"solved for {self.quantity}", option=option(self.unknown.name))
        origins = {**found.case.origins, **dict.fromkeys(self._columns(found.case), solved)}
        if self.law:
            origins["tokens"] = self.law.origin()
        return replace(found, case=replace(found.case, origins=origins))

    def _columns(self, case: Case) -> set[str]:
        """Return the columns that hold the solved input."""
        held = {"nodes": "count", "mfu": "given_mfu", "power": "power_per_accelerator", "goodput": "given_goodput",
                "mtbi": "given_mtbi", "checkpoint_interval": "given_interval",
                "scaling_efficiency": "efficiency_coefficient", "tokens_per_param": "tokens", "epochs": "tokens",
                "dataset_tokens": "tokens", "samples": "tokens"}  # fmt: skip
        name = held.get(self.unknown.name, self.unknown.name)
        return {name} & case.columns.keys()
