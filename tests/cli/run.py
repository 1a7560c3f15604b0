"""Run the command line in this process, as `main` does, and keep what it prints."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from estimator.cli.main import main


class Ran(NamedTuple):
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> Ran:
    monkeypatch.setattr("sys.argv", ["estimate", *words])
    monkeypatch.delenv(
        "COLUMNS", raising=False
    )  # whoever runs the tests, no terminal is there: a hundred columns
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return Ran(code, printed.out, printed.err)
