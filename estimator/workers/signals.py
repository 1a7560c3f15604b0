"""Ctrl-C, which a terminal sends to every process that was started from it, is for the one that asks alone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def deaf() -> Generator[None]:
    """Start processes and threads meanwhile that Ctrl-C does not reach, from their first moment on.

    What blocks a signal hands that on to what it starts; to ignore it takes a process until it has read its program.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # once for all: where it is started, it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def uninterrupted() -> Generator[None]:
    """Put Ctrl-C off to the end, for what half stands does not end well."""
    if threading.current_thread() is not threading.main_thread():  # it comes to the main thread alone
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt
