"""How large a model and how many tokens a given compute is best spent on, by laws of the loss."""

from __future__ import annotations

import numpy as np

from ..arrays import Array
from ..tuples import NamedTuple

# Newton's steps to the tokens of a served model; from below they close in without a miss, in fewer than ten.
_STEPS = 40


class Law(NamedTuple):
    """Constants of a law of the loss, L = E + A / N^alpha + B / D^beta, D counted in tokens; pure numbers."""

    floor: Array
    parameter_coefficient: Array
    token_coefficient: Array
    parameter_exponent: Array
    token_exponent: Array


def law_loss(parameters: Array, tokens: Array, law: Law) -> Array:
    r"""Loss of a dense language model of N parameters after D tokens, in nats a token. [1]

    Parameters
    ----------
    parameters
        N, all parameters. [1]
    tokens
        D, training tokens, each seen once. [token]
    law
        E, A, B, :math:`\alpha` and :math:`\beta`. [1]

    Returns
    -------
    Cross-entropy loss. [1]

    Notes
    -----
    .. math:: L(N, D) = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}

    References
    ----------
    J. Hoffmann et al., "Training Compute-Optimal Large Language Models", 2022, arXiv:2203.15556, Eq. 2, fitted in
    Section 3.3 (Approach 3); T. Besiroglu et al., "Chinchilla Scaling: A replication attempt", 2024,
    arXiv:2404.10102, for constants fitted anew to the same runs.

    Examples
    --------
    Chinchilla by the constants of 2024:

    >>> law = Law(*map(np.float64, (1.8172, 482.01, 2085.43, 0.3478, 0.3658)))
    >>> round(float(law_loss(np.float64(70e9), np.float64(1.4e12), law)), 3)
    1.974
    """
    model = law.parameter_coefficient * np.power(parameters, -law.parameter_exponent)
    return law.floor + model + law.token_coefficient * np.power(tokens, -law.token_exponent)


def optimal_parameters(flops: Array, law: Law) -> Array:
    r"""Parameters of the model that reaches the least loss with a given compute. [1]

    Parameters
    ----------
    flops
        C, FLOPs of the training by the 6ND short form. [FLOP]
    law
        A, B, :math:`\alpha` and :math:`\beta`. [1]

    Returns
    -------
    N of the compute-optimal model; its tokens are C / 6N. [1]

    Notes
    -----
    .. math:: N_{opt}(C) = G \left(\frac{C}{6}\right)^{\beta / (\alpha + \beta)}, \qquad
              G = \left(\frac{\alpha A}{\beta B}\right)^{1 / (\alpha + \beta)}

    References
    ----------
    J. Hoffmann et al., 2022, arXiv:2203.15556, Eq. 4.

    Examples
    --------
    The compute of Gopher and Chinchilla, 5.76e23 FLOP, by both sets of constants:

    >>> refit = Law(*map(np.float64, (1.8172, 482.01, 2085.43, 0.3478, 0.3658)))
    >>> first = Law(*map(np.float64, (1.69337368, 406.401018, 410.722827, 0.33917084, 0.2849083)))
    >>> [round(float(optimal_parameters(np.float64(5.76e23), law)) / 1e9, 1) for law in (refit, first)]
    [72.2, 40.4]
    """
    both = law.parameter_exponent + law.token_exponent
    scale = np.power(_parameter_slope(law) / _token_slope(law), 1.0 / both)
    return scale * np.power(flops / 6.0, law.token_exponent / both)


