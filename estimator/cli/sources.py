"""`estimate sources`: the bibliography of an answer."""

from __future__ import annotations

from typing import Any

import click

from ..answer import ask
from ..errors import EstimatorError
from ..presets import Presets
from ..report import bibliography
from ..report.page import FORMATS, Page
from .options import format_option, own_folders, question_options, read_run


@click.command("sources")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@click.option(
    "--all", "every", is_flag=True, help="Every source that any record cites, with how many figures."
)
@question_options
@format_option(*FORMATS)
def command(
    question: str | None, every: bool, own_presets: tuple[str, ...], format_: str, **given: Any
) -> None:
    """Print the bibliography of an answer: each source once, with the inputs and formulas that it carries.

    \b
    What an answer rests on:
        estimate sources --params 65e9
        estimate sources run.toml --format markdown
    \b
    All that is cited anywhere:
        estimate sources --all
    """
    presets = own_folders(own_presets)
    page = _every(presets, question, given) if every else _of_answer(presets, question, given)
    click.echo(page.write(format_))


def _of_answer(presets: Presets, question: str | None, given: dict[str, Any]) -> Page:
    run = read_run(question, given, presets)
    return bibliography.answer_page(ask(run, presets), run.write())


def _every(presets: Presets, question: str | None, given: dict[str, Any]) -> Page:
    if question or any(value is not None for value in given.values()):
        raise EstimatorError("--all: lists the sources of every record; leave the question out")
    return bibliography.cited_page(bibliography.cited(presets))
