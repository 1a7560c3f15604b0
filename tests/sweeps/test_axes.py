"""Axes as they are written: lists, ranges and units; what is linked; cells that are spread over a large grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import EstimatorError, Presets, QuestionError, Vary, sweep
from estimator.inputs.axes import read_axis
from estimator.sweeps import axes as axes_read
from estimator.sweeps.axes import Axis, thinned
from estimator.units import parse_price

PRESETS = Presets()
DAY = 86400.0


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("count", "512:8192:x2", [512, 1024, 2048, 4096, 8192]),
        ("count", "512:2048:512,4096", [512, 1024, 1536, 2048, 4096]),
        ("count", "8", [8]),
        ("count", "64:8:x0.5", [64, 32, 16, 8]),
        ("count", "64:16:-16", [64, 48, 32, 16]),
        ("count", "8:30:8", [8, 16, 24]),
        ("count", "8:8:0", [8]),
        ("params", "500M,7B:28B:x2", [5e8, 7e9, 14e9, 28e9]),
        ("mfu", "0.3:0.5:0.05", [0.3, 0.35, 0.4, 0.45, 0.5]),
        ("mfu", "30%:40%:5%", [0.3, 0.35, 0.4]),
        ("pue", "1:1.3:0.1", [1.0, 1.1, 1.2, 1.3]),
        ("zero", "0:3:1", [0, 1, 2, 3]),
        ("zero", "1,fsdp", [1, 3]),
        ("within", "10:30:10 days", [10 * DAY, 20 * DAY, 30 * DAY]),
        ("within", "1 day:4 days:x2", [DAY, 2 * DAY, 4 * DAY]),
        ("within", "12 hours:2 days:12 hours", [DAY / 2, DAY, 1.5 * DAY, 2 * DAY]),
        ("power", "300,400 W", [300, 400]),
        ("power", "100:400:x2 W", [100, 200, 400]),
        ("on", "h100, a100", ["h100", "a100"]),
        ("recompute", "none,full", ["none", "full"]),
        ("shard", "node,8,all", ["node", 8, "all"]),
    ],
)
def test_an_axis_is_written_as_a_list_or_a_range(name: str, text: str, values: list[Any]) -> None:
    assert read_axis(name, text, PRESETS) == values


def test_a_unit_that_is_given_once_counts_for_all_prices() -> None:
    read = read_axis("price", "1.5,2,3 CNY/gpu/hour", PRESETS)
    assert read == [parse_price(f"{rate} CNY/gpu/hour") for rate in (1.5, 2, 3)]
    assert read_axis("price", "1.5,2,3", PRESETS, "CNY/gpu/hour") == read_axis(
        "price", "1.5,2,3 CNY/gpu/hour", PRESETS
    )
    mixed = read_axis("price", "1 USD/gpu/hour,8 USD/node/hour", PRESETS)
    assert [price.per for price in mixed] == ["accelerator", "node"]


def test_a_range_of_prices_holds_what_would_be_written_one_by_one() -> None:
    assert read_axis("price", "1:2:0.25 USD/gpu/hour", PRESETS) == [
        read_axis("price", f"{rate} USD/gpu/hour", PRESETS)[0] for rate in (1, 1.25, 1.5, 1.75, 2)
    ]


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(0, 300))
def test_whole_steps_stay_whole(low: int, step: int, steps: int) -> None:
    found = read_axis("count", f"{low}:{low + step * steps}:{step}", PRESETS)
    assert found == [low + step * place for place in range(steps + 1)]


@given(st.lists(st.integers(1, 10**8), min_size=1, max_size=20))
def test_values_may_be_a_list_or_an_array(values: list[int]) -> None:
    assert read_axis("count", values, PRESETS) == values
    assert read_axis("count", np.array(values), PRESETS) == values


HOW = "write it like 512:8192:512, 512:8192:x2 or 512,1024,4096"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("cuont", "1", "--vary: there is no input 'cuont'; did you mean 'count' or 'context'?"),
        ("count", "8:4:2", f"--vary count: '8:4:2' never comes to its end; {HOW}"),
        ("count", "8:64:0", f"--vary count: '8:64:0' never comes to its end; {HOW}"),
        ("count", "8:64:x1", f"--vary count: '8:64:x1' never comes to its end; {HOW}"),
        ("count", "8:64:x0.5", f"--vary count: '8:64:x0.5' never comes to its end; {HOW}"),
        ("count", "8:64:y", f"--vary count: '8:64:y' has no step; {HOW}"),
        ("count", "1,,2", f"--vary count: '1,,2' has an empty value; {HOW}"),
        ("count", "", f"--vary count: '' has an empty value; {HOW}"),
        ("count", [], f"--vary count: there is no value; {HOW}"),
        ("count", 5, f"--vary count: '5' is no list of values; {HOW}"),
        ("count", "8:12:x1.1", "--vary count: '8.8' is not a whole number"),
        ("count", range(10**7), "--vary count: 10,000,000 values are more than the 1,000,000 of an axis"),
        (
            "count",
            "1:1e8:1",
            "--vary count: '1:1e8:1' has 100,000,000 values, more than the 1,000,000 of an axis; "
            "take wider steps, like 1:1e+08:1e+06",
        ),
        (
            "tokens",
            "1e9:1e12:x1.000001",
            "--vary tokens: '1e9:1e12:x1.000001' has 6,907,759 values, more than the 1,000,000 of an axis; "
            "take wider steps, like 1e+09:1e+12:x1.08",
        ),
        ("on", "a100:h100:2", "--vary on: 'a100:h100:2' is a range, and on is no number; list its values"),
        ("on", "zzz", "--vary on: no accelerator is called 'zzz'"),
        ("price", "1,2", "--vary price: '1' has no unit; write it like '2 USD/gpu/hour'"),
        ("within", "1 day:4 W:x2", "--vary within: '1 day:4 W:x2' counts in 'day' and in 'W'; write one unit"),
    ],
)  # fmt: skip
def test_what_an_axis_cannot_be_is_told(name: str, given: Any, message: str) -> None:
    with pytest.raises(EstimatorError) as caught:
        read_axis(name, given, PRESETS)
    assert str(caught.value) == message


def test_numbers_of_a_list_of_prices_are_money_of_the_answer() -> None:
    said = read_axis("price", "1.5,2", PRESETS, "CNY/gpu/hour")
    assert read_axis("price", [1.5, 2], PRESETS, "CNY/gpu/hour") == said
    assert read_axis("price", np.array([1.5, 2.0]), PRESETS, "CNY/gpu/hour") == said
    with pytest.raises(EstimatorError, match=r"^--vary price: 'nan USD/gpu/hour' is not a number$"):
        read_axis("price", [1.5, float("nan")], PRESETS, "USD/gpu/hour")


BASE = {"params": "7B", "count": 64}
LINKED = {"on": "h100,a100", "price": "1,2,3 USD/gpu/hour"}


@pytest.mark.parametrize(
    ("vary", "linked", "message"),
    [
        ({}, (), "nothing varies: give --vary, like --vary count=512:8192:x2"),
        ({"count": "8,16"}, (), "--vary count: --count is given too; leave one of them out"),
        (LINKED, [("on", "pue")], "--zip: 'pue' is no axis; the axes are on, price"),
        (LINKED, [("on",)], "--zip: 'on' links nothing; name two axes or more, like on,price"),
        (LINKED, [("on", "price")], "--zip: linked axes need as many values each, and these have on 2, price 3"),
        ({"on": "h100", "pue": "1.1"}, [("on", "pue"), ("on", "pue")],
         "--zip: 'on' is linked twice\n--zip: 'pue' is linked twice"),
        ({"nodes": "1,2"}, (), "--count and --nodes contradict each other; give one of them"),
    ],
)  # fmt: skip
def test_what_no_grid_can_be_is_told_before_anything_is_computed(
    vary: dict[str, Any], linked: Any, message: str
) -> None:
    with pytest.raises(QuestionError) as caught:
        sweep(BASE, Vary(vary, linked), presets=PRESETS)
    assert str(caught.value) == message


def test_a_grid_that_explodes_is_refused_with_its_count_and_a_way_out() -> None:
    many = {
        "tokens": np.arange(1e4) + 1e9,
        "mfu": np.linspace(0.1, 0.5, 1000),
        "pue": np.linspace(1, 2, 1000),
    }
    with pytest.raises(EstimatorError) as caught:
        sweep(BASE, many, presets=PRESETS)
    assert str(caught.value) == (
        "--vary: 10,000,000,000 cells (tokens 10,000 x mfu 1,000 x pue 1,000) are more than the 1,000,000,000 "
        "of a sweep; take wider steps, link axes with --zip, or answer a sample that is spread over them with "
        "--thin 100000"
    )
    assert sweep(BASE, Vary(many, thin=50), presets=PRESETS).shape == (50,)


def test_too_many_questions_to_read_are_refused() -> None:
    found = sweep({"params": "7B"}, {"tp": "1,2", "count": range(1, 200_001)}, presets=PRESETS)
    with pytest.raises(EstimatorError) as caught:
        next(found.chunks())
    assert str(caught.value) == (
        "--vary: 400,000 combinations of tp, count are more than the 200,000 that can be read one by one; "
        "take fewer of their values, or answer a sample with --thin 100000"
    )


@given(st.lists(st.integers(1, 50), min_size=1, max_size=4), st.integers(1, 60))
def test_a_sample_has_as_many_different_cells_as_asked_in_the_order_of_the_grid(
    sizes: list[int], cells: int
) -> None:
    axes = [Axis({f"x{place}": list(range(size))}) for place, size in enumerate(sizes)]
    found = thinned(axes, cells)
    if cells >= np.prod(sizes):
        assert found == tuple(axes)
        return
    rows = list(zip(*found[0].values.values(), strict=True))
    assert len(rows) == cells == len(set(rows))
    assert rows == sorted(rows)


def test_a_sample_is_spread_evenly() -> None:
    """Of 400 cells of a square each of its 16 tiles has its share, to a fifth."""
    axes = [Axis({"x": list(range(200))}), Axis({"y": list(range(200))})]
    found = thinned(axes, 400)[0]
    counted, *_ = np.histogram2d(found.values["x"], found.values["y"], bins=4)
    assert np.all(np.abs(counted - 25) <= 5)


def test_a_grid_of_a_million_million_cells_is_refused_before_a_value_of_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr(axes_read, "read_items", lambda name, *_: read.append(name))  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(EstimatorError) as caught:
        sweep(
            {"params": "7B"}, {"tokens": range(1, 10**6 + 1), "price": range(1, 10**6 + 1)}, presets=PRESETS
        )
    assert str(caught.value) == (
        "--vary: 1,000,000,000,000 cells (tokens 1,000,000 x price 1,000,000) are more than the 1,000,000,000 of "
        "a sweep; take wider steps, link axes with --zip, or answer a sample that is spread over them with "
        "--thin 100000"
    )
    assert not read


def test_of_an_axis_beside_one_that_is_wrong_many_values_are_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr(axes_read, "read_items", lambda name, *_: read.append(name) or [])  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(QuestionError) as caught:
        sweep(
            {"params": "7B"}, {"tokens": range(1, 10**6), "mfu": "0.1:1:0", "pue": "1.1,1.2"}, presets=PRESETS
        )
    assert str(caught.value).startswith("--vary mfu: '0.1:1:0' never comes to its end; ")
    assert read == ["pue"]
