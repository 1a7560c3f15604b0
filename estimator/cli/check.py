"""`estimate check`: tell whether a measured throughput is normal."""

from __future__ import annotations

from typing import Any

import click

from ..check import check
from ..report.check import check_page
from ..report.page import FORMATS
from .options import format_option, own_folders, question_options, read_run, terminal_width


@click.command("check")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@click.option(
    "--tokens-per-second",
    metavar="NUMBER",
    help="Tokens a second of ONE accelerator, as measured, like 3200.",
)
@click.option(
    "--step-time",
    metavar="TIME",
    help='Time of one step, as measured, like "12 s"; with --global-batch and --count.',
)
@question_options
@format_option(*FORMATS)
def command(
    question: str | None,
    tokens_per_second: str | None,
    step_time: str | None,
    own_presets: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """Tell whether a measured throughput is normal: where it lies in the predicted range and among like measured runs,
    and which part of the step is the likeliest to explain the difference.

    The question is that of `estimate train`: the more of it is given, the less is assumed.

    \b
    Tokens a second of one accelerator:
        estimate check --model llama-2-7b --on a100 --count 64 --tokens-per-second 3200
    \b
    The time of a step, of a layout of your own:
        estimate check --model llama-2-70b --on h100 --count 256 --tp 8 --pp 4 --global-batch 1024 --step-time "24 s"
    """
    presets = own_folders(own_presets)
    run = read_run(question, given, presets)
    found = check(run, presets, tokens_per_second=tokens_per_second, step_time=step_time)
    click.echo(check_page(found, run.write(), terminal_width()).write(format_))
