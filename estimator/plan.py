"""The layout of a question that gives none: of all that are legal and fit, the fastest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import estimate
from .case import Case
from .formulas.activations import RECOMPUTE
from .lower.layout import described
from .provenance import Origin

Values = np.ndarray[Any, np.dtype[np.float64]]

# What a layout may choose among; a degree that the question gives is not chosen.
_CHOICES: Mapping[str, tuple[float, ...]] = {
    "tp": (1, 2, 4, 8),
    "pp": (1, 2, 4, 8, 16, 32),
    "vpp": (1, 2, 4, 8),
    "cp": (1, 2, 4, 8, 16),
    "ep": (1, 2, 4, 8, 16, 32, 64),
    "zero": (1, 3),
    "micro_batch": (1, 2, 4, 8),
    "recompute": (0, 2),
}
# Sequences up to this length are not worth splitting. [token]
_LONG = 16384.0
# By so much an assumed batch may grow that every replica has work.
_STRETCH = 2.0
# A layout that is faster by less than this share is not worth being more complicated.
_ALIKE = 0.01


def planned(case: Case) -> Case:
    """Return the case with the layout that it leaves open filled in; a case that leaves none open is returned."""
    if not case.free:
        return case
    columns = candidates(case)
    if not len(columns["tp"]):
        return case
    best = _best(case, columns)
    return _filled(case, {name: float(column[best]) for name, column in columns.items()}, len(columns["tp"]))


def candidates(case: Case) -> dict[str, Values]:
    """Return the columns of every legal layout, what the question gives of it being fixed."""
    grids = np.meshgrid(*(_options(case, name) for name in _CHOICES), indexing="ij")
    columns = {name: grid.ravel() for name, grid in zip(_CHOICES, grids, strict=True)}
    for legal in _LEGAL:
        mask = legal(_Facts(case, columns))
        columns = {name: column[mask] for name, column in columns.items()}
    facts = _Facts(case, columns)
    if "sequence_parallel" in case.free:
        columns["sequence_parallel"] = np.where(columns["tp"] > 1, 1.0, 0.0)
    if "global_batch" in case.free:
        step = facts.replicas * columns["micro_batch"]
        columns["global_batch"] = np.maximum(np.round(facts.value("global_batch") / step), 1.0) * step
    return columns


def _options(case: Case, name: str) -> Values:
    """Return what a part of the layout may be: the one given, or what makes sense for this model."""
    given = float(case.columns[name])
    if name not in case.free:
        return np.array([given])
    if name == "cp" and float(case.columns["seq"]) < _LONG:
        return np.array([1.0])
    if name == "ep" and float(case.columns["experts"]) <= 0:
        return np.array([1.0])
    if name == "recompute" and float(case.columns["unfused"]) > 0:
        return np.arange(len(RECOMPUTE), dtype=np.float64)
    return np.array(_CHOICES[name], dtype=np.float64)


class _Facts:
    """What the rules look at: one value for the question, a column for the candidates."""

    def __init__(self, case: Case, columns: Mapping[str, Values]) -> None:
        self.case, self.columns = case, columns

    def value(self, name: str) -> float:
        """A column of the question."""
        return float(self.case.columns[name])

    def whole(self, name: str) -> float:
        """A dimension of the model; of a shape that was only guessed, the nearest power of two."""
        found = self.value(name)
        return found if found == np.floor(found) else float(2 ** np.round(np.log2(max(found, 1.0))))

    def open(self, name: str) -> bool:
        """Tell whether the question leaves it open."""
        return name in self.case.free

    def __getitem__(self, name: str) -> Values:
        return self.columns[name]

    @property
    def replicas(self) -> Values:
        """Data-parallel replicas."""
        return np.maximum(self.value("count") / (self["tp"] * self["pp"] * self["cp"]), 1.0)


def _degrees(facts: _Facts) -> Values:
    """Whole replicas, and the model's dimensions split evenly; tensor ranks within a node."""
    product = facts["tp"] * facts["pp"] * facts["cp"]
    heads = facts.whole("heads") % facts["tp"] == 0
    near = (facts["tp"] <= facts.value("per_node")) | (not facts.open("tp"))
    return (facts.value("count") % product == 0) & heads & near


