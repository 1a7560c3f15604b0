"""Options that commands share, made from the fields of `Run`: a field is added in one place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import EstimatorError
from ..inputs.run import FIELDS, Run, option, rivals_of
from ..presets import Presets
from ..units import shorten

Function = Callable[..., Any]


# Inputs that name a record, and the kind of it: the shell completes them with ids.
_NAMED = {"model": "models", "on": "accelerators", "node": "nodes", "optimizer": "optimizers",
          "grid": "grids", "platform": "platforms",
          "failures": "failures"}  # fmt: skip


def question_options(function: Function) -> Function:
    """Add an option for every input of a run, and the folder of a user's own presets."""
    for name, field in reversed(list(FIELDS.items())):
        function = click.option(
            option(name), name, help=field.description, metavar=field.metavar, shell_complete=_completer(name)
        )(function)
    return presets_option(function)


def fleet_options(function: Function) -> Function:
    """Add the options of a fleet to those of its runs."""
    from ..inputs.fleet import FLEET_FIELDS

    for name, field in reversed(list(FLEET_FIELDS.items())):
        function = click.option(option(name), name, help=field.description, metavar=field.metavar)(function)
    return click.option(
        "--pool", "pools", multiple=True, metavar="POOL",
        help='Of a fleet: accelerators, like "1024 x a100-sxm-80gb, site=beijing, price=2 USD/gpu/hour"; repeat it.',
    )(function)  # fmt: skip


def presets_option(function: Function) -> Function:
    """Add the folder of a user's own presets."""
    return click.option(
        "--presets",
        "own_presets",
        multiple=True,
        metavar="DIR",
        help="A folder of your records, beside ours.",
    )(function)


def _completer(name: str) -> Callable[[click.Context, click.Parameter, str], list[str]] | None:
    kind = _NAMED.get(name)
    return (lambda context, _parameter, incomplete: ids_starting(kind, context, incomplete)) if kind else None


def ids_starting(kind: str, context: click.Context, incomplete: str) -> list[str]:
    """Return the ids of a kind that start with what is typed, from the names of files: no record is read."""
    kinds = ("accelerators", "families") if kind == "accelerators" else (kind,)
    try:
        presets = own_folders(context.params.get("own_presets") or ())
        ids = {name for each in kinds for name in presets.files(each)}
    except EstimatorError:  # a folder that does not exist is a fault of the command, not of the typing
        return []
    return sorted(name for name in ids if name.lower().startswith(incomplete.lower()))


def format_option(*formats: str) -> Callable[[Function], Function]:
    """Add --format with the formats that a command can write."""
    return click.option(
        "--format", "format_", type=click.Choice(formats), default=formats[0], show_default=True,
        help="How to write the answer.",
    )  # fmt: skip


def workers_options(function: Function) -> Function:
    """Add --workers and --cluster, which say where long work is computed."""
    function = click.option(
        "--cluster", metavar="WHERE",
        help="Compute on Dask: local:2 for two workers here, or a scheduler's address.",
    )(function)  # fmt: skip
    return click.option("--workers", metavar="NUMBER", help="Compute in so many processes of this machine.")(
        function
    )


def where_of(workers: str | None, cluster: str | None) -> str | float | None:
    """Return where to compute: so many processes, or a cluster.

    Raises
    ------
    EstimatorError
        Both are given, or the processes are no number.
    """
    if workers is None or cluster is not None:
        if workers is not None:
            raise EstimatorError("--workers and --cluster both say where to compute; leave one of them out")
        return cluster
    try:
        return float(workers)
    except ValueError:
        raise EstimatorError(
            f"--workers: {shorten(workers)} is no number of processes; write it like 2"
        ) from None


def input_name(text: str) -> str:
    """Return the input that a word means, spelt like it or like its option; the letter of a pool may be a small one.

    Examples
    --------
    >>> input_name("--tokens-per-param"), input_name("a.count")
    ('tokens_per_param', 'A.count')
    """
    whose, dot, name = text.strip().removeprefix("--").replace("-", "_").rpartition(".")
    return f"{whose.upper()}{dot}{name}"


def terminal_width() -> int:
    """Return the columns of the terminal; a hundred where there is none."""
    return shutil.get_terminal_size((100, 24)).columns


def own_folders(own_presets: tuple[str, ...]) -> Presets:
    """Return the records with the user's folders in front."""
    presets = Presets(tuple(Path(folder) for folder in own_presets))
    presets.folders  # noqa: B018  (a folder that is none is told once, before anything is looked up in it)
    return presets


def calibrated(presets: Presets, path: str | None) -> Presets:
    """Return the records with what a user's own steps taught beside them."""
    if path is None:
        return presets
    from ..inputs.calibrations import own_calibration

    return Presets(presets.own, own_calibration(path, presets.load("calibrations", "step-time")))


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay options over a question file: an option replaces its own input and those that it contradicts."""
    options = {name: value for name, value in given.items() if value is not None and value != ()}
    replaced = {rival for name in options for rival in rivals_of(name, {**stored, **options})}
    return {**{name: value for name, value in stored.items() if name not in replaced}, **options}


def read_run(question: str | None, given: Mapping[str, Any], presets: Presets) -> Run:
    """Make the run of a question file, of options, or of both."""
    stored: Mapping[str, Any] = {}
    if question is not None:
        from ..inputs.files import read_question

        stored = read_question(Path(question))
    return Run.read(merged(stored, given), presets)
