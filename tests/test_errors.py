"""Errors: one base for all that a user can cause, all faults kept, and near misses offered."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from estimator import EstimatorError, Presets, Run, errors
from estimator.errors import QuestionError, near_misses

KINDS = [
    errors.UnitError, errors.UnknownPreset, errors.AmbiguousPreset, errors.PresetError, errors.ConfigError,
    errors.QuestionError,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_one_base_for_every_error_that_an_input_can_cause(kind: type[EstimatorError]) -> None:
    assert issubclass(kind, EstimatorError)
    assert not issubclass(kind, ValueError)
    assert kind.__doc__


def test_no_error_is_forgotten_here() -> None:
    made = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EstimatorError)
    }
    assert made == {EstimatorError, *KINDS}


def test_the_message_is_the_text() -> None:
    assert str(errors.UnitError("'65GB' is not a count")) == "'65GB' is not a count"


def test_a_question_keeps_every_fault_and_tells_each_on_a_line() -> None:
    error = QuestionError(["--params: wrong", "--mfu: wrong too"])
    assert error.faults == ("--params: wrong", "--mfu: wrong too")
    assert str(error) == "--params: wrong\n--mfu: wrong too"


def test_the_faults_are_a_copy() -> None:
    faults = ["one"]
    error = QuestionError(faults)
    faults.append("other")
    assert error.faults == ("one",)


def pickled(error: EstimatorError) -> EstimatorError:
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("doubled", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("kind", [EstimatorError, *KINDS])
def test_an_error_comes_whole_out_of_a_copy(
    kind: type[EstimatorError], doubled: Callable[[EstimatorError], EstimatorError]
) -> None:
    """Other processes send their errors back pickled."""
    error = QuestionError(["--params: wrong", "--mfu: too"]) if kind is QuestionError else kind("wrong\ntoo")
    error.add_note("in row 7")
    found = doubled(error)
    assert (type(found), str(found), vars(found)) == (kind, str(error), vars(error))
    assert found is not error


def test_all_faults_of_a_question_are_kept_apart() -> None:
    with pytest.raises(QuestionError) as raised:
        Run(params="65GB", mfu=45, on="a100-smx", parms=7e9)
    assert len(raised.value.faults) == 4
    assert all("\n" not in fault for fault in raised.value.faults)
    assert str(raised.value).splitlines() == list(raised.value.faults)


@pytest.mark.parametrize(
    ("word", "known", "told"),
    [
        ("a100-smx", ["a100-sxm", "v100-sxm2"], "; did you mean 'a100-sxm' or 'v100-sxm2'?"),
        ("A100-SXM", ["a100-sxm"], "; did you mean 'a100-sxm'?"),  # in any case
        ("zzz", ["a100-sxm", "h100-sxm"], ""),
        ("", ["a100-sxm"], ""),
        ("adamw", [], ""),
        ("llama", ["llama-1", "llama-2", "llama-3", "llama-4"], "; did you mean 'llama-4' or 'llama-3' or 'llama-2'?"),
    ],
)  # fmt: skip
def test_near_misses(word: str, known: list[str], told: str) -> None:
    assert near_misses(word, known) == told


@pytest.mark.parametrize("name", ["nvidia-h100-smx-80gb", "nvidia-h10-sxm-80gb"])
def test_a_misspelt_chip_is_answered_with_the_one_that_was_meant(name: str) -> None:
    with pytest.raises(errors.UnknownPreset, match=r"did you mean .*'nvidia-h100-sxm-80gb'"):
        Presets().find("accelerators", name)
