"""docs/accuracy.md is what rows and stored forecasts give, nothing leaks into a forecast, and the scores are right."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Presets, Run, ask
from estimator.answer import sized, with_ranges
from estimator.arrays import array
from estimator.estimate import STEPS
from estimator.lower import lower

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import make_accuracy  # noqa: E402
from accuracy import (  # noqa: E402
    asking,
    constant,
    figures,
    layouts,
    learnt,
    left,
    measure,
    one_step,
    page,
    peaks,
    ranges_tables,
    reasons,
    row_tables,
    runs,
    series,
    statistics,
    store,
    template,
    words,
)
from accuracy.scores import BASELINE, OURS, SPREADSHEET, Scores, middling, picked  # noqa: E402
from step_time import rows as step_rows  # noqa: E402
from step_time.rows import Rows, scorable_rows  # noqa: E402
from step_time.spread import Spread  # noqa: E402

CHIP = "nvidia-a100-sxm-80gb"


@pytest.fixture(scope="module")
def measured() -> Rows:
    return scorable_rows(Presets())


def made(speeds: list[float], **given: list[Any]) -> Rows:
    """Rows by hand: words that are not given are the same in all of them."""
    size = len(speeds)
    usual = {
        "id": [f"row-{place}" for place in range(size)], "config_group": [f"group-{place}" for place in range(size)],
        "source": ["one"] * size, "accelerator": [CHIP] * size, "architecture": ["ampere"] * size,
        "precision": ["bf16"] * size, "experts": ["no"] * size, "model": ["model"] * size,
    }  # fmt: skip
    texts = {name: np.array(given.get(name, column)) for name, column in usual.items()}
    columns = {name: np.array(column, dtype=float) for name, column in given.items() if name not in usual}
    return Rows({"peak": np.full(size, 100.0), **columns}, np.array(speeds, dtype=float), texts)


def scores(value: list[float], truth: list[float], *, low: float = 0.9, high: float = 1.1) -> Scores:
    return Scores(array(value), array(value) * low, array(value) * high, array(truth))


def kept(rows: Rows, value: list[float], baseline: list[float] | None = None) -> left.Left:
    """Rows by hand with what was foretold of them."""
    truth = rows.throughput.tolist()
    everything = np.ones(rows.size, dtype=bool)
    return left.Left(rows, scores(value, truth), scores(baseline or value, truth), everything, everything)


# The page.


def test_the_page_is_what_the_stored_forecasts_and_the_records_give() -> None:
    assert page.page(store.read(make_accuracy.DATA)) == make_accuracy.TARGET.read_text(encoding="utf-8")


FORETOLD = store.Foretold("quarter", "0", "row", 1.0, 0.9, 1.1)


@pytest.mark.parametrize(
    ("text", "again", "said"),
    [
        ("text", [FORETOLD], ""),
        ("text", [FORETOLD._replace(value=1.009)], ""),
        ("text", [FORETOLD._replace(value=1.02)], "quarter 0 row is foretold otherwise today"),
        ("text", [FORETOLD._replace(low=0.8)], "quarter 0 row is foretold otherwise today"),
        ("text", [FORETOLD._replace(id="new")], "quarter 0 new is not stored"),
        ("other", [FORETOLD], "not what docs/accuracy.csv and the records give"),
        (None, [FORETOLD], "not there"),
    ],
)
def test_the_check_renders_and_measures_again_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, again: list[store.Foretold], said: str
) -> None:
    page_file, data = tmp_path / "accuracy.md", tmp_path / "accuracy.csv"
    store.write(data, [FORETOLD])
    if text:
        page_file.write_text(text, encoding="utf-8")
    for name, value in (
        ("TARGET", page_file),
        ("DATA", data),
        ("page", lambda _: "text"),
        ("again", lambda _: again),
    ):
        monkeypatch.setattr(make_accuracy, name, value)
    before = data.read_bytes()
    assert make_accuracy.stale() == said
    assert make_accuracy.main(["--check"]) == (1 if said else 0)
    assert data.read_bytes() == before
    assert (page_file.read_text(encoding="utf-8") if page_file.is_file() else None) == text


def test_without_a_word_everything_is_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"TARGET": tmp_path / "accuracy.md", "DATA": tmp_path / "accuracy.csv"}
    given = {"measure": lambda: [FORETOLD], "page": lambda stored: f"{len(stored)} row"}
    for name, value in (files | given).items():
        monkeypatch.setattr(make_accuracy, name, value)
    assert make_accuracy.main([]) == 0
    (row,) = store.read(files["DATA"])
    assert row[:6] == FORETOLD[:6]
    assert files["TARGET"].read_text(encoding="utf-8") == "1 row"


def test_the_words_of_the_page_hold_no_result() -> None:
    """Percentages, errors and counts stand in tables, which are made."""
    assert not re.search(r"\d\s*%|\d\.\d", template.PAGE)


def test_forecasts_of_other_rows_are_refused() -> None:
    rows = made([10, 20])
    stored = [store.Foretold("quarter", "0", name, *[1.0] * 6) for name in ("row-0", "row-1")]
    found = left.left_of(rows, stored, "quarter")
    assert (found.ours.truth.tolist(), found.baseline.value.tolist()) == ([10, 20], [1, 1])
    for other in (stored[1:], [*stored, stored[0]._replace(id="row-2")]):
        with pytest.raises(LookupError, match="a quarter left out is not of the measured rows of today"):
            left.left_of(rows, other, "quarter")


def test_what_is_stored_is_read_back_and_does_not_depend_on_its_order(tmp_path: Path) -> None:
    rows = [FORETOLD, store.Foretold("series", "house", "a", 0.123456789)]
    for place, order in enumerate((rows, rows[::-1])):
        store.write(tmp_path / str(place), order)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    one, other = store.read(tmp_path / "0")
    assert one[:6] == FORETOLD[:6]
    assert other[:4] == ("series", "house", "a", 0.123457)
    assert np.isnan(other[4:]).all()


# Nothing leaks.


@pytest.mark.parametrize("kind", measure.KINDS)
def test_a_fit_has_seen_nothing_of_what_it_foretells(
    measured: Rows, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parts = measure.parts_of(measured, kind)
    assert sum(part.left(measured).sum() for part in parts) == measured.size
    seen: list[Rows] = []
    monkeypatch.setattr(measure, "fit", seen.append)
    for part in (parts[0], parts[-1]):
        measure.learn(measured, part)
        left_out = part.left(measured)
        for name in ("id", "config_group" if kind == "quarter" else kind):
            assert not set(seen[-1].words[name].tolist()) & set(measured.words[name][left_out].tolist()), name


def test_a_range_is_learnt_without_the_rows_it_is_for(
    measured: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calibration of a part is made of the errors on all other rows."""
    part = measure.parts_of(measured, "quarter")[0]
    made_of: list[tuple[Rows, Any]] = []

    def text(rows: Rows, _: Any, errors: Any) -> str:
        made_of.append((rows, errors))
        return ""

    monkeypatch.setattr(measure, "record_text", text)
    monkeypatch.setattr(measure, "_rows_of", lambda *_: [])
    errors = {kind: np.where(part.left(measured), np.nan, 0.0) for kind in measure.KINDS}
    measure.without(measured, errors, {}, part, None)  # type: ignore[arg-type]
    ((rows, kept_errors),) = made_of
    assert not set(rows.words["id"].tolist()) & set(measured.words["id"][part.left(measured)].tolist())
    assert all(len(each) == rows.size and not np.isnan(each).any() for each in kept_errors.values())


