"""`estimate fleet`: unlike pools of accelerators together, and totals of compute in cards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import QuestionError
from ..inputs.fleet import FleetQuestion
from ..inputs.pools import pool_inputs
from ..inputs.run import option
from ..presets import Presets
from ..report.page import FORMATS, Page
from .draws import Asked, asked_draws, draw_options, drawn
from .options import fleet_options, format_option, merged, own_folders, question_options, terminal_width

_MODEL = {"params", "model", "config"}


@click.command("fleet")
@click.argument("question", required=False, metavar="[QUESTION.toml]", type=click.Path())
@fleet_options
@click.option(
    "--compute",
    metavar="COMPUTE",
    help='A total to be told in cards, like "20 EOPS", with --precision and --on.',
)
@question_options
@format_option(*FORMATS)
@draw_options
@click.option("--save", metavar="FILE", help="Write the question to a file that `estimate fleet FILE` reads.")
def command(
    question: str | None,
    own_presets: tuple[str, ...],
    format_: str,
    compute: str | None,
    save: str | None,
    **given: Any,
) -> None:
    """Tell what unlike pools of accelerators deliver, in one run and in runs of their own; P and E in cards.

    \b
    Two sites, two kinds of cards: each alone, and one run over a link of 100 Gbit/s between them:
        estimate fleet --params 65B --pool "64 x a100, site=a" --pool "64 x ascend-910b, site=b" --link "100 Gbit/s"
    \b
    Keep a fleet, and ask it again in one way alone:
        estimate fleet --params 65B --pool "64 x a100, site=a" --pool "64 x h100, site=b" --save fleet.toml
        estimate fleet fleet.toml --way matched --link "50 Gbit/s"
    \b
    How many cards are 20 EOPS? It depends on the precision:
        estimate fleet --compute "20 EOPS" --precision int8 --on ascend-910-256t
    \b
    What are ten thousand cards in P, and how far is a CPU from them?
        estimate fleet --pool "10000 x a100-sxm-80gb"
        estimate fleet --pool "1 x xeon-8480plus" --pool "1 x a100-sxm-80gb"
    """
    presets = own_folders(own_presets)
    stored: dict[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question

        stored = read_question(Path(question))
    draws = asked_draws(given)
    inputs = merged(stored, given)
    if save is not None and (compute is not None or not _MODEL & inputs.keys()):
        raise QuestionError(
            ["--save: a total of compute is no question to keep; give --params or --model too"]
        )
    if draws is not None and (compute is not None or not _MODEL & inputs.keys()):
        raise QuestionError(["--draws: a total of compute has nothing to draw; give --params or --model too"])
    if compute is not None:
        page = _cards(compute, inputs, presets)
    elif _MODEL & inputs.keys():
        page = _asked(FleetQuestion.read(inputs, presets), presets, save)
        if draws is not None:
            page = _drawn(page, FleetQuestion.read(inputs, presets), presets, draws)
    else:
        page = _totals(inputs, presets)
    click.echo(page.write(format_))


def _asked(question: FleetQuestion, presets: Presets, save: str | None) -> Page:
    """Return the answer about a fleet, its question kept where that is asked."""
    from ..fleets import ask_fleet
    from ..report.fleet import fleet_page

    found = ask_fleet(question, presets)
    if save is not None:
        from ..inputs.files import write_question

        write_question(question, Path(save))
    return fleet_page(found, terminal_width())


def _drawn(page: Page, question: FleetQuestion, presets: Presets, asked: Asked) -> Page:
    """Add draws of the way that is asked for to the answer."""
    from ..kinds import FLEET
    from ..report.fleet import drawn_words
    from ..report.sample import with_draws

    return with_draws(page, drawn(FLEET.ask(question, presets), asked), drawn_words(question))


def _cards(compute: str, inputs: dict[str, Any], presets: Presets) -> Page:
    """Return how many accelerators a total is; nothing else belongs to that question."""
    from ..report.totals import cards_page
    from ..totals import accelerators_of

    on, precision = inputs.pop("on", None), inputs.pop("precision", None)
    _refuse_rest(inputs, "--compute asks for cards alone")
    return cards_page(accelerators_of(compute, precision, on, presets), terminal_width())


def _totals(inputs: dict[str, Any], presets: Presets) -> Page:
    """Return what pools add up to at each precision: without a model there is no run."""
    from ..report.totals import pools_page
    from ..totals import found

    pools = pool_inputs(inputs.pop("pools", ()))
    _refuse_rest(inputs, "without a model there is no run; give --params or --model")
    more = {name: None for pool in pools for name in pool if name not in ("count", "on", "site")}
    _refuse_rest(more, "without a model there is no run; give --params or --model")
    return pools_page(
        [(pool["count"], found("--pool", pool["on"], presets)) for pool in pools], terminal_width()
    )


def _refuse_rest(inputs: dict[str, Any], why: str) -> None:
    if inputs:
        raise QuestionError([f"{'--pool' if name == 'pools' else option(name)}: {why}" for name in inputs])
