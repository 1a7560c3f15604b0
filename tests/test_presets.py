"""Records: what a file must hold, the words for what is wrong with one, and how names lead to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import Presets
from estimator.errors import AmbiguousPreset, EstimatorError, PresetError, UnknownPreset
from estimator.presets import alias_index
from estimator.records import read_record
from estimator.textfile import read_bounded

GOOD = """name = "Toy chip"
aliases = ["toy", "Toy-1"]
vendor = "Toys"

[sources.sheet]
title = "Sheet"
publisher = "Toys"
checked = 2026-11-21

[figures]
peak_bf16 = { value = "312 TFLOP/s", source = "sheet", where = "p. 1", kind = "stated" }
memory = { value = "24 GiB", low = "23 GiB", high = "24 GiB", source = "sheet", where = "p. 2", kind = "assumed" }
"""


def record(tmp_path: Path, text: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "toys-toy.toml"
    path.write_text(text, encoding="utf-8")
    return read_record("accelerators", path)


def test_a_record_in_house_units(tmp_path: Path) -> None:
    toy = record(tmp_path, GOOD)
    assert toy.id == "toys-toy"
    assert toy.value("peak_bf16") == 312e12
    assert toy.figures["memory"].high == 24 * 2**30
    assert toy.figures["memory"].source.checked == "2026-11-21"
    assert toy.figures["peak_bf16"].cite() == 'Toys, "Sheet": p. 1'
    assert str(toy.value("peak_fp8")) == "nan"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "sheet", where = "p. 1"', 'where = "p. 1"', "figure 'peak_bf16': lacks 'source'"),
        (', where = "p. 1"', "", "figure 'peak_bf16': lacks 'where'"),
        ('kind = "stated"', 'kind = "guessed"', "kind 'guessed' is not one of stated, measured, derived, assumed"),
        ('source = "sheet", where = "p. 1"', 'source = "leaflet", where = "p. 1"',
         "cites 'leaflet', which is not among its sources"),
        ("312 TFLOP/s", "312 TFLOP", "'312 TFLOP' is in FLOP, not in FLOP/s"),
        ("312 TFLOP/s", "312", "'312' is in 1, not in FLOP/s"),
        ("312 TFLOP/s", "312 parsecs", "'parsecs' is not a unit of this house"),
        ("312 TFLOP/s", "nan TFLOP/s", "is not finite"),
        ("peak_bf16", "peak_bf61", "unknown figure 'peak_bf61'; did you mean 'peak_bf16'"),
        ('low = "23 GiB", high = "24 GiB", ', "", "figure 'memory': is assumed but gives no range"),
        ('low = "23 GiB"', 'low = "25 GiB"', "figure 'memory': the value lies outside its own range"),
        ('vendor = "Toys"', 'vendr = "Toys"', "unknown key 'vendr'; did you mean 'vendor'?"),
        ('name = "Toy chip"\n', "", "the key 'name' is missing"),
        ('publisher = "Toys"', "", "source 'sheet': lacks 'publisher'"),
        ('title = "Sheet"', 'title = "Sheet"\npage = 3', "source 'sheet': has the unknown key 'page'"),
        ('kind = "stated"', 'kind = "stated", page = 3', "figure 'peak_bf16': has the unknown key 'page'"),
        ('name = "Toy chip"', 'name = = "Toy"', "not TOML"),
        ("[figures]", "[figures]\nx = 3", "[sources] and [figures] hold tables, one a key"),
    ],
)  # fmt: skip
def test_exact_words_of_a_broken_record(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(PresetError) as raised:
        record(tmp_path, GOOD.replace(old, new, 1))
    assert message in str(raised.value)
    assert "toys-toy.toml" in str(raised.value)


def test_names_lead_to_records() -> None:
    presets = Presets()
    for name in ("nvidia-a100-sxm-80gb", "A100-SXM4-80GB", " a100-sxm-80gb "):
        assert presets.find("accelerators", name).record.id == "nvidia-a100-sxm-80gb"
    match = presets.find("accelerators", "h100")
    assert match.record.id == "nvidia-h100-sxm-80gb"
    assert match.reason.startswith("'h100' may be any of")


def test_a_tie_lists_its_candidates() -> None:
    with pytest.raises(AmbiguousPreset) as raised:
        Presets().find("accelerators", "a100-pcie")
    assert "may be any of nvidia-a100-pcie-80gb, nvidia-a100-pcie-40gb; name one of them" in str(raised.value)


@pytest.mark.parametrize("name", ["../models/llama-7b", "a/b", "..", "con\x00", "x" * 5000, "*"])
def test_a_name_that_is_no_name_reads_no_file(name: str) -> None:
    with pytest.raises(UnknownPreset):
        Presets().find("accelerators", name)


def test_a_users_record_shadows_the_houses(tmp_path: Path) -> None:
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "nvidia-h100-sxm-80gb.toml").write_text(GOOD, encoding="utf-8")
    presets = Presets([tmp_path])
    assert presets.find("accelerators", "nvidia-h100-sxm-80gb").record.name == "Toy chip"
    assert presets.find("accelerators", "toy").record.id == "nvidia-h100-sxm-80gb"
    assert presets.find("accelerators", "nvidia-a100-sxm-80gb").record.name == "NVIDIA A100 SXM4 80GB"


def test_an_index_of_aliases_reads_no_more_than_their_line(tmp_path: Path) -> None:
    path = tmp_path / "toy.toml"
    path.write_text(GOOD + "this is not TOML", encoding="utf-8")
    assert alias_index({"toy": path}) == {"toy": "toy", "toy-1": "toy"}


def test_a_file_of_the_wrong_kind_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(EstimatorError, match="is not a regular file; name a text"):
        read_bounded(tmp_path, 10, "a text")
    with pytest.raises(EstimatorError, match="does not exist; name a text"):
        read_bounded(tmp_path / "none", 10, "a text")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EstimatorError, match="is not UTF-8 text"):
        read_bounded(tmp_path / "binary", 10, "a text")
