"""How much slower training in use is than planned, drawn from measured steps to published runs."""

from __future__ import annotations

import numpy as np
import pytest

from estimator import Presets
from estimator.lower.step_time import CALIBRATION

from . import by_hand  # noqa: F401  the scripts are found from here on

from accuracy import runs  # isort: skip
from step_time import practice  # isort: skip
from step_time.practice import Runs, practice_spreads  # isort: skip
from step_time.record import presets_of, with_practice  # isort: skip
from step_time.spread import Spread  # isort: skip


def drawn(documents: list[str], ratios: list[float], kinds: list[str]) -> Runs:
    return Runs(
        np.log(ratios),
        np.array(documents),
        np.array(kinds),
    )


def test_twenty_documents_weigh_as_much_as_all_steps() -> None:
    """sqrt(1 x 1.44) = 1.2 in the middle; the ends sqrt(0.81 x 1.44) = 1.08 and sqrt(1.21 x 1.44) = 1.32."""
    known = drawn(list("abcdefghijklmnopqrst"), [1.44] * 20, ["no"] * 20)
    found = practice_spreads({"@experts=no": Spread(0.81, 1.21, 100, 1.0)}, known)["@experts=no"]
    assert (found.low, found.middle, found.high) == pytest.approx((1.08, 1.2, 1.32))
    assert found.configurations == 120


def test_a_document_counts_once_however_many_runs_it_tells() -> None:
    one = drawn(list("abc"), [1.0, 2.0, 4.0], ["no"] * 3)
    many = drawn(list("abccccc"), [1.0, 2.0, *[4.0] * 5], ["no"] * 7)
    steps = {"@experts=no": Spread(0.9, 1.1, 100, 1.0)}
    first, second = (practice_spreads(steps, known)["@experts=no"] for known in (one, many))
    # 3 documents of 3 + 20 weigh 3/23 of the logarithm.
    assert first.middle == pytest.approx(2.0 ** (3 / 23))
    assert second.middle < 4.0 ** (3 / 23)
    assert second.configurations == first.configurations == 103


def test_models_with_experts_learn_from_their_own_runs_alone() -> None:
    steps = {"@experts=no": Spread(0.9, 1.1, 100, 1.0), "@experts=yes": Spread(0.7, 1.5, 50, 1.0)}
    found = practice_spreads(steps, drawn(["a"], [2.0], ["no"]))
    assert found["@experts=yes"] == steps["@experts=yes"]
    assert found["@experts=no"].middle == pytest.approx(2.0 ** (1.0 / 21.0))


def test_a_run_is_not_foretold_by_its_own_document() -> None:
    known = drawn(["a", "b", "a"], [2.0, 3.0, 4.0], ["no", "yes", "no"])
    rest = known.without("a")
    assert (rest.documents.tolist(), rest.experts.tolist()) == (["b"], ["yes"])
    assert rest.errors == pytest.approx([np.log(3.0)])


def test_the_house_is_drawn_to_its_runs() -> None:
    """What the record holds is what steps and runs on record give."""
    presets = Presets()
    text = presets.files("calibrations")[CALIBRATION].read_text(encoding="utf-8")
    record = presets.load("calibrations", CALIBRATION)
    with presets_of(with_practice(text, {})) as bare:
        known = practice.published_runs(bare)
    for level, spread in practice_spreads(practice.planned_of(record), known).items():
        figure = record.figures[f"stray_practice{level}"]
        assert (figure.low, figure.value, figure.high) == pytest.approx(
            (spread.low, spread.middle, spread.high), rel=0.01
        )


def test_hours_of_a_run_rest_on_other_documents() -> None:
    """Without the slow runs of its own document a run is foretold faster than by the house."""
    presets = Presets()
    records = [record for record in runs.scored(presets) if record.id == "pythia-6.9b"]
    house, apart = runs.asked(records, presets), runs.unseen(records, presets, runs.asked)
    assert apart.value < house.value
    assert apart.truth == house.truth
