"""`estimate fleet`: its formats, totals of compute, and exit code 2 for whatever is wrong."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from estimator import FleetQuestion, load_fleet

from .run import Ran

Estimate = Callable[..., Ran]
POOLS = ("--pool", "64 x a100-sxm-80gb, site=a, mfu=50%", "--pool", "64 x a100-sxm-80gb, site=b, mfu=25%")
QUESTION = ("fleet", "--params", "7B", "--tokens", "1T", *POOLS)


def test_the_main_job(estimate: Estimate) -> None:
    ran = estimate(*QUESTION, "--link", "100 Gbit/s")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "7 billion parameters, 1 trillion tokens a run, on 128 accelerators in 2 pools"
    assert "A: 64 x nvidia-a100-sxm-80gb (bf16, a)" in ran.out
    rows = {line.split("  ")[0]: line for line in lines}
    # Twice as fast, so two thirds of a batch that is matched; half of each step waiting where shares are equal.
    assert "separate runs, one a pool" in rows["together"]
    assert rows["B"].split("  ")[0] == "B"
    assert "Between the sites gradients of 13 GiB cross each step" in ran.out
    assert "(DiLoCo, arXiv:2311.08105)" in ran.out


def test_the_document(estimate: Estimate) -> None:
    found = json.loads(estimate(*QUESTION, "--format", "json").out)
    assert list(found) == "schema question batch pools ways exchange warnings".split()
    assert found["schema"] == "estimator/fleet/1"
    assert found["question"]["params"] == 7e9
    assert [pool["on"] for pool in found["question"]["pools"]] == ["a100-sxm-80gb"] * 2
    assert [pool["site"] for pool in found["pools"]] == ["a", "b"]
    assert list(found["ways"]) == ["separate", "equal", "matched"]
    equal = found["ways"]["equal"]
    assert equal["lost"] == pytest.approx(1 / 3)
    assert [share["value"] for share in equal["shares"]] == [0.5, 0.5]
    assert [wait["value"] for wait in equal["waits"]] == pytest.approx([0.5, 0.0])
    for way in found["ways"].values():
        for name, unit in (
            ("throughput", "token/s"),
            ("wall_clock", "s"),
            ("energy", "kWh"),
            ("cost", "USD"),
        ):
            assert way[name]["unit"] == unit
            assert way[name]["low"] <= way[name]["value"] <= way[name]["high"]


def test_csv_has_every_number(estimate: Estimate) -> None:
    rows = list(csv.DictReader(io.StringIO(estimate(*QUESTION, "--format", "csv").out)))
    assert {row["of"] for row in rows} == {"A", "B", "separate", "equal", "matched"}
    found = {(row["of"], row["name"]): row for row in rows}
    assert float(found["equal", "wait_A"]["value"]) == pytest.approx(0.5)
    alone = float(found["A", "throughput"]["value"]), float(found["B", "throughput"]["value"])
    assert float(found["separate", "throughput"]["value"]) == pytest.approx(sum(alone))


def test_markdown(estimate: Estimate) -> None:
    assert "| lost by mixing |  | 33.3 % | 0 % |" in estimate(*QUESTION, "--format", "markdown").out


def test_a_question_file(estimate: Estimate, tmp_path: Path) -> None:
    text = """
        params = "7B"
        tokens = "1T"
        link = "100 Gbit/s"
        [[pools]]
        on = "a100-sxm-80gb"
        count = 64
        site = "a"
        mfu = 0.5
        [[pools]]
        on = "a100-sxm-80gb"
        count = 64
        site = "b"
        mfu = "25%"
    """
    path = tmp_path / "fleet.toml"
    path.write_text("\n".join(line.strip() for line in text.splitlines()), encoding="utf-8")
    assert estimate("fleet", str(path)).out == estimate(*QUESTION, "--link", "100 Gbit/s").out


def test_a_question_is_kept_and_asked_again(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    asked = estimate(*QUESTION, "--link", "100 Gbit/s", "--save", str(path))
    assert path.read_text(encoding="utf-8").splitlines()[:4] == [
        "# A question of `estimate fleet`; run it with: estimate fleet THIS_FILE",
        "params = 7000000000",
        "tokens = 1e+12",
        'link = "100 Gbit/s"',
    ]
    assert estimate("fleet", str(path)).out == asked.out
    assert load_fleet(path) == FleetQuestion.read(tomllib.loads(path.read_text(encoding="utf-8")))
    # An option replaces its own input alone.
    wide = estimate("fleet", str(path), "--link", "1000 Gbit/s").out
    assert wide == estimate(*QUESTION, "--link", "1000 Gbit/s").out


def test_one_way_alone(estimate: Estimate) -> None:
    out = estimate(*QUESTION, "--link", "100 Gbit/s", "--way", "matched").out
    assert "separate runs, one a pool" not in out
    assert "one run, shares like speeds" in out
    apart = estimate(*QUESTION, "--link", "100 Gbit/s", "--way", "separate").out
    assert "separate runs, one a pool" in apart
    assert "lost by mixing" not in apart
    assert "Between the sites" not in apart


def test_a_fleet_is_no_run(estimate: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    estimate(*QUESTION, "--link", "100 Gbit/s", "--save", str(path))
    error = (
        "Error: 'pools' make a question about a fleet, which estimate fleet, sweep and solve take; one run has no "
        "pools\n"
    )
    assert estimate("train", str(path)).err == error


def test_a_total_in_cards(estimate: Estimate) -> None:
    ran = estimate("fleet", "--compute", "20 EOPS", "--precision", "int8", "--on", "ascend-910-256t")
    assert ran.out.splitlines()[0] == "20 EOP/s in int8 are 39,063 x huawei-ascend-910, at 512 TOP/s each"
    assert "a total that does so is half as many accelerators: 19,532 here" in " ".join(ran.out.split())
    ran = estimate(
        "fleet", "--compute", "20 EOPS", "--precision", "fp16", "--on", "ascend-910-256t", "--format", "json"
    )
    found = json.loads(ran.out)
    assert found["accelerators"] == {"value": 78125.0, "low": 62500.0, "high": 78125.0}


def test_cards_in_p_and_e(estimate: Estimate) -> None:
    out = estimate("fleet", "--pool", "10000 x a100-sxm-80gb").out
    assert "bf16        3.12 EFLOP/s" in out
    assert "int8        6.24 EOP/s" in out


def test_a_cpu_against_a_gpu(estimate: Estimate) -> None:
    out = estimate("fleet", "--pool", "1 x epyc-9654", "--pool", "1 x a100-sxm-80gb").out
    rows = {line.split(" ")[0]: line for line in out.splitlines()}
    # 19.5 over 10.8 in fp32; in bf16 312 over 21.5.
    assert "1.81 (1.64 to 2.01)" in rows["fp32"]
    assert "14.5 (13.2 to 16.1)" in rows["bf16"]
    assert "to 116 times (int8 over fp64)" in " ".join(out.split())
    found = list(
        csv.DictReader(io.StringIO(estimate("fleet", "--pool", "2 x a100-sxm-80gb", "--format", "csv").out))
    )
    assert float(found[-1]["compute"]) == 1.248e15


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("--compute", "20 EOPS", "--on", "ascend-910-256t"),
            "--compute: '20 EOPS' does not say at which precision, and a chip's peak in INT8 is twice that in FP16; "
            "add --precision int8, or one of fp64, fp32, tf32, fp16, bf16, fp8, fp4",
        ),
        (
            ("--compute", "20 EOPS", "--precision", "int8", "--on", "a100", "--count", "8"),
            "--count: --compute asks for cards alone",
        ),
        (
            ("--compute", "20 EOPS", "--precision", "int8", "--on", "a100", "--pool", "3 x a100"),
            "--pool: --compute asks for cards alone",
        ),
        (
            ("--pool", "8 x a100", "--save", "fleet.toml"),
            "--save: a total of compute is no question to keep; give --params or --model too",
        ),
        (
            ("--pool", "8 x a100, mfu=0.5"),
            "--mfu: without a model there is no run; give --params or --model",
        ),
        (
            ("--pool", "8 x a101"),
            "--pool: no accelerator is called 'a101'; did you mean 'a10' or 'a10g' or 'a100'?",
        ),
        (
            ("--pool", "0 x a100"),
            "--pool: '0 x a100' is a pool of no accelerators; give it one or more, or leave it out",
        ),
        (
            (),
            "nothing says which accelerators: give --pool once or more; write it like '1024 x a100-sxm-80gb' or "
            "'1024 x a100-sxm-80gb, site=beijing, price=2 USD/gpu/hour'",
        ),
    ],
)
def test_a_fault_ends_with_code_2(estimate: Estimate, words: tuple[str, ...], error: str) -> None:
    ran = estimate("fleet", *words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {error}\n")


@pytest.mark.parametrize("count", ["-5", "0.4", "2.5", "1e9", "1e400", "nan"])
def test_totals_refuse_what_is_no_number_of_cards(estimate: Estimate, count: str) -> None:
    ran = estimate("fleet", "--pool", f"{count} x a100")
    assert (ran.code, ran.out, ran.err) == (
        2,
        "",
        f"Error: --pool: in '{count} x a100', '{count}' is no whole number of accelerators from 1 to 100,000,000\n",
    )


def test_draws_stand_below_the_answer(estimate: Estimate) -> None:
    plain, drawn = (estimate(*QUESTION, *more).out for more in ((), ("--draws", "64", "--seed", "3")))
    assert drawn.startswith(plain.rstrip("\n"))
    assert "Draws are of one run, shares like speeds (--way matched)." in drawn
    assert "Drawn 64 times (--seed 3), layout and count as found." in drawn
    assert "goodput" not in estimate(*QUESTION, "--way", "separate", "--draws", "64").out.lower()
    found = json.loads(estimate(*QUESTION, "--draws", "64", "--seed", "3", "--format", "json").out)["draws"]
    assert found["quantiles"]["cost"]["p10"] < found["quantiles"]["cost"]["p90"]
    rows = list(
        csv.DictReader(
            io.StringIO(estimate(*QUESTION, "--draws", "64", "--seed", "3", "--format", "csv").out)
        )
    )
    (cost,) = [row for row in rows if (row["of"], row["name"]) == ("draws", "cost_p10")]
    assert float(cost["value"]) == found["quantiles"]["cost"]["p10"]
