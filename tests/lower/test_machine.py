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
    estimate = answer(power="400 W", pue=1.1, goodput=0.5)
    assert float(estimate.power.value) == pytest.approx(8 * 400 * 1.1)
    assert float(estimate.power.parts["hosts"]) == 0
    held = float(estimate.occupied_hours.value)
    assert float(estimate.energy.value) == pytest.approx(held * 400 * 1.1)


def test_work_done_again_draws_what_work_draws() -> None:
    parts, time = (answer(count=1024).amount(name).parts for name in ("energy", "wall_clock"))
    again = float(time["lost_work"] + time["rollbacks"]) / float(time["productive"])
    assert 0 < again < 0.1
    assert float(parts["repeated_work"]) == pytest.approx(again * float(parts["accelerators"]))
    # Two fifths of 700 W in all other time.
    idle = sum(float(time[name]) for name in ("checkpoints", "restarts", "waiting", "not_told"))
    assert float(parts["idle_accelerators"]) == pytest.approx(1024 * idle * 700 * 0.4)


def test_a_power_that_is_given_does_not_follow_utilisation() -> None:
    slow, fast = (float(answer(power="400 W", mfu=mfu).power.value) for mfu in (0.1, 0.6))
    assert slow == fast
    slow, fast = (float(answer(mfu=mfu).power.parts["accelerators"]) for mfu in (0.1, 0.6))
    # An H100 at a tenth of its peak and beyond full use: the floor and a part of the rest, and all it can.
    law = PRESETS.load("calibrations", "power")
    floor, full = law.value("floor_share"), law.value("full_use")
    hfu = float(answer(mfu=0.1).hfu.value)
    assert fast == pytest.approx(8 * 700)
    assert slow == pytest.approx(8 * 700 * (floor + (1 - floor) * hfu / full))


def test_one_node_has_no_network_between_nodes() -> None:
    assert float(answer(count=8).power.parts["network"]) == 0
    assert float(answer(count=16).power.parts["network"]) == pytest.approx(16 * 700 * 0.05)


def test_goodput_lengthens_what_is_paid_for_and_not_the_work() -> None:
    whole, part = answer(goodput=1), answer(goodput=0.5)
    assert part.accelerator_hours.value == whole.accelerator_hours.value
    for name in ("occupied_hours", "wall_clock", "cost"):
        assert float(part.amount(name).value) == pytest.approx(2 * float(whole.amount(name).value))


def test_time_lost_draws_less_than_time_at_work() -> None:
    whole, part = answer(goodput=1), answer(goodput=0.5)
    for name, parts in {"accelerators": 1.0, "hosts": 2.0}.items():
        assert float(part.energy.parts[name]) == pytest.approx(parts * float(whole.energy.parts[name]))
    # As long lost as worked, at 0.4 of 700 W.
    idle = float(whole.accelerator_hours.value) * 700 * 0.4
    assert float(part.energy.parts["idle_accelerators"]) == pytest.approx(idle)
    assert float(whole.energy.parts["idle_accelerators"]) == 0
    assert float(whole.energy.value) < float(part.energy.value) < 2 * float(whole.energy.value)


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
    """1,021 is prime: some are idle. 1,024 may be half as many replicas of two."""
    assert "accelerators work and" in answer(count=1021, global_batch=512).case.notes[0]
    assert not any("idle" in note for note in answer(count=1024, global_batch=512).case.notes)


def test_a_batch_that_divides_over_no_layout_is_warned_of() -> None:
    (note,) = answer(count=440, global_batch=1024).case.notes
    assert note == (
        "412 of 440 accelerators work and 28 are idle: no layout tried shares out 1,024 sequences evenly among all; "
        "here 103 replicas of 4 accelerators take up to 10 each; time and cost are of all 440; all would work with "
        "--global-batch 990 or 1045, or --count 256 or 512"
    )
    assert answer(count=440, global_batch=880).case.notes == ()


def test_a_count_that_nobody_has_is_warned_of() -> None:
    told = "131,072 accelerators are more than any run on record has used (about 100,000)"
    assert told in answer(count=131072, params=1e12).case.notes
    assert not any("any run on record" in note for note in answer(count=16384).case.notes)
