"""The JSON document: every key, what is not known as null with a warning, each source once."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimator import Estimate, units
from estimator.arrays import array
from estimator.report import document as documents
from estimator.report.document import QUANTITIES, WHERE_ASKED, document
from estimator.report.rows import HEADERS, csv_rows

from .questions import answer

MEMBERS = {"value", "unit", "low", "high", "origin", "parts"}
OTHERS = {"schema", "question", "layout", "assumptions", "warnings", "sources"}


@pytest.fixture(scope="module")
def usual() -> Estimate:
    return answer()


def with_value(estimate: Estimate, name: str, value: float) -> Estimate:
    """The same estimate with one quantity replaced."""
    return replace(estimate, values={**estimate.values, name: array(value)}, low={}, high={})


def test_every_key_is_there_in_its_order(usual: Estimate) -> None:
    made = document(usual, {"params": 1})
    assert set(made) == OTHERS | set(QUANTITIES)
    assert [key for key in made if key in QUANTITIES] == list(QUANTITIES)
    assert made["schema"] == "estimator/estimate/1"
    assert made["question"] == {"params": 1}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"applications": 3}, {"cost_per_application"}),
        ({"tariff": "0.1 USD/kWh"}, {"electricity"}),
        ({"plan": "own"}, set(WHERE_ASKED) - {"cost_per_application"}),
    ],
)
def test_what_is_asked_of_money_is_there_and_nothing_else(given: dict[str, Any], names: set[str]) -> None:
    made = document(answer(**given), {})
    assert set(made) == OTHERS | set(QUANTITIES) | names
    assert all(set(made[name]) == MEMBERS and made[name]["value"] > 0.0 for name in names)


def test_every_quantity_has_every_member(usual: Estimate) -> None:
    made = document(usual, {})
    assert {name: set(made[name]) for name in QUANTITIES} == dict.fromkeys(QUANTITIES, MEMBERS)


def test_values_are_in_the_unit_that_stands_beside_them(usual: Estimate) -> None:
    made = document(usual, {})
    for name in QUANTITIES:
        quantity, amount = made[name], usual.amount(name)
        factor = units.unit_bases(quantity["unit"])[0]
        for member in ("value", "low", "high"):
            house = float(getattr(amount, member))
            assert quantity[member] * factor == pytest.approx(house, rel=1e-12), (name, member)


def test_parts_add_up_in_the_unit_of_their_quantity(usual: Estimate) -> None:
    made = document(usual, {})
    broken_down = [name for name in QUANTITIES if made[name]["parts"]]
    assert {"flops", "memory", "step_time", "power", "energy", "cost", "parameters"} <= set(broken_down)
    for name in broken_down:
        assert sum(made[name]["parts"].values()) == pytest.approx(made[name]["value"], rel=1e-12), name


def test_what_was_given_and_what_was_derived(usual: Estimate) -> None:
    made = document(usual, {})
    names = ("tokens", "mfu", "scaling_efficiency", "goodput", "cost")
    # The MFU that is given loses by scale, so that what comes of it is derived.
    assert {name: made[name]["origin"] for name in names} == {
        "tokens": "given", "mfu": "derived", "scaling_efficiency": "given", "goodput": "given", "cost": "derived",
    }  # fmt: skip
    assert made["mfu"]["value"] == pytest.approx(0.4 * 0.95)
    assert document(answer(goodput=None), {})["goodput"]["origin"] == "derived"
    alone = document(answer(scaling_efficiency=None), {})
    assert [alone[name]["origin"] for name in ("mfu", "scaling_efficiency")] == ["given", "derived"]
    assert alone["mfu"]["value"] == pytest.approx(0.4)


def test_the_document_is_what_json_can_hold() -> None:
    for estimate in (
        answer(),
        answer(on="nvidia-rtx-3090", seq=1048576, price=None, plan="spot", power=None),
    ):
        text = json.dumps(document(estimate, {}), allow_nan=False)
        assert json.loads(text) == document(estimate, {})


# What is not known.


@pytest.mark.parametrize("name", ["cost", "energy", "wall_clock", "flops"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_with_a_warning(usual: Estimate, name: str, value: float) -> None:
    made = document(with_value(usual, name, value), {})
    assert made[name]["value"] is made[name]["low"] is made[name]["high"] is None
    assert made["warnings"] == [f"{name} is not known: an input it needs is missing"]
    assert [other for other in QUANTITIES if made[other]["value"] is None] == [name]


def test_an_end_without_limit_is_null_and_its_value_stays(usual: Estimate) -> None:
    open_ended = replace(usual, high={**usual.high, "cost": array(math.inf)})
    cost = document(open_ended, {})["cost"]
    assert cost["high"] is None
    assert cost["low"] < cost["value"] or cost["low"] == cost["value"]


def test_the_step_has_its_parts_whether_the_batch_is_given_or_not() -> None:
    for made in (document(answer(mfu=None), {}), document(answer(mfu=None, global_batch=None), {})):
        step = made["step_time"]
        assert step["low"] < step["value"] < step["high"]
        assert step["parts"]["matrix_products"] > 0.3 * step["value"]
        assert {
            "attention",
            "tensor_parallel",
            "pipeline_bubble",
            "gradient_exchange",
            "sharding",
            "optimizer",
        } <= set(step["parts"])
        assert made["warnings"] == []


def test_what_is_recomputed_counts_for_the_hardware_and_not_for_the_model() -> None:
    whole, nothing = (document(answer(recompute=mode), {}) for mode in ("full", "none"))
    assert whole["mfu"]["value"] < whole["hfu"]["value"] < 4 / 3 * whole["mfu"]["value"]
    assert nothing["mfu"]["value"] == nothing["hfu"]["value"]


def test_without_a_price_the_cost_is_null_and_everything_else_known() -> None:
    made = document(answer(price=None, plan="spot", on="google-tpu-v4", precision=None), {})
    assert made["cost"]["value"] is None
    assert made["energy"]["value"] > 0
    assert any("--price" in warning for warning in made["warnings"])
    assert "cost is not known: an input it needs is missing" in made["warnings"]


# Layout and fit.


def test_the_layout(usual: Estimate) -> None:
    layout = document(usual, {})["layout"]
    assert layout["accelerator"] == "nvidia-a100-sxm-80gb"
    assert (layout["accelerators"], layout["nodes"]) == (64, 8)
    assert layout["fits"] is True
    assert layout["fewest_accelerators"] == float(usual.fewest_accelerators.value)
    assert layout["memory_usable"]["unit"] == "byte"


def test_the_layout_tells_degrees_batches_and_software() -> None:
    given = {
        "tp": 2,
        "pp": 4,
        "vpp": 2,
        "zero": 1,
        "shard": 4,
        "micro_batch": 2,
        "stack": "megatron",
        "stack_year": 2023.5,
    }
    layout = document(answer(**given, attention="unfused"), {})["layout"]
    assert {name: layout[name] for name in given} == given
    assert {name: layout[name] for name in ("cp", "ep", "sequence_parallel", "replicas", "global_batch")} == {
        "cp": 1, "ep": 1, "sequence_parallel": 1, "replicas": 8, "global_batch": 1024,
    }  # fmt: skip
    assert {name: layout[name] for name in ("recompute", "attention", "method", "offload")} == {
        "recompute": "full", "attention": "unfused", "method": "full", "offload": "none",
    }  # fmt: skip
    assert layout["sharding"] == "tensor 2, pipeline 4, interleaved 2, data 8, ZeRO-1 over 4"


def test_a_layout_that_is_found_is_told_like_one_that_is_given() -> None:
    estimate = answer(
        model="llama-65b", mfu=None, micro_batch=None, recompute=None, global_batch=None, count=256
    )
    layout = document(estimate, {})["layout"]
    found = {
        name: layout[name]
        for name in ("tp", "pp", "vpp", "cp", "zero", "micro_batch", "recompute", "global_batch")
    }
    given = answer(
        model="llama-65b", mfu=None, count=256, **{name: str(value) for name, value in found.items()}
    )
    assert document(given, {})["layout"] == layout
    assert given.memory.value == estimate.memory.value
    assert layout["shard"] is None  # over all ranks: no limit


@pytest.mark.parametrize(("count", "nodes"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_a_node_that_is_begun_counts(count: int, nodes: int) -> None:
    assert document(answer(count=count), {})["layout"]["nodes"] == nodes


def test_what_does_not_fit_says_by_how_much_and_what_would_hold_it() -> None:
    # LLaMA-7B with AdamW is 16 x 6.738e9 = 100.4 GiB of states: too much for one card of 80 GB.
    made = document(answer(count=1), {})
    assert made["layout"]["fits"] is False
    (warning,) = made["warnings"]
    assert warning.startswith("does not fit: a card needs 10")
    assert warning.endswith("too much; 2 cards would hold it")


def test_what_no_number_of_cards_holds() -> None:
    estimate = answer(on="nvidia-rtx-3090", seq=2**20, tp=1, pp=1, cp=1)
    assert math.isinf(float(estimate.fewest_accelerators.value))
    made = document(estimate, {})
    assert made["layout"]["fewest_accelerators"] is None
    assert made["layout"]["fits"] is False
    assert any("no number of cards holds it with these degrees" in warning for warning in made["warnings"])


def test_a_card_of_unknown_memory_is_not_said_to_be_too_small(usual: Estimate) -> None:
    unknown = replace(usual, case=usual.case.with_columns({"memory_usable": array(math.nan)}))
    unknown = with_value(unknown, "memory_usable", math.nan)
    assert documents.fit_warnings(unknown) == []


# Assumptions and sources.


def test_an_assumption_has_its_value_unit_reason_and_option() -> None:
    made = {
        item["name"]: item
        for item in document(answer(seq=None, pue=None, model=None, params=7e9), {})["assumptions"]
    }
    assert made["seq"]["value"] == 4096
    assert (made["seq"]["unit"], made["seq"]["option"]) == ("token", "--seq")
    assert made["pue"]["option"] == "--pue"
    assert all(item["reason"] for item in made.values())


def test_what_was_given_is_not_assumed(usual: Estimate) -> None:
    names = {item["name"] for item in document(usual, {})["assumptions"]}
    assert not names & {
        "tokens",
        "mfu",
        "goodput",
        "price",
        "pue",
        "seq",
        "scaling_efficiency",
        "precision",
        "grid",
    }


def test_a_word_that_was_assumed_has_no_unit() -> None:
    made = {item["name"]: item for item in document(answer(optimizer=None), {})["assumptions"]}
    assert (made["optimizer"]["value"], made["optimizer"]["unit"]) == ("adamw", None)


def test_a_user_knows_an_assumption_by_the_name_of_its_option() -> None:
    for item in document(answer(scaling_efficiency=None, goodput=None, recompute=None, micro_batch=None), {})[
        "assumptions"
    ]:
        if item["option"] and item["name"] not in ("accelerator", "layout"):
            assert item["option"] == "--" + item["name"].replace("_", "-"), item


def test_an_unknown_assumption_is_null() -> None:
    made = document(answer(on="google-tpu-v4", precision=None, price=None, plan="spot"), {})
    price = next(item for item in made["assumptions"] if item["name"] == "price")
    assert price["value"] is None


def test_every_source_is_listed_once() -> None:
    estimate = answer(mfu=None, price=None, pue=None, power=None)
    made = document(estimate, {})["sources"]
    assert len(made) == len(set(made))
    cited = [source.cite() for origin in estimate.case.origins.values() for source in origin.sources()]
    assert set(made) == set(cited)
    assert len(cited) > len(made)  # there is something to list once
    assert made == list(dict.fromkeys(cited))


def test_assumptions_cite_what_they_rest_on() -> None:
    made = document(answer(mfu=None), {})
    for item in made["assumptions"]:
        assert item["source"] is None or item["source"] in made["sources"]


# The same in rows.


def test_rows_hold_every_quantity_and_part_to_the_last_bit(usual: Estimate) -> None:
    made = document(usual, {})
    found = list(csv.DictReader(io.StringIO(csv_rows(made).csv())))
    assert tuple(found[0]) == HEADERS
    for row in found:
        quantity: dict[str, Any] = made[row["name"]]
        assert row["unit"] == quantity["unit"]
        if row["part"]:
            assert float(row["value"]) == quantity["parts"][row["part"]]
        else:
            assert [float(row[member]) for member in ("value", "low", "high")] == [
                quantity[member] for member in ("value", "low", "high")
            ]
    told = [row["name"] for row in found if not row["part"]]
    assert told == list(QUANTITIES)
    parts = sum(len(made[name]["parts"]) for name in told)
    assert len(found) == len(told) + parts


def test_what_is_not_known_is_an_empty_cell(usual: Estimate) -> None:
    rows = csv_rows(document(with_value(usual, "cost", math.nan), {})).rows
    cost = next(row for row in rows if row[:2] == ["cost", ""])
    assert cost == ["cost", "", "", "USD", "", "", "derived"]


def test_a_value_in_its_unit_keeps_its_shape() -> None:
    hours = documents.in_unit(np.array([3600.0, 7200.0]), "hour")
    assert hours.tolist() == [1, 2]
    assert documents.in_unit(5.0, "USD") == 5.0
