"""`estimate memory`: will it fit, and what would make it fit."""

from __future__ import annotations

from typing import Any

import click

from ..memory import advise
from ..report.memory import memory_page
from ..report.page import FORMATS
from .options import format_option, own_folders, question_options, read_run, terminal_width


@click.command("memory")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@question_options
@format_option(*FORMATS)
def command(question: str | None, own_presets: tuple[str, ...], format_: str, **given: Any) -> None:
    """Tell what a card of the fullest pipeline stage holds, whether it fits, and what would make it fit.

    \b
    Does a 65 B model fit on eight consumer cards, and if not, what is the cheapest change?
        estimate memory --model llama-65b --on rtx-3090 --count 8 --seq 1024
    \b
    A layout of your own, stage by stage:
        estimate memory --model gpt3-175b --on a100 --count 64 --tp 8 --pp 8 --zero 1 --global-batch 512
    \b
    Adapters on a quantised model, on one card:
        estimate memory --model llama-65b --on a100-sxm-80gb --count 1 --method qlora --rank 64 --seq 512
    """
    presets = own_folders(own_presets)
    run = read_run(question, given, presets)
    click.echo(memory_page(advise(run, presets), run.write(), terminal_width()).write(format_))
