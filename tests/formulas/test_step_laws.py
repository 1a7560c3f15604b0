"""Laws of the time of any step: parts are times, units scale, faster machines and kernels never take longer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.formulas.job import Coefficients
from estimator.formulas.step_time import modelled_step_time

from .jobs import TYPICAL, parts, questions, total, typical

few = settings(deadline=None, max_examples=80)


@few
@given(questions())
def test_every_part_is_a_time(given: dict[str, Any]) -> None:
    found = parts(typical(**given))
    assert all(math.isfinite(part) and part >= 0 for part in found.values())
    assert total(typical(**given)) == pytest.approx(sum(found.values()))


RATES = ("peak", "peak_16bit", "memory_bandwidth", "scaleup_bandwidth", "scaleout_bandwidth")
SECONDS = ("router_time", "layer_time", "tensor_latency", "ring_latency", "step_overhead")


@few
@given(questions(), st.sampled_from([("peak", "peak_16bit"), *((rate,) for rate in RATES[2:])]))
def test_faster_machines_never_take_longer(given: dict[str, Any], rates: tuple[str, ...]) -> None:
    faster = {rate: 2 * given[rate] for rate in rates}
    assert total(typical(**{**given, **faster})) <= total(typical(**given)) * (1 + 1e-9)


@few
@given(questions(), st.integers(-6, 6))
def test_time_is_measured_in_seconds(given: dict[str, Any], exponent: int) -> None:
    # Rates of a machine are per second, five coefficients are seconds; nothing else has a unit of time.
    factor = 2.0**exponent
    slow = {rate: given[rate] / factor for rate in RATES} | {name: TYPICAL[name] * factor for name in SECONDS}
    hosts = {"host_bandwidth": 1e10 / factor, "host_memory_bandwidth": 1e11 / factor}
    assert total(typical(**{**given, **slow, **hosts})) == pytest.approx(
        total(typical(**given)) * factor, rel=1e-12
    )


@few
@given(questions(), st.integers(-6, 6))
def test_bytes_are_of_memory_and_links_alone(given: dict[str, Any], exponent: int) -> None:
    # Cards without limit to their peak: what is left goes with the bandwidths.
    factor = 2.0**exponent
    work = {**given, "peak": 1e300, "peak_16bit": 1e300} | dict.fromkeys(SECONDS, 0.0)
    links = {rate: given[rate] * factor for rate in RATES[2:]}
    moved = total(typical(**work))
    assert total(typical(**{**work, **links})) == pytest.approx(moved / factor, rel=1e-9)


ONCE = {"gradient_exchange", "gradient_clipping", "optimizer", "overhead", "pipeline_bubble", "offload"}


@few
@given(questions())
def test_twice_the_batch_takes_twice_the_micro_batches(given: dict[str, Any]) -> None:
    once, twice = (
        parts(typical(**{**given, "global_batch": given["global_batch"] * factor})) for factor in (1.0, 2.0)
    )
    assert {name: twice[name] for name in once.keys() - ONCE} == pytest.approx(
        {name: 2 * once[name] for name in once.keys() - ONCE}
    )
    assert {name: twice[name] for name in ONCE} == pytest.approx({name: once[name] for name in ONCE})


@few
@given(questions(), st.sampled_from(["zero", "recompute", "unfused", "ulysses", "causal", "global_batch"]))
def test_a_grid_equals_its_points_to_the_last_bit(given: dict[str, Any], name: str) -> None:
    values = [
        given[name],
        2.0 * given["global_batch"] if name == "global_batch" else 1.0 - (given[name] == 1.0),
    ]
    grid = modelled_step_time(typical(**{**given, name: np.array(values)})).total
    points = [total(typical(**{**given, name: value})) for value in values]
    assert np.broadcast_to(grid, 2).tolist() == points


@few
@given(questions(), st.sampled_from(["product_efficiency", "attention_efficiency", "expert_efficiency"]))
def test_better_efficiencies_never_take_longer(given: dict[str, Any], name: str) -> None:
    given = {**given, "zero": min(given["zero"], 2.0)}
    assert total(typical(**{**given, name: 2 * TYPICAL[name]})) <= total(typical(**given)) * (1 + 1e-12)


@few
@given(questions())
def test_every_coefficient_counts_somewhere_and_none_shortens_a_step(given: dict[str, Any]) -> None:
    before = total(typical(**given))
    shortening = {
        "product_efficiency",
        "attention_efficiency",
        "expert_efficiency",
        "tensor_gain",
        "software_gain",
    }
    # Each row of the axis has another coefficient half as large again.
    names = sorted(set(Coefficients._fields) - shortening)
    larger = {
        name: TYPICAL[name] * np.where(np.arange(len(names)) == row, 1.5, 1.0)
        for row, name in enumerate(names)
    }
    after = np.broadcast_to(modelled_step_time(typical(**{**given, **larger})).total, len(names))
    for name, found in zip(names, after.tolist(), strict=True):
        assert found >= before * (1 - 1e-12), name


@few
@given(questions(), st.sampled_from(["ffn", "expert_ffn", "shared_ffn", "vocab"]))
def test_more_weights_never_take_less_time(given: dict[str, Any], wider: str) -> None:
    more = {**given, wider: 2 * given[wider]}
    assert total(typical(**more)) >= total(typical(**given)) * (1 - 1e-12)


@few
@given(questions(), st.integers(1, 9))
def test_more_layers_never_take_less_time(given: dict[str, Any], more: int) -> None:
    # Without a head: where layers divide evenly, it is on the last stage on top.
    given = {**given, "vocab": 0.0}
    assert total(typical(**{**given, "layers": given["layers"] + more})) >= total(typical(**given)) * (
        1 - 1e-12
    )


def test_every_coefficient_moves_some_step() -> None:
    job = {
        "layers": 4, "moe_layers": 2, "experts": 8, "experts_per_token": 2, "expert_ffn": 500, "ep": 2, "tp": 2,
        "cp": 2, "pp": 2, "count": 64, "zero": 1, "vocab": 1000, "year": 2026, "global_batch": 64,
    }  # fmt: skip
    fused, unfused, sharded = (
        {**job, **more} for more in ({}, {"unfused": 1}, {"pp": 1, "zero": 3, "layers": 3, "moe_layers": 3})
    )
    for name, value in TYPICAL.items():
        moved = [
            total(typical(**{**given, name: 1.25 * value})) != total(typical(**given))
            for given in (fused, unfused, sharded)
        ]
        assert any(moved), name
