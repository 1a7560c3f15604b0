"""`evaluate` and what it returns: columns of any shape, amounts with units, and errors that tell what there is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator import Case, Estimate, Presets, Run, ask, evaluate
from estimator.arrays import Array, array
from estimator.estimate import SHOWN_INPUTS, STEPS, UNITS, Step
from estimator.estimate import evaluate as evaluate_some
from estimator.lower import lower

PRESETS = Presets()
GIVEN: dict[str, Any] = {
    "params": 7e9, "tokens": "1T", "seq": 4096, "on": "nvidia-a100-sxm-80gb", "count": 64, "mfu": 0.4,
    "price": "2 USD/gpu/hour", "power": "500 W", "pue": 1.2, "global_batch": 512, "goodput": 0.9,
}  # fmt: skip


def case(**changed: Any) -> Case:
    return lower(Run.read({**GIVEN, **changed}, PRESETS), PRESETS)


@pytest.fixture(scope="module")
def usual() -> Estimate:
    return ask(Run.read(GIVEN, PRESETS), PRESETS)


def same(one: Array, other: Array) -> bool:
    """Equal to the last bit, or both not known."""
    return bool(one == other) or (math.isnan(float(one)) and math.isnan(float(other)))


def point(columns: Mapping[str, Array], shape: tuple[int, ...], place: tuple[int, ...]) -> dict[str, Array]:
    """The columns of one cell of a grid."""
    return {name: array(np.broadcast_to(column, shape)[place]) for name, column in columns.items()}


# Shapes.

AXES: dict[str, dict[str, Any]] = {
    "(3,)": {"count": np.array([8.0, 64.0, 4096.0])},
    "(3,), two columns": {"count": np.array([8.0, 64.0, 512.0]), "given_mfu": np.array([0.5, 0.45, math.nan])},
    "(2, 3)": {"seq": np.array([[2048.0], [8192.0]]), "given_mfu": np.array([0.3, 0.4, 0.5])},
    "(3, 2), layouts": {
        "tp": np.array([[1.0], [2.0], [8.0]]), "pp": np.array([1.0, 4.0]), "zero": np.array([3.0, 1.0]),
        "sequence_parallel": np.array([[0.0], [1.0], [1.0]]), "given_mfu": array(math.nan),
    },
    "(2, 1, 3)": {
        "recompute": np.array([0.0, 1.0, 2.0]), "tokens": np.array([[[1e9]], [[1e12]]]), "price": np.array([5e-4]),
    },
    "(1,)": {"optimizer_fused": np.array([1.0])},
    "(0,)": {"count": np.array([])},
}  # fmt: skip


@pytest.mark.parametrize("name", AXES)
def test_a_grid_equals_its_points_to_the_last_bit(name: str) -> None:
    base, axes = case(), AXES[name]
    shape = np.broadcast_shapes(*(np.shape(axis) for axis in axes.values()))
    grid = evaluate(base.with_columns(axes))
    for place in np.ndindex(shape):
        alone = evaluate(base.with_columns(point(axes, shape, place)))
        for quantity, value in alone.values.items():
            assert np.shape(value) == (), quantity
            assert same(np.broadcast_to(grid.values[quantity], shape)[place], value), quantity
        for quantity, parts in alone.parts.items():
            for part, value in parts.items():
                found = np.broadcast_to(grid.parts[quantity][part], shape)[place]
                assert same(found, value), (quantity, part)


@pytest.mark.parametrize("name", AXES)
def test_every_quantity_is_float64_and_no_larger_than_it_must_be(name: str) -> None:
    grid = evaluate(case().with_columns(AXES[name]))
    shape = np.broadcast_shapes(*(np.shape(axis) for axis in AXES[name].values()))
    for quantity, value in grid.values.items():
        assert np.asarray(value).dtype == np.float64, quantity
        assert np.broadcast_shapes(np.shape(value), shape) == shape, quantity
    # What no axis touches stays one number: a grid costs only where it varies.
    assert np.shape(grid.values["parameters"]) == ()


def test_cases_below_each_other_are_answered_each_as_alone() -> None:
    several = [
        case(),
        case(params="70B", on="h100", count=512),
        case(optimizer="lomo", recompute="none", count=8),
        case(mfu=None, tp=4, pp=2, stack="megatron"),
        case(model="mixtral-8x7b", params=None, mfu=None, ep=8, zero=1, precision="bf16"),
    ]
    stacked = several[0].with_columns(
        {name: np.stack([one.columns[name] for one in several]) for name in several[0].columns}
    )
    found = evaluate(stacked)
    for index, one in enumerate(several):
        for name, value in evaluate(one).values.items():
            assert same(np.broadcast_to(found.values[name], (len(several),))[index], value), name


def test_evaluating_changes_nothing() -> None:
    asked = case()
    before = {name: float(column).hex() for name, column in asked.columns.items()}
    first, second = evaluate(asked), evaluate(asked)
    assert {name: float(column).hex() for name, column in asked.columns.items()} == before
    assert all(same(value, second.values[name]) for name, value in first.values.items())
    assert first.case is asked


@pytest.mark.parametrize("wanted", ["cost", "modelled_time", "memory", "hfu"])
def test_what_is_wanted_alone_is_what_it_is_among_all(wanted: str) -> None:
    whole, alone = evaluate(case(mfu=None)), evaluate_some(case(mfu=None), [wanted])
    assert alone.values[wanted] == whole.values[wanted]
    assert alone.values.keys() < whole.values.keys()
    assert all(same(value, whole.values[name]) for name, value in alone.values.items())


# Steps.


def test_each_step_needs_only_what_stands_before_it() -> None:
    records = (
        "transformer optimizer method card layout machine coefficients job spot ownership project".split()
    )
    known = {*case().columns, *records, "draw", "wasted"}
    for step in STEPS:
        assert set(step.inputs) <= known, step.name
        known.add(step.name)


def test_the_inputs_of_a_step_are_the_parameters_of_its_formula() -> None:
    def formula(count: Array, mfu: Array) -> Array:
        inner = count
        return inner * mfu

    assert Step("toy", formula, "1").inputs == ("count", "mfu")
    assert not Step("toy", formula, "1").whole


def test_names_of_steps_and_inputs_do_not_meet() -> None:
    names = [step.name for step in STEPS]
    assert len(names) == len(set(names))
    assert not set(names) & set(SHOWN_INPUTS)
    assert set(UNITS) == {*names, *SHOWN_INPUTS}


def test_parts_sum_to_their_total(usual: Estimate) -> None:
    names = {"parameters", "flops", "state_memory", "memory", "step_time", "power", "energy", "cost"}
    assert names <= set(usual.parts)
    for name, parts in usual.parts.items():
        assert sum(float(part) for part in parts.values()) == pytest.approx(
            float(usual.values[name]), rel=1e-12, nan_ok=True
        )


def test_what_is_not_known_is_not_known_and_the_rest_is() -> None:
    known = [name for name, value in evaluate(case()).values.items() if not math.isnan(float(value))]
    # No efficiency is given: the modelled one counts. Nothing is owned.
    assert not {"efficiency_coefficient", "given_efficiency", "own_price"} & set(known)
    found = evaluate(case().with_columns({"price": array(math.nan)}))
    unknown = [name for name in known if math.isnan(float(found.values[name]))]
    money = ["rent_cost", "rent_price", "cost", "cost_per_hour", "cost_per_application"]
    assert unknown == ["price", *money]


def test_a_run_by_hand(usual: Estimate) -> None:
    """7e9 parameters, 1e12 tokens on 64 cards of 312 TFLOP/s at 40 %, productive nine tenths of the time."""
    seconds = float(usual.flops.value) / (312e12 * 0.4)
    expected = {
        "flops_6nd": 6 * 7e9 * 1e12,
        "accelerator_hours": seconds,
        "mfu": 0.4,
        "occupied_hours": seconds / 0.9,
        "wall_clock": seconds / 0.9 / 64,
        "throughput": 1e12 / seconds * 64,
        "step_time": 512 * 4096 * seconds / (1e12 * 64),
        "power": 64 * 500 * 1.2,
        "energy": seconds / 0.9 * 500 * 1.2,
        "cost": seconds / 0.9 * 2 / 3600,
        "state_memory": 16 * 7e9,
    }
    assert {name: float(usual.values[name]) for name in expected} == pytest.approx(expected, rel=1e-12)


# The whole path again, as a plain program of loops and conditions.


def plain(of: Mapping[str, float]) -> dict[str, float]:
    """Every main quantity of one case in plain Python: tensors listed layer by layer, conditions as conditions."""
    layers, bytes_ = tensors(of), {name.removeprefix("optimizer_"): value for name, value in of.items()}
    matrices = sum(rows * columns * copies for rows, columns, copies, _ in layers)
    vectors = of["hidden"] * (2 * of["layers"] + 1)
    outer = of["vocab"] * of["hidden"] * (1 if of["tied"] else 2) + vectors + of["extra"]
    passed = sum(rows * columns * active for rows, columns, _, active in layers)
    keys = seen_keys(of)
    per_token = 6 * (passed + of["vocab"] * of["hidden"]) + 12 * of["heads"] * of["head_dim"] * keys
    total = matrices + outer
    states = (bytes_["weights"] + bytes_["gradients"] + bytes_["master"]) * total
    states += bytes_["states"] * matrices + bytes_["states_outer"] * outer
    efficiency = min(1.0, of["efficiency_coefficient"] * of["count"] ** -of["efficiency_exponent"])
    speed = of["peak"] * of["given_mfu"] * efficiency / per_token
    productive = of["tokens"] / speed
    held = productive / of["given_goodput"]
    working, around, idle = watts(of, efficiency, per_token)
    used = (productive * working + (held - productive) * idle + held * around) * of["pue"]
    return {
        "parameters": total, "active_parameters": passed + outer, "flops_per_token": per_token,
        "flops": per_token * of["tokens"], "flops_6nd": 6 * (passed + outer) * of["tokens"], "state_memory": states,
        "scaling_efficiency": efficiency, "mfu": of["given_mfu"] * efficiency,
        "throughput_per_accelerator": speed, "throughput": speed * of["count"],
        "step_time": of["global_batch"] * of["seq"] / (speed * of["count"]), "accelerator_hours": productive,
        "occupied_hours": held, "wall_clock": held / of["count"], "power": of["count"] * (working + around) * of["pue"],
        "energy": used, "carbon": used * of["carbon_intensity"] + held * of["embodied"] / of["embodied_time"],
        "cost": held * of["price"],
    }  # fmt: skip


def watts(of: Mapping[str, float], efficiency: float, per_token: float) -> tuple[float, float, float]:
    """Power of one accelerator at work, of what stands around it, and of an accelerator in time that is lost."""
    hfu = of["given_mfu"] * efficiency * again(of, per_token)
    busy = of["floor_share"] + (1 - of["floor_share"]) * min(1.0, hfu / of["full_use"])
    around = of["host_share"] + (of["switch_share"] if of["count"] > of["per_node"] else 0.0)
    return tuple(of["power_per_accelerator"] * share for share in (busy, around, of["idle_share"]))


def again(of: Mapping[str, float], per_token: float) -> float:
    """FLOPs with what is computed a second time over the model's FLOPs."""
    scores = 12 * of["heads"] * of["head_dim"] * seen_keys(of) / 3
    layers = (per_token - 6 * of["vocab"] * of["hidden"] - 3 * scores) / 3 + scores
    return 1 + {0: 0.0, 1: scores, 2: layers, 3: 0.0}[int(of["recompute"])] / per_token


