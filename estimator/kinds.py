"""The kinds of question that sweeps, draws and solutions ask alike: a run and a fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import estimate
from .answer import ask, with_ranges
from .case import Case
from .estimate import STEPS, Estimate, columns_of
from .inputs import Run
from .inputs.fields import Field
from .inputs.run import FIELDS
from .lower import lower
from .presets import Presets
from .tuples import NamedTuple

if TYPE_CHECKING:
    from .inputs.fleet import FleetQuestion

Asked = Any  # a Run or a FleetQuestion: each kind reads its own and lowers no other


class Kind(NamedTuple):
    """How questions of a kind are read, lowered and evaluated.

    ``axes`` are those of a case, at its front, that evaluating takes away; ``heavy`` how many cells are evaluated at
    once where that is fewer than a processor's cache holds; ``direct`` the inputs that are columns, where the kind
    says so; ``quantities`` what can be asked, ``usual`` what a sweep tells unless more is named, ``shown`` to a person.
    """

    command: str
    fields: Callable[[Mapping[str, Any]], Mapping[str, Field]]
    read: Callable[[Mapping[str, Any], Presets], Asked]
    lower: Callable[[Asked, Presets], Case]
    ask: Callable[[Asked, Presets], Estimate]
    evaluate: Callable[[Case, Iterable[str]], Estimate]
    reads: Callable[[Iterable[str]], frozenset[str]]
    quantities: tuple[str, ...]
    usual: tuple[str, ...]
    shown: tuple[str, ...]
    axes: int = 0
    heavy: int | None = None
    direct: Mapping[str, str] | None = None


def kind_of(given: Mapping[str, Any]) -> Kind:
    """Return the kind of a question by its inputs: what names pools is about a fleet.

    Examples
    --------
    >>> kind_of({"params": "7B"}).command, kind_of({"pools": ["8 x a100"]}).command
    ('train', 'fleet')
    """
    return FLEET if given.get("pools") is not None else RUN


def kind_of_case(case: Case) -> Kind:
    """Return the kind of a question that was lowered: a fleet has a way to be used.

    Examples
    --------
    >>> kind_of_case(Case({})).command
    'train'
    """
    return FLEET if "way" in case.columns else RUN


def written(question: Run | FleetQuestion | Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a question as texts and numbers; those of a mapping as they are."""
    return dict(question) if isinstance(question, Mapping) else {**question.write()}


# What a sweep tells unless quantities are named; `fits` tells whether a run fits on its cards, as 1 or 0.
_RUN = (
    "flops", "memory", "step_time", "mfu", "throughput", "accelerator_hours", "wall_clock", "energy", "carbon", "cost",
    "fits",
)  # fmt: skip


def _run_fields(_given: Mapping[str, Any]) -> Mapping[str, Field]:
    return FIELDS


RUN = Kind(
    "train", _run_fields, Run.read, lower, ask, estimate.evaluate, columns_of,
    quantities=tuple(step.name for step in STEPS), usual=_RUN,
    shown=("wall_clock", "accelerator_hours", "cost", "mfu", "memory", "fits"),
)  # fmt: skip


def _fleet_fields(given: Mapping[str, Any]) -> Mapping[str, Field]:
    from .inputs.fleet import fleet_fields
    from .inputs.pools import pool_inputs

    return fleet_fields(len(pool_inputs(given["pools"])))


def _read_fleet(given: Mapping[str, Any], presets: Presets) -> FleetQuestion:
    from .inputs.fleet import FleetQuestion

    return FleetQuestion.read(given, presets)


def _lower_fleet(question: Asked, presets: Presets) -> Case:
    from .fleets.lowered import lower_fleet

    return lower_fleet(question, presets)


def _evaluate_fleet(case: Case, wanted: Iterable[str] = ()) -> Estimate:
    from .fleets.ways import evaluate_fleet

    return evaluate_fleet(case, wanted)


def _ask_fleet(question: Asked, presets: Presets) -> Estimate:
    return with_ranges(_lower_fleet(question, presets), evaluate=_evaluate_fleet)


# What the steps of a run over several pools, and what stops it, are computed from.
_PACED = ("step_time", "time_at_peak", "throughput", "mtbi", "goodput", "wall_clock")
_FLEET = ("throughput", "wall_clock", "occupied_hours", "energy", "carbon", "cost")


def _fleet_reads(names: Iterable[str]) -> frozenset[str]:
    return columns_of((*names, *_PACED)) | {"overlap"}


FLEET = Kind(
    "fleet", _fleet_fields, _read_fleet, _lower_fleet, _ask_fleet, _evaluate_fleet, _fleet_reads,
    quantities=(*_FLEET, "step_time", "goodput", "memory"), usual=(*_FLEET, "fits"),
    shown=("throughput", "wall_clock", "occupied_hours", "cost", "fits"),
    axes=1, heavy=64, direct={"link": "link", "sync_every": "sync_every"},
)  # fmt: skip
