"""Any input for any target: what can be trained for so much money, how many cards a deadline needs."""

from __future__ import annotations

from .solve import Solution, solutions, solve

__all__ = ["Solution", "solutions", "solve"]
