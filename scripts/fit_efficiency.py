"""Learn MFU per accelerator and precision from the measured rows; write presets/calibrations/efficiency-*.toml.

usage: fit_efficiency.py [--check]

Each configuration counts once (the median of its rows). Where a chip and precision have fewer than `FULL`
configurations their quantiles are widened: with n of them the range is the wider of theirs and of the
architecture's spread about its own median.
"""

from __future__ import annotations

import datetime
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.arrays import array  # noqa: E402
from estimator.errors import EstimatorError  # noqa: E402
from estimator.measured import measured, number  # noqa: E402
from estimator.presets import Presets, read_rows  # noqa: E402

FULL = 10
LOW, HIGH = 0.1, 0.9
PEAKS = {"mxfp8": "fp8", "nvfp4": "fp4"}


def chip_of(name: str, presets: Presets) -> str:
    """The chip that a row names; a family stands for its default bin, and a guess ('b200?') for nothing."""
    try:
        return presets.find("accelerators", name).record.id
    except EstimatorError:
        return ""


def configurations(presets: Presets) -> list[dict[str, object]]:
    rows = measured([row.cells for row in read_rows(presets, "measurements/throughput")])
    groups: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    words: dict[tuple[str, str, str], dict[str, object]] = {}
    speed = np.asarray(rows.throughput * rows.flops_per_token)
    for index, row in enumerate(rows.rows):
        chip = chip_of(row["accelerator"], presets)
        precision = row["precision"]
        if not chip or not precision:
            continue
        record = presets.load("accelerators", chip)
        peak = record.value("peak_" + PEAKS.get(precision, precision))
        if not peak > 0:
            continue
        key = (chip, precision, row["config_group"])
        groups[key].append(float(speed[index] / peak))
        words[key] = {"chip": chip, "precision": precision, "sparse": number(row, "n_experts", 0) > 0,
                      "architecture": record.words["architecture"], "source": row["source"]}
    return [{**words[key], "mfu": statistics.median(values), "rows": len(values)} for key, values in groups.items()]


def quantiles(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(array(values), [LOW, 0.5, HIGH])
    return float(low), float(middle), float(high)


def widened(values: list[float], spread: tuple[float, float]) -> tuple[float, float, float]:
    """Median with a range: of its own where rows are many, never narrower than its kin's where they are few."""
    low, middle, high = quantiles(values)
    if len(values) < FULL:
        low, high = min(low, middle * spread[0]), max(high, middle * spread[1])
    return low, middle, min(high, 1.0)


def spread_of(values: list[float]) -> tuple[float, float]:
    low, middle, high = quantiles(values)
    return low / middle, high / middle


def keys_of(config: dict[str, object]) -> list[str]:
    suffix = "-moe" if config["sparse"] else ""
    return [f"{config['precision']}{suffix}", f"any{suffix}"]


def figure(name: str, values: list[float], configs: int, rows: int, spread: tuple[float, float]) -> str:
    low, middle, high = widened(values, spread)
    where = f"{configs} configurations ({rows} rows), median; range: 10th to 90th percentile"
    if configs < FULL:
        where += f", at least as wide as all chips' ({spread[0]:.2f} to {spread[1]:.2f} of the median)"
    return (f'{name} = {{ value = {middle:.4f}, low = {low:.4f}, high = {high:.4f}, source = "rows", '
            f'where = "{where}", kind = "measured" }}')


def render(title: str, configs: list[dict[str, object]], spreads: dict[str, tuple[float, float]]) -> str:
    grouped: dict[str, list[dict[str, object]]] = defaultdict(list)
    for config in configs:
        for key in keys_of(config):
            grouped[key].append(config)
    sources = sorted({str(config["source"]) for config in configs})
    lines = [f'name = "Measured efficiency: {title}"',
             'note = "MFU: model FLOPs over dense peak (PaLM, Appendix B), learnt by scripts/fit_efficiency.py."',
             f"rows_of = {sources!r}".replace("'", '"'), f"fitted = {datetime.date.today()}", "",
             "[sources.rows]", 'title = "Measured training rows, presets/measurements/throughput.csv"',
             'publisher = "estimator"', f'version = "{sum(int(str(c["rows"])) for c in configs)} rows"', "", "[figures]"]
    for key in sorted(grouped):
        members = grouped[key]
        values = [float(str(config["mfu"])) for config in members]
        sparse = "moe" if key.endswith("-moe") else "dense"
        lines.append(figure(key, values, len(members), sum(int(str(c["rows"])) for c in members), spreads[sparse]))
    return "\n".join(lines) + "\n"


def borrowed(configs: list[dict[str, object]]) -> str:
    """How far a chip's median lies from that of its architecture's other chips, else of all other chips."""
    medians: dict[tuple[str, str, str], float] = {}
    for config in configs:
        if not config["sparse"]:
            key = (str(config["chip"]), str(config["precision"]), str(config["architecture"]))
            same = [float(str(c["mfu"])) for c in configs if not c["sparse"]
                    and (c["chip"], c["precision"]) == key[:2]]
            medians[key] = statistics.median(same)
    ratios: list[float] = []
    for (chip, precision, architecture), value in medians.items():
        others = [(kin, m) for (c, p, kin), m in medians.items() if c != chip and p == precision]
        kin = [m for a, m in others if a == architecture] or [m for _, m in others]
        ratios += [value / statistics.median(kin)] if kin else []
    low, _, high = quantiles(ratios)
    return (f'borrowed = {{ value = 1, low = {min(low, 1.0):.4f}, high = {max(high, 1.0):.4f}, source = "rows", '
            f'where = "medians of {len(ratios)} chips and precisions over those of their kin, each left out in turn: '
            f'10th to 90th percentile", kind = "measured" }}\n')


def files(presets: Presets) -> dict[str, str]:
    configs = configurations(presets)
    spreads = {}
    for kind, sparse in (("dense", False), ("moe", True)):
        ratios: list[float] = []
        by_chip: dict[object, list[float]] = defaultdict(list)
        for config in configs:
            if config["sparse"] is sparse:
                by_chip[config["chip"], config["precision"]].append(float(str(config["mfu"])))
        for values in by_chip.values():
            ratios += [value / statistics.median(values) for value in values] if len(values) >= FULL else []
        spreads[kind] = spread_of(ratios) if ratios else spreads["dense"]
    out: dict[str, list[dict[str, object]]] = defaultdict(list)
    for config in configs:
        for place in (config["chip"], f"architecture-{config['architecture']}", "any"):
            out[f"efficiency-{place}"].append(config)
    made = {name: render(name.removeprefix("efficiency-"), members, spreads) for name, members in out.items()}
    return {**made, "efficiency-any": made["efficiency-any"] + borrowed(configs)}


def undated(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("fitted = ")]


def main() -> int:
    target = ROOT / "presets" / "calibrations"
    made = files(Presets())
    if "--check" in sys.argv:
        stale = [name for name, text in made.items() if undated((target / f"{name}.toml").read_text(encoding="utf-8")) != undated(text)]
        print("efficiency presets are", f"out of date: {', '.join(stale)}" if stale else "current")
        return 1 if stale else 0
    target.mkdir(exist_ok=True)
    for old in target.glob("efficiency-*.toml"):
        old.unlink()
    for name, text in made.items():
        (target / f"{name}.toml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
