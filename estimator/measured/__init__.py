"""Measured rows: which count, what they measured, and the case that they describe."""

from __future__ import annotations

from .cases import Lowered, lower_rows, throughput_case
from .models import model_of
from .rows import Cells, Measured, measured, number, scorable, stands_in, throughput_of
from .table import Table

__all__ = [
    "Cells", "Lowered", "Measured", "Table", "lower_rows", "measured", "model_of", "number", "scorable",
    "stands_in", "throughput_case", "throughput_of",
]  # fmt: skip
