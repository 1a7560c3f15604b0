"""Measured rows foretold from those of other folds, sources or accelerators, by every method."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import fit_efficiency as fit
import numpy as np

from estimator.arrays import Array, array
from estimator.formulas.throughput import throughput_per_accelerator

from .baselines import Configs, learnt, short
from .scores import METHODS, OURS, Scores, picked

FOLDS, SEED = 4, "accuracy-1"
Part = Callable[[fit.Configuration], str]  # what a configuration is left out with
SPARSITY = {"dense": False, "mixture of experts": True}


def fold_of(config: fit.Configuration) -> str:
    """The fold of a configuration, by a hash that is the same on every machine."""
    digest = hashlib.sha256(f"{SEED}:{config.group}".encode()).hexdigest()
    return str(int(digest, 16) % FOLDS)


PARTS: Mapping[str, Part] = {
    "folds": fold_of,
    "sources": lambda config: config.source,
    "chips": lambda config: config.chip,
}
TITLES = {"folds": "four folds", "sources": "whole source left out", "chips": "whole accelerator left out"}


def left_out(configs: Configs, part: Part) -> dict[str, Scores]:
    """Foretell each configuration's tokens a second from those of all other parts, by every method."""
    labels = [part(config) for config in configs]
    taken = {method: np.full((len(configs), 3), np.nan) for method in METHODS}
    for label in sorted(set(labels)):
        chosen = [index for index, own in enumerate(labels) if own == label]
        seen = [config for config, own in zip(configs, labels, strict=True) if own != label]
        asked = [(config.chip, config.precision, config.sparse) for config in (configs[i] for i in chosen)]
        for method, mfu in learnt(seen, asked).items():
            taken[method][chosen] = mfu
    return {
        method: foretold(configs if method == OURS else short(configs), mfu) for method, mfu in taken.items()
    }


def foretold(configs: Configs, mfu: Array) -> Scores:
    """Tokens a second of an accelerator at given efficiencies, and as measured."""
    peak = array([config.peak for config in configs])[:, None]
    flops = array([np.median(config.flops) for config in configs])[:, None]
    low, value, high = throughput_per_accelerator(peak, mfu, array(1.0), flops).T
    return Scores(value, low, high, array([np.median(config.speeds) for config in configs]))


def split_groups(scores: Mapping[str, Scores], configs: Configs) -> dict[str, dict[str, Scores]]:
    masks = {kind: [config.sparse is sparse for config in configs] for kind, sparse in SPARSITY.items()}
    return picked(scores, masks)
