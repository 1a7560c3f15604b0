"""Inputs that become a column as they are: lowering puts them there and nothing else depends on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Case, EstimatorError, Presets, Run
from estimator.lower import lower
from estimator.sweeps.axes import Axis
from estimator.sweeps.grid import DIRECT, direct_columns
from estimator.units import Price, parse_price

PRESETS = Presets()
OTHERS: dict[str, list[Any]] = {
    "on": ["h100", "a100", "910b", "google-tpu-v4"], "precision": ["bf16", "fp16"], "grid": ["usa", "china"],
    "optimizer": ["adamw", "lomo"], "seq": [2048, 32768], "global_batch": [64, 4096], "tp": [1, 2], "pp": [1, 3],
    "samples": [5e4], "method": ["lora"], "recompute": ["full"], "currency": ["CNY"], "year": [2024],
    "plan": ["reserved", "own", "spot"], "stack": ["fsdp"], "node": ["nvidia-dgx-h100"], "platform": ["cfff"],
    "scaling_efficiency": [0.9], "mfu": [0.4], "efficiency_gain": [2], "goodput": [0.9], "within": ["20 days"],
    "count": [8, 1000], "tokens": ["3e12"], "pue": [1.2], "power": ["500 W"],
    "spot_share": [0.5], "staff": [10], "utilisation": [0.5], "tariff": ["0.1 USD/kWh", "0.5 CNY/kWh"],
    "failures": ["llama-3", "0.01 1/node/day"], "spare_nodes": [2.0],
}  # fmt: skip
NUMBERS = {
    "tokens": st.floats(1e6, 1e15),
    "count": st.integers(1, 10**6).map(float),
    "within": st.floats(1e3, 1e9).map(lambda seconds: f"{seconds!r} s"),
    "mfu": st.floats(0.01, 1.0),
    "efficiency_gain": st.floats(0.01, 10.0),
    "scaling_efficiency": st.floats(0.01, 1.0),
    "goodput": st.floats(0.01, 1.0),
    "mtbi": st.floats(60.0, 1e7).map(lambda seconds: f"{seconds!r} s"),
    "checkpoint_interval": st.floats(1.0, 1e6).map(lambda seconds: f"{seconds!r} s"),
    "checkpoint_bandwidth": st.floats(1e6, 1e13).map(lambda rate: f"{rate!r} byte/s"),
    "restart_time": st.floats(1.0, 1e5).map(lambda seconds: f"{seconds!r} s"),
    "rollback_share": st.floats(0.0, 0.9),
    "straggler_share": st.floats(0.0, 0.9),
    "price": st.floats(0.01, 100.0).map(lambda rate: f"{rate!r} USD/gpu/hour"),
    "power": st.floats(1.0, 1e4).map(lambda watts: f"{watts!r} W"),
    "pue": st.floats(1.0, 3.0),
    "development": st.floats(1.0, 10.0),
    "applications": st.floats(1.0, 1e6),
}


def lowered(question: dict[str, Any]) -> Case | None:
    try:
        return lower(Run.read(question, PRESETS), PRESETS)
    except EstimatorError:
        return None


def told(case: Case) -> dict[str, Any]:
    """All that the evaluation of a case may depend on."""
    ends = {
        f"{unknown.name} {side} {name}": value
        for unknown in case.unknowns
        for side, members in (("low", unknown.low), ("high", unknown.high))
        for name, value in members.items()
    }
    numbers = {**case.columns, **ends}
    return {"free": case.free, **{name: np.float64(value).tobytes() for name, value in numbers.items()}}


@pytest.mark.parametrize("name", DIRECT)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_an_input_that_is_a_column_changes_that_column_alone(name: str, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(list(OTHERS)), max_size=5, unique=True))
    given_ = {other: data.draw(st.sampled_from(OTHERS[other])) for other in names if other != name}
    given_["params"] = data.draw(st.sampled_from(["1B", "70B"]))
    one, other = data.draw(NUMBERS[name]), data.draw(NUMBERS[name])
    read = [Run.fields[name].read(value, PRESETS) for value in (one, other)]
    column = direct_columns([Axis({name: read})], given_, given_.get("currency", "USD")).get(name)
    cases = [lowered({**given_, name: value}) for value in (one, other)]
    if column is None or cases[0] is None:
        return
    assert cases[1] is not None
    numbers = [value.rate if isinstance(value, Price) else value for value in read]
    assert [float(case.columns[column]) for case in cases if case] == numbers
    first, second = (told(case) for case in cases if case)
    assert {key for key in first if first[key] != second[key]} <= {column}
    assert first.keys() == second.keys()


def test_every_column_that_a_sweep_replaces_is_tried() -> None:
    assert NUMBERS.keys() == DIRECT.keys()


def columns(vary: dict[str, Any], currency: str = "USD", **given_: Any) -> dict[str, str]:
    return direct_columns([Axis({name: values}) for name, values in vary.items()], given_, currency)


def test_tokens_are_lowered_where_the_batch_grows_with_them() -> None:
    assert columns({"tokens": [1e12]}) == {}
    assert columns({"tokens": [1e12]}, global_batch=8) == {"tokens": "tokens"}
    assert columns({"tokens": [1e12], "global_batch": [8.0]}) == {"tokens": "tokens"}


def test_a_count_is_lowered_where_it_may_be_illegal() -> None:
    assert columns({"count": [8.0]}) == {"count": "count"}
    assert columns({"count": [8.0]}, tp=2) == {}
    assert columns({"count": [8.0], "global_batch": [8.0]}) == {}
    assert columns({"count": [8.0]}, platform="cfff") == {}


def test_a_price_is_lowered_where_it_is_exchanged_or_shared() -> None:
    prices = [parse_price(text) for text in ("2 USD/gpu/hour", "16 USD/node/hour")]
    assert columns({"price": prices[:1]}) == {"price": "price"}
    assert columns({"price": prices[:1]}, currency="USD") == {"price": "price"}
    assert columns({"price": prices}) == {}
    assert columns({"price": prices[:1]}, "CNY") == {}
    assert columns({"price": prices[:1], "currency": ["USD"]}) == {}
