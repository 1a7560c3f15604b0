"""`estimate serving`: bounds on serving a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..inputs.run import option
from ..inputs.serving import SERVING_FIELDS, ServingQuestion
from ..report.page import FORMATS
from ..report.serving import serving_page
from ..serving import ask_serving
from .options import Function, format_option, merged, own_folders, presets_option, terminal_width


def serving_options(function: Function) -> Function:
    """Add an option for every input about serving."""
    for name, field in reversed(list(SERVING_FIELDS.items())):
        function = click.option(option(name), name, help=field.description, metavar=field.metavar)(function)
    return presets_option(function)


@click.command("serving")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@serving_options
@format_option(*FORMATS)
def command(question: str | None, own_presets: tuple[str, ...], format_: str, **given: Any) -> None:
    """Bound what serving a model takes: memory, the least time of a prompt and a token, cards for a demand.

    Bounds, not a model of serving: real deployments are slower and need more.

    \b
    A token of LLaMA-65B on two A100s, and how many sequences they hold:
        estimate serving --model llama-65b --on a100-sxm-80gb --count 2 --context 1024
    \b
    Cards for 25 million visits a day, each of 500 tokens read and 500 written:
        estimate serving --model gpt3-175b --on a100-sxm-80gb --visits-per-day 25M --prompt 500 --answer 500
    \b
    Does it fit on the socket of a server, and how fast could it be?
        estimate serving --model llama-65b --on intel-xeon-8480plus --count 1 --precision int8
    \b
    One forward pass of a weather model over the patches of a globe:
        estimate serving --params 4.5B --on a100-sxm-80gb --count 1 --prompt 64800
    """
    presets = own_folders(own_presets)
    stored: dict[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question

        stored = read_question(Path(question))
    asked = ServingQuestion.read(merged(stored, given), presets)
    click.echo(serving_page(ask_serving(asked, presets), terminal_width()).write(format_))
