"""The warning of a batch beyond the critical batch size."""

from __future__ import annotations

from typing import Any

import pytest

from estimator.answer import ask
from estimator.inputs import Run
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
