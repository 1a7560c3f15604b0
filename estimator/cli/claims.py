"""`estimate claims`: what the press articles claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import claims
from ..errors import EstimatorError
from ..presets import Presets
from ..report.claims import claims_page
from ..report.page import FORMATS, Page
from .options import format_option, ids_starting, own_folders, presets_option
from .progress import Progress

if TYPE_CHECKING:
    from ..verdicts.judge import Judged


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
    help="Of the list and of the verdicts.",
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
    Every claim with its verdict; those about money; those that speak of a card:
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
    named = {claim.id: claim for claim in (claims.find(known, id) for id in ids)}  # each once
    chosen = list(named.values()) or claims.about(known, topic, search)
    if verb == "check":
        page = _checked(chosen, presets, language, known if ids else [])
    else:
        page = claims_page(chosen) if ids else _listed(chosen, presets, language)
    click.echo(page.write(format_))


def _listed(chosen: list[claims.Claim], presets: Presets, language: str) -> Page:
    """List claims with the verdicts of this version; with records of one's own they are judged anew."""
    from ..report.verdict_list import verdict_list
    from ..report.verdict_words import LANGUAGES
    from ..verdicts.recorded import recorded, verdict_of

    verdicts = recorded(presets)
    if any(claim.id not in verdicts for claim in chosen):
        verdicts = {each.claim.id: verdict_of(each) for each in _judged(chosen, presets)}
    return verdict_list(chosen, verdicts, LANGUAGES[language])


def _checked(chosen: list[claims.Claim], presets: Presets, language: str, known: list[claims.Claim]) -> Page:
    """Judge claims: each in full where they were named, of all that are ``known``; else a line for each."""
    from ..report.verdict_words import LANGUAGES
    from ..report.verdicts import full_page, summary_page

    judged, words = _judged(chosen, presets), LANGUAGES[language]
    return full_page(judged, words, known) if known else summary_page(judged, words)


def _judged(chosen: list[claims.Claim], presets: Presets) -> list[Judged]:
    """Judge claims, and show on a terminal how many are done."""
    from ..verdicts.judge import judge

    with Progress() as bar:
        return judge(chosen, presets, bar.told)
