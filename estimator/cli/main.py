"""The group of commands, each imported when it is called."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

import click

from ..errors import EstimatorError

# command: (module, one line of help); the module is imported only when the command runs or shows its help.
COMMANDS = {
    "train": ("train", "Estimate one training run: FLOPs, memory, time, accelerator-hours, energy, cost."),
    "memory": ("memory", "Tell whether a run fits on its cards, and what would make it fit."),
    "goodput": (
        "goodput",
        "Tell what interruptions take of the wall time, and how often to write checkpoints.",
    ),
    "layout": ("layout", "Find the best parallel layout: every legal one tried, on one machine or several."),
    "sweep": ("sweep", "Ask a question at every combination of some inputs' values: what-if grids."),
    "solve": ("solve", "Find the value of an input at which a quantity meets its target."),
    "cost": ("cost", "Tell what a run or a fleet costs, rented and owned side by side, and the break-even."),
    "compare": ("compare", "Put several questions side by side."),
    "validate": ("validate", "Compare measured rows with what is estimated of them."),
    "calibrate": ("calibrate", "Learn from your own measured steps, for --calibration of a question."),
    "check": ("check", "Tell whether a throughput that you measured is normal, and what would explain it."),
    "scale": ("scale", "Fit laws of scaling efficiency to points and extrapolate them."),
    "fleet": ("fleet", "Tell what unlike pools of accelerators deliver together; P and E in cards."),
    "serving": ("serving", "Bound what serving a model takes: memory, time of a token, cards for a demand."),
    "presets": ("presets", "List or show the records behind the answers."),
    "sources": ("sources", "Print the bibliography of an answer."),
    "claims": ("claims", "List what the press articles claim, and judge it."),
}


class Commands(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is called."""
        if cmd_name not in COMMANDS:
            return None
        module: Any = importlib.import_module(f".{COMMANDS[cmd_name][0]}", __package__)
        gc.freeze()
        gc.enable()
        return module.command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the near miss where a command is misspelt."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from ..errors import near_misses

            ctx.fail(f"there is no command '{args[0]}'{near_misses(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="train-estimator", prog_name="estimate")
def group() -> None:
    """What training a large model takes: every number with a unit, a range and a source.

    \b
    How long and how much for 65 billion parameters, everything else assumed and listed:
        estimate train --params 65e9
    \b
    LLaMA-65B as published (Touvron et al. 2023: 1,022,362 GPU-hours):
        estimate train --model llama-65b --tokens 1.4T --on a100-sxm-80gb --count 2048
    \b
    Does a 65 B model fit on eight consumer cards, and with which optimizer?
        estimate train --model llama-65b --on rtx-3090 --count 8 --seq 1024 --optimizer lomo
    \b
    Where does each number come from?
        estimate train --params 65e9 --explain
    """


def main() -> None:
    """Run the command line; every fault of a question is one message and exit code 2."""
    try:
        group(standalone_mode=False)
    except EstimatorError as error:
        fail(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader went away (`| head`): nothing is wrong, and Python must not complain while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def fail(message: str) -> None:
    """Print each fault on a line of its own and end with exit code 2."""
    for line in message.splitlines():
        click.echo(f"Error: {line}", err=True)
    sys.exit(2)
