"""How large batches are, and how large one may be before more of it stops to shorten a training."""

from __future__ import annotations

import numpy as np

from ..arrays import Array


def usual_batch(flops: Array, known_batch: Array, known_flops: Array, exponent: Array) -> Array:
    r"""Batch of a training whose batch nobody named: batches grow with compute from one that is known. [token]

    Parameters
    ----------
    flops
        C, FLOPs of the training by the 6ND short form. [FLOP]
    known_batch
        :math:`B_0`, tokens of one optimizer step of a training on record. [token]
    known_flops
        :math:`C_0`, FLOPs of that training. [FLOP]
    exponent
        Power of compute with which the best batch grows. [1]

    Returns
    -------
    Tokens of one optimizer step. [token]

    Notes
    -----
    .. math:: B = B_0 \left(\frac{C}{C_0}\right)^{0.3271}

    The law was fitted to the loss of small models; anchored at LLaMA-65B it gives 3.5 million tokens for GPT-3
    (3.2 published) and 16.8 for Llama 3.1 405B (16). Small models are often trained with more than it gives.

    References
    ----------
    DeepSeek-AI, "DeepSeek LLM: Scaling Open-Source Language Models with Longtermism", 2024, arXiv:2401.02954,
    Eq. 1, :math:`B_{opt} = 0.2920 \, C^{0.3271}`, for the power; H. Touvron et al., "LLaMA", 2023,
    arXiv:2302.13971, Table 2, for the training on record.

    Examples
    --------
    GPT-3: 175 billion parameters, 300 billion tokens.

    >>> llama = map(np.float64, (4194304, 6 * 65e9 * 1.4e12, 0.3271))
    >>> round(float(usual_batch(np.float64(6 * 175e9 * 300e9), *llama)))
    3503657
    """
    return known_batch * np.power(flops / known_flops, exponent)


def loss(
    parameters: Array,
    tokens: Array,
    parameter_scale: Array,
    token_scale: Array,
    parameter_exponent: Array,
    token_exponent: Array,
) -> Array:
    r"""Test loss of a language model of N parameters after D tokens, in nats a token. [1]

    Parameters
    ----------
    parameters
        N, non-embedding parameters that take part in a token's forward pass. [1]
    tokens
        D, training tokens. [token]
    parameter_scale
        :math:`N_c` of the law. [1]
    token_scale
        :math:`D_c` of the law. [token]
    parameter_exponent
        :math:`\alpha_N` of the law. [1]
    token_exponent
        :math:`\alpha_D` of the law. [1]

    Returns
    -------
    Cross-entropy loss. [1]

    Notes
    -----
    .. math:: L = \left[ \left(\frac{N_c}{N}\right)^{\alpha_N / \alpha_D} + \frac{D_c}{D} \right]^{\alpha_D}

    References
    ----------
    J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, Eq. 1.5, with the
    constants of its Table 2.

    Examples
    --------
    >>> constants = map(np.float64, (6.4e13, 1.8e13, 0.076, 0.103))
    >>> round(float(loss(np.float64(175e9), np.float64(300e9), *constants)), 3)
    1.661
    """
    model = (parameter_scale / parameters) ** (parameter_exponent / token_exponent)
    return np.power(model + token_scale / tokens, token_exponent)


def critical_batch_size(loss: Array, batch_scale: Array, batch_exponent: Array) -> Array:
    r"""Batch beyond which a larger one hardly needs fewer steps. [token]

    Parameters
    ----------
    loss
        The loss that is to be reached, in nats a token. [1]
    batch_scale
        :math:`B_*` of the law. [token]
    batch_exponent
        :math:`\alpha_B` of the law. [1]

    Returns
    -------
    Critical batch size. [token]

    Notes
    -----
    .. math:: B_{crit}(L) = \frac{B_*}{L^{1 / \alpha_B}}

    References
    ----------
    J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, arXiv:2001.08361, Eq. 1.4; the notion
    is of S. McCandlish et al., "An Empirical Model of Large-Batch Training", 2018, arXiv:1812.06162.

    Examples
    --------
    >>> round(float(critical_batch_size(np.float64(2), np.float64(2.1e8), np.float64(0.21))))
    7740039
    """
    return batch_scale / np.power(loss, 1.0 / batch_exponent)


def batch_overhead(batch: Array, critical_batch_size: Array) -> Array:
    r"""Tokens that a batch needs for a loss, over those that a small batch needs. [1]

    Parameters
    ----------
    batch
        B, tokens of one optimizer step. [token]
    critical_batch_size
        The critical batch size at that loss. [token]

    Returns
    -------
    Ratio, 2 at the critical batch size. [1]

    Notes
    -----
    .. math:: \frac{E}{E_{min}} = 1 + \frac{B}{B_{crit}}

    References
    ----------
    J. Kaplan et al., 2020, arXiv:2001.08361, Eqs. 5.1, 5.2 and 5.5; S. McCandlish et al., 2018,
    arXiv:1812.06162, Section 2.

    Examples
    --------
    >>> float(batch_overhead(np.float64(8e6), np.float64(4e6)))
    3.0
    """
    return np.add(1.0, batch / critical_batch_size)
