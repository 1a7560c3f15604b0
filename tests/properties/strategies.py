"""Questions and cases for the property tests."""

from __future__ import annotations

from hypothesis import strategies as st

parameters = st.floats(1e6, 1e13)
tokens = st.floats(1e6, 1e15)
counts = st.integers(1, 100_000)
shares = st.floats(0.01, 1.0)
accelerators = st.sampled_from(
    ["nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb", "huawei-ascend-910b2", "google-tpu-v4"]
)
optimizers = st.sampled_from(["adamw", "sgd", "lomo", "adafactor", "galore", "muon", "adam-8bit"])

questions = st.fixed_dictionaries(
    {"params": parameters, "tokens": tokens, "count": counts, "on": accelerators, "optimizer": optimizers},
    optional={"mfu": shares, "goodput": shares, "scaling_efficiency": shares, "pue": st.floats(1.0, 3.0)},
)
