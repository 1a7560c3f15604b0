"""Dimensions that follow from others, and the shape of a bare parameter count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.arrays import array
from estimator.formulas.parameters import total_parameters
from estimator.formulas.shapes import DIMENSIONS, hidden_of, layers_of, transformer, vocab_of

few = settings(deadline=None, max_examples=25)
sizes = st.floats(1e6, 1e13)


def test_what_is_not_given_follows_from_what_is() -> None:
    model = transformer(layers=6, hidden=96, heads=8, ffn=384, vocab=1000)
    assert float(model.kv_heads) == 8
    assert float(model.head_dim) == float(model.value_dim) == 12
    assert float(model.window_layers) == 6
    assert float(model.norms) == 2


def test_every_other_dimension_is_absent() -> None:
    model = transformer(layers=6, hidden=96, heads=8, vocab=1000)
    derived = {"kv_heads", "head_dim", "value_dim", "window_layers", "norms"}
    given = {"layers", "hidden", "heads", "vocab"}
    assert {name: float(getattr(model, name)) for name in set(DIMENSIONS) - derived - given} == dict.fromkeys(
        set(DIMENSIONS) - derived - given, 0.0
    )


@pytest.mark.parametrize("name", ["layers", "hidden", "heads", "vocab"])
def test_a_dimension_that_nothing_implies_is_unknown_and_makes_the_count_unknown(name: str) -> None:
    known = {"layers": 6, "hidden": 96, "heads": 8, "vocab": 1000, "ffn": 384}
    model = transformer(**{key: value for key, value in known.items() if key != name})
    assert np.isnan(getattr(model, name))
    assert np.isnan(total_parameters(model).total)


def test_what_is_given_stands() -> None:
    model = transformer(
        layers=6,
        hidden=96,
        heads=8,
        vocab=1000,
        kv_heads=2,
        head_dim=32,
        value_dim=16,
        window_layers=3,
        norms=4,
    )
    assert [float(value) for value in (model.kv_heads, model.head_dim, model.value_dim)] == [2, 32, 16]
    assert (float(model.window_layers), float(model.norms)) == (3, 4)


def test_a_value_head_is_as_wide_as_a_given_key_head() -> None:
    assert float(transformer(layers=1, hidden=96, heads=8, vocab=10, head_dim=64).value_dim) == 64


def test_everything_becomes_float64() -> None:
    counts = np.array([1, 2], dtype=np.int32)
    model = transformer(layers=counts, hidden=np.float32(96), heads=8, vocab=1000)
    assert {np.asarray(value).dtype for value in model} == {np.dtype(np.float64)}
    assert np.shape(model.layers) == (2,)


def test_an_unknown_dimension_is_left_out() -> None:
    assert transformer(layers=1, hidden=8, heads=1, vocab=9, wheels=4) == transformer(
        layers=1, hidden=8, heads=1, vocab=9
    )


def test_the_width_by_hand() -> None:
    # 0.5 * (1e12) ** 0.25 = 0.5 * 1000.
    assert float(hidden_of(array(1e12), array(0.5), array(0.25))) == pytest.approx(500, rel=1e-14)


@pytest.mark.parametrize(
    ("parameters", "vocab"),
    [
        (65e9, 32000),  # the usual one: half of 65e9 would be far more than 32,000 rows of 8,192 twice
        (1e9, 1e9 / (4 * 8192)),  # here the usual one would take 2 * 32000 * 8192 = 524e6 of 1e9
        (4 * 8192 * 32000, 32000),  # exactly half
    ],
)
def test_the_vocabulary_takes_half_of_a_small_model_at_most(parameters: float, vocab: float) -> None:
    assert float(vocab_of(array(parameters), array(8192), array(32000))) == vocab


def test_layers_by_hand() -> None:
    # 2 * 100 * 10 + 10 = 2010 outside the layers; each has 12 * 100 + 20 = 1220.
    assert float(layers_of(array(2010 + 7 * 1220), array(10), array(100))) == 7


def test_llama_65b_has_eighty_layers() -> None:
    # Its feed-forward is a little wider than 8/3 of 8192: 80.3 layers of the usual shape hold as much.
    assert float(layers_of(array(65_285_660_672), array(8192), array(32000))) == pytest.approx(80, abs=0.5)


@few
@given(sizes, st.floats(0.3, 3.0), st.floats(0.3, 0.4))
def test_the_shape_of_a_count_has_that_count(parameters: float, coefficient: float, exponent: float) -> None:
    size = array(parameters)
    hidden = hidden_of(size, array(coefficient), array(exponent))
    vocab = vocab_of(size, hidden, array(32000))
    layers = layers_of(size, hidden, vocab)
    model = transformer(
        layers=layers,
        hidden=hidden,
        heads=hidden / 128,
        head_dim=128,
        ffn=hidden * 8 / 3,
        gated=1,
        vocab=vocab,
    )
    assert float(total_parameters(model).total) == pytest.approx(parameters, rel=1e-9)
    assert float(total_parameters(model).parts["embedding"]) <= parameters / 2 * (1 + 1e-12)


@few
@given(sizes, sizes)
def test_a_larger_model_is_wider(one: float, other: float) -> None:
    low, high = sorted((one, other))
    law = array(2.0), array(1 / 3)
    assert float(hidden_of(array(low), *law)) <= float(hidden_of(array(high), *law))


def test_arrays_give_what_scalars_give() -> None:
    counts = np.geomspace(1e6, 1e13, 6)
    for shape in ((6,), (2, 3)):
        grid = counts.reshape(shape)
        hidden = hidden_of(grid, array(2), array(1 / 3))
        vocab = vocab_of(grid, hidden, array(32000))
        layers = layers_of(grid, hidden, vocab)
        for place in np.ndindex(shape):
            alone = hidden_of(grid[place], array(2), array(1 / 3))
            assert hidden[place] == pytest.approx(float(alone), rel=1e-15)
            assert vocab[place] == vocab_of(grid[place], hidden[place], array(32000))
            assert layers[place] == layers_of(grid[place], hidden[place], vocab[place])
        assert hidden.dtype == vocab.dtype == layers.dtype == np.float64
