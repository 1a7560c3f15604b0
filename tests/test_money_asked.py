"""Money in every asker by the one path: sweeps, solutions, draws and question files of owned machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Presets, Run, ask, load, sample, solve, sweep
from estimator.inputs.files import write_question

PRESETS = Presets()
GIVEN: dict[str, Any] = {
    "params": "7B", "on": "h100", "count": 256, "tokens": "1T", "global_batch": 1024, "tp": 1, "pp": 1, "vpp": 1,
    "cp": 1, "zero": 3, "micro_batch": 1, "recompute": "full", "mfu": 0.4, "goodput": 1,
}  # fmt: skip
OWN: dict[str, Any] = {**GIVEN, "plan": "own"}


def cost(**given: Any) -> float:
    return float(ask(Run.read(given, PRESETS), PRESETS).cost.value)


def test_a_sweep_of_plans_and_places_is_each_answer_alone() -> None:
    plans, grids = ["on-demand", "reserved-3y", "spot", "own"], ["usa", "china"]
    (chunk,) = sweep(GIVEN, {"plan": plans, "grid": grids}, presets=PRESETS).chunks()
    alone = [cost(**GIVEN, plan=plan, grid=grid) for plan in plans for grid in grids]
    assert np.ravel(chunk.values["cost"]).tolist() == alone


def test_a_sweep_of_applications_shares_the_cost() -> None:
    (chunk,) = sweep(GIVEN, {"applications": [1, 10, 100]}, presets=PRESETS, wanted=_wanted()).chunks()
    assert chunk.values["cost_per_application"] == pytest.approx(cost(**GIVEN) / np.array([1, 10, 100]))


def _wanted() -> Any:
    from estimator import Wanted

    return Wanted(("cost_per_application",), ("cost_per_application",))


def test_a_sweep_of_tariffs_writes_them_as_they_were_given() -> None:
    from estimator.sweeps.table import labels

    run = Run.read({**OWN, "tariff": "0.08 USD/kWh"}, PRESETS)
    found = labels([run.tariff], "USD/kWh")
    assert getattr(found, "words", None) == ("0.08 USD/kWh",)


def test_the_utilisation_that_a_budget_needs() -> None:
    budget = cost(**OWN, utilisation=0.5)
    found = solve(OWN, "utilisation", cost=f"{budget!r} USD")
    assert found.value == pytest.approx(0.5, rel=1e-6)


def test_the_rent_from_which_owning_is_cheaper() -> None:
    found = solve({**OWN, "utilisation": 0.5}, "price", break_even_utilisation=0.5)
    own = ask(Run.read({**OWN, "utilisation": 0.5}, PRESETS), PRESETS)
    assert found.value == pytest.approx(float(own.own_price.value), rel=1e-6)


def test_draws_of_what_an_owner_pays_agree_with_the_range() -> None:
    drawn = sample(Run.read(OWN, PRESETS), 2048, wanted=["cost"], presets=PRESETS).amount("cost")
    answer = ask(Run.read(OWN, PRESETS), PRESETS).cost
    width = np.log(float(answer.high) / float(answer.low))
    for found, told in ((drawn.low, answer.low), (drawn.high, answer.high)):
        assert abs(np.log(float(found) / float(told))) < 0.1 * width


def test_a_question_of_an_owner_is_kept_and_read_back(tmp_path: Path) -> None:
    run = Run.read(
        {
            **OWN, "price": "2 USD/gpu/hour", "life": "4 years", "purchase_price": "300000 USD/node",
            "tariff": "0.3 CNY/kWh", "cost_of_capital": 0, "stored": "500 TB", "storage_price": "0.02 USD/GB/month",
            "egress": "20 TB", "egress_price": "0.05 USD/GB", "staff": 11, "preparation_staff": 29,
            "preparation_time": "6 months", "pay": "925000 USD/year", "adaptation": "20000 USD", "applications": 3,
        },
        PRESETS,
    )  # fmt: skip
    write_question(run, tmp_path / "own.toml")
    assert load(tmp_path / "own.toml") == run
