"""Rents: the newest year's median, a cloud's own offers, a family's where the chip has none, and dated currencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from estimator import Estimate, EstimatorError, Presets, QuestionError, Run, ask
from estimator.lower.offers import quantile

CHIP = """name = "Toy chip"
aliases = ["toy"]
vendor = "Toys"
family = "toys"
architecture = "toy"

[sources.sheet]
title = "Sheet"
publisher = "Toys"

[figures]
memory = { value = "80 GiB", source = "sheet", where = "p. 1", kind = "stated" }
peak_bf16 = { value = "100 TFLOP/s", source = "sheet", where = "p. 1", kind = "stated" }
power = { value = "500 W", source = "sheet", where = "p. 1", kind = "stated" }
"""
SOURCES = '[sources.list]\ntitle = "Price list"\npublisher = "Cloud"\n'
HEADER = "provider,instance,count,region,price,unit,plan,statistic,as_of,source,where,verified,note\n"


def folder(tmp_path: Path, rows: str, name: str = "toys-toy") -> Presets:
    (tmp_path / "accelerators").mkdir(exist_ok=True)
    (tmp_path / "accelerators" / "toys-toy.toml").write_text(CHIP, encoding="utf-8")
    rent = tmp_path / "prices" / "rent"
    rent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "prices" / "sources.toml").write_text(SOURCES, encoding="utf-8")
    (rent / f"{name}.csv").write_text(HEADER + rows, encoding="utf-8")
    return Presets([tmp_path])


def row(
    price: str = "2", as_of: str = "2025", plan: str = "on-demand", unit: str = "USD/accelerator/hour"
) -> str:
    return f"Cloud,x,1,,{price},{unit},{plan},list,{as_of},list,p. 1,true,\n"


def answer(presets: Presets, **question: object) -> Estimate:
    return ask(Run.read({"params": 1e9, "on": "toy", "count": 8, **question}, presets), presets)


def hourly(estimate: Estimate) -> float:
    return float(estimate.price.value) * 3600


def test_the_median_of_the_newest_year(tmp_path: Path) -> None:
    presets = folder(tmp_path, row("9", "2024") + row("1") + row("2") + row("6", "2025-11-01"))
    estimate = answer(presets)
    assert hourly(estimate) == pytest.approx(2)
    assert float(estimate.price.low) * 3600 == pytest.approx(1.2)  # 10th percentile of 1, 2, 6
    assert float(estimate.price.high) * 3600 == pytest.approx(5.2)
    assert estimate.case.origins["price"].reason == "median of 3 on-demand offers of 2025"


def test_the_year_asked_and_the_nearest_where_it_is_missing(tmp_path: Path) -> None:
    presets = folder(tmp_path, row("9", "2022") + row("2", "2025"))
    assert hourly(answer(presets, year=2022)) == pytest.approx(9)
    estimate = answer(presets, year=2020)
    assert hourly(estimate) == pytest.approx(9)
    assert estimate.case.origins["price"].reason == "the one on-demand offer of 2022 (none of 2020 on record)"


def test_plans_are_kept_apart(tmp_path: Path) -> None:
    presets = folder(
        tmp_path,
        row("4") + row("3", plan="reserved-1y") + row("1", plan="reserved-3y") + row("0.5", plan="spot"),
    )
    found = {
        plan: hourly(answer(presets, plan=plan)) for plan in ("on-demand", "reserved", "reserved-3y", "spot")
    }
    assert found == pytest.approx({"on-demand": 4, "reserved": 3, "reserved-3y": 1, "spot": 0.5})


def test_the_family_stands_in_where_the_chip_has_no_offer(tmp_path: Path) -> None:
    presets = folder(tmp_path, row("3"), name="toys")
    estimate = answer(presets)
    assert hourly(estimate) == pytest.approx(3)
    assert (
        "none of toys-toy being on record, those of its family toys" in estimate.case.origins["price"].reason
    )


def test_the_family_stands_in_for_a_year_that_the_chip_lacks(tmp_path: Path) -> None:
    folder(tmp_path, row("4", "2026"))
    presets = folder(tmp_path, row("2.5", "2022"), name="toys")
    assert hourly(answer(presets)) == pytest.approx(4)
    estimate = answer(presets, year=2022)
    assert hourly(estimate) == pytest.approx(2.5)
    assert "none of toys-toy being on record for that year" in estimate.case.origins["price"].reason


def test_a_single_offer_has_the_usual_spread_of_offers(tmp_path: Path) -> None:
    price = answer(folder(tmp_path, row("2"))).price
    assert (float(price.low) * 3600, float(price.high) * 3600) == pytest.approx((2 * 0.68, 2 * 1.48))


def test_a_row_without_a_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="line 2: the plan is missing; write on-demand"):
        answer(folder(tmp_path, row(plan="")))


def test_a_plan_of_ones_own_words_for_reserved(tmp_path: Path) -> None:
    assert hourly(
        answer(folder(tmp_path, row("4") + row("2.1", plan="reserved")), plan="reserved")
    ) == pytest.approx(2.1)


@pytest.mark.parametrize(
    ("question", "notes"),
    [
        (
            {"price": "2 USD/gpu/hour", "year": 2022},
            ("--year changes nothing: the price is given, in USD like the answer",),
        ),
        ({"price": "14 CNY/gpu/hour", "year": 2022}, ()),  # the exchange rate is of that year
        ({"price": "2 USD/gpu/hour"}, ()),
        ({"year": 2022}, ()),
    ],
)
def test_a_year_that_changes_nothing_is_told(
    tmp_path: Path, question: dict[str, object], notes: tuple[str, ...]
) -> None:
    assert answer(folder(tmp_path, row("2")), **question).case.notes == notes


def test_no_offer_is_no_cost_and_says_so(tmp_path: Path) -> None:
    estimate = answer(folder(tmp_path, ""))
    assert str(estimate.cost.value) == "nan"
    assert estimate.case.notes == ("no on-demand price of toys-toy is on record: no cost; give --price",)


def test_a_cloud_node_is_billed_by_its_cloud() -> None:
    run = Run(params=7e9, node="aws-p5.48xlarge")
    assert " of AWS of 20" in ask(run).case.origins["price"].reason


def test_an_offer_in_another_currency_is_converted_at_a_listed_rate(tmp_path: Path) -> None:
    presets = folder(tmp_path, row("7.0839", unit="CNY/accelerator/hour"))
    estimate = answer(presets, year=2023)
    assert hourly(estimate) == pytest.approx(1.0, rel=2e-3)  # ECB mean of 2023: 7.0839 CNY a dollar
    assert "mean rate of 2023" in estimate.case.origins["exchange_rate"].reason


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("two"), "line 2: price 'two' is not a number"),
        (row("inf"), "line 2: price 'inf' is not a number"),
        (row("-2"), "line 2: a recorded rent is more than zero and per accelerator"),
        (row(unit="USD/node/hour"), "line 2: a recorded rent is more than zero and per accelerator"),
        (row(unit="USD/hour"), "does not say what it is per"),
        (row(as_of="lately"), "line 2: as_of 'lately' is not a date; write it like 2026-11 or 2026"),
        (
            "Cloud,x,1,,2,USD/accelerator/hour,on-demand,list,2025,nowhere,p. 1,true,\n",
            "line 2: cites 'nowhere'",
        ),
    ],
)
def test_a_fault_in_a_price_book_names_file_and_line(tmp_path: Path, bad: str, message: str) -> None:
    presets = folder(tmp_path, bad)
    with pytest.raises(QuestionError) as raised:
        answer(presets)
    assert message in str(raised.value)
    assert "toys-toy.csv" in str(raised.value)


def test_a_price_a_node_is_shared_by_its_cards() -> None:
    run = {"params": 7e9, "on": "nvidia-h100-sxm-80gb", "count": 8}
    per_node, per_card = (ask(Run(**run, price=price)) for price in ("16 USD/node/hour", "2 USD/gpu/hour"))
    assert float(per_node.cost.value) == pytest.approx(float(per_card.cost.value))


def test_a_currency_without_a_rate_of_that_year() -> None:
    with pytest.raises(
        EstimatorError, match=r"^--year: no exchange rate of CNY in 2001 is on record; choose 2016 to 2026$"
    ):
        ask(Run(params=7e9, currency="CNY", year=2001, price="2 USD/gpu/hour"))


def test_quantiles_interpolate() -> None:
    assert [quantile([1.0, 2.0, 6.0], share) for share in (0.0, 0.1, 0.5, 1.0)] == pytest.approx(
        [1, 1.2, 2, 6]
    )
