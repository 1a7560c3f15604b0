"""The ladder of the measured average MFU: the chip's own rows, else those of its relatives with a wider range."""

from __future__ import annotations

import math

import pytest

from estimator import Presets
from estimator.measured.average import average_mfu
from estimator.provenance import Figure

PRESETS = Presets()
ANY = PRESETS.load("calibrations", "efficiency-any")


def found(chip: str, precision: str, *, sparse: bool = False) -> tuple[Figure, bool]:
    return average_mfu(PRESETS, PRESETS.load("accelerators", chip), precision, sparse=sparse)


def recorded(place: str, key: str) -> Figure:
    return PRESETS.load("calibrations", f"efficiency-{place}").figures[key]


def widened(figure: Figure) -> tuple[float, float]:
    """Both ends of a borrowed figure: its own deviation and that of kin, at a right angle in log space."""
    stray, ends = ANY.figures["borrowed"], []
    for own, kin in ((figure.low, stray.low), (figure.high, stray.high)):
        assert own is not None
        assert kin is not None
        ends.append(math.exp(math.hypot(math.log(own / figure.value), math.log(kin))))
    return figure.value / ends[0], min(figure.value * ends[1], ANY.value("highest"))


def test_a_measured_chip_has_its_own_rows() -> None:
    figure, own = found("nvidia-a100-sxm-80gb", "bf16")
    assert (figure, own) == (recorded("nvidia-a100-sxm-80gb", "bf16"), True)


@pytest.mark.parametrize(
    ("chip", "place"),
    [("nvidia-a800-sxm-80gb", "architecture-ampere"), ("cambricon-mlu590", "any")],
)
def test_an_unmeasured_chip_borrows_from_the_nearest_with_a_wider_range(chip: str, place: str) -> None:
    kin = recorded(place, "bf16")
    figure, own = found(chip, "bf16")
    assert (figure.value, own) == (kin.value, False)
    assert (figure.low, figure.high) == pytest.approx(widened(kin))
    assert figure.low is not None
    assert kin.low is not None
    assert figure.low < kin.low


def test_a_precision_without_rows_borrows_from_its_twin() -> None:
    figure, own = found("nvidia-v100-sxm2-32gb", "bf16")
    assert (figure.value, own) == (recorded("nvidia-v100-sxm2-32gb", "fp16").value, False)


def test_mixtures_of_experts_look_among_their_kind() -> None:
    chip = "nvidia-h100-sxm-80gb"
    sparse, dense = found(chip, "fp8", sparse=True), found(chip, "fp8")
    assert sparse == (recorded(chip, "fp8-moe"), True)
    assert dense == (recorded(chip, "fp8"), True)
    assert sparse[0].value != dense[0].value


def test_no_borrowed_end_is_beyond_what_was_ever_measured() -> None:
    highest = ANY.value("highest")
    for chip in sorted(PRESETS.files("accelerators")):
        figure, own = found(chip, "bf16")
        assert figure.high is not None
        assert own or figure.value <= figure.high <= max(highest, figure.value)
