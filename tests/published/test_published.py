"""Published tables against our formulas and answers: each file of this folder is one table with its source."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Presets, Run, ask, units
from estimator.breakdown import Breakdown

PRESETS = Presets()
# As Lv et al. 2023 trained: fully sharded, full recomputation, one sequence a card, scores written to memory.
SHARDED = {"attention": "unfused", "recompute": "full", "micro_batch": 1, "zero": 3, "tp": 1, "pp": 1}
TABLES = sorted(Path(__file__).parent.glob("*.toml"))


def house(value: Any) -> np.float64:
    return np.float64(units.parse_any(value)[0] if isinstance(value, str) else value)


def rows() -> Iterator[Any]:
    for path in TABLES:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert table["source"]["title"]
        assert table["source"]["where"]
        for row in table["check"]["rows"]:
            yield pytest.param(table["check"], row, id=f"{path.stem}-{row['name']}")


def record(fields: dict[str, Any], name: str, formula: Any) -> Any:
    """Return a breakdown, or a record argument of a formula, from its parts or fields by name."""
    found = {key: house(value) for key, value in fields.items()}
    return Breakdown(found) if name == "Breakdown" else formula.__globals__[name](**found)


def by_formula(check: dict[str, Any], row: dict[str, Any]) -> float:
    module, name = check["formula"].split(".")
    formula = getattr(importlib.import_module(f"estimator.formulas.{module}"), name)
    asked = check.get("given", {}) | row.get("given", {})
    given = {
        key: record(value, formula.__annotations__[key], formula) if isinstance(value, dict) else house(value)
        for key, value in asked.items()
    }
    result = formula(**given)
    return float(result.total if isinstance(result, Breakdown) else result)


def by_question(check: dict[str, Any], row: dict[str, Any]) -> float:
    question = check.get("given", {}) | row.get("given", {})
    estimate = ask(Run.read(question, PRESETS), PRESETS)
    name = row.get("quantity", check.get("quantity"))
    amount = estimate.amount(name)
    part = row.get("part")
    return float(amount.parts[part] if part else amount.value)


@pytest.mark.parametrize(("check", "row"), list(rows()))
def test_published_table(check: dict[str, Any], row: dict[str, Any]) -> None:
    ours = by_formula(check, row) if "formula" in check else by_question(check, row)
    within = row.get("within", check["within"])
    assert ours == pytest.approx(float(house(row["published"])), rel=within)


def test_lomo_takes_a_tenth_of_the_memory_of_adamw_over_all_cards() -> None:
    """Derived, not stored: 10.8 % is 13.61 GB on one card over 8 x 15.76 GB (Lv et al. 2023, Table 2)."""
    question = {"model": "llama-7b", "on": "nvidia-rtx-3090", "seq": 1024, **SHARDED}
    lomo = ask(Run(**question, optimizer="lomo", count=1))
    adamw = ask(Run(**question, optimizer="adamw", count=8))
    ratio = float(lomo.memory_total.value / adamw.memory_total.value)
    assert ratio == pytest.approx(0.108, abs=0.003)


def test_65b_fits_one_machine_of_consumer_cards_with_lomo_and_not_with_adamw() -> None:
    question = {
        "model": "llama-65b",
        "on": "nvidia-rtx-3090",
        "count": 8,
        "seq": 1024,
        **SHARDED,
    }
    assert bool(ask(Run(**question, optimizer="lomo")).fits)
    adamw = ask(Run(**question, optimizer="adamw"))
    assert not bool(adamw.fits)
    assert float(adamw.memory_allocated.value - adamw.memory_usable.value) / 2**30 == pytest.approx(
        102.7, abs=1.0
    )


def test_llama_65b_hours_lie_inside_the_range() -> None:
    """Touvron et al. 2023, Table 15: 1,022,362 GPU-hours."""
    run = Run(model="llama-65b", tokens="1.4T", on="nvidia-a100-sxm-80gb", count=2048)
    hours = ask(run).accelerator_hours
    assert hours.low / 3600 < 1_022_362 < hours.high / 3600


def test_four_thousand_servers_are_800_million_dollars() -> None:
    """Guosheng Securities, 12 February 2023: about 4,000 DGX A100 at 199,000 USD each, 800 million USD in all."""
    question = {"params": "175B", "node": "nvidia-dgx-a100-320", "nodes": 4000, "plan": "own"}
    for given in ({}, {"purchase_price": "199000 USD/node"}):  # the price at release is on record too
        bought = ask(Run.read(question | given, PRESETS), PRESETS).investment.parts
        assert float(bought["accelerators"] + bought["servers"]) == pytest.approx(796e6, rel=1e-9)


def test_development_of_llama_took_three_times_its_last_runs() -> None:
    """Touvron et al. 2023, Section 6 and Table 15: 2,638 MWh in all; 36 + 59 + 233 + 449 = 777 MWh the last runs."""
    share = PRESETS.load("assumptions", "ownership").figures["development"]
    assert share.value == pytest.approx(2638 / (36 + 59 + 233 + 449), abs=0.05)
    question = {"model": "llama-65b", "tokens": "1.4T", "on": "a100-sxm-80gb", "count": 2048}
    last, all_ = (
        ask(Run.read(question | given, PRESETS), PRESETS).cost for given in ({}, {"development": share.value})
    )
    assert float(all_.value) == pytest.approx(3.4 * float(last.value), rel=1e-9)
