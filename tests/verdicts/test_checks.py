"""How a record says to check its claim: what is read, laid over each other and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import Presets
from estimator.claims import Claim, load
from estimator.errors import PresetError
from estimator.verdicts.checks import checks_of
from estimator.verdicts.judge import Judged, judge

HEAD = """name = "X1: an own claim"
about = "cost"
relation = "equal"
quote = "花了四十万美元"

[sources.news]
title = "News"
publisher = "Press"

[figures]
cost = { value = "400000 USD", source = "news", where = "line 1", kind = "stated" }
cards = { value = "1000 accelerator", source = "news", where = "line 1", kind = "stated" }

"""


def claim(folder: Path, text: str) -> tuple[Claim, Presets]:
    (folder / "claims").mkdir(exist_ok=True)
    (folder / "claims" / "X1.toml").write_text(HEAD + text, encoding="utf-8")
    presets = Presets((folder,))
    return next(each for each in load(presets) if each.id == "X1"), presets


def judged(folder: Path, text: str) -> Judged:
    found, presets = claim(folder, text)
    return judge([found], presets)[0]


def fault(folder: Path, text: str) -> str:
    with pytest.raises(PresetError) as caught:
        judged(folder, text)
    return str(caught.value).removeprefix(f"{folder}/claims/")


def test_a_claim_without_a_check_cannot_be_judged(tmp_path: Path) -> None:
    assert judged(tmp_path, "").verdict == "cannot be judged"


def test_a_condition_is_laid_over_the_check(tmp_path: Path) -> None:
    found, _ = claim(
        tmp_path,
        """[[check]]
figure = "cost"
quantity = "cost"
question = { params = "7B", tokens = "1T", count = 256 }

[[check.if]]
when = "tokens are counted otherwise"
question = { tokens_per_param = 20, price = "2 USD/gpu/hour" }

[[check.if]]
when = "it is another measure"
value = "cards"
times = ["2 USD/accelerator"]
""",
    )
    (check,) = checks_of(found)
    assert check.base == {
        "quantity": "cost",
        "question": {"params": "7B", "tokens": "1T", "count": 256},
    }
    assert check.conditions[0].asks == {
        "quantity": "cost",
        "question": {"params": "7B", "tokens_per_param": 20, "count": 256, "price": "2 USD/gpu/hour"},
    }
    assert check.conditions[1].asks == {"value": "cards", "times": ["2 USD/accelerator"]}
    assert check.within == 0.1


def test_another_value_leaves_the_factors_of_the_first_behind(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        """[[check]]
figure = "cost"
value = "cards"
times = ["300 USD/accelerator"]

[[check.if]]
when = "half of a million"
value = "1e6 USD"
over = ["2"]
""",
    )
    (judgement,) = found.judgements
    assert judgement.base
    assert judgement.base.measured.value == 300_000.0
    assert judgement.conditions[0].measured.value == 500_000.0
    assert found.verdict == "does not hold"


@pytest.mark.parametrize(
    ("base", "condition", "verdict"),
    [
        ("400", "", "holds"),
        ("700", "400", "holds if"),
        ("700", "900", "does not hold"),
        ("", "400", "holds"),
    ],
)
def test_the_four_ways_to_a_verdict(tmp_path: Path, base: str, condition: str, verdict: str) -> None:
    text = '[[check]]\nfigure = "cost"\n'
    text += f'value = "cards"\ntimes = ["{base} USD/accelerator"]\n' if base else ""
    text += (
        f'[[check.if]]\nwhen = "so"\nvalue = "cards"\ntimes = ["{condition} USD/accelerator"]\n'
        if condition
        else ""
    )
    assert judged(tmp_path, text).verdict == verdict


def test_a_range_that_reaches_the_claim_makes_it_hold_if(tmp_path: Path) -> None:
    text = """[[check]]
