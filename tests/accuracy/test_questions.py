"""Scaling series, memory and published runs are asked as the page says."""

from __future__ import annotations

import numpy as np
import pytest

from estimator import Presets, Run, ask
from estimator.answer import sized, with_ranges
from estimator.arrays import array
from estimator.estimate import STEPS
from estimator.lower import lower

from .by_hand import CHIP, made, scores

from accuracy import asking, peaks, runs, series, store  # isort: skip


# Scaling.


def test_every_scored_series_is_named_once_and_its_rows_are_there() -> None:
    presets = Presets()
    known = {row.cells["id"]: row.cells for row in presets.rows("measurements/throughput")}
    named = series.named()
    for each in series.all_series(presets):
        assert (each.id in named["rows"]) != (each.id in named["models"]), each.id
        for name in named["rows"].get(each.id, ()):
            assert known[name]["source"] == each.rows[0]["source"] or each.id in named["unseen"], each.id
    assert {each.id for each in series.all_series(presets)} >= {*named["rows"], *named["models"]}


def test_an_end_of_a_series_is_its_row_at_the_count_and_batch_of_the_series() -> None:
    presets = Presets()
    found = {each.id: each for each in series.all_series(presets)}
    first, last = found["internevo_7b_tp1_zero1-1"].ends
    cells = series._row(first, "nv0632", presets)
    # The row has 128 sequences on 16 cards; the series is weak, at 8 cards.
    assert (cells["n_accelerators"], cells["global_batch_seqs"], cells["micro_batch"]) == ("8", "64", "2")
    first, last = found["mpt_70b_2048_a100_80gb_bf16"].ends
    cells = series._row(last, "nv0079", presets)
    # 4,194,304 tokens of 2,048 a sequence, micro-batches of 8 as its layout says.
    assert (cells["n_accelerators"], cells["global_batch_seqs"], cells["micro_batch"]) == ("64", "2048", "8")
    first, last = found["bloom_200b_async_gbs512"].ends
    assert series._row(last, "nv1075", presets)["global_batch_seqs"] == "512"


def test_a_series_asks_for_what_it_prints() -> None:
    found = {each.id: each for each in series.all_series(Presets())}
    first, _ = found["llama3_405b_strong_8k_seq"].ends
    # 16 million tokens are printed: the nearest whole number of micro-batches of 64 replicas and 16 stages.
    assert series.question(first) == {
        "model": "llama-3.1-405b", "on": "nvidia-h100-sxm-80gb", "count": 8192, "seq": 8192,
        "tp": 8, "cp": 1, "pp": 16, "global_batch": 2048,
    }  # fmt: skip
    first, _ = found["mlperf_v4.1_gpt3_NVIDIA_H100"].ends
    assert series.question(first)["stack"] == "megatron"
    assert found["llama3_405b_strong_8k_seq"].measured == pytest.approx(400 / 430)


# Memory.


def test_lomo_is_compared_part_by_part_and_over_all_cards() -> None:
    found = peaks.lomo(Presets())
    # Table 2: 13.61 GB on one card over 15.76 GB on each of eight.
    assert found.printed == pytest.approx(13.61 / (8 * 15.76), rel=1e-6)
    assert {part.part for part in found.parts} == set(peaks.PARTS)
    assert all(part.printed > 0 for part in found.parts)
    weights = next(part for part in found.parts if part.part == "memory_params_gb")
    assert weights.ours == pytest.approx(6.738e9 * 2 / 2**30, rel=1e-3)


# Published runs.


def test_llama_65b_against_the_published_hours() -> None:
    """Touvron et al. 2023, Table 15: 1,022,362 GPU-hours; Section 2.4: 2,048 A100s."""
    hours = ask(Run(model="llama-65b", tokens="1.4T", on=CHIP, count=2048)).accelerator_hours
    low, value, high = (float(end) / 3600 for end in (hours.low, hours.value, hours.high))
    assert value == pytest.approx(1_022_362, rel=0.15)
    assert low < 1_022_362 < high


def test_every_scored_run_can_be_asked_and_every_other_says_why_not() -> None:
    for record in Presets().all("runs"):
        if record.words["scored"]:
            assert {"tokens", "accelerator_hours"} <= set(record.figures), record.id
            assert record.words["accounting"] in ("productive", "occupied") or record.id == "bloom-176b"
        else:
            assert record.words["left_out"], record.id


def test_the_spreadsheet_is_6nd_over_peak_and_efficiency() -> None:
    estimate = ask(Run(params="10B", tokens="1T", on=CHIP, count=8))
    peak, exact = float(estimate.peak.value), float(estimate.flops_per_token.value)
    found = runs.at_mfu(estimate, array(0.4), "flops_6nd", array(1.0))
    assert float(found.value) == pytest.approx(6 * 10e9 * 1e12 / (peak * 0.4))
    found = runs.at_mfu(estimate, array(0.4), "flops_per_token", array(1.0))
    assert float(found.value) == pytest.approx(exact * 1e12 / (peak * 0.4))


def test_runs_that_have_kin_are_replaced_by_what_was_foretold_without() -> None:
    presets = Presets()
    records = [presets.load("runs", name) for name in ("llama-7b", "llama-13b")]
    stored = [store.Foretold("run", "internlm-internevo", "llama-7b", 5.0, 4.0, 6.0)]
    found = runs.replaced(scores([1.0, 2.0], [3.0, 3.0]), records, stored)
    assert found.value.tolist() == [5.0, 2.0]
    assert found.low.tolist() == [4.0, 1.8]


def test_kin_is_of_the_same_shape_on_the_same_chip() -> None:
    case = lower(Run(model="llama-7b", on=CHIP, count=8), Presets())
    layers, hidden, ffn = (float(case.columns[name]) for name in ("layers", "hidden", "ffn"))
    rows = made(
        [1, 1, 1], accelerator=[CHIP, "other", CHIP], layers=[layers] * 3, hidden=[hidden] * 3,
        ffn=[ffn, ffn, 1.0], expert_ffn=[0.0, 0.0, 0.0],
    )  # fmt: skip
    assert runs.kin_of(case, rows).tolist() == [True, False, False]


def test_many_questions_in_one_evaluation_answer_as_one_by_one() -> None:
    """Questions with different unknowns and columns: the stack must not move what a case does not have."""
    presets = Presets()
    asked: list[dict[str, object]] = [
        {"params": 7e9, "on": CHIP, "count": 64},
        {"model": "llama-65b", "on": "a100", "count": 8, "mfu": 0.4, "price": "2 USD/gpu/hour"},
        {"params": 1e9, "on": "nvidia-v100-sxm2-32gb", "within": "9 days"},
        {"model": "mixtral-8x7b", "on": "h100", "nodes": 4, "pue": 1.2},
    ]
    together = asking.together(asking.lowered(asked, presets))
    for index, question in enumerate(asked):
        single = with_ranges(sized(lower(Run.read(question, presets), presets)))
        for step in STEPS:
            ours, alone = together.amount(step.name), single.amount(step.name)
            for end in ("low", "value", "high"):
                one = np.broadcast_to(getattr(ours, end), len(asked))[index]
                np.testing.assert_allclose(one, getattr(alone, end), rtol=1e-12, err_msg=step.name)


def test_a_question_says_what_the_record_states_and_no_more() -> None:
    record = Presets().load("runs", "pythia-1.4b")
    question = asking.question(record)
    assert set(question) <= {"on", "tokens", "model", "params", "count", "seq", "precision"}
    assert question["tokens"] == record.figures["tokens"].value
    assert set(question) - set(asking.question(record, stated_precision=False)) == {"precision"}
