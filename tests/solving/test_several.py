"""Solutions on several accelerators at once, and how sure one is by its draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from estimator import EstimatorError, QuestionError, Run, ask, sample, solve
from estimator.report.solutions import page, sure_line
from estimator.solving.several import Each, solve_each, sure_of

ASKED: dict[str, Any] = {"params": "7B", "count": 256, "global_batch": 1024}


def each_of(**given: Any) -> list[Each]:
    return solve_each({**ASKED, "on": "h100,a100", **given}, "tokens", cost="1e5 USD")


def test_each_is_the_solution_of_its_accelerator_alone() -> None:
    several = each_of(price="3,2 USD/gpu/hour")
    assert [each.on for each in several] == ["h100", "a100"]
    for each, price in zip(several, (3, 2), strict=True):
        alone = solve({**ASKED, "on": each.on, "price": f"{price} USD/gpu/hour"}, "tokens", cost="1e5 USD")
        assert each.solution is not None
        assert (each.solution.value, each.solution.range) == (alone.value, alone.range)


def test_one_price_is_that_of_all_and_none_is_that_on_record() -> None:
    one, two = (each_of(price=price) for price in ("2 USD/gpu/hour", "2,2 USD/gpu/hour"))
    recorded = each_of()
    for first, second, own in zip(one, two, recorded, strict=True):
        assert first.solution is not None
        assert second.solution is not None
        assert own.solution is not None
        assert first.solution.value == second.solution.value
        alone = solve({**ASKED, "on": own.on}, "tokens", cost="1e5 USD")
        assert own.solution.value == alone.value


def test_prices_are_as_many_as_accelerators() -> None:
    with pytest.raises(QuestionError) as raised:
        each_of(price="1,2,3 USD/gpu/hour")
    assert str(raised.value) == (
        "--price: 3 prices for 2 accelerators of --on; give one, or one for each in the same order"
    )


def test_one_without_a_price_says_so_and_leaves_the_others_theirs() -> None:
    several = each_of(on="h100,ascend-910b")
    assert several[0].solution is not None
    assert several[1].solution is None
    told = page(several, [None, None]).write("table")
    assert "ascend-910b  not known" in told
    assert (
        "ascend-910b: --cost is not known at any --tokens: no on-demand price of huawei-ascend-910b2" in told
    )
    with pytest.raises(QuestionError, match=r"^--cost is not known at any --tokens: no on-demand price"):
        solve_each({**ASKED, "on": "ascend-910b,ascend-910b1"}, "tokens", cost="1e5 USD")


def test_a_misspelt_one_is_refused() -> None:
    with pytest.raises(EstimatorError, match="--on: no accelerator is called 'h10'; did you mean"):
        each_of(on="h100,h10")


def test_draws_tell_the_share_that_keeps_the_target() -> None:
    found = solve({**ASKED, "on": "h100"}, "tokens", cost="1e5 USD")
    sure = sure_of(found, 1024, 3)
    cost = np.asarray(sample(found.estimate.case, 1024, 3, wanted=["cost"]).values["cost"])
    # The very draws of `sample`, counted: the target is the estimate's own cost.
    assert sure.kept == float((cost <= 1e5).sum()) / 1024
    assert math.isnan(sure.in_time)
    assert math.isnan(sure.both)
    assert sure_line(found, sure) == (
        f"Of 1,024 draws (--seed 3), {sure.kept * 100:.3g} % keep the cost at most 100,000 USD."
    )


def test_the_value_at_the_high_end_is_nine_in_ten_sure() -> None:
    found = solve({**ASKED, "on": "h100"}, "tokens", cost="1e5 USD")
    sparing = ask(Run.read({**ASKED, "on": "h100", "tokens": found.range[0]}))
    drawn = np.asarray(sample(sparing.case, 4096, wanted=["cost"]).values["cost"])
    # The range is worked out from ends, not drawn: within a tenth of its width, 8 of 100.
    assert 0.82 < float((drawn <= 1e5).mean()) < 0.98


def test_a_deadline_and_a_target_are_kept_together_less_often_than_each() -> None:
    found = solve({"on": "h100", "within": "60 days", "price": "2 USD/gpu/hour"}, "params", cost="2e6 USD")
    sure = sure_of(found, 1024)
    assert 0 < sure.both <= min(sure.kept, sure.in_time) < 1
    said = sure_line(found, sure)
    assert " finish within 60 days, " in said
    assert said.endswith(" do both.")


def test_a_throughput_is_to_be_reached() -> None:
    found = solve({**ASKED, "on": "h100", "tokens": "1T", "count": None}, "count", throughput="1e6 token/s")
    drawn = np.asarray(sample(found.estimate.case, 1024, wanted=["throughput"]).values["throughput"])
    assert sure_of(found, 1024).kept == float((drawn >= 1e6).sum()) / 1024
    assert 0.4 < sure_of(found, 1024).kept < 1.0
