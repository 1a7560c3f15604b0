"""A user's own folder with something broken in it: one clear error that names the file, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import Presets, claims
from estimator.errors import PresetError
from estimator.presets import alias_index, data_dir, read_rows
from estimator.records import read_record

SOURCE = '[sources.s]\ntitle = "t"\npublisher = "p"\n'


def text(words: str = "", **figures: str) -> str:
    """Return a record with these words and figures, each a TOML value."""
    lines = [
        f'{name} = {{ value = {value}, source = "s", where = "w", kind = "stated" }}'
        for name, value in figures.items()
    ]
    return "\n".join(['name = "x"', words, SOURCE, "[figures]", *lines, ""])


def fault(folder: Path, kind: str, content: str, id: str = "x") -> str:
    """Return what reading this record says, without the path that it starts with."""
    path = folder / f"{id}.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PresetError) as raised:
        read_record(kind, path)
    return str(raised.value).removeprefix(f"{path}: ")


SHAPE = {"layers": "5", "hidden": "64", "heads": "8", "vocab": "64"}


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("accelerators", text(peak_bf16='"0 TFLOP/s"'), "figure 'peak_bf16': '0 TFLOP/s' must be more than zero"),
        ("accelerators", text(peak_bf16='"1 TFLOP/s"', power='"-7 W"'),
         "figure 'power': '-7 W' must be more than zero"),
        ("accelerators", text(peak_bf16='"9 TFLOP/s", low = "-1 TFLOP/s"'),
         "figure 'peak_bf16': '-1 TFLOP/s' must be more than zero"),
        ("accelerators", text(memory='"1 GiB"'), "no peak is given; it needs one at least, like peak_bf16"),
        ("accelerators", text("architecture = [5]", peak_bf16='"1 TFLOP/s"'),
         "the key 'architecture' must be text"),
        ("accelerators", text('launch = "autumn"', peak_bf16='"1 TFLOP/s"'),
         "the key 'launch' must be a year, like 2024"),
        ("accelerators", text("launch = 2024-05-01", peak_bf16='"1 TFLOP/s"'),
         "the key 'launch' must be a year, like 2024"),
        ("accelerators", text("launch = true", peak_bf16='"1 TFLOP/s"'), "the key 'launch' must be a year, like 2024"),
        ("accelerators", text("launch = 20", peak_bf16='"1 TFLOP/s"'), "the key 'launch' must be a year, like 2024"),
        ("accelerators", text("aliases = 5", peak_bf16='"1 TFLOP/s"'),
         "the key 'aliases' must be a list of texts, like [\"one\", \"two\"]"),
        ("nodes", text(), "the key 'accelerator' is missing"),
        ("nodes", text("accelerator = 5", accelerators="8"), "the key 'accelerator' must be text"),
        ("nodes", text('accelerator = "a"'), "figure 'accelerators' is missing"),
        ("nodes", text('accelerator = "a"', accelerators="0"), "figure 'accelerators': 0 must be more than zero"),
        ("families", text(), "the key 'members' is missing"),
        ("families", text("members = 5"), "the key 'members' must be a list of texts, like [\"one\", \"two\"]"),
        ("families", text('members = ["a"]\ndefault = 5'), "the key 'default' must be text"),
        ("links", text(latency='"0 s"'), "figure 'latency': '0 s' must be more than zero"),
        ("optimizers", text(weights='"2 byte"'), "figure 'gradients' is missing"),
        ("optimizers", text(weights='"-2 byte"'), "figure 'weights': '-2 byte' must be zero or more"),
        ("models", text(), "neither 'parameters' nor layers, hidden, heads and vocab are given"),
        ("models", text(parameters="9e9", layers="5"),
         "figure 'hidden' is missing; layers, hidden, heads and vocab go together"),
        ("models", text(**SHAPE | {"heads": "0"}), "figure 'heads': 0 must be more than zero"),
        ("models", text(**SHAPE, experts="-1"), "figure 'experts': -1 must be zero or more"),
        ("models", text(parameters="1" + "0" * 400), "figure 'parameters': '1000"),
        ("grids", text(pue="0.9"), "figure 'pue': 0.9 must be 1 or more"),
        ("pue", text(pue="0.9"), "figure 'pue': 0.9 must be 1 or more"),
        ("grids", text(carbon_intensity='"-1 g/kWh"'), "figure 'carbon_intensity': '-1 g/kWh' must be zero or more"),
        ("calibrations", text(bf16="1.1"), "figure 'bf16': 1.1 must be more than zero and at most 1"),
        ("calibrations", text(borrowed="0"), "figure 'borrowed': 0 must be more than zero"),
        ("claims", text("background = [5]"), "the key 'background' must be tables, like [[background]]"),
    ],
)  # fmt: skip
def test_exact_words_of_a_record_that_would_break_an_answer(
    tmp_path: Path, kind: str, content: str, message: str
) -> None:
    assert fault(tmp_path, kind, content).startswith(message)


def test_zeros_that_mean_something_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    for kind, content in (
        ("grids", text(carbon_intensity='"0 g/kWh"')),
        ("optimizers", text(weights='"2 byte"', gradients='"0 byte"')),
        ("models", text(**SHAPE, experts="0")),
        ("calibrations", text(bf16="1", borrowed="1.4")),
    ):
        path.write_text(content, encoding="utf-8")
        assert read_record(kind, path).figures


@pytest.mark.parametrize("id", ["defaults", "shape", "critical-batch"])
def test_assumptions_that_shadow_ours_hold_every_figure_of_ours(tmp_path: Path, id: str) -> None:
    first = next(iter(Presets().load("assumptions", id).figures))
    assert fault(tmp_path, "assumptions", 'name = "x"', id) == f"figure '{first}' is missing"


def test_assumptions_that_shadow_ours_hold_every_choice_in_our_units(tmp_path: Path) -> None:
    ours = (data_dir() / "assumptions" / "defaults.toml").read_text(encoding="utf-8")
    (tmp_path / "defaults.toml").write_text(ours, encoding="utf-8")
    assert read_record("assumptions", tmp_path / "defaults.toml").figures
    unnamed = ours.replace("[choices.grid]", "[choices.other]")
    assert fault(tmp_path, "assumptions", unnamed, "defaults") == "[choices.grid] needs 'value', a text"
    number = ours.replace('value = "world"', "value = 5")
    assert fault(tmp_path, "assumptions", number, "defaults") == "[choices.grid] needs 'value', a text"
    bare = ours.replace('"30 day"', "30")
    assert fault(tmp_path, "assumptions", bare, "defaults") == "figure 'within' is in 1, not in s"


def test_efficiency_of_any_chip_holds_what_borrowing_needs(tmp_path: Path) -> None:
    message = fault(tmp_path, "calibrations", text(any="0.4"), "efficiency-any")
    assert message == "figure 'borrowed' is missing"


def test_a_figure_that_code_asks_for_and_a_record_lacks_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text(peak_bf16='"1 TFLOP/s"'), encoding="utf-8")
    with pytest.raises(PresetError) as raised:
        read_record("accelerators", path).figures["power"]
    assert str(raised.value) == f"{path}: figure 'power' is missing"


def test_claims_of_a_users_own_with_a_broken_background(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    path = tmp_path / "claims" / "A1.toml"
    path.write_text('name = "x"\nbackground = [5]', encoding="utf-8")
    with pytest.raises(PresetError, match=r"A1\.toml: the key 'background' must be tables"):
        claims.load(Presets([tmp_path]))


def test_what_is_no_text_file_is_named_by_every_reader(tmp_path: Path) -> None:
    folder, binary, gone = (tmp_path / name for name in ("a.toml", "b.toml", "c.toml"))
    folder.mkdir()
    binary.write_bytes(b'name = "\xff"')
    for path, message in ((folder, "is not a regular file"), (binary, "is not UTF-8 text")):
        for read in (lambda path: alias_index({"x": path}), lambda path: read_record("models", path)):
            with pytest.raises(PresetError, match=message) as raised:
                read(path)
            assert str(path) in str(raised.value)
    with pytest.raises(PresetError, match="does not exist"):
        read_record("models", gone)


def test_a_folder_with_a_name_too_long_is_no_folder() -> None:
    with pytest.raises(PresetError, match="is not a folder; name one that holds"):
        Presets([Path("x" * 5000)]).find("models", "llama-7b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ", line 1: the header has no column 'source'"),
        ("provider,price\na,1\n", ", line 1: the header has no column 'source'"),
        ("source,price\ns,1,2\n", ", line 2: has more cells than the header"),
        ("source,price\ns,1\ns,\0\n", ", line 3: holds a NUL byte, so it is no text"),
        ("source,price\ns," + "y" * 140_000, ", line 2: field larger than field limit (131072)"),
        (b"source,price\n\xff", "is not UTF-8 text"),
    ],
)
def test_exact_words_of_a_broken_table(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "prices" / "own.csv"
    path.parent.mkdir()
    (path.parent / "sources.toml").write_text(SOURCE, encoding="utf-8")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PresetError) as raised:
        read_rows(Presets([tmp_path]), "prices/own")
    assert str(path) in str(raised.value)
    assert message in str(raised.value)


def test_a_column_that_a_table_lacks_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "sources.toml").write_text(SOURCE, encoding="utf-8")
    path = tmp_path / "prices" / "own.csv"
    path.write_text("source,price\ns,1\n", encoding="utf-8")
    (row,) = read_rows(Presets([tmp_path]), "prices/own")
    with pytest.raises(PresetError) as raised:
        row.cells["year"]
    assert str(raised.value) == f"{path}, line 2: the column 'year' is missing"
