"""Options that commands share, made from the fields of `Run`: a field is added in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..inputs.run import Run, option, rivals_of
from ..presets import Presets

Function = Callable[..., Any]


def question_options(function: Function) -> Function:
    """Add an option for every input of a run, and the folder of a user's own presets."""
    for name, field in reversed(list(Run.model_fields.items())):
        function = click.option(option(name), name, help=field.description, metavar=_metavar(name))(function)
    return click.option(
        "--presets", "own_presets", multiple=True, metavar="DIR", help="A folder of your own records, beside ours."
    )(function)


def _metavar(name: str) -> str:
    special = {"model": "PRESET", "config": "FILE", "on": "ACCELERATOR", "node": "NODE", "within": "TIME",
               "price": "PRICE", "power": "POWER", "grid": "PLACE", "optimizer": "NAME", "precision": "NAME",
               "platform": "NAME", "plan": "NAME", "currency": "CODE", "recompute": "NAME"}  # fmt: skip
    return special.get(name, "NUMBER")


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Add --format with the formats that a command can write."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True,
        help="How to write the answer.",
    )  # fmt: skip


def own_folders(own_presets: tuple[str, ...]) -> Presets:
    """Return the records with the user's folders in front."""
    return Presets(tuple(Path(folder) for folder in own_presets))


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay options over a question file: an option replaces its own input and those that it contradicts."""
    options = {name: value for name, value in given.items() if value is not None}
    replaced = {rival for name in options for rival in rivals_of(name)}
    return {**{name: value for name, value in stored.items() if name not in replaced}, **options}


def read_run(question: str | None, given: Mapping[str, Any], presets: Presets) -> Run:
    """Make the run of a question file, of options, or of both."""
    stored: Mapping[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question  # noqa: PLC0415  (only where a file is named)

        stored = read_question(Path(question))
    return Run.read(merged(stored, given), presets)
