"""docs/accuracy.md is current, its coverage is recomputed one by one, and nothing leaks into a forecast."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator import Presets, Run, ask, evaluate
from estimator.answer import sized, with_ranges
from estimator.arrays import array
from estimator.estimate import STEPS
from estimator.lower import lower

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import fit_efficiency as fit  # noqa: E402
import make_accuracy  # noqa: E402
from accuracy import asking, baselines, left_out, reasons, row_tables, runs, statistics, words  # noqa: E402
from accuracy.scores import BY_CHIP, CONSTANT, METHODS, OURS, Scores, picked  # noqa: E402

CHIP = "nvidia-a100-sxm-80gb"


@pytest.fixture(scope="module")
def configs() -> list[fit.Configuration]:
    return fit.configurations(Presets())


def covered(heading: str, rows: str, method: str = OURS) -> str:
    """The cell 'in range' of one line of the summary under a heading of the page."""
    section = make_accuracy.TARGET.read_text(encoding="utf-8").split(heading)[1]
    line = next(line for line in section.splitlines() if line.startswith(f"| {rows} | {method} |"))
    return line.split("|")[7].strip()


def scores(value: list[float], truth: list[float], *, low: float = 0.9, high: float = 1.1) -> Scores:
    return Scores(array(value), array(value) * low, array(value) * high, array(truth))


# The page.


def test_page_is_current() -> None:
    """By the command itself, from another folder."""
    command = [sys.executable, str(ROOT / "scripts" / "make_accuracy.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "docs/accuracy.md is current\n", "")


@pytest.mark.parametrize(("on_file", "code"), [("text", 0), ("other", 1), (None, 1)])
def test_the_check_compares_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_file: str | None, code: int
) -> None:
    target = tmp_path / "docs" / "accuracy.md"
    if on_file is not None:
        target.parent.mkdir()
        target.write_text(on_file, encoding="utf-8")
    monkeypatch.setattr(make_accuracy, "TARGET", target)
    monkeypatch.setattr(make_accuracy, "page", lambda: "text")
    assert make_accuracy.main(["--check"]) == code
    assert (target.read_text(encoding="utf-8") if target.is_file() else None) == on_file
    assert make_accuracy.main([]) == 0
    assert target.read_text(encoding="utf-8") == "text"


def test_llama_65b_against_the_published_hours() -> None:
    """Touvron et al. 2023, Table 15: 1,022,362 GPU-hours; Section 2.4: 2,048 A100s."""
    run = Run(model="llama-65b", tokens="1.4T", on=CHIP, count=2048)
    hours = ask(run).accelerator_hours
    published = 1_022_362
    low, value, high = (float(end) / 3600 for end in (hours.low, hours.value, hours.high))
    assert value == pytest.approx(published, rel=0.15)
    assert low < published < high


def test_coverage_of_the_runs_is_what_asking_one_by_one_gives() -> None:
    presets = Presets()
    inside: dict[bool, list[bool]] = {True: [], False: []}
    for record in presets.all("runs"):
        if record.words["scored"]:
            found = ask(Run.read(asking.question(record), presets), presets).accelerator_hours
            published = record.figures["accelerator_hours"].value
            productive = record.words["accounting"] == "productive"
            inside[productive].append(float(found.low) <= published <= float(found.high))
    for rows, own in (
        ("productive hours", inside[True]),
        ("occupied hours", inside[False]),
        ("all runs", inside[True] + inside[False]),
    ):
        assert covered("## Published runs", rows) == f"{sum(own)} of {len(own)}"


def test_coverage_of_the_folds_is_what_the_page_says(configs: list[fit.Configuration]) -> None:
    ours = left_out.left_out(configs, left_out.fold_of)[OURS]
    for rows, own in left_out.split_groups({OURS: ours}, configs).items():
        inside = own[OURS].inside
        assert covered("### Four folds", rows) == f"{inside.sum()} of {len(inside)}"


def test_every_scored_run_can_be_asked_and_every_other_says_why_not() -> None:
    for record in Presets().all("runs"):
        if record.words["scored"]:
            assert {"tokens", "accelerator_hours"} <= set(record.figures), record.id
            assert record.words["accounting"] in ("productive", "occupied") or record.id == "bloom-176b"
        else:
            assert record.words["left_out"], record.id


# Nothing leaks.


@pytest.mark.parametrize("name", left_out.PARTS)
def test_a_forecast_has_not_seen_what_it_foretells(configs: list[fit.Configuration], name: str) -> None:
    """Half the speed in the largest part moves no forecast of that part, by any method, and others."""
    label = left_out.PARTS[name]
    ((chosen, _),) = Counter(map(label, configs)).most_common(1)
    own = [label(config) == chosen for config in configs]
    slower = [
        replace(config, speeds=tuple(speed / 2 for speed in config.speeds)) if inside else config
        for config, inside in zip(configs, own, strict=True)
    ]

    def part(config: fit.Configuration) -> str:  # the one part that matters, and two in place of all others
        return "own" if label(config) == chosen else str(left_out.fold_of(config) in "01")

    before, after = left_out.left_out(configs, part), left_out.left_out(slower, part)
    kinds = [(config.chip, config.precision, config.sparse) for config in configs if label(config) == chosen]
    seen, seen_slower = baselines.learnt(configs, kinds), baselines.learnt(slower, kinds)
    for method in METHODS:
        np.testing.assert_array_equal(before[method].pick(own).value, after[method].pick(own).value)
        np.testing.assert_array_equal(before[method].pick(own).truth, 2 * after[method].pick(own).truth)
        assert np.any(seen[method] > seen_slower[method]), "had they been seen they would have moved it"


def test_the_folds_are_the_same_on_every_machine_and_about_as_large() -> None:
    def fold(group: str) -> str:
        return left_out.fold_of(fit.Configuration(group, "", "", "", "", False, 1.0, {}))

    # The last hexadecimal digits of "accuracy-1:b" and "accuracy-1:c" by sha256sum are 6 and 1: modulo 4.
    assert (fold("b"), fold("c")) == ("2", "1")
    sizes = np.bincount([int(fold(str(place))) for place in range(1000)])
    assert len(sizes) == left_out.FOLDS
    assert sizes.min() > 200


def test_learning_from_everything_gives_the_shipped_efficiency(configs: list[fit.Configuration]) -> None:
    presets, learnt = Presets(), baselines.Learnt(configs)
    kinds = sorted({(config.chip, config.precision, config.sparse) for config in configs})
    np.testing.assert_array_equal(baselines.ladder(learnt, kinds), baselines.ladder(presets, kinds))


def test_what_is_left_out_is_not_found_in_the_house_records(configs: list[fit.Configuration]) -> None:
    learnt = baselines.Learnt([config for config in configs if config.chip != CHIP])
    assert f"efficiency-{CHIP}" not in learnt.files("calibrations")
    assert f"efficiency-{CHIP}" in Presets().files("calibrations")
    assert learnt.files("models") == Presets().files("models")
    assert learnt.load("models", "llama-65b").id == "llama-65b"


# Baselines.


def made(speed: float, *, precision: str = "bf16", sparse: bool = False, flops: float = 2.0) -> Any:
    return fit.Configuration(
        f"group-{speed}", "source", CHIP, "ampere", precision, sparse, 100.0, {}, (speed,), (flops,), (flops / 2,)
    )  # fmt: skip


def test_the_constant_is_the_median_of_dense_16_bit_rows_by_6nd() -> None:
    # MFU by 6ND is speed * 1 / 100: the FP8 row and the mixture do not count.
    chosen = [
        made(10),
        made(20),
        made(40, precision="fp16"),
        made(90, precision="fp8"),
        made(80, sparse=True),
    ]
    found = baselines.constant(chosen, 3)
    # 10th and 90th percentile of 0.1, 0.2, 0.4 by linear interpolation: 0.1 + 0.2 * 0.1 and 0.2 + 0.8 * 0.2.
    np.testing.assert_allclose(found, [[0.12, 0.2, 0.36]] * 3)


def test_the_short_form_counts_six_flops_and_changes_nothing_else() -> None:
    (one,) = baselines.short([made(10)])
    assert one.flops == one.short_flops == (1.0,)
    assert one.mfu == pytest.approx(0.1)
    assert replace(one, flops=(2.0,)) == made(10)


def test_other_sources_foretell_by_chip_then_by_architecture_then_by_all() -> None:
    one = replace(made(10), source="own")
    chip = [replace(made(20), source="a"), replace(made(40), source="b"), replace(made(90), source="b")]
    kin = replace(made(60), source="c", chip="other")
    far = replace(made(80), source="d", chip="far", architecture="volta")
    fp8 = replace(made(95, precision="fp8"), source="e")

    def foretold(*others: Any) -> float:
        return fit.of_other_sources(one, fit.by_place([one, *others]))

    assert foretold(*chip, kin, far, fp8) == pytest.approx(0.8)  # the median of 40, 80 and 180 %
    assert foretold(kin, far, fp8) == pytest.approx(1.2)
    assert foretold(far, fp8) == pytest.approx(1.6)
    assert foretold(fp8) == 0.0


def test_a_forecast_is_peak_times_efficiency_over_flops() -> None:
    found = left_out.foretold([made(10), made(30)], array([[0.1, 0.2, 0.4], [0.3, 0.5, 0.6]]))
    np.testing.assert_allclose(found.value, [100 * 0.2 / 2, 100 * 0.5 / 2])
    np.testing.assert_allclose(found.low, [5, 15])
    np.testing.assert_allclose(found.high, [20, 30])
    np.testing.assert_allclose(found.truth, [10, 30])


def test_the_spreadsheet_is_6nd_over_peak_and_efficiency() -> None:
    estimate = ask(Run(params="10B", tokens="1T", on=CHIP, count=8))
    case = replace(
        estimate.case, columns={name: value[None] for name, value in estimate.case.columns.items()}
    )
    found = runs.by_6nd(evaluate(case), array([[0.3, 0.4, 0.5]]), array([1.0]))
    seconds = 6 * 10e9 * 1e12 / float(estimate.peak.value)
    np.testing.assert_allclose(found.value, [seconds / 0.4])
    np.testing.assert_allclose((found.low, found.high), ([seconds / 0.5], [seconds / 0.3]))


# Asking.


def test_many_questions_in_one_evaluation_answer_as_one_by_one() -> None:
    """Questions with different unknowns and columns: the stack must not move what a case does not have."""
    presets = Presets()
    asked: list[dict[str, object]] = [
        {"params": 7e9, "on": CHIP, "count": 64},
        {"model": "llama-65b", "on": "a100", "count": 8, "mfu": 0.4, "price": "2 USD/gpu/hour"},
        {"params": 1e9, "on": "nvidia-v100-sxm2-32gb", "within": "9 days"},
        {"model": "mixtral-8x7b", "on": "h100", "nodes": 4, "pue": 1.2},
    ]
    together = asking.answer(asked, [presets] * len(asked))
    for index, question in enumerate(asked):
        single = with_ranges(sized(lower(Run.read(question, presets), presets)))
        for step in STEPS:
            ours, alone = together.amount(step.name), single.amount(step.name)
            for end in ("low", "value", "high"):
                one = np.broadcast_to(getattr(ours, end), len(asked))[index]
                np.testing.assert_allclose(one, getattr(alone, end), rtol=1e-13, err_msg=step.name)


def test_a_question_says_what_the_record_states_and_no_more() -> None:
    presets = Presets()
    record = presets.load("runs", "pythia-1.4b")
    question = asking.question(record)
    assert set(question) <= {"on", "tokens", "model", "params", "count", "seq", "precision"}
    assert question["tokens"] == record.figures["tokens"].value
    assert set(question) - set(asking.question(record, stated_precision=False)) == {"precision"}


# Scores and verdicts.


def test_scores_by_hand() -> None:
    # Errors +10 %, -20 %, 0, +50 %; ranges of 0.9 to 1.1 hold the first (110 * 0.9 = 99) and the third.
    found = scores([110, 80, 100, 150], [100, 100, 100, 100])
    np.testing.assert_allclose(found.error, [0.1, -0.2, 0.0, 0.5])
    np.testing.assert_array_equal(found.inside, [True, False, True, False])
    assert found.cells() == ["4", "15.0 %", "20.0 %", "+5.0 %", "2 of 4", "1.22"]
    assert found.pick([True, False, False, True]).cells()[0] == "2"
    assert statistics.worst(found, 2) == [(3, pytest.approx(0.5)), (1, pytest.approx(-0.2))]


def test_the_ends_of_a_range_are_inside_it() -> None:
    one = array([1.0, 2.0])
    assert Scores(one, one, one * 2, one).inside.all()
    assert Scores(one, one / 2, one, one).inside.all()


def test_a_group_without_rows_is_left_out() -> None:
    assert list(picked({OURS: scores([1], [1])}, {"some": [True], "none": [False]})) == ["some"]


def verdict(ours: list[float], theirs: list[float]) -> str:
    ones = [1.0] * len(ours)
    methods = {OURS: scores(ours, ones), BY_CHIP: scores(theirs, ones), CONSTANT: scores(theirs, ones)}
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


def test_the_noise_is_the_largest_over_the_smallest_of_repeats() -> None:
    repeated = [
        replace(made(10), speeds=(10.0, 12.0, 11.0)),
        replace(made(20), speeds=(20.0, 21.0)),
        made(30),
    ]
    # Gaps 20 % and 5 %, over 5 rows; a configuration measured once says nothing.
    *_, line, empty = row_tables.noise_table(repeated)
    assert line == "| all | 2 | 5 | 12.5 % | 18.5 % | 20.0 % |"
    assert empty == ""
