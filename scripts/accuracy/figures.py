"""The table of the page: what is aimed at, what was reached, and what the baseline reaches on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from estimator.arrays import Array

from . import layouts
from .left import Left
from .one_step import Given
from .peaks import Lomo, Peaks
from .scores import Scores, middling
from .words import share, table

HEADINGS = ["set", "scored", "estimator", "by row", "baseline", "by row", "aim", "reached"]
CALCULON, MEGATRON, FOUNDRY = "calculon-ai-calculon", "megatron-sc21", "mosaicml-llm-foundry"


class Aim(NamedTuple):
    """Median and mean error aimed at, as shares; either may be left open."""

    median: float | None = None
    mean: float | None = None

    def write(self) -> str:
        """Return the aim as the table prints it."""
        ends = ["-" if end is None else f"{100 * end:g}" for end in self]
        return "" if self == NO_AIM else f"{ends[0]} / {ends[1]} %"

    def reached(self, scores: Scores) -> str:
        """Tell which of the two were reached."""
        found = {
            "median": (self.median, float(np.median(scores.size))),
            "mean": (self.mean, float(np.mean(scores.size))),
        }
        asked = {name: own <= aim for name, (aim, own) in found.items() if aim is not None}
        return verdict(asked)


NO_AIM = Aim()


def verdict(asked: dict[str, bool]) -> str:
    """Tell which of some aims were reached.

    >>> verdict({"median": True, "mean": False}), verdict({"median": True}), verdict({"median": False}), verdict({})
    ('median only', 'yes', 'no', '')
    """
    if not asked:
        return ""
    reached = [name for name, met in asked.items() if met]
    return "yes" if len(reached) == len(asked) else f"{reached[0]} only" if reached else "no"


def line(name: str, left: Left, aim: Aim = NO_AIM) -> list[str]:
    """Return one line of the table: each configuration once, and beside it every row."""
    own = left.once
    return [
        name, f"{own.size} ({left.size})", middling(own.ours), middling(left.ours),
        middling(own.baseline), middling(left.baseline), aim.write(), aim.reached(own.ours),
    ]  # fmt: skip


def dense(left: Left) -> Left:
    """Rows of dense models."""
    return left.of("experts", "no")


def sparse(left: Left) -> Left:
    """Rows of mixtures of experts."""
    return left.of("experts", "yes")


def step_lines(quarter: Left, source: Left, accelerator: Left, given: Given) -> list[list[str]]:
    """Lines about the time of steps."""
    elsewhere = source.pick(source.elsewhere)
    return [
        line("a quarter of the configurations left out", quarter, Aim(0.045, 0.08)),
        line("- dense", dense(quarter), Aim(0.035, 0.065)),
        line("- mixture of experts", sparse(quarter)),
        line("a source left out, its chip measured elsewhere", elsewhere, Aim(0.08, 0.14)),
        line("- dense", dense(elsewhere), Aim(0.08, 0.14)),
        line("- mixture of experts", sparse(elsewhere)),
        line("a source left out, its chip measured nowhere else", source.pick(~source.elsewhere)),
        *given_lines(given),
        line("an accelerator left out", accelerator, Aim(0.2)),
        line("- dense", dense(accelerator), Aim(0.2)),
        line("- mixture of experts", sparse(accelerator)),
        line("Korthikanti 2022, Table 5: source left out", source.of("source", CALCULON), Aim(0.035)),
        line("Megatron 2021, Table 1: source left out", source.of("source", MEGATRON), Aim(0.05)),
        *foundry_lines(quarter, "quarters"),
        *foundry_lines(source, "source left out"),
    ]


def foundry_lines(left: Left, way: str) -> list[list[str]]:
    """Lines about llm-foundry, whose aims are means."""
    own = left.of("source", FOUNDRY)
    return [
        line(f"llm-foundry {chip}: {way}", own.of("architecture", architecture), Aim(None, 0.05))
        for chip, architecture in (("A100", "ampere"), ("H100", "hopper"))
    ]


def given_lines(given: Given) -> list[list[str]]:
    """Lines about one measured step of a source given: of the rows that it speaks for, and of all others."""
    dense = given.experts == "no"
    return [
        given_line("dense, those that it speaks for", given.pick(dense & given.alike), Aim(0.05)),
        given_line("dense, all its others", given.pick(dense), Aim(0.05)),
        given_line("mixture of experts, those that it speaks for", given.pick(~dense & given.alike)),
    ]


def given_line(name: str, own: Given, aim: Aim = NO_AIM) -> list[str]:
    """Return one line: medians with every source counting the same, and beside it every pair."""
    medians = (weighted_median(scores.size, own.weights) for scores in (own.ours, own.baseline))
    ours, baseline = (f"{100 * median:.1f} %" for median in medians)
    met = {"median": weighted_median(own.ours.size, own.weights) <= aim.median} if aim.median else {}
    return [
        f"one step of a left-out source given, {name}", f"{len(own.source)} pairs", ours, middling(own.ours),
        baseline, middling(own.baseline), aim.write(), verdict(met),
    ]  # fmt: skip


def weighted_median(values: Array, weights: Array) -> float:
    """Return the value below which half of the weight lies.

    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0]))
    2.0
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, 0.5)])


