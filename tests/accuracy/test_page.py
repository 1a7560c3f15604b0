"""docs/accuracy.md is what rows and stored forecasts give, and the check tells where it is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Presets

from .by_hand import kept, made

import make_accuracy  # isort: skip
from accuracy import left, page, reasons, row_tables, runs, store, template, words  # isort: skip
from step_time.rows import scorable_rows  # isort: skip


# The page.


def test_the_page_is_what_the_stored_forecasts_and_the_records_give() -> None:
    assert page.page(store.read(make_accuracy.DATA)) == make_accuracy.TARGET.read_text(encoding="utf-8")


FORETOLD = store.Foretold("quarter", "0", "row", 1.0, 0.9, 1.1)


@pytest.mark.parametrize(
    ("text", "again", "said"),
    [
        ("text", [FORETOLD], ""),
        ("text", [FORETOLD._replace(value=1.009)], ""),
        ("text", [FORETOLD._replace(value=1.02)], "quarter 0 row is foretold otherwise today"),
        ("text", [FORETOLD._replace(low=0.8)], "quarter 0 row is foretold otherwise today"),
        ("text", [FORETOLD._replace(id="new")], "quarter 0 new is not stored"),
        ("other", [FORETOLD], "not what docs/accuracy.csv and the records give"),
        (None, [FORETOLD], "not there"),
    ],
)
def test_the_check_renders_and_measures_again_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, again: list[store.Foretold], said: str
) -> None:
    page_file, data = tmp_path / "accuracy.md", tmp_path / "accuracy.csv"
    store.write(data, [FORETOLD])
    if text:
        page_file.write_text(text, encoding="utf-8")
    for name, value in (
        ("TARGET", page_file),
        ("DATA", data),
        ("page", lambda _: "text"),
        ("again", lambda _: again),
    ):
        monkeypatch.setattr(make_accuracy, name, value)
    before = data.read_bytes()
    assert make_accuracy.stale() == said
    assert make_accuracy.main(["--check"]) == (1 if said else 0)
    assert data.read_bytes() == before
    assert (page_file.read_text(encoding="utf-8") if page_file.is_file() else None) == text


def test_without_a_word_everything_is_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"TARGET": tmp_path / "accuracy.md", "DATA": tmp_path / "accuracy.csv"}
    given = {"measure": lambda: [FORETOLD], "page": lambda stored: f"{len(stored)} row"}
    for name, value in (files | given).items():
        monkeypatch.setattr(make_accuracy, name, value)
    assert make_accuracy.main([]) == 0
    (row,) = store.read(files["DATA"])
    assert row[:6] == FORETOLD[:6]
    assert files["TARGET"].read_text(encoding="utf-8") == "1 row"


def test_the_words_of_the_page_hold_no_result() -> None:
    """Percentages, errors and counts stand in tables, which are made."""
    assert not re.search(r"\d\s*%|\d\.\d", template.PAGE)


def test_forecasts_of_other_rows_are_refused() -> None:
    rows = made([10, 20])
    stored = [store.Foretold("quarter", "0", name, *[1.0] * 6) for name in ("row-0", "row-1")]
    found = left.left_of(rows, stored, "quarter")
    assert (found.ours.truth.tolist(), found.baseline.value.tolist()) == ([10, 20], [1, 1])
    for other in (stored[1:], [*stored, stored[0]._replace(id="row-2")]):
        with pytest.raises(LookupError, match="a quarter left out is not of the measured rows of today"):
            left.left_of(rows, other, "quarter")


def test_what_is_stored_is_read_back_and_does_not_depend_on_its_order(tmp_path: Path) -> None:
    rows = [FORETOLD, store.Foretold("series", "house", "a", 0.123456789)]
    for place, order in enumerate((rows, rows[::-1])):
        store.write(tmp_path / str(place), order)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    one, other = store.read(tmp_path / "0")
    assert one[:6] == FORETOLD[:6]
    assert other[:4] == ("series", "house", "a", 0.123457)
    assert np.isnan(other[4:]).all()


# Words and tables.


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.signed, 0.1234, "+12.3 %"),
        (words.signed, -0.0004, "+0.0 %"),
        (words.signed, -0.25, "-25.0 %"),
        (words.share, 0.4412, "44.1 %"),
        (words.amount, 1022362.4, "1,022,362"),
        (words.amount, 12.3456, "12.35"),
    ],
)
def test_numbers_of_the_page(write: Any, value: float, text: str) -> None:
    assert write(value) == text


def test_a_column_of_numbers_stands_to_the_right() -> None:
    lines = words.table(["name", "n", "gap"], [["a", "1", "+2 %"], ["b", "", "-3 %"]])
    assert lines == ["| name | n | gap |", "| --- | ---: | ---: |", "| a | 1 | +2 % |", "| b |  | -3 % |", ""]


def test_a_reason_is_told_only_for_the_sign_it_was_written_for() -> None:
    known = {"-pythia-70m": "small kernels"}
    assert reasons.reason(known, "pythia-70m", -0.5) == "small kernels"
    assert reasons.reason(known, "pythia-70m", 0.5) == "not looked into"


def test_every_reason_is_of_a_run_or_a_configuration_on_record() -> None:
    measured = scorable_rows(Presets())
    assert {name[1:] for name in reasons.ROW_REASONS} <= set(measured.words["config_group"].tolist())
    assert {name[1:] for name in reasons.RUN_REASONS} <= {record.id for record in runs.scored(Presets())}


def test_the_noise_is_the_largest_over_the_smallest_of_repeats() -> None:
    # Repeats of 100 and 130, and a configuration without any; about their median of 115: 15 / 115 each.
    rows = made([100, 130, 500], config_group=["x", "x", "y"], source=["a", "a", "b"])
    table = row_tables.noise_table(rows, kept(rows, [110, 130, 500]))
    assert table[2:5] == [
        "| a | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
        "| all | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
        "| dense | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
    ]
