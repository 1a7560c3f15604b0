"""What workers are given to do in these tests; they import it from here."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple


class Slow(NamedTuple):
    """Doubles a number, the first ones last; once one of them ends its own process."""

    folder: Path
    fatal: int = -1
    always: bool = False

    def __call__(self, item: int) -> int:
        time.sleep(0.02 if item < 3 else 0.001)
        mark = self.folder / str(os.getpid())
        mark.touch()
        if item == self.fatal and (self.always or not (self.folder / "killed").exists()):
            (self.folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * item


def wrong(item: int) -> int:
    raise ValueError(f"item {item}")


class Cut(NamedTuple):
    """Gives a large result, and ends its own process once, when a part of it is written."""

    folder: Path

    def __call__(self, item: int) -> bytes:
        if item == 1 and not (self.folder / "killed").exists():
            (self.folder / "killed").touch()
            Connection._send = _cut  # pyright: ignore[reportAttributeAccessIssue]
        return bytes([item]) * (1 << 20)


def _cut(self: Any, data: Any) -> None:
    os.write(self.fileno(), data[:100])
    os.kill(os.getpid(), signal.SIGKILL)