def tensors(of: Mapping[str, float]) -> list[tuple[float, float, float, float]]:
    """Rows, columns, how many there are and how many a token passes, of each kind of matrix in each layer."""
    hidden, width, keys = of["hidden"], of["heads"] * of["head_dim"], of["kv_heads"] * of["head_dim"]
    blocks = 3 if of["gated"] else 2
    found: list[tuple[float, float, float, float]] = []
    for layer in range(int(of["layers"])):
        found += [(hidden, width, 2, 2), (hidden, keys, 2, 2)]
        if layer < of["layers"] - of["moe_layers"]:
            found.append((hidden, of["ffn"], blocks, blocks))
        else:
            found.append((hidden, of["experts"], 1, 1))
            found.append((hidden, of["shared_ffn"], blocks, blocks))
            found.append((hidden, of["expert_ffn"], blocks * of["experts"], blocks * of["experts_per_token"]))
    return found


def seen_keys(of: Mapping[str, float]) -> float:
    """Keys that a query meets, summed over the layers."""
    keys = 0.0
    for layer in range(int(of["layers"])):
        windowed = of["window"] > 0 and layer < of["window_layers"]
        keys += min(of["window"], of["seq"]) if windowed else of["seq"]
    return keys


@st.composite
def columns(draw: st.DrawFn) -> dict[str, float]:
    """Columns of any plain case: dense or with experts, windows in part of the layers, tied or not."""
    layers, experts = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    whole = {name: draw(st.integers(1, most)) for name, most in (
        ("hidden", 512), ("heads", 16), ("head_dim", 64), ("ffn", 999), ("vocab", 999), ("expert_ffn", 99),
        ("shared_ffn", 99), ("seq", 512), ("window", 512), ("count", 4096), ("global_batch", 512),
    )}  # fmt: skip
    shares = {
        name: draw(st.floats(0.1, 1.0))
        for name in (
            "given_mfu",
            "given_goodput",
            "efficiency_coefficient",
            "host_share",
            "floor_share",
            "full_use",
            "switch_share",
            "idle_share",
        )
    }
    sizes = {
        name: draw(st.floats(1.0, 1e12)) for name in ("tokens", "peak", "price", "power_per_accelerator")
    }
    kept = {
        f"optimizer_{name}": draw(st.sampled_from([0, 2, 4, 8]))
        for name in ("master", "states", "states_outer")
    }
    return {
        **whole, **shares, **sizes, **kept, "layers": layers, "experts": experts,
        "experts_per_token": draw(st.integers(1, experts)), "moe_layers": draw(st.integers(0, layers)),
        "window_layers": draw(st.integers(0, layers)), "gated": draw(st.integers(0, 1)),
        "tied": draw(st.integers(0, 1)), "kv_heads": draw(st.integers(1, whole["heads"])),
        "extra": draw(st.integers(0, 999)), "pue": draw(st.floats(1.0, 2.0)),
        "efficiency_exponent": draw(st.floats(0.0, 0.5)), "carbon_intensity": draw(st.floats(0.0, 1e-6)),
        "embodied": draw(st.floats(0.0, 1e3)), "embodied_time": draw(st.floats(1e6, 1e9)),
    }  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(columns())
