"""Measured rows as one case: hand-worked columns, what is assumed, and what cannot be estimated."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.errors import EstimatorError
from estimator.estimate import evaluate
from estimator.inputs.stacks import STACKS
from estimator.inputs.table import PRECISIONS
from estimator.measured import Lowered, Table, lower_rows, model_of, scorable, throughput_case, throughput_of
from estimator.presets import Presets

PRESETS = Presets()
ROW = {
    "id": "r", "source": "s", "accelerator": "nvidia-a100-sxm-80gb", "n_accelerators": "64",
    "accelerators_per_node": "8", "interconnect": "4x 100Gb RoCE per node", "model": "own", "n_layers": "32",
    "hidden": "4096", "n_heads": "32", "n_kv_heads": "8", "ffn_hidden": "14336", "glu": "true", "vocab": "128256",
    "seq_len": "8192", "precision": "bf16", "global_batch_seqs": "128", "micro_batch": "1", "grad_accum": "16",
    "tp": "4", "pp": "2", "vpp": "4", "dp": "8", "cp": "1", "ep": "1", "zero_stage": "1", "recompute": "full",
    "sequence_parallel": "true", "flash_attention": "true", "framework": "NeMo 24.07 (Megatron-Core)",
    "tokens_per_s_per_accelerator": "1000", "notes": "",
}  # fmt: skip


def lowered(*rows: dict[str, str]) -> Lowered:
    return lower_rows(Table.of(rows), PRESETS)


def column(name: str, **cells: str) -> float:
    found = lowered({**ROW, **cells})
    assert found.faults == [None]
    return float(np.asarray(found.case.columns[name])[0])


def span(name: str, unknown: str, **cells: str) -> tuple[float, float]:
    case = lowered({**ROW, **cells}).case
    ends = next(each for each in case.unknowns if each.name == unknown)
    return float(np.asarray(ends.low[name])[0]), float(np.asarray(ends.high[name])[0])


def fault(**cells: str) -> str:
    (found,) = lowered({**ROW, **cells}).faults
    return found.write() if found else ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layers", 32), ("hidden", 4096), ("heads", 32), ("kv_heads", 8), ("head_dim", 128), ("ffn", 14336),
        ("gated", 1), ("vocab", 128256), ("experts", 0), ("norms", 2), ("seq", 8192), ("count", 64), ("per_node", 8),
        ("tp", 4), ("pp", 2), ("vpp", 4), ("cp", 1), ("ep", 1), ("zero", 1), ("shard", np.inf),
        ("sequence_parallel", 1), ("unfused", 0), ("recompute", 2), ("micro_batch", 1), ("global_batch", 128),
        ("peak", 312e12), ("peak_16bit", 312e12), ("memory_bandwidth", 2039e9), ("scaleup_bandwidth", 234e9),
        ("scaleup_domain", 8), ("mesh", 0), ("scaleout_bandwidth", 0.94 * 6.25e9), ("stack", STACKS.index("megatron")),
        ("stack_year", 2024.5), ("precision", PRECISIONS.index("bf16")), ("packed", 0), ("method_offload", 0),
    ],
)  # fmt: skip
def test_a_printed_row_becomes_its_columns(name: str, value: float) -> None:
    assert column(name) == value


def test_nothing_of_a_printed_row_is_assumed() -> None:
    assert lowered(ROW).assumptions(0) == []


@pytest.mark.parametrize(
    ("cells", "name", "value"),
    [
        ({"vpp": "", "cp": "", "ep": ""}, "vpp", 1),
        ({"zero_stage": ""}, "zero", 1),
        ({"zero_stage": "", "framework": "llm-foundry/composer FSDP"}, "zero", 3),
        ({"sequence_parallel": ""}, "sequence_parallel", 1),
        ({"sequence_parallel": "", "tp": "1", "dp": "32"}, "sequence_parallel", 0),
        ({"sequence_parallel": "", "framework": "Megatron-DeepSpeed"}, "sequence_parallel", 0),
        ({"sequence_parallel": "", "framework": "NeMo 22.04 (Megatron)"}, "sequence_parallel", 0),  # before the paper
        ({"sequence_parallel": "", "framework": "NeMo 22.06 (Megatron)"}, "sequence_parallel", 1),
        ({"sequence_parallel": "true", "framework": "NeMo 22.04 (Megatron)"}, "sequence_parallel", 1),  # as printed
        ({"sequence_parallel": "", "framework": "Megatron-LM 2021"}, "sequence_parallel", 0),
        ({"flash_attention": ""}, "unfused", 0),
        ({"flash_attention": "false"}, "unfused", 1),
        ({"n_accelerators": ""}, "count", 64),  # 8 replicas of 4 x 2 cards
        ({"n_accelerators": "", "dp": ""}, "count", 8),  # one server
        ({"accelerators_per_node": ""}, "per_node", 8),  # that of the chip's usual server
        ({"n_kv_heads": ""}, "kv_heads", 32),
        ({"n_heads": "", "n_kv_heads": ""}, "heads", 32),  # heads 128 wide
        ({"glu": ""}, "gated", 1),
        ({"glu": "", "ffn_hidden": "16384"}, "gated", 0),  # four times as wide as the model
        ({"micro_batch": "", "grad_accum": "4"}, "micro_batch", 4),  # 128 sequences, 8 replicas, 4 steps
        ({"global_batch_seqs": ""}, "global_batch", 128),  # 1 x 8 x 16
        ({"notes": "ZeRO-1 within 4 DP ranks"}, "shard", 4),
        ({"notes": "sharding HYBRID_SHARD"}, "shard", 8),
        ({"notes": "offload: offload-opt-m"}, "method_offload", 1),
        ({"notes": "act_offload False"}, "method_offload", 0),
        ({"notes": "pack_sample_into_one=True"}, "packed", 1),
        ({"interconnect": ""}, "scaleout_bandwidth", 23.5e9),  # 94 % of the usual server: 8 cards of 200 Gbit/s
        ({"interconnect": "IB HDR (Selene)"}, "scaleout_bandwidth", 23.5e9),  # a port for every card
        ({"interconnect": "PCIe"}, "scaleup_bandwidth", 31e9),
        ({"interconnect": "NVL72"}, "scaleup_domain", 72),
        ({"precision": ""}, "precision", PRECISIONS.index("bf16")),
        ({"precision": "fp8"}, "peak", 312e12),  # the A100 has none: it runs in 16 bit
        ({"precision": "bfloat16 mixed"}, "precision", PRECISIONS.index("bf16")),
    ],
)  # fmt: skip
def test_a_blank_cell_takes_what_is_usual(cells: dict[str, str], name: str, value: float) -> None:
    assert column(name, **cells) == pytest.approx(value)


@pytest.mark.parametrize(
    ("chip", "cell", "precision"),
    [
        ("a100-sxm-80gb", "bf16", "bf16"),
        ("a100-sxm-80gb", "BFloat16 mixed", "bf16"),
        ("a100-sxm-80gb", "fp8", "bf16"),  # of which it has no units
        ("h100-sxm-80gb", "FP8", "fp8"),
        ("a100-sxm-80gb", "fp99", "bf16"),
        ("v100-sxm2-32gb", "", "fp16"),
    ],
)
def test_coefficients_are_those_of_the_precision_in_which_a_chip_runs(
    chip: str, cell: str, precision: str
) -> None:
    cells = {"accelerator": chip, "precision": cell}
    assert lowered({**ROW, **cells}).levels[0]["precision"] == precision
    same = column("fit_slowness", accelerator=chip, precision=precision)
    assert column("fit_slowness", **cells) == same
    assert column("precision", **cells) == PRECISIONS.index(precision)


@pytest.mark.parametrize(
    "cell",
    ["vpp", "cp", "ep", "zero_stage", "sequence_parallel", "recompute", "micro_batch", "vocab", "seq_len"],
)
def test_what_is_assumed_is_remembered(cell: str) -> None:
    names = {"zero_stage": "zero", "seq_len": "seq"}
    assert lowered({**ROW, cell: ""}).assumptions(0) == [names.get(cell, cell)]


@pytest.mark.parametrize(
    ("unknown", "name", "cells"),
    [
        ("vocab", "vocab", {"vocab": ""}),
        ("recompute", "recompute", {"recompute": ""}),
        ("seq", "seq", {"seq_len": ""}),
        ("ffn", "ffn", {"ffn_hidden": ""}),
        ("heads", "heads", {"n_heads": "", "n_kv_heads": ""}),
        ("global_batch", "global_batch", {"global_batch_seqs": "", "grad_accum": ""}),
    ],
)
def test_what_is_assumed_has_a_range(unknown: str, name: str, cells: dict[str, str]) -> None:
    low, high = span(name, unknown, **cells)
    assert low <= column(name, **cells) <= high
    assert low < high


def test_the_range_is_of_the_rows_that_assume_alone() -> None:
    case = lowered(ROW, {**ROW, "vocab": ""}).case
    ends = next(each for each in case.unknowns if each.name == "vocab")
    assert np.asarray(ends.low["vocab"])[0] == np.asarray(ends.high["vocab"])[0] == 128256


def test_a_family_is_the_mean_of_its_bins_between_their_ends() -> None:
    bins = [PRESETS.load("accelerators", f"huawei-ascend-910b{bin}").value("peak_bf16") for bin in (1, 2, 3)]
    cells = {"accelerator": "ascend-910b-atlas-900-a2"}
    assert column("peak", **cells) == pytest.approx(sum(bins) / 3)
    assert span("peak", "accelerator", **cells) == (min(bins), max(bins))
    assert lowered({**ROW, **cells}).assumptions(0) == ["accelerator"]
    assert lowered({**ROW, **cells}).chips == [("ascend-910b-atlas-900-a2", "ascend")]


def test_a_recorded_model_is_its_record_where_depth_and_width_agree() -> None:
    cells = {
        "model": "deepseek-v3",
        "n_layers": "61",
        "hidden": "7168",
        "n_heads": "128",
        "n_kv_heads": "128",
    }
    assert column("kv_rank", **cells) == 512.0  # the cells know nothing of latent attention
    assert column("kv_rank", **{**cells, "n_layers": "60"}) == 0.0
    assert column("layers", model="llama-65b", n_layers="", hidden="") == 80.0


def test_a_size_alone_gives_the_usual_shape() -> None:
    blank = dict.fromkeys(
        ("model", "n_layers", "hidden", "n_heads", "n_kv_heads", "ffn_hidden", "vocab", "glu", "seq_len"), ""
    )
    case = lowered({**ROW, **blank, "params": "6.74B"}).case
    assert float(evaluate(case).values["parameters"][0]) == pytest.approx(6.74e9, rel=1e-12)
    low, high = span("hidden", "shape", **blank, params="6.74B")
    assert low < column("hidden", **blank, params="6.74B") < high
    assert column("hidden", **{**blank, "model": "some-13b-chat"}) == pytest.approx(
        column("hidden", **blank, params="13e9")
    )
    assert column("hidden", **{**blank, "hidden": "4096"}, params="6.74B") == pytest.approx(4096)


def test_experts_replace_the_dense_block() -> None:
    cells = {"n_experts": "8", "experts_per_token": "2"}
    found = {
        name: column(name, **cells)
        for name in ("ffn", "expert_ffn", "experts", "experts_per_token", "moe_layers")
    }
    assert found == {"ffn": 0, "expert_ffn": 14336, "experts": 8, "experts_per_token": 2, "moe_layers": 32}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"accelerator": "flux"}, "unknown accelerator: 'flux'"),
        ({"accelerator": ""}, "unknown accelerator: the cell is blank"),
        ({"tp": "5"}, "degrees do not divide the count: tp 5 x pp 2 x cp 1 does not divide 64 accelerators"),
        ({"ep": "128"}, "more expert-parallel ranks than accelerators: ep 128 of 64 accelerators"),
        ({"pp": "64", "tp": "1"}, "more pipeline stages than layers: pp 64 of 32 layers"),
        ({"tp": "64", "pp": "1"}, "tensor-parallel ranks do not divide the heads: tp 64 of 32 heads"),
        ({"ep": "8"}, "expert-parallel ranks do not divide the experts: ep 8 of 0 experts"),
        (
            {"ep": "4", "n_experts": "6", "experts_per_token": "2"},
            "expert-parallel ranks do not divide the experts: ep 4 of 6 experts",
        ),
        (
            {"cp": "8", "tp": "1", "pp": "1", "seq_len": "1001"},
            "context-parallel ranks do not divide the sequence: cp 8 of 1001 tokens",
        ),
        (
            {"n_layers": "", "hidden": ""},
            "no model size: give a recorded model, params, or n_layers and hidden",
        ),
        (
            {"n_layers": "", "hidden": "", "params": "lots"},
            "no model size: give a recorded model, params, or n_layers and hidden",
        ),
        ({"hidden": "wide"}, "hidden is not a whole number from 1 to 1e+09: 'wide'"),
        ({"n_experts": "2", "experts_per_token": "4"}, "a token passes more experts than there are: 4 of 2"),
        ({"zero_stage": "4"}, "zero_stage is not a whole number from 0 to 3: '4'"),
    ],
)
def test_a_row_that_cannot_be_estimated_says_why(cells: dict[str, str], reason: str) -> None:
    assert fault(**cells) == reason


@pytest.mark.parametrize(
    "cells",
    [
        {"n_layers": "", "hidden": "", "params": "7B", "pp": "64", "tp": "1"},
        {"n_layers": "", "hidden": "", "params": "7B", "ep": "8"},
        {"n_heads": "", "n_kv_heads": "", "hidden": "5000", "tp": "16", "pp": "4"},
        {"seq_len": "", "cp": "16", "tp": "1", "pp": "1"},
    ],
)
def test_what_was_only_guessed_breaks_no_rule(cells: dict[str, str]) -> None:
    assert lowered({**ROW, **cells}).faults == [None]


def test_a_faulty_row_is_left_out_of_the_case_and_the_others_stay() -> None:
    found = lowered(ROW, {**ROW, "accelerator": "flux"}, {**ROW, "n_layers": "16"})
    assert found.kept.tolist() == [0, 2]
    assert np.asarray(found.case.columns["layers"]).tolist() == [32.0, 16.0]


def test_rows_that_are_all_faulty_give_an_empty_case() -> None:
    found = lowered({**ROW, "accelerator": "flux"})
    assert found.kept.tolist() == []
    assert np.asarray(found.case.columns["peak"]).shape == (0,)


def test_throughput_case_refuses_a_faulty_row() -> None:
    with pytest.raises(EstimatorError, match=r"^row r: unknown accelerator: 'flux'$"):
        throughput_case([{**ROW, "accelerator": "flux"}], PRESETS)


def test_every_scorable_row_is_lowered_to_columns_of_one_shape() -> None:
    rows = [row.cells for row in PRESETS.rows("measurements/throughput") if scorable(row.cells)]
    case = throughput_case(rows, PRESETS)
    assert len(rows) == 869
    assert {np.asarray(values).shape for values in case.columns.values()} == {(869,)}
    found = np.asarray(evaluate(case).values["throughput_per_accelerator"])
    assert np.all(np.isfinite(found) & (found > 0.0))


def test_a_row_means_the_same_alone_and_among_others() -> None:
    rows = [row.cells for row in PRESETS.rows("measurements/throughput") if scorable(row.cells)][::60]
    together = throughput_case(rows, PRESETS)
    for place, row in enumerate(rows):
        alone = throughput_case([row], PRESETS)
        for name, values in alone.columns.items():
            assert np.asarray(values)[0] == pytest.approx(
                np.asarray(together.columns[name])[place], rel=1e-12, nan_ok=True
            ), (row["id"], name)


def test_the_target_is_printed_or_follows_from_the_step() -> None:
    step = {**ROW, "tokens_per_s_per_accelerator": "", "iter_time_s": "16"}
    found = np.asarray(throughput_of([ROW, step, {**step, "iter_time_s": ""}]))
    assert found[:2].tolist() == [1000.0, 128 * 8192 / 16 / 64]
    assert np.isnan(found[2])


def test_dimensions_without_presets_are_those_of_the_cells() -> None:
    row = {**ROW, "model": "llama-65b", "n_layers": "80", "hidden": "8192"}
    assert float(np.asarray(model_of([row]).ffn)[0]) == 14336.0
    assert float(np.asarray(model_of([row], PRESETS).ffn)[0]) == 22016.0
