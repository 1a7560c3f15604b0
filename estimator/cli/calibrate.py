"""`estimate calibrate`: what a user's own measured steps teach."""

from __future__ import annotations

from pathlib import Path

import click

from ..calibrate import calibrate
from ..errors import EstimatorError
from ..report.calibration import calibration_page
from ..report.page import FORMATS
from ..textfile import write_whole
from .options import format_option, own_folders, presets_option


@click.command("calibrate")
@click.argument("file", metavar="MINE.csv", type=click.Path())
@click.option(
    "-o", "--output", metavar="FILE", help="Write what was learnt, for --calibration of a question."
)
@presets_option
@format_option(*FORMATS)
def command(file: str, output: str | None, own_presets: tuple[str, ...], format_: str) -> None:
    """Learn from your own measured steps, even from one, how the prediction has to be sharpened for your machine.

    The columns are those of `estimate validate` for throughput. What is learnt are a few multipliers of the recorded
    calibration, drawn to 1 the more the fewer rows there are. They hold for accelerators of the same architecture,
    and for dense models or mixtures of experts as measured.

    \b
    See what they teach; keep it, and ask with it:
        estimate calibrate mine.csv
        estimate calibrate mine.csv -o mine.toml
        estimate train --model llama-2-7b --on a100 --count 64 --calibration mine.toml
    """
    found = calibrate(Path(file), own_folders(own_presets))
    if output is not None:
        _keep_apart(Path(file), Path(output))
        write_whole(Path(output), found.write(), "--output")
    click.echo(calibration_page(found, output or "").write(format_))


def _keep_apart(measured: Path, output: Path) -> None:
    """Refuse to write what was learnt over what it was learnt from."""
    if output.exists() and output.samefile(measured):
        raise EstimatorError(f"--output: '{output}' is the file of measured rows; name another")
