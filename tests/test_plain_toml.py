"""Plain TOML is read as tomllib reads it: every record, and lines that nearly are plain."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import plain_toml
from estimator.records import data_dir

LINES = (
    'name = "one"', "name = 1", '"name" = -2.5e+03', '"a b" = true', 'text = "say \\"so\\" # not"', "# a comment", "",
    "year = 2024-02-29", "year = 2023-02-29", "year = 2024-02-29T10:00:00", 'list = ["a", "b, c"]', "list = []",
    'list = ["a", ]', 'cell = { value = "80 GB", low = 79, yes = false }', "cell = { }", 'cell = { a = "{ b = 1 }" }',
    "cell = { a = 1, a = 2 }", "cell = { a = 1, }", "cell = { a = 1, b = { c = 2 } }", "cell.a = 1", "[cell]",
    "[cell.a]",
    "[cell.b]", "[cell.a.b]", "[[cell]]", "[[cell.a]]", "[name]", "[ name ]", "x = 007", "x = 1_000", "x = 1.",
    "x = inf",
    "x = +0", "x = -0", "x = -0.0", "x = 1e400", "x = 99999999999999999999", 'x = "tab\there"', "x = 'raw'",
    'x = """long"""',
    'x = "a" # after', ' x = "a"', 'x="a"', 'x = "\\u00e9"', 'x = "back\\\\"', 'x = "open', "x = 1\r",
    'x = "\x7f"', "x", "= 1",
)  # fmt: skip


def read(loads: Callable[[str], Any], text: str) -> str:
    """Return what a text is read as, with the types of its values, or why it is not."""
    try:
        return repr(loads(text))
    except tomllib.TOMLDecodeError as error:
        return f"refused: {error}"


@pytest.mark.parametrize("kind", sorted(each.name for each in data_dir().iterdir() if each.is_dir()))
def test_records_are_read_as_tomllib_reads_them(kind: str) -> None:
    for path in (data_dir() / kind).rglob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert repr(plain_toml.loads(text)) == repr(tomllib.loads(text)), path


@given(st.lists(st.sampled_from(LINES), max_size=6))
def test_lines_are_read_as_tomllib_reads_them(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert read(plain_toml.loads, text) == read(tomllib.loads, text)


@pytest.mark.parametrize("line", LINES)
def test_each_line_is_read_as_tomllib_reads_it(line: str) -> None:
    assert read(plain_toml.loads, line) == read(tomllib.loads, line)


@given(st.sampled_from(LINES), st.integers(0, 40), st.text(max_size=2))
def test_lines_with_a_slip_are_read_as_tomllib_reads_them(line: str, place: int, slip: str) -> None:
    text = line[:place] + slip + line[place + 1 :]
    assert read(plain_toml.loads, text) == read(tomllib.loads, text)


def test_what_a_question_needs_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it not, tomllib would be imported for it."""
    monkeypatch.setattr(tomllib, "loads", None)
    for kind in (
        "accelerators",
        "nodes",
        "optimizers",
        "assumptions",
        "calibrations",
        "grids",
        "links",
        "models",
    ):
        for path in (data_dir() / kind).glob("*.toml"):
            assert plain_toml.loads(path.read_text(encoding="utf-8")), path
