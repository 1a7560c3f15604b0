"""What must hold for the time of a step whatever the model, the layout and the machine."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import estimator.formulas
from estimator import Case, Presets, Run, units
from estimator.arrays import Array, array
from estimator.estimate import evaluate
from estimator.lower import lower

PRESETS = Presets()
NOMENCLATURE = Path(__file__).resolve().parents[2] / "docs" / "nomenclature.md"
some = settings(deadline=None, max_examples=30)
MODELS = ("llama-7b", "llama-65b", "llama-3.1-405b", "mixtral-8x7b", "deepseek-v3")
CHIPS = (
    "nvidia-a100-sxm-80gb", "nvidia-h100-sxm-80gb", "huawei-ascend-910b2", "google-tpu-v5p", "nvidia-rtx-3090",
    "nvidia-gb200", "amd-mi300x",
)  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """A question with every part of its layout given, on some machine."""
    tp, pp, cp = (draw(st.sampled_from(each)) for each in ((1, 2, 8), (1, 2, 4), (1, 1, 2)))
    model, replicas = draw(st.sampled_from(MODELS)), draw(st.sampled_from([1, 2, 8, 64]))
    micro_batch, pieces = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([1, 3, 16]))
    return {
        "model": model, "on": draw(st.sampled_from(CHIPS)), "tp": tp, "pp": pp, "cp": cp,
        "ep": draw(st.sampled_from([1, 2, 8])) if model == "mixtral-8x7b" and replicas >= 8 else 1,
        "vpp": draw(st.sampled_from([1, 2])) if pp > 1 and pieces == 16 else 1,
        "zero": draw(st.sampled_from([0, 1, 2, 3])), "micro_batch": micro_batch,
        "global_batch": micro_batch * pieces * replicas, "count": tp * pp * cp * replicas,
        "recompute": draw(st.sampled_from(["none", "selective", "full"])), "tokens": "1T",
        "attention": draw(st.sampled_from(["fused", "unfused"])), "seq": draw(st.sampled_from([2048, 8192])),
        "stack": draw(st.sampled_from(["typical", "megatron", "fsdp"])),
        "offload": draw(st.sampled_from(["none", "none", "optimizer"])),
    }  # fmt: skip


def lowered(question: dict[str, Any]) -> Case:
    return lower(Run.read(question, PRESETS), PRESETS)


def timed(case: Case, **columns: float) -> float:
    """The time of a step of the case with some columns replaced."""
    replaced = case.with_columns({name: array(value) for name, value in columns.items()})
    return float(evaluate(replaced, ["modelled_time"]).values["modelled_time"])


@some
@given(questions())
def test_parts_of_a_step_are_no_less_than_nothing_and_sum_to_it(question: dict[str, Any]) -> None:
    case = lowered(question)
    found = evaluate(case, ["step_time"])
    for name in ("modelled_time", "step_time"):
        parts = [float(part) for part in found.parts[name].values()]
        assert min(parts) >= 0, name
        assert sum(parts) == pytest.approx(float(found.values[name]), rel=1e-12), name
    assert found.parts["step_time"] == found.parts["modelled_time"]


BANDWIDTHS = (
    "memory_bandwidth",
    "scaleup_bandwidth",
    "scaleout_bandwidth",
    "host_bandwidth",
    "host_memory_bandwidth",
)


@some
@given(questions(), st.sampled_from([*BANDWIDTHS, "peak", "peak_16bit"]), st.floats(1.0, 100.0))
@example(
    {
        "model": "llama-7b",
        "on": "huawei-ascend-910b2",
        "pp": 2,
        "zero": 3,
        "global_batch": 2,
        "micro_batch": 1,
        "count": 4,
        "tp": 1,
        "cp": 1,
        "ep": 1,
        "vpp": 1,
        "recompute": "none",
        "tokens": "1T",
        "seq": 2048,
    },
    "peak_16bit",
    2.0,
)  # fmt: skip  (all wait for weights: a bubble that took the deepest stage's wait was longer by 0.19 %)
def test_a_faster_machine_is_never_slower(question: dict[str, Any], name: str, faster: float) -> None:
    case = lowered(question)
    assert timed(case, **{name: float(case.columns[name]) * faster}) <= timed(case) * (1 + 1e-12)


@some
@given(
    questions(),
    st.sampled_from(["oversubscription", "expert_imbalance"]),
    st.floats(1.0, 100.0),
    st.integers(0, 6),
)
def test_a_thinner_spine_and_fuller_experts_are_never_faster(
    question: dict[str, Any], name: str, more: float, doublings: int
) -> None:
    case = lowered(question).with_columns({"pod": array(8.0 * 2.0**doublings)})
    worse = timed(case, **{name: float(case.columns[name]) * more})
    assert timed(case) <= worse * (1 + 1e-12)
    assert worse <= timed(case) * more * (1 + 1e-12)


@some
@given(questions(), st.integers(1, 4))
def test_more_layers_are_never_faster(question: dict[str, Any], more: int) -> None:
    """By whole layers for each chunk of each stage, so that they divide as evenly as before."""
    case = lowered(question)
    step = more * float(case.columns["pp"] * case.columns["vpp"])
    assert timed(case, layers=float(case.columns["layers"]) + step) > timed(case)


@some
@given(questions(), st.sampled_from(["hidden", "ffn", "vocab", "heads", "head_dim"]), st.integers(2, 4))
def test_a_wider_model_is_never_faster(question: dict[str, Any], name: str, times: int) -> None:
    case = lowered(question)
    assert timed(case, **{name: float(case.columns[name]) * times}) >= timed(case)


@some
@given(questions(), st.floats(1.0, 10.0))
def test_what_slows_all_of_a_step_lengthens_it_by_as_much(question: dict[str, Any], times: float) -> None:
    case = lowered(question)
    slow = timed(case, fit_slowness=float(case.columns["fit_slowness"]) * times)
    assert slow == pytest.approx(timed(case) * times, rel=1e-12)


@some
@given(questions(), st.integers(1, 8))
def test_newer_software_is_never_slower(question: dict[str, Any], years: int) -> None:
    case = lowered(question)
    assert timed(case, stack_year=float(case.columns["stack_year"]) + years) <= timed(case)


@some
@given(questions(), st.sampled_from([2, 4, 64]))
def test_more_replicas_with_the_same_work_each_are_never_faster(question: dict[str, Any], times: int) -> None:
    """Weak scaling: the efficiency is at most 1 and falls.

    It may rise where more ranks share the states of ZeRO or have more links of a full mesh among them: neither here.
    """
    case = lowered(question)
    fixed = case.with_columns({name: array(0.0) for name in ("zero", "method_offload", "mesh")})
    count, batch = (float(fixed.columns[name]) * times for name in ("count", "global_batch"))
    more = fixed.with_columns({"count": array(count), "global_batch": array(batch)})
    assert timed(more) >= timed(fixed)
    small, large = (
        evaluate(each, ["scaling_efficiency"]).values["scaling_efficiency"] for each in (fixed, more)
    )
    assert 0 < large <= small <= 1


@some
@given(questions(), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_an_mfu_or_an_efficiency_that_is_given_is_what_comes_out(
    question: dict[str, Any], mfu: float, kept: float
) -> None:
    case = lowered(question)
    asked = case.with_columns({"given_mfu": array(mfu)})
    assert float(evaluate(asked).values["mfu"]) == pytest.approx(mfu, rel=1e-12)
    both = evaluate(asked.with_columns({"efficiency_coefficient": array(kept)})).values
    assert float(both["mfu"]) == pytest.approx(mfu * kept, rel=1e-12)
    assert float(both["scaling_efficiency"]) == kept
    alone = evaluate(case.with_columns({"efficiency_coefficient": array(kept)})).values
    assert float(alone["scaling_efficiency"]) == kept
    assert float(alone["step_time"]) * kept == pytest.approx(float(alone["small_scale_time"]), rel=1e-12)
    assert both["modelled_time"] == alone["modelled_time"] == evaluate(case).values["modelled_time"]


# What is not known.

ESSENTIAL = (
    "peak", "peak_16bit", "memory_bandwidth", "seq", "micro_batch", "global_batch", "layers", "hidden", "heads",
    "head_dim", "vocab", "tp", "pp", "vpp", "cp", "stack_year", "fit_slowness", "fit_product_efficiency",
    "fit_step_overhead", "fit_layer_time", "method_frozen",
)  # fmt: skip
COLUMNS = sorted(lower(Run(model="llama-7b", count=8), PRESETS).columns)


@some
@given(questions(), st.sampled_from(ESSENTIAL))
def test_what_is_not_known_makes_the_step_not_known_without_a_warning(
    question: dict[str, Any], name: str
) -> None:
    """Every warning is an error here."""
    case = lowered(question)
    found = evaluate(case.with_columns({name: array(math.nan)})).values
    assert math.isnan(float(found["modelled_time"]))
    assert math.isnan(float(found["step_time"]))
    assert math.isnan(float(found["throughput"]))


@pytest.mark.parametrize("name", COLUMNS)
def test_no_column_that_is_not_known_warns(name: str) -> None:
    case = lower(Run(model="mixtral-8x7b", count=64, tp=2, pp=2, ep=8, zero=1), PRESETS)
    whole, found = evaluate(case), evaluate(case.with_columns({name: array(math.nan)}))
    assert found.values.keys() == whole.values.keys()


# Grids.

AXES: Mapping[str, Any] = {
    "tp": [1.0, 2.0, 8.0], "pp": [1.0, 2.0, 4.0], "zero": [0.0, 1.0, 3.0], "recompute": [0.0, 1.0, 2.0],
    "micro_batch": [1.0, 2.0, 4.0], "seq": [2048.0, 4096.0, 32768.0], "stack_year": [2021.0, 2024.5, math.nan],
    "unfused": [0.0, 1.0, 1.0], "given_mfu": [math.nan, 0.3, 0.5], "count": [8.0, 256.0, 0.0],
    "mesh": [0.0, 1.0, 0.0], "oversubscription": [1.0, 4.0, math.nan], "pod": [8.0, 64.0, math.inf],
    "expert_imbalance": [1.0, 1.5, 100.0], "fit_tensor_use": [0.5, 1.0, 2.0], "layers": [1.0, 32.0, 126.0],
}  # fmt: skip


@some
@given(questions(), st.lists(st.sampled_from(sorted(AXES)), min_size=1, max_size=3, unique=True))
def test_a_cell_of_a_grid_is_the_single_answer_to_the_last_bit(
    question: dict[str, Any], names: list[str]
) -> None:
    case = lowered(question)
    axes = {
        name: np.array(AXES[name]).reshape([-1 if place == index else 1 for place in range(len(names))])
        for index, name in enumerate(names)
    }
    grid, shape = evaluate(case.with_columns(axes)), (3,) * len(names)
    for place in list(np.ndindex(shape))[:: 2 if len(names) > 2 else 1]:
        cell = {name: array(AXES[name][index]) for name, index in zip(names, place, strict=True)}
        alone = evaluate(case.with_columns(cell))
        for name, value in alone.values.items():
            assert same(np.broadcast_to(grid.values[name], shape)[place], value), (name, cell)
        for part, value in alone.parts["step_time"].items():
            assert same(np.broadcast_to(grid.parts["step_time"][part], shape)[place], value), (part, cell)


def same(one: Array, other: Array) -> bool:
    return bool(one == other) or (math.isnan(float(one)) and math.isnan(float(other)))


# Units.


def documented() -> dict[str, str]:
    """The unit in which the nomenclature says each name is."""
    rows = re.findall(
        r"^\| ([^|]+) \|[^|]*\| ([^|]+) \|[^|]*\|$", NOMENCLATURE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {name: unit.strip() for cell, unit in rows for name in re.findall(r"`([a-z0-9_]+)`", cell)}


# Bytes and FLOPs of one number are definitions, by these names; a size that is written elsewhere breaks the property.
DEFINED = ("HALF", "_GRADIENT", "_UPDATED", "_SUM")
UNIT = documented()


def definitions() -> Iterator[tuple[Any, str]]:
    for info in iter_modules(estimator.formulas.__path__, "estimator.formulas."):
        module = import_module(info.name)
        yield from ((module, name) for name in DEFINED if hasattr(module, name))


def rescaled(case: Case, scale: Mapping[str, float]) -> Case:
    """The case with every column in other units of time and size."""
    columns: dict[str, Array] = {}
    for name, value in case.columns.items():
        unit = "byte" if name.startswith("method_base") else UNIT.get(name.removeprefix("fit_"), "1")
        bases = {} if unit.startswith("currency") or unit == "year" else units.unit_bases(unit)[1]
        ratio = math.prod(scale.get(base, 1.0) ** power for base, power in bases.items())
        columns[name] = array(value) * ratio
    return case.with_columns(columns)


@pytest.mark.parametrize(("second", "byte"), [(4.0, 1.0), (1.0, 8.0), (0.5, 0.25)])
def test_the_time_rescales_with_the_units_of_its_columns(
    monkeypatch: pytest.MonkeyPatch, second: float, byte: float
) -> None:
    """A time or a size that is buried in a formula would stay as it was."""
    names = ("modelled_time", "small_scale_time")
    for given_ in (
        {"model": "llama-65b", "tp": 4, "pp": 2, "vpp": 2, "zero": 1, "count": 64, "stack": "megatron"},
        {"model": "mixtral-8x7b", "tp": 1, "pp": 1, "ep": 8, "zero": 3, "cp": 2, "count": 64, "on": "amd-mi300x"},
        {"model": "llama-7b", "tp": 1, "pp": 1, "count": 8, "on": "rtx-3090", "offload": "all", "method": "qlora",
         "attention": "unfused", "recompute": "full"},
    ):  # fmt: skip
        case = lower(Run.read({**given_, "global_batch": 128}, PRESETS), PRESETS)
        before = evaluate(case, (*names, "scale_growth"))
        with monkeypatch.context() as patched:
            for module, name in definitions():
                patched.setattr(module, name, getattr(module, name) * byte)
            after = evaluate(rescaled(case, {"s": second, "byte": byte}), (*names, "scale_growth"))
        for name in names:
            assert float(after.values[name]) == pytest.approx(
                float(before.values[name]) * second, rel=1e-12
            ), name
        assert after.values["scale_growth"] == before.values["scale_growth"]
        for part, value in before.parts["modelled_time"].items():
            assert float(after.parts["modelled_time"][part]) == pytest.approx(
                float(value) * second, rel=1e-12
            ), part


def test_every_definition_is_found() -> None:
    assert {name for _, name in definitions()} == set(DEFINED)
    assert UNIT["tensor_latency"] == "s"
    assert UNIT["norm_traffic"] == "byte"
    assert UNIT["scaleout_bandwidth"] == "byte/s"
