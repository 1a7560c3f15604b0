"""Files of measured rows: read in pieces, whatever is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator.errors import EstimatorError
from estimator.measured.reading import open_rows, tables
from estimator.measured.table import Table


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def read(place: Path, content: str | bytes, size: int = 100) -> list[Table]:
    place.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(tables(open_rows(place), size))


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\n1,2\n3,4",
        "\ufeffa,b\n1,2\n3,4\n",
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4\n",
        "a,b\n\n1,2\n\n\n3,4\n\n",
        ' a ,"b"\n"1",2\n3,"4"\n',
    ],
)
def test_cells_are_read_however_they_are_written(place: Path, content: str) -> None:
    (table,) = read(place, content)
    assert list(table.text("a")) == ["1", "3"]
    assert list(table.text("b")) == ["2", "4"]
    assert table.faults == [None, None]


def test_rows_come_in_pieces_with_their_lines(place: Path) -> None:
    pieces = read(place, "a\n1\n2\n\n3\n4\n5\n", 2)
    assert [list(table.text("a")) for table in pieces] == [["1", "2"], ["3", "4"], ["5"]]
    assert [list(table.text("line")) for table in pieces] == [["2", "3"], ["5", "6"], ["7"]]


def test_a_row_of_another_length_keeps_its_place(place: Path) -> None:
    (table,) = read(place, "a,b\n1\n1,2\n1,2,3\n")
    assert [fault and fault.write() for fault in table.faults] == [
        "more or fewer cells than columns: 1 cells under 2 columns",
        None,
        "more or fewer cells than columns: 3 cells under 2 columns",
    ]
    assert list(table.text("a")) == ["", "1", ""]


def test_a_quote_that_never_ends_does_not_swallow_the_file(place: Path) -> None:
    (table,) = read(place, 'a,b\n1,2\n3,"4\n' + "5,6\n" * 40_000, 50_000)
    assert table.faults[0] is None
    assert [fault.write() for fault in table.faults if fault] == ["the line is no CSV"]
    assert table.size > 5_000


def test_bytes_that_are_no_text_spoil_no_other_row(place: Path) -> None:
    (table,) = read(place, b"a,b\ncaf\xe9,1\nx,2\n")
    assert list(table.text("a")) == ["caf\ufffd", "x"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty; name a CSV file of measured rows"),
        (b"\n \n", "is empty; name a CSV file of measured rows"),
        (b"\x7fELF\0\0", "is not a text file in UTF-8; name a CSV file of measured rows"),
        ("a,b\n1,2\n".encode("utf-16"), "is not a text file in UTF-8; name a CSV file of measured rows"),
    ],
)
def test_what_is_no_text_is_one_error(place: Path, content: bytes, problem: str) -> None:
    with pytest.raises(EstimatorError) as caught:
        read(place, content)
    assert str(caught.value) == f"'{place}' {problem}"


def test_a_column_that_stands_twice_is_refused(place: Path) -> None:
    with pytest.raises(EstimatorError) as caught:
        read(place, "a,b,a\n1,2,3\n")
    assert str(caught.value) == f"'{place}': the column 'a' stands twice in the header"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere.csv", "does not exist"),
        ("", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
    ],
)
def test_what_is_no_file_is_one_error(tmp_path: Path, path: str, problem: str) -> None:
    place = tmp_path / path
    with pytest.raises(EstimatorError) as caught:
        open_rows(place)
    assert str(caught.value) == f"'{place}' {problem}; name a CSV file of measured rows"
