"""What-if grids: inputs that run through values, and the answer of every combination."""

from .axes import Vary
from .cells import Chunk, Wanted
from .sweep import Sweep, sweep

__all__ = ["Chunk", "Sweep", "Vary", "Wanted", "sweep"]
