"""`estimate presets`: the records behind the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import catalogue
from ..catalogue import KINDS, TABLE_KINDS, Filter, kind_of
from ..errors import EstimatorError, PresetError
from ..presets import Presets
from ..report import records, tables
from ..report.grid import Grid
from ..report.page import FORMATS, Page
from .options import format_option, ids_starting, own_folders, presets_option


def _kinds(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the first word: a kind, or the check of a folder."""
    return [kind for kind in (*KINDS, "check") if kind.startswith(incomplete)]


def _names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the second word: an id of the kind that the first names."""
    kind = str(context.params.get("kind"))
    return ids_starting("accelerators" if kind in ("prices", "purchases") else kind, context, incomplete)


@click.command("presets")
@click.argument("kind", required=False, metavar="[KIND]", shell_complete=_kinds)
@click.argument("name", required=False, metavar="[NAME]", shell_complete=_names)
@click.option("--search", metavar="WORD", help="Only records with this word in their id, name or aliases.")
@click.option("--plan", default="", metavar="NAME", help="Only prices of this plan, like on-demand or spot.")
@click.option("--year", type=int, metavar="YEAR", help="Only prices or rates of this year.")
@presets_option
@format_option(*FORMATS)
def command(
    kind: str | None,
    name: str | None,
    search: str | None,
    own_presets: tuple[str, ...],
    format_: str,
    **given: Any,
) -> None:
    """List or show the records behind the answers.

    \b
    Every kind, and how many are on record:
        estimate presets
    \b
    All accelerators; all whose name holds a word; one, with every figure and its source:
        estimate presets accelerators
        estimate presets accelerators --search ascend
        estimate presets accelerators a100
    \b
    Dated offers and rates:
        estimate presets prices h100 --plan spot --year 2026
        estimate presets exchange-rates CNY
    \b
    Are all records of your own folder sound?
        estimate presets check my-presets
    """
    if kind == "check":
        page = _check(name)
    else:
        page = _page(own_folders(own_presets), kind and kind_of(kind), name, search or "", Filter(**given))
    click.echo(page.write(format_))


def _page(presets: Presets, kind: str | None, name: str | None, search: str, wanted: Filter) -> Page:
    wanted.check(kind or "")
    if name and search:
        raise EstimatorError(f"--search: searches a list, but '{name}' is one record; leave one of them out")
    if not kind:
        if search:
            return records.found_page(catalogue.search(presets, search))
        return records.kinds_page(catalogue.counts(presets), KINDS)
    if kind in TABLE_KINDS:
        return _table_page(presets, kind, name, search, wanted)
    if name:
        return records.record_page(*catalogue.entry(presets, kind, name))
    return records.list_page(kind, catalogue.search(presets, search, [kind]))


def _table_page(presets: Presets, kind: str, name: str | None, search: str, wanted: Filter) -> Page:
    if name:
        return tables.rows_page(kind, catalogue.rows(presets, kind, name, wanted))
    return tables.summary_page(kind, catalogue.kept(presets, kind, search, wanted))


def _check(folder: str | None) -> Page:
    if not folder:
        raise EstimatorError(
            "presets check: name the folder to check, like: estimate presets check my-presets"
        )
    from ..own_folder import check

    checked = check(Path(folder))
    if checked.faults:
        raise PresetError("\n".join(checked.faults))
    grid = Grid(["kind", "records"], [[kind, str(count)] for kind, count in checked.counts.items()])
    document: dict[str, Any] = {
        "schema": records.SCHEMA,
        "folder": folder,
        "records": checked.counts,
        "faults": [],
    }
    return Page([grid, f"Nothing is wrong with '{folder}'."], grid, document)
