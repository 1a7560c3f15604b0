"""A sweep's cell is the single answer bit for bit, whatever varies, and whatever the size of the chunks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from estimator import Presets, QuestionError, Vary, Wanted, sweep
from estimator.estimate import STEPS, UNITS
from estimator.kinds import RUN
from estimator.sweeps import cells
from estimator.sweeps.found import Found, reads_of
from estimator.testing import cells_are_single_answers, chunks_change_nothing

PRESETS = Presets()
EVERYTHING = Wanted(tuple(step.name for step in STEPS), tuple(step.name for step in STEPS))

GRIDS: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "columns alone": (
        {"params": "7B", "global_batch": 512, "count": 64},
        {"tokens": "1T,3T", "price": "1.5,2 USD/gpu/hour", "mfu": "0.3,0.5", "goodput": "0.8,0.9"},
        (),
    ),
    "counts and prices on two chips": (
        {"params": "7B"},
        {"count": "512:2048:x2", "price": "1.5,2,3", "on": "h100,a100"},
        (),
    ),
    "found layouts": ({"params": "70B", "on": "h100"}, {"count": "8,12,100", "tokens": "1e12,2e12"}, ()),
    "found counts": (
        {"params": "70B"},
        {"within": "10,30,90 days", "mfu": "0.3,0.5", "goodput": [0.8, 0.9]},
        (),
    ),
    "found counts on two chips": ({"params": "70B"}, {"on": "h100,910b", "within": "10,30 days"}, ()),
    "no count is enough": (
        {"params": "70B", "global_batch": 8, "tokens": "10T"},
        {"within": "10,30,9000 days"},
        (),
    ),
    "illegal counts": (
        {"params": "7B", "tp": 4},
        {"count": "8:64:x2,30", "on": "h100,910b,rtx-3090", "precision": "bf16,fp8"},
        (),
    ),
    "linked": (
        {"model": "llama-65b"},
        {"on": "h100,a100,910b", "price": "2,1.5,1 USD/gpu/hour", "count": "256,512"},
        [("on", "price")],
    ),
    "linked columns": (
        {"params": "7B"},
        {"count": "64,128", "price": "1,2 USD/gpu/hour", "on": "a100,h100"},
        [("count", "price")],
    ),
    "shapes and kernels": (
        {"on": "h100", "count": 64},
        {"params": "1B:4B:x2", "attention": "fused,unfused", "seq": "2048,32768"},
        (),
    ),
    "money": (
        {"model": "llama-65b", "on": "a100", "count": 512},
        {"currency": "USD,CNY", "price": "1 USD/gpu/hour,8 CNY/node/hour", "year": "2023,2024"},
        (),
    ),
    "experts": (
        {"model": "mixtral-8x7b", "on": "h100"},
        {"count": "64,128", "ep": "1,8,7", "pue": "1.1,1.5", "power": "700,1000 W"},
        (),
    ),
    "a platform": ({"params": "7B", "platform": "cfff"}, {"count": "64,128,5000", "grid": "china,usa"}, ()),
    "software and memory": (
        {"params": "7B", "count": 8, "on": "a100"},
        {"optimizer": "adamw,lomo", "method": "full,qlora", "stack": "fsdp,megatron", "offload": "none,all"},
        (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRIDS)
def test_a_cell_is_the_single_answer_to_the_last_bit(name: str) -> None:
    base, vary, linked = GRIDS[name]
    cells_are_single_answers(sweep(base, Vary(vary, linked), presets=PRESETS))


@pytest.mark.parametrize("name", ["found layouts", "found counts on two chips", "experts"])
def test_every_quantity_and_every_range_is_the_single_answer_s(name: str) -> None:
    base, vary, linked = GRIDS[name]
    cells_are_single_answers(sweep(base, Vary(vary, linked), wanted=EVERYTHING, presets=PRESETS), 5)


WORDS = {
    "on": ["h100", "a100", "910b", "rtx-3090"],
    "precision": ["bf16", "fp16", "fp8"],
    "recompute": ["none", "full"],
    "optimizer": ["adamw", "lomo"],
    "grid": ["usa", "china"],
    "tp": [1, 2, 3, 8],
    "pp": [1, 4],
    "zero": [0, 1, 3],
    "seq": [2048, 4096, 32768],
    "global_batch": [64, 512, 1000],
    "count": [1, 8, 24, 64, 1000],
    "tokens": ["1e10", "1e12"],
    "mfu": [0.3, 0.45],
    "goodput": [0.5, 1.0],
    "price": ["1 USD/gpu/hour", "9 CNY/node/hour", "2.5 USD/gpu/hour"],
    "pue": [1.0, 1.5],
    "power": ["300 W", "1 kW"],
    "stack": ["fsdp", "megatron"],
    "params": ["1B", "7B"],
    "model": ["llama-7b", "mixtral-8x7b"],
}
RIVALS = ({"params", "model"},)


@st.composite
def grids(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A question and up to four axes of whatever kind."""
    size = draw(st.sampled_from(["params", "model"]))
    names = [name for name in WORDS if name not in ("params", "model")]
    varied = draw(st.lists(st.sampled_from([*names, size]), min_size=1, max_size=4, unique=True))
    vary = {
        name: draw(st.lists(st.sampled_from(WORDS[name]), min_size=1, max_size=3, unique=True))
        for name in varied
    }
    fixed = draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
    given = {name: draw(st.sampled_from(WORDS[name])) for name in {*fixed, size, "count"} - vary.keys()}
    return given, vary


