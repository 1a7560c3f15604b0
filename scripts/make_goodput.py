"""Write docs/goodput.md: the goodput of published runs from their own interruptions, intervals and restarts.

usage: make_goodput.py [--check]

Each record of presets/failures that states a goodput is asked as a question with the inputs that it records, and the
answer is set beside what is published. --check changes nothing and fails where the page is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from estimator import Presets, Run, ask  # noqa: E402
from estimator.inputs.run import write_input  # noqa: E402
from estimator.records import Record  # noqa: E402

TARGET = ROOT / "docs" / "goodput.md"
# What a record may say of a fleet that a question may say too; the rate is taken by the fleet's name.
INPUTS = (
    "restart_time", "checkpoint_interval", "checkpoint_bandwidth", "rollback_share", "spare_nodes",
)  # fmt: skip
NAMES = {
    "failures": "interruptions", "restart_time": "restart", "checkpoint_interval": "interval",
    "checkpoint_bandwidth": "storage", "rollback_share": "rollbacks", "spare_nodes": "spare nodes",
    "replaced_share": "nodes taken away", "goodput": "goodput, published",
}  # fmt: skip
_DAY, _NODE = 86400.0, 8


class Compared(NamedTuple):
    """A published run: its record, our goodput with its range, ours at both ends of what is assumed of it."""

    record: Record
    ours: float
    low: float
    high: float
    ends: tuple[float, float] | None

    @property
    def at_least(self) -> bool:
        """Whether an inequality is what is published."""
        return str(self.record.words["published_as"]).startswith("over ")

    @property
    def apart(self) -> tuple[float, float]:
        """How far ours lies from either end of what is published, the least first."""
        told = self.record.figures["goodput"]
        ends = [self.ours - end for end in (told.low, told.high) if end is not None]
        return min(ends, key=abs), max(ends, key=abs)


def question(record: Record, **other: Any) -> dict[str, Any]:
    """Return the question of a published run: its tokens do not matter for a share of time."""
    known = {name: write_input(name, record.figures[name].value) for name in INPUTS if name in record.figures}
    words = {
        "model": record.words["model"],
        "on": record.words["accelerator"],
        "count": record.words["accelerators"],
    }
    return {**words, "tokens": "300B", "failures": record.id, **known, **other}


def goodput(presets: Presets, asked: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the goodput of a question, and its low and high end."""
    amount = ask(Run.read(asked, presets), presets).goodput
    return float(amount.value), float(amount.low), float(amount.high)


def compared(presets: Presets) -> list[Compared]:
    """Ask about every fleet on record with a published goodput."""
    found: list[Compared] = []
    for record in presets.all("failures"):
        if "goodput" not in record.figures:
            continue
        found.append(Compared(record, *goodput(presets, question(record)), _ends(presets, record)))
    return found


def _ends(presets: Presets, record: Record) -> tuple[float, float] | None:
    """Return the goodput at the ends of the inputs that are assumed, the least and the most."""
    open_ = [name for name, figure in record.figures.items() if figure.kind == "assumed"]
    values = [
        goodput(presets, question(record, **{name: end}))[0] for name in open_ for end in _both(record, name)
    ]
    return (min(values), max(values)) if values else None


def _both(record: Record, name: str) -> list[Any]:
    figure = record.figures[name]
    factor = _NODE if name == "failures" else 1.0
    return [write_input(name, end * factor) for end in (figure.low, figure.high) if end is not None]


def page(presets: Presets) -> str:
    """Return the page."""
    return "\n".join(
        [_HEAD, *_table(compared(presets)), _FLEETS, *_rates(presets), _INPUTS, *_inputs(presets)]
    )


def _percent(value: float) -> str:
    return f"{100.0 * value:.1f} %"


def _table(rows: Sequence[Compared]) -> Iterator[str]:
    for row in rows:
        record = row.record
        ends = f"{_percent(row.ends[0])} to {_percent(row.ends[1])}" if row.ends else ""
        yield (
            f"| [{record.name}](#{record.id}) | {record.words['accelerators']:,} | {_percent(row.ours)} | "
            f"{_percent(row.low)} to {_percent(row.high)} | {ends} | {record.words['published_as']} | "
            f"{_apart(row)} |"
        )


def _apart(row: Compared) -> str:
    if row.at_least:
        return "holds" if row.ours > row.record.value("goodput") else "does not hold"
    least, most = row.apart
    return f"{100.0 * least:+.1f} to {100.0 * most:+.1f} points"


def _rates(presets: Presets) -> Iterator[str]:
    for record in sorted(presets.all("failures"), key=lambda record: record.value("failures")):
        figure = record.figures["failures"]
        each = [figure.value, *(end for end in (figure.low, figure.high) if end is not None)]
        value, *ends = (f"{rate * _DAY * _NODE * 1000:.2g}" for rate in each)
        ends = [end for end in ends if end != value] and [f" ({ends[0]} to {ends[1]})"]
        yield (
            f"| `{record.id}` | {record.words['accelerator']} | {record.words['accelerators']:,} | "
            f"{record.words['period']} | {value}{''.join(ends)} | {figure.kind} |"
        )


def _inputs(presets: Presets) -> Iterator[str]:
    for record in presets.all("failures"):
        if "goodput" not in record.figures:
            continue
        yield f"### {record.id}\n"
        for name, figure in record.figures.items():
            whose = "**assumed**" if figure.kind == "assumed" else f"{figure.kind}, {figure.source.publisher}"
            yield f"- {NAMES[name]} {figure.text} ({whose}: {figure.where})" + (
                f". {figure.note}" if figure.note else ""
            )
        yield "" if "note" not in record.words else f"\n{record.words['note']}\n"


_HEAD = """# Goodput of published runs

Generated by `scripts/make_goodput.py` from `presets/failures/`; do not edit.

Each run is asked with its own rate of interruptions, interval between checkpoints and restart time where these are on
record; the goodput is no input. What is missing is [what the house assumes](formulas/reliability.md), or what the record
says is assumed of this run, with the goodput at both ends of that. The aim is 5 points. These are few runs, and two of them
published only that they lost less than a tenth: the table shows that the parts are of the right size, not more. BLOOM lost
more than its failures on record explain; OPT's rollbacks are derived from the progress of the same run, and its interval is
assumed.

| run | cards | ours | 80 % range | at the ends of what is assumed | published | apart |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |"""
_FLEETS = """
## Fleets on record

`--failures NAME` takes the rate of one. Rates are of interruptions in 1,000 node-days of eight accelerators. They differ
sevenfold, and not by accelerator alone: the two clusters of one owner and chip, `rsc-1` and `rsc-2`, differ threefold. Rates of
nodes add up, so that twice the nodes are interrupted twice as often; jobs on 1,024 cards of `rsc-1` were interrupted 3.7 times as
often as that says, which is the high end of its range. Memory of H100s fails oftener than that of A100s (NCSA Delta: 3.2
times, arXiv:2503.11901), and jobs on H100s on record no oftener than those on A100s.

| fleet | accelerator | cards | period | interruptions | |
| --- | --- | ---: | --- | ---: | --- |"""
_INPUTS = """
## Inputs of each run
"""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or tell whether it is current."""
    text = page(Presets())
    if "--check" in arguments:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print("docs/goodput.md is", "current" if current else "out of date: run scripts/make_goodput.py")
        return 0 if current else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
