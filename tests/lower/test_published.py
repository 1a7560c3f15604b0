"""A run on record stands beside the answer to a question like it, and nowhere else."""

from __future__ import annotations

from estimator import Presets, Run, ask
from estimator.lower import lower
from estimator.report.answer import table

_405B = {"model": "llama-3.1-405b", "on": "nvidia-h100-sxm-80gb", "count": 16384}


def told(**given: object) -> str | None:
    return lower(Run.read(given, Presets()), Presets()).words.get("published")


def test_what_is_on_record_of_the_same_model_on_the_same_accelerator() -> None:
    assert told(**_405B) == (
        "Llama 3.1 405B (Meta, 2024): 41 % MFU, 30,840,000 accelerator-hours, for 1.56e+13 tokens, on 16,384 "
        "accelerators (Meta, Table 4: 16,384 cards, 8,192 tokens; 43 % on 8,192 cards, 38 % at 131,072 tokens; "
        "Meta, models/llama3_1/MODEL_CARD.md)"
    )


def test_another_accelerator_or_model_has_nothing_on_record() -> None:
    assert told(**{**_405B, "on": "nvidia-b200-sxm-180gb"}) is None
    assert told(params=65e9) is None
    assert told(model="qwen3-30b-a3b", on="nvidia-h100-sxm-80gb", count=8) is None


def test_the_answer_prints_it_below_the_parts_of_a_step() -> None:
    lines = table(ask(Run.read(_405B, Presets())), 10_000).split("\n\n")
    assert lines[-2].startswith("On record: Llama 3.1 405B (Meta, 2024): 41 % MFU")
    assert lines[-3].startswith("Of the wall clock are lost: ")
    assert lines[-4].startswith("A step of ")