def test_a_plain_program_comes_to_the_same_answer(varied: dict[str, float]) -> None:
    base = case(model="llama-7b", params=None)
    varied = {**varied, "value_dim": varied["head_dim"], "optimizer_weights": 2, "optimizer_gradients": 2}
    found = evaluate(base.with_columns({name: array(value) for name, value in varied.items()}))
    expected = plain({**{name: float(column) for name, column in base.columns.items()}, **varied})
    assert {name: float(found.values[name]) for name in expected} == pytest.approx(expected, rel=1e-11)


# Amounts.


@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [
        ("wall_clock", "day", 86400), ("accelerator_hours", "hour", 3600), ("energy", "MWh", 3.6e9),
        ("state_memory", "GiB", 2**30), ("power", "kW", 1000), ("flops", "EFLOP", 1e18), ("peak", "TFLOP/s", 1e12),
    ],
)  # fmt: skip
def test_an_amount_in_another_unit(usual: Estimate, name: str, unit: str, factor: float) -> None:
    quantity = usual.amount(name).to(unit)
    assert quantity.magnitude == pytest.approx(float(usual.values[name]) / factor, rel=1e-12)


def test_an_amount_is_a_quantity_of_pint(usual: Estimate) -> None:
    import pint

    assert isinstance(usual.cost.quantity, pint.Quantity)
    assert f"{usual.energy.quantity.units:~}" == "kWh"
    assert usual.energy.quantity.magnitude == pytest.approx(float(usual.energy.value) / 3.6e6, rel=1e-12)
    assert (usual.power.quantity * usual.wall_clock.quantity).to("kWh").magnitude == pytest.approx(
        usual.energy.quantity.magnitude, rel=1e-9
    )