@settings(deadline=None, max_examples=15)
@given(grids(), st.integers(1, 9))
def test_any_cell_of_any_grid_is_the_single_answer(
    grid: tuple[dict[str, Any], dict[str, Any]], most: int
) -> None:
    try:
        found = sweep(*grid, presets=PRESETS)
        cells_are_single_answers(found, 12)
        chunks_change_nothing(found, most)
    except QuestionError:
        event("not one cell has an answer")


@pytest.mark.parametrize(
    "name", ["counts and prices on two chips", "found counts", "linked", "illegal counts"]
)
@pytest.mark.parametrize("most", [1, 4, 7])
def test_the_size_of_a_chunk_changes_nothing(name: str, most: int) -> None:
    base, vary, linked = GRIDS[name]
    chunks_change_nothing(sweep(base, Vary(vary, linked), presets=PRESETS), most)


def test_chunks_follow_each_other_in_rows() -> None:
    found = sweep(*GRIDS["illegal counts"][:2], presets=PRESETS)
    rows = [
        int(
            np.ravel_multi_index(
                tuple(place + span.start for place, span in zip(local, box, strict=True)), found.shape
            )
        )
        for chunk in found.chunks(4)
        for box in [chunk.box]
        for local in np.ndindex(*(span.stop - span.start for span in box))
    ]
    assert rows == list(range(found.size))
    assert [chunk.start for chunk in found.chunks(4)] == [
        6 * chip + row for chip in range(5) for row in (0, 4)
    ]


def test_the_size_of_a_piece_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sweep(*GRIDS["found layouts"][:2], presets=PRESETS)
    (whole,) = found.chunks()
    monkeypatch.setattr(cells, "_HEAVY", 1)
    (small,) = sweep(*GRIDS["found layouts"][:2], presets=PRESETS).chunks()
    for name, values in small.values.items():
        np.testing.assert_array_equal(values, whole.values[name])


def test_a_layout_is_searched_once_for_all_that_it_does_not_depend_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[int] = []
    search = Found._search  # pyright: ignore[reportPrivateUsage]

    def _counted(self: Found, case: Any, shape: Any, missing: Any, names: Any) -> None:
        searched.append(len(missing))
        search(self, case, shape, missing, names)

    monkeypatch.setattr(Found, "_search", _counted)
    vary = {"price": "1,2,3", "count": "8,16", "grid": "usa,china", "pue": "1.1,1.2"}
    list(sweep({"params": "7B"}, vary, presets=PRESETS).chunks(4))
    assert sum(searched) == 2