def ranking_lines(lefts: Iterable[tuple[str, Left]]) -> list[list[str]]:
    """Lines about the order of layouts."""
    rows: list[list[str]] = []
    for way, left in lefts:
        sweeps = layouts.sweeps_of(left)
        ours, blind = layouts.ours(sweeps), layouts.by_chance(sweeps)
        right, loss = ours.right / max(ours.pairs, 1), float(np.mean(ours.losses))
        met = verdict({"share": right >= 0.9, "loss": loss <= 0.03})
        rows += [
            [f"layouts ordered rightly, {way}", f"{ours.pairs} pairs", share(right), "",
             share(blind.right / max(blind.pairs, 1)), "", "90 %", "yes" if right >= 0.9 else "no"],
            [f"loss of the layout picked (mean), {way}", f"{len(sweeps)} sweeps", share(loss), "",
             share(float(np.mean(blind.losses))), "", "3 %", "yes" if met in ("yes", "loss only") else "no"],
        ]  # fmt: skip
    return rows


def points_line(measured: Array, foretold: Array) -> list[str]:
    """Line about the scaling series: how many are foretold within five points."""
    away, flat = np.abs(foretold - measured), np.abs(1.0 - measured)
    within = [f"{int(np.sum(each <= 0.05))} within 5 points, median {100 * float(np.median(each)):.1f} points"
              for each in (away, flat)]  # fmt: skip
    reached = "yes" if np.all(away <= 0.05) else "no"
    name = "scaling series: efficiency at the largest count"
    return [name, f"{len(measured)} series", within[0], "", within[1], "", "within 5 points", reached]


def memory_lines(peaks: Peaks, lomo: Lomo) -> list[list[str]]:
    """Lines about memory, for which there is no baseline."""
    rows: list[list[str]] = []
    for name, mask, aim in (
        ("pre-training rows", peaks.pretraining, 0.04),
        ("measured peaks", ~peaks.pretraining, 0.1),
    ):
        for way, errors in peaks.errors.items():
            own = np.abs(errors[mask])
            rows.append([
                f"peak memory, {name}: a {way} left out", f"({len(own)})", "",
                f"{100 * float(np.median(own)):.1f} / {100 * float(np.mean(own)):.1f} %", "", "",
                Aim(aim).write(), "yes" if np.median(own) <= aim else "no",
            ])  # fmt: skip
    return rows + lomo_lines(lomo)


def lomo_lines(lomo: Lomo) -> list[list[str]]:
    """Lines about LOMO's two tables."""
    away = [abs(part.ours / part.printed - 1.0) for part in lomo.parts]
    points = abs(lomo.ours - lomo.printed)
    return [
        ["LOMO Table 1, each part: the farthest", f"{len(away)} parts", share(max(away)), "", "", "",
         "3 %", "yes" if max(away) <= 0.03 else "no"],
        [f"LOMO over AdamW on all cards, {share(lomo.printed)} printed", "1", share(lomo.ours), "", "", "",
         "within 0.3 points", "yes" if points <= 0.003 else "no"],
    ]  # fmt: skip


def written(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return the table."""
    return table(HEADINGS, lines)
