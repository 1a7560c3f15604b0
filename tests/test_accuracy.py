"""docs/accuracy.md is current, its coverage is recomputed one by one, and nothing leaks into a forecast."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimator import Presets, Run, ask

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import fit_efficiency as fit  # noqa: E402
import make_accuracy as accuracy  # noqa: E402


@pytest.fixture(scope="module")
def configs():
    return fit.configurations(Presets())


def covered(heading, rows, method=accuracy.OURS):
    """The cell 'in range' of one line of the summary under a heading of the page."""
    section = accuracy.TARGET.read_text(encoding="utf-8").split(heading)[1]
    line = next(line for line in section.splitlines() if line.startswith(f"| {rows} | {method} |"))
    return line.split("|")[7].strip()


def test_page_is_current(capsys):
    assert accuracy.main(["--check"]) == 0
    assert "current" in capsys.readouterr().out


def test_llama_65b_against_the_published_hours():
    """Touvron et al. 2023, Table 15: 1,022,362 GPU-hours; Section 2.4: 2,048 A100s."""
    run = Run(model="llama-65b", tokens="1.4T", on="nvidia-a100-sxm-80gb", count=2048)
    hours = ask(run).accelerator_hours
    published = 1_022_362
    low, value, high = (float(end) / 3600 for end in (hours.low, hours.value, hours.high))
    assert value == pytest.approx(published, rel=0.15)
    assert low < published < high


def test_coverage_of_the_runs_is_what_asking_one_by_one_gives():
    presets = Presets()
    inside: dict[bool, list[bool]] = {True: [], False: []}
    for record in presets.all("runs"):
        if record.words["scored"]:
            found = ask(Run.read(accuracy.question(record), presets), presets).accelerator_hours
            published = record.figures["accelerator_hours"].value
            productive = record.words["accounting"] == "productive"
            inside[productive].append(float(found.low) <= published <= float(found.high))
    for rows, own in (
        ("productive hours", inside[True]),
        ("occupied hours", inside[False]),
        ("all runs", inside[True] + inside[False]),
    ):
        assert covered("## Published runs", rows) == f"{sum(own)} of {len(own)}"


def test_coverage_of_the_folds_is_what_the_page_says(configs):
    scores = accuracy.left_out(configs, accuracy.fold_of)[accuracy.OURS]
    for rows, sparse in (("dense", False), ("mixture of experts", True)):
        pairs = zip(scores.inside, configs, strict=True)
        own = [bool(inside) for inside, config in pairs if config.sparse is sparse]
        assert covered("### Four folds", rows) == f"{sum(own)} of {len(own)}"


@pytest.mark.parametrize("part", accuracy.PARTS)
def test_a_forecast_has_not_seen_what_it_foretells(configs, part):
    """Half the speed in one part moves no forecast of that part, by any method."""
    label = accuracy.PARTS[part]
    chosen = label(configs[0])
    slower = [
        replace(config, speeds=tuple(speed / 2 for speed in config.speeds))
        if label(config) == chosen
        else config
        for config in configs
    ]
    own = [label(config) == chosen for config in configs]
    before, after = accuracy.left_out(configs, label), accuracy.left_out(slower, label)
    for method in accuracy.METHODS:
        np.testing.assert_array_equal(before[method].pick(own).value, after[method].pick(own).value)
        assert not np.array_equal(before[method].pick(own).truth, after[method].pick(own).truth)


def test_learning_from_everything_gives_the_shipped_efficiency(configs):
    presets, learnt = Presets(), accuracy.Learnt(configs)
    kinds = sorted({(config.chip, config.precision, config.sparse) for config in configs})
    np.testing.assert_array_equal(accuracy.ladder(learnt, kinds), accuracy.ladder(presets, kinds))


def test_what_is_left_out_is_not_found_in_the_house_records(configs):
    chip = "nvidia-a100-sxm-80gb"
    learnt = accuracy.Learnt([config for config in configs if config.chip != chip])
    assert f"efficiency-{chip}" not in learnt.files("calibrations")
    assert f"efficiency-{chip}" in Presets().files("calibrations")


def test_every_scored_run_can_be_asked_and_every_other_says_why_not():
    for record in Presets().all("runs"):
        if record.words["scored"]:
            assert {"tokens", "accelerator_hours"} <= set(record.figures), record.id
            assert record.words["accounting"] in ("productive", "occupied") or record.id == "bloom-176b"
        else:
            assert record.words["left_out"], record.id
