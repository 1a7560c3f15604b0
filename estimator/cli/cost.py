"""`estimate cost`: renting and owning side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..costing import ask_costs
from ..inputs.files import read_question
from ..report.costing import costing_page
from ..report.page import FORMATS
from .options import format_option, merged, own_folders, question_options, terminal_width


@click.command("cost")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@click.option(
    "--period",
    metavar="TIME",
    help='Machines held so long, whatever they train, like "3 years"; needs no model.',
)
@click.option("--place", multiple=True, metavar="PLACE", help="Owning at this grid, like usa; repeat it.")
@question_options
@format_option(*FORMATS)
def command(
    question: str | None,
    period: str | None,
    place: tuple[str, ...],
    own_presets: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """Tell what a run costs by every way to have the machines, part by part, and from what use on owning is cheaper.

    \b
    One run, rented by every plan on record and on machines of one's own:
        estimate cost --model llama-65b --tokens 1.4T --on a100-sxm-80gb --count 2048
    \b
    Rent or own 1,024 cards over three years, in two countries:
        estimate cost --on h100 --count 1024 --period "3 years" --place usa --place china
    \b
    At your rent, and in use three fifths of the time:
        estimate cost --on h100 --count 1024 --period "3 years" --price "2.5 USD/gpu/hour" --utilisation 60%
    \b
    With the people, the runs before the last, and the applications that share it:
        estimate cost --params 70B --tokens 2T --count 512 --staff 20 --development 3.4 --applications 10
    """
    presets = own_folders(own_presets)
    stored = read_question(Path(question)) if question is not None else {}
    asked = merged(stored, given)
    shown = {**asked, **({"period": period} if period else {}), **({"place": list(place)} if place else {})}
    found = ask_costs(asked, presets, period, place)
    click.echo(costing_page(found, shown, terminal_width()).write(format_))
