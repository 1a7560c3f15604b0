"""Scaling efficiency of a run: given, stated by a platform, or modelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from estimator.answer import ask
from estimator.errors import EstimatorError
from estimator.estimate import Estimate
from estimator.inputs import Run
from estimator.presets import Presets

RECORD = """name = "Our cluster"
[sources.us]
title = "Our runs"
publisher = "us"
[figures]
{figures}
"""


def answer(presets: Presets | None = None, **given: Any) -> Estimate:
    records = presets or Presets()
    return ask(Run.read({"params": "4.5e9", "on": "a100", **given}, records), records)


def platform(folder: Path, **efficiencies: str) -> Presets:
    (folder / "platforms").mkdir()
    lines = [
        f'{name} = {{ value = "{value}", source = "us", where = "our log", kind = "measured" }}'
        for name, value in efficiencies.items()
    ]
    (folder / "platforms" / "ours.toml").write_text(RECORD.format(figures="\n".join(lines)), encoding="utf-8")
    return Presets((folder,))


@pytest.mark.parametrize(("count", "efficiency"), [(1000, 0.92), (10000, 0.90), (4000, 0.9079)])
def test_cfff_states_its_efficiency(count: int, efficiency: float) -> None:
    found = answer(platform="cfff", count=count).scaling_efficiency
    assert float(found.value) == pytest.approx(efficiency, abs=1e-4)
    assert 0.89 < float(found.low) <= float(found.value) <= float(found.high) < 0.925


@pytest.mark.parametrize("given", [{"platform": "cfff"}, {"scaling_efficiency": 0.7}])
def test_the_efficiency_enters_time_and_cost_in_place_of_the_modelled_one(given: dict[str, Any]) -> None:
    stated, modelled = answer(**given, count=1000), answer(count=1000)
    kept = float(stated.scaling_efficiency.value) / float(modelled.scaling_efficiency.value)
    assert kept < 1
    for name in ("step_time", "accelerator_hours", "cost"):
        assert float(stated.amount(name).value) * kept == pytest.approx(float(modelled.amount(name).value)), (
            name
        )
    assert float(stated.mfu.value) == pytest.approx(float(modelled.mfu.value) * kept)
    # Accelerators that wait longer draw less the while.
    assert float(modelled.energy.value) < float(stated.energy.value) < float(modelled.energy.value) / kept


def test_the_modelled_efficiency_is_the_time_at_the_smallest_scale_over_that_at_this() -> None:
    layout = {"tp": 8, "pp": 2, "zero": 1, "micro_batch": 1, "recompute": "none"}
    # A replica is 16 cards; 1,024 are 64 replicas with 8 sequences each, and one replica has 8 of its own.
    large = answer(**layout, count=1024, global_batch=512)
    small = answer(**layout, count=16, global_batch=8)
    assert float(small.scaling_efficiency.value) == 1
    assert float(large.scaling_efficiency.value) == pytest.approx(
        float(small.step_time.value / large.step_time.value)
    )
    assert 0.5 < float(large.scaling_efficiency.value) < 1


def test_its_origin_is_the_platforms_record() -> None:
    case = answer(platform="CFFF-Fudan", count=1000).case
    origin = case.origins["efficiency_coefficient"]
    assert (origin.kind, origin.option) == ("preset", "--platform")
    assert origin.reason == (
        "power law fitted to the 2 efficiencies that CFFF (Fudan and Alibaba Cloud) states, "
        "1,000 to 10,000 accelerators; range: the spread between laws of scaling"
    )
    assert origin.figure
    assert origin.figure.value == 0.92
    assert case.words["platform"] == "cfff"
    unknown = next(unknown for unknown in case.unknowns if unknown.name == "efficiency_coefficient")
    low, high = (float(end["efficiency_coefficient"]) for end in (unknown.low, unknown.high))
    assert low <= float(case.columns["efficiency_coefficient"]) <= high


def test_beyond_the_points_it_is_said_and_the_range_is_wider() -> None:
    inside, beyond = answer(platform="cfff", count=10000), answer(platform="cfff", count=20000)
    note = (
        "the scaling efficiency at 20,000 accelerators is extrapolated: CFFF (Fudan and Alibaba Cloud) "
        "states it for 1,000 to 10,000 accelerators"
    )
    assert note in beyond.case.notes
    assert not any("extrapolated" in text for text in inside.case.notes)
    # Gustafson's law, the highest there, gives 0.910; Amdahl's, the lowest, 0.808.
    assert float(beyond.scaling_efficiency.high) == pytest.approx(0.910, abs=1e-3)
    assert float(beyond.scaling_efficiency.low) == pytest.approx(0.808, abs=1e-3)


def test_a_platform_and_a_time_find_a_count() -> None:
    found = answer(platform="cfff", within="3 days")
    assert float(found.wall_clock.value) <= 3 * 86400
    count = float(found.case.columns["count"])
    assert float(found.scaling_efficiency.value) == pytest.approx(0.98270639 * count**-0.00954532)


def test_a_given_efficiency_stays_as_it_is() -> None:
    found = answer(scaling_efficiency="0.7", count=1000)
    assert float(found.scaling_efficiency.value) == 0.7
    assert found.case.origins["efficiency_coefficient"].kind == "given"


def test_both_contradict_each_other() -> None:
    with pytest.raises(EstimatorError, match="--platform and --scaling-efficiency contradict each other"):
        answer(platform="cfff", scaling_efficiency="0.7")


def test_a_platform_with_one_efficiency_gives_that(tmp_path: Path) -> None:
    found = answer(platform(tmp_path, efficiency_512="88 %"), platform="ours", count=4096)
    assert float(found.scaling_efficiency.value) == pytest.approx(0.88)
    origin = found.case.origins["efficiency_coefficient"]
    assert (origin.kind, origin.reason) == (
        "preset",
        "the one efficiency that Our cluster states, at 512 accelerators",
    )


def test_a_platform_without_efficiencies_is_modelled_and_says_so(tmp_path: Path) -> None:
    found = answer(platform(tmp_path, accelerators="8 accelerator"), platform="ours", count=4096)
    assert found.scaling_efficiency.value == answer(count=4096).scaling_efficiency.value < 1
    assert "Our cluster states no scaling efficiency; give --scaling-efficiency" in found.case.notes


def test_an_efficiency_that_is_no_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        EstimatorError, match="figure 'efficiency_512': '88' is no efficiency at a count; write it"
    ):
        answer(platform(tmp_path, efficiency_512="88"), platform="ours", count=4096)
