"""A sweep as rows: columns and their units, labels of what varies, and what no number stands for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from estimator import EstimatorError, Presets, Run, Vary, Wanted, ask, sweep
from estimator.inputs.axes import read_axis
from estimator.report.document import document
from estimator.sweeps import table as tables
from estimator.sweeps.table import Coded, Column, Table, labels, records

PRESETS = Presets()
BASE = {"params": "7B"}
VARY = {"count": "8,16", "price": "1.5,2,3", "on": "h100,910b"}


def found(**more: Any) -> Table:
    return Table(sweep(BASE, VARY, presets=PRESETS, **more))


def test_columns_are_what_varies_then_quantities_with_their_ends_then_the_reason() -> None:
    assert [column.header for column in found().columns] == [
        "count [accelerator]", "price [USD/accelerator/hour]", "on", "flops [FLOP]", "memory [byte]", "step_time [s]",
        "mfu", "throughput [token/s]", "accelerator_hours [hour]", "wall_clock [s]", "wall_clock_low [s]",
        "wall_clock_high [s]", "energy [kWh]", "carbon [kg]", "cost [USD]", "cost_low [USD]", "cost_high [USD]", "fits",
        "reason",
    ]  # fmt: skip


def test_a_row_holds_the_numbers_of_the_answer_s_document() -> None:
    asked = {**BASE, "count": 16, "on": "h100", "price": "2 USD/gpu/hour"}
    run = Run.read(asked, PRESETS)
    alone = json.loads(json.dumps(document(ask(run, PRESETS), run.write())))
    whole = found().whole()
    place = next(number for number, row in enumerate(records(whole)) if row[:3] == (16.0, 2.0, "h100"))
    cells = dict(zip(whole, list(records(whole))[place], strict=True))
    for name in (
        "flops",
        "memory",
        "step_time",
        "mfu",
        "throughput",
        "accelerator_hours",
        "energy",
        "carbon",
    ):
        assert cells[name] == alone[name]["value"], name
    for name in ("wall_clock", "cost"):
        assert [cells[name], cells[f"{name}_low"], cells[f"{name}_high"]] == [
            alone[name][end] for end in ("value", "low", "high")
        ]


def test_rows_run_through_the_last_axis_fastest() -> None:
    rows = [row[:3] for row in records(found().whole())]
    assert rows == [(n, p, c) for n in (8.0, 16.0) for p in (1.5, 2.0, 3.0) for c in ("h100", "910b")]


def test_what_is_not_known_is_nothing_and_has_a_reason() -> None:
    vary = {"on": "h100,910b"}
    rows = list(
        records(Table(sweep({**BASE, "count": 8}, vary, wanted=["cost", "flops"], presets=PRESETS)).whole())
    )
    assert rows[0][1] is not None
    assert rows[1][1:4] == (None, None, None)
    assert rows[1][4] is not None
    assert rows[1][5] == "no on-demand price of huawei-ascend-910b2 is on record: no cost; give --price"


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("price", "1.5,2 USD/gpu/hour", [1.5, 2.0]),
        ("price", "1.1:1.5:0.1 USD/gpu/hour", [1.1, 1.2, 1.3, 1.4, 1.5]),
        ("price", "2 USD/gpu/hour,16 USD/node/hour", ["2.0 USD/gpu/hour", "16.0 USD/node/hour"]),
        ("price", "2 USD/gpu/hour,14 CNY/gpu/hour", ["2.0 USD/gpu/hour", "14.0 CNY/gpu/hour"]),
        ("shard", "node,8", ["node", "8"]),
        ("count", "8,16", [8.0, 16.0]),
    ],
)
def test_what_varies_is_shown_as_it_would_be_written(name: str, text: str, shown: list[Any]) -> None:
    unit = {"price": "USD/accelerator/hour", "count": "accelerator"}.get(name, "1")
    label = labels(read_axis(name, text, PRESETS), unit)
    assert (
        [label.words[code] for code in label.codes] if isinstance(label, Coded) else label.tolist()
    ) == shown


def test_money_of_several_currencies_has_none_in_its_unit() -> None:
    table = Table(
        sweep({**BASE, "count": 8}, {"currency": "USD,CNY"}, wanted=["cost", "price"], presets=PRESETS)
    )
    assert table.columns[1:3] == (Column("cost", "currency"), Column("cost_low", "currency"))
    usd, cny = next(iter(table.whole().values())), table.whole()["cost"]
    assert isinstance(usd, Coded)
    assert usd.words == ("USD", "CNY")
    assert isinstance(cny, np.ndarray)
    assert cny[1] / cny[0] == pytest.approx(7, rel=0.1)


def test_a_quantity_that_varies_is_one_column() -> None:
    names = [column.name for column in found(wanted=["count", "cost"]).columns]
    assert names == ["count", "price", "on", "cost", "cost_low", "cost_high", "reason"]


def test_an_end_may_be_asked_for_without_its_value() -> None:
    names = [column.name for column in found(wanted=Wanted(("cost",), ("memory",))).columns]
    assert names == ["count", "price", "on", "cost", "memory_low", "memory_high", "reason"]


def test_the_table_of_the_library_has_plain_columns() -> None:
    whole = sweep(BASE, VARY, presets=PRESETS).table()
    assert whole["on"] == ["h100", "910b"] * 6
    assert whole["fits"].tolist() == [1.0] * 12
    assert set(map(len, whole.values())) == {12}


def test_labelled_arrays() -> None:
    asked = sweep(BASE, VARY, presets=PRESETS)
    data, (chunk,) = asked.dataset(), asked.chunks()
    assert dict(data.sizes) == {"count": 2, "price": 3, "on": 2}
    assert data.price.values.tolist() == [1.5, 2.0, 3.0]
    assert data.cost.attrs == {"units": "USD"}
    np.testing.assert_array_equal(data.wall_clock.values, chunk.values["wall_clock"])
    np.testing.assert_array_equal(data.accelerator_hours.values, chunk.values["accelerator_hours"] / 3600)
    assert float(data.cost_high.sel(count=8, price=2, on="h100")) == chunk.high["cost"][0, 1, 0]
    assert data.reason.sel(on="910b").values.tolist() == [[""] * 3] * 2
    linked = sweep(
        BASE | {"count": 8}, Vary({"on": "h100,a100", "price": "2,1"}, [("on", "price")]), presets=PRESETS
    )
    assert dict(linked.dataset().sizes) == {"on+price": 2}
    assert linked.dataset().on.values.tolist() == ["h100", "a100"]


def test_more_cells_than_can_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_NUMBERS", 100)
    for held in (lambda: found().whole(), lambda: sweep(BASE, VARY, presets=PRESETS).dataset()):
        with pytest.raises(EstimatorError) as caught:
            held()
        assert str(caught.value) == (
            "--vary: 12 cells of 19 columns are more than can be held at once; write them to a file with "
            "-o out.parquet, or take them chunk by chunk"
        )


def test_without_xarray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(EstimatorError) as caught:
        sweep(BASE, VARY, presets=PRESETS).dataset()
    assert str(caught.value) == (
        "labelled arrays need xarray; install it with: pip install 'train-estimator[arrays]'"
    )
