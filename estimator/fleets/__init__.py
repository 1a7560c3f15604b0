"""Fleets: unlike pools of accelerators in one run or in runs of their own, each evaluated as any question is."""

from __future__ import annotations

from .fleet import Fleet, ask_fleet
from .ways import Way

__all__ = ["Fleet", "Way", "ask_fleet"]
