"""Fine-tuning as rows tell of it: what such software does where a row's cells are silent."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.estimate import evaluate
from estimator.measured import Lowered, Table
from estimator.measured.memory import lower_memory
from estimator.measured.tuning import fine_tunes, prints_allocated
from estimator.presets import Presets

PRESETS = Presets()
RULES = PRESETS.load("assumptions", "memory")
ROW = {
    "id": "m", "kind": "measured", "accelerator": "nvidia-a100-sxm-80gb", "n_devices": "1", "model": "LLaMA-7B",
    "params": "6.74B", "method": "lora", "optimizer": "AdamW", "lora_rank": "8", "precision": "bf16", "zero_stage": "",
    "offload": "", "seq_len": "1024", "micro_batch": "1", "grad_accum": "8", "activation_checkpointing": "",
    "flash_attention": "2", "framework": "HF Trainer/PEFT", "peak_memory_bytes_per_device": "2e10", "notes": "",
}  # fmt: skip


def lowered(**cells: str) -> Lowered:
    return lower_memory(Table.of([{**ROW, **cells}]), PRESETS)


def column(name: str, **cells: str) -> float:
    found = lowered(**cells)
    assert found.faults == [None]
    return float(np.asarray(found.case.columns[name])[0])


@pytest.mark.parametrize(
    ("cells", "name", "value"),
    [
        # Libraries on PyTorch's own modules run operation by operation, whatever they shard with.
        ({}, "eager", 1),
        ({"framework": "HF Trainer/PEFT/DeepSpeed"}, "eager", 1),
        ({"framework": "torchtune"}, "eager", 1),
        ({"framework": "Megatron-LM", "method": "full"}, "eager", 0),
        # Fine-tuning recomputes where nothing is said; pre-training does not.
        ({}, "recompute", 2),
        ({"activation_checkpointing": "False"}, "recompute", 0),
        ({"framework": "Megatron-LM", "method": "full"}, "recompute", 0),
        # Several cards share one copy of what is fine-tuned; one card does not.
        ({}, "zero", 0),
        ({"n_devices": "4"}, "zero", 3),
        ({"n_devices": "4", "zero_stage": "2"}, "zero", 2),
        ({"n_devices": "4", "zero_stage": "(config; ZeRO-3 for full training)"}, "zero", 2),
        # Adapters, and full training without a sharding library, keep two states of 16 bit.
        ({}, "optimizer_master", 0),
        ({}, "optimizer_states", 4),
        ({"method": "full"}, "optimizer_master", 0),
        ({"method": "full", "framework": "HF DeepSpeed"}, "optimizer_master", 4),
        ({"method": "full", "optimizer": "8-bit AdamW"}, "optimizer_states", 2),
        ({"method": "lora (emb)"}, "method_outer", 1),
        ({}, "method_outer", 0),
        ({"method": "full (emb)"}, "method_outer", 0),
        # What the update copies.
        ({"method": "full"}, "update_copies", RULES.value("update_copies_16_bit")),
        ({"method": "full", "framework": "HF DeepSpeed"}, "update_copies", RULES.value("update_copies")),
        ({"method": "full", "optimizer": "GaLore AdamW"}, "update_copies", 0),
        # Losses in chunks, scores written before fused kernels came.
        ({"framework": "torchtune"}, "logit", RULES.value("logit") / RULES.value("loss_chunks")),
        ({"framework": "LOMO repo", "flash_attention": ""}, "unfused", 1),
        ({"seq_len": ""}, "seq", 2048),
    ],
)
def test_what_software_does_where_a_row_is_silent(cells: dict[str, str], name: str, value: float) -> None:
    assert column(name, **cells) == value


@pytest.mark.parametrize(
    ("cells", "allocated"),
    [
        ({}, False),
        ({"framework": "torchtune"}, True),
        ({"GB_or_GiB": 'GB; "peak memory allocated per GPU"'}, True),
        ({"notes": '"Peak Memory Active"'}, True),
        ({"memory_params_gb": "12.55"}, True),
        ({"notes": "nvidia-smi"}, False),
    ],
)
def test_rows_that_print_what_is_allocated_count_nothing_beside(
    cells: dict[str, str], allocated: bool
) -> None:
    assert prints_allocated(Table.of([{**ROW, **cells}])).tolist() == [allocated]
    found = evaluate(lowered(**cells).case)
    beside = sum(
        float(found.parts["memory"][name][0]) for name in ("communication", "context", "fragmentation")
    )
    assert (beside == 0) is allocated


def test_what_fine_tunes() -> None:
    rows = [
        ROW,
        {**ROW, "method": "full"},
        {**ROW, "framework": "Megatron-LM"},
        {**ROW, "framework": "Megatron-LM", "method": "full"},
        {**ROW, "framework": "", "source": "lomo", "method": "full"},
    ]
    assert fine_tunes(Table.of(rows)).tolist() == [True, True, True, False, True]


def test_fine_tuning_has_the_wider_range() -> None:
    def high(**cells: str) -> float:
        unknowns = {unknown.name: unknown for unknown in lowered(**cells).case.unknowns}
        return float(np.asarray(unknowns["activation_spread"].high["activation_spread"])[0])

    assert high() > high(framework="Megatron-LM", method="full") > 1
