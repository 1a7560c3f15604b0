"""`estimate solve`: the value of an input at which a quantity meets its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import EstimatorError
from ..inputs.run import option
from ..presets import Presets
from ..solving.laws import LAWS
from ..solving.solve import Solution, solve
from ..units import shorten
from .draws import Asked, asked_draws, draw_options
from .options import (
    fleet_options,
    format_option,
    input_name,
    merged,
    own_folders,
    question_options,
    terminal_width,
)

# Quantities that have an option of their own, and how help calls their values; --aim takes any.
AIMS = {
    "cost": ("MONEY", 'Cost at most this, like "2e6 USD" or "2 million USD".'),
    "energy": ("ENERGY", 'Energy at most this, like "500 MWh".'),
    "carbon": ("MASS", 'Carbon at most this, like "100 t".'),
    "accelerator_hours": ("TIME", 'Productive accelerator-hours at most, like "1e6 hour".'),
    "occupied_hours": ("TIME", "Occupied accelerator-hours at most: those that are paid for."),
    "flops": ("WORK", 'Model FLOPs at most, like "1e24 FLOP".'),
    "memory": ("MEMORY", 'Memory of a card at most, like "80 GiB".'),
    "step_time": ("TIME", 'Time of a step at most, like "20 s".'),
    "throughput": ("RATE", 'Throughput at least, like "1e6 token/s".'),
}


def _aim_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for name, (metavar, text) in reversed(AIMS.items()):
        function = click.option(option(name), name, metavar=metavar, help=text)(function)
    return function


@click.command("solve")
@click.argument("name", metavar="INPUT")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@_aim_options
@click.option("--aim", metavar="NAME=VALUE", help='Any other quantity of an answer, like "mfu=40%".')
@click.option("--law", metavar="NAME", help=f"Law by which tokens follow from a size: {', '.join(LAWS)}.")
@click.option("--served", metavar="NUMBER", help="Tokens that the model is to serve in its life, like 10T.")
@draw_options
@fleet_options
@question_options
@format_option("table", "json", "csv", "markdown")
def command(
    name: str,
    question: str | None,
    own_presets: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """Find the value of an input at which a quantity of the answer meets a target: any input for any target.

    \b
    What can be trained for two million dollars in sixty days, on each of two chips?
        estimate solve params --cost "2e6 USD" --within "60 days" --on nvidia-h100-sxm-80gb
        estimate solve params --cost "2e6 USD" --within "60 days" --on ascend-910b --price "1 USD/gpu/hour"
    \b
    Both at once, at a price each (with --draws 4096: and how sure is that?):
        estimate solve params --cost "2e6 USD" --within "60 days" --on h100,ascend-910b --price "2,1 USD/gpu/hour"
    \b
    How many tokens does the money buy, and how many cards does the date need?
        estimate solve tokens --params 7B --on h100 --count 256 --cost "100000 USD"
        estimate solve count --params 70B --tokens 1.4T --on h100 --within "30 days"
    \b
    A smaller model that is trained longer, as it is to serve ten trillion tokens:
        estimate solve params --cost "2e6 USD" --served 10T --count 1024
    \b
    The link between two sites that a date needs, and the cards of the first that a budget pays:
        estimate solve link --params 7B --pool "64 x a100, site=a" --pool "64 x h100, site=b" --within "30 days"
        estimate solve A.count --params 7B --pool "64 x a100" --pool "64 x h100" --cost "1e6 USD"
    \b
    Which MFU, which price would it take?
        estimate solve mfu --params 70B --tokens 1.4T --on h100 --count 512 --within "30 days"
        estimate solve price --params 70B --tokens 1.4T --on h100 --count 512 --cost "1e6 USD"
    """
    presets, unknown = own_folders(own_presets), input_name(name)
    draws = asked_draws(given)
    of_law = {key: given.pop(key) for key in ("law", "served")}
    aims = {key: given.pop(key) for key in AIMS}
    aims = {**aims, **_aim(given.pop("aim"), aims)}
    asked = _inputs(question, given, unknown, aims)
    if "," in str(asked.get("on") or ""):
        click.echo(_several(asked, unknown, presets, format_, draws, **of_law, **aims))
        return
    click.echo(_written(solve(asked, unknown, presets=presets, **of_law, **aims), format_, draws))


def _aim(text: str | None, others: Mapping[str, Any]) -> dict[str, str]:
    """Read `mfu=40%`."""
    if text is None:
        return {}
    name, equals, value = text.partition("=")
    name = name.strip().removeprefix("--").replace("-", "_")
    if not equals or not name or not value.strip():
        raise EstimatorError(f"--aim: {shorten(text)} is not NAME=VALUE; write it like mfu=40%")
    if others.get(name) is not None:
        raise EstimatorError(f"--aim: {name} is given by {option(name)} too; leave one of them out")
    return {name: value.strip()}


def _inputs(
    question: str | None, given: Mapping[str, Any], unknown: str, aims: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the question: options, and of a file what neither they nor what is asked for replaces.

    Where a count is asked for and there is no other target, the deadline of the file is it.
    """
    options = merged({}, given)
    if question is None:
        return options
    from ..inputs.files import read_question

    stored = read_question(Path(question))
    laid = merged(stored, {**options, unknown: ""})
    kept = {name: value for name, value in laid.items() if name != unknown}
    alone = unknown in ("count", "nodes") and not any(aims.values()) and "within" in stored
    return {**kept, **({"within": stored["within"]} if alone else {}), **options}


def _written(solution: Solution, format: str, asked: Asked | None) -> str:
    """Return a solution in one of the four formats, with its draws where they are asked for."""
    from ..report import solution as report

    if asked is None:
        page = report.page(solution, terminal_width())
        return report.markdown(solution) if format == "markdown" else page.write(format)
    from ..report import sample, solutions
    from ..report.grid import Grid
    from ..report.rows import drawn_rows
    from ..solving.several import sure_of

    sure = sure_of(solution, *asked.numbers)
    more = [solutions.sure_line(solution, sure)]
    drawn = sample.Drawn(
        solution.estimate, sure.sample, sure.sample.sensitivity() if asked.sensitivity else None
    )
    page = report.page(solution, terminal_width(), more)
    if format in ("table", "markdown"):
        text = report.markdown(solution, more) if format == "markdown" else page.write(format)
        return f"{text}\n\n{sample.page(drawn, format)}"
    told = {**sample.document(drawn), **solutions.sure_document(solution, sure)}
    rows = Grid(page.rows.headers, [*page.rows.rows, *drawn_rows(told)])
    return page._replace(rows=rows, document={**page.document, "draws": told}).write(format)


def _several(
    asked: Mapping[str, Any], name: str, presets: Presets, format: str, draws: Asked | None, **target: Any
) -> str:
    """Return solutions on several accelerators in one of the four formats."""
    from ..report.solutions import page
    from ..solving.several import solve_each, sure_of

    found = solve_each(asked, name, presets=presets, **target)
    sures = [sure_of(each.solution, *draws.numbers) if draws and each.solution else None for each in found]
    return page(found, sures, terminal_width()).write(format)
