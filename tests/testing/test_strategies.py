"""Questions that are drawn: all have an answer, what is fixed stays, and hypothesis knows the types by itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from estimator import Presets, Run, ask
from estimator.testing import prices, runs
from estimator.units import Price, parse_price

PRESETS = Presets()
few = settings(deadline=None, max_examples=40)
# The first that is found, not the simplest.
first = settings(deadline=None, max_examples=500, phases=[Phase.generate], database=None)


@few
@given(st.from_type(Run))
def test_a_question_that_is_drawn_has_an_answer(run: Run) -> None:
    found = ask(run, PRESETS)
    assert float(found.flops.value) > 0
    assert Run.read(run.write(), PRESETS) == run


@few
@given(st.from_type(Price))
def test_a_price_that_is_drawn_reads_back(price: Price) -> None:
    assert parse_price(price.write()) == price
    assert 0 < price.rate < 1


@few
@given(runs(on="h100", count=64, tokens="1T"))
def test_what_is_fixed_stays_and_what_contradicts_it_is_left_out(run: Run) -> None:
    assert (run.on, run.count, run.tokens) == ("h100", 64.0, 1e12)
    assert run.nodes is run.within is run.epochs is None


@few
@given(runs(epochs=2.0, dataset_tokens=1e12))
def test_a_data_set_that_is_fixed_is_the_only_one(run: Run) -> None:
    assert (run.epochs, run.dataset_tokens) == (2.0, 1e12)
    assert run.tokens is run.samples is run.tokens_per_param is None


@few
@given(prices("CNY"))
def test_prices_of_one_currency(price: Price) -> None:
    assert price.currency == "CNY"


@pytest.mark.parametrize(
    "name",
    ["tp", "within", "nodes", "model", "samples", "tokens_per_param", "price", "plan", "precision", "stack"],
)
def test_every_kind_of_question_is_drawn(name: str) -> None:
    assert getattr(
        find(runs(PRESETS), lambda run: getattr(run, name) not in (None, 1.0), settings=first), name
    )


def test_hypothesis_knows_the_types_by_itself() -> None:
    code = (
        "from hypothesis import strategies as st; from estimator import Run; import sys; "
        "assert 'estimator.lower' not in sys.modules; st.from_type(Run).validate(); print('known')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "known\n", done.stderr
    assert np.isfinite(find(st.from_type(Run), lambda run: run.mfu is not None, settings=first).mfu)
