"""Judges statements: what a record says of how to check it is read, asked and compared."""

from .judge import Judged, judge

__all__ = ["Judged", "judge"]
