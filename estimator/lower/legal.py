"""What is legal about a layout: every rule once, and the nearest values that keep all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..inputs.run import option

# Columns of a case by name, as floats: degrees, batches, dimensions of the model; NaN where one is not known.
Facts = Mapping[str, float]
# Embedding and head may stand for a layer each (Megatron's account_for_embedding_in_pipeline_split).
_ENDS = 2.0


@dataclass(frozen=True)
class Rule:
    """What an input must keep, what is said where it does not, and other inputs that may mend it."""

    name: str
    kept: Callable[[Facts], bool]
    fault: str
    others: tuple[str, ...] = ()


def divides(part: float, whole: float) -> bool:
    """Tell whether a number divides another; one that is not known is taken to do.

    Examples
    --------
    >>> divides(8.0, 64.0), divides(6.0, 64.0), divides(6.0, float("nan"))
    (True, False, True)
    """
    return not whole % part > 0


# In the order in which faults are told; a rule on numbers that another rule has broken is taken as kept.
RULES: tuple[Rule, ...] = (
    Rule("tp", lambda f: divides(f["tp"], f["heads"]), "{tp} does not divide the {heads} heads of {model}"),
    Rule(
        "tp",
        lambda f: (
            f["kv_heads"] == f["heads"]  # told already
            or divides(f["tp"], f["kv_heads"])
            or divides(f["kv_heads"], f["tp"])
        ),
        "neither divides {tp} the {kv_heads} key-value heads of {model} nor do they divide it",
    ),
    Rule(
        "tp",
        lambda f: divides(f["tp"], f["ffn"]),
        "{tp} does not divide the feed-forward width {ffn} of {model}",
    ),
    Rule(
        "pp",
        lambda f: not f["pp"] > f["layers"],
        "{pp} stages are more than the {layers} layers of {model}",
    ),
    Rule(
        "vpp",
        lambda f: f["vpp"] == 1.0 or f["pp"] > 1.0,
        "{vpp} chunks a stage interleave a pipeline, and without --pp there is none",
        ("pp",),
    ),
    Rule(
        "vpp",
        lambda f: f["vpp"] == 1.0 or not f["pp"] * f["vpp"] > f["layers"] + _ENDS,
        "{pp} stages of {vpp} chunks are more than the {layers} layers of {model}, embedding and head",
        ("pp",),
    ),
    Rule("cp", lambda f: divides(f["cp"], f["seq"]), "{cp} does not divide the sequence of {seq} tokens"),
    Rule(
        "cp",
        lambda f: (
            f["ulysses"] == 0.0
            or not divides(f["tp"], f["heads"])  # told already
            or divides(f["cp"] * f["tp"], f["heads"])
        ),
        "{cp} context ranks that each take whole heads (--context ulysses) do not divide the {heads} heads of "
        "{model}, split over tensor {tp}",
    ),
    Rule("ep", lambda f: f["ep"] == 1.0 or f["experts"] != 0.0, "{model} has no experts to spread over {ep}"),
    Rule(
        "ep",
        lambda f: divides(f["ep"], f["experts"]),
        "{ep} does not divide the {experts} experts of {model}",
    ),
    Rule(
        "count",
        lambda f: divides(f["replica"], f["count"]),
        "{count} accelerators do not divide into replicas of {replica} "
        "(tensor {tp} x pipeline {pp} x context {cp})",
        ("tp", "pp", "cp"),
    ),
    Rule(
        "ep",
        lambda f: f["experts"] == 0.0 or divides(f["ep"], f["stage"]),
        "{ep} does not divide the {stage} accelerators of a pipeline stage",
        ("count",),
    ),
    Rule(
        "shard",
        lambda f: f["shard"] >= f["group"] or divides(f["shard"], f["group"]),
        "{shard} does not divide the {group} data-parallel ranks",
    ),
    Rule(
        "micro_batch",
        lambda f: not f["micro_batch"] > f["global_batch"],
        "{micro_batch} is more than the global batch of {global_batch}",
    ),
    Rule(
        "global_batch",
        lambda f: (
            f["micro_batch"] > f["global_batch"] or divides(f["micro_batch"] * f["data"], f["global_batch"])
        ),
        "{global_batch} sequences do not divide into micro-batches of {micro_batch} on {data} replicas",
        ("micro_batch",),
    ),
    Rule(
        "global_batch",
        lambda f: f["vpp"] == 1.0 or divides(f["pp"], f["pieces"]),
        "{pieces} micro-batches a replica are no multiple of the {pp} stages, as interleaving needs "
        "(Narayanan et al. 2021, Section 2.2)",
    ),
)


def derived(facts: Facts) -> dict[str, float]:
    """Add what follows from the degrees; a quotient that is not whole is not known.

    ``replica`` accelerators of one copy of the model, ``data`` replicas, ``stage`` accelerators of a pipeline
    stage, ``group`` ranks that states can be sharded over, ``pieces`` micro-batches of a replica.
    """
    replica = facts["tp"] * facts["pp"] * facts["cp"]
    data = _quotient(facts["count"], replica) if facts["chosen"] else math.nan
    group = data * facts["cp"]
    pieces = _quotient(facts["global_batch"], facts["micro_batch"] * data)
    more = {"replica": replica, "data": data, "group": group, "stage": group * facts["tp"], "pieces": pieces}
    return {**facts, **more, "shard": within_node(facts) if facts["node_shard"] else facts["shard"]}


def within_node(facts: Facts) -> float:
    """Return the data-parallel ranks of one node: what tensor parallelism leaves of its accelerators."""
    return max(1.0, facts["per_node"] // facts["tp"])


def _quotient(whole: float, part: float) -> float:
    return whole / part if whole % part == 0.0 else math.nan


def faults(facts: Facts, model: str) -> list[str]:
    """Return what is illegal, each with the nearest legal values of the input that is named.

    Parameters
    ----------
    facts
        Columns of the case, and four flags: ``chosen`` 1 where degrees are given, ``node_shard`` 1 where
        states are sharded within a node, ``by_node`` 1 where nodes are given and not accelerators, ``ulysses``
        1 where context ranks exchange heads.
    model
        What the model is called.
    """
    known = derived(facts)
    shown = {name: f"{value:,.0f}" for name, value in known.items()}
    return [
        f"{_spelt(rule.name, facts)}: {rule.fault.format(**shown, model=model)}{_remedy(rule, known)}"
        for rule in _broken(known)
    ]


def _broken(facts: Facts) -> list[Rule]:
    known = derived(facts)
    return [rule for rule in RULES if not rule.kept(known)]


def _spelt(name: str, facts: Facts) -> str:
    return option("nodes" if name == "count" and facts["by_node"] else name)


def _remedy(rule: Rule, facts: Facts) -> str:
    """Name the nearest legal values of the input that is at fault, and of others that would mend it."""
    values = nearest(rule.name, rule, facts)
    ones = "ones are" if len(values) > 1 else "one is"
    own = [f"the nearest legal {ones} {' and '.join(values)}"] if values else []
    mends = {name: nearest(name, rule, facts) for name in rule.others}
    others = [f"or {_spelt(name, facts)} {' or '.join(found)}" for name, found in mends.items() if found]
    return "".join(f"; {text}" for text in own + others)


def nearest(name: str, rule: Rule, facts: Facts) -> list[str]:
    """Return the nearest values of an input, below and above, that mend a rule and break no other."""
    before = set(_broken(facts)) - {rule}

    def _mends(value: float) -> bool:
        after = _broken({**facts, "node_shard": facts["node_shard"] * (name != "shard"), name: value})
        return before.issuperset(after) and all(each.name != name for each in after)

    below, above = _candidates(name, facts)
    found = (next(filter(_mends, side), None) for side in (below, above))
    scale = facts["per_node"] if name == "count" and facts["by_node"] else 1.0
    return [f"{value / scale:,.0f}" for value in found if value is not None]


def _candidates(name: str, facts: Facts) -> tuple[Iterable[float], Iterable[float]]:
    """Return values that an input might take, below and above its own, the nearest first."""
    own = facts[name]
    values = sorted(_possible(name, facts))
    return [each for each in reversed(values) if each < own], [each for each in values if each > own]


def _possible(name: str, facts: Facts) -> Iterable[float]:
    """Return values among which the legal ones of an input are."""
    if name == "count":
        return _counts(facts)
    if name == "global_batch":
        stages = facts["pp"] if facts["vpp"] > 1.0 else 1.0
        return _multiples(facts["global_batch"], facts["micro_batch"] * facts["data"] * stages)
    if name in ("pp", "vpp") and not math.isnan(facts["layers"]):
        return map(float, range(1, int(facts["layers"] + _ENDS) + 1))
    whole = {"tp": "heads", "cp": "seq", "ep": "experts", "shard": "group", "micro_batch": "global_batch"}
    return divisors(facts.get(whole.get(name, ""), math.nan)) or divisors(facts["count"]) or [1.0]


def _counts(facts: Facts) -> Iterable[float]:
    """Return whole replicas, as many as divide the batch where there is one; whole nodes where those are given."""
    share = divisors(facts["global_batch"] // facts["micro_batch"])
    counts = [facts["replica"] * each for each in share] or _multiples(facts["count"], facts["replica"])
    unit = facts["per_node"] if facts["by_node"] else 1.0
    return [count for count in counts if count % unit == 0.0]


# So many multiples are tried on each side.
_TRIED = 4096


def _multiples(value: float, step: float) -> Iterator[float]:
    if math.isnan(step):
        return
    first = max(1, int(value // step) - _TRIED)
    yield from (step * factor for factor in range(first, first + 2 * _TRIED))


def divisors(whole: float) -> list[float]:
    """Return the divisors of a whole number; none of one that is not known, or of zero.

    Examples
    --------
    >>> sorted(divisors(12.0))
    [1.0, 2.0, 3.0, 4.0, 6.0, 12.0]
    """
    if not 1.0 <= whole < math.inf or whole % 1.0:
        return []
    small = [each for each in range(1, math.isqrt(int(whole)) + 1) if whole % each == 0.0]
    return [float(each) for each in small] + [whole / each for each in small]