def test_each_axis_keeps_its_own_dimension() -> None:
    """What the price does not touch is computed once for all prices."""
    shapes: dict[str, tuple[int, ...]] = {}

    def _seen(case: Any, wanted: Any = ()) -> Any:
        found = RUN.evaluate(case, wanted)
        shapes.update({name: np.shape(value) for name, value in found.values.items()})
        return found

    vary = {"count": "64,128", "price": "1,2,3,4", "goodput": "0.7,0.8,0.9"}
    found = sweep(
        {"params": "7B"}, vary, wanted=Wanted(("step_time", "wall_clock", "cost"), ()), presets=PRESETS
    )
    found.kind = found.kind._replace(evaluate=_seen)
    list(found.chunks())
    assert shapes["step_time"] == (1, 2, 1, 1, 1)
    assert shapes["wall_clock"] == (1, 2, 1, 3, 1)
    assert shapes["cost"] == (1, 2, 4, 3, 1) or shapes["cost"] == (1, 1, 4, 3, 1)


MESSAGE = (
    "--count: 30 accelerators do not divide into replicas of 4 (tensor 4 x pipeline 1 x context 1); "
    "the nearest legal ones are 28 and 32; or --tp 3 or 5"
)


def test_a_cell_that_has_no_answer_says_why_and_the_rest_is_answered() -> None:
    found = sweep({"params": "7B", "tp": 4}, {"count": [8, 30], "on": ["h100", "910b"]}, presets=PRESETS)
    (chunk,) = found.chunks()
    told = [[chunk.reasons[code] for code in row] for row in chunk.reason]
    assert told[0] == ["", "no on-demand price of huawei-ascend-910b2 is on record: no cost; give --price"]
    assert told[1] == [MESSAGE, MESSAGE]
    assert np.isnan(chunk.values["cost"]).tolist() == [[False, True], [True, True]]
    assert np.isnan(chunk.values["flops"]).tolist() == [[False, False], [True, True]]
    assert np.isnan(chunk.values["fits"]).tolist() == [[False, False], [True, True]]


def test_what_nobody_asks_for_needs_no_reason() -> None:
    (chunk,) = sweep(
        {"params": "7B", "count": 8}, {"on": ["910b"]}, wanted=["flops"], presets=PRESETS
    ).chunks()
    assert [chunk.reasons[code] for code in chunk.reason] == [""]


def test_where_no_cell_has_an_answer_the_faults_are_told() -> None:
    found = sweep({"params": "7B", "tp": 4}, {"count": [30, 31]}, presets=PRESETS)
    with pytest.raises(QuestionError) as caught:
        list(found.chunks())
    assert [fault.split(" accelerators")[0] for fault in caught.value.faults] == [
        "--count: 30",
        "--count: 31",
    ]


def test_a_count_that_is_too_late_says_so_and_keeps_its_numbers() -> None:
    (chunk,) = sweep(*GRIDS["no count is enough"][:2], presets=PRESETS).chunks()
    told = [chunk.reasons[code] for code in chunk.reason]
    # Eight sequences are too few for the counts that are tried: some of the accelerators are idle too.
    assert told[:2] == [f"{cells.LATE}; {cells.IDLE}"] * 2
    assert told[2] == ""
    assert np.all(np.isfinite(chunk.values["wall_clock"]))
    assert (chunk.values["wall_clock"] > np.array([10, 30, 9000]) * 86400).tolist() == [True, True, False]