def _stages(facts: _Facts) -> Values:
    """At least a layer a chunk, stages that divide the layers, and chunks only in a pipeline that is kept full."""
    chunks = facts["pp"] * facts["vpp"]
    if not (facts.open("pp") or facts.open("vpp")):
        return chunks > 0
    layers = facts.whole("layers")
    # Embedding and head may count as a layer each.
    even = (layers % chunks == 0) | ((layers + 2.0) % chunks == 0)
    interleaved = (facts["pp"] > 1) & even
    return (chunks <= layers + 2.0) & ((facts["vpp"] == 1) | interleaved)


def _sharding(facts: _Facts) -> Values:
    """Weights are sharded without a pipeline: each stage would gather them for every micro-batch."""
    return (facts["zero"] < 3) | (facts["pp"] == 1) | (not facts.open("zero"))


def _experts(facts: _Facts) -> Values:
    """Expert ranks divide the experts and lie within the ranks of a stage."""
    experts = facts.value("experts")
    if experts <= 0:
        return facts["ep"] > 0
    ranks = facts["tp"] * facts["cp"] * facts.replicas
    return (experts % facts["ep"] == 0) & (ranks % facts["ep"] == 0)


def _batches(facts: _Facts) -> Values:
    """Every replica gets whole micro-batches, and an interleaved pipeline a multiple of its stages."""
    step = facts.replicas * facts["micro_batch"]
    if facts.open("global_batch"):
        count = np.maximum(np.round(facts.value("global_batch") / step), 1.0)
        small = step <= facts.value("global_batch") * _STRETCH
    else:
        count, small = facts.value("global_batch") / step, facts.value("global_batch") % step == 0
    return small & ((facts["vpp"] == 1) | (count % facts["pp"] == 0))


_LEGAL = (_degrees, _stages, _sharding, _experts, _batches)


def _best(case: Case, columns: Mapping[str, Values]) -> int:
    """Return the place of the fastest layout that fits, the simplest of those alike; else of the smallest one."""
    found = estimate.evaluate(case.with_columns(columns))
    size = len(columns["tp"])
    speed = np.broadcast_to(
        np.asarray(found.case.columns["global_batch"]) / found.values["modelled_time"], size
    )
    memory = np.broadcast_to(np.asarray(found.values["memory"]), size)
    fits = memory <= float(case.columns["memory_usable"])
    if not np.any(fits):
        return int(np.argmin(np.where(np.isnan(memory), np.inf, memory)))
    fast = np.where(fits & ~np.isnan(speed), speed, 0.0)
    alike = np.flatnonzero(fast >= fast.max() * (1.0 - _ALIKE))
    return int(alike[np.argmin(_complication(columns)[alike])])


def _complication(columns: Mapping[str, Values]) -> Values:
    """Rank layouts by how much there is to them: degrees beyond one, then recomputation and small batches."""
    degrees = [np.log2(columns[name]) for name in ("tp", "pp", "vpp", "cp", "ep")]
    return sum(degrees, np.zeros(())) + 0.1 * columns["recompute"] - 0.01 * columns["micro_batch"]


def _filled(case: Case, chosen: Mapping[str, float], tried: int) -> Case:
    """Put the chosen layout into the case, with its origin and its words."""
    reason = f"the fastest of {tried:,} legal layouts that fit"
    filled = case.with_columns({name: np.float64(value) for name, value in chosen.items()})
    origins = {name: _origin(case, name, reason) for name in case.free & chosen.keys()}
    words = {
        **case.words,
        "sharding": described(filled.columns),
        "recompute": RECOMPUTE[int(chosen["recompute"])],
    }
    return replace(filled, origins={**case.origins, **origins, **_word_origins(case, reason)}, words=words)


# What is listed one by one; the degrees are told together, as a word.
_LISTED = ("micro_batch", "recompute")


def _origin(case: Case, name: str, reason: str) -> Origin:
    if name == "global_batch":
        return case.origins[name]
    kind = "assumed" if name in _LISTED else "derived"
    return Origin(kind, reason, option=_option(name))


def _word_origins(case: Case, reason: str) -> dict[str, Origin]:
    named: Sequence[str] = ["sharding"] if case.free & set(_CHOICES) else []
    return {name: Origin("assumed", reason, option="--tp") for name in named}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
