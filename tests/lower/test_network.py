"""What a question says of its network and of its routing: columns, origins and exact messages."""

from __future__ import annotations

import math
from typing import Any

import pytest

from estimator import QuestionError, Run, ask
from estimator.case import Case
from estimator.lower import lower
from estimator.presets import Presets

PRESETS = Presets()
LLAMA: dict[str, Any] = {"model": "llama-3.1-405b", "count": 16384, "tp": 8, "pp": 16}
MIXTRAL: dict[str, Any] = {"model": "mixtral-8x7b", "count": 64, "tp": 1, "pp": 1, "ep": 8}
FIXED: dict[str, Any] = {
    **MIXTRAL, "micro_batch": 1, "recompute": "none", "zero": 1, "cp": 1, "vpp": 1, "sequence_parallel": "off",
    "global_batch": 1024,
}  # fmt: skip


def case(**given: Any) -> Case:
    return lower(Run.read(given, PRESETS), PRESETS)


def columns(found: Case, *names: str) -> list[float]:
    return [float(found.columns[name]) for name in names]


def faults(**given: Any) -> list[str]:
    with pytest.raises(QuestionError) as caught:
        case(**given)
    return list(caught.value.faults)


# The network.


def test_a_given_bandwidth_is_what_the_network_has_and_collectives_reach_a_share_of_it() -> None:
    found = case(**LLAMA, scaleout_bandwidth="100 Gbit/s/gpu")
    assert columns(found, "scaleout_bandwidth") == pytest.approx([0.94 * 12.5e9])
    origin = found.origins["scaleout_bandwidth"]
    assert (origin.kind, origin.reason, origin.option) == (
        "given", "of which collectives reach 94%", "--scaleout-bandwidth",
    )  # fmt: skip


def test_what_the_record_says_given_again_changes_nothing() -> None:
    # 3,200 Gbit/s of a server of eight.
    silent, given = (case(**LLAMA, **more) for more in ({}, {"scaleout_bandwidth": "400 Gbit/s/gpu"}))
    assert columns(given, "scaleout_bandwidth") == columns(silent, "scaleout_bandwidth")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, (1.0, math.inf), id="nothing is lost"),
        pytest.param({"oversubscription": 2}, (2.0, 256.0), id="the usual pod"),
        pytest.param({"oversubscription": 2, "pod": 512}, (2.0, 512.0), id="both given"),
        pytest.param({"platform": "meta-24k"}, (7.0, 3072.0), id="of the platform"),
        pytest.param({"platform": "meta-24k", "pod": 64}, (7.0, 64.0), id="given over the platform's"),
        pytest.param({"platform": "cfff"}, (1.0, math.inf), id="a platform that says nothing of it"),
    ],
)
def test_pods_and_the_spine_between_them(given: dict[str, Any], expected: tuple[float, float]) -> None:
    assert columns(case(**LLAMA, **given), "oversubscription", "pod") == list(expected)


def test_an_assumed_pod_is_listed_with_its_option() -> None:
    found = case(**LLAMA, oversubscription=2)
    assert (found.origins["pod"].kind, found.origins["pod"].option) == ("assumed", "--pod")
    named = case(**LLAMA, platform="meta-24k")
    assert named.origins["oversubscription"].kind == "preset"
    assert named.origins["oversubscription"].reason.startswith("Meta's 24K-GPU cluster (RoCE): Section 3.3.1")
    assert not [note for note in named.notes if "scaling efficiency" in note]


def test_a_spine_slows_a_run_and_no_run_within_a_pod() -> None:
    small = {**LLAMA, "count": 128, "global_batch": 128}
    for question, slower in ((LLAMA, True), (small, False)):
        free, thin = (
            float(ask(Run.read({**question, **more}, PRESETS), PRESETS).values["step_time"])
            for more in ({}, {"oversubscription": 50, "pod": 128})
        )
        assert (thin > free * 1.05) == slower
        assert thin >= free


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"pod": 64},
            "--pod says nothing without --oversubscription: how much less its spine takes than pods can send, like 2",
        ),
        (
            {"scaleout_bandwidth": "400 Gbit/s"},
            "--scaleout-bandwidth: '400 Gbit/s' measures bandwidth, but byte/accelerator/s is asked for, like "
            "'400 Gbit/s/gpu'",
        ),
        (
            {"scaleout_bandwidth": "3200 Gbit/s/node"},
            "--scaleout-bandwidth: '3200 Gbit/s/node' measures byte/node/s, but byte/accelerator/s is asked for, like "
            "'400 Gbit/s/gpu'",
        ),
        (
            {"oversubscription": 0.5},
            "--oversubscription: '0.5' is less than 1, the least that makes sense here",
        ),
    ],
)
def test_what_is_wrong_with_a_network_is_told(given: dict[str, Any], message: str) -> None:
    assert faults(params="7B", **given) == [message]


def test_a_network_is_written_and_read_back() -> None:
    run = Run.read(
        {**LLAMA, "scaleout_bandwidth": "100 Gbit/s/gpu", "oversubscription": 3, "pod": 64}, PRESETS
    )
    assert Run.read(run.write(), PRESETS) == run


# Routing.


def test_an_even_load_is_assumed_of_experts_and_in_doubt() -> None:
    found = case(**MIXTRAL)
    assert columns(found, "expert_imbalance") == [1.0]
    assert (found.origins["expert_imbalance"].kind, found.origins["expert_imbalance"].option) == (
        "assumed", "--expert-imbalance",
    )  # fmt: skip
    (doubt,) = [unknown for unknown in found.unknowns if "expert_imbalance" in unknown.high]
    assert float(doubt.high["expert_imbalance"]) == 1.47
    assert "expert_imbalance" not in {
        name for unknown in case(params="7B").unknowns for name in (*unknown.low, *unknown.high)
    }


def test_an_uneven_load_takes_longer_and_holds_more() -> None:
    even, uneven = (
        ask(
            Run.read({**FIXED, "expert_imbalance": ratio}, PRESETS),
            PRESETS,
        )
        for ratio in (1, 2)
    )
    for name in ("step_time", "memory"):
        assert float(uneven.values[name]) > float(even.values[name]) * 1.05
    assert float(uneven.parts["step_time"]["experts"]) > 1.5 * float(even.parts["step_time"]["experts"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"model": "llama-7b", "expert_imbalance": 2},
            "--expert-imbalance: llama-7b has no experts whose load could be uneven; leave it out",
        ),
        (
            {"model": "mixtral-8x7b", "expert_imbalance": 5},
            "--expert-imbalance: 5 is more than 4: with 2 of 8 experts a token, the fullest expert has at most 4 times "
            "the mean",
        ),
        (
            {"model": "mixtral-8x7b", "expert_imbalance": 0.5},
            "--expert-imbalance: '0.5' is less than 1, the least that makes sense here",
        ),
    ],
)
def test_what_is_wrong_with_a_load_is_told(given: dict[str, Any], message: str) -> None:
    assert faults(**given) == [message]


# An oversubscription.


@pytest.mark.parametrize("written", [7, "7", "7:1", "1:7", "3.5:0.5"])
def test_a_ratio_is_read_as_it_is_written(written: Any) -> None:
    assert columns(case(**LLAMA, oversubscription=written), "oversubscription") == [7.0]


@pytest.mark.parametrize("written", ["1:0", "1:2:3"])
def test_what_is_no_ratio_is_told(written: str) -> None:
    message = f"--oversubscription: '{written}' is no ratio; write it like 7 or 7:1"
    assert faults(params="7B", oversubscription=written) == [message]
