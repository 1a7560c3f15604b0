"""Sweeps of a fleet: each cell is the answer to its own question, bit for bit, whatever varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import FleetQuestion, Presets, QuestionError, ask_fleet, sweep
from estimator.sweeps import Chunk, Wanted

PRESETS = Presets()
POOLS = ("64 x a100-sxm-80gb, site=a", "32 x ascend-910b, site=b, price=1.5 USD/gpu/hour")
FLEET = {"params": "7B", "pools": POOLS, "link": "100 Gbit/s"}
TOLD = ("throughput", "wall_clock", "occupied_hours", "energy", "carbon", "cost")


def swept(given_: dict[str, Any], vary: dict[str, Any]) -> Chunk:
    (chunk,) = sweep(given_, vary, wanted=Wanted(TOLD, TOLD), presets=PRESETS).chunks()
    return chunk


@pytest.mark.parametrize(
    "vary",
    [
        {"link": ["1 Gbit/s", "100 Gbit/s", "1e16 byte/s"], "way": ["separate", "equal", "matched"]},
        {"A.count": [8.0, 64.0], "B.price": ["1 USD/gpu/hour", "2 USD/gpu/hour"]},
        {"tokens": ["1T", "2T"], "sync_every": [1.0, 500.0]},
        {"B.on": ["h100", "a100-sxm-80gb"], "B.mfu": [0.3, 0.5]},
        {"global_batch": [512.0, 1024.0], "link": ["10 Gbit/s"]},
    ],
)
def test_a_cell_is_the_answer_to_its_question(vary: dict[str, list[Any]]) -> None:
    base = {name: value for name, value in FLEET.items() if name not in vary}
    chunk = swept(base, vary)
    for place in np.ndindex(chunk.reason.shape):
        own = {name: values[at] for at, (name, values) in zip(place, vary.items(), strict=True)}
        asked = FleetQuestion.read({**base, **own}, PRESETS)
        way = ask_fleet(asked, PRESETS).ways[asked.way or "matched"]
        for name in TOLD:
            ends = tuple(side[name][place] for side in (chunk.values, chunk.low, chunk.high))
            assert ends == tuple(way.values[name])


def test_an_input_of_a_pool_replaces_what_the_pool_says() -> None:
    chunk = swept({"params": "7B", "pools": ["64 x a100, mfu=0.2"]}, {"A.mfu": [0.2, 0.4]})
    assert chunk.values["throughput"][1] == pytest.approx(2 * chunk.values["throughput"][0])


def test_axes_of_pools_are_linked_like_any() -> None:
    from estimator import Vary

    vary = Vary({"A.count": [64.0, 128.0], "B.count": [32.0, 64.0]}, [["A.count", "B.count"]])
    (chunk,) = sweep(FLEET, vary, wanted=["throughput"], presets=PRESETS).chunks()
    assert chunk.reason.shape == (2,)


def test_what_is_not_known_has_its_reason() -> None:
    pools = ["64 x a100-sxm-80gb", "32 x ascend-910b"]
    (chunk,) = sweep({"params": "7B", "pools": pools}, {"B.count": [8.0, 16.0]}, presets=PRESETS).chunks()
    why = "no on-demand price of huawei-ascend-910b2 is on record: no cost; give --price"
    assert [chunk.reasons[code] for code in chunk.reason] == [why, why]
    assert np.isnan(chunk.values["cost"]).all()
    assert np.isfinite(chunk.values["wall_clock"]).all()


def test_a_pool_that_cannot_be_has_its_reason_and_the_rest_is_answered() -> None:
    pools = ["64 x a100-sxm-80gb", "32 x h100, tp=4"]
    (chunk,) = sweep({"params": "7B", "pools": pools}, {"B.count": [30.0, 32.0]}, presets=PRESETS).chunks()
    assert chunk.reasons[chunk.reason[0]].startswith(
        "--pool '30 x h100': --count: 30 accelerators do not divide into replicas of 4"
    )
    assert np.isnan(chunk.values["cost"]).tolist() == [True, False]


def test_a_wider_link_is_never_slower() -> None:
    links = [f"{10.0**place} Gbit/s" for place in np.linspace(-2.0, 5.0, 40)]
    chunk = swept({**FLEET, "link": None}, {"link": links, "way": ["equal", "matched"]})
    assert (np.diff(chunk.values["throughput"], axis=0) >= 0.0).all()
    # At last the exchange takes no time that counts.
    free = ask_fleet(FleetQuestion.read({**FLEET, "link": None}, PRESETS), PRESETS).ways["matched"]
    assert chunk.values["throughput"][-1, 1] == pytest.approx(free.values["throughput"].value, rel=1e-3)


@settings(deadline=None, max_examples=6)
@given(
    count=st.sampled_from([8, 64, 256]),
    on=st.sampled_from(["a100-sxm-80gb", "h100", "v100"]),
    mfu=st.floats(0.05, 0.9),
)
def test_an_equal_pool_beside_halves_the_time_of_separate_runs(count: int, on: str, mfu: float) -> None:
    pool = f"{count} x {on}, mfu={mfu}"
    asked = {"params": 7e9, "precision": "fp16", "tokens": 1e12, "goodput": 1.0}
    one, two = (
        swept({**asked, "pools": [pool] * pools}, {"way": ["separate", "equal", "matched"]})
        for pools in (1, 2)
    )
    # Nothing is between them, so that no way loses anything; each costs what it costs alone.
    assert two.values["throughput"] == pytest.approx(2 * one.values["throughput"], rel=1e-9)
    assert two.values["wall_clock"] == pytest.approx(one.values["wall_clock"] / 2, rel=1e-9)
    assert two.values["occupied_hours"] == pytest.approx(one.values["occupied_hours"], rel=1e-9)


@pytest.mark.parametrize(
    ("vary", "error"),
    [
        ({"C.count": "8"}, "--vary: there is no pool 'C', which 'C.count' names; the pools are A, B"),
        ({"A.tokens": "1T"}, "--vary: 'tokens' is of the whole fleet; name it without 'A.'"),
        ({"count": "8,16"}, "--vary: there is no input 'count'; did you mean 'B.count' or 'A.count' or 'context'?"),
        ({"link": "1,2"}, "--vary link: '1' has no unit; write it like '10 Gbit/s'"),
        ({"A.count": "0,8"}, "--vary A.count: '0' must be more than zero"),
        ({"way": "apart"}, "--vary way: 'apart' is not known; choose separate, equal, matched"),
        ({"price": "1", "within": "3 days"}, "--vary: there is no input 'within'"),
    ],
)  # fmt: skip
def test_faults_of_what_varies(vary: dict[str, str], error: str) -> None:
    with pytest.raises(QuestionError) as found:
        sweep({name: value for name, value in FLEET.items() if name not in vary}, vary, presets=PRESETS)
    assert found.value.faults == (error,)


def test_faults_of_what_is_shown() -> None:
    with pytest.raises(QuestionError) as found:
        sweep(FLEET, {"way": ["equal"]}, wanted=Wanted(("mfus", "memory_total"), ("flops",)), presets=PRESETS)
    assert found.value.faults == (
        "--show: a fleet has no quantity 'mfus'",
        "--show: a fleet has no quantity 'memory_total'; did you mean 'memory'?",
        "--range: 'flops' is no quantity that has a range",
    )


def test_a_run_has_no_pools() -> None:
    with pytest.raises(QuestionError) as found:
        sweep({"params": "7B"}, {"A.count": "8,16"}, presets=PRESETS)
    assert found.value.faults == (
        "--vary: there is no pool 'A', which 'A.count' names; one run has no pools",
    )
