"""The face of the package: it imports in no time, every public name is there, and the README's example runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import estimator


def python(code: str) -> str:
    """Run code in a new process; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_no_library() -> None:
    found = python(
        "import sys, estimator; print(sorted({'numpy', 'pint', 'pydantic', 'pydantic_core', 'click', 'rich', 'scipy'} "
        "& sys.modules.keys()))"
    )
    assert found == "[]"


def test_an_answer_needs_neither_pint_nor_the_command_line() -> None:
    found = python(
        "import sys; from estimator import Run, ask; ask(Run(params=65e9)); "
        "print(sorted({'pint', 'pydantic', 'click', 'rich', 'scipy'} & sys.modules.keys()))"
    )
    assert found == "[]"


def test_the_package_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "estimator", "--help"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("name", estimator.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(estimator, name)
    assert found.__name__ == name
    assert found.__doc__
    assert found.__module__.startswith("estimator.")


def test_public_names_are_sorted_and_each_once() -> None:
    assert sorted(set(estimator.__all__)) == sorted(estimator.__all__)


def test_everything_public_can_be_imported_at_once() -> None:
    names: dict[str, object] = {}
    exec("from estimator import *", names)
    assert set(estimator.__all__) <= set(names)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match=r"^module 'estimator' has no attribute 'estimate_cost'$"):
        _ = estimator.estimate_cost
    with pytest.raises(ImportError):
        exec("from estimator import nothing_of_the_kind")


def test_the_version_is_a_version() -> None:
    assert [part.isdigit() for part in estimator.__version__.split(".")] == [True] * 3


def test_the_example_of_the_readme() -> None:
    from estimator import Run, ask, evaluate

    run = Run(
        model="llama-65b", tokens="1.4T", on="a100-sxm-80gb", count=2048, mfu="45%", price="2 USD/gpu/hour"
    )
    answer = ask(run)
    # 5.5e23 FLOPs and more over 2,048 cards of 312 TFLOP/s at 45 %: 22.9 days, of 23.3 with interruptions.
    assert answer.wall_clock.to("day").magnitude == pytest.approx(23.3, abs=0.1)
    assert answer.cost.quantity.magnitude == pytest.approx(2.29e6, rel=0.01)
    assert answer.cost.unit == "USD"
    assert answer.case.origins["given_mfu"].kind == "given"
    peak = answer.case.origins["peak"].figure
    assert peak is not None
    assert peak.where
    assert evaluate(answer.case).values["cost"] == answer.values["cost"]


def test_a_column_of_counts_gives_a_column_of_answers() -> None:
    import numpy as np

    from estimator import Run, ask, evaluate

    case = ask(Run(params=7e9, count=8, mfu=0.4)).case
    counts = np.array([8.0, 64.0, 512.0])
    found = evaluate(case.with_columns({"count": counts}))
    np.testing.assert_allclose(found.wall_clock.value * counts, found.occupied_hours.value)
    assert found.flops.value == evaluate(case).flops.value
