"""`estimate validate`: measured rows against what is estimated of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ..inputs.table import FIELDS
from ..report.page import FORMATS
from ..report.validation import write
from ..validate import Validation
from .options import calibrated, format_option, own_folders, presets_option


@click.command("validate")
@click.argument("file", metavar="FILE.csv", type=click.Path())
@click.option("--calibration", metavar="FILE", help=FIELDS["calibration"].description)
@presets_option
@format_option(*FORMATS)
def command(file: str, calibration: str | None, own_presets: tuple[str, ...], format_: str) -> None:
    """Estimate every row of a file of measurements and say how far off the estimates are.

    The kind is told by the column that was measured: tokens_per_s_per_accelerator or iter_time_s (throughput),
    peak_memory_bytes_per_device (memory) or accelerator_hours (whole runs). Other columns are used where they are
    known, and ignored where not; a blank cell is assumed and widens the range of its row.

    \b
    Your own measured steps:
        estimate validate mine.csv
    \b
    The rows alone, or everything for a program:
        estimate validate mine.csv --format csv
        estimate validate mine.csv --format json
    """
    validation = Validation(Path(file), calibrated(own_folders(own_presets), calibration))
    for piece in _watched(validation, write(validation, format_)):
        click.echo(piece)


def _watched(validation: Validation, pieces: Iterator[str]) -> Iterator[str]:
    """Tell on a terminal how many rows are done, where the answer itself goes elsewhere."""
    watched = sys.stderr.isatty() and not sys.stdout.isatty()
    for piece in pieces:
        yield piece
        if watched:
            click.echo(f"\r{validation.rows:,} rows", err=True, nl=False)
    if watched:
        click.echo(err=True)
