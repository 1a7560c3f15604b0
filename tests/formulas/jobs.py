"""Steps for tests of the step time: one card of round numbers, coefficients made by hand, and steps drawn at random."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from estimator.formulas.example import example_job
from estimator.formulas.job import Coefficients, Job
from estimator.formulas.step_time import modelled_step_time

# Every coefficient at work, none of them fitted: a test of formulas rests on no record.
TYPICAL = {
    "product_efficiency": 0.75, "product_traffic": 2.0, "product_wave": 2.0**19, "attention_efficiency": 0.5,
    "ring_latency": 2.0**-19,
    "score_traffic": 7.0, "norm_traffic": 40.0, "activation_traffic": 16.0, "logit_traffic": 20.0,
    "expert_efficiency": 0.75, "expert_half": 256.0, "router_time": 2.0**-8, "layer_time": 2.0**-13,
    "accumulation_traffic": 8.0, "tensor_use": 0.875, "tensor_latency": 2.0**-14, "tensor_gain": 0.25,
    "context_use": 0.5, "expert_use": 1.25, "pipeline_use": 0.25, "bubble_use": 0.9375, "head_imbalance": 0.75,
    "sharding_use": 3.0, "gradient_use": 0.375, "optimizer_traffic": 48.0, "step_overhead": 2.0**-4,
    "straggling": 2.0**-8, "misfit": 0.25, "software_gain": 2.0**-6, "slowness": 1.125,
}  # fmt: skip
assert TYPICAL.keys() == set(Coefficients._fields)


def typical(**given: Any) -> Job:
    """A step with every coefficient at work."""
    return example_job(**{**TYPICAL, **given})


def total(job: Job) -> float:
    """The time of a step."""
    return float(modelled_step_time(job).total)


def parts(job: Job) -> dict[str, float]:
    """The time of a step by part."""
    return {name: float(part) for name, part in modelled_step_time(job).parts.items()}


def power(most: int) -> st.SearchStrategy[float]:
    """A power of two."""
    return st.integers(0, most).map(lambda exponent: 2.0**exponent)


@st.composite
def models(draw: st.DrawFn) -> dict[str, float]:
    """Dimensions of a small model: dense or with experts, windows, grouped keys, latents or an encoder."""
    heads = draw(power(5))
    layers = draw(st.integers(1, 6)) * 8.0
    experts = draw(st.sampled_from([0.0, 0.0, 8.0, 32.0]))
    latent = draw(st.sampled_from([0.0, 0.0, 64.0]))
    return {
        "layers": layers, "hidden": heads * 64.0, "heads": heads, "kv_heads": heads / draw(st.sampled_from([1, 2, 4])),
        "head_dim": draw(st.sampled_from([64.0, 80.0, 100.0])), "ffn": draw(st.integers(1, 8)) * heads * 32.0,
        "gated": draw(st.sampled_from([0.0, 1.0])), "vocab": draw(st.sampled_from([0.0, 1000.0, 32000.0])),
        "tied": draw(st.sampled_from([0.0, 1.0])),
        "experts": experts, "experts_per_token": min(experts, draw(st.sampled_from([1.0, 2.0, 8.0]))),
        "expert_ffn": (experts > 0) * 256.0, "shared_ffn": (experts > 0) * draw(st.sampled_from([0.0, 512.0])),
        "moe_layers": (experts > 0) * (layers - draw(st.sampled_from([0.0, 1.0]))),
        "kv_rank": latent, "q_rank": latent, "rope_dim": latent / 2.0,
        "window": draw(st.sampled_from([0.0, 0.0, 128.0, 1e6])), "window_layers": draw(st.sampled_from([layers, 4.0])),
        "encoder_layers": draw(st.sampled_from([0.0, 0.0, 0.0, layers])),
    }  # fmt: skip


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, float]:
    """A layout of whole replicas and micro-batches; weights are sharded only without a pipeline."""
    tp, pp, cp, data = draw(power(3)), draw(power(3)), draw(power(3)), draw(power(5))
    micro = draw(st.sampled_from([1.0, 2.0]))
    return {
        "tp": tp, "pp": pp, "cp": cp, "ep": draw(power(3)), "count": tp * pp * cp * data, "per_node": 8.0,
        "vpp": draw(st.sampled_from([1.0, 2.0, 4.0])) if pp > 1 else 1.0,
        "zero": draw(st.sampled_from([0.0, 1.0, 2.0] if pp > 1 else [0.0, 1.0, 2.0, 3.0])),
        "shard": draw(st.sampled_from([math.inf, 1.0, 4.0])), "sequence_parallel": draw(st.sampled_from([0.0, 1.0])),
        "micro_batch": micro, "global_batch": micro * data * draw(st.integers(1, 16)),
        "recompute": draw(st.sampled_from([0.0, 1.0, 2.0, 3.0])), "unfused": draw(st.sampled_from([0.0, 1.0])),
        "expert_imbalance": draw(st.sampled_from([1.0, 1.0, 1.5])),
    }  # fmt: skip


@st.composite
def machines(draw: st.DrawFn) -> dict[str, float]:
    """A server of eight or a rack of 64, a switch or a full mesh, links of any speed."""
    return {
        "peak": draw(st.floats(1e13, 1e16)), "peak_16bit": draw(st.floats(1e13, 1e15)),
        "memory_bandwidth": draw(st.floats(1e11, 1e13)), "scaleup_bandwidth": draw(st.floats(1e9, 1e12)),
        "scaleout_bandwidth": draw(st.floats(1e8, 1e11)), "scaleup_domain": draw(st.sampled_from([8.0, 64.0])),
        "mesh": draw(st.sampled_from([0.0, 1.0])), "pod": draw(st.sampled_from([8.0, 256.0, math.inf])),
        "oversubscription": draw(st.sampled_from([1.0, 2.0, 8.0])),
    }  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> dict[str, float]:
    """A step: model, layout, machine and the rest."""
    step = {
        "seq": draw(st.sampled_from([256.0, 1024.0, 8192.0])), "year": draw(st.sampled_from([2021.0, 2024.0, 2026.0])),
        "causal": draw(st.sampled_from([0.0, 1.0])), "ulysses": draw(st.sampled_from([0.0, 1.0])),
    }  # fmt: skip
    return {**draw(models()), **draw(layouts()), **draw(machines()), **step}
