"""The best layout of a training: every legal one tried, on one accelerator and count or on many."""

from .search import Search, search

__all__ = ["Search", "search"]
