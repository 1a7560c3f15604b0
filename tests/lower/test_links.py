"""Memory and links of a machine: one-way bandwidths of the records, and what is assumed where they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import Run
from estimator.lower import lower
from estimator.lower.links import Sided, highest_peak, machine_columns, peak_16bit
from estimator.presets import Presets
from estimator.records import Record

PRESETS = Presets()
SOURCE = '[sources.s]\ntitle = "t"\npublisher = "p"\n'


def columns(chip: str, per_node: float | None = None) -> dict[str, Sided]:
    record = PRESETS.load("accelerators", chip)
    name = record.words.get("default_node")
    node = PRESETS.load("nodes", str(name)) if name else None
    cards = per_node or (node.value("accelerators") if node else 8.0)
    return machine_columns(PRESETS, record, node, cards)


def own(tmp_path: Path, figures: str, words: str = "") -> Record:
    folder = tmp_path / "accelerators"
    folder.mkdir()
    lines = "\n".join(
        f'{name} = {{ value = "{value}", source = "s", where = "w", kind = "stated" }}'
        for name, value in (pair.split("=") for pair in figures.split(";"))
    )
    (folder / "mine.toml").write_text(
        f'name = "Mine"\n{words}\n{SOURCE}[figures]\n{lines}\n', encoding="utf-8"
    )
    return Presets((tmp_path,)).load("accelerators", "mine")


def test_collectives_reach_a_share_of_a_link() -> None:
    """8 A100s: 234.89 GB/s of 300 one way; of a link that nobody measured, the mean of those that were."""
    assert columns("nvidia-a100-sxm-80gb")["scaleup_bandwidth"].value == pytest.approx(0.78 * 300e9)
    assert columns("amd-mi300x")["scaleup_bandwidth"].value == pytest.approx(0.70 * 448e9)
    assert columns("google-tpu-v5p")["scaleup_bandwidth"].value == pytest.approx(0.77 * 600e9)


def test_cards_without_peer_access_share_their_host() -> None:
    found = columns("nvidia-rtx-3090")["scaleup_bandwidth"]
    assert (found.low, found.value, found.high) == pytest.approx((0.05 * 31e9, 0.2 * 31e9, 0.8 * 31e9))
    assert found.origin.kind == "assumed"


@pytest.mark.parametrize(
    ("chip", "name", "value"),
    [
        ("nvidia-h100-sxm-80gb", "scaleup_bandwidth", 364.5e9),  # 900 GB/s both ways, 81 % reached
        ("nvidia-h100-sxm-80gb", "scaleout_bandwidth", 47e9),  # 3,200 Gbit/s over eight cards, 94 % reached
        ("nvidia-h100-sxm-80gb", "scaleup_domain", 8.0),
        ("nvidia-h100-sxm-80gb", "mesh", 0.0),
        ("nvidia-h100-sxm-80gb", "peak_16bit", 989e12),
        ("nvidia-a100-sxm-80gb", "memory_bandwidth", 2039e9),
        ("nvidia-gb200", "scaleup_domain", 72.0),
        ("nvidia-gb200", "scaleout_bandwidth", 47e9),
        ("google-tpu-v6e", "scaleup_domain", 256.0),  # a pod, larger than its servers of eight
        ("amd-mi300x", "mesh", 1.0),
        ("huawei-ascend-910b2", "mesh", 1.0),
        ("huawei-ascend-910c", "mesh", 0.0),  # its successor of HCCS is switched
        ("nvidia-v100-sxm2-32gb", "peak_16bit", 125e12),  # fp16: it has no bf16
    ],
)
def test_columns_are_those_of_the_records(chip: str, name: str, value: float) -> None:
    assert columns(chip)[name].value == pytest.approx(value, rel=1e-12)


def test_a_server_with_fewer_cards_has_a_smaller_domain() -> None:
    assert columns("nvidia-a100-sxm-80gb", 4.0)["scaleup_domain"].value == 4.0
    assert columns("nvidia-gb200", 4.0)["scaleup_domain"].value == 72.0  # a rack of many servers


def test_cards_joined_in_pairs_meet_over_the_host() -> None:
    found = columns(
        "nvidia-a100-pcie-80gb"
    )  # an NVLink bridge joins two of eight; PCIe 4 has 62 GB/s both ways
    assert (found["scaleup_bandwidth"].value, found["scaleup_domain"].value) == (31e9, 8.0)
    assert (
        found["scaleup_bandwidth"].origin.reason
        == "the host link of nvidia-a100-pcie-80gb is PCI Express 4.0 x16"
    )


def test_a_pair_alone_keeps_its_bridge() -> None:
    found = columns("nvidia-a100-pcie-80gb", 2.0)
    assert (found["scaleup_bandwidth"].value, found["scaleup_domain"].value) == (
        234e9,
        2.0,
    )  # 78 % of 300 GB/s are reached


def test_a_range_of_a_record_is_halved_with_its_value() -> None:
    found = columns("google-tpu-v3")["scaleup_bandwidth"]
    assert (found.low, found.value, found.high) == pytest.approx((227.15e9, 252.56e9, 308e9))  # 77 %


def test_what_no_record_says_is_assumed_with_a_range(tmp_path: Path) -> None:
    record = own(tmp_path, "peak_bf16=100 TFLOP/s")
    found = machine_columns(PRESETS, record, None, 8.0)
    usual = PRESETS.load("assumptions", "links")
    assert found["memory_bandwidth"].value == pytest.approx(100e12 * usual.value("bytes_per_flop"))
    reached = usual.value("scaleout_bandwidth") * usual.value("reached_network")
    assert found["scaleout_bandwidth"].value == pytest.approx(reached)
    for name in ("memory_bandwidth", "scaleup_bandwidth", "scaleout_bandwidth"):
        assert found[name].low < found[name].value < found[name].high
        assert found[name].origin.kind == "assumed"
        assert "mine" in found[name].origin.reason


def test_without_a_16_bit_peak_the_highest_stands_in(tmp_path: Path) -> None:
    record = own(tmp_path, "peak_fp32=10 TFLOP/s;peak_fp64=5 TFLOP/s")
    assert highest_peak(record).value == 1e13
    assert peak_16bit(record).value == 1e13
    assert peak_16bit(record).origin.reason == "mine has no 16-bit peak on record: its highest"


def test_every_recorded_chip_has_finite_columns() -> None:
    for record in PRESETS.all("accelerators"):
        for name, column in columns(record.id).items():
            assert 0.0 <= column.low <= column.value <= column.high < 1e20, (record.id, name)
            assert column.value > 0.0 or name == "mesh", (record.id, name)


def test_a_question_has_the_same_columns() -> None:
    case = lower(Run(params=7e9, on="nvidia-a100-sxm-80gb"), PRESETS)
    for name, column in columns("nvidia-a100-sxm-80gb").items():
        assert float(case.columns[name]) == column.value
        assert case.origins[name].kind in ("preset", "derived", "assumed")
