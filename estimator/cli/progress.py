"""A bar with rate and time left, on a terminal only; without rich there is none."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..workers import LOST

_WORDS = {"questions": "reading questions", "cells": "computing cells", "claims": "judging claims"}


class Progress:
    """Shows how far long work is; does nothing where nobody looks on."""

    def __init__(self, console: Any = None) -> None:
        """Look for a terminal and for rich; ``console`` is where to show it instead."""
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        if console is not None or sys.stderr.isatty():
            self._bar = _bar(console)

    def __enter__(self) -> Progress:
        """Begin to show."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def told(self, what: str, done: int, of: int) -> None:
        """Show how many of something are done; that workers ended is said whoever looks on."""
        if what == LOST:
            self._said(
                "A worker ended before its work did: another does it again, and nothing is lost or doubled."
            )
            return
        if self._bar is None:
            return
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(_WORDS.get(what, f"trying {what}"), total=of)
        self._bar.update(self._tasks[what], completed=done)

    def _said(self, words: str) -> None:
        if self._bar is None:
            click.echo(words, err=True)
        else:
            self._bar.console.print(words)


def _bar(console: Any) -> Any:
    """Return a bar with what is done, how many a second, and how long it will take; none without rich."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _rate_column(), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console or Console(stderr=True), transient=True)


def _rate_column() -> Any:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class _Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            """Write the rate; nothing before there is one."""
            return Text("" if task.speed is None else f"{task.speed:,.0f}/s")

    return _Rate()
