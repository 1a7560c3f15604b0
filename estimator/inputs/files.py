"""Question files: a run or a fleet as TOML, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from ..errors import EstimatorError
from ..presets import Presets
from ..textfile import read_bounded, write_whole
from .run import Run

if TYPE_CHECKING:
    from .fleet import FleetQuestion

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
        return tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError, ValueError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise EstimatorError(f"'{path}' is not TOML ({fault}); write lines like params = \"65e9\"") from None


def load(path: str | Path, presets: Presets | None = None) -> Run:
    """Return the run that a question file asks about.

    Raises
    ------
    EstimatorError
        The file cannot be read, the question in it is faulty, or it is about a fleet.
    """
    return Run.read(read_question(Path(path)), presets)


def load_fleet(path: str | Path, presets: Presets | None = None) -> FleetQuestion:
    """Return the question about a fleet that a file holds.

    Raises
    ------
    EstimatorError
        The file cannot be read, the question in it is faulty, or it names no pools.
    """
    from .fleet import FleetQuestion

    return FleetQuestion.read(read_question(Path(path)), presets)


def write_question(question: Run | FleetQuestion, path: Path) -> None:
    """Write a question file; the file is whole or, when that fails, as it was before.

    Raises
    ------
    EstimatorError
        The folder does not exist or cannot be written to.
    """
    inputs: dict[str, Any] = {**question.write()}
    pools: list[dict[str, str | float]] = inputs.pop("pools", [])
    command = "estimate fleet" if pools else "estimate train"
    lines = [f"# A question of `{command}`; run it with: {command} THIS_FILE", *_lines(inputs)]
    for pool in pools:
        lines += ["", "[[pools]]", *_lines(pool)]
    write_whole(path, "\n".join(lines) + "\n", "--save")


def _lines(inputs: Mapping[str, str | float]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in inputs.items()]


def _toml(value: str | float) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)
