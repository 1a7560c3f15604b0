"""`estimate goodput`: what interruptions take of the wall time, and how often to write a checkpoint."""

from __future__ import annotations

from typing import Any

import click

from ..goodput import interrupted
from ..report.goodput import goodput_page
from ..report.page import FORMATS
from .options import format_option, own_folders, question_options, read_run, terminal_width


@click.command("goodput")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@question_options
@format_option(*FORMATS)
def command(question: str | None, own_presets: tuple[str, ...], format_: str, **given: Any) -> None:
    """Tell what interruptions take of the wall time, and how often to write a checkpoint.

    \b
    A large run, with the interruptions of fleets on record:
        estimate goodput --model llama-3.1-405b --tokens 15.6T --on h100 --count 16384
    \b
    Your own fleet: 6 interruptions in 1,000 node-days, a checkpoint every half hour, 4 spare nodes:
        estimate goodput --params 70B --count 512 --failures 0.006/node/day --checkpoint-interval 30min --spare-nodes 4
    """
    presets = own_folders(own_presets)
    run = read_run(question, given, presets)
    click.echo(goodput_page(interrupted(run, presets), run.write(), terminal_width()).write(format_))
