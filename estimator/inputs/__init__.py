"""What a user asks about: frozen, validated once."""

from __future__ import annotations

from .run import Run

__all__ = ["Run"]
