"""Cells as numbers, and what is wrong with a row."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.measured.columns import RowDraft
from estimator.measured.table import Fault, Table, distinct


def one(**cells: str) -> Table:
    return Table.of([cells])


@pytest.mark.parametrize("cell", ["8", " 8 ", "8.0", "8e0", "+8"])
def test_a_number_is_read(cell: str) -> None:
    table = one(tp=cell)
    assert table.number("tp").tolist() == [8.0]
    assert table.faults == [None]


@pytest.mark.parametrize("cell", ["", "  ", "nan", "NaN"])
def test_a_blank_is_no_fault(cell: str) -> None:
    table = one(tp=cell)
    assert np.isnan(table.number("tp")[0])
    assert table.faults == [None]


@pytest.mark.parametrize(
    "cell", ["eight", "0", "-8", "8.5", "inf", "-inf", "1e300", "1,024", "1_0", "0x8", "8 GB"]
)
def test_what_is_no_degree_is_the_fault_of_its_row(cell: str) -> None:
    table = one(tp=cell)
    assert np.isnan(table.number("tp")[0])
    assert table.faults == [Fault("tp is not a whole number from 1 to 1e+08", f"'{cell}'")]


def test_a_column_without_limits_takes_any_number_above_zero() -> None:
    table = Table.of([{"iter_time_s": "1e-9"}, {"iter_time_s": "0"}])
    assert table.number("iter_time_s")[0] == 1e-9
    assert table.faults[1] == Fault("iter_time_s is not a number above zero", "'0'")


def test_the_first_fault_stays() -> None:
    table = one(tp="x", pp="y")
    table.number("tp"), table.number("pp")
    assert table.faults[0] is not None
    assert table.faults[0].kind.startswith("tp ")


def test_a_fault_names_the_column_of_the_file_and_shortens_the_cell() -> None:
    table = one(n_devices="9" * 50 + "x").renamed({}, {"n_accelerators": "n_devices"})
    table.number("n_accelerators")
    assert table.faults == [Fault("n_devices is not a whole number from 1 to 1e+08", f"'{'9' * 37}...'")]


def test_a_table_and_its_renamed_one_share_faults() -> None:
    table = one(a="1")
    table.renamed({}, {}).fault(0, Fault("wrong"))
    assert table.faults == [Fault("wrong")]


def test_a_column_that_is_not_there_is_blank() -> None:
    assert list(one(tp="8").text("pp")) == [""]


def test_distinct_tuples_give_back_the_rows() -> None:
    found, which = distinct(["a", "b", "a"], ["x", "x", "y"])
    assert [found[index] for index in which] == [("a", "x"), ("b", "x"), ("a", "y")]


def test_an_unknown_moves_only_the_rows_that_lack_a_cell() -> None:
    draft = RowDraft(Table.of([{"seq_len": "2048"}, {"seq_len": ""}]))
    draft.printed("seq", "seq_len", {"value": 4096.0, "low": 1024.0, "high": 8192.0})
    case = draft.case(np.array([0, 1]), {})
    (unknown,) = case.unknowns
    assert np.asarray(case.columns["seq"]).tolist() == [2048.0, 4096.0]
    assert np.asarray(unknown.low["seq"]).tolist() == [2048.0, 1024.0]
    assert np.asarray(unknown.high["seq"]).tolist() == [2048.0, 8192.0]
    assert draft.assumed["seq"].tolist() == [False, True]


def test_nothing_is_unknown_where_every_row_prints_it() -> None:
    draft = RowDraft(Table.of([{"seq_len": "2048"}]))
    draft.printed("seq", "seq_len", {"value": 4096.0, "low": 1024.0, "high": 8192.0})
    assert draft.case(np.array([0]), {}).unknowns == ()
    assert draft.assumed == {}