def test_a_range_is_a_pair_of_quantities_around_the_value(usual: Estimate) -> None:
    low, high = usual.flops.range
    assert low < usual.flops.quantity < high  # the shape of a bare count is not known
    low, high = usual.flops_6nd.range
    assert low == usual.flops_6nd.quantity == high


def test_a_unit_of_another_dimension_is_refused(usual: Estimate) -> None:
    import pint

    with pytest.raises(pint.DimensionalityError):
        usual.energy.to("day")
    with pytest.raises(pint.DimensionalityError):
        usual.state_memory.to("1")  # a byte is no pure number


def test_money_has_the_currency_of_the_question(usual: Estimate) -> None:
    yuan = ask(Run.read({**GIVEN, "currency": "CNY", "year": 2023}, PRESETS), PRESETS)
    assert (usual.cost.unit, yuan.cost.unit) == ("USD", "CNY")
    assert (usual.price.unit, yuan.price.unit) == ("USD/accelerator/hour", "CNY/accelerator/hour")
    assert f"{yuan.cost.quantity.units}" == "CNY"
    # Money converts at a dated rate alone, never by a unit.
    import pint

    with pytest.raises(pint.DimensionalityError):
        yuan.cost.to("USD")


def test_an_amount_of_a_grid_keeps_its_shape() -> None:
    found = evaluate(case().with_columns({"count": np.array([8.0, 64.0])}))
    assert found.wall_clock.to("day").magnitude.shape == (2,)
    assert found.wall_clock.quantity[0] > found.wall_clock.quantity[1]


