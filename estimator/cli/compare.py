"""`estimate compare`: questions side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..compare import compare, each
from ..errors import EstimatorError
from ..inputs.files import read_question
from ..report.comparison import comparison_page
from ..report.page import FORMATS
from ..units import shorten
from .options import format_option, merged, own_folders, question_options

_HOW = "write it like on=h100,count=512"


@click.command("compare")
@click.argument("files", nargs=-1, metavar="[QUESTION.toml]...", type=click.Path())
@click.option(
    "--against", multiple=True, metavar="NAME=VALUE,...", help="The same question with these inputs replaced."
)
@question_options
@format_option(*FORMATS)
def command(
    files: tuple[str, ...],
    against: tuple[str, ...],
    own_presets: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """Put several questions side by side: what differs, every quantity, and its ratio to the first.

    \b
    Two question files; the same files, both with another count:
        estimate compare a.toml b.toml
        estimate compare a.toml b.toml --count 512
    \b
    One question on two chips, and at another price:
        estimate compare --params 65B --on h100 --against on=ascend-910b,count=512
        estimate compare a.toml --against "price=2 USD/gpu/hour" --against on=h200
    """
    names, questions = _questions(files, against, given)
    comparison = compare(questions, own_folders(own_presets))
    click.echo(comparison_page(comparison, names).write(format_))


def _questions(
    files: tuple[str, ...], against: tuple[str, ...], given: Mapping[str, Any]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what each question is called and its inputs: the files or the options, then their variants."""
    options = merged({}, given)
    bases = [_in_file(name) for name in files] or ([dict] if options else [])
    names = [*files] or ["the options"] * len(bases)
    stored = each([*bases, *(_in_words(text) for text in against)])
    asked = [merged(inputs, options) for inputs in stored[: len(bases)]]
    base = asked[0] if asked else {}
    return [*names, *against], [*asked, *(merged(base, change) for change in stored[len(bases) :])]


def _in_file(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: read_question(Path(name))


def _in_words(text: str) -> Callable[[], dict[str, Any]]:
    return lambda: _changes(text)


def _changes(text: str) -> dict[str, Any]:
    """Read `on=h100,count=512`; a name is spelt like its option or like its input."""
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        name = name.removeprefix("--").replace("-", "_")
        if not equals or not name or not value:
            raise EstimatorError(f"--against: {shorten(part.strip())} is not NAME=VALUE; {_HOW}")
        if name in found:
            raise EstimatorError(f"--against: '{name}' is given twice; {_HOW}")
        found[name] = value
    return found
