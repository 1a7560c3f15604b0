"""Files of `estimate calibrate`: written, read back, and refused with the reason where they mean nothing any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator.errors import EstimatorError, QuestionError
from estimator.inputs.calibrations import (
    FORMAT,
    KIND,
    fingerprint,
    own_calibration,
    read_calibration,
    write_calibration,
)
from estimator.presets import Presets
from estimator.version import __version__

HOUSE = Presets().load("calibrations", "step-time")
WORDS = {
    "kind": KIND, "format": FORMAT, "version": __version__, "name": 'Own "steps"', "base": fingerprint(HOUSE),
    "rows": ["a", "b\x1b[0m"], "sources": {"rows": {"title": "Measured steps", "publisher": "the user"}},
    "measured": [{"architecture": "ampere", "experts": "no", "accelerators": ["x"], "rows": 2}],
}  # fmt: skip
FIGURE = {"value": 1.1, "low": 1.0, "high": 1.2, "source": "rows", "where": "two rows", "kind": "measured"}
FIGURES = {"slowness@architecture=ampere@experts=no": FIGURE}
AGAIN = "make it again with `estimate calibrate`"
NAME = "name a file that `estimate calibrate MINE.csv -o mine.toml` wrote"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    place = tmp_path / "mine.toml"
    place.write_text(write_calibration(WORDS, FIGURES), encoding="utf-8")
    return place


def refusal(place: Path) -> str:
    with pytest.raises(EstimatorError) as caught:
        read_calibration(place)
    return str(caught.value).replace(str(place), "FILE")


def test_what_was_written_is_read_back(mine: Path) -> None:
    record = own_calibration(str(mine), HOUSE)
    figure = record.figures["slowness@architecture=ampere@experts=no"]
    assert (figure.value, figure.low, figure.high, figure.where) == (1.1, 1.0, 1.2, "two rows")
    assert (record.name, record.words["rows"]) == ('Own "steps"', ["a", "b?[0m"])
    assert record.words["measured"] == WORDS["measured"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("value = 1.1", "value = 1.05"), ("kind =", "more = 1\nkind ="), ('"x"', '"y"'), ("checksum = ", "# ")],
)
def test_a_file_that_was_changed_is_refused(mine: Path, old: str, new: str) -> None:
    text = mine.read_text(encoding="utf-8")
    assert old in text
    mine.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert refusal(mine) == f"'FILE' was changed after it was made: its checksum does not match; {AGAIN}"


def test_a_comment_changes_nothing(mine: Path) -> None:
    mine.write_text(mine.read_text(encoding="utf-8") + "# measured on a Sunday\n", encoding="utf-8")
    assert read_calibration(mine).value("slowness@architecture=ampere@experts=no") == 1.1


@pytest.mark.parametrize("change", [{"version": "0.0.9"}, {"format": 99}])
def test_a_file_of_another_version_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    place = tmp_path / "old.toml"
    words = {**WORDS, **change}
    place.write_text(write_calibration(words, FIGURES), encoding="utf-8")
    assert refusal(place) == (
        f"'FILE' was made by version {words['version']} (format {words['format']}), and this is version "
        f"{__version__} (format {FORMAT}); {AGAIN}"
    )


def test_a_file_learnt_beside_another_calibration_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "old.toml"
    place.write_text(write_calibration({**WORDS, "base": "0"}, FIGURES), encoding="utf-8")
    with pytest.raises(QuestionError) as caught:
        own_calibration(str(place), HOUSE)
    assert str(caught.value) == (
        f"--calibration: '{place}' was learnt beside another recorded calibration than 'step-time.toml' as it is "
        f"now, so its figures mean nothing here; {AGAIN}"
    )


def test_the_base_is_that_of_the_figures_alone() -> None:
    same = HOUSE._replace(words={}, figures=dict(reversed(HOUSE.figures.items())))
    assert fingerprint(same) == fingerprint(HOUSE)
    name, figure = next(iter(HOUSE.figures.items()))
    assert fingerprint(
        HOUSE._replace(figures={**HOUSE.figures, name: figure._replace(value=7.0)})
    ) != fingerprint(HOUSE)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b"kind",
            f"'FILE' is not TOML (Expected '=' after a key in a key/value pair (at end of document)); {NAME}",
        ),
        (b'params = "65e9"\n', f"'FILE' is no calibration; {NAME}"),
        (b"\xff\xfe", f"'FILE' is not UTF-8 text; {NAME}"),
        (b"#" * ((1 << 20) + 1), f"'FILE' is larger than 1 MiB; {NAME}"),
    ],
)
def test_what_is_no_calibration_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    place = tmp_path / "x.toml"
    place.write_bytes(content)
    assert refusal(place) == problem


def test_a_file_nested_too_deeply_is_told(tmp_path: Path) -> None:
    place = tmp_path / "x.toml"
    place.write_text("a = " + "[" * 50_000, encoding="utf-8")
    assert refusal(place) == f"'FILE' is not TOML (nested too deeply); {NAME}"


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == f"'FILE' does not exist; {NAME}"
    assert refusal(tmp_path) == f"'FILE' is not a regular file; {NAME}"
