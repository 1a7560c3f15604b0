"""Every legal layout of a question that leaves parts of it open: what each part may be, and the rules between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from . import legal
from .case import Case
from .enumeration import Choices, Facts, Layouts, Mask, Places, Values, firsts, opened, size_of, spread
from .formulas.activations import RECOMPUTE

# What a layout may choose among; a part that the question gives is not chosen.
CHOICES: Mapping[str, tuple[float, ...]] = {
    "tp": (1, 2, 4, 8),
    "pp": tuple(range(1, 65)),
    "cp": (1, 2, 4, 8, 16),
    "vpp": (1, 2, 3, 4, 8),
    "ep": (1, 2, 4, 8, 16, 32, 64),
    "zero": (1, 3),
    "micro_batch": (1, 2, 4, 8, 16, 32, 64),
    "recompute": (0, 3, 2),
}
# Every part of a layout that a question may leave open.
FREE = frozenset({*CHOICES, "sequence_parallel", "global_batch"})
# Questions whose layouts are tried at a time.
_QUESTIONS = 64
# Sequences up to this length are not worth splitting. [token]
_LONG = 16384.0
# More sequences at a time are worth it only for models so small that a card holds one whole.
_MANY = 8.0
# Powers of two up to here may be the stages of a pipeline whose layers they do not divide.
_DEEP = 32.0
# An assumed batch grows to so many times the usual one at most that every replica has work, as those on record do;
# beyond that only where no layout has fewer replicas, and then hardly more.
GROWTH, _HARDLY = 8.0, 2.0


def layouts(case: Case) -> Layouts:
    """Return every layout that is worth a try for each question, what the question gives of it being fixed.

    Parameters
    ----------
    case
        Columns of shape () or (n,); ``free`` names the parts of the layout that are open.
    """
    found = [facts for asked, choices in _kinds(case) for facts in _each(case, asked, choices)]
    asked = np.concatenate([facts.asked for facts in found])
    order = np.argsort(asked, kind="stable")
    columns = {name: np.concatenate([facts.parts[name] for facts in found])[order] for name in found[0].parts}
    return Layouts(asked[order], columns)


def _each(case: Case, asked: Places, choices: Choices) -> Iterator[Facts]:
    """Yield the layouts of some questions; where none on all cards divides the batch, those that leave some idle."""
    found = _tried(case, asked, choices)
    yield found
    if "replicas" in case.free and len(none := np.setdiff1d(asked, found.asked)):
        yield _idling(case, none, choices)


def _idling(case: Case, asked: Places, choices: Choices) -> Facts:
    """Return layouts of which so many replicas work as share out the batch in no more rounds than all of them would.

    A round is a micro-batch of each replica, or as many as stages where they are interleaved. The rest is idle.
    """
    facts = _tried(case, asked, choices._replace(rules=_IDLING))
    share = facts.least_share
    rounds = np.ceil(facts["global_batch"] / (share * facts.replicas))
    working = np.ceil(facts["global_batch"] / (share * rounds))
    found = Facts(case, facts.asked, {**facts.parts, "replicas": working})
    return found.take(legal.experts(found))


def loose(case: Case) -> tuple[Values, Values]:
    """Return the cards of a replica, and the sequences of its smallest step, of layouts that may leave cards idle."""
    open_ = replace(case.with_columns({"replicas": np.array(np.inf)}), free=case.free | {"replicas"})
    facts = [_idling(open_, asked, choices) for asked, choices in _kinds(open_)]
    return (
        np.concatenate([each.replica for each in facts]),
        np.concatenate([each.least_share for each in facts]),
    )


def _kinds(case: Case) -> Iterator[tuple[Places, Choices]]:
    """Yield the questions in groups of one kind: with long sequences or short ones, with experts or without."""
    size = size_of(case)
    long, sparse = (
        np.broadcast_to(np.asarray(case.columns[name]), size) > bound
        for name, bound in (("seq", _LONG), ("experts", 0))
    )
    for key in ((False, False), (False, True), (True, False), (True, True)):
        members = np.flatnonzero((long == key[0]) & (sparse == key[1]))
        for start in range(0, len(members), _QUESTIONS):
            yield members[start : start + _QUESTIONS], _usual(case, long=key[0], sparse=key[1])


def _usual(case: Case, *, long: bool, sparse: bool) -> Choices:
    """Return what is worth a try: one value of a part where no other makes sense."""
    few: dict[str, tuple[float, ...]] = {} if long else {"cp": (1.0,)}
    few |= {} if sparse else {"ep": (1.0,)}
    if np.any(np.asarray(case.columns["unfused"]) > 0):
        few["recompute"] = tuple(range(len(RECOMPUTE)))
    options = {
        name: partial(_among, values=np.array(few.get(name, values), dtype=np.float64))
        for name, values in CHOICES.items()
    }
    return Choices(options, _RULES, _grown)


def _among(_facts: Facts, values: Values) -> Values:
    return values


def _tried(case: Case, asked: Places, choices: Choices) -> Facts:
    """Return the layouts of some questions, and set what follows from the degrees."""
    (facts,) = opened(Facts(case, asked, {}), choices)
    derived = {"global_batch": facts.batch} if facts.open("global_batch") else {}
    if facts.open("replicas"):
        derived["replicas"] = np.full(facts.asked.shape, np.inf)
    if facts.open("sequence_parallel"):
        derived["sequence_parallel"] = np.where(facts["tp"] > 1, 1.0, 0.0)
    return Facts(case, facts.asked, {**facts.parts, **derived})


def _depth(facts: Facts) -> Mask:
    """Stages that the layers divide into, or that are a power of two."""
    stages = facts["pp"]
    power = (np.exp2(np.round(np.log2(stages))) == stages) & (stages <= _DEEP)
    return legal.depth(facts) & (power | facts.even(stages) | (not facts.open("pp")))


def _degrees(facts: Facts) -> Mask:
    """Tensor ranks within a node."""
    return legal.degrees(facts) & ((facts["tp"] <= facts["per_node"]) | (not facts.open("tp")))


def _sharding(facts: Facts) -> Mask:
    """Weights are sharded without a pipeline: each stage would gather them for every micro-batch."""
    return (facts["zero"] < 3) | (facts["pp"] == 1) | (not facts.open("zero", "pp"))


def _batches(facts: Facts) -> Mask:
    """Whole micro-batches, and no more sequences at a time than are worth it."""
    return _few(facts) & legal.batches(facts)


def _few(facts: Facts) -> Mask:
    return (facts["micro_batch"] <= _MANY) | (facts.replica <= 1.0) | (not facts.open("micro_batch"))


def _loose(facts: Facts) -> Mask:
    """Tensor ranks within a node, however many cards are idle."""
    return legal.even(facts) & ((facts["tp"] <= facts["per_node"]) | (not facts.open("tp")))


def _at_once(facts: Facts) -> Mask:
    """No more sequences at a time than there are, nor than are worth it."""
    return _few(facts) & (facts["micro_batch"] <= facts["global_batch"])


def _grown(facts: Facts) -> Mask:
    """An assumed batch grows to what gives every replica work, within bounds."""
    least = facts.least_batch
    if not facts.open("global_batch") or not len(least):
        return least > 0
    fewest = spread(np.minimum.reduceat(least, firsts(facts.asked)), facts.asked)
    return least <= np.maximum(facts["global_batch"] * GROWTH, fewest * _HARDLY)


# The rule that holds once a part of the layout is known, by the part, in the order in which they are opened.
_RULES: Mapping[str, Callable[[Facts], Mask]] = {
    "pp": _depth,
    "cp": _degrees,
    "vpp": legal.stages,
    "ep": legal.experts,
    "zero": _sharding,
    "micro_batch": _batches,
}
# The same where cards may be idle.
_IDLING: Mapping[str, Callable[[Facts], Mask]] = {**_RULES, "cp": _loose, "micro_batch": _at_once}
