"""`estimate layout`: the best layout of a training, and the best accelerators and counts for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..report.layout import layout_page
from ..report.page import FORMATS
from ..searches.search import BY, search
from .options import (
    format_option,
    merged,
    own_folders,
    question_options,
    terminal_width,
    where_of,
    workers_options,
)
from .progress import Progress


@click.command("layout")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@click.option("--by", type=click.Choice(list(BY)), default="time", show_default=True,
              help="What is sought: the least time or the least cost.")  # fmt: skip
@workers_options
@question_options
@format_option(*FORMATS)
def command(question: str | None, own_presets: tuple[str, ...], **given: Any) -> None:
    """Find the best layout: every legal one tried, of degrees, sharding, micro-batch, recomputation and offload.

    What is given of the layout is fixed. --on and --count take several values.

    \b
    The fastest of seven million layouts of GPT-3 on 4,096 A100s, and those that take less memory:
        estimate layout --model gpt3-175b --on nvidia-a100-sxm-80gb --count 4096 --global-batch 1536
    \b
    The cheapest way to finish in ten days:
        estimate layout --model gpt3-6.7b --on a100-sxm-80gb,h100,b200 --count 64:256:x2 --within "10 days" --by cost
    \b
    The same by four processes of this machine, or by the workers of a Dask cluster with --cluster tcp://...:
        estimate layout --model gpt3-6.7b --on h100,b200 --count 64:256:x2 --by cost --workers 4
    """
    by, format_, workers, cluster = (given.pop(name) for name in ("by", "format_", "workers", "cluster"))
    presets, where = own_folders(own_presets), where_of(workers, cluster)
    asked = _inputs(question, given)
    with Progress() as bar:
        found = search(asked, by=by, presets=presets, cluster=where, told=bar.told)
    click.echo(layout_page(found, asked, terminal_width()).write(format_))


def _inputs(question: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a file with options laid over them; a deadline stands beside a count here."""
    stored: Mapping[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question

        stored = read_question(Path(question))
    within = given.get("within") or stored.get("within")
    rest = merged(
        {name: value for name, value in stored.items() if name != "within"}, {**given, "within": None}
    )
    return rest if within is None else {**rest, "within": within}
