"""What is legal of layouts, as masks over many: the rules of `lower.legal` that parts left open must keep.

A part that the question gives was checked when the question was lowered, and breaks none.
"""

from __future__ import annotations

import numpy as np

from .enumeration import Facts, Mask

# So large a share of the cards may be idle where the count has few divisors.
_IDLE = 0.01
# Embedding and head may stand for a layer each.
_ENDS = 2.0


def depth(facts: Facts) -> Mask:
    """At least a layer a stage."""
    layers = facts.whole("layers") + facts["encoder_layers"]
    return (facts["pp"] <= layers) | (not facts.open("pp"))


def degrees(facts: Facts) -> Mask:
    """Whole replicas with hardly a card idle; heads, widths and sequences split evenly."""
    return busy(facts) & even(facts)


def busy(facts: Facts) -> Mask:
    """Whole replicas with hardly a card idle."""
    idle = facts["count"] - facts.replicas * facts.replica
    legal = (idle >= 0) & (idle <= _IDLE * facts["count"])
    if facts.open("pp"):
        # A number of stages that is no power of two is worth it only where it divides the cards too.
        legal = legal & ((idle == 0) | (np.exp2(np.round(np.log2(facts["pp"]))) == facts["pp"]))
    return legal


def even(facts: Facts) -> Mask:
    """Heads, widths and sequences that split evenly, in a replica of no more than all cards."""
    legal = facts.replica <= facts["count"]
    if facts.open("tp"):
        legal = legal & _splits(facts)
    if facts.open("tp", "cp"):
        ranks = np.where(facts["ulysses"] > 0, facts["tp"] * facts["cp"], 1.0)
        legal = legal & (facts.whole("heads") % ranks == 0)
    return legal & (facts["seq"] % facts["cp"] == 0) if facts.open("cp") else legal


def _splits(facts: Facts) -> Mask:
    """Tensor ranks that each have as many heads and as much of the feed-forward width."""
    ranks, heads, keys = facts["tp"], facts.whole("heads"), facts.whole("kv_heads")
    shared = (keys % ranks == 0) | (ranks % np.maximum(keys, 1.0) == 0)
    return (heads % ranks == 0) & shared & (facts.whole("ffn") % ranks == 0)


def stages(facts: Facts) -> Mask:
    """At least a layer a chunk, and interleaving only in a pipeline whose chunks are alike."""
    chunks = facts["pp"] * facts["vpp"]
    if not facts.open("pp", "vpp"):
        return chunks > 0
    interleaved = (facts["pp"] > 1) & facts.even(chunks)
    return (facts["vpp"] == 1) | (interleaved & (chunks <= facts.whole("layers") + _ENDS))


def experts(facts: Facts) -> Mask:
    """Expert ranks divide the experts and lie within the ranks of a stage."""
    if not facts.open("ep"):
        return facts["ep"] > 0
    ranks, number = facts["tp"] * facts["cp"] * facts.replicas, facts["experts"]
    return (facts["ep"] == 1) | ((number > 0) & (number % facts["ep"] == 0) & (ranks % facts["ep"] == 0))


def groups(facts: Facts) -> Mask:
    """States are sharded over all data-parallel ranks, or over groups of them that are alike; else over one."""
    if not facts.open("shard", "zero"):
        return facts["zero"] >= 0
    ranks, shard = facts.replicas * facts["cp"], facts["shard"]
    whole = np.where(np.isinf(shard), 1.0, shard)
    return np.isinf(shard) | ((facts["zero"] > 0) & (shard < ranks) & (ranks % whole == 0))


def batches(facts: Facts) -> Mask:
    """Every replica gets whole micro-batches, and an interleaved pipeline a multiple of its stages."""
    if facts.open("global_batch"):
        return facts["micro_batch"] > 0
    return facts.batch % facts.least_batch == 0
