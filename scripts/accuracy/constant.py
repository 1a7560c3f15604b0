"""The baseline: one MFU an accelerator and precision, learnt from the same configurations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from step_time.rows import Floats, Rows, once

from estimator.formulas.flops import training_flops_per_token
from estimator.formulas.parameters import Transformer, active_parameters


def flops_per_token(rows: Rows) -> Floats:
    """Model FLOPs of a token of every row. [FLOP/token]"""
    model = Transformer(*(rows.columns[name] for name in Transformer._fields))
    return np.asarray(training_flops_per_token(model, rows.columns["seq"]).total)


def mfu(rows: Rows) -> Floats:
    """MFU that every row reached. [1]"""
    return rows.throughput * flops_per_token(rows) / rows.columns["peak"]


def short_mfu(rows: Rows) -> Floats:
    """MFU of every configuration, FLOPs counted as six an active parameter and token. [1]"""
    rows = once(rows)
    model = Transformer(*(rows.columns[name] for name in Transformer._fields))
    return rows.throughput * 6.0 * np.asarray(active_parameters(model)) / rows.columns["peak"]


def one_mfu(seen: Rows, chips: Sequence[str], precisions: Sequence[str]) -> Floats:
    """Return the median MFU of the configurations seen of each chip at its precision. [1]

    A chip seen at other precisions has the median of those; one that was not seen, that of all other chips.
    """
    seen = once(seen)
    reached, chip, precision = mfu(seen), seen.words["accelerator"], seen.words["precision"]
    found: dict[tuple[str, str], float] = {}
    for pair in set(zip(chips, precisions, strict=True)):
        own = chip == pair[0]
        both = own & (precision == pair[1])
        chosen = both if both.any() else own if own.any() else np.ones(seen.size, dtype=bool)
        found[pair] = float(np.median(reached[chosen]))
    return np.array([found[pair] for pair in zip(chips, precisions, strict=True)])


def throughput(seen: Rows, asked: Rows) -> Floats:
    """Tokens a second and accelerator that the baseline gives for rows. [token/s]"""
    learnt = one_mfu(seen, asked.words["accelerator"].tolist(), asked.words["precision"].tolist())
    return learnt * asked.columns["peak"] / flops_per_token(asked)
