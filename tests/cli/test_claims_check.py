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
    assert verdict.startswith("verdict holds if price over MFU is about 5 USD per A100 peak-hour")
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
    assert table[0] == "claim reading chip FLOPs MFU hours paid price our value"
    assert len(table) == 1 + 5
    told = [line for line in table if "nvidia-v100-sxm2-32gb 3.14e23 FLOP 22.4 % 3.12 million" in line]
    assert [line.endswith("1.5 USD/accelerator/hour 4.67 million USD") for line in told] == [True]


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
