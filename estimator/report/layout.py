"""A search for the best layout as tables for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..estimate import Estimate
from ..idle import nearest, options
from ..searches.search import Found, Layout, Search
from ..searches.space import replicas_of
from . import words
from .answer import LABELS, assumption_lines, assumption_rows, between, shown, title
from .grid import Grid, wrapped
from .layout_document import QUANTITIES, document, rows
from .layout_words import data_of, degrees_of, options_of, part_of
from .page import Page

_SUMMED = {"wall_clock": "wall clock", "cost": "cost", "mfu": "MFU"}
# Options of a layout, short enough for all of them to stand in a line.
_HEADERS = {
    "tp": "tp", "pp": "pp", "vpp": "vpp", "cp": "cp", "ep": "ep", "zero": "zero", "sequence_parallel": "sp",
    "micro_batch": "micro-batch", "recompute": "recompute", "method_offload": "offload",
}  # fmt: skip
# Parts that are told only where one of the layouts has more than the usual.
_USUAL = {"vpp": 1.0, "cp": 1.0, "ep": 1.0, "method_offload": 0.0}
# Layouts of a front that are told: the rest stands in the other formats.
_FRONT = 10


def layout_page(search: Search, question: Mapping[str, Any], width: int = 100) -> Page:
    """Return the answer in the shapes that it is written in."""
    many = len(search.found) > 1
    best = search.best
    parts: list[str | Grid] = [_questions(search), *_starred(search)] if many else []
    parts += [wrapped(_verdict(search), width, "", "    ")] if many or search.within is not None else []
    told = best or (None if many else search.found[0])
    if told is not None:
        parts += _of_one(told, width)
    return Page(parts, rows(search), document(search, question))


def _of_one(found: Found, width: int) -> list[str | Grid]:
    """Tell the best layouts of one question, the front, and what became of all others."""
    if found.estimate is None:
        return [wrapped(text, width, "", "    ") for text in (_none(found), _counted(found))]
    own = found.estimate
    lines = "\n".join(assumption_lines(assumption_rows(own), width))
    notes = [wrapped(f"Warning: {note}", width, "", "    ") for note in own.case.notes]
    return [
        "\n".join([wrapped(title(own), width, "", "    "), *notes]),
        _quantities(own),
        wrapped(_in_practice(found, own), width, "", "    "),
        pasted("Ask for it with:", options_of(found.fastest[0].parts, found), width),
        f"The fastest that fit{_alike(found)}:",
        layouts_grid(found.fastest, found),
        f"Less memory for more time{_more(found)}:",
        layouts_grid(_spread(found.front), found),
        wrapped(_counted(found), width, "", "    "),
        f"Assumed (an option changes it):\n{lines}",
    ]


def pasted(head: str, options: str, width: int) -> str:
    """Write options so that a shell takes them as they stand, each line but the last ending in a backslash.

    Examples
    --------
    >>> print(pasted("Ask with:", "--tp 4 --pp 8 --zero 1", 26))
    Ask with:  --tp 4 --pp 8 \\
        --zero 1
    """
    words_ = (
        options.replace(" --", "\n--").replace(" ", "\0").split("\n")
    )  # an option and its value stay together
    lines = wrapped(" ".join(words_), width - 2, f"{head}  ", "    ")
    return lines.replace("\n", " \\\n").replace("\0", " ")


def _in_practice(found: Found, own: Estimate) -> str:
    """Say what `estimate train` answers to the same question, and why that is another time."""
    usual = found.usual()
    if usual is None or math.isnan(float(usual.wall_clock.value)):
        return ""
    slower = float(usual.case.columns.get("practice", 1.0))
    ratio = words.digits(float(usual.wall_clock.value) / float(own.wall_clock.value))
    count = f" and counts that training in use takes {words.digits(slower)} times its best layout" * (
        slower > 1.0
    )
    cost = f", {shown(usual, 'cost')}" if math.isfinite(float(usual.cost.value)) else ""
    return (
        f"`estimate train` without a layout says {shown(usual, 'wall_clock')}{cost}, {ratio} times as long: it plans "
        f"among fewer layouts{count}."
    )


def _quantities(own: Estimate) -> Grid:
    """Return what the best layout takes, with ranges."""
    told = [name for name in ("step_time", *QUANTITIES, "memory") if not math.isnan(float(own.values[name]))]
    return Grid(
        ["", "", "80 % range"], [[_label(name), shown(own, name), between(own, name)] for name in told]
    )


def _label(name: str) -> str:
    return LABELS[name].strip()


def _range(found: Found, name: str) -> str:
    text = between(found.estimate, name) if found.estimate else ""
    return f" ({text})" if text else ""


def _summary(found: Found) -> str:
    """Tell wall clock, cost and MFU of the best layout."""
    own = found.estimate
    if own is None:
        return ""
    told = ((name.replace("_", " ").replace("mfu", "MFU"), name) for name in ("wall_clock", "cost", "mfu"))
    return ", ".join(
        f"{label} {shown(own, name)}{_range(found, name)}"
        for label, name in told
        if not math.isnan(float(own.values[name]))
    )


def _alike(found: Found) -> str:
    """Say how many layouts the range of the best one's time holds."""
    number = found.tried.alike
    return f"; the range of the first holds {number:,} layouts" if number > 1 else ""