def optimal_tokens(parameters: Array, served: Array, law: Law) -> Array:
    r"""Tokens on which a model of N parameters is best trained, if it is to serve so many afterwards. [token]

    Parameters
    ----------
    parameters
        N, all parameters. [1]
    served
        :math:`D_s`, tokens that the model reads and writes in its life; 0 where only training counts. [token]
    law
        A, B, :math:`\alpha` and :math:`\beta`. [1]

    Returns
    -------
    D of the training of which N is the best size. [token]

    Notes
    -----
    Of all models of one loss the one is best that takes the fewest FLOPs in its life, :math:`6 N D + 2 N D_s`.
    By Lagrange's condition

    .. math:: \frac{\beta B}{D^\beta} \left(1 + \frac{D_s}{3 D}\right) = \frac{\alpha A}{N^\alpha}

    which for :math:`D_s = 0` is the compute-optimal line. In :math:`\ln D` the logarithm of the left side falls and is
    convex, so that Newton's steps from the compute-optimal tokens, which are too few, close in from below.

    References
    ----------
    N. Sardana et al., "Beyond Chinchilla-Optimal: Accounting for Inference in Language Model Scaling Laws", 2023,
    arXiv:2401.00448, Section 2, whose objective this is.

    Examples
    --------
    A model of 7 billion parameters, for training alone and to serve 10 trillion tokens:

    >>> law = Law(*map(np.float64, (1.8172, 482.01, 2085.43, 0.3478, 0.3658)))
    >>> [round(float(optimal_tokens(np.float64(7e9), np.float64(s), law)) / 1e9) for s in (0.0, 1e13)]
    [144, 2040]
    """
    wanted = np.log(_parameter_slope(law)) - law.parameter_exponent * np.log(parameters)
    start = (np.log(_token_slope(law)) - wanted) / law.token_exponent
    log_tokens = start + 0.0 * served
    for _ in range(_STEPS):
        use = served * np.exp(-log_tokens) / 3.0
        missed = np.log(_token_slope(law)) - law.token_exponent * log_tokens + np.log1p(use) - wanted
        log_tokens = log_tokens + missed / (law.token_exponent + use / (1.0 + use))
    return np.exp(log_tokens)


def optimal_at_loss(loss: Array, law: Law) -> Array:
    r"""Parameters of the model that reaches a loss with the least training. [1]

    Parameters
    ----------
    loss
        L, in nats a token; above the floor of the law. [1]
    law
        E, A, :math:`\alpha` and :math:`\beta`. [1]

    Returns
    -------
    N of the compute-optimal model of that loss. [1]

    Notes
    -----
    On the compute-optimal line :math:`\beta B / D^\beta = \alpha A / N^\alpha`, so that

    .. math:: L = E + \left(1 + \frac{\alpha}{\beta}\right) \frac{A}{N^\alpha}

    References
    ----------
    From J. Hoffmann et al., 2022, arXiv:2203.15556, Eqs. 2 and 4.

    Examples
    --------
    >>> law = Law(*map(np.float64, (1.8172, 482.01, 2085.43, 0.3478, 0.3658)))
    >>> tokens = optimal_tokens(np.float64(70e9), np.float64(0.0), law)
    >>> round(float(optimal_at_loss(law_loss(np.float64(70e9), tokens, law), law)) / 1e9, 6)
    70.0
    """
    share = 1.0 + law.parameter_exponent / law.token_exponent
    return np.power(share * law.parameter_coefficient / (loss - law.floor), 1.0 / law.parameter_exponent)


def lifetime_flops(parameters: Array, tokens: Array, served: Array) -> Array:
    """FLOPs to train a dense model and to serve it, attention scores left out. [FLOP]

    Parameters
    ----------
    parameters
        N, all parameters. [1]
    tokens
        D, training tokens. [token]
    served
        Tokens that the model reads and writes in its life. [token]

    Returns
    -------
    Floating-point operations. [FLOP]

    Notes
    -----
    .. math:: C = 6 N D + 2 N D_s

    References
    ----------
    N. Sardana et al., 2023, arXiv:2401.00448, Section 2.

    Examples
    --------
    >>> float(lifetime_flops(np.float64(7e9), np.float64(1e12), np.float64(3e12)))
    8.4e+22
    """
    return (6.0 * tokens + 2.0 * served) * parameters


def _parameter_slope(law: Law) -> Array:
    """Return alpha A: how fast the loss falls with the logarithm of N, times N^alpha."""
    return law.parameter_exponent * law.parameter_coefficient


def _token_slope(law: Law) -> Array:
    """Return beta B: how fast the loss falls with the logarithm of D, times D^beta."""
    return law.token_exponent * law.token_coefficient
