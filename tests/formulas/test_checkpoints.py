"""Checkpoints: what one holds and how often it is worth while, by hand and against a search for the best interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas import checkpoints, reliability
from estimator.formulas.memory import Optimizer
from estimator.formulas.memory_states import Method
from estimator.formulas.parameters import total_parameters
from estimator.formulas.shapes import transformer

few = settings(deadline=None, max_examples=100)
LLAMA = transformer(layers=32, hidden=4096, heads=32, ffn=11008, gated=1, vocab=32000)
ADAMW = Optimizer(*map(array, (2, 2, 4, 8, 8, 0, 0, 0, 0)))


def method(frozen: float = 0.0, rank: float = 0.0, base: float = 0.0, offload: float = 0.0) -> Method:
    return Method(*map(array, (frozen, rank, 0.0, base, base, offload)))


def test_a_checkpoint_holds_weights_master_copy_and_moments_and_no_gradients() -> None:
    size = checkpoints.checkpoint_size(LLAMA, ADAMW, method())
    assert float(size) == (2 + 4 + 8) * float(total_parameters(LLAMA).total)


def test_where_states_stand_does_not_change_what_is_written() -> None:
    on_card, on_host = (checkpoints.checkpoint_size(LLAMA, ADAMW, method(offload=place)) for place in (0, 2))
    assert float(on_card) == float(on_host)


def test_of_adapters_only_these_are_written() -> None:
    # Rank 8 on every linear layer of the 7B model: 19,988,480 parameters (Hu et al. 2021, Section 4.2).
    size = checkpoints.checkpoint_size(LLAMA, ADAMW, method(frozen=1, rank=8, base=0.5))
    assert float(size) == 14 * 19_988_480


def test_the_storage_writes_as_told_and_else_as_its_nodes_do() -> None:
    # 1 TB over 4 nodes of 2 GB/s each takes 125 s; over 50 GB/s it takes 20 s.
    known = array([math.nan, 50e9])
    found = checkpoints.checkpoint_time(array(1e12), known, array(2e9), array(32), array(8))
    np.testing.assert_allclose(found, [125.0, 20.0], rtol=1e-15)
    assert float(checkpoints.checkpoint_stall(array(20.0), array(0.25))) == 5.0


def test_daly_by_hand() -> None:
    # delta 72, M 3,600: sqrt(2 * 72 * 3600) = 720; sqrt(72 / 7200) = 0.1; 720 (1 + 0.1/3 + 0.01/9) - 72 = 672.8.
    assert float(checkpoints.young_interval(array(72), array(3600))) == 720.0
    assert float(checkpoints.daly_interval(array(72), array(3600))) == pytest.approx(672.8, rel=1e-15)


def test_a_checkpoint_longer_than_twice_the_time_between_interruptions_is_written_once_in_that_time() -> None:
    found = checkpoints.daly_interval(array([7199.0, 7200.0, 9000.0]), array(3600))
    np.testing.assert_allclose(found[1:], 3600.0)
    assert float(found[0]) == pytest.approx(7200 * (1 + 1 / 3 + 1 / 9) - 7200, rel=1e-3)


def test_an_interval_that_is_given_stands_and_no_write_begins_before_the_last_one_ended() -> None:
    given_ = array([math.nan, 1800.0])
    found = checkpoints.checkpoint_interval(given_, array(270.0), array(1.0), array(600.0))
    assert found.tolist() == [599.0, 1800.0]
    assert float(checkpoints.checkpoint_interval(given_[0], array(700.0), array(1.0), array(600.0))) == 700.0


@few
@given(stall=st.floats(1.0, 1800.0), ratio=st.floats(4.0, 1e5), restart=st.floats(0.0, 7200.0))
def test_no_other_interval_keeps_noticeably_more(stall: float, ratio: float, restart: float) -> None:
    """Within 0.4 % of the least overhead that a fine search finds, for checkpoints up to a quarter of the MTBI."""
    mean = array(stall * ratio)

    def total(interval: object) -> object:
        nothing = reliability.Wasted(array(0), array(0))
        lost = reliability.overhead(mean, array(interval), array(stall), array(restart), array(0), nothing)
        return 1.0 + lost.total

    best = float(checkpoints.daly_interval(array(stall), mean))
    tried = best * np.geomspace(0.2, 5.0, 401)
    assert float(total(best)) <= float(np.min(total(tried))) * 1.004
    assert best < float(checkpoints.young_interval(array(stall), mean))