def test_columns_that_the_search_of_a_layout_may_look_at_are_told() -> None:
    from estimator import Run
    from estimator.lower import lower

    open_ = lower(Run(params=7e9, count=8), PRESETS)
    assert {"count", "seq", "global_batch", "tp"} <= reads_of(open_)
    assert not {"price", "pue", "tokens", "given_goodput", "given_mfu", "power_per_accelerator"} & reads_of(
        open_
    )
    late = lower(Run(params=7e9), PRESETS)
    assert {"within", "tokens", "given_goodput", "failures", "given_mfu"} <= reads_of(late)
    assert not {"price", "pue"} & reads_of(late)


def test_inputs_that_are_shown_may_be_asked_for() -> None:
    names = ("count", "tp", "price", "exchange_rate")
    (chunk,) = sweep({"params": "7B"}, {"within": "10,60 days"}, wanted=names, presets=PRESETS).chunks()
    assert set(names) <= set(UNITS)
    assert np.all(chunk.values["count"] >= 8)
    assert np.isnan(chunk.values["exchange_rate"]).all()


def test_questions_are_stacked_where_they_are_alike_in_all_but_numbers() -> None:
    """Kernels are not: by them the search of a layout chooses the recomputation that it tries."""
    for vary, families in (({"seq": [1024, 2048, 4096]}, 1), ({"attention": "fused,unfused"}, 2)):
        found = sweep({"params": "7B", "count": 8}, vary, presets=PRESETS).questions()
        assert len(found.families) == families
        assert found.reasons == ("",)
        for family in found.families:  # what is the same for all is held once, known or not
            assert {np.shape(family.columns[name]) for name in ("given_mfu", "hidden", "price")} == {()}


def test_whether_a_card_fits_whose_memory_nobody_knows_is_not_known(tmp_path: Path) -> None:
    record = PRESETS.files("accelerators")["amd-epyc-9654"].read_text(encoding="utf-8")
    kept = [
        line for line in record.splitlines() if not line.startswith(("memory ", "memory_usable", "aliases"))
    ]
    (tmp_path / "accelerators").mkdir()
    (tmp_path / "accelerators" / "no-memory.toml").write_text("\n".join(kept), encoding="utf-8")
    own = Presets((tmp_path,))
    (chunk,) = sweep({"params": "7B", "count": 8}, {"on": "h100,no-memory"}, presets=own).chunks()
    assert chunk.values["fits"][0] == 1.0
    assert np.isnan(chunk.values["fits"][1])
    assert "no memory on record" in chunk.reasons[chunk.reason[1]]


@pytest.mark.parametrize(
    ("base", "vary", "most"),
    [
        ({"params": "7B", "count": 8}, {"goodput": "0.1:1:0.001", "price": "1:3:0.001"}, 1 << 18),
        ({"params": "7B"}, {"count": "8:80000:8", "price": "1:3:0.01"}, 1 << 18),  # 1,304 counts in a chunk
        ({"params": "7B"}, {"price": "1:3:0.01", "count": "8:80000:8"}, 2048),
        ({"params": "7B"}, {"within": "1:9000:1 days"}, 2048),
    ],
)
def test_a_chunk_has_fewer_cells_where_a_layout_is_searched_for_each(
    base: dict[str, Any], vary: dict[str, Any], most: int
) -> None:
    assert sweep(base, vary, presets=PRESETS).usual() == most


def test_a_chunk_of_given_layouts_is_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["estimator.sweeps.sweep"], "_SEARCHES", 8)
    given_ = {"tp": 1, "pp": 1, "vpp": 1, "cp": 1, "ep": 1, "zero": 3, "micro_batch": 1, "recompute": "full"}
    base = {"params": "7B", **given_, "sequence_parallel": "off", "global_batch": 4096, "count": 8}
    assert sweep(base, {"seq": range(1024, 1056)}, presets=PRESETS).usual() == 1 << 18
    assert sweep({**base, "tp": None}, {"seq": range(1024, 1056)}, presets=PRESETS).usual() == 8
