"""`estimate claims check`: verdicts in every format and both languages, and the words of its faults."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from .run import Ran

Estimate = Callable[..., Ran]


def lines(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return [" ".join(line.split()) for line in ran.out.splitlines()]


def test_a_claim_in_full(estimate: Estimate) -> None:
    found = lines(estimate("claims", "check", "c4"))
    assert found[0] == "C4: Cost of one training run of GPT-3"
    assert "said GPT3訓練一次成本140萬美元" in found
    verdict = next(line for line in found if line.startswith("verdict"))
    assert verdict.startswith("verdict holds if an hour of an A100 at full speed costs about 5 USD")
    assert any(
        line.startswith("price over MFU, that of an A100 peak-hour 5.01 USD/accelerator/hour")
        for line in found
    )
    assert any(line.startswith("- [secondary] A brokerage report gives 1.4 million USD") for line in found)
    assert not any(line.startswith("What separates") for line in found)


def test_two_claims_about_one_thing_are_reconciled(estimate: Estimate) -> None:
    found = lines(estimate("claims", "check", "C4", "D1"))
    start = found.index("What separates the claims on one training run of GPT-3 (C4, D1)")
    table = found[start + 2 :]
    assert table[0] == "claim our value price an hour MFU at full speed hours paid FLOPs chip reading"
    assert len(table) == 1 + 6
    assert not any(line.startswith("Other claims speak") for line in found)
    paid = (
        "D1 4.67 million USD 1.5 USD 22.4 % 6.7 USD 3.12 million 3.14e23 FLOP nvidia-v100-sxm2-32gb the 4.6"
    )
    assert [line.startswith(paid) for line in table].count(True) == 1


def test_the_three_bills_of_one_run_differ_in_price_over_utilisation(estimate: Estimate) -> None:
    """1.5 / 30 % = 5, 1.5 / 22.4 % = 6.7 and 3.38 / 19.68 % = 17.2 USD for an hour of a card at full speed."""
    found = lines(estimate("claims", "check", "C4", "D1"))
    shown = [line.split() for line in found if line.startswith(("C4 ", "D1 "))]
    at_full_speed = {words[1]: words[8] for words in shown if words[7] == "%"}
    assert {bill: at_full_speed[bill] for bill in ("1.4", "4.67", "12")} == {
        "1.4": "5", "4.67": "6.7", "12": "17.2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["D1"],
            "Other claims speak of one training run of GPT-3 too; side by side: estimate claims check D1 C4",
        ),
        (
            ["C4", "--language", "zh"],
            "另有说法也谈到GPT-3的一次训练，并列比较：estimate claims check C4 D1 --language zh",
        ),
    ],
)
def test_another_claim_about_the_same_is_named(estimate: Estimate, words: list[str], told: str) -> None:
    assert lines(estimate("claims", "check", *words))[-1] == told


def test_json_holds_questions_that_can_be_asked_again(estimate: Estimate, tmp_path: object) -> None:
    ran = estimate("claims", "check", "C4", "--format", "json")
    (held,) = json.loads(ran.out)["claims"]
    assert held["verdict"] == "holds if"
    (statement,) = held["statements"]
    base = statement["measured"][0]
    assert base["what"] == "as stated"
    assert base["question"]["model"] == "gpt3-175b"
    assert statement["figures"] == {"cost": 1.4e6}
    price = statement["exact"][0]
    assert (price["input"], price["unit"], price["found"]) == ("price", "USD/accelerator/s", True)
    assert price["value"] * 3600 == pytest.approx(5.0079, rel=1e-4)


def test_csv_has_a_row_for_all_that_was_measured_or_solved(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate("claims", "check", "C2", "--format", "csv").out)))
    assert [row["what"] for row in rows] == ["as stated", "condition", "beside", "exact at", "exact at"]
    assert {row["id"] for row in rows} == {"C2"}
    assert float(rows[1]["value"]) == 796e6


def test_a_topic_gives_a_line_a_claim(estimate: Estimate) -> None:
    found = lines(estimate("claims", "check", "--topic", "staff"))
    assert found[0] == "id verdict about stated our value range why exact at"
    assert [line.split()[0] for line in found[1:]] == ["A7", "C13", "D2", "D7", "D8"]
    assert found[4].startswith("D7 does not hold People in the training of PaLM 11 10")


def test_a_verdict_in_chinese(estimate: Estimate) -> None:
    found = lines(estimate("claims", "check", "C2", "--language", "zh"))
    assert found[0] == "C2: 2023年1月水平的ChatGPT的初始投入"
    assert "结论 在以下条件下成立：按2023年2月研报的假设：约4000台DGX A100，每台19.9万美元，不含其他" in found
    assert any("7.96亿美元" in line for line in found)


def test_markdown_has_tables(estimate: Estimate) -> None:
    assert "| stated | 68 |  |  |" in estimate("claims", "check", "D8", "--format", "markdown").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "Z9"], "no claim is called 'Z9'; list them with: estimate claims"),
        (["check", "C44"], "no claim is called 'C44'; did you mean 'C4'?"),
        (
            ["check", "C4", "--topic", "cost"],
            "--topic and --search choose from the list; leave out the name of a claim",
        ),
    ],
)
def test_the_words_of_every_fault(estimate: Estimate, words: list[str], message: str) -> None:
    ran = estimate("claims", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {message}\n")
