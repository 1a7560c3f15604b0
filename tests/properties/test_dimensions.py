"""Every formula rescales as the unit in its docstring says when the base units are rescaled."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import units
from estimator.breakdown import Breakdown
from estimator.estimate import STEPS
from estimator.formulas import throughput
from estimator.formulas.capital import Ownership
from estimator.formulas.cost import Project
from estimator.formulas.energy import Draw
from estimator.formulas.layout import Layout
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_card import Card
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import Transformer
from estimator.formulas.reliability import Wasted
from estimator.formulas.shapes import transformer
from estimator.formulas.spot import Spot

BASES = ("s", "byte", "FLOP", "token", "accelerator", "node", "J", "kg", "USD")
# Formulas that count (FLOPs of a product, bytes of an element): their unit is a definition, not a dimension.
COUNTING = {
    "method_flops_per_token",
    "short_form_flops",
    "first_stage_memory",
    "middle_stage_memory",
    "last_stage_memory",
    "fewest_accelerators",
    "modelled_step_time",
    "small_scale_time",
}
# Formulas that round to whole accelerators: only units other than the accelerator can be rescaled.
ROUNDING = {"nodes_needed"}
# Formulas of a whole job: test_step_time.py rescales the columns it is made of.
TIMED = {"modelled_step_time", "small_scale_time", "scale_growth"}
FORMULAS = {step.formula.__name__: step.formula for step in STEPS} | {"nodes_needed": throughput.nodes_needed}
# What each input is about; every other input is 7 of its unit.
TYPICAL = {
    "memory_usable": 80e9, "mfu": 0.4, "scaling_efficiency": 0.9, "goodput": 0.8, "pue": 1.2, "host_share": 0.2,
    "efficiency_coefficient": 0.9, "efficiency_exponent": 0.0, "count": 4096.0, "owned": 1.0,
    "paid_utilisation": 0.8, "share": 0.5, "interruptions": 1e-3, "cost_of_capital": 0.1, "maintenance": 0.05,
    "utilisation": 0.7, "idle_power": 0.2, "rollback_share": 0.1, "straggler_share": 0.1, "rent_price": 1e4,
}  # fmt: skip
# Records, and the unit of each field that is no pure number.
RECORDS = {
    "wasted": (Wasted, {}),
    "spot": (Spot, {"price": "USD/accelerator/s", "interruptions": "1/s/node", "lost_time": "s"}),
    "project": (
        Project,
        {
            "preparation_time": "s", "pay": "USD/s", "stored": "byte", "storage_price": "USD/byte/s",
            "egress": "byte", "egress_price": "USD/byte",
        },
    ),
    "ownership": (
        Ownership,
        {
            "accelerator_price": "USD/accelerator", "server_price": "USD/accelerator", "building_price": "USD*s/J",
            "interest_period": "s", "life": "s", "building_life": "s", "accelerators_per_operator": "accelerator",
            "operator_pay": "USD/s", "tariff": "USD/J",
        },
    ),
}  # fmt: skip
MODEL = transformer(layers=4, hidden=64, heads=4, ffn=256, gated=1, vocab=1000)


def unit_of(text: str) -> dict[str, int]:
    found = re.findall(r"\[([^\]]+)\]", text)
    assert found, f"no unit in: {text}"
    return units.unit_bases(found[-1].replace("currency", "USD"))[1]


def documented(formula: object) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    doc = inspect.getdoc(formula) or ""
    section = doc.split("Parameters\n----------\n")[1].split("\n\n")[0]
    parameters = re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", section, re.MULTILINE)
    return (
        {name: unit_of(text) for names, text in parameters for name in names.split(", ")},
        unit_of(doc.split("\n\n")[0]),
    )


def factor(bases: dict[str, int], scale: dict[str, float]) -> float:
    return float(np.prod([scale[base] ** power for base, power in bases.items()]))


def rescaled(name: str, bases: dict[str, int], scale: dict[str, float]) -> object:
    ratio = factor(bases, scale)
    if name == "transformer":
        return MODEL
    if name == "optimizer":
        pure = ("rank", "fused")
        byte = scale["byte"]
        return Optimizer(**{f: np.float64(0.0 if f in pure else 2.0 * byte) for f in Optimizer._fields})
    if name == "method":
        return Method(**{f: np.float64(byte_or(f, ("base", "base_outer"), scale)) for f in Method._fields})
    if name == "card":
        # 100 bytes on the card, of which 7 are allocated: what else there is has its own share of them.
        card = {f: byte_or(f, ("device_context", "communicator"), scale) for f in Card._fields}
        return Card(**{**card, "memory_usable": np.float64(100.0 * scale["byte"])})
    if name == "draw":
        most = np.float64(7.0 * scale["J"] / scale["s"] / scale["accelerator"])
        return Draw(most, *(np.float64(0.5) for _ in Draw._fields[1:]))
    if name == "layout":
        return Layout(*(np.float64(1.0) for _ in Layout._fields))
    if name in RECORDS:
        record, fields = RECORDS[name]
        return record(*(rescaled(f, units.unit_bases(fields.get(f, "1"))[1], scale) for f in record._fields))
    base = TYPICAL.get(name, 7.0)
    return np.float64(base * ratio)


def byte_or(field: str, bytes_: tuple[str, ...], scale: dict[str, float]) -> np.float64:
    """Two bytes where a field counts them, a half where it is a pure number."""
    return np.float64(2.0 * scale["byte"] if field in bytes_ else 0.5)


def call(formula: object, scale: dict[str, float]) -> float:
    parameters, _ = documented(formula)
    arguments = []
    for name in inspect.signature(formula).parameters:  # type: ignore[arg-type]
        value = rescaled(name, parameters[name], scale)
        whole = formula.__annotations__[name] == "Breakdown"  # type: ignore[attr-defined]
        part = {"wall_clock": "productive"}.get(name, "accelerators")
        arguments.append(Breakdown({part: value}) if whole else value)
    result = formula(*arguments)  # type: ignore[operator]
    return float(result.total if isinstance(result, Breakdown) else result)


@pytest.mark.parametrize("name", sorted(set(FORMULAS) - COUNTING - TIMED))
@given(exponents=st.lists(st.integers(-3, 3), min_size=len(BASES), max_size=len(BASES)))
def test_formula_rescales_with_its_units(name: str, exponents: list[int]) -> None:
    scale = {base: 2.0**power for base, power in zip(BASES, exponents, strict=True)}
    if name in ROUNDING:
        scale |= {"accelerator": 1.0, "node": 1.0}
    formula = FORMULAS[name]
    unscaled = call(formula, dict.fromkeys(BASES, 1.0))
    assert call(formula, scale) == pytest.approx(unscaled * factor(documented(formula)[1], scale), rel=1e-12)


@pytest.mark.parametrize("name", sorted(COUNTING))
def test_counting_formulas_document_their_units(name: str) -> None:
    parameters, result = documented(FORMULAS[name])
    assert set(parameters) == set(inspect.signature(FORMULAS[name]).parameters)
    assert result


def test_transformer_fields_are_what_the_test_varies() -> None:
    assert isinstance(MODEL, Transformer)
