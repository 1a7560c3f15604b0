"""Grids of text: aligned, as CSV that reads back, as Markdown that keeps its columns."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.report.grid import Grid, display_width, wrapped
from estimator.report.page import Page, one_line

few = settings(deadline=None, max_examples=60)
CHIPS = Grid(["chip", "count"], [["A100", "8"], ["昇腾 910B", "1,000"], ["H100", ""]])
# Cells as the reports make them: any letter of any script, marks and signs, no line breaks.
letters = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
cells = st.text(letters, max_size=12)
grids = st.integers(1, 4).flatmap(
    lambda columns: st.builds(
        Grid,
        st.lists(cells, min_size=columns, max_size=columns),
        st.lists(st.lists(cells, min_size=columns, max_size=columns), max_size=5),
    )
)


def columns_of(line: str, starts: list[int]) -> list[str]:
    """Cut a line at display columns, as a terminal shows it."""
    cut: list[str] = [""] * len(starts)
    place = 0
    for character in line:
        current = max(index for index, start in enumerate(starts) if place >= start)
        cut[current] += character
        place += display_width(character)
    return [cell.strip() for cell in cut]


def test_a_table_by_hand() -> None:
    assert CHIPS.table() == "chip       count\nA100       8\n昇腾 910B  1,000\nH100"


def test_a_grid_without_headers_is_its_rows() -> None:
    assert Grid(["", ""], [["a", "b"], ["cc", "d"]]).table() == "a   b\ncc  d"


def test_a_grid_without_rows_is_its_headers() -> None:
    assert Grid(["chip", "count"], []).table() == "chip  count"
    assert Grid(["", ""], []).table() == ""
    assert Grid(["chip", "count"], []).csv() == "chip,count"


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        Grid(["one"], [["a", "b"]]).table()


@few
@given(grids)
def test_every_column_of_a_table_begins_at_one_place(grid: Grid) -> None:
    shown = [grid.headers, *grid.rows] if any(grid.headers) else list(grid.rows)
    if not shown:
        return
    widths = [max(display_width(row[column]) for row in shown) for column in range(len(grid.headers))]
    starts = [sum(widths[:column]) + 2 * column for column in range(len(widths))]
    for line, row in zip(grid.table().split("\n"), shown, strict=True):
        assert line == line.rstrip()
        if all(display_width(character) for character in line):  # a combining mark stands in no column
            assert columns_of(line, starts) == [cell.strip() for cell in row]


@few
@given(grids)
def test_csv_reads_back(grid: Grid) -> None:
    assert list(csv.reader(io.StringIO(grid.csv()))) == [
        list(grid.headers),
        *(list(row) for row in grid.rows),
    ]


@pytest.mark.parametrize("cell", ['say "80 GB"', "1,000", "two\nlines", "", " spaced ", "a|b", "'=1+1"])
def test_csv_of_a_difficult_cell(cell: str) -> None:
    grid = Grid(["first", "last"], [[cell, "x"], ["x", cell]])
    assert list(csv.reader(io.StringIO(grid.csv())))[1:] == [[cell, "x"], ["x", cell]]


def test_csv_ends_without_an_empty_line() -> None:
    assert CHIPS.csv() == 'chip,count\nA100,8\n昇腾 910B,"1,000"\nH100,'


@few
@given(grids)
def test_markdown_keeps_its_columns_whatever_the_cells_hold(grid: Grid) -> None:
    lines = grid.markdown().split("\n")
    assert len(lines) == len(grid.rows) + 2
    for line in lines:
        # A pipe that is not escaped parts cells.
        assert len(re.findall(r"(?<!\\)\|", line)) == len(grid.headers) + 1


def test_markdown_by_hand() -> None:
    assert (
        Grid(["a|b", "c"], [["1|2|3", "x"]]).markdown() == "| a\\|b | c |\n| --- | --- |\n| 1\\|2\\|3 | x |"
    )


def test_a_grid_writes_in_each_format() -> None:
    assert CHIPS.write("table") == CHIPS.table()
    assert CHIPS.write("csv") == CHIPS.csv()
    assert CHIPS.write("markdown") == CHIPS.markdown()
    with pytest.raises(KeyError):
        CHIPS.write("html")


# Widths.


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("cards", 5),
        ("千卡", 4),
        ("ＡＢ", 4),  # full-width Latin letters
        ("\u00e9", 1),  # e with its accent in one
        ("e\u0301", 1),  # and with a combining one
        ("ｱ", 1),  # half-width katakana
        ("µΩ", 2),
    ],
)
def test_the_columns_a_terminal_gives(text: str, width: int) -> None:
    assert display_width(text) == width


@few
@given(cells, cells)
def test_widths_add_up(one: str, other: str) -> None:
    assert display_width(one + other) == display_width(one) + display_width(other)


# Wrapping.


@few
@given(st.lists(st.text("abc千", min_size=1, max_size=9), min_size=1, max_size=20), st.integers(1, 40))
def test_wrapping_keeps_every_word_and_the_width(found: list[str], width: int) -> None:
    lines = wrapped(" ".join(found), width, "- ", "  ").split("\n")
    assert lines[0].startswith("- ")
    assert all(line.startswith("  ") for line in lines[1:])
    assert [word for line in lines for word in line[2:].split()] == found
    for line in lines:
        assert display_width(line) <= width or len(line[2:].split()) == 1


def test_a_line_takes_as_many_words_as_fit() -> None:
    assert wrapped("aa bb cc", 5) == "aa bb\ncc"
    assert wrapped("aa bb cc", 4) == "aa\nbb\ncc"
    assert wrapped("aa bb cc", 8) == "aa bb cc"
    assert wrapped("aa bb cc", 9, "- ", "      ") == "- aa bb\n      cc"


# Pages.


def test_a_page_reads_differently_to_people_and_programs() -> None:
    page = Page(["Two chips.", CHIPS, "", "Done."], Grid(["id"], [["a100"]]), {"ids": ["a100", "昇腾"]})
    assert page.write("table") == f"Two chips.\n\n{CHIPS.table()}\n\nDone."
    assert page.write("markdown") == f"Two chips.\n\n{CHIPS.markdown()}\n\nDone."
    assert page.write("csv") == "id\na100"
    assert page.write("json") == '{\n  "ids": [\n    "a100",\n    "昇腾"\n  ]\n}'


def test_a_document_that_json_cannot_hold_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Page([], CHIPS, {"value": float("nan")}).write("json")


def test_one_line_of_any_text() -> None:
    assert one_line("two\n  lines\tand  more ") == "two lines and more"
    assert one_line(5) == "5"
