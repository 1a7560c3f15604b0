"""The layout that is found where none is given: near practice, and interleaved only where it comes out even."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimator import Case, Presets, Run, ask, evaluate
from estimator.arrays import array
from estimator.estimate import Estimate
from estimator.formulas.layout import Layout
from estimator.layouts import layouts
from estimator.lower import lower
from estimator.plan import planned


def column(found: Estimate, name: str) -> float:
    return float(found.case.columns[name])


def test_llama_405b_is_laid_out_as_it_was_trained() -> None:
    # Llama Team 2024, arXiv:2407.21783, Table 4: tensor 8, pipeline 16, data 128 on 16,384 H100s at 41 % MFU, no layer
    # recomputed (Section 3.3.2). Here norms and activation functions are: the paper frees what is not needed.
    found = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384))
    laid = {name: column(found, name) for name in ("tp", "pp", "cp", "recompute", "global_batch")}
    assert laid == {"tp": 8, "pp": 16, "cp": 1, "recompute": 3, "global_batch": 2048}
    assert column(found, "vpp") > 1
    assert found.case.words["recompute"] == "modules"
    # A question that names no layout asks for a run as most are, not for the best of them; the range holds it.
    assert float(found.mfu.low) < 0.41 < float(found.mfu.high)
    named = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384, tp=8, pp=16))
    assert 0.36 < float(named.mfu.value) < 0.46


def test_an_interleaved_pipeline_gets_as_many_micro_batches_as_stages() -> None:
    # 1,953 sequences of 8,192 are 16 M tokens: 128 replicas of 16 stages take 2,048 at a time, without stages 1,920.
    found = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384, tp=8, pp=16))
    assert (column(found, "zero"), column(found, "global_batch")) == (1, 2048)
    assert column(found, "vpp") > 1
    plain = ask(Run(model="llama-3.1-405b", on="nvidia-h100-sxm-80gb", count=16384, tp=8, pp=16, vpp=1))
    assert column(plain, "global_batch") == 1920


def test_nothing_is_recomputed_where_memory_is_enough() -> None:
    found = ask(Run(model="llama-2-7b", on="nvidia-h100-sxm-80gb", count=64, micro_batch=1))
    assert found.case.words["recompute"] == "none"


@pytest.mark.parametrize(
    ("model", "count", "batch", "published"),
    [
        # V. Korthikanti et al. 2022, arXiv:2205.05198, Table 3; BLOOM: T. Le Scao et al. 2022, arXiv:2211.05100,
        # Section 3.4.2: 70 layers, with embedding and head as a layer each in twelve stages of six.
        ("gpt3-175b", 64, 64, {"tp": 8, "pp": 8, "vpp": 3, "micro_batch": 1}),
        ("mt-nlg-530b", 280, 280, {"tp": 8, "pp": 35, "vpp": 3, "micro_batch": 1}),
        ("megatron-1t", 512, 512, {"tp": 8, "pp": 64, "vpp": 1, "micro_batch": 1}),
        ("bloom-176b", 384, 2048, {"tp": 4, "pp": 12, "vpp": 1, "micro_batch": 2}),
    ],
)
def test_published_layouts_are_among_those_tried(
    model: str, count: float, batch: float, published: dict[str, float]
) -> None:
    tried = layouts(lowered({"model": model, "count": count, "global_batch": batch})).columns
    assert np.any(np.all([tried[name] == value for name, value in published.items()], axis=0))


def test_stages_that_are_no_power_of_two_divide_the_layers_and_the_cards() -> None:
    # 126 layers, or 128 with embedding and head: of 9 * 2^7 cards 3, 6, 9 and 18 stages, of 2^10 none of these.
    def _stages(count: float) -> set[float]:
        return set(layouts(lowered({"model": "llama-3.1-405b", "count": count})).columns["pp"])

    powers = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0}
    assert _stages(1024.0) == powers | {64.0}
    assert _stages(1152.0) == powers | {64.0, 3.0, 6.0, 9.0, 18.0}


def test_of_a_shape_that_was_guessed_nothing_is_made_but_powers_of_two() -> None:
    tried = layouts(lowered({"params": 65e9, "count": 432})).columns["pp"]
    assert set(tried) == {1.0, 2.0, 4.0, 8.0, 16.0}


# Against every legal layout, one by one.

PRESETS = Presets()
OPEN: dict[str, dict[str, Any]] = {
    "dense": {"model": "llama-65b", "on": "nvidia-a100-sxm-80gb", "count": 256},
    "small": {"model": "llama-7b", "on": "nvidia-h100-sxm-80gb", "count": 24},
    "experts": {"model": "mixtral-8x7b", "on": "nvidia-h100-sxm-80gb", "count": 64},
    "long": {"model": "llama-7b", "on": "nvidia-h100-sxm-80gb", "count": 64, "seq": 65536},
    "partly given": {"model": "llama-65b", "count": 256, "tp": 8, "zero": 1, "global_batch": 512},
    "unfused": {"model": "llama-7b", "count": 16, "attention": "unfused"},
    "too large": {"model": "llama-3.1-405b", "on": "nvidia-rtx-3090", "count": 8},
}


def lowered(question: dict[str, Any]) -> Case:
    return lower(Run.read(question, PRESETS), PRESETS)


@pytest.mark.parametrize("name", OPEN)
def test_of_all_legal_layouts_that_fit_the_fastest_is_taken(name: str) -> None:
    case = lowered(OPEN[name])
    legal = layouts(case).columns
    found = evaluate(case.with_columns(legal))
    best = evaluate(planned(case))
    fast = progress(found, case)[fits(found)]
    assert np.size(found.values["memory"]) > 1
    if len(fast):
        assert fits(best)
        assert progress(best, case) >= 0.989 * fast.max()
    else:
        assert float(best.values["memory"]) <= found.values["memory"].min() * (1 + 1e-12)


def progress(found: Estimate, case: Case) -> Any:
    """Tokens a second; where the batch is open, over what a batch of so many needs more of them than a small one."""
    if "global_batch" not in case.free:
        return found.values["throughput"]
    usual = float(case.columns["global_batch"])
    return found.values["throughput"] / (1 + found.case.columns["global_batch"] / (4 * usual))


def fits(found: Estimate) -> Any:
    """Leave room for what estimates of memory stray."""
    return found.values["memory"] <= 0.95 * found.values["memory_usable"]


@pytest.mark.parametrize("name", OPEN)
def test_what_is_found_is_legal_and_what_is_given_stays(name: str) -> None:
    question = OPEN[name]
    found = planned(lowered(question))
    of = {part: float(found.columns[part]) for part in Layout._fields}
    assert all(of[part] == value for part, value in question.items() if part in of)
    replicas = of["count"] / (of["tp"] * of["pp"] * of["cp"])
    assert replicas == int(replicas)
    assert of["global_batch"] % (replicas * of["micro_batch"]) == 0
    assert of["tp"] <= of["per_node"]
    assert float(found.columns["heads"]) % of["tp"] == 0
    assert of["sequence_parallel"] == (of["tp"] > 1)
    assert (of["ep"] == 1) or float(found.columns["experts"]) % of["ep"] == 0
    given = {part: str(int(of[part])) for part in ("tp", "pp", "vpp", "cp", "ep", "zero", "micro_batch")}
    again = {
        **question,
        **given,
        "recompute": found.words["recompute"],
        "global_batch": int(of["global_batch"]),
    }
    assert evaluate(lowered(again)).values["modelled_time"] == pytest.approx(
        float(evaluate(found).values["modelled_time"]) / practice(found, lowered(again)), rel=1e-12
    )


def practice(found: Case, given: Case) -> float:
    """How much slower steps in planned layouts are taken to be than steps in given ones."""
    return float(found.columns["fit_slowness"] / given.columns["fit_slowness"])


def test_a_layout_that_is_given_whole_is_left_alone() -> None:
    given = {"tp": 8, "pp": 4, "vpp": 1, "cp": 1, "ep": 1, "zero": 1, "micro_batch": 1, "recompute": "full",
             "sequence_parallel": "on", "global_batch": 512}  # fmt: skip
    case = lowered({"model": "llama-65b", "count": 256, **given})
    assert case.free == frozenset()
    assert planned(case) is case


def test_questions_in_a_row_are_planned_each_as_alone() -> None:
    case = lowered(OPEN["dense"])
    counts = np.array([8.0, 64.0, 256.0, 1021.0, 4096.0])
    found = planned(case.with_columns({"count": counts}))
    for place, count in enumerate(counts):
        alone = planned(case.with_columns({"count": array(count)}))
        for name in case.free:
            assert np.broadcast_to(found.columns[name], counts.shape)[place] == alone.columns[name], (
                count,
                name,
            )


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({}, "--tp"),
        ({"tp": 8}, "--pp"),
        ({"tp": 8, "pp": 2}, "--vpp"),
        ({"tp": 8, "pp": 2, "vpp": 1, "cp": 1}, "--ep"),
    ],
)
def test_a_layout_that_was_found_names_an_option_that_is_open(given: dict[str, Any], option: str) -> None:
    case = planned(lowered({**OPEN["dense"], **given}))
    assert (case.origins["sharding"].kind, case.origins["sharding"].option) == ("assumed", option)
    reason = re.fullmatch(
        r"the fastest that fits, of ([\d,]+) legal layouts", case.origins["sharding"].reason
    )
    assert reason
    assert int(reason[1].replace(",", "")) == len(layouts(lowered({**OPEN["dense"], **given})).asked)


def test_where_none_fits_the_reason_says_so() -> None:
    reason = planned(lowered(OPEN["too large"])).origins["sharding"].reason
    assert re.fullmatch(r"none fits, and this takes the least memory, of [\d,]+ legal layouts", reason)


def test_where_no_layout_is_legal_the_question_keeps_what_it_has() -> None:
    case = lowered({"model": "llama-7b", "count": 1021, "global_batch": 64})
    strict = replace(case, free=case.free - {"replicas"})
    assert planned(strict) is strict


# An assumed batch and more accelerators than it has work for.


def test_an_assumed_batch_grows_where_that_is_worth_it() -> None:
    # LLaMA 7B was trained on 2,048 cards with 4 million tokens a step too: 1,024 sequences, where the law gives 233.
    found = ask(Run(params=7e9, tokens="140B", count=2048))
    assert column(found, "global_batch") == 1024
    assert float(found.mfu.value) > 0.2
    assert found.case.notes == ()
    assert found.case.origins["global_batch"].reason.endswith(
        "LLaMA 65B; in whole micro-batches of every replica"
    )


def test_a_batch_far_beyond_the_usual_one_is_told() -> None:
    # 2.5e9 tokens of 125e6 parameters: 4,194,304 * (1.875e18 / 5.46e23) ** 0.3271 tokens are 17 sequences.
    found = ask(Run(params=125e6, tokens="2.5B", count=4096))
    assert column(found, "global_batch") == 128
    assert found.case.notes == (
        "a batch of 128 sequences (0.524 million tokens), 7.5 times the usual one for this training, is taken to "
        "keep 4,096 accelerators busy: for the same loss it may need more tokens, which are not counted here",
    )


@pytest.mark.parametrize("count", [8192.0, 131072.0, 1048576.0])
def test_a_count_far_beyond_the_batch_still_gets_work_for_every_replica(count: float) -> None:
    case = lowered({"params": 125e6, "count": count})
    found = planned(case)
    of = {part: float(found.columns[part]) for part in Layout._fields}
    replicas = count / (of["tp"] * of["pp"] * of["cp"])
    assert of["global_batch"] >= replicas * of["micro_batch"]
    fewest = count / (8 * 8)  # tensor 8 within a node, and a stage for each of about eight layers
    assert of["global_batch"] <= max(2 * fewest, 8 * float(case.columns["global_batch"]))


def test_a_batch_that_is_given_does_not_grow() -> None:
    found = planned(lowered({"params": 7e9, "count": 2048, "global_batch": 256}))
    assert float(found.columns["global_batch"]) == 256
    assert found.notes == ()
