"""Uncertainty by quasi-random draws of all unknowns at once."""

from .sample import Sample, sample
from .sensitivity import Sensitivity

__all__ = ["Sample", "Sensitivity", "sample"]
