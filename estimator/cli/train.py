"""`estimate train`: one training run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..answer import ask
from ..estimate import Estimate
from ..inputs import Run
from .draws import draw_options, drawn, taken
from .options import format_option, own_folders, question_options, read_run, terminal_width

if TYPE_CHECKING:
    from ..report.sample import Drawn


@click.command("train")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@question_options
@format_option("table", "json", "csv", "markdown")
@draw_options
@click.option("--explain", is_flag=True, help="Show formula, reference, inputs and sources of every number.")
@click.option("--save", metavar="FILE", help="Write the question to a file that `estimate train FILE` reads.")
def command(
    question: str | None,
    own_presets: tuple[str, ...],
    format_: str,
    explain: bool,
    save: str | None,
    **given: Any,
) -> None:
    """Estimate one training run: FLOPs, memory, time, accelerator-hours, energy, cost.

    \b
    How long and how much for 65 billion parameters, everything else assumed and listed:
        estimate train --params 65e9
    \b
    LLaMA-65B as published (Touvron et al. 2023: 1,022,362 GPU-hours):
        estimate train --model llama-65b --tokens 1.4T --on a100-sxm-80gb --count 2048
    \b
    A model of your own, on what you have, at your price:
        estimate train --config config.json --tokens 300B --on h100 --nodes 16 --price "2.5 USD/gpu/hour"
    \b
    Keep a question and ask it again:
        estimate train --params 7B --tokens 2T --within "14 days" --save run.toml
        estimate train run.toml --on b200
    \b
    How sure is the answer, and which unknown makes it unsure?
        estimate train --params 65e9 --draws 4096 --sensitivity
    """
    presets = own_folders(own_presets)
    asked, note = taken(question, given)
    run = read_run(question, given, presets)
    estimate = _noted(ask(run, presets), note)
    if save is not None:
        from ..inputs.files import write_question

        write_question(run, Path(save))
    click.echo(write(estimate, run, format_, drawn(estimate, asked) if asked else None))
    if explain:
        from ..report.explain import explain as explanation

        click.echo("\n" + explanation(estimate))


def _noted(estimate: Estimate, note: str) -> Estimate:
    """Add a note of how the options were read to those of the answer."""
    notes = (*estimate.case.notes, *([note] if note else []))
    return replace(estimate, case=replace(estimate.case, notes=notes))


def write(estimate: Estimate, run: Run, format: str, drawn: Drawn | None) -> str:
    """Return the answer in one of the four formats, with what was drawn of it."""
    if format in ("table", "markdown"):
        from ..report import answer

        text = answer.table(estimate, terminal_width()) if format == "table" else answer.markdown(estimate)
        return text if drawn is None else f"{text}\n\n{_page(drawn, format)}"
    from ..report.document import document

    answered = document(estimate, run.write())
    if drawn is not None:
        from ..report import sample

        answered["draws"] = sample.document(drawn)
    if format == "json":
        import json

        return json.dumps(answered, indent=2, ensure_ascii=False, allow_nan=False)
    from ..report.rows import csv_rows

    return csv_rows(answered).csv()


def _page(drawn: Drawn, format: str) -> str:
    from ..report import sample

    return sample.page(drawn, format)
