"""Questions whose answers the report tests write, with everything given that calibrations could move."""

from __future__ import annotations

from typing import Any

from estimator import Estimate, Presets, Run, ask

PRESETS = Presets()
GIVEN: dict[str, Any] = {
    "model": "llama-7b", "tokens": "1T", "seq": 2048, "on": "nvidia-a100-sxm-80gb", "count": 64, "mfu": 0.4,
    "price": "2 USD/gpu/hour", "power": "500 W", "pue": 1.1, "optimizer": "adamw", "recompute": "full",
    "precision": "bf16", "grid": "usa", "goodput": 0.9, "scaling_efficiency": 0.95, "micro_batch": 1,
    "currency": "USD", "global_batch": 1024,
}  # fmt: skip


def answer(**changed: Any) -> Estimate:
    """Answer the usual question with some inputs changed; None leaves one out."""
    return ask(Run.read({**GIVEN, **changed}, PRESETS), PRESETS)
