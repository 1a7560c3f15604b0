"""`estimate solve`: a sentence that answers, the estimate below it, and one clear message for a fault."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .run import Ran

Estimate = Callable[..., Ran]
# The MFU and the layout are given, so that a solution is exact and quick.
BASE = (
    "--params", "7B", "--on", "h100", "--price", "2 USD/gpu/hour", "--mfu", "40%", "--global-batch", "1024",
    "--tp", "1", "--pp", "1", "--zero", "3", "--micro-batch", "1", "--recompute", "full",
    "--goodput", "1",
)  # fmt: skip
TOKENS = ("solve", "tokens", *BASE, "--count", "256", "--cost", "100000 USD")


def paragraphs(ran: Ran) -> list[str]:
    return [" ".join(part.split()) for part in ran.out.split("\n\n")]


def test_the_answer_comes_first_and_the_estimate_below_it(estimate: Estimate) -> None:
    ran = estimate(*TOKENS)
    # 50,000 hours at 0.4 of 989 TFLOP/s are 7.12e22 FLOP, at 47.8 GFLOP a token.
    first, title, *_ = paragraphs(ran)
    assert first == (
        "tokens = 1.49 trillion (1.41 to 1.53 trillion): the most that keeps the cost at most 100,000 USD. "
        "With the high end of the cost it is 1.41 trillion; with the low end, 1.53 trillion."
    )
    assert title.startswith(
        "7 billion parameters, 1.49 trillion tokens, 256 x nvidia-h100-sxm-80gb (32 nodes)"
    )
    assert "Cost                       100,000 USD" in ran.out
    assert (ran.code, ran.err) == (0, "")


def test_json_holds_value_range_target_and_estimate(estimate: Estimate) -> None:
    told = json.loads(estimate(*TOKENS, "--format", "json").out)
    assert told["schema"] == "estimator/solution/1"
    solved, target = told["solved"], told["target"]
    assert (solved["name"], solved["status"], solved["unit"]) == ("tokens", "found", "token")
    assert solved["at_high_end"] == {"status": "found", "value": solved["low"]}
    assert solved["at_low_end"] == {"status": "found", "value": solved["high"]}
    assert target["value"] == 100000.0
    assert target["reached"] == pytest.approx(100000.0, rel=1e-9)
    assert target["side"] == "at most"
    assert told["estimate"]["tokens"]["value"] == solved["value"]
    assert told["estimate"]["cost"]["value"] == target["reached"]
    assert told["laws"] == []
    assert told["notes"][0].startswith("tokens = 1.49 trillion")


def test_csv_begins_with_what_was_solved(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate(*TOKENS, "--format", "csv").out)))
    tokens = next(row for row in rows if row["name"] == "tokens" and not row["part"])
    assert (rows[0]["name"], rows[0]["part"], rows[0]["value"]) == ("tokens", "solved", tokens["value"])
    assert float(rows[0]["low"]) < float(rows[0]["value"]) < float(rows[0]["high"])


def test_markdown_begins_with_the_answer(estimate: Estimate) -> None:
    out = estimate(*TOKENS, "--format", "markdown").out
    assert out.startswith("**tokens = 1.49 trillion (1.41 to 1.53 trillion): the most that keeps the cost")
    assert "\n- With the high end of the cost" in out


def test_what_can_be_trained_for_two_million_in_sixty_days(estimate: Estimate) -> None:
    asked = ("solve", "params", "--cost", "2e6 USD", "--within", "60 days", "--mfu", "40%")
    first = paragraphs(estimate(*asked, "--on", "nvidia-h100-sxm-80gb", "--price", "2 USD/gpu/hour"))[0]
    assert "the most that keeps the cost at most 2 million USD." in first
    assert "accelerators finish within 60 days; at the high end of the wall clock it is 6" in first
    assert "Tokens by Besiroglu et al. 2024: " in first
    assert "By Hoffmann et al. 2022, Approach 3, as much compute is best spent on " in first


def test_serving_is_weighed_against_training(estimate: Estimate) -> None:
    out = paragraphs(
        estimate("solve", "params", *BASE[2:], "--count", "256", "--cost", "1e5 USD", "--served", "10T")
    )[0]
    assert "To serve 10 trillion tokens it is trained longer than is best for training alone, where " in out
    assert " times as much compute as that, training and serving together " in out


def test_limits_are_told_where_nothing_reaches_the_target(estimate: Estimate) -> None:
    late = estimate(
        "solve",
        "mfu",
        "--params",
        "70B",
        "--tokens",
        "1.4T",
        "--on",
        "h100",
        "--count",
        "64",
        "--within",
        "30 days",
        "--goodput",
        "1",
    )
    assert paragraphs(late)[0] == (
        "No value of mfu keeps the wall clock at most 30 days: the limit is 114 days, at mfu = 100 %."
    )
    assert late.code == 0
    told = json.loads(
        estimate(
            "solve", "price", *BASE[:4], *BASE[6:], "--count", "64", "--energy", "1 MWh", "--format", "json"
        ).out
    )
    assert (told["solved"]["status"], told["solved"]["value"]) == ("none", None)
    assert told["notes"][0].startswith("No value of price keeps the energy at most 1 MWh: it is ")
    assert told["notes"][0].endswith(" MWh at all of them.")
    free = estimate("solve", "price", *BASE[:4], *BASE[6:], "--count", "64", "--energy", "1 TWh")
    assert paragraphs(free)[0].startswith("Any value of price keeps the energy at most 1 TWh: it is ")
    cheap = estimate("solve", "mfu", *BASE[:6], "--count", "64", "--cost", "1e12 USD")
    assert paragraphs(cheap)[0].startswith(
        "Any value of mfu keeps the cost at most 1 trillion USD: the most that was found is "
    )


def test_what_limits_a_value_is_told_with_what_it_comes_to(estimate: Estimate) -> None:
    out = paragraphs(estimate("solve", "params", *BASE[2:], "--count", "8", "--cost", "1e12 USD"))[0]
    assert (
        "No value comes nearer: beyond this value the run does not fit on its cards. With this one the cost is "
        in out
    )
    assert "With the high end" not in out


def test_no_count_reaches_a_deadline_of_an_hour(estimate: Estimate) -> None:
    ran = estimate(
        "solve", "count", "--params", "70B", "--tokens", "1.4T", "--on", "h100", "--within", "1 hour"
    )
    assert paragraphs(ran)[0].startswith(
        "No value of count keeps the wall clock at most 60 minutes: the limit is "
    )


def test_a_question_file_loses_what_is_asked_for(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'params = "7B"\non = "h100"\nmfu = 0.4\ntokens_per_param = 20\nwithin = "30 days"\n', encoding="utf-8"
    )
    count = estimate("solve", "count", str(path)).out
    assert "the least that keeps the wall clock at most 30 days" in count
    tokens = estimate("solve", "tokens", str(path), "--cost", "1e5 USD").out
    assert "accelerators finish within 30 days" in " ".join(tokens.split())
    both = estimate("solve", "tokens", str(path), "--tokens", "1T", "--cost", "1e5 USD")
    assert both.err == "Error: --tokens is what is asked for; leave it out\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cost", "2 kWh"), "--cost: '2 kWh' measures energy, but money is asked for, like '2e6 USD'"),
        (("--cost", "nan USD"), "--cost: 'nan USD' is not a number"),
        (("--cost", "0 USD"), "--cost: '0 USD' must be more than zero"),
        (("--energy", "-1 MWh"), "--energy: '-1 MWh' must be more than zero"),
        (
            ("--aim", "costs=1 USD"),
            "there is no quantity 'costs' to reach; did you mean 'cost' or 'own_cost'?",
        ),
        (("--aim", "mfu"), "--aim: 'mfu' is not NAME=VALUE; write it like mfu=40%"),
        (
            ("--aim", "cost=1 USD", "--cost", "1 USD"),
            "--aim: cost is given by --cost too; leave one of them out",
        ),
        (("--cost", "1 USD", "--carbon", "1 t"), "--cost and --carbon are 2 targets; give one"),
        (("--cost", "1 USD", "--tokens", "1T"), "--tokens is what is asked for; leave it out"),
    ],
)
def test_bad_input_is_one_message(estimate: Estimate, words: tuple[str, ...], message: str) -> None:
    ran = estimate("solve", "tokens", "--params", "7B", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {message}\n")


def test_several_accelerators_are_rows_of_one_table(estimate: Estimate) -> None:
    asked = ("solve", "tokens", "--params", "7B", "--count", "256", "--cost", "1e5 USD", "--on", "h100,a100",
             "--draws", "1024")  # fmt: skip
    ran, told = estimate(*asked), json.loads(estimate(*asked, "--format", "json").out)
    assert ran.out.startswith("tokens, the most that keeps the cost at most 100,000 USD:\n\non ")
    assert told["schema"] == "estimator/solutions/1"
    assert [each["on"] for each in told["found"]] == ["h100", "a100"]
    for each in told["found"]:
        alone = ("solve", *asked[1:8], "--on", each["on"])
        single = json.loads(estimate(*alone, "--draws", "1024", "--format", "json").out)
        assert each["solution"] == single
        kept = f"Of 1,024 draws (--seed 0), {single['draws']['kept'] * 100:.3g} % keep the cost at most 100,000 USD."
        assert kept in " ".join(estimate(*alone, "--draws", "1024").out.split())
        assert f"{each['on']}: {kept}" in " ".join(ran.out.split())
    assert max(map(len, ran.out.splitlines())) <= 100


@pytest.mark.parametrize("draws", ["none", "0", "1.5"])
def test_draws_of_a_solution_are_checked(estimate: Estimate, draws: str) -> None:
    ran = estimate("solve", "tokens", "--params", "7B", "--count", "8", "--cost", "10 USD", "--draws", draws)
    assert ran.code == 2
    assert ran.err.startswith("Error: --draws: ")


def test_programs_are_told_the_draws_and_their_sensitivity_too(estimate: Callable[..., Ran]) -> None:
    pytest.importorskip("scipy.stats")
    words = ("tokens", "--params", "7B", "--count", "8", "--on", "h100", "--cost", "1e4 USD", "--draws", "64")
    told = json.loads(estimate("solve", *words, "--sensitivity", "--format", "json").out)["draws"]
    assert {"kept", "quantiles", "sensitivity"} <= told.keys()
    rows = list(
        csv.DictReader(io.StringIO(estimate("solve", *words, "--sensitivity", "--format", "csv").out))
    )
    (median,) = (row for row in rows if row["name"] == "cost_p50")
    assert (float(median["value"]), median["origin"]) == (told["quantiles"]["cost"]["p50"], "drawn")
    assert any(row["name"] == "cost_total_order" for row in rows)
    plain = list(csv.DictReader(io.StringIO(estimate("solve", *words, "--format", "csv").out)))
    assert not any(row["name"] == "cost_total_order" for row in plain)
