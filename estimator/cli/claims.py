"""`estimate claims`: what the press articles claim."""

from __future__ import annotations

import click

from .. import claims
from ..errors import EstimatorError
from ..report.claims import claims_page, list_page
from ..report.page import FORMATS
from .options import format_option, ids_starting, own_folders, presets_option


def _words(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete list, show or the id of a claim."""
    words = [word for word in ("list", "show") if word.startswith(incomplete)]
    return [*words, *ids_starting("claims", context, incomplete)]


@click.command("claims")
@click.argument("words", nargs=-1, metavar="[list | show ID...]", shell_complete=_words)
@click.option("--topic", default="", metavar="WORD", help="Only claims about this, like cost or memory.")
@click.option("--search", default="", metavar="WORD", help="Only claims with this anywhere in their words.")
@presets_option
@format_option(*FORMATS)
def command(
    words: tuple[str, ...], topic: str, search: str, own_presets: tuple[str, ...], format_: str
) -> None:
    """List what the press articles claim, or show one claim with all that is known about it.

    \b
    Every claim; those about money; those that speak of a card:
        estimate claims
        estimate claims --topic cost
        estimate claims --search 3090
    \b
    One claim: its words, its numbers, what else is known and where that stands:
        estimate claims show C4
    """
    ids = words[1:] if words[:1] in (("list",), ("show",)) else words
    if words[:1] == ("show",) and not ids:
        raise EstimatorError("claims show: name a claim, like: estimate claims show C4")
    if ids and (topic or search):
        raise EstimatorError("--topic and --search choose from the list; leave out the name of a claim")
    known = claims.load(own_folders(own_presets))
    chosen = [claims.find(known, id) for id in ids] or claims.about(known, topic, search)
    page = claims_page(chosen) if ids else list_page(chosen)
    click.echo(page.write(format_))
