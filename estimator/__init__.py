"""What training a large model takes: FLOPs, memory, time, money, energy and carbon, each with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .answer import ask, evaluate
    from .case import Case
    from .errors import EstimatorError, QuestionError
    from .estimate import Amount, Estimate
    from .fleets import Fleet, ask_fleet
    from .inputs import Run
    from .inputs.files import load, load_fleet
    from .inputs.fleet import FleetQuestion
    from .inputs.serving import ServingQuestion
    from .presets import Presets
    from .samples import Sample, Sensitivity, sample
    from .searches import Search, search
    from .serving import Serving, ask_serving
    from .solving import Solution, solutions, solve
    from .sweeps import Sweep, Vary, Wanted, sweep

__all__ = [
    "Amount",
    "Case",
    "Estimate",
    "EstimatorError",
    "Fleet",
    "FleetQuestion",
    "Presets",
    "QuestionError",
    "Run",
    "Sample",
    "Search",
    "Sensitivity",
    "Serving",
    "ServingQuestion",
    "Solution",
    "Sweep",
    "Vary",
    "Wanted",
    "ask",
    "ask_fleet",
    "ask_serving",
    "evaluate",
    "load",
    "load_fleet",
    "sample",
    "search",
    "solutions",
    "solve",
    "sweep",
]

_PLACES = {
    "ask": "answer", "Case": "case", "EstimatorError": "errors", "QuestionError": "errors", "Amount": "estimate",
    "Estimate": "estimate", "evaluate": "answer", "Run": "inputs", "load": "inputs.files", "Presets": "presets",
    "Search": "searches", "search": "searches", "Sweep": "sweeps", "Vary": "sweeps", "Wanted": "sweeps",
    "sweep": "sweeps",
    "Solution": "solving", "solutions": "solving", "solve": "solving",
    "Fleet": "fleets", "ask_fleet": "fleets", "FleetQuestion": "inputs.fleet",
    "load_fleet": "inputs.files",
    "Serving": "serving", "ask_serving": "serving", "ServingQuestion": "inputs.serving",
    "Sample": "samples", "Sensitivity": "samples", "sample": "samples",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that the package itself imports in no time."""
    if name not in _PLACES:
        raise AttributeError(f"module 'estimator' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f".{_PLACES[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted([*globals(), *_PLACES])
