"""Question files: a run as TOML, written whole or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ..errors import EstimatorError
from ..presets import Presets
from ..textfile import read_bounded, write_whole
from .run import Run

_LARGEST = 1 << 20


def read_question(path: Path) -> dict[str, Any]:
    """Return the inputs that a question file gives, not yet checked.

    Raises
    ------
    EstimatorError
        The file cannot be read, or is not TOML of plain inputs.
    """
    text = read_bounded(path, _LARGEST, "a question file, as --save writes it")
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise EstimatorError(f"'{path}' is not TOML ({fault}); write lines like params = \"65e9\"") from None


def load(path: str | Path, presets: Presets | None = None) -> Run:
    """Return the run that a question file asks about.

    Raises
    ------
    EstimatorError
        The file cannot be read, or the question in it is faulty.
    """
    return Run.read(read_question(Path(path)), presets)


def write_question(run: Run, path: Path) -> None:
    """Write a question file; the file is whole or, when that fails, as it was before.

    Raises
    ------
    EstimatorError
        The folder does not exist or cannot be written to.
    """
    lines = [f"{name} = {_toml(value)}" for name, value in run.write().items()]
    text = (
        "# A question of `estimate train`; run it with: estimate train THIS_FILE\n" + "\n".join(lines) + "\n"
    )
    write_whole(path, text, "--save")


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)
