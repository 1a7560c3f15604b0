"""Hugging Face configuration files, read offline."""

from __future__ import annotations

from .reading import read_config, read_sample

__all__ = ["read_config", "read_sample"]
