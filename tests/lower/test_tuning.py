"""Fine-tuning in a question: samples and passes, the batch of a step, and what an answer makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from estimator import Run, ask
from estimator.errors import QuestionError
from estimator.lower import lower
from estimator.presets import Presets

PRESETS = Presets()
ASKED = {"model": "llama-2-7b", "on": "rtx-4090", "count": 1, "samples": "50k", "epochs": 3, "seq": 512}


def test_tokens_are_samples_times_passes_times_the_sequence() -> None:
    found = lower(Run(**ASKED), PRESETS)
    assert float(found.columns["tokens"]) == 50e3 * 3 * 512
    origin = found.origins["tokens"]
    assert (origin.kind, origin.option) == ("given", "--samples")
    assert origin.reason == "3 epochs of 50,000 samples, each padded or packed to 512 tokens"


def test_without_a_sequence_length_samples_have_the_one_assumed() -> None:
    found = lower(Run(**{**ASKED, "seq": None, "model": None, "params": 7e9, "epochs": 0.5}), PRESETS)
    assert float(found.columns["tokens"]) == 50e3 * 0.5 * 4096
    assert found.origins["tokens"].reason.startswith(
        "0.5 epochs of 50,000 samples, each padded or packed to 4,096"
    )
    assert found.origins["seq"].kind == "assumed"


def test_what_was_published_of_pre_training_is_not_told_of_a_fine_tuning() -> None:
    assert not any("was trained on" in note for note in lower(Run(**ASKED), PRESETS).notes)


@pytest.mark.parametrize(
    ("given", "batch"),
    [
        ({}, 64),
        ({"samples": None, "epochs": None, "tokens": "10M", "method": "lora"}, 64),
        ({"samples": None, "epochs": None, "tokens": "10M", "method": "qlora"}, 64),
        ({"global_batch": 16}, 16),
        # Pre-training: 6 * 6.74e9 * 10e6 FLOP are 7.41e-7 of LLaMA 65B's, and 4,194,304 * 0.00991 tokens a step.
        ({"samples": None, "epochs": None, "tokens": "10M"}, 81),
    ],
)
def test_fine_tuning_takes_small_steps(given: dict[str, Any], batch: float) -> None:
    assert float(lower(Run(**{**ASKED, **given}), PRESETS).columns["global_batch"]) == batch


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"tokens": "1B"}, "--tokens and --samples contradict each other; give one of them"),
        ({"dataset_tokens": "1B"}, "--dataset-tokens and --samples contradict each other; give one of them"),
        (
            {"tokens_per_param": 20},
            "--tokens-per-param and --samples contradict each other; give one of them",
        ),
        ({"epochs": None}, "--epochs and --samples belong together; give both, or --tokens"),
        (
            {"samples": None},
            "--epochs says nothing without a data set; give --dataset-tokens or --samples too, or --tokens",
        ),
        (
            {"samples": None, "epochs": None, "dataset_tokens": "1B"},
            "--epochs and --dataset-tokens belong together; give both, or --tokens",
        ),
        ({"samples": "many"}, "--samples: 'many' is not a count; write it like 65e9, 65B or 1.4T"),
        ({"samples": 0}, "--samples: '0' must be more than zero"),
    ],
)
def test_contradictions_are_named(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(QuestionError) as caught:
        Run(**{**ASKED, **given})
    assert fault in caught.value.faults


def test_adapters_on_one_card_take_hours_and_dollars() -> None:
    found = ask(Run(**ASKED, method="lora"))
    assert bool(found.fits)
    # 4 N tokens of frozen weights and a little for adapters, scores and logits.
    assert float(found.flops.value) == pytest.approx(4 * 6.74e9 * 76.8e6, rel=0.05)
    assert 0.3 < float(found.mfu.value) < 0.75
    assert 2 < float(found.wall_clock.value) / 3600 < 15
    assert 1 < float(found.cost.value) < 10


def test_full_training_and_four_bits_take_longer_than_adapters_in_16_bit() -> None:
    laid = {"tp": 1, "pp": 1, "zero": 0, "micro_batch": 1, "recompute": "none"}
    times = [
        float(ask(Run(**ASKED, **laid, method=method)).step_time.value)
        for method in ("lora", "qlora", "full")
    ]
    assert times == sorted(times)
    assert times[0] < times[1] < times[2]


def test_states_on_the_host_take_time() -> None:
    laid = {"tp": 1, "pp": 1, "zero": 0, "micro_batch": 1, "recompute": "full"}
    times = [
        float(ask(Run(**ASKED, **laid, offload=place)).step_time.value)
        for place in ("none", "optimizer", "all")
    ]
    assert times == sorted(times)
    found = ask(Run(**ASKED, **laid, offload="optimizer"))
    assert "host_memory_bandwidth" in {unknown.name for unknown in found.case.unknowns}
    assert (
        found.case.origins["host_bandwidth"].reason
        == "the host link of nvidia-rtx-4090 is PCI Express 4.0 x16"
    )
    assert found.case.origins["host_memory_bandwidth"].kind == "assumed"
    assert "host_memory_bandwidth" not in {each.name for each in ask(Run(**ASKED, **laid)).case.unknowns}


def test_a_host_too_small_for_what_is_put_there_is_told() -> None:
    asked = {"model": "llama-2-70b", "on": "rtx-4090", "count": 8, "zero": 3, "tp": 1, "pp": 1, "seq": 512}
    found = ask(Run(**asked, offload="all", tokens="10M"))
    used, there = 16 * float(found.parameters.value) / 2**30, 512
    assert float(found.host_memory_used.value) / 2**30 == pytest.approx(used, rel=1e-3)
    told = f"takes {used:,.0f} GiB, and consumer-8x4090 is on record with {there} GiB of memory"
    assert [note for note in found.case.notes if note.endswith(told)]
    small = ask(Run(**{**asked, "model": "llama-2-7b"}, offload="all", tokens="10M"))
    assert not any("on the host" in note for note in small.case.notes)
