"""Questions of many kinds, and cases with the unknowns that a test gives them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from estimator import Presets, Run, ask
from estimator.arrays import array
from estimator.case import Case, Unknown

QUESTIONS: dict[str, dict[str, Any]] = {
    "size only": {"params": 65e9},
    "small": {"params": 7e9, "on": "h100", "count": 64},
    "record": {"model": "llama-65b", "tokens": "1.4T", "on": "a100-sxm-80gb", "count": 2048},
    "layout": {
        "model": "llama-65b", "on": "a100-sxm-80gb", "count": 2048, "tp": 8, "pp": 4, "micro_batch": 1, "zero": 1,
        "recompute": "full",
    },
    "mixture": {"model": "deepseek-v3", "on": "h800", "count": 2048},
    "ascend": {"params": "70B", "tokens": "1.4T", "on": "ascend-910b", "count": 512},
    "platform": {"params": "4.5e9", "count": 1000, "on": "a100", "platform": "cfff"},
    "adapters": {
        "model": "llama-65b", "samples": "50k", "epochs": 3, "seq": 512, "method": "lora", "on": "h100", "count": 8,
    },
    "four bits": {"params": "7B", "tokens": "1B", "method": "qlora", "on": "rtx-4090", "count": 1},
    "consumer": {
        "model": "llama-65b", "on": "rtx-3090", "count": 8, "seq": 1024, "optimizer": "lomo", "tokens": "1B",
    },
    "deadline": {"params": "13B", "tokens": "2T", "within": "14 days", "on": "b200"},
    "mfu": {"params": "175e9", "tokens": "300B", "on": "v100", "count": 1024, "mfu": "30%"},
    "tpu": {"params": "8B", "on": "tpu-v5e", "count": 256},
    "offload": {
        "params": "13B", "tokens": "10B", "on": "a100", "count": 8, "offload": "all", "recompute": "full",
    },
    "scaling": {"params": "30B", "on": "h100", "count": 4096, "scaling_efficiency": "80%"},
}  # fmt: skip


@cache
def _case(name: str) -> Case:
    return ask(Run(**QUESTIONS[name]), Presets()).case


def one(name: str, low: float, centre: float, high: float) -> tuple[Unknown, float]:
    """An unknown of one column, and the estimate of the column."""
    return Unknown(name, {name: array(low)}, {name: array(high)}), centre


def case_of(name: str, *unknowns: tuple[Unknown, float] | Unknown) -> Case:
    """The case of a question, with unknowns of its own or with those given."""
    case = _case(name)
    if not unknowns:
        return case
    kept = tuple(each if isinstance(each, Unknown) else each[0] for each in unknowns)
    centres = {each[0].name: array(each[1]) for each in unknowns if not isinstance(each, Unknown)}
    return replace(case.with_columns(centres), unknowns=kept)
