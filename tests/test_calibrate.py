"""A user's own steps: what a file teaches, and what questions and rows answer with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from estimator import EstimatorError, QuestionError, Run, ask
from estimator.calibrate import Calibration, calibrate, errors
from estimator.estimate import Amount
from estimator.inputs.calibrations import own_calibration
from estimator.lower.step_time import CALIBRATION, LEVELS, coefficients, strayed
from estimator.measured import Table, lower_rows
from estimator.presets import Presets
from estimator.records import Record
from estimator.validate import Validation

from .own_steps import COLUMNS, Rows, file, row, several

HOUSE = Presets().load("calibrations", CALIBRATION)
QUESTION = {
    "model": "llama-2-7b", "on": "a100-sxm-80gb", "count": 64, "global_batch": 512, "micro_batch": 2, "tp": 1, "pp": 1,
    "zero": 1, "recompute": "full", "tokens": "1T",
}  # fmt: skip
AMPERE: dict[str, str] = dict(
    zip(LEVELS, ("nvidia-a100-sxm-80gb", "ampere", "bf16", "typical", "no"), strict=True)
)


def learnt(folder: Path, rows: Rows, factors: float | list[float] = 1.0) -> Calibration:
    return calibrate(file(folder, rows, factors))


def kept(folder: Path, rows: Rows, factors: float | list[float] = 1.0) -> str:
    """The name of a calibration file learnt from rows."""
    place = folder / "mine.toml"
    place.write_text(learnt(folder, rows, factors).write(), encoding="utf-8")
    return str(place)


def multiplier(calibration: Calibration, name: str = "slowness") -> float:
    (group,) = calibration.groups
    return group.learnt.multipliers[name]


def speed(**inputs: object) -> Amount:
    return ask(Run(**{**QUESTION, **inputs})).throughput_per_accelerator


def test_steps_as_predicted_change_nothing_but_the_range(tmp_path: Path) -> None:
    mine = kept(tmp_path, several(6))
    without, named, own = speed(), speed(stack="megatron"), speed(calibration=mine)
    assert float(own.value) == pytest.approx(float(named.value), rel=1e-5)
    assert float(own.high / own.low) < float(without.high / without.low)


def test_one_slow_step_moves_the_answer_part_of_its_way(tmp_path: Path) -> None:
    own = float(speed(calibration=kept(tmp_path, [row("a")], 0.8)).value)
    house = float(speed(stack="megatron").value)
    assert 0.8 < own / house < 0.98


def test_more_slow_steps_move_it_farther(tmp_path: Path) -> None:
    one, many = (multiplier(learnt(tmp_path, several(n), 0.8)) for n in (1, 12))
    assert 1.0 < one < many < 1.25


def test_repeats_of_a_configuration_count_once(tmp_path: Path) -> None:
    repeats = [row(f"a{n}") for n in range(5)]
    one = learnt(tmp_path, [row("a")], 0.8)
    # The geometric mean of repeats is what counts.
    several_times = learnt(tmp_path, repeats, [0.8, 0.8 * 1.1, 0.8 / 1.1, 0.8, 0.8])
    assert multiplier(several_times) == pytest.approx(multiplier(one))
    assert (len(several_times.steps), len(several_times.groups[0].configurations)) == (5, 1)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows, factors = several(5), [0.8, 0.9, 1.1, 0.7, 1.0]
    forth = learnt(tmp_path, rows, factors).write().split("[figures]")[1]
    back = learnt(tmp_path, rows[::-1], factors[::-1]).write().split("[figures]")[1]
    assert forth == back


def test_steps_speak_for_their_architecture_and_sparsity_alone(tmp_path: Path) -> None:
    mine = kept(tmp_path, several(3), 0.7)
    note = "changes nothing here: it says nothing of"
    dense = "'mine.toml' was learnt from dense models on ampere and"
    for other, what in (
        ({"on": "h100-sxm-80gb"}, "dense models on hopper"),
        ({"model": "mixtral-8x7b", "zero": 3}, "mixture-of-experts models on ampere"),
    ):
        own = ask(Run(**{**QUESTION, **other, "calibration": mine, "stack": "megatron"}))
        house = ask(Run(**{**QUESTION, **other, "stack": "megatron"}))
        assert float(own.step_time.value) == float(house.step_time.value)
        assert float(own.step_time.high) == float(house.step_time.high)
        assert f"{dense} {note} {what}" in own.case.notes


def test_both_kinds_of_models_may_be_measured(tmp_path: Path) -> None:
    found = learnt(tmp_path, [*several(2), row("m", model="mixtral-8x7b", zero_stage=3)], 0.9)
    assert [group.levels["experts"] for group in found.groups] == ["no", "yes"]


def test_another_member_and_another_stack_are_warned_of(tmp_path: Path) -> None:
    mine = kept(tmp_path, several(2), 0.9)
    notes = ask(Run(**{**QUESTION, "on": "a100-sxm-40gb", "stack": "fsdp", "calibration": mine})).case.notes
    less = "it may hold less well here"
    assert f"'mine.toml' was learnt on nvidia-a100-sxm-80gb, not on nvidia-a100-sxm-40gb: {less}" in notes
    assert f"'mine.toml' was learnt on megatron, not on fsdp: {less}" in notes


def test_a_silent_question_takes_the_software_of_the_steps(tmp_path: Path) -> None:
    case = ask(Run(**QUESTION, calibration=kept(tmp_path, several(2, framework="NeMo 24.07")))).case
    assert (case.words["stack"], float(case.columns["stack_year"])) == ("megatron", 2024.5)
    for name in ("stack", "stack_year"):
        assert case.origins[name].reason == "that of your own measured steps"
    given = ask(Run(**QUESTION, calibration=str(tmp_path / "mine.toml"), stack="fsdp", stack_year=2023)).case
    assert (given.words["stack"], float(given.columns["stack_year"])) == ("fsdp", 2023.0)


def test_software_that_differs_between_rows_is_left_open(tmp_path: Path) -> None:
    rows = [
        row("a", framework="NeMo 24.07"),
        row("b", framework="NeMo 25.07"),
        row("c", framework="NeMo 24.07"),
    ]
    words = own_calibration(kept(tmp_path, rows), HOUSE).words
    assert words["stack"] == "megatron"
    assert "stack_year" not in words
    mixed = own_calibration(kept(tmp_path, [row("a"), row("b", framework="fsdp", tp=2)]), HOUSE).words
    assert "stack" not in mixed


def widths(own: Record | None, **levels: str) -> float:
    """How wide all that steps stray is together, squared."""
    strays = strayed(HOUSE, {**AMPERE, **levels}, own)
    return sum(float(np.log(high / low)) ** 2 for low, high in (stray.ends for stray in strays))


def test_own_steps_take_the_place_of_what_was_not_known(tmp_path: Path) -> None:
    own = own_calibration(kept(tmp_path, several(8)), HOUSE)
    names = [stray.name for stray in strayed(HOUSE, AMPERE, own)]
    assert names == ["model", "stray_site"]
    assert [stray.name for stray in strayed(HOUSE, AMPERE)] == ["model", "stack"]
    assert [stray.name for stray in strayed(HOUSE, AMPERE, own, planned=True)] == names
    assert widths(own) < widths(None)
    # A stack that is named has no range of its own to be narrowed.
    assert [stray.name for stray in strayed(HOUSE, {**AMPERE, "stack": "fsdp"}, own)] == ["model"]


def test_what_is_left_open_is_never_more_than_what_it_replaces(tmp_path: Path) -> None:
    own = own_calibration(kept(tmp_path, [row("a")]), HOUSE)
    wide = {"stray_site@architecture=ampere@experts=no": ("low", "high")}
    key = next(iter(wide))
    far = own._replace(figures={**own.figures, key: own.figures[key]._replace(low=0.01, high=100.0)})
    before, after = (strayed(HOUSE, AMPERE, each)[1].ends for each in (None, far))
    assert after == pytest.approx(before)


def test_multipliers_come_on_top_of_the_recorded_factors(tmp_path: Path) -> None:
    own = own_calibration(kept(tmp_path, several(3), 0.8), HOUSE)
    key = "slowness@architecture=ampere@experts=no"
    with_own, without = (coefficients(HOUSE, AMPERE, each)["slowness"] for each in (own, None))
    assert with_own == pytest.approx(without * own.value(key))
    hopper = {**AMPERE, "architecture": "hopper"}
    assert coefficients(HOUSE, hopper, own) == coefficients(HOUSE, hopper)


def test_rows_and_questions_are_multiplied_alike(tmp_path: Path) -> None:
    own = own_calibration(kept(tmp_path, several(3), 0.8), HOUSE)
    rows = Table.of([row("a", framework="")])
    columns = [lower_rows(rows, Presets(calibration=each)).case.columns for each in (own, None)]
    key = "slowness@architecture=ampere@experts=no"
    assert columns[0]["fit_slowness"] == pytest.approx(columns[1]["fit_slowness"] * own.value(key))


def test_own_steps_are_foretold_better_with_what_they_taught(tmp_path: Path) -> None:
    rows = several(6)
    mine = file(tmp_path, rows, 0.8)
    own = own_calibration(kept(tmp_path, rows, 0.8), HOUSE)

    def median(presets: Presets) -> float:
        validation = Validation(mine, presets)
        for _ in validation.pieces():
            pass
        score = validation.scores.score(baseline=False)
        assert score
        return score.errors.median

    assert median(Presets()) == pytest.approx(0.25)
    assert median(Presets(calibration=own)) < 0.05


def test_the_record_tells_rows_base_and_date(tmp_path: Path) -> None:
    words = own_calibration(kept(tmp_path, several(2)), HOUSE).words
    assert (words["rows"], words["rows_in_all"], len(words["base"])) == (["r0", "r1"], 2, 64)
    assert words["date"].count("-") == 2
    assert words["measured"] == [
        {"architecture": "ampere", "experts": "no", "accelerators": ["nvidia-a100-sxm-80gb"],
         "precisions": ["bf16"], "stacks": ["megatron"], "configurations": 2, "rows": 2}
    ]  # fmt: skip


def test_multipliers_that_rows_say_nothing_of_are_not_recorded(tmp_path: Path) -> None:
    (group,) = learnt(tmp_path, several(3), 0.9).groups
    assert "slowness" in group.recorded
    assert not {"tensor_use", "sharding_use"} & group.recorded.keys()
    (split,) = learnt(tmp_path, several(3, tp=8), 0.9).groups
    assert "tensor_use" in split.recorded
    for value, low, high in split.recorded.values():
        assert low < value < high


def test_rows_that_teach_nothing_are_counted_with_their_reason(tmp_path: Path) -> None:
    rows = [row("good"), row("odd"), row("fast"), row("slow")]
    place = file(tmp_path, rows, [1.0, 1.0, 1000.0, 1e-3])
    content = place.read_text(encoding="utf-8").replace("odd,nvidia-a100-sxm-80gb", "odd,flux")
    place.write_text(f"{content}\n1,2,3\n", encoding="utf-8")
    found = calibrate(place)
    assert [step.id for step in found.steps] == ["good"]
    assert found.rows == 5
    assert found.skipped == {
        "more than 10 times off: is its unit right?": 2, "unknown accelerator": 1,
        "more or fewer cells than columns": 1,
    }  # fmt: skip
    told = dict(found.told)
    assert told["odd"].startswith("unknown accelerator: 'flux'")
    assert told["line 7"] == "more or fewer cells than columns: 3 cells under 14 columns"
    assert told["fast"].startswith("more than 10 times off: is its unit right?: ")


def problem(place: Path) -> str:
    with pytest.raises(EstimatorError) as caught:
        calibrate(place)
    return str(caught.value).replace(str(place), "FILE")


HEADER = ",".join(("tokens_per_s_per_accelerator", *COLUMNS))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER, "'FILE' holds a header and no rows"),
        ("", "'FILE' is empty; name a CSV file of measured rows"),
        (
            "id,peak_memory_bytes_per_device\na,1\n",
            "'FILE' holds measured memory, and only steps teach: the header needs tokens_per_s_per_accelerator or "
            "iter_time_s",
        ),
        (
            f"{HEADER}\n1000,a,nvidia-a100-sxm-80gb,many,llama-2-7b{',' * 9}\n",
            "'FILE': none of its rows can be learnt from (1 x n_accelerators is not a whole number from 1 to 1e+08)",
        ),
        (
            f"{HEADER}\n-5,a,nvidia-a100-sxm-80gb,8,llama-2-7b{',' * 9}\n",
            "'FILE': none of its rows can be learnt from (1 x tokens_per_s_per_accelerator is not a number above zero)",
        ),
    ],
)
def test_what_teaches_nothing_is_one_error(tmp_path: Path, content: str, message: str) -> None:
    place = tmp_path / "bad.csv"
    place.write_text(content, encoding="utf-8")
    assert problem(place) == message


def test_rows_beyond_enough_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("estimator.own_rows.PIECE", 2)
    monkeypatch.setattr("estimator.own_rows.MOST", 4)
    found = learnt(tmp_path, several(9))
    assert (found.rows, len(found.steps), found.unread) == (4, 4, True)
    exactly = learnt(tmp_path, several(4))
    assert (exactly.rows, exactly.unread) == (4, False)


def test_an_mfu_and_a_calibration_contradict_each_other() -> None:
    with pytest.raises(QuestionError) as caught:
        Run(params=7e9, mfu=0.4, calibration="mine.toml")
    assert str(caught.value) == "--mfu and --calibration contradict each other; give one of them"


def test_a_faulty_file_is_the_one_fault_of_a_question(tmp_path: Path) -> None:
    with pytest.raises(QuestionError) as caught:
        ask(Run(params=7e9, calibration=str(tmp_path / "none.toml")))
    assert str(caught.value) == (
        f"--calibration: '{tmp_path / 'none.toml'}' does not exist; name a file that `estimate calibrate MINE.csv -o "
        "mine.toml` wrote"
    )


def test_a_calibration_of_ones_own_folder_is_the_base(tmp_path: Path) -> None:
    """A file learnt beside the user's own step-time.toml is refused without that folder."""
    own = tmp_path / "own" / "calibrations"
    own.mkdir(parents=True)
    place = own / "step-time.toml"
    shutil.copy(HOUSE.path, place)
    content = place.read_text(encoding="utf-8")
    line = next(line for line in content.splitlines() if line.startswith('"step_overhead"'))
    place.write_text(content.replace(line, line.replace('value = "', 'value = "1')), encoding="utf-8")
    presets = Presets((tmp_path / "own",))
    mine = tmp_path / "mine.toml"
    mine.write_text(calibrate(file(tmp_path, several(2)), presets).write(), encoding="utf-8")
    assert ask(Run(**QUESTION, calibration=str(mine)), presets)
    with pytest.raises(QuestionError, match="another recorded calibration"):
        ask(Run(**QUESTION, calibration=str(mine)))


def test_errors_are_those_of_the_throughput() -> None:
    assert errors(np.log(np.array([2.0, 0.5]))) == pytest.approx(np.array([1.0, -0.5]))


def test_each_configuration_is_foretold_from_the_others(tmp_path: Path) -> None:
    (group,) = learnt(tmp_path, several(6), [0.8, 0.8, 0.8, 0.8, 0.8, 1.0]).groups
    before, alone = (np.abs(each) for each in (group.learnt.before, group.learnt.alone))
    assert np.all(alone[:5] < before[:5])
    assert alone[5] > before[5]
