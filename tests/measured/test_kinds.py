"""Rows of peak memory and of whole runs in the words of rows of throughput."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimator import Run
from estimator.estimate import columns_of, evaluate
from estimator.formulas.cost import Spot
from estimator.formulas.memory_states import OFFLOADS
from estimator.layouts import FREE
from estimator.lower import lower
from estimator.measured import Lowered, Table
from estimator.measured.memory import lower_memory
from estimator.measured.runs import lower_runs, row_of
from estimator.presets import Presets

PRESETS = Presets()
MEMORY = {
    "id": "m", "kind": "measured", "device": "A100-SXM4-80G", "accelerator": "", "n_devices": "2", "model": "LLaMA-7B",
    "params": "6.74B", "method": "full", "optimizer": "AdamW", "lora_rank": "", "precision": "bf16", "zero_stage": "3",
    "offload": "none", "seq_len": "1024", "micro_batch": "1", "grad_accum": "8", "activation_checkpointing": "True",
    "flash_attention": "2", "framework": "DeepSpeed", "peak_memory_bytes_per_device": "4e10", "notes": "",
}  # fmt: skip
RUN = {
    "id": "r", "accounting": "productive", "model": "LLaMA-65B", "params_total": "65.2e9", "params_active": "",
    "tokens": "1.4e12", "accelerator": "A100-80GB", "n_accelerators": "2048", "batch_tokens": "4e6",
    "accelerator_hours": "1022362",
}  # fmt: skip


def memory(**cells: str) -> Lowered:
    return lower_memory(Table.of([{**MEMORY, **cells}]), PRESETS)


def column(found: Lowered, name: str) -> float:
    assert found.faults == [None]
    return float(np.asarray(found.case.columns[name])[0])


@pytest.mark.parametrize(
    ("cells", "name", "value"),
    [
        ({}, "layers", 32), ({}, "count", 2), ({}, "zero", 3), ({}, "recompute", 2), ({}, "unfused", 0),
        ({}, "global_batch", 16),  # 1 x 2 replicas x 8 steps
        ({"activation_checkpointing": "False"}, "recompute", 0),
        ({"zero_stage": "1 (distributed optimizer)"}, "zero", 1),
        ({"zero_stage": "", "method": "lora + deepspeed zero2"}, "zero", 2),
        ({"tp": "2"}, "tp", 2),
        ({"optimizer": "LOMO"}, "optimizer_fused", 1),
        ({"optimizer": "8-bit AdamW"}, "optimizer_states", 2),
        ({"optimizer": "SGD"}, "optimizer_states", 0),
        ({"precision": "pure bf16"}, "optimizer_master", 0),
        ({"optimizer": "GaLore AdamW", "method": "full+galore64"}, "optimizer_rank", 64),
        ({"method": "lora", "lora_rank": "64"}, "method_rank", 64),
        ({"method": "lora", "lora_rank": "64"}, "method_frozen", 1),
        ({}, "method_frozen", 0),
        ({"method": "qlora (int8 (gptq))"}, "method_base", 1.03),
        ({"offload": "optimizer"}, "method_offload", OFFLOADS.index("optimizer")),
        ({"offload": "params and optimizer"}, "method_offload", OFFLOADS.index("all")),
    ],
)  # fmt: skip
def test_a_row_of_memory_becomes_its_columns(cells: dict[str, str], name: str, value: float) -> None:
    assert column(memory(**cells), name) == pytest.approx(value)


def test_four_bits_take_less_than_sixteen() -> None:
    packed, plain = (
        column(memory(method=name, lora_rank="8"), "method_base") for name in ("qlora (int4 (bnb))", "lora")
    )
    assert 0.5 <= packed < 0.6 < plain == 2.0


def test_a_chip_that_nobody_names_is_no_fault_of_memory() -> None:
    found = memory(device="(profile; device not stated)")
    assert found.faults == [None]
    assert found.chips == [("nvidia-h100-sxm-80gb", "hopper")]
    assert "accelerator" in found.assumptions(0)
    assert "accelerator" not in memory().assumptions(0)


def test_a_stated_cap_of_the_length_widens_the_range() -> None:
    case = memory(notes="max_length is a cap: real samples are shorter").case
    ends = next(each for each in case.unknowns if each.name == "capped_seq")
    assert (np.asarray(ends.low["seq"])[0], np.asarray(ends.high["seq"])[0]) == (256.0, 1024.0)
    assert "capped_seq" not in {each.name for each in memory().case.unknowns}


def test_a_fault_names_the_column_of_memory() -> None:
    (found,) = memory(n_devices="two").faults
    assert found
    assert found.write() == "n_devices is not a whole number from 1 to 1e+08: 'two'"


def test_every_measured_row_of_memory_is_lowered() -> None:
    rows = [row.cells for row in PRESETS.rows("measurements/memory") if row.cells["kind"] == "measured"]
    found = lower_memory(Table.of(rows), PRESETS)
    assert len(rows) == 214
    assert [fault for fault in found.faults if fault] == []
    values = np.asarray(evaluate(found.case).values["memory"])
    assert np.all(np.isfinite(values) & (values > 0.0))


def runs(**cells: str) -> Lowered:
    return lower_runs(Table.of([{**RUN, **cells}]), PRESETS)


@pytest.mark.parametrize(
    ("cells", "name", "value"),
    [
        ({}, "layers", 80), ({}, "tokens", 1.4e12), ({}, "count", 2048),
        ({"seq_len": "2048"}, "global_batch", 1953),  # 4e6 tokens
        ({"model": "", "layers": "40", "hidden": "5120", "heads": "40", "ffn": "13824"}, "ffn", 13824),
    ],
)  # fmt: skip
def test_a_run_becomes_its_columns(cells: dict[str, str], name: str, value: float) -> None:
    assert column(runs(**cells), name) == pytest.approx(value)


def test_active_parameters_stand_before_all() -> None:
    sparse = runs(model="", params_total="400e9", params_active="17e9")
    assert float(evaluate(sparse.case).values["active_parameters"][0]) == pytest.approx(17e9)


def test_a_run_without_tokens_says_so() -> None:
    (found,) = runs(tokens="").faults
    assert found
    assert found.write() == "no training tokens"


def test_every_scored_record_of_a_run_is_lowered() -> None:
    rows = [row_of(record) for record in PRESETS.all("runs") if record.words["scored"]]
    found = lower_runs(Table.of(rows), PRESETS)
    assert len(rows) > 25
    assert [fault for fault in found.faults if fault] == []
    assert np.all(np.isfinite(evaluate(found.case).values["accelerator_hours"]))


def test_a_record_of_a_run_is_a_row() -> None:
    row = row_of(PRESETS.load("runs", "llama-65b"))
    assert (row["id"], row["model"], row["accelerator"]) == ("llama-65b", "llama-65b", "nvidia-a100-sxm-80gb")
    assert float(row["accelerator_hours"]) == pytest.approx(1022362)
    assert float(row["tokens"]) == 1.4e12


def test_a_run_that_prints_no_count_has_servers_that_finish_in_the_usual_time() -> None:
    found = runs(n_accelerators="", seq_len="2048")
    columns = {name: float(np.asarray(values)[0]) for name, values in found.case.columns.items()}
    within = PRESETS.load("assumptions", "defaults").value("within")
    values = evaluate(found.case).values
    hours_at_average = (
        columns["tokens"] * float(values["flops_per_token"][0]) / (columns["peak"] * columns["average_mfu"])
    )
    assert columns["count"] % columns["per_node"] == 0
    assert (
        hours_at_average / columns["count"]
        <= within
        < hours_at_average / (columns["count"] - columns["per_node"])
    )
    assert "count" in found.assumptions(0)


def test_a_run_leaves_open_what_it_does_not_print_of_its_layout() -> None:
    assert runs().case.free == FREE
    printed = runs(zero_stage="1", tp="8")
    assert printed.case.free == FREE - {"zero", "tp"}
    assert (column(printed, "zero"), column(printed, "tp")) == (1.0, 8.0)


def test_occupied_hours_hold_what_a_run_loses_and_productive_ones_do_not() -> None:
    names = ("goodput", "accelerator_hours", "occupied_hours")
    layout = {name: np.ones(()) for name in FREE}
    productive, occupied = (
        evaluate(
            lower_runs(Table.of([{**RUN, "accounting": word}]), PRESETS).case.with_columns(layout), names
        ).values
        for word in ("productive", "occupied")
    )
    assert float(productive["goodput"][0]) == 1.0
    assert float(productive["occupied_hours"][0]) == float(productive["accelerator_hours"][0])
    assert 0.5 < float(occupied["goodput"][0]) < 0.999
    assert float(occupied["occupied_hours"][0]) == pytest.approx(
        float(productive["accelerator_hours"][0]) / float(occupied["goodput"][0]), rel=1e-12
    )


def test_a_run_loses_what_a_question_loses() -> None:
    run = lower_runs(Table.of([{**RUN, "accounting": "occupied"}]), PRESETS).case
    asked = lower(
        Run.read({"model": "llama-65b", "on": "nvidia-a100-sxm-80gb", "count": 2048}, PRESETS), PRESETS
    )
    names = (columns_of(["goodput"]) - columns_of(["accelerator_hours", "checkpoint_size"])) | {"given_mtbi"}
    assert len(names) > 8
    for name in names - {f"spot_{part}" for part in Spot._fields}:  # no run on record is one of spot machines
        ours, theirs = (float(np.asarray(case.columns[name]).ravel()[0]) for case in (run, asked))
        assert ours == theirs or (math.isnan(ours) and math.isnan(theirs)), name
