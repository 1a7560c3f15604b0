"""A question: what it takes in, what it refuses, and that writing it down loses nothing."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from estimator import EstimatorError, QuestionError, Run, load
from estimator.inputs.files import write_question
from estimator.inputs.run import FIELDS, rivals_of
from estimator.units import Price

PRICES = st.builds(
    Price, st.floats(1e-9, 1e3), st.sampled_from(["USD", "CNY"]), st.sampled_from(["accelerator", "node"])
)
runs = st.fixed_dictionaries(
    {"params": st.floats(1e3, 1e16)},
    optional={
        "tokens": st.floats(1, 1e19),
        "seq": st.integers(1, 10**9),
        "within": st.floats(1, 1e11).map("{!r} s".format),
        "mfu": st.floats(1e-6, 1),
        "goodput": st.floats(1e-6, 1),
        "power": st.floats(1e-3, 1e6).map("{!r} W".format),
        "pue": st.floats(1, 10),
        "precision": st.sampled_from(["bf16", "FP8", "nvfp4"]),
        "on": st.sampled_from(["a100", "nvidia-h100-sxm-80gb"]),
        "price": PRICES,
        "year": st.integers(2000, 2100),
    },
)


@given(runs)
def test_what_is_written_reads_back_as_the_same_question(given: dict[str, object]) -> None:
    run = Run(**given)
    assert Run(**run.write()) == run
    assert pickle.loads(pickle.dumps(run)) == run == copy.deepcopy(run)
    assert hash(Run(**run.write())) == hash(run)


@given(runs)
def test_a_question_file_holds_the_whole_question(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("questions") / "run.toml"
    run = Run(**given)
    write_question(run, path)
    assert load(path) == run


def test_a_run_does_not_change() -> None:
    run = Run(params=7e9)
    with pytest.raises(AttributeError, match="a Run is immutable"):
        run.params = 8e9
    with pytest.raises(AttributeError):
        del run.params


def test_every_field_is_declared_and_described() -> None:
    assert set(Run.__annotations__) - {"fields"} == set(FIELDS)
    assert all(field.description.endswith(".") for field in FIELDS.values())


def test_quantities_of_any_registry_are_read_by_their_unit() -> None:
    theirs = pint.UnitRegistry()
    run = Run(params=7e9, within=2 * theirs.week, power=0.4 * theirs.kilowatt)
    assert (run.within, run.power) == (14 * 86400.0, 400.0)
    with pytest.raises(QuestionError, match=r"--power: '80.0 byte' measures memory"):
        Run(params=7e9, power=80 * _house_byte())


def _house_byte():  # type: ignore[no-untyped-def]
    from estimator import units

    return units.quantity(1.0, "byte")


@pytest.mark.parametrize(
    ("name", "value"), [("params", None), ("mfu", "45 %"), ("count", "2,048"), ("params", "1.4T")]
)
def test_ways_to_write_a_number(name: str, value: object) -> None:
    given = {"params": 7e9, name: value}
    if name == "params" and value is None:
        with pytest.raises(QuestionError):
            Run(**given)
        return
    assert isinstance(getattr(Run(**given), name), float)


@pytest.mark.parametrize("value", [True, [7e9], {"n": 7e9}, b"7e9", object(), 10**400])
def test_what_is_no_number_at_all(value: object) -> None:
    with pytest.raises(QuestionError, match="--params: "):
        Run(params=value)


def test_contradictions_are_mutual() -> None:
    for name in FIELDS:
        assert all(name in rivals_of(rival) for rival in rivals_of(name))


def test_a_run_is_a_field_of_anybodys_model() -> None:
    class Plan(BaseModel):
        run: Run

    assert Plan(run={"params": "7B"}).run == Run(params=7e9)  # type: ignore[arg-type]
    assert Plan(run=Run(params=7e9)).run.params == 7e9
    with pytest.raises((QuestionError, ValidationError)):
        Plan(run={"params": "7GB"})  # type: ignore[arg-type]


def test_a_file_that_is_no_question(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("params = 65GB", encoding="utf-8")
    with pytest.raises(EstimatorError, match="is not TOML"):
        load(tmp_path / "run.toml")


def test_windows_line_ends_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b'\xef\xbb\xbfparams = "7B"\r\ncount = 8\r\n')
    assert load(tmp_path / "run.toml") == Run(params=7e9, count=8)
