"""Whether a throughput is normal, as tables for people, as CSV and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..alike import Alike
from ..check import Checked, Culprit
from . import words
from .answer import assumption_lines, assumption_rows, title
from .document import assumed, assumptions
from .grid import Grid, wrapped
from .page import Page

SCHEMA = "estimator/check/1"
# What may lengthen a part.
_SLOWER = {
    "matrix_products": "a power limit, low clocks, or shapes that the kernels fit badly",
    "attention": "an older or an unfused attention kernel",
    "elementwise": "kernels that are not fused",
    "experts": "uneven routing, or products that are not grouped",
    "routing": "a slow dispatch kernel",
    "recomputation": "more of it than was taken",
    "adapters": "adapters that are not fused with their matrices",
    "dequantisation": "kernels that are not fused with the products",
    "tensor_parallel": "a link slower than the {tensor} taken, or no overlap",
    "context_parallel": "a link slower than the {network} taken, or no overlap",
    "expert_exchange": "experts across nodes, or a network slower than the {network} taken",
    "launch": "a slow host, or kernels launched one by one",
    "logits": "a loss that is not fused",
    "gradient_accumulation": "gradients in 32 bit, or added apart from the products that give them",
    "stage_imbalance": "layers spread unevenly over the stages",
    "sharding": "a network slower than the {network} taken, or no overlap",
    "pipeline_transfer": "a network slower than the {network} taken",
    "pipeline_bubble": "uneven stages, or fewer micro-batches than were taken",
    "gradient_exchange": "a network slower than the {network} taken, or no overlap with the backward pass",
    "gradient_clipping": "a norm that is found in passes of its own",
    "optimizer": "an update that is not fused, or states on the host",
    "offload": "a slow host or its link",
    "overhead": "waiting for data, logging or checkpoints between steps",
}
_FASTER = "newer software, more overlap, or less of it than was taken"
_ALL_SLOWER = "a power limit, older software, another layout, or other jobs on the machine"
_ALL_FASTER = "newer software or another layout"
_PLACES = {"below": "Slow: below", "inside": "Normal: inside", "above": "Fast: above"}
# More deviations than this are no explanation, and so many parts are shown.
_UNUSUAL, _SHOWN = 3.0, 5
# Options that do not bear on the time of a step: notes that send to them are left out.
_ELSEWHERE = ("--tokens ", "--price")
# Differences below this share need no explanation.
_ALIKE = 0.01
# Inputs on which the time of a step depends: only these are listed as assumed.
_OWN = frozenset(
    ("model", "shape", "accelerator", "count", "precision", "seq", "global_batch", "micro_batch", "sharding",
     "recompute", "attention", "stack", "stack_year", "scaleout_bandwidth", "scaleup_bandwidth", "optimizer")
)  # fmt: skip


def check_page(checked: Checked, question: Mapping[str, Any], width: int = 100) -> Page:
    """Return the answer in the shapes that it is written in."""
    estimate = checked.estimate
    own = [
        row
        for row, (name, _) in zip(assumption_rows(estimate), assumed(estimate), strict=True)
        if name in _OWN
    ]
    notes = [f"Warning: {text}" for text in warnings(checked)]
    parts = [
        "\n".join([title(estimate), *(wrapped(text, width, "", "    ") for text in notes)]),
        values_grid(checked),
        wrapped(verdict(checked), width),
        wrapped(alike_line(checked), width),
        wrapped(practice_line(checked), width),
        *explanation(checked, width),
        "\n".join(["Assumed (an option changes it):", *assumption_lines(own, width)]) if own else "",
    ]
    return Page(parts, rows(checked), document(checked, question))


def warnings(checked: Checked) -> list[str]:
    """Return what is doubtful about the measured value, and what the answer warns of but for tokens and money."""
    notes = checked.estimate.case.notes
    return [*checked.warnings, *(note for note in notes if not any(word in note for word in _ELSEWHERE))]


def values_grid(checked: Checked) -> Grid:
    """Return what was measured beside what is predicted."""
    ratio, estimate = checked.ratio, checked.estimate
    lines: list[list[str]] = []
    names = {_SPEED: "Throughput of one accelerator", "step_time": "Step time", "mfu": "MFU"}
    for name, label in names.items():
        amount = estimate.amount(name)
        value = float(amount.value)
        own = value / ratio if name == "step_time" else value * ratio
        ends = float(amount.low), float(amount.high)
        if name == "mfu":
            span = words.span(ends[0] * 100, ends[1] * 100, value * 100, "1")
            lines.append([label, words.share(own), words.share(value), f"{span} %" if span else ""])
        else:
            unit = amount.unit
            lines.append(
                [label, words.amount(own, unit), words.amount(value, unit), words.span(*ends, value, unit)]
            )
    return Grid(["", "measured", "predicted", "80 % range"], lines)


_SPEED = "throughput_per_accelerator"


def verdict(checked: Checked) -> str:
    """Say in a sentence where the measured throughput lies in its range."""
    of = _in_hundred(checked.percentile)
    return f"{_PLACES[checked.place]} the 80 % range; {of} such runs would be slower."


def _in_hundred(share: float) -> str:
    """Write a share as a count of a hundred.

    Examples
    --------
    >>> _in_hundred(0.334), _in_hundred(0.001), _in_hundred(0.9999)
    ('33 of 100', 'fewer than 1 of 100', 'more than 99 of 100')
    """
    if share < 0.005:
        return "fewer than 1 of 100"
    return "more than 99 of 100" if share > 0.995 else f"{round(share * 100.0):,} of 100"


def described(levels: Mapping[str, str]) -> str:
    """Say which measured rows are meant.

    Examples
    --------
    >>> described({"architecture": "ampere", "precision": "bf16", "experts": "no"})
    'dense models on ampere in bf16'
    """
    kind = "mixtures of experts" if levels["experts"] == "yes" else "dense models"
    place = f" on {levels['architecture']}" if levels.get("architecture") else ""
    return f"{kind}{place}{' in ' + levels['precision'] if 'precision' in levels else ''}"


def alike_line(checked: Checked) -> str:
    """Say how far like measured rows lie from their predictions, and how many lie below this one."""
    like, own = checked.alike, words.share(checked.ratio)
    size = len(like.ratios)
    if not size:
        return f"This run reaches {own} of what is predicted. No {described(like.levels)} were measured on record."
    low, high = (words.share(like.quantile(share)) for share in (0.1, 0.9))
    fewer = round(like.below * size)
    return (
        f"This run reaches {own} of what is predicted. The range is that of a run which the model has not seen, and "
        f"holds what the question leaves open. The {size:,} recorded configurations ({described(like.levels)}) are no "
        f"test of it: the prediction was fitted to them, each with its own layout and software, so that four in five "
        f"reach {low} to {high} of theirs, and {fewer:,} less than {own}."
    )


def practice_line(checked: Checked) -> str:
    """Say that a layout which is not named is compared as trainings in use are, slower than the best."""
    slower = float(checked.estimate.case.columns.get("practice", 1.0))
    if slower <= 1.0:
        return ""
    return (
        f"No layout is named: predicted is a training in use, which takes {words.digits(slower)} times its best "
        "layout. Name yours, like --tp 8 --pp 4, to be compared with that one."
    )


def explanation(checked: Checked, width: int) -> list[str | Grid]:
    """Return what would explain the difference: the likeliest part in words, the others as a table."""
    times = 1.0 / checked.ratio
    if abs(times - 1.0) < _ALIKE:
        return []
    cause = _ALL_SLOWER if times > 1.0 else _ALL_FASTER
    all_ = f"all of it would take {_times(times)} as long, e.g. by {cause}."
    shown = checked.culprits[:_SHOWN]
    if not shown:
        return [wrapped(f"No part alone would explain it: {all_}", width)]
    grid = Grid(_HEADERS, [_cells(checked, each) for each in shown])
    if checked.place == "inside":
        return ["What alone would explain the difference, the likeliest first:", grid]
    best = shown[0]
    rare = best.deviations > _UNUSUAL
    lead = (
        "Hardly any part alone would explain it; the likeliest is"
        if rare
        else "The step would be explained by"
    )
    line = f"{lead} {_spelt(best.part)} taking {_times(best.times)} as long, e.g. by {hint(checked, best)}. Or {all_}"
    return [wrapped(line, width), grid]


_HEADERS = ("part", "share", "would take", "deviations", "e.g. by")


def _cells(checked: Checked, each: Culprit) -> list[str]:
    share, rare = words.share(each.share), words.digits(each.deviations, 2)
    return [_spelt(each.part), share, _times(each.times), rare, hint(checked, each)]


def _spelt(part: str) -> str:
    return part.replace("_", " ")


def _times(factor: float) -> str:
    return f"{words.digits(factor)} times"


def hint(checked: Checked, culprit: Culprit) -> str:
    """Name what may make a part so much slower, or so much faster."""
    if culprit.times < 1.0:
        return _FASTER
    columns = {name: float(value) for name, value in checked.estimate.case.columns.items() if name in _RATES}
    inside = columns["tp"] <= max(columns["per_node"], columns["scaleup_domain"])
    alone = columns["count"] <= max(columns["per_node"], columns["scaleup_domain"])
    links = {True: _rate(columns["scaleup_bandwidth"]), False: _rate(columns["scaleout_bandwidth"])}
    text = _SLOWER.get(culprit.part, "what the model does not know of it")
    return text.format(tensor=links[inside], network=links[alone])


_RATES = ("tp", "per_node", "scaleup_domain", "count", "scaleup_bandwidth", "scaleout_bandwidth")


def _rate(bandwidth: float) -> str:
    """Write the bandwidth of a link in the unit in which networks are sold.

    Examples
    --------
    >>> _rate(50e9)
    '400 Gbit/s'
    """
    return f"{words.digits(bandwidth * 8e-9)} Gbit/s"


_COLUMNS = ("part", "time", "share", "times", "deviations")


def rows(checked: Checked) -> Grid:
    """Return every part with full precision."""
    return Grid(_COLUMNS, [[each.part, *map(repr, each[1:])] for each in checked.culprits])


def document(checked: Checked, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer as the JSON document."""
    predicted = checked.predicted
    return {
        "schema": SCHEMA, "question": dict(question),
        "throughput_per_accelerator": {
            "measured": checked.measured, "value": float(predicted.value), "low": _finite(float(predicted.low)),
            "high": _finite(float(predicted.high)), "unit": predicted.unit,
        },
        "ratio": checked.ratio, "place": checked.place, "percentile": checked.percentile,
        "alike": _alike_document(checked.alike),
        "explanations": [
            {**dict(zip(_COLUMNS, each, strict=True)), "hint": hint(checked, each)} for each in checked.culprits
        ],
        "warnings": warnings(checked),
        "assumptions": assumptions(checked.estimate),
    }  # fmt: skip


def _alike_document(like: Alike) -> dict[str, Any]:
    known = bool(len(like.ratios))
    quantiles = {"low": 0.1, "median": 0.5, "high": 0.9}
    return {
        "levels": dict(like.levels), "configurations": len(like.ratios), "share_below": like.below if known else None,
        **{name: like.quantile(share) if known else None for name, share in quantiles.items()},
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
