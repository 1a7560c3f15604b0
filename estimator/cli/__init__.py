"""The command `estimate`: words in, words out, no arithmetic."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line.

    Importing makes a hundred thousand objects that live to the end: the garbage collector stays off until the
    command is imported (`main.Commands` turns it on again), which saves a tenth of the start.
    """
    gc.disable()
    from .main import main as run

    run()
