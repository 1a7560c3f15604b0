"""Strategies of hypothesis for the public types of questions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from ..errors import EstimatorError
from ..formulas.activations import RECOMPUTE
from ..inputs import Run
from ..inputs.run import rivals_of
from ..inputs.stacks import STACKS
from ..inputs.table import PLANS, PRECISIONS
from ..lower import lower
from ..presets import Presets
from ..records import Record
from ..schema import peak_name
from ..units import CURRENCIES, Price

# Degrees of a layout that is drawn, each small enough that their product is a count that somebody has.
_DEGREES: Mapping[str, tuple[int, ...]] = {"tp": (1, 2, 4, 8), "pp": (1, 2, 4), "cp": (1, 2)}
_USUAL = ("nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb", "huawei-ascend-910b2", "google-tpu-v4")
_MODELS = ("llama-7b", "llama-65b", "llama-2-70b", "mixtral-8x7b", "gpt3-175b")


def _sizes(low: float, high: float) -> st.SearchStrategy[float]:
    """Draw numbers whose orders of magnitude are as likely."""
    return st.floats(math.log10(low), math.log10(high)).map(lambda power: float(f"{10.0**power:.6g}"))


def prices(currency: str | None = None) -> st.SearchStrategy[Price]:
    """Draw rents of an accelerator or of a node.

    Parameters
    ----------
    currency
        The currency; any that is known where it is left out.
    """
    money = st.sampled_from(CURRENCIES) if currency is None else st.just(currency)
    rates = _sizes(0.05, 50.0).map(lambda hourly: hourly / 3600.0)
    return st.builds(Price, rate=rates, currency=money, per=st.sampled_from(("accelerator", "node")))


def _optional(presets: Presets) -> dict[str, st.SearchStrategy[Any]]:
    """What a question may say or leave out, whatever else it says."""
    return {
        "seq": st.sampled_from([512, 2048, 4096, 32768]),
        "attention": st.sampled_from(["fused", "unfused"]),
        "recompute": st.sampled_from(RECOMPUTE),
        "optimizer": st.sampled_from(sorted(presets.files("optimizers"))),
        "offload": st.sampled_from(["none", "optimizer"]),
        "stack": st.sampled_from(STACKS[1:]),
        "stack_year": st.integers(2018, 2026),
        "mfu": st.floats(0.05, 0.75),
        "scaleout_bandwidth": _sizes(1e9, 2e11).map(lambda rate: f"{rate!r} byte/s/gpu"),
        "oversubscription": st.floats(1.0, 16.0),
        "scaling_efficiency": st.floats(0.3, 1.0),
        "price": prices("USD"),
        "power": st.floats(50.0, 2000.0).map(lambda watts: f"{watts!r} W"),
        "grid": st.sampled_from(sorted(presets.files("grids"))),
        "pue": st.floats(1.0, 2.0) | st.sampled_from(sorted(presets.files("pue"))),
        "life": st.floats(1.0, 10.0).map(lambda years: f"{years!r} years"),
        "cost_of_capital": st.floats(0.0, 0.3),
        "utilisation": st.floats(0.05, 1.0),
        "tariff": st.floats(0.0, 1.0).map(lambda dollars: f"{dollars!r} USD/kWh"),
        "purchase_price": st.floats(1e3, 1e5).map(lambda dollars: f"{dollars!r} USD/gpu"),
        "staff": st.floats(0.5, 100.0),
        "development": st.floats(1.0, 5.0),
        "applications": st.integers(1, 1000),
        "embodied": st.one_of(st.just("usual"), st.floats(1.0, 2000.0).map(lambda mass: f"{mass!r} kg")),
    }


def _tokens() -> st.SearchStrategy[dict[str, Any]]:
    """Draw how much is trained on: tokens, tokens a parameter, passes over a data set, or nothing."""
    return st.one_of(
        st.just(dict[str, Any]()),
        st.fixed_dictionaries({"tokens": _sizes(1e9, 2e13)}),
        st.fixed_dictionaries({"tokens_per_param": _sizes(1.0, 1e3)}),
        st.fixed_dictionaries({"dataset_tokens": _sizes(1e9, 1e13), "epochs": st.floats(0.5, 5.0)}),
        st.fixed_dictionaries({"samples": _sizes(1e3, 1e7), "epochs": st.floats(0.5, 5.0)}),
    )


def _interruptions(presets: Presets) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a run loses: its goodput, or what interrupts it and how it is prepared for that, or nothing."""
    rates = _sizes(1e-4, 1e-1).map(lambda rate: f"{rate!r} 1/node/day")
    prepared = {
        "checkpoint_interval": _sizes(1.0, 1e3).map(lambda minutes: f"{minutes!r} minutes"),
        "checkpoint_bandwidth": _sizes(0.1, 1e3).map(lambda rate: f"{rate!r} GB/s"),
        "checkpoint_exposed": st.floats(0.01, 1.0),
        "restart_time": _sizes(1.0, 120.0).map(lambda minutes: f"{minutes!r} minutes"),
        "rollback_share": st.floats(0.01, 0.3),
        "straggler_share": st.floats(0.01, 0.1),
        "spare_nodes": st.integers(0, 20),
    }
    failures = rates | st.sampled_from(sorted(presets.files("failures")))
    every = _sizes(1.0, 1e3).map(lambda hours: f"{hours!r} hours")
    return st.one_of(
        st.just(dict[str, Any]()),
        st.fixed_dictionaries({"goodput": st.floats(0.3, 1.0)}),
        st.fixed_dictionaries({"failures": failures}, optional=prepared),
        st.fixed_dictionaries({"mtbi": every}, optional=prepared),
    )