def _more(found: Found) -> str:
    number = len(found.front)
    return f" ({_FRONT} of {number:,})" if number > _FRONT else ""


def _spread(front: Sequence[Layout]) -> Sequence[Layout]:
    """Return some layouts of a front from end to end."""
    if len(front) <= _FRONT:
        return front
    return [front[round(place * (len(front) - 1) / (_FRONT - 1))] for place in range(_FRONT)]


def layouts_grid(layouts: Sequence[Layout], found: Found) -> Grid:
    """Return layouts as a table: their parts, the time of a step and the memory of a card."""
    names = [
        name
        for name in _HEADERS
        if name not in _USUAL or any(each.parts[name] != _USUAL[name] for each in layouts)
    ]
    headers = [*(_HEADERS[name] for name in names), "dp", "step time", "a card"]
    cells = [
        [
            *(part_of(name, each.parts) for name in names),
            words.digits(data_of(each.parts, found), 12),
            words.amount(each.time, "s"),
            words.amount(each.memory, "byte"),
        ]
        for each in layouts
    ]
    return Grid(headers, cells)


def _counted(found: Found) -> str:
    """Tell how many layouts there are and why the others fell out."""
    counts, why = found.counts, found.fell_out
    refused = ", ".join(f"{option} {number:,}" for option, number in _by_option(found))
    return (
        f"{counts.legal:,} legal layouts, {counts.fit:,} fit, {counts.evaluated:,} evaluated, {counts.bounded:,} "
        f"bounded. Fell out: {why['does not fit']:,} do not fit, {why['dominated']:,} are slower than one that takes "
        f"no more memory; {why['does not divide']:,} values do not divide ({refused})."
    )


def _by_option(found: Found) -> list[tuple[str, int]]:
    return [(f"--{name.replace('_', '-')}", number) for name, number in found.tried.refused.items()]


def _none(found: Found) -> str:
    """Say that nothing fits, or that nothing is legal."""
    count, chip = float(found.case.columns["count"]), found.case.words["accelerator"]
    where = f"{words.digits(count, 12)} x {chip}"
    if not found.counts.legal:
        return f"No layout is legal on {where}: {_undivided(found)}"
    room = float(found.case.columns["memory_usable"])
    if math.isnan(room):
        return f"Whether a layout fits on {where} is not known: the card's memory is not on record"
    least = words.amount(found.tried.least, "byte")
    return f"No layout fits on {where}: the least that a card takes is {least}, and it has {words.amount(room, 'byte')}"


def _undivided(found: Found) -> str:
    """Say why no layout is legal, and which batches and counts have one that leaves no accelerator idle."""
    batch = float(found.case.columns["global_batch"])
    mended = options(found.case, nearest(found.case, *replicas_of(found.case)))
    return f"none shares out a batch of {batch:,.0f} sequences evenly among all" + (
        f"; all would work with {mended}" if mended else ""
    )


def _questions(search: Search) -> Grid:
    """Return a row for each accelerator and count, the best of it and whether it is in time and on the front."""
    ahead = search.front
    headers = [
        "on",
        "count",
        "layout",
        *_SUMMED.values(),
        *(["in time"] if search.within is not None else []),
    ]
    return Grid(
        headers, [_row(search, found, any(found is each for each in ahead)) for found in search.found]
    )


def _starred(search: Search) -> list[str]:
    return ["* None of the others is both faster and cheaper."] if len(search.front) else []


def _row(search: Search, found: Found, ahead: bool) -> list[str]:
    name = found.case.words["accelerator"] + " *" * ahead
    first = [name, words.digits(float(found.case.columns["count"]), 12)]
    late = ["yes" if search.in_time(found) else "no"] if search.within is not None else []
    if found.estimate is None:
        return [*first, "none fits" if found.counts.legal else "none legal", *("" for _ in _SUMMED), *late]
    return [*first, degrees_of(found), *(shown(found.estimate, name) for name in _SUMMED), *late]


def _verdict(search: Search) -> str:
    """Name the best of several, or say that none is in time."""
    best, within = search.best, search.within
    limit = "" if within is None else f" within {words.amount(within, 's')}"
    if best is None or best.estimate is None:
        return _without(search, limit)
    way = {"time": "The fastest", "cost": "The cheapest way to finish"}[search.by]
    count = words.digits(float(best.case.columns["count"]), 12)
    return f"{way}{limit}: {count} x {best.case.words['accelerator']}, {_summary(best)}"


def _without(search: Search, limit: str) -> str:
    """Say why there is no best: nothing fits, nothing is in time, or no price is known."""
    answered = [found for found in search.found if found.estimate is not None]
    if not answered:
        return "None of them holds the run."
    if search.by == "cost" and any(search.in_time(found) for found in answered):
        return f"No price is on record of those that finish{limit}; give one, like --price '2 USD/gpu/hour'."
    return f"None of them finishes{limit}."
