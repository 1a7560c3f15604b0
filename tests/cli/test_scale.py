"""`estimate scale`: its formats, and exit code 2 with the option named for whatever is wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
CFFF = ("scale", "--point", "1000:0.92", "--point", "10000:0.90", "--at", "4000", "--at", "20000")
MONEY = ("--price", "2 USD/gpu/hour", "--wall-clock", "30 days")


def test_the_main_job(estimate: Estimate) -> None:
    ran = estimate(*CFFF)
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split("  ")[0]: line for line in ran.out.splitlines()}
    assert "95.5 %" in lines["4,000"]
    assert "90.8 %  90.8 % to 91 %  368" in lines["4,000"]
    assert "extrapolated" in lines["20,000"]
    assert "89.4 %  80.8 % to 90 %" in lines["20,000"]
    assert "G. Amdahl" in ran.out
    assert (
        "Note: the base, where the efficiency is 1, is 1 accelerator here; change it with --base" in ran.out
    )


def test_the_loss_in_money(estimate: Estimate) -> None:
    ran = estimate("scale", "--point", "1000:92%", *MONEY)
    assert "lost an hour" in ran.out
    assert "160 USD" in ran.out
    # 160 USD an hour for 720 hours are 115,200.
    assert "115,000 USD" in ran.out


def test_the_document(estimate: Estimate) -> None:
    ran = estimate(*CFFF, *MONEY, "--format", "json")
    document = json.loads(ran.out)
    assert list(document) == "schema question base points laws left_out at notes sources".split()
    assert document["schema"] == "estimator/scale/1"
    assert document["question"]["point"] == ["1000:0.92", "10000:0.9"]
    keys = "name equation reference parameters rms_residual residuals".split()
    assert [list(law) for law in document["laws"]] == [keys] * 5
    for found in document["at"]:
        assert list(found) == (
            "accelerators extrapolated efficiency by_law lost_accelerators lost_per_hour lost_in_all".split()
        )
        for name, unit in (("efficiency", "1"), ("lost_accelerators", "accelerator"),
                           ("lost_per_hour", "USD/hour"), ("lost_in_all", "USD")):  # fmt: skip
            assert found[name]["unit"] == unit
            assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]


def test_without_a_price_the_document_has_null(estimate: Estimate) -> None:
    found = json.loads(estimate(*CFFF, "--format", "json").out)["at"][0]
    assert found["lost_per_hour"] is None
    assert found["lost_in_all"] is None


def test_csv_and_markdown(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate(*CFFF, "--format", "csv").out)))
    assert [row["accelerators"] for row in rows] == ["4000", "20000"]
    assert [row["extrapolated"] for row in rows] == ["false", "true"]
    assert float(rows[0]["power"]) == pytest.approx(0.907906, abs=1e-6)
    assert rows[0]["lost_per_hour"] == ""
    assert "| 4,000 |" in estimate(*CFFF, "--format", "markdown").out


def test_a_series_and_the_list_of_them(estimate: Estimate) -> None:
    ran = estimate("scale", "--series", "internevo_7b_tp1_zero1-1", "--at", "4096", "--mode", "weak")
    assert ran.out.startswith("8 points of internevo_7b_tp1_zero1-1 (InternLM-7B pretrain seq2048")
    assert "Note: Amdahl left out: is for fixed work, and --mode weak was given" in ran.out
    assert "Source: Shanghai AI Laboratory" in ran.out
    listed = estimate("scale", "--list")
    assert "internevo_7b_tp1_zero1-1  " in listed.out
    assert "megascale_175b " not in listed.out
    assert json.loads(estimate("scale", "--list", "--format", "json").out)[0]["base"] == "8"


def test_faults_end_with_code_2_a_line_each(estimate: Estimate) -> None:
    ran = estimate(
        "scale", "--point", "1000:92", "--point", "1000", "--at", "0", "--price", "16 USD/node/hour"
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "Error: --point: in '1000:92', an efficiency of 92 is more than 1; write 1000:0.92 or 1000:92%",
        "Error: --point: '1000' is not a point; write accelerators:efficiency, like 1000:0.92 or 1000:92%",
        "Error: --at: '0' must be more than zero",
        "Error: --price: '16 USD/node/hour' is not per accelerator, in which a loss is counted; "
        "write it like '2 USD/gpu/hour'",
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "nothing to fit: give points like --point 1000:0.92, or --series (see: estimate scale --list)"),
        (
            ("--series", "palm_540b_pod"),
            "--series: no recorded series is called 'palm_540b_pod'; did you mean 'palm_540b_pods'?",
        ),
        (
            ("--series", "palm_540b_pods", "--at", "8"),
            "--at: 8 accelerators are fewer than the base of 3,072, below which no law holds",
        ),
    ],
)
def test_a_fault_ends_with_code_2(estimate: Estimate, words: tuple[str, ...], error: str) -> None:
    ran = estimate("scale", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {error}\n")


def test_the_help_teaches_by_examples(estimate: Estimate) -> None:
    ran = estimate("scale", "--help")
    assert "estimate scale --point 1000:0.92 --point 10000:0.90 --at 4000 --at 20000" in ran.out
