"""The command line as a fixture: ``estimate("train", "--params", "65e9")``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .run import Ran, run


@pytest.fixture
def estimate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    return lambda *words: run(capsys, monkeypatch, *words)
