"""CPU sockets as accelerators: a run fits them, is planned on servers of two, and says what it rests on."""

from __future__ import annotations

import math

import pytest

from estimator import Presets, Run, ask
from estimator.schema import peak_name
from estimator.totals import across, ratio_of

RECORDS = Presets()
CPUS = [record.id for record in RECORDS.all("accelerators") if record.words.get("architecture") == "cpu"]
GPU = RECORDS.load("accelerators", "nvidia-h100-sxm-80gb")


def test_there_are_cpus() -> None:
    assert {"amd-epyc-9654", "huawei-kunpeng-920-6426", "intel-xeon-8480plus"} <= set(CPUS)


@pytest.mark.parametrize("cpu", CPUS)
def test_a_run_fits_on_servers_of_two_sockets(cpu: str) -> None:
    found = ask(Run(params=7e9, on=cpu, count=64))
    assert bool(found.fits)
    assert float(found.case.columns["per_node"]) == 2.0
    # One server holds 7 billion parameters with AdamW, 112 GB, beside what a step needs.
    assert float(found.fewest_accelerators.value) <= 8
    assert math.isfinite(float(found.energy.value))
    assert 0.0 < float(found.mfu.value) < 1.0
    assert (
        f"{cpu} is a CPU: no step of one is on record, and what software reaches of its peak is taken from GPUs; give "
        "--mfu if you have measured it"
    ) in found.case.notes


def test_an_mfu_that_was_measured_needs_no_warning() -> None:
    notes = ask(Run(params=1e9, on="intel-xeon-8480plus", count=8, mfu=0.2)).case.notes
    assert not [note for note in notes if "is a CPU" in note]


@pytest.mark.parametrize("cpu", CPUS)
def test_three_orders_of_magnitude_hold_only_across_precisions(cpu: str) -> None:
    socket = RECORDS.load("accelerators", cpu)
    alike = [name for name in socket.figures if name.startswith("peak_") and name in GPU.figures]
    assert alike
    for name in alike:
        assert 1.0 < ratio_of(GPU.figures[name], socket.figures[name]).value < 300.0
    _, most = across(GPU, socket)
    assert most.ratio.value > 300.0
    slowest = min(alike, key=lambda name: socket.figures[name].value)
    assert peak_name(most.other) == slowest
