"""Fit what theory leaves open of a card's memory to measured peaks, into calibrations/memory.toml.

usage: fit_memory.py [--check]

The context of a device, the buffers of a kind of communicator, and the share of allocated memory that the
allocator holds and cannot use: three numbers for all rows. All else is theory.
"""

from __future__ import annotations

import datetime
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.case import Case  # noqa: E402
from estimator.estimate import evaluate  # noqa: E402
from estimator.formulas.layout import Layout  # noqa: E402
from estimator.formulas.memory_fit import communicators  # noqa: E402
from estimator.measured.cases import lower_rows  # noqa: E402
from estimator.measured.memory import lower_memory  # noqa: E402
from estimator.measured.rows import Cells, number, scorable  # noqa: E402
from estimator.measured.table import Table  # noqa: E402
from estimator.measured.tuning import fine_tunes, prints_allocated  # noqa: E402
from estimator.presets import Presets  # noqa: E402

Floats = np.ndarray[Any, np.dtype[np.float64]]
Data = dict[str, np.ndarray[Any, Any]]
Fit = dict[str, float]

GIB = 2.0**30
FOLDS = 4
# Where the search starts and its first step, as a factor; it halves the step where no step is better.
START: Fit = {"device_context": GIB, "communicator": 0.5 * GIB, "fragmentation": 0.2}
STEP, SMALLEST = 1.4, 1.005
# Errors count by a pseudo-Huber loss of their logarithm, in proportion beyond this: a row that lacks half of
# its inputs must not rule. A source counts as the square root of its rows.
TURN = 0.05
# What is known beforehand: how far each number may lie from its start, in logarithms, and how strongly that counts
# beside the rows. A context holds the driver's state and kernels, a communicator NCCL's channels of some MiB each.
WIDTHS: Fit = {"device_context": 0.35, "communicator": 0.35, "fragmentation": 0.7}
STRENGTH = 1.0
# No factor on what the passes need is believed to be less than this, or more than its inverse.
LEAST = 0.4
# Parts of which theory knows least: what the passes keep and work on.
MOVING = ("activations", "logits", "working")
COLUMNS = (*Layout._fields, "memory_usable", "least_fragmentation")


def data_of(presets: Presets) -> Data:
    """Every measured peak: rows of memory, and pre-training rows of throughput that print it."""
    peaks = [row.cells for row in presets.rows("measurements/memory") if row.cells["kind"] == "measured"]
    every = [row.cells for row in presets.rows("measurements/throughput")]
    printed = [cells for cells in every if scorable(cells) and cells["memory_gb_reported"]]
    tables = Table.of(peaks), Table.of(printed)
    lowered = lower_memory(tables[0], presets), lower_rows(tables[1], presets)
    targets = ("peak_memory_bytes_per_device", 1.0), ("memory_gb_reported", GIB)
    both = [
        rows_of([cells[place] for place in each.kept], each.case, *target)
        for cells, each, target in zip((peaks, printed), lowered, targets, strict=True)
    ]
    in_use = 1.0 - prints_allocated(tables[0])[lowered[0].kept], np.ones(len(lowered[1].kept))
    tunes = fine_tunes(tables[0])[lowered[0].kept], np.zeros(len(lowered[1].kept), dtype=bool)
    pretraining = np.zeros(len(in_use[0])), np.ones(len(in_use[1]))
    joined = {name: np.concatenate([part[name] for part in both]) for name in both[0]}
    own = {"in_use": in_use, "pretraining": pretraining, "tunes": tunes}
    return joined | {name: np.concatenate(parts) for name, parts in own.items()}


def rows_of(cells: Sequence[Cells], case: Case, target: str, unit: float) -> Data:
    """Measured peaks of rows, what theory allocates, and the columns on which the rest depends."""
    size = len(cells)
    least = Presets().load("assumptions", "memory").value("least_fragmentation")
    columns = {**case.columns, "least_fragmentation": np.full(size, least)}
    found = evaluate(case)
    moving = sum(found.parts["memory_allocated"][name] for name in MOVING)
    return {
        **{name: np.broadcast_to(columns[name], size).astype(np.float64) for name in COLUMNS},
        "measured": np.array([number(row, target) * unit for row in cells]),
        "allocated": np.broadcast_to(found.values["memory_allocated"], size).astype(np.float64),
        "moving": np.broadcast_to(moving, size).astype(np.float64),
        "source": np.array([row["source"] for row in cells]),
        "group": np.array([row.get("config_group") or row["id"] for row in cells]),
    }


