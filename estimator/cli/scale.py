"""`estimate scale`: laws of scaling efficiency, fitted and extrapolated."""

from __future__ import annotations

from typing import Any

import click

from ..inputs.scaling import ScalingQuestion
from ..scaling import ScalingAnswer, ask_scaling, recorded_series
from .options import format_option, own_folders, presets_option


@click.command("scale")
@click.option(
    "--point", multiple=True, metavar="N:E", help="An efficiency at a count, like 1000:0.92; repeat it."
)
@click.option("--series", metavar="NAME", help="A recorded series in place of points, see --list.")
@click.option(
    "--at", multiple=True, metavar="NUMBER", help="Accelerators to extrapolate to, like 4000; repeat it."
)
@click.option(
    "--base", metavar="NUMBER", help="Accelerators at which the efficiency is 1; 1 where not given."
)
@click.option(
    "--mode", metavar="strong|weak", help="Leave out the law that is not for a fixed or a growing batch."
)
@click.option("--price", metavar="PRICE", help='Rent, like "2 USD/gpu/hour": the loss in money an hour.')
@click.option("--wall-clock", metavar="TIME", help='How long, like "30 days", with --price: the loss in all.')
@click.option("--list", "list_", is_flag=True, help="List the recorded series.")
@presets_option
@format_option("table", "json", "csv", "markdown")
def command(list_: bool, own_presets: tuple[str, ...], format_: str, **given: Any) -> None:
    """Fit laws of scaling efficiency to points and extrapolate them.

    \b
    The efficiencies a platform states, and what they say of other counts:
        estimate scale --point 1000:0.92 --point 10000:0.90 --at 4000 --at 20000
    \b
    What that loses in cards, in money an hour, and in a month:
        estimate scale --point 1000:92% --at 4000 --price "2 USD/gpu/hour" --wall-clock "30 days"
    \b
    Points measured against one node of eight, at a batch that stays the same:
        estimate scale --point 64:0.97 --point 512:0.88 --base 8 --mode strong --at 4096
    \b
    A recorded series; all of them:
        estimate scale --series internevo_7b_tp1_zero1-1 --at 4096
        estimate scale --list
    """
    presets = own_folders(own_presets)
    if list_:
        click.echo(write_list(recorded_series(presets), format_))
        return
    click.echo(write(ask_scaling(ScalingQuestion.read(given), presets), format_))


def write(answer: ScalingAnswer, format: str) -> str:
    """Return the answer in one of the four formats."""
    from ..report import scaling

    if format == "json":
        return _json(scaling.document(answer))
    if format == "csv":
        return scaling.csv_grid(answer).csv()
    return scaling.table(answer) if format == "table" else scaling.markdown(answer)


def write_list(series: Any, format: str) -> str:
    """Return the recorded series in one of the four formats."""
    from ..report.scaling import series_grid

    grid = series_grid(series)
    if format == "json":
        return _json([dict(zip(grid.headers, row, strict=True)) for row in grid.rows])
    return grid.write(format)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
