"""The machine of a question: node and chip, precision, memory and power."""

from __future__ import annotations

import math
from typing import Any

import pytest

from estimator import Estimate, EstimatorError, Presets, QuestionError, Run, ask

PRESETS = Presets()


def answer(**question: Any) -> Estimate:
    return ask(Run.read({"params": 7e9, "count": 8, **question}, PRESETS), PRESETS)


def test_a_node_brings_its_accelerator() -> None:
    estimate = answer(count=None, nodes=2, node="nvidia-dgx-a100-640")
    assert estimate.case.words["accelerator"] == "nvidia-a100-sxm-80gb"
    assert estimate.count.value == 16


@pytest.mark.parametrize(
    ("node", "on", "chip"),
    [
        ("huawei-atlas-800t-a2", None, "huawei-ascend-910b3"),
        ("huawei-atlas-800t-a2", "ascend-910b", "huawei-ascend-910b3"),  # the family leaves the bin open
        ("huawei-atlas-800t-a2", "Atlas-800T-A2", "huawei-ascend-910b3"),
        (
            "huawei-atlas-800t-a2",
            "910b2",
            "huawei-ascend-910b2",
        ),  # sold with it too: its record names the server
        ("nvidia-dgx-a100-640", "a100", "nvidia-a100-sxm-80gb"),
        ("nvidia-dgx-a100-320", "a100", "nvidia-a100-sxm-40gb"),
    ],
)
def test_a_node_settles_which_chip_of_a_family_is_meant(node: str, on: str | None, chip: str) -> None:
    assert answer(node=node, on=on).case.words["accelerator"] == chip


def test_a_node_and_a_chip_that_does_not_go_into_it_are_refused() -> None:
    message = (
        "--node: nvidia-dgx-a100-640 holds nvidia-a100-sxm-80gb, but --on says nvidia-a100-sxm-40gb; "
        "give one of them"
    )
    with pytest.raises(QuestionError) as raised:
        answer(node="nvidia-dgx-a100-640", on="nvidia-a100-sxm-40gb")
    assert raised.value.faults == (message,)


def test_the_family_of_a_server_and_its_node_name_the_same_chip() -> None:
    family, node = (
        PRESETS.load("families", "ascend-910b-atlas-800t-a2"),
        PRESETS.load("nodes", "huawei-atlas-800t-a2"),
    )
    assert family.words["default"] == node.words["accelerator"]


def test_a_chip_without_bfloat16_trains_in_fp16() -> None:
    assert answer(on="nvidia-v100-sxm2-32gb").case.words["precision"] == "fp16"


def test_block_scaled_precisions_run_at_the_peak_of_their_units() -> None:
    chip = PRESETS.load("accelerators", "nvidia-b200-sxm-180gb")
    assert answer(on=chip.id, precision="mxfp8").peak.value == chip.value("peak_fp8")
    assert answer(on=chip.id, precision="nvfp4").peak.value == chip.value("peak_fp4")


@pytest.mark.parametrize("chip", sorted(PRESETS.files("accelerators")))
def test_every_chip_with_a_training_peak_gives_an_answer(chip: str) -> None:
    record = PRESETS.load("accelerators", chip)
    if not any(f"peak_{name}" in record.figures for name in ("bf16", "fp16", "fp32")):
        with pytest.raises(EstimatorError, match="has no recorded peak"):
            answer(on=chip)
        return
    estimate = answer(on=chip, price="1 USD/gpu/hour")
    assert math.isfinite(float(estimate.cost.value))
    assert 0 < float(estimate.mfu.low) <= float(estimate.mfu.value) <= float(estimate.mfu.high) <= 1
    if "power" not in record.figures:
        assert math.isnan(float(estimate.energy.value))
        assert any("no power on record" in note for note in estimate.case.notes)


def test_power_given_holds_the_host() -> None:
    estimate = answer(power="400 W", pue=1.1)
    assert float(estimate.power.value) == pytest.approx(8 * 400 * 1.1)
    assert float(estimate.power.parts["hosts"]) == 0


def test_goodput_lengthens_what_is_paid_for_and_not_the_work() -> None:
    whole, part = answer(goodput=1), answer(goodput=0.5)
    assert part.accelerator_hours.value == whole.accelerator_hours.value
    for name in ("occupied_hours", "wall_clock", "energy", "cost"):
        assert float(part.amount(name).value) == pytest.approx(2 * float(whole.amount(name).value))


def test_a_grid_with_its_own_pue_uses_it_unless_told_otherwise() -> None:
    grids = [grid for grid in PRESETS.all("grids") if "pue" in grid.figures]
    assert grids
    assert answer(grid=grids[0].id).pue.value == grids[0].value("pue")
    assert answer(grid=grids[0].id, pue=1.5).pue.value == 1.5


def test_cards_that_meet_over_their_host_wait_for_weights() -> None:
    """LOMO on eight RTX 3090s over PCIe, a sequence a card (Lv et al. 2023, Table 2): most of the step is exchange."""
    layout = {"tp": 1, "pp": 1, "zero": 3, "micro_batch": 1, "global_batch": 8, "stack": "lomo"}
    question = {
        "model": "llama-65b",
        "params": None,
        "seq": 1024,
        "optimizer": "lomo",
        "tokens": 1e6,
        **layout,
    }
    consumer, server = answer(**question, on="rtx-3090"), answer(**question, on="nvidia-a100-sxm-80gb")
    assert consumer.step_time.parts["sharding"] > 0.5 * consumer.step_time.value
    assert server.step_time.parts["sharding"] < 0.5 * server.step_time.value
    assert float(consumer.mfu.high) < float(server.mfu.low)
    # 4.93 tokens a second and card were measured.
    assert (
        float(consumer.throughput_per_accelerator.low)
        < 4.93
        < float(consumer.throughput_per_accelerator.high)
    )


def test_a_batch_smaller_than_a_count_that_no_degree_divides_is_warned_of() -> None:
    """1,021 is prime: each accelerator is a replica. 1,024 may be half as many replicas of two."""
    assert any("leaves accelerators idle" in note for note in answer(count=1021, global_batch=512).case.notes)
    assert not any("idle" in note for note in answer(count=1024, global_batch=512).case.notes)


def test_a_batch_that_divides_over_no_layout_is_warned_of() -> None:
    (note,) = answer(count=440, global_batch=1024).case.notes
    assert note == (
        "a batch of 1,024 sequences does not divide evenly over 440 replicas, nor does another layout tried divide "
        "it; each is taken to work on an even share"
    )
    assert answer(count=440, global_batch=880).case.notes == ()


def test_a_count_that_nobody_has_is_warned_of() -> None:
    told = "131,072 accelerators are more than any run on record has used (about 100,000)"
    assert told in answer(count=131072, params=1e12).case.notes
    assert not any("any run on record" in note for note in answer(count=16384).case.notes)