def take(data: Data, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> Data:
    """Some of the rows."""
    return {name: column[rows] for name, column in data.items()}


def foretold(data: Data, fit: Fit) -> Floats:
    """Memory of every row with the numbers of a fit, as `memory_fit.memory` has it."""
    groups = communicators(Layout(*(data[name] for name in Layout._fields)))
    fixed = fit["device_context"] + fit["communicator"] * groups
    allocated = data["allocated"]
    room = data["memory_usable"] - allocated - fixed
    pressed = np.maximum(room, data["least_fragmentation"] * allocated)
    wasted = np.fmin(fit["fragmentation"] * allocated, pressed)
    return allocated + data["in_use"] * (fixed + wasted)


def errors(data: Data, fit: Fit) -> Floats:
    """Estimate over measured peak, less one."""
    return foretold(data, fit) / data["measured"] - 1.0


def weights(data: Data) -> Floats:
    """A row's weight: that of its source, the square root of its rows, shared among them."""
    _, which, counts = np.unique(data["source"], return_inverse=True, return_counts=True)
    return 1.0 / np.sqrt(counts[which])


def loss(data: Data, fit: Fit) -> float:
    """Weighted pseudo-Huber loss, and how far numbers stray from what is known beforehand."""
    logarithm = np.log1p(errors(data, fit)) / TURN
    rows = weights(data) * (np.sqrt(1.0 + logarithm * logarithm) - 1.0)
    strays = [np.log(fit[name] / START[name]) / WIDTHS[name] for name in START]
    return float(rows.sum() + STRENGTH * np.sum(np.square(strays)))


def fitted(data: Data) -> Fit:
    """Search each number in turn, up and down by a factor that shrinks."""
    used = take(data, data["in_use"] > 0)
    fit = dict(START)
    step, best = STEP, loss(used, fit)
    while step > SMALLEST:
        tries = [{**fit, name: fit[name] * factor} for name in fit for factor in (step, 1.0 / step)]
        losses = [loss(used, each) for each in tries]
        if min(losses) < best:
            best = min(losses)
            fit = tries[losses.index(best)]
        else:
            step = float(np.sqrt(step))
    return fit


def fold_of(group: str) -> int:
    """The fold of a configuration, by a hash that does not change between runs."""
    return int(hashlib.sha256(f"memory-1 {group}".encode()).hexdigest(), 16) % FOLDS


def left_out(data: Data, key: Callable[[Data], np.ndarray[Any, Any]]) -> Floats:
    """Errors of all rows, each foretold by a fit that saw none of its kind."""
    kinds, found = key(data), np.full(len(data["measured"]), np.nan)
    for kind in np.unique(kinds):
        held = kinds == kind
        found[held] = errors(take(data, held), fitted(take(data, ~held)))
    return found


def folds(data: Data) -> np.ndarray[Any, Any]:
    """The fold of every row."""
    return np.array([fold_of(str(group)) for group in data["group"]])


def shares(data: Data, fit: Fit) -> Floats:
    """The share of fragmentation with which each row in use would be foretold exactly."""
    groups = communicators(Layout(*(data[name] for name in Layout._fields)))
    rest = data["measured"] - fit["device_context"] - fit["communicator"] * groups
    return rest / data["allocated"] - 1.0


def ends(data: Data, fit: Fit) -> tuple[float, float]:
    """Ends of the share between which eight rows in ten lie."""
    low, high = np.quantile(shares(take(data, data["in_use"] > 0), fit), [0.1, 0.9])
    return max(float(low), 0.01), float(high)


def spread(data: Data, fit: Fit, *, tunes: bool) -> tuple[float, float]:
    """Ends of the factor on what the passes need between which eight rows in ten are foretold exactly."""
    own = take(data, data["tunes"] == tunes)
    groups = communicators(Layout(*(own[name] for name in Layout._fields)))
    fixed = fit["device_context"] + fit["communicator"] * groups
    within = (own["measured"] - own["in_use"] * fixed) / (1.0 + own["in_use"] * fit["fragmentation"])
    factor = 1.0 + (within - own["allocated"]) / own["moving"]
    low, high = np.quantile(factor, [0.1, 0.9])
    return float(np.clip(low, LEAST, 1.0)), float(np.clip(high, 1.0, 1.0 / LEAST))


def summary(data: Data, found: Floats) -> Iterator[tuple[str, int, float, float]]:
    """Rows, median and mean error of pre-training rows and of measured peaks."""
    for name, pretraining in (("pretraining", 1.0), ("measured", 0.0)):
        own = np.abs(found[data["pretraining"] == pretraining])
        yield name, len(own), float(np.median(own)), float(np.mean(own))


def figure(name: str, data: Data, fit: Fit) -> str:
    """One figure of the record; that of fragmentation carries the range."""
    value, rows = fit[name], int(np.sum(data["in_use"] > 0))
    where, text = f"{rows} rows", f'value = "{value / GIB:.4f} GiB"'
    if name == "fragmentation":
        low, high = ends(data, fit)
        where = f"{rows} rows; range: with what shares eight rows in ten are foretold exactly"
        text = f"value = {value:.4f}, low = {low:.4f}, high = {high:.4f}"
    return f'{name} = {{ {text}, source = "rows", where = "{where}", kind = "measured" }}'


def spread_figure(name: str, data: Data, fit: Fit, *, tunes: bool) -> str:
    """The figure that carries how far what the passes need strays from theory."""
    low, high = spread(data, fit, tunes=tunes)
    rows, of = int(np.sum(data["tunes"] == tunes)), "fine-tuning" if tunes else "pre-training"
    where = f"{rows} rows of {of}; range: with what factors eight rows in ten are foretold exactly"
    text = f"value = 1, low = {low:.4f}, high = {high:.4f}"
    return f'{name} = {{ {text}, source = "rows", where = "{where}", kind = "measured" }}'


def render(data: Data) -> str:
    """The text of the record."""
    fit = fitted(data)
    ways = (
        ("in sample", errors(data, fit)),
        ("a quarter of the configurations left out in turn", left_out(data, folds)),
        ("a whole source left out in turn", left_out(data, lambda rows: rows["source"])),
    )
    lines = [
        'name = "Memory that theory leaves open: context, communicators, fragmentation"',
        'note = "Fitted by scripts/fit_memory.py to peaks in use; rows that print what is allocated are foretold without."',
        f"rows_of = {sorted({str(source) for source in data['source']})!r}".replace("'", '"'),
        f"fitted = {datetime.date.today()}",
    ]
    for way, found in ways:
        for name, rows, median, mean in summary(data, found):
            lines += ["", "[[errors]]", f'way = "{way}"', f'rows_of = "{name}"', f"rows = {rows}"]
            lines += [f"median = {median:.4f}", f"mean = {mean:.4f}"]
    lines += [
        "", "[sources.rows]",
        'title = "Measured peaks, presets/measurements/memory.csv and throughput.csv"',
        'publisher = "estimator"', f'version = "{len(data["measured"])} rows"', "", "[figures]",
        *(figure(name, data, fit) for name in fit),
        spread_figure("activation_spread", data, fit, tunes=False),
        spread_figure("activation_spread_tuning", data, fit, tunes=True),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def undated(text: str) -> list[str]:
    """The lines of a record but for its date."""
    return [line for line in text.splitlines() if not line.startswith("fitted = ")]


def main() -> int:
    """Write the record, or tell whether it is current."""
    target = ROOT / "presets" / "calibrations" / "memory.toml"
    made = render(data_of(Presets()))
    if "--check" in sys.argv:
        stale = undated(target.read_text(encoding="utf-8")) != undated(made)
        print("memory calibration is", "out of date" if stale else "current")
        return int(stale)
    target.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
