"""What is fitted: every coefficient with what is known of it beforehand, and the levels that may move it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .rows import Rows, Words


class Prior(NamedTuple):
    """Where a coefficient lies before any row is seen, and how far it may stray, as a standard deviation of its log."""

    value: float
    spread: float
    unit: str = "1"


# What physics and published profiles suggest; the spread is wide where only the fit can tell.
PRIORS = {
    "product_efficiency": Prior(0.72, 0.7), "product_traffic": Prior(2.0, 0.7), "product_wave": Prior(2e6, 0.7),
    "attention_efficiency": Prior(0.35, 0.7), "score_traffic": Prior(7.0, 0.7),
    "norm_traffic": Prior(50.0, 0.7, "byte"), "activation_traffic": Prior(8.0, 0.7, "byte"),
    "logit_traffic": Prior(11.0, 0.7, "byte"), "expert_efficiency": Prior(0.7, 0.7),
    "expert_half": Prior(180.0, 0.7, "token"), "router_time": Prior(4e-3, 0.7, "s"),
    "layer_time": Prior(1e-4, 0.7, "s"), "accumulation_traffic": Prior(10.0, 0.7, "byte"),
    "tensor_use": Prior(1.0, 0.7), "tensor_latency": Prior(1e-4, 0.7, "s"),
    "tensor_gain": Prior(0.1, 0.7), "context_use": Prior(0.5, 0.7), "expert_use": Prior(1.0, 0.7),
    "pipeline_use": Prior(0.2, 0.7), "bubble_use": Prior(1.0, 0.1), "head_imbalance": Prior(0.8, 0.3),
    "sharding_use": Prior(2.0, 0.7), "gradient_use": Prior(0.5, 0.7), "ring_latency": Prior(5e-6, 0.7, "s"),
    "optimizer_traffic": Prior(40.0, 0.7, "byte"),
    "step_overhead": Prior(0.06, 0.7, "s"), "straggling": Prior(2e-3, 0.7), "misfit": Prior(0.25, 0.7),
    "software_gain": Prior(0.04, 0.7),
}  # fmt: skip


class Effect(NamedTuple):
    """A coefficient that differs by the levels of some words; deviations are drawn to none with this spread."""

    coefficient: str
    kinds: tuple[str, ...]
    spread: float

    def levels(self, rows: Rows) -> Words:
        """Return the level of every row, in the form in which the key of a figure writes it; empty where none."""
        words = [rows.words[kind] for kind in self.kinds]
        named = np.array(
            [
                "@".join(f"{kind}={word}" for kind, word in zip(self.kinds, each, strict=True))
                for each in zip(*words, strict=True)
            ]
        )
        return np.where(self._counts(rows), named, "")

    def _counts(self, rows: Rows) -> np.ndarray:
        """Tell on which rows the coefficient bears at all."""
        if self.coefficient == "sharding_use":
            return rows.columns["zero"] >= 3
        if self.coefficient == "expert_efficiency":
            return rows.columns["experts"] > 0
        if self.coefficient == "tensor_use":
            return rows.columns["tp"] > 1
        if self.coefficient == "product_efficiency":
            return np.isin(rows.words["precision"], ("fp8", "mxfp8", "nvfp4"))
        return np.ones(rows.size, dtype=bool)


EFFECTS = (
    Effect("product_efficiency", ("precision",), 0.5),
    Effect("slowness", ("architecture", "precision"), 0.1),
    Effect("slowness", ("accelerator",), 0.1),
    Effect("slowness", ("stack",), 0.1),
    Effect("sharding_use", ("stack",), 0.3),
    Effect("tensor_use", ("stack",), 0.3),
    Effect("expert_efficiency", ("stack",), 0.3),
    Effect("gradient_use", ("stack",), 0.5),
    Effect("attention_efficiency", ("architecture",), 0.3),
    Effect("attention_efficiency", ("stack",), 0.3),
)
