"""`estimate sweep`: a question at every combination of some inputs' values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import EstimatorError
from ..kinds import kind_of
from ..sweeps.axes import Vary
from ..sweeps.cells import Wanted
from ..sweeps.sweep import Sweep, sweep
from ..units import shorten
from .options import (
    fleet_options,
    input_name,
    merged,
    own_folders,
    question_options,
    where_of,
    workers_options,
)
from .progress import Progress

_HOW_TO = ("thin", "show", "ranged", "output", "resume", "workers", "cluster", "format_")
_HOW = "write it like count=512:8192:x2 or on=h100,a100"


@click.command("sweep")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@click.option(
    "--vary", multiple=True, metavar="NAME=VALUES",
    help="An input and its values: a list, or a range of equal steps or factors, like 8:64:8 or 8:64:x2; repeat it.",
)  # fmt: skip
@click.option(
    "--zip",
    "linked",
    multiple=True,
    metavar="NAME,NAME",
    help="Inputs that run together, one value each at a time.",
)
@click.option("--thin", metavar="NUMBER", help="Answer only so many cells, spread evenly over all of them.")
@click.option(
    "--show", multiple=True, metavar="NAME", help="A quantity to tell in place of the usual; repeat it."
)
@click.option("--range", "ranged", multiple=True, metavar="NAME",
              help="A quantity to tell the range of; wall_clock and cost where none is named. Repeat it.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Write to a file: .parquet, .csv or .jsonl.")
@click.option("--resume", is_flag=True, help="Go on with a file that was begun and stopped.")
@workers_options
@fleet_options
@question_options
@click.option(
    "--format", "format_", type=click.Choice(["table", "csv", "jsonl", "markdown"]), default="table",
    show_default=True, help="How to write the cells where they go to no file.",
)  # fmt: skip
def command(
    question: str | None,
    vary: tuple[str, ...],
    linked: tuple[str, ...],
    own_presets: tuple[str, ...],
    **given: Any,
) -> None:
    """Ask a question at every combination of some inputs' values.

    \b
    How time and cost change with the count and the price, on two chips:
        estimate sweep --params 65e9 --vary count=512:8192:x2 --vary price=1.5,2,3 --vary on=h100,a100
    \b
    Each chip at a price of its own; every quantity in a file:
        estimate sweep --params 65e9 --count 2048 --vary on=h100,a100 --vary price=2.5,1.2 --zip on,price -o prices.csv
    \b
    A fleet at two sites by its link, in one run and in separate ones; and by the cards of its first pool:
        estimate sweep --params 7B --pool "64 x a100, site=a" --pool "64 x h100, site=b" --vary link="10,100 Gbit/s"
        estimate sweep --params 7B --pool "8 x a100" --pool "8 x h100" --vary A.count=8:64:8 --vary way=separate,matched
    \b
    Millions of cells in bounded memory; stopped with Ctrl-C it goes on with the same words and --resume:
        estimate sweep run.toml --vary count=64:4096:64 --vary price=1:3:0.01 -o all.csv
    \b
    The same by two workers of Dask, or of a cluster elsewhere with tcp://...; the file is the same:
        estimate sweep run.toml --vary count=64:4096:64 --vary price=1:3:0.01 -o all.csv --cluster local:2
    """
    how = {name: given.pop(name) for name in _HOW_TO}
    if how["resume"] and how["output"] is None:
        raise EstimatorError("--resume goes on with a file; name it with -o")
    presets, where = own_folders(own_presets), where_of(how["workers"], how["cluster"])
    axes = _axes(vary)
    asked = _inputs(question, given, axes)
    groups = [[input_name(word) for word in text.split(",")] for text in linked]
    wanted = _wanted(how, asked, axes)
    varied = Vary(axes, groups, _thin(how["thin"]))
    found = sweep(asked, varied, wanted=wanted, presets=presets, cluster=where)
    if how["output"] is None:
        _show(found, how["format_"])
    else:
        _write(found, Path(how["output"]), resume=how["resume"])


def _inputs(question: str | None, given: Mapping[str, Any], axes: Mapping[str, str]) -> dict[str, Any]:
    """Return what does not vary: options, and of a file what neither they nor an axis replaces or contradicts."""
    if question is None:
        return merged({}, given)
    from ..inputs.files import read_question

    laid = merged(read_question(Path(question)), {**axes, **merged({}, given)})
    return {name: value for name, value in laid.items() if name not in axes or given.get(name) is not None}


def _axes(vary: Sequence[str]) -> dict[str, str]:
    """Read `count=512:8192:x2`; a name is spelt like its option or like its input."""
    found: dict[str, str] = {}
    for text in vary:
        name, equals, values = text.partition("=")
        if not equals or not name.strip():
            raise EstimatorError(f"--vary: {shorten(text)} is not NAME=VALUES; {_HOW}")
        if input_name(name) in found:
            raise EstimatorError(f"--vary: '{input_name(name)}' is given twice; {_HOW}")
        found[input_name(name)] = values.strip()
    return found


def _wanted(how: Mapping[str, Any], asked: Mapping[str, Any], axes: Iterable[str]) -> Wanted:
    """Return the quantities named, or a few where a person reads them, and those of which the range is told."""
    kind = kind_of(asked)
    usual = Wanted.usual(how["show"], {*asked, *axes}, kind)
    if not how["show"] and how["output"] is None and how["format_"] in ("table", "markdown"):
        usual = Wanted.usual([name for name in ("count", *kind.shown) if name in usual.quantities])
    return usual._replace(ranged=tuple(dict.fromkeys(how["ranged"]))) if how["ranged"] else usual


def _thin(text: str | None) -> float | None:
    if text is None:
        return None
    from ..units import parse_count

    try:
        return parse_count(text)
    except EstimatorError as error:
        raise EstimatorError(f"--thin: {error}") from None


def _show(found: Sweep, format: str) -> None:
    from ..report import sweep as report

    if format in ("table", "markdown"):
        click.echo(report.page(found, format))
        return
    for part in report.lines(found, format):
        click.echo(part, nl=False)


def _write(found: Sweep, path: Path, *, resume: bool) -> None:
    try:
        with Progress() as bar:
            found.write(path, resume=resume, told=bar.told)
    except KeyboardInterrupt:
        from ..sweeps.store import begun

        parts = begun(found, path)
        if parts.folder.is_dir():
            words = (
                f"{parts.done:,} of {parts.parts:,} parts are whole in '{parts.folder}'; go on with --resume"
            )
            click.echo(words, err=True)
        raise
    click.echo(f"{found.size:,} cells are in '{path}'.")
