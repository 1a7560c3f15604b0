"""The tables about measured rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from step_time.rows import Rows

from . import layouts
from .left import Left
from .one_step import Given
from .peaks import PARTS, Lomo, Peaks
from .reasons import ROW_REASONS, reason
from .scores import covered, middling
from .series import Series, ends, strays, within
from .statistics import worst
from .words import share, signed, table


def worst_configurations(left: Left) -> list[str]:
    """The twenty worst configurations with what is likely to stand in the way."""
    own, rows = left.once, list[list[str]]()
    words, columns = own.rows.words, own.rows.columns
    for place, error in worst(own.ours, 20):
        what = f"{words['model'][place]}, {columns['count'][place]:.0f} x {words['accelerator'][place]}"
        group = str(words["config_group"][place])
        plain = signed(own.baseline.error[place])
        rows.append([group, what, str(words["precision"][place]), str(words["source"][place]), signed(error), plain,
                     reason(ROW_REASONS, group, error)])  # fmt: skip
    headings = ["configuration", "what", "precision", "source", "error", "baseline", "likely reason"]
    return table(headings, rows)


def parts_table(left: Left, word: str) -> list[str]:
    """Errors for each part left out, each configuration once."""
    own, rows = left.once, list[list[str]]()
    for part in np.unique(own.rows.words[word]):
        for name, experts in (("dense", "no"), ("mixture of experts", "yes")):
            one = own.of(word, str(part)).of("experts", experts)
            if one.size:
                rows.append([str(part), name, str(one.size), middling(one.ours), signed(np.median(one.ours.error)),
                             covered(one.ours), middling(one.baseline)])  # fmt: skip
    return table(["left out", "rows", "n", "median / mean", "bias", "in range", "baseline"], rows)


def given_table(given: Given) -> list[str]:
    """Errors by source before and after one of its steps was given, on the rows that it speaks for."""
    rows: list[list[str]] = []
    for source in np.unique(given.source):
        for name, experts in (("dense", "no"), ("mixture of experts", "yes")):
            own = given.pick(given.alike & (given.source == source) & (given.experts == experts))
            if len(own.source):
                rows.append([str(source), name, str(len(own.source)), middling(own.before), middling(own.ours),
                             middling(own.baseline)])  # fmt: skip
    return table(["source", "rows", "pairs", "before", "one step given", "baseline, one step given"], rows)


def noise_table(rows: Rows, left: Left) -> list[str]:
    """How far repeats of one configuration lie apart, beside our errors on the same rows."""
    _, which, sizes = np.unique(rows.words["config_group"], return_inverse=True, return_counts=True)
    repeated = sizes[which] > 1
    sources, experts = rows.words["source"], rows.words["experts"]
    kinds = {str(source): repeated & (sources == source) for source in np.unique(sources[repeated])} | {
        "all": repeated, "dense": repeated & (experts == "no"), "mixture of experts": repeated & (experts == "yes")
    }  # fmt: skip
    headings = [
        "source",
        "configurations",
        "rows",
        "median",
        "9 of 10 below",
        "largest",
        "about their median",
        "our error",
    ]
    lines: list[list[str]] = []
    for name, mask in ((name, mask) for name, mask in kinds.items() if mask.any()):
        groups = [rows.throughput[mask & (which == group)] for group in np.unique(which[mask])]
        gaps = [speeds.max() / speeds.min() - 1.0 for speeds in groups]
        away = np.concatenate([np.abs(speeds / np.median(speeds) - 1.0) for speeds in groups])
        lines.append([name, str(len(groups)), str(len(away)), *(share(np.quantile(gaps, q)) for q in (0.5, 0.9, 1.0)),
                      f"{100 * np.median(away):.1f} / {100 * np.mean(away):.1f} %", middling(left.ours.pick(mask))])  # fmt: skip
    return table(headings, lines)


def series_table(series: Sequence[Series], foretold: Sequence[float]) -> list[str]:
    """Every scaling series: efficiency at its largest count, measured and foretold."""
    rows = [
        [each.id, each.source, each.rows[0]["n"], each.rows[-1]["n"], share(each.measured), share(own),
         f"{100 * (own - each.measured):+.1f}", "rows" if each.of_rows else "found"]
        for each, own in zip(series, foretold, strict=True)
    ]  # fmt: skip
    return table(
        ["series", "source left out", "from", "to", "measured", "foretold", "points", "layout"], rows
    )


def series_range(series: Sequence[Series], foretold: Sequence[float]) -> list[str]:
    """What the range of a scaling efficiency is learnt from, and how often it holds."""
    found = strays(series, foretold)
    low, high = ends(found)
    hold = within(series, found)
    return [
        f"Where the accelerators grow e-fold, eight measured efficiencies of ten are {low:.3f} to {high:.3f} of the foretold one;",
        "elsewhere these ends grow as the root of the logarithm of the growth (`presets/calibrations/scaling.toml`). With the ends",
        f"learnt from other sources, {hold} of {len(found)} series ({share(hold / len(found))}) are within their range.",
    ]


def ranking_table(left: Left) -> list[str]:
    """Ours, one MFU and another measurement as judges of layouts."""
    sweeps = layouts.sweeps_of(left)
    judges = {
        "estimator": layouts.ours(sweeps), "one MFU": layouts.by_chance(sweeps),
        "measuring every layout once more": layouts.by_repeats(sweeps),
    }  # fmt: skip
    rows = [
        [name, f"{found.right:.0f} of {found.pairs}", share(found.right / max(found.pairs, 1)),
         share(np.mean(found.losses)), share(np.median(found.losses)), share(np.max(found.losses))]
        for name, found in judges.items()
    ]  # fmt: skip
    return table(["judge", "pairs", "share", "mean loss", "median loss", "largest loss"], rows)


def memory_table(peaks: Peaks) -> list[str]:
    """Errors of peak memory by source, each left out whole."""
    rows: list[list[str]] = []
    for name, kind in (("pre-training", peaks.pretraining), ("measured peaks", ~peaks.pretraining)):
        for source in np.unique(peaks.source[kind]):
            own = peaks.errors["source"][kind & (peaks.source == source)]
            away = np.abs(own)
            rows.append([str(source), name, str(len(own)), f"{100 * np.median(away):.1f} / {100 * np.mean(away):.1f} %",
                         signed(np.median(own))])  # fmt: skip
    return table(["source left out", "rows", "n", "median / mean", "bias"], rows)


def lomo_table(lomo: Lomo) -> list[str]:
    """LOMO's Table 1, part by part."""
    names = dict(zip(PARTS, ("parameters", "gradients", "optimizer states", "activations"), strict=True))
    rows = [
        [
            part.row,
            names[part.part],
            f"{part.printed:.2f}",
            f"{part.ours:.2f}",
            signed(part.ours / part.printed - 1.0),
        ]
        for part in lomo.parts
    ]
    return table(["row", "part", "printed, GiB", "ours, GiB", "error"], rows)
