"""The tables about measured rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from .baselines import Configs
from .left_out import SPARSITY, Part
from .reasons import CONFIG_REASONS, reason
from .scores import METHODS, OURS, Scores
from .statistics import worst
from .words import share, signed, table


def worst_configs(scores: Scores, configs: Configs) -> list[str]:
    """The twenty worst of the configurations foretold, the first ten with a likely reason."""
    rows: list[list[str]] = []
    for rank, (place, error) in enumerate(worst(scores, 20)):
        config = configs[place]
        what = f"{config.cells['model']}, {config.cells['n_accelerators']} x {config.chip}"
        why = reason(CONFIG_REASONS, config.group, error) if rank < 10 else ""
        rows.append([config.group, what, config.precision, config.source, signed(error), why])
    return table(["configuration", "what", "precision", "source", "error", "likely reason"], rows)


def parts_table(scores: Mapping[str, Scores], configs: Configs, part: Part) -> list[str]:
    """Median error for each part left out."""
    labels = [part(config) for config in configs]
    rows: list[list[str]] = []
    for label in sorted(set(labels)):
        for kind, sparse in SPARSITY.items():
            pairs = zip(labels, configs, strict=True)
            mask = [own == label and config.sparse is sparse for own, config in pairs]
            if any(mask):
                own = {method: scores[method].pick(mask) for method in METHODS}
                medians = (share(np.median(own[method].size)) for method in METHODS)
                covered = f"{int(own[OURS].inside.sum())} of {sum(mask)}"
                rows.append([label, kind, str(sum(mask)), *medians, covered])
    return table(["left out", "rows", "n", OURS, "a chip, 6ND", "one for all, 6ND", "in range"], rows)


def noise_table(configs: Configs) -> list[str]:
    """How far repeats of one configuration lie apart: largest over smallest, less one."""
    apart: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for config in configs:
        if len(config.speeds) > 1:
            for name in (config.source, "all"):
                apart[name].append((max(config.speeds) / min(config.speeds) - 1.0, len(config.speeds)))
    rows: list[list[str]] = []
    for name in sorted(apart, key=lambda name: (name == "all", name)):
        gaps, counts = zip(*apart[name], strict=True)
        shares = (share(np.quantile(gaps, q)) for q in (0.5, 0.9, 1.0))
        rows.append([name, str(len(gaps)), str(sum(counts)), *shares])
    return table(["source", "configurations", "rows", "median", "9 of 10 below", "largest"], rows)