@pytest.fixture
def one_flop_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows by hand have no dimensions: a token takes one FLOP in them."""
    monkeypatch.setattr(constant, "flops_per_token", lambda rows: np.ones(rows.size))


@pytest.mark.usefixtures("one_flop_a_token")
def test_the_baseline_is_the_mfu_of_what_was_seen_whatever_is_asked() -> None:
    seen = made([10, 20, 40])
    for speed in (1000, 5):
        asked = made([speed], peak=[200.0])
        assert constant.throughput(seen, asked).tolist() == pytest.approx([0.2 * 200])


@pytest.mark.usefixtures("one_flop_a_token")
def test_one_mfu_is_that_of_the_chip_at_the_precision_then_of_the_chip_then_of_all() -> None:
    seen = made(
        [10, 20, 40, 90, 50],
        accelerator=["a", "a", "a", "a", "b"],
        precision=["bf16", "bf16", "bf16", "fp8", "bf16"],
    )
    asked = [("a", "bf16"), ("a", "fp8"), ("a", "nvfp4"), ("c", "bf16")]
    chips, precisions = zip(*asked, strict=True)
    # Of 10, 20, 40; of 90; of 10, 20, 40, 90; of 10, 20, 40, 50, 90: over a peak of 100.
    assert constant.one_mfu(seen, chips, precisions).tolist() == pytest.approx([0.2, 0.9, 0.3, 0.4])


@pytest.mark.usefixtures("one_flop_a_token")
def test_the_baseline_counts_a_configuration_once_by_its_median_repeat() -> None:
    seen = made([10, 30, 80, 90], config_group=["x", "y", "y", "y"])
    assert constant.one_mfu(seen, [CHIP], ["bf16"]).tolist() == pytest.approx([(0.1 + 0.8) / 2])


def test_the_closest_level_gives_the_spread() -> None:
    spreads = {
        "@experts=no": Spread(0.9, 1.2, 9),
        "@experts=no@architecture=volta": Spread(0.8, 0.95, 3),
    }
    rows = made([1, 1], architecture=["volta", "ampere"])
    low, high = learnt.spread_of(spreads, rows)
    # A range holds the estimate itself.
    assert low.tolist() == [0.8, 0.9]
    assert high.tolist() == [1.0, 1.2]


def test_the_house_calibration_foretells_what_the_estimator_does() -> None:
    presets = Presets()
    cells = [row.cells for row in presets.rows("measurements/throughput") if step_rows.scorable(row.cells)][
        :5
    ]
    text = presets.files("calibrations")["step-time"].read_text(encoding="utf-8")
    slower = re.sub(r'(?<=^"product_efficiency" = \{ value = )[\d.]+', "0.01", text, flags=re.MULTILINE)
    assert slower != text
    with learnt.presets_of(text) as same, learnt.presets_of(slower) as other:
        ours, again = learnt.foretell(cells, presets), learnt.foretell(cells, same)
        assert again == ours
        changed = learnt.foretell(cells, other)
    for name, (value, low, high) in ours.items():
        assert low < value < high
        assert changed[name][0] < value


# One measured step given.


def test_the_variance_of_residuals_is_split_by_source() -> None:
    sources = np.array(["a", "a", "b", "b"])
    alike = one_step.usual(np.array([0.2, 0.2, -0.2, -0.2]), sources)
    assert alike == pytest.approx((0.04, 0.0))
    assert alike.share == 1.0
    # Within: 4 x 0.01 over 2 degrees of freedom; between: 0 - 0.02 / 2, which is none.
    mixed = one_step.usual(np.array([0.1, -0.1, 0.1, -0.1]), sources)
    assert mixed == pytest.approx((0.0, 0.02))
    assert mixed.share == 0.0


def test_pairs_hold_what_was_foretold_after_a_row_was_given_and_else_what_was_before() -> None:
    rows = made([100, 100, 100, 50], source=["own"] * 3 + ["other"], architecture=["a", "a", "b", "a"])
    stored = [
        store.Foretold("given", "row-0", "row-1", 90.0),
        store.Foretold("quarter", "row-0", "row-2", 1.0),
    ]
    given = one_step.given_one(kept(rows, [80.0, 80.0, 80.0, 80.0]), stored)
    # Each of three rows speaks to two others; the fourth has no other row of its source.
    assert given.before.value.tolist() == [80.0] * 6
    assert sorted(given.ours.value.tolist()) == [80.0] * 5 + [90.0]
    assert given.alike.sum() == 2
    assert set(given.source.tolist()) == {"own"}


def test_the_baseline_moves_by_the_share_of_a_residual_that_other_sources_share() -> None:
    """Others lie 20 % off in one piece: a residual is believed whole, and the own source, twice as slow, is mended."""
    off = {"one": 1.2, "two": 1 / 1.2, "own": 0.5}
    sources = ["one"] * 2 + ["two"] * 2 + ["own"] * 2
    rows = made([100.0 * off[source] for source in sources], source=sources)
    given = one_step.given_one(kept(rows, [100.0] * 6), [])
    own = given.source == "own"
    np.testing.assert_allclose(given.baseline.value[own], 50.0, rtol=0.05)
    assert given.ours.value[own].tolist() == [100.0] * 2


def test_a_row_given_moves_rows_of_its_architecture_through_calibrate_and_no_others() -> None:
    presets = Presets()
    cells = {row.cells["id"]: row.cells for row in presets.rows("measurements/throughput")}
    slow = {
        **cells["nv0001"],
        "tokens_per_s_per_accelerator": "700",
    }  # an H100 row of llm-foundry, printed with 1,007
    alike, apart = cells["nv0002"], cells["nv0079"]  # on H100s; on A100s
    before = learnt.foretell([alike, apart], presets)
    after = learnt.foretell([alike, apart], one_step.taught(slow, presets))
    assert after["nv0002"][0] < before["nv0002"][0]
    assert after["nv0079"] == before["nv0079"]


def test_a_row_that_teaches_nothing_leaves_presets_as_they_are() -> None:
    presets = Presets()
    (row,) = (row.cells for row in presets.rows("measurements/throughput") if row.cells["id"] == "nv0001")
    assert one_step.taught({**row, "tokens_per_s_per_accelerator": ""}, presets) is presets


def test_no_more_than_five_rows_of_a_source_and_sparsity_are_given_and_the_same_ones_each_time() -> None:
    rows = made([1.0] * 9, experts=["no"] * 7 + ["yes"] * 2)
    chosen = one_step.givers(rows)
    assert len(set(chosen)) == one_step.GIVERS + 2 == 7
    assert chosen[-2:] in (["row-7", "row-8"], ["row-8", "row-7"])
    assert one_step.givers(rows.take(np.arange(9)[::-1])) == chosen


def test_every_source_counts_the_same_in_a_weighted_median() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0])
    assert figures.weighted_median(values, weights) == 2.0
    assert figures.weighted_median(values, np.array([5.0, 1.0, 1.0])) == 3.0


# Layouts.


def test_pairs_apart_are_counted_and_the_layout_picked_is_compared() -> None:
    # Of 100, 105, 120 only the pairs with 120 lie a tenth apart; one of them is ordered wrongly.
    found = layouts.ranking([(np.array([3.0, 1.0, 2.0]), np.array([100.0, 105.0, 120.0]))])
    assert (found.right, found.pairs) == (1.0, 2)
    assert found.losses.tolist() == pytest.approx([1 - 100 / 120])
    blind = layouts.by_chance([layouts.Sweep(np.ones(2), [np.array([100.0]), np.array([120.0])])])
    assert (blind.right, blind.pairs) == (0.5, 1)
    assert blind.losses.tolist() == pytest.approx([1 - 110 / 120])


def test_another_measurement_without_noise_ranks_all_rightly_and_with_much_does_not() -> None:
    def sweep(noise: float) -> layouts.Sweep:
        repeats = [np.array([1.0, 1.0 + noise]), np.array([1.2, 1.2 + noise])]
        return layouts.Sweep(np.ones(2), repeats)

    sure, unsure = layouts.by_repeats([sweep(0.0)]), layouts.by_repeats([sweep(0.5)])
    assert (sure.right, sure.pairs, sure.losses.tolist()) == (1.0, 1, [0.0])
    assert unsure.right < 0.95
    assert unsure.losses[0] > 0.0


def test_a_sweep_is_of_one_shape_and_batch_in_two_layouts_at_least() -> None:
    columns = {name: [1.0] * 5 for name in (*layouts._SHAPE, *layouts._LAYOUT)}
    columns |= {
        "count": [384.0] * 4 + [8.0],
        "tp": [1.0, 2.0, 2.0, 4.0, 4.0],
        "layers": [1.0, 1.0, 1.0, 9.0, 1.0],
    }
    rows = made([10, 20, 30, 40, 50], source=[layouts.SOURCE] * 5, **columns)
    (found,) = layouts.sweeps_of(kept(rows, [1, 2, 4, 8, 16]))
    assert found.foretold.tolist() == [1, 3]
    assert found.measured.tolist() == [10, 25]


# Scaling.


def test_every_scored_series_is_named_once_and_its_rows_are_there() -> None:
    presets = Presets()
    known = {row.cells["id"]: row.cells for row in presets.rows("measurements/throughput")}
    named = series.named()
    for each in series.all_series(presets):
        assert (each.id in named["rows"]) != (each.id in named["models"]), each.id
        for name in named["rows"].get(each.id, ()):
            assert known[name]["source"] == each.rows[0]["source"] or each.id in named["unseen"], each.id
    assert {each.id for each in series.all_series(presets)} >= {*named["rows"], *named["models"]}


def test_an_end_of_a_series_is_its_row_at_the_count_and_batch_of_the_series() -> None:
    presets = Presets()
    found = {each.id: each for each in series.all_series(presets)}
    first, last = found["internevo_7b_tp1_zero1-1"].ends
    cells = series._row(first, "nv0632", presets)
    # The row has 128 sequences on 16 cards; the series is weak, at 8 cards.
    assert (cells["n_accelerators"], cells["global_batch_seqs"], cells["micro_batch"]) == ("8", "64", "2")
    first, last = found["mpt_70b_2048_a100_80gb_bf16"].ends
    cells = series._row(last, "nv0079", presets)
    # 4,194,304 tokens of 2,048 a sequence, micro-batches of 8 as its layout says.
    assert (cells["n_accelerators"], cells["global_batch_seqs"], cells["micro_batch"]) == ("64", "2048", "8")
    first, last = found["bloom_200b_async_gbs512"].ends
    assert series._row(last, "nv1075", presets)["global_batch_seqs"] == "512"


def test_a_series_asks_for_what_it_prints() -> None:
    found = {each.id: each for each in series.all_series(Presets())}
    first, _ = found["llama3_405b_strong_8k_seq"].ends
    # 16 million tokens are printed: the nearest whole number of micro-batches of 64 replicas and 16 stages.
    assert series.question(first) == {
        "model": "llama-3.1-405b", "on": "nvidia-h100-sxm-80gb", "count": 8192, "seq": 8192,
        "tp": 8, "cp": 1, "pp": 16, "global_batch": 2048,
    }  # fmt: skip
    first, _ = found["mlperf_v4.1_gpt3_NVIDIA_H100"].ends
    assert series.question(first)["stack"] == "megatron"
    assert found["llama3_405b_strong_8k_seq"].measured == pytest.approx(400 / 430)


# Memory.


def test_lomo_is_compared_part_by_part_and_over_all_cards() -> None:
    found = peaks.lomo(Presets())
    # Table 2: 13.61 GB on one card over 15.76 GB on each of eight.
    assert found.printed == pytest.approx(13.61 / (8 * 15.76), rel=1e-6)
    assert {part.part for part in found.parts} == set(peaks.PARTS)
    assert all(part.printed > 0 for part in found.parts)
    weights = next(part for part in found.parts if part.part == "memory_params_gb")
    assert weights.ours == pytest.approx(6.738e9 * 2 / 2**30, rel=1e-3)


# Published runs.


def test_llama_65b_against_the_published_hours() -> None:
    """Touvron et al. 2023, Table 15: 1,022,362 GPU-hours; Section 2.4: 2,048 A100s."""
    hours = ask(Run(model="llama-65b", tokens="1.4T", on=CHIP, count=2048)).accelerator_hours
    low, value, high = (float(end) / 3600 for end in (hours.low, hours.value, hours.high))
    assert value == pytest.approx(1_022_362, rel=0.15)
    assert low < 1_022_362 < high


def test_every_scored_run_can_be_asked_and_every_other_says_why_not() -> None:
    for record in Presets().all("runs"):
        if record.words["scored"]:
            assert {"tokens", "accelerator_hours"} <= set(record.figures), record.id
            assert record.words["accounting"] in ("productive", "occupied") or record.id == "bloom-176b"
        else:
            assert record.words["left_out"], record.id


def test_the_spreadsheet_is_6nd_over_peak_and_efficiency() -> None:
    estimate = ask(Run(params="10B", tokens="1T", on=CHIP, count=8))
    peak, exact = float(estimate.peak.value), float(estimate.flops_per_token.value)
    found = runs.at_mfu(estimate, array(0.4), "flops_6nd", array(1.0))
    assert float(found.value) == pytest.approx(6 * 10e9 * 1e12 / (peak * 0.4))
    found = runs.at_mfu(estimate, array(0.4), "flops_per_token", array(1.0))
    assert float(found.value) == pytest.approx(exact * 1e12 / (peak * 0.4))


def test_runs_that_have_kin_are_replaced_by_what_was_foretold_without() -> None:
    presets = Presets()
    records = [presets.load("runs", name) for name in ("llama-7b", "llama-13b")]
    stored = [store.Foretold("run", "internlm-internevo", "llama-7b", 5.0, 4.0, 6.0)]
    found = runs.replaced(scores([1.0, 2.0], [3.0, 3.0]), records, stored)
    assert found.value.tolist() == [5.0, 2.0]
    assert found.low.tolist() == [4.0, 1.8]


def test_kin_is_of_the_same_shape_on_the_same_chip() -> None:
    case = lower(Run(model="llama-7b", on=CHIP, count=8), Presets())
    layers, hidden, ffn = (float(case.columns[name]) for name in ("layers", "hidden", "ffn"))
    rows = made(
        [1, 1, 1], accelerator=[CHIP, "other", CHIP], layers=[layers] * 3, hidden=[hidden] * 3,
        ffn=[ffn, ffn, 1.0], expert_ffn=[0.0, 0.0, 0.0],
    )  # fmt: skip
    assert runs.kin_of(case, rows).tolist() == [True, False, False]


def test_many_questions_in_one_evaluation_answer_as_one_by_one() -> None:
    """Questions with different unknowns and columns: the stack must not move what a case does not have."""
    presets = Presets()
    asked: list[dict[str, object]] = [
        {"params": 7e9, "on": CHIP, "count": 64},
        {"model": "llama-65b", "on": "a100", "count": 8, "mfu": 0.4, "price": "2 USD/gpu/hour"},
        {"params": 1e9, "on": "nvidia-v100-sxm2-32gb", "within": "9 days"},
        {"model": "mixtral-8x7b", "on": "h100", "nodes": 4, "pue": 1.2},
    ]
    together = asking.together(asking.lowered(asked, presets))
    for index, question in enumerate(asked):
        single = with_ranges(sized(lower(Run.read(question, presets), presets)))
        for step in STEPS:
            ours, alone = together.amount(step.name), single.amount(step.name)
            for end in ("low", "value", "high"):
                one = np.broadcast_to(getattr(ours, end), len(asked))[index]
                np.testing.assert_allclose(one, getattr(alone, end), rtol=1e-12, err_msg=step.name)


def test_a_question_says_what_the_record_states_and_no_more() -> None:
    record = Presets().load("runs", "pythia-1.4b")
    question = asking.question(record)
    assert set(question) <= {"on", "tokens", "model", "params", "count", "seq", "precision"}
    assert question["tokens"] == record.figures["tokens"].value
    assert set(question) - set(asking.question(record, stated_precision=False)) == {"precision"}


# Scores, aims and verdicts.


def test_scores_by_hand() -> None:
    # Errors +10 %, -20 %, 0, +50 %; ranges of 0.9 to 1.1 hold the first (110 * 0.9 = 99) and the third.
    found = scores([110, 80, 100, 150], [100, 100, 100, 100])
    np.testing.assert_allclose(found.error, [0.1, -0.2, 0.0, 0.5])
    np.testing.assert_array_equal(found.inside, [True, False, True, False])
    assert found.cells() == ["4", "15.0 %", "20.0 %", "+5.0 %", "2 of 4", "1.22"]
    assert middling(found) == "15.0 / 20.0 %"
    assert found.pick([True, False, False, True]).cells()[0] == "2"
    assert found.at(np.array([3, 3])).error.tolist() == [0.5, 0.5]
    assert statistics.worst(found, 2) == [(3, pytest.approx(0.5)), (1, pytest.approx(-0.2))]
    assert scores([1], [1], low=1.0, high=1.0).cells()[4:] == ["", ""]


def test_the_interval_score_is_the_width_and_ten_times_what_lies_outside() -> None:
    found = scores([100.0, 100.0], [100.0, 121.0])
    width = np.log(1.1 / 0.9)
    assert found.interval == pytest.approx(width + 0.5 * 10 * np.log(1.1))


def test_the_ends_of_a_range_are_inside_it() -> None:
    one = array([1.0, 2.0])
    assert Scores(one, one, one * 2, one).inside.all()
    assert Scores(one, one / 2, one, one).inside.all()


def test_a_group_without_rows_is_left_out() -> None:
    assert list(picked({OURS: scores([1], [1])}, {"some": [True], "none": [False]})) == ["some"]


@pytest.mark.parametrize(("size", "ends"), [(20, (12, 19)), (1, (0, 1)), (606, (465, 504))])
def test_chance_lets_a_range_of_four_in_five_hold_so_many(size: int, ends: tuple[int, int]) -> None:
    """20: 12 to 19, by the sums of the binomial distribution; 606: 484.8 -+ 1.96 x 9.85."""
    assert ranges_tables.interval(size) == ends


@pytest.mark.parametrize(
    ("aim", "text", "reached"),
    [
        (figures.Aim(0.2, 0.3), "20 / 30 %", "yes"),
        (figures.Aim(0.1, 0.3), "10 / 30 %", "mean only"),
        (figures.Aim(0.2, 0.1), "20 / 10 %", "median only"),
        (figures.Aim(0.035), "3.5 / - %", "no"),
        (figures.Aim(None, 0.25), "- / 25 %", "yes"),
        (figures.Aim(), "", ""),
    ],
)
def test_an_aim_is_reached_where_the_error_is_no_larger(aim: figures.Aim, text: str, reached: str) -> None:
    found = scores([115, 80, 100, 150], [100, 100, 100, 100])  # median 17.5 %, mean 21.25 %
    assert (aim.write(), aim.reached(found)) == (text, reached)


def test_a_line_counts_configurations_once_and_rows_all() -> None:
    rows = made([100, 100, 100], config_group=["x", "x", "y"])
    own = replace(kept(rows, [110, 150, 130], [200, 200, 200]), median=np.array([True, False, True]))
    assert figures.line("name", own, figures.Aim(0.3)) == [
        "name", "2 (3)", "20.0 / 20.0 %", "30.0 / 30.0 %", "100.0 / 100.0 %", "100.0 / 100.0 %", "30 / - %", "yes",
    ]  # fmt: skip


def test_points_of_scaling_are_counted_on_both_sides() -> None:
    found = figures.points_line(np.array([0.9, 0.97]), np.array([0.94, 0.85]))
    assert found[1:] == [
        "2 series", "1 within 5 points, median 8.0 points", "", "1 within 5 points, median 6.5 points", "",
        "within 5 points", "no",
    ]  # fmt: skip


def verdict(ours: list[float], theirs: list[float]) -> str:
    ones = [1.0] * len(ours)
    methods = {OURS: scores(ours, ones), BASELINE: scores(theirs, ones), SPREADSHEET: scores(theirs, ones)}
    return statistics.verdicts({"rows": methods})[2].split("|")[3].strip(" *")


def test_a_verdict_is_better_or_worse_only_where_the_interval_leaves_out_zero() -> None:
    near, far = [1.01 + 0.001 * n for n in range(20)], [1.5 + 0.001 * n for n in range(20)]
    assert verdict(near, far) == "better"
    assert verdict(far, near) == "worse"
    assert verdict(near, near) == "only equal"
    assert verdict([*near[:11], *far[:9]], [*far[:9], *near[:11]]) == "only equal"


def test_the_interval_of_a_sure_difference_is_a_point_and_of_any_the_same_each_time() -> None:
    assert statistics.difference(np.full(9, 0.1), np.full(9, 0.3)) == pytest.approx((-0.2, -0.2))
    rows = np.linspace(0, 1, 30), np.linspace(0.5, 0.9, 30)
    assert statistics.difference(*rows) == statistics.difference(*rows)
    low, high = statistics.difference(*rows)
    assert low < float(np.median(rows[0]) - np.median(rows[1])) < high


# Words and tables.


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.signed, 0.1234, "+12.3 %"),
        (words.signed, -0.0004, "+0.0 %"),
        (words.signed, -0.25, "-25.0 %"),
        (words.share, 0.4412, "44.1 %"),
        (words.amount, 1022362.4, "1,022,362"),
        (words.amount, 12.3456, "12.35"),
    ],
)
def test_numbers_of_the_page(write: Any, value: float, text: str) -> None:
    assert write(value) == text


def test_a_column_of_numbers_stands_to_the_right() -> None:
    lines = words.table(["name", "n", "gap"], [["a", "1", "+2 %"], ["b", "", "-3 %"]])
    assert lines == ["| name | n | gap |", "| --- | ---: | ---: |", "| a | 1 | +2 % |", "| b |  | -3 % |", ""]


def test_a_reason_is_told_only_for_the_sign_it_was_written_for() -> None:
    known = {"-pythia-70m": "small kernels"}
    assert reasons.reason(known, "pythia-70m", -0.5) == "small kernels"
    assert reasons.reason(known, "pythia-70m", 0.5) == "not looked into"


def test_every_reason_is_of_a_run_or_a_configuration_on_record(measured: Rows) -> None:
    assert {name[1:] for name in reasons.ROW_REASONS} <= set(measured.words["config_group"].tolist())
    assert {name[1:] for name in reasons.RUN_REASONS} <= {record.id for record in runs.scored(Presets())}


def test_the_noise_is_the_largest_over_the_smallest_of_repeats() -> None:
    # Repeats of 100 and 130, and a configuration without any; about their median of 115: 15 / 115 each.
    rows = made([100, 130, 500], config_group=["x", "x", "y"], source=["a", "a", "b"])
    table = row_tables.noise_table(rows, kept(rows, [110, 130, 500]))
    assert table[2:5] == [
        "| a | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
        "| all | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
        "| dense | 1 | 2 | 30.0 % | 30.0 % | 30.0 % | 13.0 / 13.0 % | 5.0 / 5.0 % |",
    ]
