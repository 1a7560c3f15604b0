"""Totals of compute in accelerators and back: worked by hand, round trips, and exact words of the faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.errors import EstimatorError
from estimator.inputs.compute import read_compute, read_precision
from estimator.presets import Presets
from estimator.schema import PRECISIONS, peak_name
from estimator.totals import accelerators_of, totals_of

RECORDS = Presets()
ASCEND = "huawei-ascend-910"


def test_twenty_eops_are_39_000_cards_in_int8_and_78_000_in_fp16() -> None:
    # 20e18 / 512e12 = 39,062.5; 20e18 / 256e12 = 78,125.
    assert accelerators_of("20 EOPS", "int8", ASCEND).accelerators == (39062.5, 39062.5, 39062.5)
    found = accelerators_of("20 EOPS", "fp16", ASCEND).accelerators
    # Bins up to 320 TFLOP/s exist: 20e18 / 320e12 = 62,500.
    assert found == (78125.0, 62500.0, 78125.0)


def test_three_to_four_thousand_p_are_the_ten_thousand_card_level() -> None:
    # 3,120e15 / 312e12 = 10,000.
    assert accelerators_of("3120P", "bf16", "a100-sxm-80gb").accelerators.value == 10000.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20 EOPS", 20e18), ("20Eops", 20e18), ("20 E", 20e18), ("20e", 20e18), ("3,000 P", 3000e15),
        ("3000p", 3000e15), ("1.5 EFLOPS", 1.5e18), ("1.5 EFLOP/s", 1.5e18), ("312 TFLOP/s", 312e12),
        ("512 TOPS", 512e12), ("2e19 OP/s", 2e19), ("1 ZFLOPS", 1e21),
    ],
)  # fmt: skip
def test_totals_are_read_in_every_usual_spelling(text: str, value: float) -> None:
    assert read_compute("--compute", text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("20 EFLOP", "--compute: '20 EFLOP' measures work, but computing speed is asked for, like '20 EOPS'"),
        ("20", "--compute: '20' has no unit; write it like '20 EOPS'"),
        ("EOPS", "--compute: 'EOPS' is not a number with a unit; write it like '20 EOPS'"),
        (
            "3000-4000 P",
            "--compute: '3000-4000 P' is two totals; ask with each of them, like '20 EOPS'",
        ),
        (
            "3640 PFLOP/s-days",
            "--compute: '3640 PFLOP/s-days' is work, a speed for a time; a total of compute is a speed, like '20 EOPS'",
        ),
        ("0 P", "--compute: '0 P' must be more than zero"),
        ("nan PFLOP/s", "--compute: 'nan PFLOP/s' is not a number"),
        ("20 Q", "--compute: 'Q' is not a unit of this house; write it like '20 EOPS'"),
        ("1e12 E", "--compute: '1e12 E' is more than makes sense here; write it like '20 EOPS'"),
        ("1 FLOP/s", "--compute: '1 FLOP/s' is less than makes sense here; write it like '20 EOPS'"),
        (
            "20 EB",
            "--compute: '20 EB' measures memory, but computing speed is asked for, like '20 EOPS'",
        ),
    ],
)
def test_what_is_no_total_is_told(text: str, error: str) -> None:
    with pytest.raises(EstimatorError) as found:
        read_compute("--compute", text)
    assert str(found.value) == error


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("20 EOPS", None, ASCEND),
            "--compute: '20 EOPS' does not say at which precision, and a chip's peak in INT8 is twice that in FP16; "
            "add --precision int8, or one of fp64, fp32, tf32, fp16, bf16, fp8, fp4",
        ),
        (
            ("20 EOPS", "int8", None),
            "--compute: of which accelerator is '20 EOPS'? Add --on, like --on ascend-910",
        ),
        (
            ("20 EOPS", "fp8", ASCEND),
            "--precision: huawei-ascend-910 has no recorded peak in fp8; it has fp16, int8",
        ),
        (
            ("20 EOPS", "int7", ASCEND),
            "--precision: 'int7' is not known; choose fp64, fp32, tf32, fp16, bf16, fp8, int8, fp4",
        ),
        (
            ("20 EOPS", "int8", "ascend-911"),
            "--on: no accelerator is called 'ascend-911'; "
            "did you mean 'ascend-910b1' or 'ascend-910' or 'ascend910b1'?",
        ),
    ],
)
def test_what_a_total_lacks_is_told(arguments: tuple[str, str | None, str | None], error: str) -> None:
    with pytest.raises(EstimatorError) as found:
        accelerators_of(*arguments)
    assert str(found.value) == error


@given(
    count=st.integers(1, 10**8),
    name=st.sampled_from(sorted(RECORDS.files("accelerators"))),
)
def test_accelerators_to_compute_and_back(count: int, name: str) -> None:
    record = RECORDS.load("accelerators", name)
    for total in totals_of(float(count), record):
        text = f"{total.compute.value!r} FLOP/s"
        if not 1e9 <= total.compute.value <= 1e27:
            continue
        back = accelerators_of(text, total.precision, name, RECORDS).accelerators
        assert back.value == pytest.approx(count, rel=1e-12)
        assert back.low <= back.value * (1 + 1e-12)
        assert back.high >= back.value * (1 - 1e-12)


def test_every_peak_on_record_is_a_total() -> None:
    for name in RECORDS.files("accelerators"):
        record = RECORDS.load("accelerators", name)
        told = [total.precision for total in totals_of(1.0, record)]
        assert told == [each for each in PRECISIONS if peak_name(each) in record.figures]


def test_a_precision_is_read_in_any_case() -> None:
    assert read_precision(" INT8 ") == "int8"
