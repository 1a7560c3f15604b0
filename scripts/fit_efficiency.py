"""Learn MFU per accelerator and precision from the measured rows, into calibrations/efficiency-*.toml.

usage: fit_efficiency.py [--check]

Each configuration counts once (the median of its rows). The range is that of a chip's own rows, and never
narrower than the spread of sources about what the other sources foretell.
"""

from __future__ import annotations

import datetime
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.arrays import array  # noqa: E402
from estimator.errors import EstimatorError  # noqa: E402
from estimator.formulas.flops import short_form_flops  # noqa: E402
from estimator.formulas.parameters import active_parameters  # noqa: E402
from estimator.measured import Cells, measured, model_of, number, scorable, stands_in  # noqa: E402
from estimator.presets import Presets  # noqa: E402
from estimator.schema import peak_name  # noqa: E402

LOW, HIGH = 0.1, 0.9
ORDINARY_LENGTH = 8192


def chip_of(name: str, presets: Presets) -> str:
    """The chip that a row names; a family stands for its default bin, and a guess ('b200?') for nothing."""
    try:
        return presets.find("accelerators", name).record.id
    except EstimatorError:
        return ""


@dataclass(frozen=True)
class Configuration:
    """One recipe on one chip at one precision. Its rows are repeats: it counts once, by their median."""

    group: str
    source: str
    chip: str
    architecture: str
    precision: str
    sparse: bool
    peak: float
    cells: Cells
    speeds: tuple[float, ...] = ()
    flops: tuple[float, ...] = ()
    short_flops: tuple[float, ...] = ()

    @cached_property
    def mfu(self) -> float:
        """Median MFU of the rows."""
        rows = zip(self.speeds, self.flops, strict=True)
        return statistics.median(speed * cost / self.peak for speed, cost in rows)

    def with_row(self, speed: float, cost: float, short_cost: float) -> Configuration:
        """Return the configuration with one row more."""
        return replace(
            self,
            speeds=(*self.speeds, speed),
            flops=(*self.flops, cost),
            short_flops=(*self.short_flops, short_cost),
        )


def configurations(presets: Presets) -> list[Configuration]:
    """Every configuration of the scorable rows whose chip and precision are known, with its rows."""
    return lowered(
        presets, [row.cells for row in presets.rows("measurements/throughput") if scorable(row.cells)]
    )


def stand_ins(presets: Presets, configs: list[Configuration]) -> list[Configuration]:
    """Configurations of chips that no scorable row shows, from rows too incomplete to be scored."""
    chips = {config.chip for config in configs}
    cells = [row.cells for row in presets.rows("measurements/throughput") if stands_in(row.cells)]
    return [config for config in lowered(presets, cells) if config.chip not in chips]


def lowered(presets: Presets, cells: list[Cells]) -> list[Configuration]:
    """Configurations of the rows whose chip and precision are known, each with its rows."""
    rows = measured(cells, presets)
    short = short_form_flops(active_parameters(model_of(rows.rows, presets)), array(1.0))
    columns = (rows.throughput, rows.flops_per_token, short)
    found: dict[tuple[str, str, str], Configuration] = {}
    for index, row in enumerate(rows.rows):
        config = configuration_of(row, presets)
        if config is not None:
            key = (config.chip, config.precision, config.group)
            cells_of_row = (float(np.asarray(column)[index]) for column in columns)
            found[key] = found.get(key, config).with_row(*cells_of_row)
    return list(found.values())


def configuration_of(cells: Cells, presets: Presets) -> Configuration | None:
    """What a row says of its configuration; nothing where chip, precision or peak is not known."""
    chip, precision = chip_of(cells["accelerator"], presets), cells["precision"]
    if not chip or not precision:
        return None
    record = presets.load("accelerators", chip)
    peak = record.value(peak_name(precision))
    if not peak > 0:
        return None
    sparse = number(cells, "n_experts", 0) > 0
    architecture = str(record.words["architecture"])
    group, source = cells["config_group"], cells["source"]
    return Configuration(group, source, chip, architecture, precision, sparse, peak, cells)