@st.composite
def _layouts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a count with a layout whose replicas divide it, and a batch that they divide."""
    degrees = {name: draw(st.sampled_from(values)) for name, values in _DEGREES.items()}
    replicas, micro = draw(st.integers(1, 64)), draw(st.sampled_from([1, 2, 4]))
    pieces = draw(st.integers(1, 16))
    return {
        **degrees,
        "count": math.prod(degrees.values()) * replicas,
        "micro_batch": micro,
        "global_batch": replicas * micro * pieces,
        "zero": draw(st.sampled_from([0, 1, 2, 3])),
    }


def _counts() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a count, nodes, a deadline, or a whole layout."""
    return st.one_of(
        st.fixed_dictionaries({"count": st.integers(1, 20_000)}),
        st.fixed_dictionaries({"nodes": st.integers(1, 2_000)}),
        st.fixed_dictionaries({"within": st.integers(1, 400).map(lambda days: f"{days} days")}),
        _layouts(),
    )


@st.composite
def _inputs(draw: st.DrawFn, presets: Presets, fixed: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the inputs of a question; what is fixed has the last word, and what contradicts it is left out."""
    drawn: dict[str, Any] = draw(
        st.one_of(
            st.fixed_dictionaries({"params": _sizes(1e7, 2e12)}),
            st.fixed_dictionaries({"model": st.sampled_from(_MODELS)}),
        )
    )
    drawn["on"] = draw(st.sampled_from(_USUAL) | st.sampled_from(sorted(presets.files("accelerators"))))
    drawn |= draw(_tokens()) | draw(_counts()) | draw(_interruptions(presets))
    drawn |= draw(st.fixed_dictionaries({}, optional=_optional(presets)))
    chip = presets.find("accelerators", fixed.get("on", drawn["on"])).record
    if "node" not in fixed and draw(st.booleans()):
        drawn["precision"] = draw(st.sampled_from(_precisions(chip)))
    if "mfu" not in drawn and draw(st.booleans()):
        drawn["efficiency_gain"] = draw(st.floats(0.5, 1.2))
    if "price" not in drawn and draw(st.booleans()):
        drawn["plan"] = draw(st.sampled_from(list(PLANS)))
    if drawn.get("plan") not in ("spot", "own") and draw(st.booleans()):
        drawn["spot_share"] = draw(st.floats(0.0, 1.0))
    barred = {rival for name in fixed for rival in rivals_of(name)}
    if barred & {"dataset_tokens", "samples", "epochs"} or fixed.keys() & {
        "dataset_tokens",
        "samples",
        "epochs",
    }:
        barred |= {"dataset_tokens", "samples", "epochs"} - fixed.keys()
    return {**{name: value for name, value in drawn.items() if name not in barred}, **fixed}


def _precisions(chip: Record) -> list[str]:
    """Return the precisions in which a chip has a peak."""
    return [name for name in PRECISIONS if peak_name(name) in chip.figures] or ["bf16"]


def runs(presets: Presets | None = None, **fixed: Any) -> st.SearchStrategy[Run]:
    """Draw questions that have an answer.

    Parameters
    ----------
    presets
        The records; the house's where they are left out.
    fixed
        Inputs that every question has, as they would be given to `Run`.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, deadline=None, database=None)
    ... @given(runs(on="h100"))
    ... def test(run: Run) -> None:
    ...     assert run.on == "h100"
    >>> test()
    """
    records = presets or Presets()

    def _run(given: dict[str, Any]) -> Run | None:
        try:
            run = Run.read(given, records)
            lower(run, records)
        except EstimatorError:
            return None
        return run

    return _inputs(records, fixed).map(_run).filter(lambda run: run is not None)  # pyright: ignore[reportReturnType]
