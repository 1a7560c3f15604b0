"""Records and rows as pages: values as written, in house units, and what JSON can hold, on toys made here."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from estimator.provenance import Figure, Source
from estimator.records import Record, Row
from estimator.report import records as pages
from estimator.report import tables
from estimator.report.page import Page

SHEET = Source("sheet", "Data\nsheet", "Toys", "toys.example", "2", "CC-BY-4.0", "2026-11-21")


def figure(value: float, text: str, **more: Any) -> Figure:
    return Figure(value, text, SHEET, more.pop("where", "p. 1"), more.pop("kind", "stated"), **more)


MEMORY = figure(80 * 2**30, "80 GiB", low=79 * 2**30, high=80 * 2**30, note="less what is reserved")
POWER = figure(700.0, "0.7 kW", verified=False, where="p. 2")
CHIP = Record(
    "accelerators", "toys-toy",
    {"name": "Toy\nchip", "aliases": ["toy", "toy-1"], "launch": datetime.date(2024, 3, 1), "family": "toys"},
    {"memory": MEMORY, "power": POWER, "peak_bf16": figure(312e12, "312 TFLOP/s")},
    {"sheet": SHEET}, Path("/elsewhere/accelerators/toys-toy.toml"),
)  # fmt: skip
MODEL = Record(
    "models", "toy-7b", {"name": "Toy 7B", "organisation": "Toys"},
    {"parameters": figure(6.738e9, "6.738e9"), "layers": figure(32.0, "32")}, {"sheet": SHEET}, Path("toy-7b.toml"),
)  # fmt: skip


def rows_of(page: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page.write("csv"))))


# Figures.


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (MEMORY, "80 GiB"),  # as the record writes it
        (POWER, "0.7 kW"),
        (figure(6.738e9, "6.738e9"), "6.74 billion"),
        (figure(32.0, "32"), "32"),
        (figure(999_999.0, "999999"), "999,999"),
        (figure(0.45, "45 %"), "45 %"),
        (figure(1.0, "true"), "1"),
    ],
)
def test_a_figure_as_its_record_writes_it(made: Figure, text: str) -> None:
    assert pages.figure_text(made) == text


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (MEMORY, "79 to 80 GiB"),  # in the unit of its text, not in bytes
        (POWER, ""),
        (figure(700.0, "0.7 kW", low=650.0), "0.65 to 0.7 kW"),  # an end that is not given is the value
        (figure(700.0, "700 W", high=800.0), "700 to 800 W"),
        (figure(20.0, "20", low=10.0, high=30.0), "10 to 30"),
        (figure(0.45, "45 %", low=0.4, high=0.5), "40 to 50 %"),
    ],
)
def test_a_range_in_the_unit_of_its_figure(made: Figure, text: str) -> None:
    assert pages.range_text(made) == text


@pytest.mark.parametrize(
    ("text", "unit"),
    [("80 GiB", "byte"), ("0.7 kW", "J/s"), ("32", "1"), ("true", "1"), ("2 token", "token")],
)
def test_the_house_unit_of_a_figure(text: str, unit: str) -> None:
    assert pages.figure_unit(figure(1.0, text)) == unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two\n lines", "two lines"),
        (["a", "b c"], "a, b c"),
        ({"value": "adamw", "reason": "usual"}, "value: adamw; reason: usual"),
        ([{"a": 1}, {"b": [2, 3]}], "a: 1, b: 2, 3"),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (True, "True"),
        ("", ""),
    ],
)
def test_a_word_is_one_line(value: Any, text: str) -> None:
    assert pages.word_text(value) == text


# Records.


def test_a_record_as_a_document_holds_all_that_it_holds() -> None:
    document = json.loads(json.dumps(pages.record_document(CHIP), allow_nan=False))
    assert (document["id"], document["kind"], document["name"]) == ("toys-toy", "accelerators", "Toy\nchip")
    assert document["words"] == {"aliases": ["toy", "toy-1"], "launch": "2024-03-01", "family": "toys"}
    assert document["figures"]["memory"] == {
        "value": 80 * 2**30, "unit": "byte", "low": 79 * 2**30, "high": 80 * 2**30, "text": "80 GiB", "kind": "stated",
        "verified": True, "source": "sheet", "where": "p. 1", "note": "less what is reserved",
    }  # fmt: skip
    assert document["figures"]["power"]["verified"] is False
    assert document["sources"]["sheet"]["licence"] == "CC-BY-4.0"
    assert "key" not in document["sources"]["sheet"]


def test_words_that_json_cannot_hold_become_text() -> None:
    odd = CHIP._replace(
        words={"name": "x", "when": datetime.time(12), "much": math.inf, "deep": [{"not": math.nan}]}
    )
    words = pages.record_document(odd)["words"]
    assert words == {"when": "12:00:00", "much": "inf", "deep": [{"not": "nan"}]}
    assert json.dumps(words, allow_nan=False)


def test_a_record_as_a_page() -> None:
    text = pages.record_page(CHIP).write("table")
    lines = text.splitlines()
    assert lines[0] == "Toy chip (accelerator toys-toy), /elsewhere/accelerators/toys-toy.toml"
    (memory,) = [line for line in lines if line.startswith("memory ")]
    assert memory.endswith("  p. 1 (less what is reserved)")
    assert "79 to 80 GiB" in memory
    (power,) = [line for line in lines if line.startswith("power ")]
    assert "stated, not verified" in power
    assert 'Toys, "Data sheet", toys.example, 2; CC-BY-4.0; read 2026-11-21' in text


def test_a_record_of_a_family_tells_what_it_stands_for() -> None:
    family = Record(
        "families", "toy",
        {"name": "toy", "members": ["toys-toy", "toys-tin"], "default": "toys-toy", "reason": "most"},
        {}, {}, Path("toy.toml"),
    )  # fmt: skip
    page = pages.record_page(CHIP, family)
    assert page.parts[0] == "'toy' may be any of toys-toy, toys-tin; toys-toy is taken: most"
    assert page.document["family"]["id"] == "toy"
    assert "family" not in pages.record_page(CHIP).document


def test_the_rows_of_a_record_are_its_figures_in_full() -> None:
    found = {row["figure"]: row for row in rows_of(pages.record_page(CHIP))}
    assert set(found) == {"memory", "power", "peak_bf16"}
    assert float(found["memory"]["value"]) == 80 * 2**30
    assert (found["memory"]["unit"], found["power"]["verified"], found["power"]["low"]) == (
        "byte",
        "False",
        "",
    )


def test_a_record_without_figures_has_its_words_as_rows() -> None:
    bare = CHIP._replace(figures={}, sources={})
    assert [row["word"] for row in rows_of(pages.record_page(bare))] == [
        "name",
        "aliases",
        "launch",
        "family",
    ]


def test_a_list_for_people_and_for_programs() -> None:
    page = pages.list_page("accelerators", [CHIP])
    (shown,) = [dict(zip(page.parts[0].headers, page.parts[0].rows[0], strict=True))]  # type: ignore[union-attr]
    assert shown == {
        "id": "toys-toy", "name": "Toy chip", "memory": "80 GiB", "peak_bf16": "312 TFLOP/s", "peak_fp16": "",
        "power": "0.7 kW", "launch": "2024-03-01",
    }  # fmt: skip
    (exact,) = rows_of(page)
    assert float(exact["memory [byte]"]) == 80 * 2**30
    assert float(exact["power [J/s]"]) == 700
    assert page.document["records"][0]["id"] == "toys-toy"


def test_pure_numbers_of_a_list_are_exact_in_rows_and_readable_in_text() -> None:
    page = pages.list_page("models", [MODEL])
    assert "6.74 billion" in page.write("table")
    (exact,) = rows_of(page)
    assert float(exact["parameters"]) == 6.738e9


def test_what_a_search_found() -> None:
    page = pages.found_page([CHIP, MODEL])
    assert page.rows.rows == [["accelerators", "toys-toy", "Toy chip"], ["models", "toy-7b", "Toy 7B"]]
    assert [record["id"] for record in page.document["records"]] == ["toys-toy", "toy-7b"]


def test_kinds_with_how_many_there_are() -> None:
    page = pages.kinds_page({"models": 3, "nodes": 0}, {"models": "dimensions", "nodes": "servers"})
    assert page.rows.rows == [["models", "3", "dimensions"], ["nodes", "0", "servers"]]
    assert page.document["kinds"][0] == {"kind": "models", "count": 3, "about": "dimensions"}


# Rows of tables.


def row(**cells: str) -> Row:
    return Row(cells, SHEET, "toy.csv, line 2")


RENTS = [
    row(
        provider="Cloud",
        plan="on-demand",
        price="2",
        unit="USD/accelerator/hour",
        as_of="2025-11-01",
        source="sheet",
    ),
    row(
        provider="Cloud", plan="spot", price="0.9", unit="USD/accelerator/hour", as_of="2024", source="sheet"
    ),
]


def test_the_money_of_a_row_in_house_units() -> None:
    document = tables.rows_page("prices", {"toys-toy": RENTS}).document["rows"][0]
    assert document["text"] == "2 USD/accelerator/hour"
    assert document["value"] == pytest.approx(2 / 3600)
    assert document["house_unit"] == "USD/accelerator/s"
    assert document["accelerator"] == "toys-toy"


def test_a_rate_is_currency_for_a_dollar() -> None:
    document = tables.rows_page(
        "exchange-rates", {"CNY": [row(currency="CNY", per_usd="7.1", year="2023")]}
    ).document
    assert document["rows"][0]["text"] == "7.1 CNY/USD"
    assert document["rows"][0]["value"] == 7.1


def test_a_unit_that_only_its_source_knows_stays_text() -> None:
    odd = row(price="5", unit="shells/tide")
    document = tables.rows_page("prices", {"toys-toy": [odd]}).document["rows"][0]
    assert document["unit"] == "shells/tide"
    assert "value" not in document


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"price": "2", "unit": "USD/accelerator/hour"}, "2 USD/accelerator/hour"),
        ({"currency": "CNY", "per_usd": "7.1"}, "7.1 CNY/USD"),
        ({"price": "", "unit": "USD/accelerator/hour"}, ""),
        ({"throughput": "400"}, ""),
    ],
)
def test_the_money_of_a_row_as_text(cells: dict[str, str], text: str) -> None:
    assert tables.written(cells) == text


def test_a_summary_counts_and_dates_the_rows() -> None:
    page = tables.summary_page("prices", {"toys-toy": RENTS, "toys-tin": RENTS[:1]})
    assert page.rows.headers == ["accelerator", "rows", "from", "to", "plans"]
    assert page.rows.rows == [
        ["toys-toy", "2", "2024", "2025-11-01", "on-demand, spot"],
        ["toys-tin", "1", "2025-11-01", "2025-11-01", "on-demand"],
    ]
    assert page.document["tables"][0]["rows"] == 2
    assert "estimate presets prices toys-toy" in page.write("table")


def test_a_summary_of_rows_without_dates_and_with_many_sources() -> None:
    many = [row(source=name) for name in "abcde"]
    (line,) = tables.summary_page("measurements", {"throughput": many}).rows.rows
    assert line == ["throughput", "5", "", "", "5 of them"]


def test_people_see_main_columns_and_programs_all() -> None:
    rents = [RENTS[0]._replace(cells={**RENTS[0].cells, "note": "two\nlines", "where": "p. 3"})]
    page = tables.rows_page("prices", {"toys-toy": rents})
    assert "note" not in page.parts[0].headers  # type: ignore[union-attr]
    assert page.rows.headers[0] == "accelerator"
    assert rows_of(page)[0]["note"] == "two\nlines"
    assert 'Toys, "Data sheet"' in page.write("table")
    assert page.document["sources"]["sheet"]["publisher"] == "Toys"
