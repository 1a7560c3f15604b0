"""Scaling series: the efficiency at their largest count, foretold from the smallest."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from estimator import Presets, Run, ask
from estimator.inputs.stacks import STACKS, stack_of
from estimator.measured import Cells

from .learnt import foretell
from .store import Foretold

_DEGREES = {"TP": "tp", "PP": "pp", "CP": "cp"}
_DEGREE = re.compile(r"\b(TP|PP|CP|DP)(\d+)")
_MICRO = re.compile(r"\bmbs(\d+)", re.IGNORECASE)
_LENGTH = re.compile(r"\bseq(\d+)")


class Series(NamedTuple):
    """One series: its rows of scaling.csv in the order of their counts."""

    id: str
    rows: Sequence[Cells]

    @property
    def ends(self) -> tuple[Cells, Cells]:
        """Rows of the smallest and of the largest count."""
        return self.rows[0], self.rows[-1]

    @property
    def measured(self) -> float:
        """Share of the smallest run's speed per accelerator that the largest one keeps. [1]"""
        first, last = (float(row["per_accel_value"]) for row in self.ends)
        return last / first

    @property
    def of_rows(self) -> bool:
        """Whether its ends are rows of throughput; else its layout is found where the series is silent."""
        return self.id in named()["rows"]

    @property
    def source(self) -> str:
        """The source that has to be left out for the series to be new."""
        return str(named()["unseen"].get(self.id, self.rows[0]["source"]))


@cache
def named() -> Mapping[str, Mapping[str, Any]]:
    """What the ends of every series ran."""
    return tomllib.loads((Path(__file__).parent / "series.toml").read_text(encoding="utf-8"))


def strays(series: Sequence[Series], foretold: Sequence[float]) -> list[float]:
    """Return measured over foretold efficiency of each, as it would be where the accelerators grow e-fold. [1]"""
    grown = [math.log(_count(each.rows[-1]) / _count(each.rows[0])) for each in series]
    pairs = zip(series, foretold, grown, strict=True)
    return [math.exp(math.log(each.measured / own) / math.sqrt(size)) for each, own, size in pairs]


def ends(strays: Sequence[float]) -> tuple[float, float]:
    """Return the tenth and the ninetieth in a hundred: the range of a scaling efficiency, `scaling_stray`. [1]"""
    low, high = np.quantile(strays, [0.1, 0.9])
    return float(low), float(high)


def within(series: Sequence[Series], strays: Sequence[float]) -> int:
    """Return how many series lie within the ends that those of other sources ask for."""
    pairs = list(zip(series, strays, strict=True))
    left = {
        source: ends([s for each, s in pairs if each.source != source])
        for source in {e.source for e in series}
    }
    return sum(left[each.source][0] <= stray <= left[each.source][1] for each, stray in pairs)


def all_series(presets: Presets) -> list[Series]:
    """Every series that counts: one model at two counts at least, each with its speed."""
    grouped: dict[str, list[Cells]] = {}
    for row in presets.rows("measurements/scaling"):
        if row.cells["scored"] == "yes" and row.cells["efficiency_vs_base"]:
            grouped.setdefault(row.cells["series_id"], []).append(row.cells)
    found = (Series(name, sorted(rows, key=_count)) for name, rows in grouped.items())
    return [each for each in found if _count(each.rows[0]) < _count(each.rows[-1])]


def _count(row: Cells) -> int:
    return int(row["n"])


def foretold(part: str, chosen: Collection[str], presets: Presets) -> list[Foretold]:
    """Foretell the series of some sources."""
    own = [each for each in all_series(presets) if each.source in chosen]
    return [Foretold("series", part, each.id, efficiency(each, presets)) for each in own]


def efficiency(series: Series, presets: Presets) -> float:
    """Return the share of the smallest run's speed per accelerator that the largest one keeps. [1]"""
    if series.of_rows:
        cells = [
            _row(end, name, presets)
            for end, name in zip(series.ends, named()["rows"][series.id], strict=True)
        ]
        found = foretell(cells, presets)
        first, last = (found[each["id"]][0] for each in cells)
    else:
        first, last = (_asked(end, presets) for end in series.ends)
    return last / first


def _row(end: Cells, name: str, presets: Presets) -> Cells:
    """Return a row of throughput as the end of a series ran it."""
    rows = {row.cells["id"]: row.cells for row in presets.rows("measurements/throughput")}
    cells = dict(rows[name])
    counts = float(end["n"]) / float(cells["n_accelerators"])
    weak = not end["batch_mode"].startswith("strong")
    batch = _batch(end, cells["seq_len"]) or float(cells["global_batch_seqs"]) * (counts if weak else 1.0)
    micro = _MICRO.search(end["layout"])
    return {
        **cells, "id": f"{end['series_id']} {end['n']}", "n_accelerators": end["n"], "grad_accum": "", "dp": "",
        "global_batch_seqs": f"{batch:.0f}", "micro_batch": micro[1] if micro else cells["micro_batch"],
    }  # fmt: skip


def _batch(end: Cells, length: str) -> float:
    """Return the sequences of a step as the series prints them; 0 where it does not."""
    if not end["global_batch"]:
        return 0.0
    batch = float(end["global_batch"])
    return batch / float(length) if end["batch_unit"] == "tokens" else batch


def _asked(end: Cells, presets: Presets) -> float:
    """Ask as a user would who knows what the series prints, and leaves the rest to the estimator."""
    return float(ask(Run.read(question(end), presets), presets).throughput_per_accelerator.value)


def question(end: Cells) -> dict[str, object]:
    """Return the question of one end of a series."""
    asked: dict[str, object] = {"model": named()["models"][end["series_id"]], "on": end["accelerator"]}
    asked |= {"count": int(end["n"])}
    if length := _LENGTH.search(end["workload"]):
        asked["seq"] = int(length[1])
    degrees = dict(_DEGREE.findall(end["layout"]))
    asked |= {_DEGREES[name]: int(degree) for name, degree in degrees.items() if name in _DEGREES}
    # Batches are printed in rounded tokens: whole micro-batches of every replica, and of every stage.
    whole = int(degrees.get("DP", 1)) * int(degrees.get("PP", 1))
    if length and (batch := _batch(end, length[1])):
        asked["global_batch"] = (
            max(round(batch / whole), 1) * whole if end["batch_unit"] == "tokens" else int(batch)
        )
    stack = stack_of(end["where"])
    return asked | ({"stack": stack} if stack != STACKS[0] else {})
