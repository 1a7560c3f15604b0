"""The answer as a table and as Markdown: what fits, what does not, what has no price, and what was assumed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from estimator import Estimate
from estimator.arrays import array
from estimator.estimate import UNITS
from estimator.report import answer as answers
from estimator.report.grid import display_width

from .questions import answer


@pytest.fixture(scope="module")
def usual() -> Estimate:
    return answer()


def line(text: str, label: str) -> str:
    (found,) = [line for line in text.splitlines() if line.startswith(label)]
    return found


def cells(estimate: Estimate, label: str) -> list[str]:
    """Value, range and note of one row."""
    (found,) = [row[1:] for row in answers.rows(estimate) if row[0].strip() == label]
    return found


# What stands above the table.


def test_the_title_says_what_is_asked(usual: Estimate) -> None:
    assert answers.title(usual) == (
        "llama-7b, 6.74 billion parameters, 1 trillion tokens, 64 x nvidia-a100-sxm-80gb (8 nodes), bf16, adamw"
    )


def test_one_node_is_no_plural_and_a_bare_count_has_no_name() -> None:
    title = answers.title(answer(model=None, params="65B", count=8))
    assert title.startswith("65 billion parameters, ")
    assert "8 x nvidia-a100-sxm-80gb (1 node), " in title


def test_a_count_is_written_in_full() -> None:
    assert "1,234,567 x nvidia" in answers.title(answer(count=1_234_567))


# Rows.


def test_rows_by_hand(usual: Estimate) -> None:
    """64 A100s at 312 TFLOP/s, 40 % of it, and 95 % of that at scale; the FLOPs of a token from their own row.

    All layers are computed once more: a third of the FLOPs but those of the head, 2 x 3 x 32,000 x 4,096 a token.
    """
    per_token = float(usual.flops.value) / 1e12
    speed = 312e12 * 0.4 * 0.95 / per_token
    assert cells(usual, "of one accelerator")[0] == f"{round(speed, -1):,.0f} token/s"
    assert cells(usual, "MFU") == [
        "38 %", "", "model FLOPs over the dense bf16 peak; 40 % given, 95 % of it kept at this scale",
    ]  # fmt: skip
    again = 1 + (1 - 6 * 32000 * 4096 / per_token) / 3
    assert cells(usual, "with what is recomputed")[0] == f"{0.38 * again * 100:.1f} %"
    assert cells(usual, "Step time")[0] == f"{1024 * 2048 / (64 * speed):.1f} s"
    assert cells(usual, "Scaling efficiency")[:2] == ["95 %", ""]
    assert cells(usual, "Goodput")[:2] == ["90 %", ""]
    # 6 x 6.738e9 x 1e12; 16 x 6.738e9 bytes; 64 x 500 W x 1.1.
    assert cells(usual, "by the 6ND short form")[0] == "4.04e22 FLOP"
    assert cells(usual, "Memory of the states")[0] == "100 GiB"
    assert cells(usual, "Power")[0] == "35.2 kW"
    hours = float(usual.accelerator_hours.value) / 3600
    assert cells(usual, "occupied")[0] == f"{round(hours / 0.9, -3):,.0f}"
    assert cells(usual, "Cost")[0] == f"{round(hours / 0.9 * 2, -3):,.0f} USD"


def test_every_row_is_a_quantity_with_a_label_of_its_own(usual: Estimate) -> None:
    labels = [row[0] for row in answers.rows(usual)]
    assert len(labels) == len(set(labels)) > 15
    assert {len(row) for row in answers.rows(usual)} == {4}


def test_a_range_is_written_in_the_unit_of_its_value() -> None:
    estimate = answer(mfu=None, power=None, pue=None)
    for label, pattern in (("MFU", r"[\d.]+ to [\d.]+ %"), ("Wall clock", r"[\d.]+ to [\d.]+ (days|years)")):
        value, between, _ = cells(estimate, label)
        assert re.fullmatch(pattern, between), (label, between)
        assert between.split()[-1] == value.split()[-1]


def test_what_has_no_range_shows_none(usual: Estimate) -> None:
    assert cells(usual, "Memory of the states")[1] == ""
    assert cells(usual, "Goodput")[1] == ""


@pytest.mark.parametrize(("away", "told"), [(1e-9, ""), (0.01, "39.6 to 40.4 %")])
def test_a_share_whose_ends_read_alike_shows_no_range(usual: Estimate, away: float, told: str) -> None:
    ends = [{"mfu": array(0.4 * (1 + side))} for side in (-away, away)]
    narrow = replace(usual, values={**usual.values, "mfu": array(0.4)}, low=ends[0], high=ends[1])
    assert cells(narrow, "MFU")[:2] == ["40 %", told]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"mfu": None}, "; modelled, fitted to measured steps"),
        ({"scaling_efficiency": None}, ""),
        ({"scaling_efficiency": 1}, ""),
    ],
)
def test_what_the_mfu_rests_on_is_told(given: dict[str, Any], told: str) -> None:
    assert cells(answer(**given), "MFU")[2] == "model FLOPs over the dense bf16 peak" + told


def test_what_is_recomputed_has_a_row_where_something_is() -> None:
    label = "with what is recomputed"
    mfu, both = (float(cells(answer(), name)[0].split()[0]) for name in ("MFU", label))
    assert mfu < both < 4 / 3 * mfu
    assert label not in answers.table(answer(recompute="none"))


# Where a step goes.


def test_the_parts_of_a_step_are_told_the_largest_first() -> None:
    estimate = answer(tp=2, pp=4, vpp=2, zero=1, mfu=None, scaling_efficiency=None)
    told = answers.step_line(estimate)
    head, _, tail = told.rstrip(".").partition(" goes to: ")
    assert head == f"A step of {cells(estimate, 'Step time')[0]}"
    parts = {name: float(share) for name, share in re.findall(r"([a-z ]+) ([\d.]+) %(?:, )?", tail)}
    assert list(parts.values()) == sorted(parts.values(), reverse=True)
    for name, share in parts.items():
        part = estimate.step_time.parts[name.replace(" ", "_")]
        assert share == pytest.approx(100 * float(part / estimate.step_time.value), rel=0.05)
    assert {"matrix products", "tensor parallel", "pipeline bubble", "recomputation"} <= set(parts)
    assert "experts" not in parts
    assert 95 < sum(parts.values()) <= 101


def test_the_step_stands_after_the_table_and_in_markdown(usual: Estimate) -> None:
    told = answers.step_line(usual)
    assert told in " ".join(answers.table(usual, 10_000).splitlines())
    assert told in answers.markdown(usual)
    text = answers.table(usual)
    assert text.index("Cost ") < text.index("A step of ") < text.index("Assumed (")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_step_whose_time_is_not_known_goes_nowhere(usual: Estimate, value: float) -> None:
    unknown = replace(usual, values={**usual.values, "step_time": array(value)})
    assert answers.step_line(unknown) == ""
    assert "A step" not in answers.table(unknown)


# Fit and price.


def test_what_fits_is_said_beside_the_memory(usual: Estimate) -> None:
    assert re.fullmatch(r"of 79\.\d GiB: fits", cells(usual, "Memory of a card")[2])
    assert "Warning" not in answers.table(usual)


def test_what_does_not_fit_is_said_beside_the_memory_and_in_a_warning() -> None:
    estimate = answer(count=1)
    assert cells(estimate, "Memory of a card")[2].endswith("GiB: does not fit")
    warning = line(answers.table(estimate, 10_000), "Warning: does not fit")
    assert warning.endswith("too much; 2 cards would hold it")
    assert cells(estimate, "Fewest cards that hold it")[0] == "2"
    assert "- does not fit: a card needs" in answers.markdown(estimate)


def test_what_no_number_of_cards_holds() -> None:
    estimate = answer(on="nvidia-rtx-3090", seq=2**20, tp=1, pp=1, cp=1)
    assert cells(estimate, "Fewest cards that hold it")[0] == "none does"
    told = line(answers.table(estimate, 10_000), "Warning: does not fit")
    remedy = "no number of cards holds it with these degrees; `estimate memory` tells what would make it fit"
    assert told.endswith(f" too much; {remedy}")


def test_without_a_price_there_is_no_row_for_the_cost_but_a_warning() -> None:
    estimate = answer(price=None, plan="spot", on="google-tpu-v4", precision=None)
    assert [row for row in answers.rows(estimate) if row[0] == "Cost"] == []
    assert "no spot price of google-tpu-v4 is on record" in answers.table(estimate, 10_000)


def test_a_batch_that_is_assumed_is_listed_with_the_step_it_gives() -> None:
    estimate = answer(global_batch=None)
    assert cells(estimate, "Step time")[0].endswith(" s")
    (row,) = [row for row in answers.assumption_rows(estimate) if row[0] == "global_batch"]
    # 6 * 6.738e9 * 1e12 FLOP are 0.07405 of LLaMA 65B's: 0.4268 of its 2^22 tokens, 874 sequences of 2,048; in
    # whole micro-batches of 64 replicas 14 each.
    assert row[1:3] == ["896", "--global-batch"]
    assert row[3].startswith(
        "1.79 million tokens: batches grow with compute, to the power of 0.3271, from the "
    )


# What was assumed.


def test_every_assumption_is_a_line_with_its_option_and_reason() -> None:
    estimate = answer(seq=None, goodput=None, grid=None, scaling_efficiency=None, model=None, params=7e9)
    text = " ".join(answers.table(estimate, 10_000).split("Assumed")[1].split())
    for words in (
        "seq = 4,096 (--seq): ", "failures = 0.00512 1/node/day (--failures): ", "grid = world (--grid): ",
        f"layout = {estimate.case.words['sharding']} (--tp): the fastest that fits", "stack = typical (--stack): ",
        "stack_year = 2022 (--stack-year): ",
    ):  # fmt: skip
        assert words in text
    for row in answers.assumption_rows(estimate):
        assert row[0] in text
        assert " ".join(row[3].split()) in text


def test_what_is_given_is_not_listed(usual: Estimate) -> None:
    assert not {row[0] for row in answers.assumption_rows(usual)} & {
        "seq",
        "tokens",
        "mfu",
        "price",
        "goodput",
    }


@pytest.mark.parametrize("width", [60, 80, 240])
def test_assumptions_keep_to_the_width_of_the_terminal(width: int) -> None:
    estimate = answer(mfu=None, price=None, seq=None, goodput=None)
    listed = answers.table(estimate, width).split("Assumed")[1].splitlines()[1:]
    assert max(map(display_width, listed)) <= width
    begun = [line for line in listed if not line.startswith("      ")]
    reasons = {row[3]: row[0] for row in reversed(answers.assumption_rows(estimate))}
    first = [row[0] for row in answers.assumption_rows(estimate) if reasons[row[3]] == row[0]]
    assert [line.split(" = ")[0].strip() for line in begun] == first
    assert (len(listed) > len(begun)) is (width < 240)


def test_assumptions_of_one_reason_share_a_line() -> None:
    estimate = answer(micro_batch=None, recompute=None)
    (shared,) = [
        line for line in answers.table(estimate, 10_000).splitlines() if "the fastest that fits" in line
    ]
    layout = estimate.case.words["sharding"]
    assert re.fullmatch(
        rf"  micro_batch = \d+ \(--micro-batch\), recompute = \w+ \(--recompute\), "
        rf"layout = {re.escape(layout)} \(--tp\): the fastest that fits, of [\d,]+ legal layouts",
        shared,
    )


@pytest.mark.parametrize(
    ("layout", "buffers"),
    [
        ({"zero": 3}, {"live", "bucket"}),
        ({"zero": 1}, {"bucket"}),  # weights stay where they are; gradients are reduced
        ({"zero": 0}, set[str]()),
        ({"zero": 1, "tp": 8, "pp": 8}, set[str]()),  # one replica: nothing to reduce
    ],
)
def test_sizes_of_buffers_are_listed_where_the_layout_has_them(
    layout: dict[str, Any], buffers: set[str]
) -> None:
    rows = answers.assumption_rows(answer(**{"tp": 1, "pp": 1, **layout}))
    assert {row[0] for row in rows} & {"live", "bucket"} == buffers


def test_notes_of_the_case_are_warnings(usual: Estimate) -> None:
    noted = replace(usual, case=replace(usual.case, notes=("mind the gap", "and the step")))
    assert "Warning: mind the gap\nWarning: and the step" in answers.table(noted)
    assert "- mind the gap\n- and the step" in answers.markdown(noted)


# Markdown.


def test_markdown_has_the_same_rows(usual: Estimate) -> None:
    text = answers.markdown(usual)
    assert text.startswith(f"**{answers.title(usual)}**\n\n|")
    body = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    told = [cells for cells in body if cells[0] in {row[0].strip() for row in answers.rows(usual)}]
    assert told == [[cell.strip() for cell in row] for row in answers.rows(usual)]


# Single values.


@pytest.mark.parametrize("name", sorted(UNITS))
def test_every_quantity_can_be_shown(name: str) -> None:
    estimate = answer(mfu=None, currency="CNY", price=None, within=None)
    if name in estimate.values:
        text = answers.shown(estimate, name)
        assert text
        assert text == "unknown" or text.endswith(" %") is (name in answers.SHARES)
    else:
        assert name == "within"


def test_a_share_is_a_percentage_and_money_has_its_currency(usual: Estimate) -> None:
    assert answers.shown(usual, "given_mfu") == "40 %"
    assert answers.shown(usual, "price") == "2 USD/accelerator/hour"
    assert answers.shown(answer(currency="CNY"), "cost").endswith(" CNY")
    unknown = replace(usual, values={**usual.values, "cost": array(float("nan"))})
    assert answers.shown(unknown, "cost") == "unknown"
