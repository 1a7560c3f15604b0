"""A transformer's dimensions: defaults that follow from others, and the shape of a bare parameter count."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, array
from .parameters import Transformer

DIMENSIONS: tuple[str, ...] = Transformer._fields

# What a dimension is when a source does not print it: a definition, not an assumption.
_ABSENT = {"norms": 2.0, "layers": np.nan, "hidden": np.nan, "heads": np.nan, "vocab": np.nan}


def transformer(**given: float | Array) -> Transformer:
    """Complete a set of dimensions: key-value heads are the heads, a head is its share of the width.

    Examples
    --------
    >>> float(transformer(layers=2, hidden=64, heads=4, ffn=256, vocab=100).head_dim)
    16.0
    """
    known = {name: array(value) for name, value in given.items()}
    columns = {name: known.get(name, array(_ABSENT.get(name, 0.0))) for name in DIMENSIONS}
    columns["kv_heads"] = known.get("kv_heads", columns["heads"])
    columns["head_dim"] = known.get("head_dim", columns["hidden"] / columns["heads"])
    columns["window_layers"] = known.get("window_layers", columns["layers"])
    columns["value_dim"] = known.get("value_dim", columns["head_dim"])
    return Transformer(**columns)


def hidden_of(parameters: Array, coefficient: Array, exponent: Array) -> Array:
    r"""Width of a dense model of a given size, by a power law over public models. [1]

    Parameters
    ----------
    parameters
        Parameters in all. [1]
    coefficient, exponent
        Of the law, fitted by ``scripts/fit_shapes.py``. [1]

    Notes
    -----
    .. math:: h = c \, N^{p}

    References
    ----------
    J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, Section 3.1: loss
    depends weakly on shape, so that public models keep near one aspect.

    Examples
    --------
    >>> float(hidden_of(np.float64(1e9), np.float64(2.0), np.float64(1 / 3)).round(6))
    2000.0
    """
    return coefficient * parameters**exponent


def vocab_of(parameters: Array, hidden: Array, usual: Array) -> Array:
    """Vocabulary of a model of a given size and width: the usual one, or what half of a small model holds. [1]

    Examples
    --------
    >>> float(vocab_of(np.float64(65e9), np.float64(8192), np.float64(32000)))
    32000.0
    """
    return np.minimum(usual, parameters / (4.0 * hidden))


def layers_of(parameters: Array, hidden: Array, vocab: Array) -> Array:
    r"""Layers that bring a gated dense model of a given width to a given size. [1]

    Notes
    -----
    .. math:: L = \frac{N - 2 V h - h}{12 h^2 + 2 h}

    Attention takes :math:`4 h^2` and a gated feed-forward block of width :math:`8 h / 3` takes
    :math:`8 h^2` weights a layer; two norms take :math:`2 h`. The number need not be whole.

    References
    ----------
    D. Narayanan et al., 2021, arXiv:2104.04473, Eq. 2; N. Shazeer, 2020, arXiv:2002.05202, Section 3, for
    the width of the gated block.

    Examples
    --------
    >>> float(layers_of(np.float64(65e9), np.float64(8192), np.float64(32000)).round(1))
    80.1
    """
    return (parameters - 2.0 * vocab * hidden - hidden) / (12.0 * hidden * hidden + 2.0 * hidden)
