"""What measured steps taught, as tables for people, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..calibrate import JUDGED, Calibration, Group, errors
from . import words
from .grid import Grid
from .page import Page, one_line

SCHEMA = "estimator/calibrate/1"
_LABELS = {
    "slowness": "Time of a step",
    "sharding_use": "Time to exchange sharded states",
    "tensor_use": "Time to exchange between tensor ranks",
    "attention_efficiency": "Efficiency of attention",
}
# More configurations than this are not listed one by one.
_LISTED = 30


def calibration_page(calibration: Calibration, written: str = "") -> Page:
    """Return what was learnt in the shapes that it is written in; ``written`` names the file that holds it."""
    parts: list[str | Grid] = [_head(calibration), _skipped(calibration)]
    for group in calibration.groups:
        parts += [
            group_line(group),
            Grid(["", "times", "80 % range"], _multipliers(group)),
            _errors_line(group),
            _steps(group),
        ]
    if written:
        parts.append(f"Written to '{written}'. Use it with: estimate train ... --calibration {written}")
    return Page(parts, _rows(calibration), document(calibration, written))


def _head(calibration: Calibration) -> str:
    used, rows = len(calibration.steps), calibration.rows
    text = f"{used:,} of {rows:,} rows learnt from"
    return f"{text}; the file goes on, and its other rows were not read" if calibration.unread else text


def _skipped(calibration: Calibration) -> str:
    """Return the reasons why rows taught nothing, counted, and the first of those rows."""
    if not calibration.skipped:
        return ""
    counts = sorted(calibration.skipped.items(), key=lambda item: -item[1])
    lines = ["Skipped:", *(f"  {count:,}  {reason}" for reason, count in counts)]
    lines += [f"  {printable(name)}: {printable(reason)}" for name, reason in calibration.told]
    more = sum(calibration.skipped.values()) - len(calibration.told)
    return "\n".join([*lines, *([f"  and {more:,} more"] if more else [])])


def printable(text: str) -> str:
    """Return what a file says on one line, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in one_line(text))


def group_line(group: Group) -> str:
    """Say what the steps of a group are, and for what they speak."""
    kind = "Mixture-of-experts" if group.levels["experts"] == "yes" else "Dense"
    place = group.levels["architecture"] or "accelerators of no known architecture"
    size, rows = len(group.configurations), len(group.steps)
    return (
        f"{kind} models on {place} ({', '.join(group.named('accelerator'))}; "
        f"stack {', '.join(group.named('stack'))}): {_count(size, 'configuration')}, {_count(rows, 'row')}"
    )


def _count(size: int, word: str) -> str:
    return f"{size:,} {word}{'s' * (size != 1)}"


def _multipliers(group: Group) -> list[list[str]]:
    return [
        [_LABELS[name], words.digits(value), words.span(low, high, value, "1")]
        for name, (value, low, high) in group.recorded.items()
    ]


def median_error(residuals: Any) -> float:
    """Return the median size of the error of predictions that stray by these logarithms."""
    return float(np.median(np.abs(errors(residuals))))


def error_after(group: Group) -> float | None:
    """Return the median error of each configuration as the others foretell it; nothing where they are too few."""
    return median_error(group.learnt.alone) if len(group.configurations) >= JUDGED else None


def _errors_line(group: Group) -> str:
    before, after = words.share(median_error(group.learnt.before)), error_after(group)
    if after is None:
        return f"Median error before: {before}. Fewer than {JUDGED} configurations cannot tell what is left of it."
    return f"Median error before: {before}; after: {words.share(after)}, each configuration as the others foretell it."


def _steps(group: Group) -> Grid | str:
    """Return the configurations one by one, where they are few."""
    if len(group.configurations) > _LISTED:
        return ""
    judged = len(group.configurations) >= JUDGED
    headers = ["id", "rows", "measured", "error before", *(["error after"] if judged else [])]
    found = zip(group.configurations, errors(group.learnt.before), errors(group.learnt.alone), strict=True)
    rows = [
        [
            printable(repeats[0].id), f"{len(repeats):,}", words.digits(repeats[0].throughput),
            *map(signed, [before, after][: 1 + judged]),
        ]
        for repeats, before, after in found
    ]  # fmt: skip
    return Grid(headers, rows)


def signed(share: float) -> str:
    """Write how far off a value is.

    Examples
    --------
    >>> signed(0.1234), signed(-0.0001)
    ('+12.3 %', '+0.0 %')
    """
    return f"{round(share * 100.0, 1) + 0.0:+.1f} %"


_COLUMNS = ("architecture", "experts", "name", "value", "low", "high", "configurations", "rows")


def _rows(calibration: Calibration) -> Grid:
    """Return every multiplier with full precision."""
    rows = [
        [
            *group.levels.values(),
            name,
            *map(repr, ends),
            str(len(group.configurations)),
            str(len(group.steps)),
        ]
        for group in calibration.groups
        for name, ends in group.recorded.items()
    ]
    return Grid(_COLUMNS, rows)


def document(calibration: Calibration, written: str = "") -> dict[str, Any]:
    """Return what was learnt as the JSON document."""
    return {
        "schema": SCHEMA, "file": str(calibration.path), "rows": calibration.rows,
        "learnt_from": len(calibration.steps), "goes_on": calibration.unread,
        "skipped": dict(calibration.skipped),
        "skipped_rows": [{"id": name, "reason": reason} for name, reason in calibration.told],
        "groups": [_group_document(group) for group in calibration.groups],
        "written": written or None,
    }  # fmt: skip


def _group_document(group: Group) -> Mapping[str, Any]:
    ends = ("value", "low", "high")
    return {
        **group.levels,
        **{f"{kind}s": group.named(kind) for kind in ("accelerator", "precision", "stack")},
        "configurations": len(group.configurations), "ids": [step.id for step in group.steps],
        "multipliers": {name: dict(zip(ends, found, strict=True)) for name, found in group.recorded.items()},
        "left_open": group.learnt.left_open, "scatter": group.scatter,
        "median_error_before": median_error(group.learnt.before), "median_error_after": error_after(group),
    }  # fmt: skip
