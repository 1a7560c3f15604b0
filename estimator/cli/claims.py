"""`estimate claims`: what the press articles claim."""

from __future__ import annotations

import click

from .. import claims
from ..errors import EstimatorError
from ..presets import Presets
from ..report.claims import claims_page, list_page
from ..report.page import FORMATS, Page
from .options import format_option, ids_starting, own_folders, presets_option


def _words(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete check, list, show or the id of a claim."""
    words = [word for word in ("check", "list", "show") if word.startswith(incomplete)]
    return [*words, *ids_starting("claims", context, incomplete)]


@click.command("claims")
@click.argument("words", nargs=-1, metavar="[list | show ID... | check [ID...]]", shell_complete=_words)
@click.option("--topic", default="", metavar="WORD", help="Only claims about this, like cost or memory.")
@click.option("--search", default="", metavar="WORD", help="Only claims with this anywhere in their words.")
@click.option(
    "--language",
    type=click.Choice(("en", "zh")),
    default="en",
    show_default=True,
    help="Of the verdicts of check.",
)
@presets_option
@format_option(*FORMATS)
def command(
    words: tuple[str, ...],
    topic: str,
    search: str,
    language: str,
    own_presets: tuple[str, ...],
    format_: str,
) -> None:
    """List what the press articles claim, show one claim with all that is known about it, or check it.

    \b
    Every claim; those about money; those that speak of a card:
        estimate claims
        estimate claims --topic cost
        estimate claims --search 3090
    \b
    One claim: its words, its numbers, what else is known and where that stands:
        estimate claims show C4
    \b
    Does it hold, and what would have to be true? One claim; two that contradict each other; all of them:
        estimate claims check C4
        estimate claims check C4 D1
        estimate claims check
    """
    verb = words[0] if words[:1] in (("list",), ("show",), ("check",)) else ""
    ids = words[1:] if verb else words
    if verb == "show" and not ids:
        raise EstimatorError("claims show: name a claim, like: estimate claims show C4")
    if ids and (topic or search):
        raise EstimatorError("--topic and --search choose from the list; leave out the name of a claim")
    presets = own_folders(own_presets)
    known = claims.load(presets)
    chosen = [claims.find(known, id) for id in ids] or claims.about(known, topic, search)
    if verb == "check":
        page = _checked(chosen, presets, language, whole=bool(ids))
    else:
        page = claims_page(chosen) if ids else list_page(chosen)
    click.echo(page.write(format_))


def _checked(chosen: list[claims.Claim], presets: Presets, language: str, *, whole: bool) -> Page:
    """Judge claims: each in full where they were named, else a line for each."""
    from ..report.verdict_words import LANGUAGES
    from ..report.verdicts import full_page, summary_page
    from ..verdicts import judge

    page = full_page if whole else summary_page
    return page(judge(chosen, presets), LANGUAGES[language])
