"""Which layouts are legal, and that the values a fault names are legal themselves."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimator import Presets, QuestionError, Run
from estimator.lower import legal, lower

ROWS = Path(__file__).resolve().parents[2] / "presets" / "measurements" / "throughput.csv"
PRESETS = Presets()
DENSE, SPARSE = "llama-65b", "deepseek-v3"
SHAPES = {  # layers, heads, key-value heads, feed-forward width, experts
    "llama-65b": (80, 64, 64, 22016, 0),
    "llama-3.1-405b": (126, 128, 8, 53248, 0),
    "deepseek-v3": (61, 128, 128, 18432, 256),
}


def told(**question: Any) -> list[str]:
    """The faults of a question, none where it is sound."""
    try:
        lower(Run.read(question, PRESETS), PRESETS)
    except QuestionError as error:
        return list(error.faults)
    return []


def test_the_shapes_here_are_those_on_record() -> None:
    names = ("layers", "heads", "kv_heads", "ffn", "experts")
    for model, shape in SHAPES.items():
        columns = lower(Run.read({"model": model}, PRESETS), PRESETS).columns
        assert tuple(columns[name] for name in names) == shape


FAULTS = {
    "heads": (
        {"model": DENSE, "tp": 48},
        "--tp: 48 does not divide the 64 heads of llama-65b; the nearest legal ones are 32 and 64",
        "--tp: 48 does not divide the feed-forward width 22,016 of llama-65b; "
        "the nearest legal ones are 32 and 64",
    ),
    "stages": (
        {"model": DENSE, "pp": 100, "count": 1600},
        "--pp: 100 stages are more than the 80 layers of llama-65b; the nearest legal one is 80",
    ),
    "chunks": (
        {"model": DENSE, "pp": 16, "vpp": 6, "count": 1024},
        "--vpp: 16 stages of 6 chunks are more than the 80 layers of llama-65b, embedding and head; "
        "the nearest legal one is 5; or --pp 8",
    ),
    "chunks without stages": (
        {"model": DENSE, "vpp": 4, "count": 24},
        "--vpp: 4 chunks a stage interleave a pipeline, and without --pp there is none; "
        "the nearest legal one is 1; or --pp 2",
    ),
    "context": (
        {"model": DENSE, "cp": 3, "seq": 2048},
        "--cp: 3 does not divide the sequence of 2,048 tokens; the nearest legal ones are 2 and 4",
    ),
    "no experts": (
        {"model": DENSE, "ep": 8},
        "--ep: llama-65b has no experts to spread over 8; the nearest legal one is 1",
    ),
    "no experts in a bare size": (
        {"params": "65B", "ep": 8},
        "--ep: this model has no experts to spread over 8; the nearest legal one is 1",
    ),
    "experts": (
        {"model": SPARSE, "ep": 48},
        "--ep: 48 does not divide the 256 experts of deepseek-v3; the nearest legal ones are 32 and 64",
    ),
    "experts of a stage": (
        {"model": SPARSE, "ep": 64, "pp": 16, "count": 256},
        "--ep: 64 does not divide the 16 accelerators of a pipeline stage; the nearest legal one is 16; "
        "or --count 1,024",
    ),
    "replicas": (
        {"model": DENSE, "tp": 8, "pp": 3, "count": 1024},
        "--count: 1,024 accelerators do not divide into replicas of 24 (tensor 8 x pipeline 3 x context 1); "
        "the nearest legal ones are 1,008 and 1,032; or --pp 2 or 4",
    ),
    "too few": (
        {"params": "65B", "tp": 8, "pp": 8, "count": 8},
        "--count: 8 accelerators do not divide into replicas of 64 (tensor 8 x pipeline 8 x context 1); "
        "the nearest legal one is 64; or --tp 1; or --pp 1",
    ),
    "nodes": (
        {"model": DENSE, "tp": 8, "pp": 2, "nodes": 3},
        "--nodes: 24 accelerators do not divide into replicas of 16 (tensor 8 x pipeline 2 x context 1); "
        "the nearest legal ones are 2 and 4; or --tp 4; or --pp 1 or 3",
    ),
    "sharding": (
        {"model": DENSE, "shard": 7, "count": 1024},
        "--shard: 7 does not divide the 1,024 data-parallel ranks; the nearest legal ones are 4 and 8",
    ),
    "sharding within a node": (
        {"model": DENSE, "shard": "node", "count": 12},
        "--shard: 8 does not divide the 12 data-parallel ranks; the nearest legal ones are 6 and 12",
    ),
    "micro-batch": (
        {"params": "65B", "micro_batch": 8, "global_batch": 4},
        "--micro-batch: 8 is more than the global batch of 4; the nearest legal one is 4",
    ),
    "batch": (
        {"model": DENSE, "tp": 8, "pp": 16, "count": 1024, "global_batch": 100, "micro_batch": 2},
        "--global-batch: 100 sequences do not divide into micro-batches of 2 on 8 replicas; "
        "the nearest legal ones are 96 and 112",
    ),
    "micro-batch in a batch": (
        {"model": DENSE, "tp": 8, "pp": 16, "count": 1024, "global_batch": 64, "micro_batch": 3},
        "--global-batch: 64 sequences do not divide into micro-batches of 3 on 8 replicas; "
        "the nearest legal ones are 48 and 72; or --micro-batch 2 or 4",
    ),
    "interleaving": (
        {"model": DENSE, "tp": 8, "pp": 16, "vpp": 2, "count": 1024, "global_batch": 1000},
        "--global-batch: 125 micro-batches a replica are no multiple of the 16 stages, as interleaving needs "
        "(Narayanan et al. 2021, Section 2.2); the nearest legal ones are 896 and 1,024",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_name_the_nearest_legal_values(name: str) -> None:
    question, *faults = FAULTS[name]
    assert told(**question) == faults


def test_key_value_heads_divide_or_are_divided() -> None:
    assert told(model="llama-3.1-405b", tp=4) == told(model="llama-3.1-405b", tp=32) == []
    facts = {**FACTS, "heads": 96.0, "kv_heads": 8.0, "tp": 12.0}
    assert legal.faults(facts, "a model") == [
        "--tp: neither divides 12 the 8 key-value heads of a model nor do they divide it; "
        "the nearest legal ones are 8 and 16"
    ]


def test_all_faults_are_told_at_once() -> None:
    faults = told(model=DENSE, tp=6, cp=3, ep=2, seq=4096, on="a100", count=100, precision="fp8")
    assert [fault.split(":")[0] for fault in faults] == [
        "--precision", "--tp", "--tp", "--cp", "--ep", "--count"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "question",
    [
        {
            "model": "llama-3.1-405b",
            "tp": 8,
            "pp": 16,
            "vpp": 8,
            "count": 1024,
        },  # with embedding and head 128
        {"model": "llama-3.1-405b", "tp": 8, "pp": 16, "count": 16384, "global_batch": 2048},
        {"model": DENSE, "tp": 16, "count": 64},  # beyond the node of eight
        {"model": DENSE, "count": 1000, "global_batch": 1536},  # no layout is given: none to be at fault
        {"params": "65B", "tp": 8, "pp": 16, "count": 1024},  # 79.8 layers and 63.9 heads are nobody's fault
        {"model": DENSE, "shard": 4096, "count": 1024},  # as many as there are
        {"model": DENSE, "tp": 8, "pp": 16},  # the count is found later
    ],
)
def test_what_is_legal(question: dict[str, Any]) -> None:
    assert told(**question) == []


FACTS = {
    **dict.fromkeys(("tp", "pp", "vpp", "cp", "ep", "micro_batch", "chosen"), 1.0),
    **dict.fromkeys(("layers", "heads", "kv_heads", "ffn", "experts", "seq", "count", "global_batch"), math.nan),
    "node_shard": 0.0, "by_node": 0.0, "ulysses": 0.0, "shard": math.inf, "zero": 1.0, "per_node": 8.0,
}  # fmt: skip


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, Any]:
    """A legal layout of a recorded model, every input given."""
    model = draw(st.sampled_from(sorted(SHAPES)))
    layers, heads, kv_heads, ffn, experts = SHAPES[model]
    tp = draw(st.sampled_from([each for each in (1, 2, 4, 8, 16) if ffn % each == 0]))
    assert heads % tp == 0
    assert kv_heads % tp == 0 or tp % kv_heads == 0
    pp = draw(st.integers(1, layers))
    vpp = draw(st.integers(1, (layers + 2) // pp)) if pp > 1 else 1
    cp, data = draw(st.sampled_from([1, 2, 4, 8])), draw(st.integers(1, 64))
    ranks = math.gcd(experts, tp * cp * data) if experts else 1
    ep = draw(st.sampled_from([int(each) for each in legal.divisors(float(ranks))]))
    shard = draw(st.sampled_from(["all", *(int(each) for each in legal.divisors(float(cp * data)))]))
    micro_batch, pieces = draw(st.integers(1, 8)), draw(st.integers(1, 40)) * (pp if vpp > 1 else 1)
    return {
        "model": model, "tp": tp, "pp": pp, "vpp": vpp, "cp": cp, "ep": ep, "count": tp * pp * cp * data,
        "shard": shard, "micro_batch": micro_batch, "global_batch": micro_batch * pieces * data, "seq": 4096,
        "zero": draw(st.sampled_from([0, 1, 2, 3, "fsdp"])),
    }  # fmt: skip


@given(layouts())
@settings(deadline=None)
def test_every_legal_layout_is_accepted(question: dict[str, Any]) -> None:
    assert told(**question) == []


SPOILT = st.dictionaries(
    st.sampled_from(["tp", "pp", "vpp", "cp", "ep", "count", "shard", "micro_batch", "global_batch"]),
    st.integers(1, 300),
    min_size=1,
    max_size=2,
)


@given(layouts(), SPOILT, st.booleans())
@settings(deadline=None, max_examples=150)
def test_named_values_mend_their_fault_and_break_nothing(
    question: dict[str, Any], spoilt: dict[str, int], by_node: bool
) -> None:
    asked = {**question, **spoilt}
    if by_node:
        asked["nodes"] = max(1, asked.pop("count") // 8)
    faults = told(**asked)
    assume(faults)
    for fault in faults:
        for name, value in named(fault):
            after = told(**{**asked, name: value})
            assert len(after) < len(faults), (fault, name, value, after)
            assert not any(each.startswith(spelt(name)) for each in after)


def spelt(name: str) -> str:
    return f"--{name.replace('_', '-')}:"


def named(fault: str) -> list[tuple[str, str]]:
    """Every input and value that a fault names as legal."""
    option, _, text = fault.partition(": ")
    _, *tails = text.split("; ")
    found: list[tuple[str, str]] = []
    for tail in tails:
        other = re.match(r"or --([a-z-]+) ", tail)
        name = (other[1] if other else option.removeprefix("--")).replace("-", "_")
        found += [(name, value) for value in re.findall(r"(?<![\w-])\d[\d,]*", tail)]
    return found


@given(st.integers(1, 96), st.sampled_from([12, 40, 64, 71, 96]), st.sampled_from([1, 8, 64]))
def test_no_nearer_value_would_do(tp: int, heads: int, kv_heads: int) -> None:
    facts = {**FACTS, "heads": float(heads), "kv_heads": float(kv_heads), "ffn": heads * 32.0}

    def _sound(value: int) -> bool:
        return not legal.faults({**facts, "tp": float(value)}, "a model")

    faults = legal.faults({**facts, "tp": float(tp)}, "a model")
    assume(faults)
    below = next((str(each) for each in range(tp - 1, 0, -1) if _sound(each)), None)
    above = next((str(each) for each in range(tp + 1, heads + 1) if _sound(each)), None)
    assert [value for _, value in named(faults[0])] == [each for each in (below, above) if each]


def test_a_count_far_from_every_legal_one_is_found() -> None:
    """With a batch the replicas must divide it, and there are few of them: their divisors are tried."""
    (fault,) = told(model=DENSE, tp=8, count=8_000_008, global_batch=1024)
    assert fault == (
        "--global-batch: 1,024 sequences do not divide into micro-batches of 1 on 1,000,001 replicas; "
        "the nearest legal one is 1,000,001"
    )
    (fault,) = told(model=DENSE, tp=8, count=8_000_001, global_batch=1024)
    assert fault.endswith("the nearest legal one is 8,192")


# What the sources print of these cannot have run: 8 accelerators hold no replica of 16, and 64 expert ranks do not
# lie in a stage of 32; of one the batch was read off a template.
IMPOSSIBLE = {"asc-rc3-19", "asc-rc3-55b", "asc-rc3-64b", "asc-rc2-35", "nv0489", "tpu-rec-06"}
COLUMNS = {
    "count": "n_accelerators", "layers": "n_layers", "heads": "n_heads", "kv_heads": "n_kv_heads",
    "ffn": "ffn_hidden", "experts": "n_experts", "seq": "seq_len", "global_batch": "global_batch_seqs",
    "micro_batch": "micro_batch", "tp": "tp", "pp": "pp", "vpp": "vpp", "cp": "cp", "ep": "ep",
}  # fmt: skip


def test_layouts_that_were_measured_are_legal() -> None:
    with ROWS.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["complete"] == "full"]
    illegal = {row["id"] for row in rows if legal.faults(facts_of(row), "a model")}
    assert illegal == IMPOSSIBLE
    assert len(rows) > 800


def facts_of(row: dict[str, str]) -> dict[str, float]:
    given = {name: float(row[column]) for name, column in COLUMNS.items() if row[column]}
    return {**FACTS, **given}
