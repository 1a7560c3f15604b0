"""The batch of a question that gives none, and the warning of a batch beyond the critical batch size."""

from __future__ import annotations

from typing import Any

import pytest

from estimator.answer import ask
from estimator.inputs import Run
from estimator.lower import lower
from estimator.presets import Presets


def warnings(**given: Any) -> list[str]:
    found = ask(Run.read({"on": "a100", "count": 1024, "seq": 4096, **given}, Presets()))
    return [note for note in found.case.notes if "critical batch" in note]


def test_a_batch_far_beyond_is_warned_of_with_both_numbers() -> None:
    (warning,) = warnings(model="llama-65b", tokens="1.4T", global_batch=65536)
    # By hand: N = 64.76e9 and D = 1.4e12 give L = (162.1 + 12.86) ** 0.103 = 1.702, and 2.1e8 / 12.59 tokens.
    assert warning == (
        "a step of 268,000,000 tokens is larger than the critical batch size of about 16,700,000 tokens at the "
        "loss of 1.70 that this run should reach: for the same loss it needs about 17.1 times the tokens of a "
        "small batch, which is not counted here (J. Kaplan et al., arXiv:2001.08361, Eqs. 1.4 and 1.5)"
    )


@pytest.mark.parametrize(
    "run",
    [
        {"model": "llama-65b", "tokens": "1.4T", "seq": 2048, "global_batch": 2048},
        {"model": "gpt3-175b", "tokens": "300B", "seq": 2048, "global_batch": 1600},
        {"model": "llama-3.1-405b", "tokens": "15.6T", "seq": 8192, "global_batch": 2048},
    ],
)
def test_published_runs_are_not_warned_of(run: dict[str, Any]) -> None:
    assert warnings(**run) == []


def test_without_a_batch_nothing_is_said() -> None:
    assert warnings(params="1e6") == []


def test_tokens_of_a_step_count_not_sequences() -> None:
    assert warnings(params="4.5e9", seq=1024, global_batch=4096) == []
    assert warnings(params="4.5e9", seq=4096, global_batch=4096) != []


def sequences(**given: Any) -> float:
    return float(lower(Run.read({"seq": 4096, **given}, Presets()), Presets()).columns["global_batch"])


def test_an_assumed_batch_grows_with_compute() -> None:
    # 4,194,304 * (6 * N * D / 5.46e23) ** 0.3271 tokens, N without rounding: 7e9 and 140e9 give 0.2273 of LLaMA 65B's
    # 1,024 sequences; 64 times the compute 64 ** 0.3271 = 3.898 times that.
    assert sequences(params=65e9, tokens="1.4T") == 1024
    assert sequences(params=7e9, tokens="140B") == 233
    assert sequences(params=7e9, tokens=140e9 * 64) == 907
    assert sequences(params=7e9, tokens="140B", seq=2048) == 465


def test_of_experts_those_count_that_a_token_passes() -> None:
    # Mixtral 8x7B: 12.88 of 46.7 billion parameters; 6 * 12.88e9 * 1e12 = 7.73e22 are 0.1415 of 5.46e23: 0.5275 * 1024.
    assert sequences(model="mixtral-8x7b", tokens="1T") == 540


def test_the_reason_tells_the_law_and_where_it_starts() -> None:
    origin = lower(Run(params=7e9, tokens="140B"), Presets()).origins["global_batch"]
    assert (origin.kind, origin.option) == ("assumed", "--global-batch")
    assert origin.reason == (
        "0.953 million tokens: batches grow with compute, to the power of 0.3271, from the 4.19 million of LLaMA 65B"
    )
    assert origin.figure
    assert origin.figure.source.locator == "arXiv:2401.02954"


def test_a_batch_on_record_rules_whatever_the_tokens() -> None:
    for tokens in ("1T", "15.6T"):
        origin = lower(Run(model="llama-3.1-405b", tokens=tokens), Presets()).origins["global_batch"]
        assert sequences(model="llama-3.1-405b", tokens=tokens, seq=8192) == 1953
        assert origin.reason.startswith("section 3.4.1, 16M tokens a batch")
