"""Published runs by every method, and what was seen of each among the measured rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from estimator import Presets
from estimator.arrays import Array, array
from estimator.estimate import Estimate
from estimator.formulas.throughput import accelerator_hours, throughput_per_accelerator
from estimator.measured import number
from estimator.presets import read_rows
from estimator.records import Record

from .asking import answer, is_scored, kinds_of, question
from .baselines import Configs, Kind, Learnt, constant, ladder, short
from .scores import BY_CHIP, CONSTANT, OURS, Scores, picked


@dataclass(frozen=True, slots=True)
class Published:
    """Everything about the published runs: records, kin among the measured rows, and scores by method."""

    records: list[Record]
    kin: list[Configs]
    same_document: list[Configs]
    scores: dict[str, Scores]
    default_precision: Scores
    without_kin: Scores


def published(presets: Presets, configs: Configs) -> Published:
    """Ask about every scored run, by every method, and by ours with less help."""
    records = [record for record in presets.all("runs") if is_scored(record)]
    house = [presets] * len(records)
    asked = [question(record) for record in records]
    estimate = answer(asked, house)
    scores = {OURS: hours(estimate, records)}
    kinds = kinds_of(asked, estimate, presets)
    taken = {BY_CHIP: ladder(Learnt(short(configs)), kinds), CONSTANT: constant(configs, len(kinds))}
    for method, mfu in taken.items():
        scores[method] = by_6nd(estimate, mfu, scores[OURS].truth)
    kin = [kin_of(estimate, index, kind, configs) for index, kind in enumerate(kinds)]
    where = locators(presets)
    documents = [from_document(record, configs, where) for record in records]
    plain = answer([question(record, stated_precision=False) for record in records], house)
    pairs = zip(kin, documents, strict=True)
    sources = [frozenset(config.source for config in [*one, *other]) for one, other in pairs]
    unseen = answer(asked, without(sources, configs, presets))
    return Published(records, kin, documents, scores, hours(plain, records), hours(unseen, records))


def hours(estimate: Estimate, records: Sequence[Record]) -> Scores:
    """Productive accelerator-time estimated, and as published; house units."""
    amount = estimate.amount("accelerator_hours")
    truth = array([record.figures["accelerator_hours"].value for record in records])
    return Scores(amount.value, amount.low, amount.high, truth)


def by_6nd(estimate: Estimate, mfu: Array, truth: Array) -> Scores:
    """Hours by a spreadsheet: 6ND over peak and efficiency; the low efficiency gives the high end."""
    columns = estimate.case.columns
    per_token = (estimate.values["flops_6nd"] / columns["tokens"])[:, None]
    speed = throughput_per_accelerator(columns["peak"][:, None], mfu, array(1.0), per_token)
    high, value, low = accelerator_hours(columns["tokens"][:, None], speed).T
    return Scores(value, low, high, truth)


def kin_of(estimate: Estimate, index: int, kind: Kind, configs: Configs) -> Configs:
    """Measured configurations of a model with the same layers, width and feed-forward on the same chip."""
    columns = estimate.case.columns
    block = max(float(columns["ffn"][index]), float(columns["expert_ffn"][index]))
    same = (float(columns["layers"][index]), float(columns["hidden"][index]), block)
    names = ("n_layers", "hidden", "ffn_hidden")
    return [config for config in configs if config.chip == kind[0]
            and tuple(number(config.cells, name) for name in names) == same]  # fmt: skip


def locators(presets: Presets) -> dict[str, str]:
    return {row.source.key: row.source.locator for row in read_rows(presets, "measurements/throughput")}


def from_document(record: Record, configs: Configs, where: Mapping[str, str]) -> Configs:
    """Measured configurations whose source is one that the run cites."""
    cited = " ".join(source.locator for source in record.sources.values())
    return [config for config in configs if where[config.source] and where[config.source] in cited]


def without(sources: Iterable[frozenset[str]], configs: Configs, presets: Presets) -> list[Presets]:
    """Presets whose efficiency has seen none of these sources; the house's own where there are none."""
    made: dict[frozenset[str], Presets] = {frozenset(): presets}
    found: list[Presets] = []
    for unwanted in sources:
        if unwanted not in made:
            made[unwanted] = Learnt([config for config in configs if config.source not in unwanted])
        found.append(made[unwanted])
    return found


def run_groups(found: Published) -> dict[str, dict[str, Scores]]:
    words = [str(record.words["accounting"]) for record in found.records]
    return picked(found.scores, {
        "all runs": [True] * len(words),
        "productive hours": [word == "productive" for word in words],
        "occupied hours": [word != "productive" for word in words],
    })  # fmt: skip
