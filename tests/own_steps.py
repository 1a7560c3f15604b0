"""Files of measured steps for tests: what is measured is what is predicted, times a factor."""

from __future__ import annotations

from pathlib import Path

from estimator.estimate import evaluate
from estimator.measured import Table, lower_rows
from estimator.presets import Presets

COLUMNS = (
    "id", "accelerator", "n_accelerators", "model", "seq_len", "precision", "global_batch_seqs", "micro_batch", "tp",
    "pp", "zero_stage", "recompute", "framework",
)  # fmt: skip
Rows = list[dict[str, str]]


def row(name: str, **cells: object) -> dict[str, str]:
    """One dense step on eight A100 nodes; cells replace its own."""
    usual: dict[str, object] = {
        "id": name, "accelerator": "nvidia-a100-sxm-80gb", "n_accelerators": 64, "model": "llama-2-7b",
        "seq_len": 4096, "precision": "bf16", "global_batch_seqs": 512, "micro_batch": 2, "tp": 1, "pp": 1,
        "zero_stage": 1, "recompute": "full", "framework": "Megatron-LM",
    }  # fmt: skip
    return {key: str(value) for key, value in (usual | cells).items()}


def several(count: int, **cells: object) -> Rows:
    """So many different configurations."""
    return [row(f"r{n}", global_batch_seqs=128 * (n + 1), **cells) for n in range(count)]


def predicted(rows: Rows) -> list[float]:
    """Tokens a second of an accelerator that the house predicts for every row."""
    lowered = lower_rows(Table.of(rows), Presets())
    assert not any(lowered.faults)
    return [float(speed) for speed in evaluate(lowered.case).values["throughput_per_accelerator"]]


def text(rows: Rows, factors: float | list[float] = 1.0) -> str:
    """The rows as CSV, each as fast as predicted times its factor."""
    each = factors if isinstance(factors, list) else [factors] * len(rows)
    speeds = [speed * factor for speed, factor in zip(predicted(rows), each, strict=True)]
    lines = [",".join(("tokens_per_s_per_accelerator", *COLUMNS))]
    lines += [
        ",".join((repr(speed), *(cells[name] for name in COLUMNS)))
        for cells, speed in zip(rows, speeds, strict=True)
    ]
    return "\n".join(lines) + "\n"


def file(folder: Path, rows: Rows, factors: float | list[float] = 1.0, name: str = "mine.csv") -> Path:
    """Write the rows to a file."""
    place = folder / name
    place.write_text(text(rows, factors), encoding="utf-8")
    return place