def quantiles(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(array(values), [LOW, 0.5, HIGH])
    return float(low), float(middle), float(high)


def widened(values: list[float], spread: tuple[float, float]) -> tuple[float, float, float]:
    """Median with a range: of its own rows, never narrower than what an unseen source may stray."""
    low, middle, high = quantiles(values)
    return min(low, middle * spread[0]), middle, max(high, middle * spread[1])


def keys_of(config: Configuration) -> list[str]:
    suffix = "-moe" if config.sparse else ""
    return [f"{config.precision}{suffix}", f"any{suffix}"]


def figure(name: str, members: list[Configuration], spread: tuple[float, float], most: float) -> str:
    configs, rows = len(members), sum(len(config.speeds) for config in members)
    low, middle, high = widened([config.mfu for config in members], spread)
    high = max(middle, min(high, most))
    where = f"{configs} configurations ({rows} rows), median; range: 10th to 90th percentile"
    where += (
        f", at least as wide as sources left out stray ({spread[0]:.2f} to {spread[1]:.2f} of the median)"
    )
    return (
        f'{name} = {{ value = {middle:.4f}, low = {low:.4f}, high = {high:.4f}, source = "rows", '
        f'where = "{where}", kind = "measured" }}'
    )


def render(
    title: str, configs: list[Configuration], spreads: dict[str, tuple[float, float]], most: float
) -> str:
    grouped: dict[str, list[Configuration]] = defaultdict(list)
    for config in configs:
        for key in keys_of(config):
            grouped[key].append(config)
    sources = sorted({config.source for config in configs})
    lines = [
        f'name = "Measured efficiency: {title}"',
        'note = "MFU: model FLOPs over dense peak (PaLM, Appendix B), learnt by scripts/fit_efficiency.py."',
        f"rows_of = {sources!r}".replace("'", '"'),
        f"fitted = {datetime.date.today()}",
        "",
        "[sources.rows]",
        'title = "Measured training rows, presets/measurements/throughput.csv"',
        'publisher = "estimator"',
        f'version = "{sum(len(config.speeds) for config in configs)} rows"',
        "",
        "[figures]",
    ]
    for key in sorted(grouped):
        members = grouped[key]
        sparse = "moe" if key.endswith("-moe") else "dense"
        lines.append(figure(key, members, spreads[sparse], most))
    return "\n".join(lines) + "\n"


def borrowed(configs: list[Configuration]) -> str:
    """How far a chip's median lies from that of its architecture's other chips, else of all other chips."""
    members: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for config in configs:
        if not config.sparse:
            members[config.chip, config.precision, config.architecture].append(config.mfu)
    medians = {key: statistics.median(values) for key, values in members.items()}
    ratios: list[float] = []
    for (chip, precision, architecture), value in medians.items():
        others = [(kin, m) for (c, p, kin), m in medians.items() if c != chip and p == precision]
        kin = [m for a, m in others if a == architecture] or [m for _, m in others]
        ratios += [value / statistics.median(kin)] if kin else []
    low, _, high = quantiles(ratios)
    return (
        f"borrowed = {{ value = 1, low = {min(low, 1.0):.4f}, high = {max(high, 1.0):.4f}, "
        f'source = "rows", where = "medians of {len(ratios)} chips and precisions over those of their '
        f'kin, each left out in turn: 10th to 90th percentile", kind = "measured" }}\n'
    )


def best_of(configs: list[Configuration]) -> Configuration:
    """The configuration of the highest MFU at an ordinary length: at a long one the whole square of scores is
    counted, of which a causal kernel computes half."""
    ordinary = [config for config in configs if number(config.cells, "seq_len") <= ORDINARY_LENGTH]
    return max(ordinary or configs, key=lambda config: config.mfu)


def highest(configs: list[Configuration]) -> str:
    """The highest MFU of any configuration: no range reaches beyond what has been seen."""
    best = best_of(configs)
    return (
        f'highest = {{ value = {best.mfu:.4f}, source = "rows", where = "the highest of {len(configs)} '
        f'configurations: {best.chip}, {best.precision}, group {best.group}", kind = "measured" }}\n'
    )


def spreads_of(configs: list[Configuration]) -> dict[str, tuple[float, float]]:
    """How far a source strays from what all other sources foretell: what a new user's own run may do.

    Within a source runs are alike, so that the quantiles of a chip's rows are narrower than the truth for a
    source that nobody has seen.
    """
    spreads: dict[str, tuple[float, float]] = {}
    for kind, sparse in (("dense", False), ("moe", True)):
        alike = [config for config in configs if config.sparse is sparse]
        places = by_place(alike)
        ratios = [config.mfu / foretold for config in alike if (foretold := of_other_sources(config, places))]
        low, _, high = quantiles(ratios) if ratios else (1.0, 1.0, 1.0)
        spreads[kind] = (min(low, 1.0), max(high, 1.0))
    return spreads


def places_of(config: Configuration) -> list[tuple[str, str, str]]:
    """Where a configuration belongs at its precision, the nearest first: its chip, its architecture, anywhere."""
    named = (("chip", config.chip), ("architecture", config.architecture), ("any", ""))
    return [(config.precision, place, name) for place, name in named]


def by_place(alike: Iterable[Configuration]) -> dict[tuple[str, str, str], list[tuple[str, float]]]:
    """Source and MFU of the configurations of each place."""
    places: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    for config in alike:
        for place in places_of(config):
            places[place].append((config.source, config.mfu))
    return places


def of_other_sources(
    config: Configuration, places: dict[tuple[str, str, str], list[tuple[str, float]]]
) -> float:
    """Median MFU of other sources' rows: of the chip, else of its architecture, else of all; 0 for none."""
    for place in places_of(config):
        values = [mfu for source, mfu in places[place] if source != config.source]
        if values:
            return statistics.median(values)
    return 0.0


def files(configs: list[Configuration], others: Iterable[Configuration] = ()) -> dict[str, str]:
    """The calibration files that any set of configurations teaches: name -> text.

    ``others`` teach the files of their own chips and nothing else.
    """
    spreads, most = spreads_of(configs), best_of(configs).mfu
    out: dict[str, list[Configuration]] = defaultdict(list)
    for config in configs:
        for place in (config.chip, f"architecture-{config.architecture}", "any"):
            out[f"efficiency-{place}"].append(config)
    for config in others:
        out[f"efficiency-{config.chip}"].append(config)
    made = {
        name: render(name.removeprefix("efficiency-"), members, spreads, most)
        for name, members in out.items()
    }
    return {**made, "efficiency-any": made["efficiency-any"] + borrowed(configs) + highest(configs)}


def undated(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("fitted = ")]


def main() -> int:
    target = ROOT / "presets" / "calibrations"
    configs = configurations(Presets())
    made = files(configs, stand_ins(Presets(), configs))
    if "--check" in sys.argv:
        held = {name: (target / f"{name}.toml").read_text(encoding="utf-8") for name in made}
        stale = [name for name, text in made.items() if undated(held[name]) != undated(text)]
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
