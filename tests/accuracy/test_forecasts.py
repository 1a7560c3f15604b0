"""Nothing leaks into a forecast, and what is foretold of steps, layouts and series is what it says."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from estimator import Presets

from .by_hand import CHIP, kept, made

from accuracy import constant, figures, layouts, learnt, measure, one_step, store  # isort: skip
from step_time import rows as step_rows  # isort: skip
from step_time.record import presets_of  # isort: skip
from step_time.rows import Rows, scorable_rows  # isort: skip
from step_time.spread import Spread, strays_of  # isort: skip


@pytest.fixture(scope="module")
def measured() -> Rows:
    return scorable_rows(Presets())


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


def test_what_is_not_known_of_a_step_strays_beyond_the_model() -> None:
    rows = made([1.0] * 12, experts=["no"] * 11 + ["yes"])
    away = np.append(np.linspace(-0.1, 0.1, 11), 0.0)
    found = strays_of(rows, {"quarter": away, "source": 2 * away, "accelerator": 3 * away})
    # A tenth of eleven configurations is six tenths of the way from the first to the second: 0.088.
    model, stack, chip = (found[name]["@experts=no"] for name in ("model", "stack", "accelerator"))
    assert np.log([model.low, model.high]) == pytest.approx([-0.088, 0.088])
    assert np.log([stack.low, stack.high]) == pytest.approx([-0.088 * 3**0.5, 0.088 * 3**0.5])
    assert np.log([chip.low, chip.high]) == pytest.approx([-0.088 * 8**0.5, 0.088 * 8**0.5])


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
    with presets_of(text) as same, presets_of(slower) as other:
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
