"""Where work is done: in this process, in several of this machine, or on a Dask cluster; always in the same order."""

from .given import Given, Where, read
from .opened import opened
from .ordered import LOST, LostWorkers, Team

__all__ = ["LOST", "Given", "LostWorkers", "Team", "Where", "opened", "read"]
