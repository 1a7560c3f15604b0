"""Fit the shape of dense models: width against size, over the recorded public ones; write assumptions/shape.toml.

usage: fit_shapes.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.presets import Presets  # noqa: E402

TEMPLATE = """name = "Shape of a model of which only the size is known"
note = "Fitted by scripts/fit_shapes.py on the recorded dense decoder models; the feed-forward block is gated and 8/3 wide."

[sources.models]
title = "Least squares of log width on log parameters over {n} recorded dense models, presets/models"
publisher = "estimator"

[sources.house]
title = "Assumption of this house"
publisher = "estimator"

[figures]
hidden_coefficient = {{ value = {coefficient:.6f}, source = "models", where = "width = c N^p", kind = "derived" }}
hidden_exponent = {{ value = {exponent:.6f}, source = "models", where = "width = c N^p", kind = "derived" }}
hidden_spread = {{ value = 1, low = {low:.4f}, high = {high:.4f}, source = "models", where = "10th and 90th percentile of width over the fit", kind = "derived" }}
vocab = {{ value = {vocab:.0f}, low = {vocab_low:.0f}, high = {vocab_high:.0f}, source = "models", where = "median vocabulary, 10th and 90th percentile", kind = "derived" }}
head_dim = {{ value = 128, low = 64, high = 256, source = "house", where = "the usual width of a head", kind = "assumed" }}
"""


def render(presets: Presets) -> str:
    models = [
        m
        for m in presets.all("models")
        if "layers" in m.figures and not m.value("experts", 0) and not m.value("encoder_layers", 0)
    ]
    size = np.log(np.array([m.value("parameters") for m in models]))
    width = np.log(np.array([m.value("hidden") for m in models]))
    exponent, intercept = np.polyfit(size, width, 1)
    low, high = np.exp(np.quantile(width - exponent * size - intercept, [0.1, 0.9]))
    vocab = np.quantile(np.array([m.value("vocab") for m in models]), [0.1, 0.5, 0.9])
    return TEMPLATE.format(
        n=len(models),
        coefficient=np.exp(intercept),
        exponent=exponent,
        low=low,
        high=high,
        vocab_low=vocab[0],
        vocab=vocab[1],
        vocab_high=vocab[2],
    )


def main() -> int:
    target = ROOT / "presets" / "assumptions" / "shape.toml"
    text = render(Presets())
    if "--check" in sys.argv:
        same = target.read_text(encoding="utf-8") == text
        print("shape.toml is", "current" if same else "out of date: run scripts/fit_shapes.py")
        return 0 if same else 1
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
