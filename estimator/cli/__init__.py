"""The command `estimate`: words in, words out, no arithmetic."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
