"""The usual batch, the critical batch size and the loss it rests on, beside published values."""

from __future__ import annotations

import numpy as np
import pytest

from estimator.arrays import array
from estimator.formulas.batch import batch_overhead, critical_batch_size, loss, usual_batch

CONSTANTS = tuple(map(array, (6.4e13, 1.8e13, 0.076, 0.103)))


def test_the_loss_by_hand() -> None:
    # With N_c / N = D_c / D = 1 the bracket is 2.
    found = loss(array(6.4e13), array(1.8e13), *CONSTANTS)
    assert float(found) == pytest.approx(2**0.103)


def test_the_loss_falls_with_parameters_and_with_tokens() -> None:
    sizes = np.geomspace(1e6, 1e12, 7)
    assert np.all(np.diff(loss(sizes, array(1e11), *CONSTANTS)) < 0)
    assert np.all(np.diff(loss(array(1e9), sizes, *CONSTANTS)) < 0)


def test_the_critical_batch_doubles_for_every_thirteen_per_cent_of_loss() -> None:
    # Kaplan et al. 2020, Section 5.1: "the critical batch size approximately doubles for every 13% decrease in loss".
    before, after = (critical_batch_size(array(end), array(2.1e8), array(0.21)) for end in (3.0, 3.0 * 0.87))
    assert float(after / before) == pytest.approx(2, rel=0.05)


def test_a_batch_at_the_critical_size_needs_twice_the_tokens() -> None:
    assert float(batch_overhead(array(4e6), array(4e6))) == 2
    assert float(batch_overhead(array(0), array(4e6))) == 1


# 65 billion parameters, 1.4 trillion tokens and 4 Mi tokens a step: LLaMA 65B.
LLAMA = tuple(map(array, (4194304.0, 6 * 65e9 * 1.4e12, 0.3271)))


def test_the_usual_batch_by_hand() -> None:
    # A hundred times the compute: 100 ** 0.3271 = e ** (0.3271 * 4.60517) = e ** 1.50635 = 4.5102.
    assert float(usual_batch(LLAMA[1], *LLAMA)) == 4194304
    assert float(usual_batch(100 * LLAMA[1], *LLAMA) / 4194304) == pytest.approx(4.5102, rel=1e-4)


@pytest.mark.parametrize(
    ("parameters", "tokens", "published"),
    [(175e9, 300e9, 3.2e6), (176e9, 366e9, 4194304), (33e9, 1.4e12, 4e6), (405e9, 15.6e12, 16e6)],
)
def test_the_usual_batch_of_large_models_is_near_the_published_one(
    parameters: float, tokens: float, published: float
) -> None:
    # GPT-3 (arXiv:2005.14165, Table 2.1), BLOOM, LLaMA 33B, Llama 3.1 405B: within a quarter of what was taken.
    found = float(usual_batch(array(6 * parameters * tokens), *LLAMA))
    assert published / 1.25 < found < published * 1.25
