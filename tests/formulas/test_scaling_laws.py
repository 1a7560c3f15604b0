"""Compute-optimal sizes by laws of the loss: worked by hand, against published points, and their properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator import Presets
from estimator.arrays import Array, array
from estimator.formulas.scaling_laws import (
    Law,
    law_loss,
    lifetime_flops,
    optimal_at_loss,
    optimal_parameters,
    optimal_tokens,
)

# A law that can be worked by hand: L = 1 + 8 / sqrt(N) + 8 / sqrt(D), so that the best D is N.
PLAIN = Law(*map(array, (1.0, 8.0, 8.0, 0.5, 0.5)))
GOPHER = array(5.76e23)
# J. Hoffmann et al. 2022, Table 3: parameters and tokens of compute-optimal models by Approach 1, as remembered.
TABLE_3 = {
    400e6: 8.0e9, 1e9: 20.2e9, 10e9: 205.1e9, 67e9: 1.5e12, 175e9: 3.7e12, 280e9: 5.9e12, 520e9: 11.0e12, 1e12: 21.2e12,
}  # fmt: skip

sizes = st.floats(1e6, 1e14)
volumes = st.floats(0.0, 1e18)


def recorded(name: str) -> Law:
    record = Presets().load("assumptions", name)
    return Law(*(array(record.value(field)) for field in Law._fields))


REFIT, FIRST = recorded("loss-besiroglu-2024"), recorded("loss-hoffmann-2022")
every_law = pytest.mark.parametrize("law", [PLAIN, REFIT, FIRST], ids=["plain", "refit", "first"])


def test_loss_by_hand() -> None:
    # 1 + 8 / sqrt(16) + 8 / sqrt(64) = 1 + 2 + 1
    assert float(law_loss(array(16.0), array(64.0), PLAIN)) == 4.0


def test_size_and_tokens_of_a_compute_by_hand() -> None:
    # 6 x 100 x 100 FLOPs: both 100, as the law weighs them alike.
    assert float(optimal_parameters(array(6e4), PLAIN)) == pytest.approx(100.0, rel=1e-12)
    assert float(optimal_tokens(array(100.0), array(0.0), PLAIN)) == pytest.approx(100.0, rel=1e-12)


def test_tokens_of_a_served_model_by_hand() -> None:
    # 4 / sqrt(D) (1 + S / 3D) = 4 / sqrt(N): of D = 400, S = 1200, 4 / 20 x 2 = 0.4, hence N = 100.
    assert float(optimal_tokens(array(100.0), array(1200.0), PLAIN)) == pytest.approx(400.0, rel=1e-12)


def test_the_optimal_size_of_a_loss_by_hand() -> None:
    # At N = D = 64 the loss is 1 + 1 + 1.
    assert float(optimal_at_loss(array(3.0), PLAIN)) == pytest.approx(64.0, rel=1e-12)


def test_flops_of_a_life_by_hand() -> None:
    assert float(lifetime_flops(array(10.0), array(100.0), array(300.0))) == 6 * 10 * 100 + 2 * 10 * 300


def test_the_compute_of_gopher_as_published() -> None:
    # Hoffmann et al. 2022, Section 3.3: Approach 3 gives 40 billion parameters; Besiroglu et al. 2024, Section 5: the
    # refit agrees with the 20 tokens a parameter of Chinchilla, which was 70 billion on 1.4 trillion.
    assert round(float(optimal_parameters(GOPHER, FIRST)) / 1e9) == 40
    size = optimal_parameters(GOPHER, REFIT)
    assert float(size) == pytest.approx(70e9, rel=0.05)
    assert 17.0 < float(GOPHER / (6.0 * size * size)) < 21.0


@pytest.mark.parametrize(("parameters", "tokens"), TABLE_3.items())
def test_the_refit_follows_the_table_of_approach_1(parameters: float, tokens: float) -> None:
    # Two fits of the same runs: their exponents, 0.5 and 0.51 of compute, part by a quarter in four decades of size.
    assert float(optimal_tokens(array(parameters), array(0.0), REFIT)) == pytest.approx(tokens, rel=0.25)


@every_law
@given(parameters=sizes)
def test_both_ways_to_the_compute_optimal_line_agree(law: Law, parameters: float) -> None:
    tokens = optimal_tokens(array(parameters), array(0.0), law)
    assert float(optimal_parameters(6.0 * parameters * tokens, law)) == pytest.approx(parameters, rel=1e-9)
    loss = law_loss(array(parameters), tokens, law)
    assert float(optimal_at_loss(loss, law)) == pytest.approx(parameters, rel=1e-6)


@every_law
@given(parameters=sizes, served=volumes, step=st.sampled_from([0.97, 1.03]))
def test_no_other_model_of_the_same_loss_takes_less_in_its_life(
    law: Law, parameters: float, served: float, step: float
) -> None:
    tokens = optimal_tokens(array(parameters), array(served), law)
    loss = law_loss(array(parameters), tokens, law)
    other = array(parameters * step)
    left = loss - law.floor - law.parameter_coefficient * other**-law.parameter_exponent
    if left <= 0.0:  # so small a model never reaches that loss
        return
    needed: Array = (left / law.token_coefficient) ** (-1.0 / law.token_exponent)
    best = float(lifetime_flops(array(parameters), tokens, array(served)))
    assert float(lifetime_flops(other, needed, array(served))) > best * (1.0 - 1e-9)


@every_law
@given(parameters=sizes, served=volumes, more=st.floats(1.0, 1e6))
def test_what_serves_more_is_trained_longer_and_so_is_what_is_larger(
    law: Law, parameters: float, served: float, more: float
) -> None:
    tokens = float(optimal_tokens(array(parameters), array(served), law))
    assert float(optimal_tokens(array(parameters), array(served * more), law)) >= tokens * (1.0 - 1e-12)
    assert float(optimal_tokens(array(parameters * more), array(served), law)) >= tokens * (1.0 - 1e-12)


@every_law
def test_arrays_give_what_their_elements_give(law: Law) -> None:
    many = optimal_tokens(array([1e9, 1e11]), array([[0.0], [1e13]]), law)
    single = [[float(optimal_tokens(array(n), array(s), law)) for n in (1e9, 1e11)] for s in (0.0, 1e13)]
    assert np.allclose(many, single, rtol=1e-12)