figure = "cost"
value = "cards"
times = ["nodes/nvidia-dgx-a100-640:purchase_price"]
over = ["500"]
"""
    found = judged(tmp_path, text)  # 1,000 x 167,000 to 300,000 / 500 = 334,000 to 600,000
    assert found.judgements[0].base
    assert found.judgements[0].base.agrees == "within its range"
    assert found.verdict == "holds if"


def test_of_several_statements_the_worst_decides(tmp_path: Path) -> None:
    right = '[[check]]\nfigure = "cost"\nvalue = "400000 USD"\n'
    wrong = '[[check]]\nfigure = "cards"\nvalue = "2000 accelerator"\n'
    assert judged(tmp_path, right + wrong).verdict == "does not hold"
    assert judged(tmp_path, right + '[[check]]\nbecause = "nobody knows"\n').verdict == "cannot be judged"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[check]]\nfigure = "cots"\n',
            "X1.toml: [[check]] 1: the claim has no figure 'cots'; did you mean 'cost'?",
        ),
        (
            '[[check]]\nquantiy = "cost"\n',
            "X1.toml: [[check]] 1: unknown key 'quantiy'; did you mean 'quantity'?",
        ),
        (
            '[[check]]\nfigure = "cost"\nquestion = { params = "7B" }\n',
            "X1.toml: [[check]] 1: 'question' needs 'quantity', like quantity = \"cost\"",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cost"\nformula = "cost.rental_cost"\n',
            "X1.toml: [[check]] 1: 'formula' and 'value' are two ways to measure; give one of them",
        ),
        (
            '[[check]]\nfigure = "cost"\nrelation = "roughly"\nvalue = "cost"\n',
            "X1.toml: [[check]] 1: relation 'roughly' is not one of equal, about, at least, at most, over, under, "
            "between, order",
        ),
        (
            '[[check]]\nfigure = "cost"\nwithin = 5\nvalue = "cost"\n',
            "X1.toml: [[check]] 1: 'within' must be a share from 0 to 1, like 0.05",
        ),
        (
            '[[check]]\nfigure = "cost"\n[[check.if]]\nvalue = "cost"\n',
            "X1.toml: [[check]] 1, if 1: the key 'when' is missing",
        ),
        (
            '[[check]]\nfigure = "cost"\n[[check.if]]\nwhen = "so"\n',
            "X1.toml: [[check]] 1, if 1: nothing says what is measured; give one of question, serving, fleet, "
            "scaling, formula, value",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cost"\n[[check.solve]]\nwhat = "it"\n',
            "X1.toml: [[check]] 1, solve 1: the key 'for' is missing; name what is solved for, like for = \"price\"",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cost"\n[[check.solve]]\nfor = "cost"\nunder = "that"\n',
            "X1.toml: [[check]] 1, solve 1: no condition has the id 'that'",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cost"\n[[check.solve]]\nfor = "cards"\n',
            "X1.toml: [[check]] 1: 'cards' is not among the figures that it measures",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cards"\n',
            "X1.toml: [[check]] 1: the claim's 'cost' is in USD, and what is measured in accelerator",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "cost"\nunit = "kWh"\n',
            "X1.toml: [[check]] 1: unit 'kWh' is not one of what is measured, which is in USD",
        ),
        (
            '[[check]]\nfigure = "cost"\nreads_as = "1"\nvalue = "cost"\n',
            "X1.toml: [[check]] 1: 'figure' and 'reads_as' are two things to compare with; give one of them",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "runs/gpt-3-175b:prize"\n',
            "X1.toml: [[check]] 1: runs/gpt-3-175b has no figure 'prize'",
        ),
        (
            '[[check]]\nfigure = "cost"\nvalue = "rates/CNY:1990"\n',
            "X1.toml: [[check]] 1: there is no exchange rate of CNY in 1990; there are 2016 to 2026",
        ),
        (
            '[[check]]\nfigure = "cost"\nformula = "cost.of_everything"\n',
            "X1.toml: [[check]] 1: there is no formula 'cost.of_everything'; write it like energy.facility_power",
        ),
        (
            '[[check]]\nfigure = "cost"\nformula = "os.system"\n',
            "X1.toml: [[check]] 1: there is no formula 'os.system'; write it like energy.facility_power",
        ),
        (
            '[[check]]\nfigure = "cost"\nformula = "cost.rental_cost"\ngiven = { price = "cost" }\n',
            "X1.toml: [[check]] 1: formula 'cost.rental_cost' lacks 'occupied_hours'",
        ),
        (
            '[[check]]\nfigure = "cost"\nquantity = "cots"\nquestion = { params = "7B" }\n',
            "X1.toml: [[check]] 1: there is no quantity 'cots'; did you mean 'cost' or 'count'?",
        ),
        (
            '[[check]]\nfigure = "cost"\nquantity = "cost"\nquestion = { params = "7B", on = "a1000" }\n',
            "X1.toml: [[check]] 1: --on: no accelerator is called 'a1000'; did you mean 'a100' or 'a6000' or "
            "'a100-80g'?",
        ),
    ],
)
def test_the_words_of_every_fault(tmp_path: Path, text: str, message: str) -> None:
    assert fault(tmp_path, text) == message


def test_a_check_that_is_no_table_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "X1.toml").write_text("check = 5\n" + HEAD, encoding="utf-8")
    with pytest.raises(PresetError) as caught:
        load(Presets((tmp_path,)))
    assert str(caught.value).endswith("X1.toml: the key 'check' must be tables, like [[check]]")