def test_without_ranges_both_ends_are_the_value() -> None:
    found = evaluate(case())
    assert (found.low, found.high) == ({}, {})
    for name in found.values:
        amount = found.amount(name)
        assert amount.low is amount.value is amount.high


@pytest.mark.parametrize("name", sorted(step.name for step in STEPS))
def test_every_step_is_an_attribute(usual: Estimate, name: str) -> None:
    amount = getattr(usual, name)
    assert (amount.name, amount.value) == (name, usual.values[name])
    assert amount.parts == usual.parts.get(name, {})


@pytest.mark.parametrize("name", ["costs", "gpu_hours", "_repr_html_", "shape"])
def test_an_attribute_that_is_not_there_tells_what_is(usual: Estimate, name: str) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(usual, name)
    told = str(raised.value)
    assert told.startswith(f"an estimate has no '{name}'")
    for known in ("cost", "wall_clock", "accelerator_hours", "mfu"):
        assert known in told
    assert not hasattr(usual, name)


@pytest.mark.parametrize("name", ["within", "exchange_rate"])
def test_a_quantity_that_this_question_has_not_is_no_attribute(usual: Estimate, name: str) -> None:
    """The count is given and no currency is exchanged: there is neither a deadline nor a rate."""
    assert name in UNITS
    assert not hasattr(usual, name)
    assert getattr(usual, name, None) is None
    with pytest.raises(AttributeError) as raised:
        getattr(usual, name)
    assert str(raised.value) == f"this estimate has no '{name}'; it has {', '.join(usual.values)}"


# Nothing to divide by.


@pytest.mark.parametrize("given", [{}, {"mfu": None}, {"mfu": None, "scaling_efficiency": 0.9}])
def test_no_cards_take_for_ever_and_nothing_warns(given: dict[str, Any]) -> None:
    """Every warning is an error here."""
    asked = case(**given)
    one, several = (
        evaluate(asked.with_columns({"count": count})) for count in (array(0.0), np.array([0.0, 64.0]))
    )
    usual = evaluate(asked)
    for quantity in ("wall_clock", "step_time"):
        assert float(one.values[quantity]) == math.inf
        assert np.asarray(several.values[quantity]).tolist() == [math.inf, usual.values[quantity]]
    assert float(one.throughput.value) == float(one.memory_total.value) == 0.0


# Fit.


@pytest.mark.parametrize(("usable", "fits"), [(1.0, 1), (0.999999, 0), (2.0, 1), (math.nan, 0)])
def test_fits_where_the_memory_is_at_most_what_is_usable(usable: float, fits: float) -> None:
    # What the allocator can give back is no part of what is needed.
    asked = case().with_columns({"fragmentation": array(0.03), "least_fragmentation": array(0.03)})
    need = float(evaluate(asked).values["memory"])
    found = evaluate(asked.with_columns({"memory_usable": array(need * usable)}))
    assert float(found.fits) == fits
    assert np.asarray(found.fits).dtype == np.float64


def test_fits_is_told_for_every_cell_of_a_grid() -> None:
    found = evaluate(case().with_columns({"count": np.array([[1.0], [64.0]]), "seq": np.array([512.0, 1e7])}))
    assert found.fits.tolist() == [[0, 0], [1, 0]]


def test_an_estimate_may_be_replaced_in_part(usual: Estimate) -> None:
    other = replace(usual, values={**usual.values, "cost": array(5.0)}, low={}, high={})
    assert (float(other.cost.value), float(other.cost.low)) == (5, 5)
    assert float(usual.cost.value) != 5
