"""The questions of a search: a question at values of the input that is asked for, answered as a sweep of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..case import Case
from ..estimate import Estimate
from ..inputs.letters import letter
from ..inputs.money import Money
from ..inputs.run import option, write_input
from ..kinds import kind_of
from ..presets import Presets
from ..provenance import Origin
from ..sweeps import Vary, Wanted, sweep
from ..sweeps.cells import FITS, IDLE, LATE
from ..units import Price
from .laws import Chosen
from .search import Points
from .targets import AT_LEAST
from .unknowns import Unknown, Values

if TYPE_CHECKING:
    from ..fleets import Fleet

# Quantities of which a run that does not fit on its cards may be asked all the same.
_ROOM = frozenset({"memory", "memory_total", "memory_allocated", "state_memory", "fewest_accelerators"})
_IN_TIME, _FITS, _IDLE = 1.0, 2.0, 3.0
# Inputs whose values are only those at which a layout sets every accelerator to work, where there are any.
_WORKING = frozenset({"count", "nodes", "global_batch"})


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
        self.kind = kind_of(given)
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
        found: dict[str, Sequence[Any]] = {
            self.axis: [self._input(float(value)) for value in values * self._each]
        }
        if self.law:
            found["tokens"] = self.law.tokens(values).tolist()
        return found

    def _input(self, value: float) -> Any:
        """Return a value of the input as a question takes it."""
        currency = self.given.get("currency") or "USD"
        if self.unknown.per is not None:
            return Money(value, currency, self.unknown.per).write()
        if self.unknown.unit.startswith("currency"):
            return Price(value, currency)
        return write_input(self.axis, value)

    @cached_property
    def _each(self) -> float:
        """Cards of one that is tried: those of a node where the count of a pool is asked for, else 1."""
        if not self.kind.axes or self.unknown.base != "count":
            return 1.0
        case = self.kind.lower(self.kind.read(self.given, self.presets), self.presets)
        pools = {letter(place): place for place in range(np.size(case.columns["per_node"]))}
        return float(np.ravel(case.columns["per_node"])[pools[self.unknown.name.partition(".")[0]]])

    def at(self, values: Values) -> Points:
        """Return the quantity, with its range, at some values of the input.

        Raises
        ------
        QuestionError
            Not one of them has an answer.
        """
        vary = self.inputs(values)
        linked = [list(vary)] if len(vary) > 1 else []
        # Of a fleet neither a count of all pools nor their replicas are told.
        counts = () if self.kind.axes else ("count", "per_node")
        works = ("replicas",) if self.unknown.name in _WORKING and not self.kind.axes else ()
        wanted = Wanted((self.quantity, *counts, FITS, *works), (self.quantity,))
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
            return values * self._each
        return columns["count"] / (columns["per_node"] if self.unknown.name == "nodes" else 1.0)

    def unanswered(self) -> str:
        """Say why no value has an answer."""
        ours = [reason.removesuffix(IDLE).removesuffix("; ") for reason in self._reasons]
        own = [reason.removesuffix(LATE).removesuffix("; ") for reason in ours]
        why = "; ".join(dict.fromkeys(filter(None, own))) or "it has no answer"
        return f"{option(self.quantity)} is not known at any {option(self.unknown.name)}: {why}"

    def question(self, value: float) -> Any:
        """Return the question with a value of the input: a `Run`, or a `FleetQuestion`."""
        own = {name: values[0] for name, values in self.inputs(np.array([value])).items()}
        return self.kind.read({**self.given, **own}, self.presets)

    def estimate(self, value: float) -> Estimate:
        """Return the answer to the question with a value, which is told to be derived and not given."""
        found = self.kind.ask(self.question(value), self.presets)
        solved = Origin("derived", f"solved for {self.quantity}", option=option(self.unknown.name))
        origins = {**found.case.origins, **dict.fromkeys(self._columns(found.case), solved)}
        if self.law:
            origins["tokens"] = self.law.origin()
        return replace(found, case=replace(found.case, origins=origins))

    def fleet(self, value: float) -> Fleet | None:
        """Return the whole answer about a fleet with a value; None of a run, whose estimate is all."""
        if not self.kind.axes:
            return None
        from ..fleets import ask_fleet

        return ask_fleet(self.question(value), self.presets)

    def _columns(self, case: Case) -> set[str]:
        """Return the columns that hold the solved input."""
        held = {"nodes": "count", "mfu": "given_mfu", "power": "power_per_accelerator", "goodput": "given_goodput",
                "mtbi": "given_mtbi", "checkpoint_interval": "given_interval",
                "scaling_efficiency": "efficiency_coefficient", "tokens_per_param": "tokens", "epochs": "tokens",
                "dataset_tokens": "tokens", "samples": "tokens"}  # fmt: skip
        name = held.get(self.unknown.base, self.unknown.base)
        return {name} & case.columns.keys()
